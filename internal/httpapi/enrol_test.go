package httpapi_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/credential"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/httpapi"
	"github.com/menshen-project/menshen/internal/orgapi"
	"github.com/menshen-project/menshen/internal/registry"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/visit"
)

// kept is a world whose acquirer and provider run their own services.
type kept struct {
	*world
	acquirer, provider *scenario.Keeper
	away               bool // the line to the services is cut
	edit               func(orgapi.Answer) orgapi.Answer
}

func newKept(t *testing.T) *kept {
	t.Helper()
	k := &kept{edit: func(a orgapi.Answer) orgapi.Answer { return a }}
	dir := t.TempDir()
	k.world = newWorld(t, func(c *scenario.DeploymentConfig) {
		c.API.PerEnroller = fast
		c.Organisations = func(cast *scenario.Cast) (map[string]app.Organisation, error) {
			var errA, errP error
			k.acquirer, errA = scenario.Keep(filepath.Join(dir, "acquirer"), cast.Acquirer, nil, credential.KindAcquirer, time.Now)
			k.provider, errP = scenario.Keep(filepath.Join(dir, "provider"), cast.Provider, cast.BadgeKey, credential.KindProvider, time.Now)
			return map[string]app.Organisation{cast.Acquirer.ID: &line{k, k.acquirer.Client}, cast.Provider.ID: &line{k, k.provider.Client}}, errors.Join(errA, errP)
		}
	})
	t.Cleanup(func() {
		if err := errors.Join(k.acquirer.Close(), k.provider.Close()); err != nil {
			t.Error(err)
		}
	})
	return k
}

// line is the network between menshen and a service, and whoever sits on it.
type line struct {
	k *kept
	*orgapi.Client
}

func (l *line) Enrol(ctx context.Context, ask orgapi.EnrolmentAsk) (orgapi.Answer, error) {
	answer, err := l.Client.Enrol(ctx, ask)
	if l.k.away { // the service has signed, and nobody hears of it
		return orgapi.Answer{}, fault.New(fault.Unavailable, "organisation_unreachable", "", "")
	}
	return l.k.edit(answer), err
}

func (k *kept) code(t *testing.T, of *scenario.Keeper, who *scenario.Actor) credential.Code {
	t.Helper()
	made, err := of.MakeCode(who.ID, who.Role, "replaced")
	if err != nil {
		t.Fatal(err)
	}
	return made.Code
}

func (k *kept) ask(t *testing.T, p *scenario.Phone, c credential.Code) request {
	t.Helper()
	data, err := json.Marshal(p.Ask(c, time.Now()))
	if err != nil {
		t.Fatal(err)
	}
	return request{path: "/v1/enrolments", body: string(data)}
}

// enrolled enrols a new phone for somebody through menshen.
func (k *kept) enrolled(t *testing.T, of *scenario.Keeper, who *scenario.Actor) *scenario.Phone {
	t.Helper()
	p := scenario.NewPhone(who.ID, who.Organisation, who.Role)
	var done httpapi.Enrolled
	k.do(t, k.ask(t, p, k.code(t, of, who))).read(t, http.StatusCreated, &done)
	return p
}

// until waits for what happens by itself.
func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	for range 400 {
		if done() {
			return
		}
		time.Sleep(25 * time.Millisecond)
	}
	t.Fatal(what)
}

