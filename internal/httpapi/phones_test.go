package httpapi_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/httpapi"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

func body(t *testing.T, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// signIn answers a fresh challenge with an actor's key.
func (w *world) signIn(t *testing.T, who *scenario.Actor, edit func(*httpapi.PhoneSession)) reply {
	t.Helper()
	var c httpapi.PhoneChallenge
	w.do(t, request{path: "/v1/phone_challenges", body: "{}"}).read(t, http.StatusCreated, &c)
	return w.answer(t, who, c.Challenge, edit)
}

func (w *world) answer(t *testing.T, who *scenario.Actor, challenge string, edit func(*httpapi.PhoneSession)) reply {
	t.Helper()
	return w.answerOn(t, who, challenge, "", edit)
}

// answerOn answers on a phone whose browser has a session already.
func (w *world) answerOn(t *testing.T, who *scenario.Actor, challenge, session string, edit func(*httpapi.PhoneSession)) reply {
	t.Helper()
	thumb := statement.KeyOf(&who.Key.PublicKey).Thumbprint()
	payload, err := statement.Canonical(app.PhoneAnswer{Challenge: challenge, Holder: who.ID, Organisation: who.Organisation, Role: who.Role, Key: thumb})
	if err != nil {
		t.Fatal(err)
	}
	sig, err := statement.SignES256(who.Key, statement.PAE(app.PhoneAnswerType, payload))
	if err != nil {
		t.Fatal(err)
	}
	s := httpapi.PhoneSession{Challenge: challenge, Holder: who.ID, Organisation: who.Organisation, Role: who.Role, Key: thumb, Signature: base64.StdEncoding.EncodeToString(sig)}
	if edit != nil {
		edit(&s)
	}
	return w.do(t, request{path: "/v1/phone_sessions", body: body(t, s), session: session})
}

func sessionOf(t *testing.T, r reply) string {
	t.Helper()
	r.read(t, http.StatusCreated, &httpapi.PhoneSignedIn{})
	for _, c := range (&http.Response{Header: r.header}).Cookies() {
		if c.HttpOnly && c.SameSite == http.SameSiteLaxMode {
			return c.Value
		}
	}
	t.Fatalf("no session in %v", r.header)
	return ""
}

func (w *world) personFiles(t *testing.T, by *scenario.Actor, verb, kind string, v any) reply {
	t.Helper()
	stream := visit.StreamPerson + "/" + by.ID
	return w.do(t, request{path: httpapi.PathOf(visit.StreamPerson, by.ID, verb), by: by, body: signed(by, stream, kind, v)})
}

func TestAPhoneSignsInWithItsKey(t *testing.T) {
	w := newWorld(t, func(c *scenario.DeploymentConfig) { c.API.PerEnroller = fast })
	wei := w.Cast.Merchant
	clerk := scenario.NewActor("wei.k1", wei.Organisation, visit.RoleClerk)
	w.signIn(t, clerk, nil).want(t, http.StatusUnprocessableEntity, "phone_key_unknown") // nobody let it in
	w.personFiles(t, wei, visit.Enrol, statement.TypeEnrolment, scenario.Enrolment(clerk, time.Now())).read(t, http.StatusCreated, &httpapi.Accepted{})
	session := sessionOf(t, w.signIn(t, clerk, nil))

	t.Run("a clerk sees the merchant's visits", func(t *testing.T) {
		if got := w.do(t, request{method: http.MethodGet, path: "/v1/visits", token: session}); got.status != http.StatusOK || !strings.Contains(string(got.body), `"v1"`) {
			t.Errorf("%d %s", got.status, got.body)
		}
	})
	t.Run("an answer counts once, and only as it was signed", func(t *testing.T) {
		var c httpapi.PhoneChallenge
		w.do(t, request{path: "/v1/phone_challenges", body: "{}"}).read(t, http.StatusCreated, &c)
		w.answer(t, clerk, c.Challenge, func(s *httpapi.PhoneSession) { s.Holder = "wei" }).want(t, http.StatusUnprocessableEntity, "phone_key_unknown")
		w.answer(t, clerk, c.Challenge, nil).want(t, http.StatusUnprocessableEntity, "phone_key_unknown")
		w.answer(t, clerk, base64.RawURLEncoding.EncodeToString(make([]byte, 32)), nil).want(t, http.StatusUnprocessableEntity, "phone_key_unknown")
		w.signIn(t, w.Cast.Technician, func(s *httpapi.PhoneSession) { s.Role = visit.RoleTechnician }).want(t, http.StatusUnprocessableEntity, "phone_key_unknown")
		w.signIn(t, clerk, func(s *httpapi.PhoneSession) { s.Signature = base64.StdEncoding.EncodeToString(make([]byte, 64)) }).want(t, http.StatusUnprocessableEntity, "phone_key_unknown")
	})
	t.Run("another merchant's word ends nothing", func(t *testing.T) {
		he := scenario.NewActor("he", wei.Organisation, visit.RoleMerchant)
		enrol := signed(w.Cast.Acquirer, "organisation/"+wei.Organisation, statement.TypeEnrolment, scenario.Enrolment(he, time.Now()))
		w.do(t, request{path: httpapi.PathOf(visit.StreamOrganisation, wei.Organisation, visit.Enrol), by: w.Cast.Acquirer, body: enrol}).read(t, http.StatusCreated, &httpapi.Accepted{})
		for _, victim := range []*scenario.Actor{clerk, wei} {
			end := statement.EnrolmentEnd{Key: statement.KeyOf(&victim.Key.PublicKey).Thumbprint(), From: statement.At(time.Now()), Reason: "left"}
			w.personFiles(t, he, visit.EndEnrolment, statement.TypeEnrolmentEnd, end)
		}
		sessionOf(t, w.signIn(t, wei, nil))
		if got := w.do(t, request{method: http.MethodGet, path: "/v1/visits", token: session}); got.status != http.StatusOK {
			t.Errorf("%d %s", got.status, got.body)
		}
	})
	t.Run("the owner ends it, and it is out at once", func(t *testing.T) {
		end := statement.EnrolmentEnd{Key: statement.KeyOf(&clerk.Key.PublicKey).Thumbprint(), From: statement.At(time.Now()), Reason: "left"}
		w.personFiles(t, wei, visit.EndEnrolment, statement.TypeEnrolmentEnd, end).read(t, http.StatusCreated, &httpapi.Accepted{})
		w.do(t, request{method: http.MethodGet, path: "/v1/visits", token: session}).want(t, http.StatusUnauthorized, "token_unknown")
		w.signIn(t, clerk, nil).want(t, http.StatusUnprocessableEntity, "phone_key_unknown")
	})
}

// One phone, two people: whoever signs in on it ends the session that it had, once he is in; what the other has elsewhere stays.
func TestSigningInEndsTheSessionThatThePhoneHad(t *testing.T) {
	w := newWorld(t, func(c *scenario.DeploymentConfig) { c.API.PerEnroller = fast })
	wei := w.Cast.Merchant
	clerk := scenario.NewActor("wei.k1", wei.Organisation, visit.RoleClerk)
	w.personFiles(t, wei, visit.Enrol, statement.TypeEnrolment, scenario.Enrolment(clerk, time.Now())).read(t, http.StatusCreated, &httpapi.Accepted{})
	on := func(who *scenario.Actor, had string, edit func(*httpapi.PhoneSession)) reply {
		var c httpapi.PhoneChallenge
		w.do(t, request{path: "/v1/phone_challenges", body: "{}"}).read(t, http.StatusCreated, &c)
		return w.answerOn(t, who, c.Challenge, had, edit)
	}
	holds := func(token string, want int) {
		t.Helper()
		if got := w.do(t, request{method: http.MethodGet, path: "/v1/visits", token: token}); got.status != want {
			t.Errorf("%d, want %d", got.status, want)
		}
	}
	first, elsewhere := sessionOf(t, w.signIn(t, clerk, nil)), sessionOf(t, w.signIn(t, clerk, nil))
	on(wei, first, func(s *httpapi.PhoneSession) { s.Holder = "nobody" }).want(t, http.StatusUnprocessableEntity, "phone_key_unknown")
	holds(first, http.StatusOK)
	second := sessionOf(t, on(wei, first, nil))
	holds(first, http.StatusUnauthorized)
	holds(elsewhere, http.StatusOK)
	holds(second, http.StatusOK)
	sessionOf(t, on(clerk, first, nil)) // a cookie that is over already is in nobody's way
	holds(second, http.StatusOK)
}

// The acquirer ends the owner's phone: its clerks are out with it.
func TestClerksGoWithTheOwnersPhone(t *testing.T) {
	k := newKept(t)
	wei := k.Cast.Merchant
	phone := k.enrolled(t, k.acquirer, wei)
	clerk := scenario.NewActor("wei.k1", wei.Organisation, visit.RoleClerk)
	k.personFiles(t, phone.Actor, visit.Enrol, statement.TypeEnrolment, scenario.Enrolment(clerk, time.Now())).read(t, http.StatusCreated, &httpapi.Accepted{})
	session := sessionOf(t, k.signIn(t, clerk, nil))
	thumb := statement.KeyOf(&phone.Key.PublicKey).Thumbprint()
	k.do(t, request{path: "/v1/organisations/" + wei.Organisation + "/end_enrolment", by: wei, body: body(t, httpapi.EndKey{Key: thumb, Reason: "replaced"})}).read(t, http.StatusOK, &httpapi.Ended{})
	k.do(t, request{method: http.MethodGet, path: "/v1/visits", token: session}).want(t, http.StatusUnauthorized, "token_unknown")
	k.signIn(t, clerk, nil).want(t, http.StatusUnprocessableEntity, "phone_key_unknown")
	k.signIn(t, phone.Actor, nil).want(t, http.StatusUnprocessableEntity, "phone_key_unknown")
}
