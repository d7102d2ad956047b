package httpapi_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/credential"
	"github.com/menshen-project/menshen/internal/httpapi"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// clerkPhone brings a clerk's key to an invitation, with the code that the owner's page shows.
func (w *world) clerkPhone(t *testing.T, i httpapi.ClerkInvitation, c credential.Code) (*scenario.Phone, request) {
	t.Helper()
	p := scenario.NewPhone(i.Clerk, i.Organisation, visit.RoleClerk)
	ask := p.Ask(c, time.Now())
	body, err := json.Marshal(map[string]any{"organisation": ask.Organisation, "key": ask.Key, "proof": ask.Proof, "possession": ask.Possession})
	if err != nil {
		t.Fatal(err)
	}
	return p, request{path: "/v1/clerks/" + i.Clerk + "/key", body: string(body)}
}

// enrolment is what the owner signs for a clerk.
func enrolment(p *scenario.Phone) statement.Enrolment {
	e := scenario.Enrolment(p.Actor, time.Now())
	e.From = statement.At(time.Now().Add(-5 * time.Minute))
	return e
}

// The owner lets a clerk's phone in: the code goes from screen to screen, the key back, four digits are
// the same on both, the owner signs, and the clerk's phone is in. menshen carried a key that it could
// not have swapped.
func TestAnOwnerLetsAClerkIn(t *testing.T) {
	w := newWorld(t, func(c *scenario.DeploymentConfig) { c.API.PerEnroller = fast })
	wei := w.Cast.Merchant
	var i httpapi.ClerkInvitation
	w.do(t, request{path: "/v1/clerks", by: wei, body: `{}`}).read(t, http.StatusCreated, &i)
	if visit.ClerkOf(i.Clerk) != wei.ID || i.Organisation != wei.Organisation {
		t.Fatalf("%+v", i)
	}
	code := credential.NewCode() // on the owner's page
	anna, ask := w.clerkPhone(t, i, code)
	session := request{path: "/v1/clerks/" + i.Clerk + "/session"}
	proofOf := func(q request) string {
		var b httpapi.ClerkKey
		if err := json.Unmarshal([]byte(q.body), &b); err != nil {
			t.Fatal(err)
		}
		return b.Proof
	}
	session.body = `{"proof":"` + proofOf(ask) + `"}`

	t.Run("nobody has asked", func(t *testing.T) {
		var s httpapi.ClerkStanding
		w.do(t, request{method: http.MethodGet, path: "/v1/clerks/" + i.Clerk, by: wei}).read(t, http.StatusOK, &s)
		if s.Asked {
			t.Errorf("%+v", s)
		}
		w.do(t, session).want(t, http.StatusForbidden, "clerk_not_let_in")
	})
	w.do(t, ask).read(t, http.StatusOK, &httpapi.ClerkStanding{})
	w.do(t, ask).read(t, http.StatusOK, &httpapi.ClerkStanding{}) // again
	t.Run("another phone comes too late", func(t *testing.T) {
		_, other := w.clerkPhone(t, i, code)
		w.do(t, other).want(t, http.StatusConflict, "clerk_invitation_taken")
	})
	t.Run("nobody else's owner sees it", func(t *testing.T) {
		for _, by := range []*scenario.Actor{w.Cast.Technician, w.Cast.Approver, scenario.NewActor("bo", wei.Organisation, visit.RoleMerchant)} {
			w.do(t, request{method: http.MethodGet, path: "/v1/clerks/" + i.Clerk, by: by}).want(t, http.StatusNotFound, "clerk_invitation_over")
		}
		w.do(t, request{path: "/v1/clerks", by: w.Cast.Technician, body: `{}`}).want(t, http.StatusForbidden, "access_denied")
		w.do(t, request{method: http.MethodGet, path: "/v1/clerks", by: w.Cast.Approver}).want(t, http.StatusForbidden, "access_denied")
	})
	t.Run("the owner's page checks the proof with the code that only it has", func(t *testing.T) {
		var s httpapi.ClerkStanding
		w.do(t, request{method: http.MethodGet, path: "/v1/clerks/" + i.Clerk, by: wei}).read(t, http.StatusOK, &s)
		proof, err := statement.Base64(s.Ask.Proof)
		if err != nil {
			t.Fatal(err)
		}
		e := credential.Enrolling{Organisation: i.Organisation, Holder: i.Clerk, Role: visit.RoleClerk, Key: statement.Key(s.Ask.Key), HeldBy: statement.HeldByHolder}
		key := code.Key(i.Organisation, i.Clerk, visit.RoleClerk)
		if !key.Proves(e, proof) || len(credential.ProofDigits(proof)) != 4 {
			t.Error("the honest phone's proof does not hold")
		}
		e.Key = scenario.NewPhone(i.Clerk, i.Organisation, visit.RoleClerk).Public() // a lying server's
		if key.Proves(e, proof) {
			t.Error("a swapped key is taken")
		}
	})
	stream := visit.StreamPerson + "/" + wei.ID
	w.do(t, request{path: "/v1/people/" + wei.ID + "/enrol", by: wei, body: signed(wei, stream, statement.TypeEnrolment, enrolment(anna))}).read(t, http.StatusCreated, &httpapi.Accepted{})
	got := w.do(t, session)
	got.read(t, http.StatusOK, &httpapi.ClerkSignedIn{})
	cookie := (&http.Response{Header: got.header}).Cookies()[0].Value

	t.Run("for the door", func(t *testing.T) {
		w.do(t, request{method: http.MethodGet, path: "/v1/visits/v1", token: cookie}).is(t, http.StatusOK)
	})
	t.Run("not for the price", func(t *testing.T) {
		w.do(t, request{path: "/v1/orders/o-v1/agree", token: cookie, body: signed(anna.Actor, "order/o-v1", "agreement", map[string]int{})}).want(t, http.StatusForbidden, "access_denied")
	})
	t.Run("a wrong proof signs nobody in", func(t *testing.T) {
		w.do(t, request{path: session.path, body: `{"proof":"AAAA"}`}).want(t, http.StatusForbidden, "clerk_not_let_in")
	})
	t.Run("until the owner ends it", func(t *testing.T) {
		end := statement.EnrolmentEnd{Key: anna.Public().Thumbprint(), From: statement.At(time.Now()), Reason: "left"}
		w.do(t, request{path: "/v1/people/" + wei.ID + "/end_enrolment", by: wei, body: signed(wei, stream, statement.TypeEnrolmentEnd, end)}).read(t, http.StatusCreated, &httpapi.Accepted{})
		w.do(t, request{method: http.MethodGet, path: "/v1/visits/v1", token: cookie}).want(t, http.StatusUnauthorized, "token_unknown")
		w.do(t, session).want(t, http.StatusForbidden, "clerk_not_let_in")
		var list httpapi.ClerkList
		w.do(t, request{method: http.MethodGet, path: "/v1/clerks", by: wei}).read(t, http.StatusOK, &list)
		if len(list.Clerks) != 1 || !list.Clerks[0].Ended || list.Clerks[0].Clerk != i.Clerk {
			t.Errorf("%+v", list)
		}
	})
}