func TestAMerchantsPhoneIsEnrolledAndSignedIn(t *testing.T) {
	k := newKept(t)
	wei := k.Cast.Merchant
	p := scenario.NewPhone(wei.ID, wei.Organisation, wei.Role)
	ask := k.ask(t, p, k.code(t, k.acquirer, wei))
	got := k.do(t, ask)
	var done httpapi.Enrolled
	got.read(t, http.StatusCreated, &done)
	cookies := (&http.Response{Header: got.header}).Cookies()
	if !done.SignedIn || len(cookies) != 1 || !cookies[0].HttpOnly || cookies[0].SameSite != http.SameSiteLaxMode || strings.Contains(string(got.body), cookies[0].Value) {
		t.Fatalf("%+v, %v", done, cookies)
	}
	session := cookies[0].Value

	t.Run("the session opens the merchant's own visits", func(t *testing.T) {
		if got := k.do(t, request{method: http.MethodGet, path: "/v1/visits", token: session}); got.status != http.StatusOK || !strings.Contains(string(got.body), `"v1"`) {
			t.Errorf("%d %s", got.status, got.body)
		}
	})
	t.Run("what the new key signs counts", func(t *testing.T) {
		k.do(t, request{path: "/v1/visits/v1/freeze", token: session, body: signed(p.Actor, "visit/v1", visit.TypeBrake, visit.Brake{Visit: "v1", Reason: "unsure"})}).read(t, http.StatusCreated, &httpapi.Accepted{})
	})
	t.Run("asked again, the same enrolment and a session again", func(t *testing.T) {
		var again httpapi.Enrolled
		got := k.do(t, ask)
		got.read(t, http.StatusCreated, &again)
		if !reflect.DeepEqual(again, done) || got.header.Get("Set-Cookie") == "" {
			t.Errorf("%+v", again)
		}
	})
	t.Run("the code is used up", func(t *testing.T) {
		other := scenario.NewPhone(wei.ID, wei.Organisation, wei.Role)
		made := k.code(t, k.acquirer, wei)
		k.do(t, k.ask(t, other, made)).read(t, http.StatusCreated, &httpapi.Enrolled{})
		k.do(t, k.ask(t, scenario.NewPhone(wei.ID, wei.Organisation, wei.Role), made)).want(t, http.StatusUnprocessableEntity, "code_used")
	})
	t.Run("the old phone's key ended, and its session with it", func(t *testing.T) {
		until(t, "the old phone is still signed in", func() bool {
			return k.do(t, request{method: http.MethodGet, path: "/v1/visits", token: session}).status == http.StatusUnauthorized
		})
		late := signed(p.Actor, "visit/v1", visit.TypeBrake, visit.Brake{Visit: "v1", Reason: "unsure again"})
		k.do(t, request{path: "/v1/visits/v1/freeze", by: wei, body: late}).want(t, http.StatusUnprocessableEntity, "statement_before_or_after_key")
	})
}

// Whatever goes wrong is told for its own reason, and takes nothing away.
func TestEnrolmentsAreRefusedForTheirOwnReason(t *testing.T) {
	k := newKept(t)
	wei := k.Cast.Merchant
	p := scenario.NewPhone(wei.ID, wei.Organisation, wei.Role)
	code := k.code(t, k.acquirer, wei)
	honest := k.ask(t, p, code)
	k.do(t, k.ask(t, p, credential.NewCode())).want(t, http.StatusUnprocessableEntity, "code_wrong")
	k.do(t, request{path: honest.path, body: strings.Replace(honest.body, `"organisation":"acq-huaishan"`, `"organisation":"acq-linjiang"`, 1)}).want(t, http.StatusNotFound, "organisation_without_service")
	k.do(t, request{path: honest.path, body: strings.Replace(honest.body, `"proof"`, `"Proof"`, 1)}).want(t, http.StatusBadRequest, "json_case_variant")
	k.do(t, request{path: honest.path, body: honest.body, key: "-"}).want(t, http.StatusBadRequest, "idempotency_key_missing")

	t.Run("from another site's page", func(t *testing.T) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, k.Venue.URL+honest.path, strings.NewReader(honest.body))
		if err != nil {
			t.Fatal(err)
		}
		for name, value := range map[string]string{"Content-Type": "application/json", "Idempotency-Key": "1", "Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"} {
			req.Header.Set(name, value)
		}
		k.send(t, req).want(t, http.StatusForbidden, "cross_origin")
	})
	t.Run("the answer is lost, and nothing with it", func(t *testing.T) {
		k.away = true
		k.do(t, honest).want(t, http.StatusServiceUnavailable, "organisation_unreachable")
		k.away = false
		var done httpapi.Enrolled
		k.do(t, honest).read(t, http.StatusCreated, &done)
	})
	t.Run("too many tries for one holder", func(t *testing.T) {
		for range 12 {
			got := k.do(t, k.ask(t, p, credential.NewCode()))
			if got.status == http.StatusTooManyRequests {
				return
			}
		}
		t.Error("nobody bounds the tries")
	})
}

