package pages

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/visit"
)

// reach is a page or form as somebody asks it about an object that he has nothing to do with.
type reach struct {
	theirs, nobodys string            // an object of somebody else's, and one of its kind that there is not
	path            string            // with {id}; "" for the pattern's own
	body            string            // with {id}; "" for {} as a script sends it
	may             func(Viewer) bool // who has to do with it all the same
	none            string            // why it is about no object of anybody else's
}

func sees(v Viewer) bool { return v.Role == visit.RoleRegulator }

// edge is a site over a shop that was served, with everything that has an id.
type edge struct {
	*scenario.Deployment
	site    http.Handler
	server  *Server
	ids     map[string]string // what → id
	viewers []Viewer          // nobody, and strangers of each role
}

func newEdge(t *testing.T) *edge {
	t.Helper()
	d, err := scenario.NewDeployment(t.Context(), scenario.DeploymentConfig{Dir: t.TempDir(), Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	p := d.Play(visit.Install, 1, "v1", "00005704280117028119", "W1489724")
	if err := p.OpenCity(t.Context()); err != nil {
		t.Fatal(err)
	}
	if r, err := d.Register(t.Context(), p.Device.Model); err != nil {
		t.Fatal(err, r.Problems)
	}
	if err := scenario.Run(t.Context(), p.Install()); err != nil {
		t.Fatal(err)
	}
	c := d.Cast
	e := &edge{Deployment: d, ids: map[string]string{"serial": p.Device.Serial, "order": p.Order.Order, "shop": p.Order.Shop}}
	e.makes(t, p)
	who := func(org *scenario.Actor, role string) Viewer {
		return Viewer{Person: "x-" + role, Organisation: org.ID, Role: role, Token: "tok-x"}
	}
	e.viewers = []Viewer{{}, who(c.Other, visit.RoleApprover), who(c.Other, visit.RoleRisk), who(c.Rival, visit.RoleDispatcher), who(c.Rival, visit.RoleTechnician), who(c.Provider, visit.RoleTechnician),
		who(c.Watch, visit.RoleSupervisor), who(c.Acquirer, visit.RoleMerchant), who(c.Other, visit.RoleMerchant), who(c.Acquirer, visit.RoleClerk), who(c.School, visit.RoleCourseIssuer), who(c.Other, visit.RoleHost),
		who(c.Rival, visit.RoleCustodian), who(c.Rival, visit.RoleOrganisation), who(c.Association, visit.RoleRegulator), who(c.Rival, string("operations"))}
	source := FromApp{App: d.App}
	e.server = New(Config{Source: source, Shops: source, Now: func() time.Time { return p.Now().Truncate(24 * time.Hour) }, Desk: Desk{App: d.App, Origin: func(*http.Request) string { return "http://menshen.example" }},
		Authenticate: func(r *http.Request) (Viewer, error) {
			for _, v := range e.viewers {
				if r.Header.Get("X-Test-Viewer") == v.Person+"@"+v.Organisation {
					return v, nil
				}
			}
			return Viewer{}, nil
		}})
	e.site = e.server.Routes()
	return e
}

// makes leaves a ticket, a call, a draft, an invitation, a session and a passkey, and finds what the visit left.
func (e *edge) makes(t *testing.T, p *scenario.Play) {
	t.Helper()
	c := e.Cast
	as := func(a *scenario.Actor) app.Actor {
		return app.Actor{Person: a.ID, Organisation: a.Organisation, Role: a.Role}
	}
	k, err := e.App.OpenTicket(t.Context(), as(c.Merchant), "", "v1", "printing", "打不出小票")
	if err != nil {
		t.Fatal(err)
	}
	if err := e.App.SaveSheet(t.Context(), as(c.Approver), app.SheetDraft{ID: "draft-1", Title: "标准装机", Sheet: p.Sheet}); err != nil {
		t.Fatal(err)
	}
	session, secret, err := e.App.IssueToken(t.Context(), app.TokenGrant{Kind: store.TokenSession, Person: c.Approver.ID, Organisation: c.Approver.Organisation, Role: c.Approver.Role, Label: "x", Until: time.Now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.App.InviteColleague(t.Context(), as(c.Approver), app.Invitation{Person: "new", Role: visit.RoleApprover, Until: time.Now().Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	now := store.At(time.Now())
	err = e.Store.Write(t.Context(), func(tx *store.Tx) error {
		if _, err := tx.AddDoorCall(t.Context(), store.DoorCall{ID: "call-1", Shop: e.ids["shop"], Kind: "upgrade", CalledAt: now}); err != nil {
			return err
		}
		a, err := tx.AccountOf(t.Context(), store.Account{Handle: "aGFuZGxlLW9mLWNoZW4", Person: c.Approver.ID, Org: c.Approver.Organisation, Role: c.Approver.Role, CreatedAt: now})
		if err != nil {
			return err
		}
		return tx.AddPasskey(t.Context(), store.Passkey{ID: "key-1", Handle: a.Handle, Name: "x", Doc: []byte("{}"), CreatedAt: now})
	})
	if err != nil {
		t.Fatal(err)
	}
	maps.Copy(e.ids, map[string]string{"ticket": k.Row.ID, "session": session, "secret": secret, "photo": e.first(t, "photos", "sha256"), "invitation": e.first(t, "invitations", "id"),
		"value": e.first(t, "vault_values", "commitment")})
}

func (e *edge) first(t *testing.T, table, column string) (value string) {
	t.Helper()
	err := e.Store.Read(t.Context(), func(tx *store.Tx) error {
		found, err := tx.Table(t.Context(), table)
		if err != nil {
			return err
		}
		return tx.EachRow(t.Context(), found, func(r store.RawRow) error {
			if value == "" {
				value = r.Text(column)
			}
			return nil
		})
	})
	if err != nil || value == "" {
		t.Fatalf("no %s in %s, %v", column, table, err)
	}
	return value
}

// reached is every pattern of the site.
func (e *edge) reached() map[string]reach {
	id := func(what, nobodys string) reach { return reach{theirs: e.ids[what], nobodys: nobodys} }
	v1 := reach{theirs: "v1", nobodys: "v9", may: sees}
	photo := v1
	photo.path = "/visits/{id}/photos/" + e.ids["photo"]
	value := id("", "")
	value.theirs, value.nobodys, value.body = e.Cast.Merchant.ID, "nob", `{"commitment":"`+e.ids["value"]+`","purpose":"visit"}`
	phrase := reach{none: "what was sent is one's own"}
	own := reach{none: "one's own, or a list of one's own"}
	open := reach{none: "the same for everybody"}
	name := reach{theirs: "key-1", nobodys: "key-9"}
	rows := map[string]reach{
		"GET /visits/{id}": v1, "GET /visits/{id}/bundle": v1, "GET /visits/{id}/pack": v1, "GET /visits/{id}/report": v1, "GET /visits/{id}/photos/{digest}": photo,
		"GET /shop/visits/{id}": v1, "GET /shop/visits/{id}/{act}": {theirs: "v1", nobodys: "v9", path: "/shop/visits/{id}/price"}, "GET /shop/sticker/{code}": id("shop", "s-nobodys"),
		"GET /shop/tickets/{id}": id("ticket", "t-9"), "POST /shop/calls/{id}": {theirs: "call-1", nobodys: "call-9"},
		"POST /staff/visits/{id}/link": v1, "POST /staff/visits/{id}/send-link": v1, "GET /staff/visits/{id}/news": {theirs: "v1", nobodys: "v9", may: sees, path: "/staff/visits/{id}/news?after=0&wait=0"},
		"GET /staff/technicians/{id}/face": {theirs: e.Cast.Technician.ID, nobodys: "nob"}, "GET /staff/merchants/{id}": {theirs: e.Cast.Merchant.ID, nobodys: "nob"}, "POST /staff/merchants/{id}/show": value,
		"GET /staff/terminals/{serial}": id("serial", "00005704280117028136"), "POST /staff/settlements/{id}/settle": {theirs: "1795000000000.5f1c", nobodys: "1795000000000.5f1d"},
		"GET /staff/sheets/{id}": {theirs: "draft-1", nobodys: "draft-9"}, "GET /staff/orders/{id}": id("order", "o-v9"), "POST /staff/shops/{id}/values": id("shop", "s-nobodys"),
		"POST /account/sessions/{id}/end": id("session", "tok-AAAAAAAAAAAAAAAAAAAAAAAAAA"), "POST /account/passkeys/{id}/name": name, "POST /account/passkeys/{id}/remove": name,
		"POST /staff/invitations/{id}/withdraw": id("invitation", "inv-AAAAAAAAAAAAAAAAAAAAAAAAAA"),
		"GET /enter/{token}":                    id("secret", "menshen_none"), "POST /enter/{token}": id("secret", "menshen_none"),
		"GET /s/{code}": id("shop", "s-nobodys"), "POST /s": {theirs: e.ids["shop"], nobodys: "s-nobodys", body: "code={id}&kind=upgrade"}, "GET /s": open,
		"POST /app/unsent": {theirs: "v1", nobodys: "v9", may: func(v Viewer) bool { return v.Organisation == e.Cast.Provider.ID }, body: `{"visits":[{"visit":"{id}","statements":1,"photos":1}]}`}, "POST " + settleDeadPath: {theirs: "1-1", nobodys: "1-2"},
		"GET /assets/{path...}": open, "GET /{$}": open, "/": open, "GET /verify": open, "GET /verify/{name}": open, "GET /verify/menshen-verify.html": open, "GET /staff/import/{name}": open,
		"GET /staff/settlements/template.csv": open, "GET /app": open, "GET /app.webmanifest": open, "GET /sw.js": open, "GET /carry": open, "GET /sign-in": open, "POST /sign-in/options": open, "POST /sign-in": phrase,
		"GET /join": open, "POST /join/options": phrase, "POST /join": phrase, "POST /account/passkeys/options": own, "POST /account/passkeys": phrase, "POST /staff/invitations": phrase, "POST /staff/technicians": phrase,
		"POST /shop/phrase": phrase, "POST /shop/leave": own, "POST /account/sign-out": own, "POST /account/sessions/end-others": own, "POST /staff/merchants/find": own, "POST /staff/settlements": phrase, "POST /staff/import": phrase,
		"POST /staff/sheets/check": phrase,
	}
	for _, list := range strings.Fields("/learn /account /staff/invitations /staff/visits /staff/visits.csv /staff/visits.json /staff/technicians /staff/technicians.csv /staff/devices /staff/devices.csv /staff/conflicts /staff/suspensions " +
		"/staff/operations /staff/key /staff/merchants /staff/merchants.csv /staff/merchants/new /staff/incidents /staff/terminals /staff/terminals.csv /staff/import /staff/settlements /staff/settlements.csv /staff/sheets /staff/orders " +
		"/staff/orders.csv /staff/orders/new /shop /shop/phone /shop/clerks /shop/clerk /shop/tickets /shop/charges /shop/tickets/new " + deadLettersPath) {
		rows["GET "+list] = own
	}
	return rows
}

// ask sends one request and gives all that a browser sees of the answer.
func (e *edge) ask(method, path, body string, v Viewer) string {
	r := httptest.NewRequest(method, "http://menshen.example"+path, strings.NewReader(body))
	r.Header.Set("X-Test-Viewer", v.Person+"@"+v.Organisation)
	r.Header.Set("Content-Type", "application/json")
	if !strings.HasPrefix(body, "{") {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	w := httptest.NewRecorder()
	e.site.ServeHTTP(w, r)
	var b strings.Builder
	fmt.Fprintf(&b, "%d\n", w.Code)
	_ = w.Header().Write(&b) // a builder takes all
	b.WriteString(w.Body.String())
	return b.String()
}

// TestNobodyReachesWhatIsAnothersByPages asks every page and form there is about an object of somebody else's, as nobody
// and as one stranger of each role, and about one that does not exist: the answers are the same to the last byte, and
// nothing changed. A route without a row fails.
func TestNobodyReachesWhatIsAnothersByPages(t *testing.T) {
	e := newEdge(t)
	rows, patterns := e.reached(), e.server.routes()
	for name := range rows {
		if patterns[name] == nil {
			t.Errorf("%s: there is no such route", name)
		}
	}
	asked := 0
	before := rowsOf(t, e.Deployment)
	for _, name := range slices.Sorted(maps.Keys(patterns)) {
		r := rows[name]
		if (r.none == "") == (r.theirs == "" || r.nobodys == "") {
			t.Errorf("%s: no row says whose object it is about", name)
			continue
		}
		if r.none != "" {
			continue
		}
		method, own, _ := strings.Cut(name, " ")
		if r.path == "" {
			r.path = hole.ReplaceAllString(own, "{id}")
		}
		if r.body == "" {
			r.body = "{}"
		}
		for _, v := range e.viewers {
			if r.may != nil && r.may(v) {
				continue
			}
			ask := func(id string) string {
				got := e.ask(method, strings.ReplaceAll(r.path, "{id}", id), strings.ReplaceAll(r.body, "{id}", id), v)
				return strings.ReplaceAll(got, id, "{id}")
			}
			asked++
			if theirs, nobodys := ask(r.theirs), ask(r.nobodys); theirs != nobodys {
				t.Errorf("%s by %s of %s learns that %s exists:\n%.600s\nand of what does not:\n%.600s", name, v.Role, v.Organisation, r.theirs, theirs, nobodys)
			}
		}
	}
	for name, n := range rowsOf(t, e.Deployment) {
		if n != before[name] {
			t.Errorf("%s: %d rows, before %d", name, n, before[name])
		}
	}
	if asked < 300 {
		t.Errorf("%d asked", asked)
	}
}