func TestAClerksPhoneIsRefusedForItsOwnReason(t *testing.T) {
	w := newWorld(t, func(c *scenario.DeploymentConfig) { c.API.PerEnroller = fast })
	wei := w.Cast.Merchant
	var i httpapi.ClerkInvitation
	w.do(t, request{path: "/v1/clerks", by: wei, body: `{}`}).read(t, http.StatusCreated, &i)
	code := credential.NewCode()
	t.Run("an invitation that nobody made", func(t *testing.T) {
		other := i
		other.Clerk = wei.ID + ".made-up"
		_, ask := w.clerkPhone(t, other, code)
		w.do(t, ask).want(t, http.StatusNotFound, "clerk_invitation_over")
	})
	t.Run("another organisation's", func(t *testing.T) {
		other := i
		other.Organisation = "acq-linjiang"
		_, ask := w.clerkPhone(t, other, code)
		w.do(t, ask).want(t, http.StatusBadRequest, "clerk_ask_malformed")
	})
	t.Run("somebody else's key", func(t *testing.T) {
		p, ask := w.clerkPhone(t, i, code)
		var b map[string]any
		if err := json.Unmarshal([]byte(ask.body), &b); err != nil {
			t.Fatal(err)
		}
		b["key"] = wei.Public()
		body, _ := json.Marshal(b)
		ask.body = string(body)
		w.do(t, ask).want(t, http.StatusBadRequest, "clerk_ask_malformed")
		_ = p
	})
	// Whoever ends a key signs out only whom he let in: another merchant's word ends nothing of wei's.
	t.Run("another merchant ends nothing", func(t *testing.T) {
		anna, ask := w.clerkPhone(t, i, code)
		w.do(t, ask).read(t, http.StatusOK, &httpapi.ClerkStanding{})
		stream := visit.StreamPerson + "/" + wei.ID
		w.do(t, request{path: "/v1/people/" + wei.ID + "/enrol", by: wei, body: signed(wei, stream, statement.TypeEnrolment, enrolment(anna))}).read(t, http.StatusCreated, &httpapi.Accepted{})
		var b httpapi.ClerkKey
		if err := json.Unmarshal([]byte(ask.body), &b); err != nil {
			t.Fatal(err)
		}
		got := w.do(t, request{path: "/v1/clerks/" + i.Clerk + "/session", body: `{"proof":"` + b.Proof + `"}`})
		got.read(t, http.StatusOK, &httpapi.ClerkSignedIn{})
		cookie := (&http.Response{Header: got.header}).Cookies()[0].Value
		end := statement.EnrolmentEnd{Key: anna.Public().Thumbprint(), From: statement.At(time.Now()), Reason: "left"}
		ap := w.Cast.Acquirer // even the acquirer: it did not let her in
		w.do(t, request{path: "/v1/organisations/" + ap.ID + "/end_enrolment", by: ap, body: `{"statement":` + quoted(signedEnvelope(ap, visit.StreamOrganisation+"/"+ap.ID, statement.TypeEnrolmentEnd, end)) + `}`}).read(t, http.StatusCreated, &httpapi.Ended{})
		w.do(t, request{method: http.MethodGet, path: "/v1/visits/v1", token: cookie}).is(t, http.StatusOK)
	})
}

// signedEnvelope is base64 of what an actor signs now.
func signedEnvelope(by *scenario.Actor, stream, kind string, body any) string {
	p := scenario.Phone{Actor: by}
	return p.Signs(stream, kind, body, time.Now())
}

func quoted(s string) string { return `"` + s + `"` }

// is fails the test unless the answer has this status.
func (r reply) is(t *testing.T, status int) {
	t.Helper()
	if r.status != status {
		t.Fatalf("%d %s, want %d", r.status, r.body, status)
	}
}