// A service's word is proven like anybody's. What is not its to sign is not recorded.
func TestAServiceThatLiesIsNotBelieved(t *testing.T) {
	k := newKept(t)
	wei := k.Cast.Merchant
	other := scenario.NewPhone(wei.ID, wei.Organisation, wei.Role)
	for name, edit := range map[string]func(orgapi.Answer) orgapi.Answer{
		"another key": func(a orgapi.Answer) orgapi.Answer {
			e := scenario.Enrolment(other.Actor, time.Now())
			return forged(k.Cast.Acquirer, visit.Enrol, statement.TypeEnrolment, e)
		},
		"in another's name": func(a orgapi.Answer) orgapi.Answer {
			return forged(k.Cast.Provider, visit.Enrol, statement.TypeEnrolment, scenario.Enrolment(other.Actor, time.Now()))
		},
		"a mandate": func(a orgapi.Answer) orgapi.Answer {
			return forged(k.Cast.Acquirer, visit.Publish, registry.TypeMandate, registry.Mandate{Provider: "x", From: statement.At(time.Now()), Until: statement.At(time.Now().Add(time.Hour))})
		},
		"nothing":  func(orgapi.Answer) orgapi.Answer { return orgapi.Answer{} },
		"nonsense": func(orgapi.Answer) orgapi.Answer { return orgapi.Answer{Statements: []orgapi.Signed{{Statement: "?"}}} },
	} {
		t.Run(name, func(t *testing.T) {
			k.edit = edit
			ask := k.ask(t, scenario.NewPhone(wei.ID, wei.Organisation, wei.Role), k.code(t, k.acquirer, wei))
			k.do(t, ask).want(t, http.StatusServiceUnavailable, "organisation_statement_other")
		})
	}
}

func forged(by *scenario.Actor, verb, kind string, body any) orgapi.Answer {
	stream := visit.StreamOrganisation + "/" + by.ID
	p := scenario.Phone{Actor: by}
	return orgapi.Answer{Statements: []orgapi.Signed{{Number: 1, Stream: stream, Verb: verb, Statement: p.Signs(stream, kind, body, time.Now())}}}
}

func TestAShiftBeginsAndEnds(t *testing.T) {
	k := newKept(t)
	lan, hide := k.Cast.Technician, scenario.Hide
	if err := k.provider.PutPerson(lan.ID, lan.Role, hide("name", "岚").Commitment, hide("photo", "portrait").Commitment); err != nil {
		t.Fatal(err)
	}
	p := k.enrolled(t, k.provider, lan)
	badge := func(t *testing.T) request {
		t.Helper()
		ask, day, err := p.AskBadge(time.Now())
		if err != nil {
			t.Fatal(err)
		}
		body, err := json.Marshal(map[string]any{"key": statement.KeyOf(&day.PublicKey), "request": ask.Request})
		if err != nil {
			t.Fatal(err)
		}
		return request{path: "/v1/badges", by: lan, body: string(body)}
	}
	first := badge(t)
	var got httpapi.IssuedBadge
	k.do(t, first).read(t, http.StatusCreated, &got)
	if err := k.admits(got); err != nil {
		t.Fatal(err)
	}

	t.Run("another key than the one signed for", func(t *testing.T) {
		other := badge(t)
		var b map[string]any
		if err := json.Unmarshal([]byte(other.body), &b); err != nil {
			t.Fatal(err)
		}
		b["key"] = statement.KeyOf(&scenario.NewKey().PublicKey)
		body, _ := json.Marshal(b)
		other.body = string(body)
		k.do(t, other).want(t, http.StatusBadRequest, "badge_request_differs")
	})
	t.Run("asked by somebody else", func(t *testing.T) {
		other := badge(t)
		other.by = k.Cast.Merchant
		k.do(t, other).want(t, http.StatusForbidden, "access_denied")
		other.by = k.Cast.Stranger
		k.do(t, other).want(t, http.StatusNotFound, "person_unknown")
	})
	t.Run("the dispatcher takes it back, and the list says so at once", func(t *testing.T) {
		for _, by := range []*scenario.Actor{k.Cast.Merchant, k.Cast.Approver, k.Cast.Stranger} {
			k.do(t, request{path: "/v1/people/lan/revoke_badge", by: by, body: `{"reason":"lost"}`}).want(t, http.StatusForbidden, "access_denied")
		}
		k.do(t, request{path: "/v1/people/lan/revoke_badge", by: k.Cast.Dispatcher, body: `{"reason":"lost","statement":"e30="}`}).want(t, http.StatusBadRequest, "end_ambiguous")
		var ended httpapi.Ended
		k.do(t, request{path: "/v1/people/lan/revoke_badge", by: k.Cast.Dispatcher, body: `{"reason":"lost"}`}).read(t, http.StatusOK, &ended)
		list, err := k.newest(t, got.StatusURI)
		if err != nil || ended.Ended != 1 {
			t.Fatal(ended, err)
		}
		got.StatusList = list
		if err := k.admits(got); fault.CodeOf(err) != "badge_revoked" {
			t.Error(err)
		}
	})
	t.Run("the provider's own desk takes one back, and it is here by itself", func(t *testing.T) {
		var second httpapi.IssuedBadge
		k.do(t, badge(t)).read(t, http.StatusCreated, &second)
		if _, err := k.provider.Leave(lan.ID, lan.Role, "left"); err != nil {
			t.Fatal(err)
		}
		until(t, "the list does not come by itself", func() bool {
			list, err := k.newest(t, second.StatusURI)
			second.StatusList = list
			return err == nil && fault.CodeOf(k.admits(second)) == "badge_revoked"
		})
		k.do(t, badge(t)).want(t, http.StatusUnprocessableEntity, "person_without_key")
	})
	t.Run("the roll is the provider's own", func(t *testing.T) {
		var roll httpapi.Roll
		k.do(t, request{method: http.MethodGet, path: "/v1/people", by: k.Cast.Dispatcher}).read(t, http.StatusOK, &roll)
		if len(roll.People) != 1 || roll.People[0].Holder != "lan" || roll.People[0].State != orgapi.Left {
			t.Errorf("%+v", roll)
		}
		k.do(t, request{method: http.MethodGet, path: "/v1/people", by: lan}).want(t, http.StatusForbidden, "access_denied")
	})
}

// admits says what the newest list that the phone was given has for its badge.
func (k *kept) admits(b httpapi.IssuedBadge) error {
	issuer := k.Cast.BadgeKey.Public()
	badge, err := credential.VerifyBadge([]byte(b.Badge), issuer, k.Cast.Provider.ID, time.Now())
	if err != nil {
		return err
	}
	list, err := credential.VerifyStatusList([]byte(b.StatusList), credential.StatusExpectation{Issuer: issuer, IssuerID: k.Cast.Provider.ID, URI: b.StatusURI, Now: time.Now()})
	if err != nil {
		return err
	}
	return list.Admits(badge)
}

// newest reads the status list that is recorded with the highest number.
func (k *kept) newest(t *testing.T, uri string) (token string, err error) {
	t.Helper()
	best := 0
	err = k.Store.Read(t.Context(), func(tx *store.Tx) error {
		events, err := tx.Events(t.Context(), store.Stream{Kind: visit.StreamOrganisation, ID: k.Cast.Provider.ID}, 1, 1000)
		for _, e := range events {
			envelope, err := tx.Statement(t.Context(), e.StatementDigest)
			if err != nil {
				return err
			}
			c, err := statement.Parse(envelope)
			if err != nil {
				return err
			}
			var l registry.StatusList
			if c.Type == registry.TypeStatusList && c.UntrustedBody(&l) == nil && l.URI == uri && l.Number > best {
				best, token = l.Number, l.Token
			}
		}
		return err
	})
	return token, err
}

func TestKeysEndThroughTheOrganisation(t *testing.T) {
	k := newKept(t)
	wei, p := k.Cast.Merchant, k.enrolled(t, k.acquirer, k.Cast.Merchant)
	thumb := p.Public().Thumbprint()
	end := func(by *scenario.Actor, organisation, thumb string) reply {
		t.Helper()
		return k.do(t, request{path: "/v1/organisations/" + organisation + "/end_enrolment", by: by, body: `{"key":"` + thumb + `","reason":"lost"}`})
	}
	end(k.Cast.Dispatcher, "acq-huaishan", thumb).want(t, http.StatusNotFound, "organisation_without_service") // another's
	end(k.Cast.Dispatcher, "svc-anzhuang", thumb).want(t, http.StatusNotFound, "key_unknown")
	end(wei, "acq-huaishan", k.Cast.Approver.Public().Thumbprint()).want(t, http.StatusForbidden, "access_denied") // not his own
	var ended httpapi.Ended
	end(wei, "acq-huaishan", thumb).read(t, http.StatusOK, &ended)
	end(k.Cast.Approver, "acq-huaishan", thumb).read(t, http.StatusOK, &ended) // again: it has ended
	late := signed(p.Actor, "visit/v1", visit.TypeBrake, visit.Brake{Visit: "v1", Reason: "unsure"})
	k.do(t, request{path: "/v1/visits/v1/freeze", by: wei, body: late}).want(t, http.StatusUnprocessableEntity, "statement_before_or_after_key")
}
