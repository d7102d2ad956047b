package httpapi_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/access"
	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/httpapi"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/visit"
)

// reach is an operation of the API as somebody asks it about an object that he has nothing to do with.
type reach struct {
	theirs, nobodys string // an object of somebody else's, and one of its kind that there is not
	// body of a request about id; nil: what the description shows.
	body func(w *world, by *scenario.Actor, id string) string
	path string // with {id}; "" for the operation's own
	// may is who has to do with it all the same, or may do it to anybody.
	may func(by *scenario.Actor) bool
	// none says why the operation is about no object of anybody else's.
	none string
}

func watches(by *scenario.Actor) bool { return by.Role == visit.RoleRegulator }

// filed gives the rows of what is filed: one for each type of statement.
func filed(objects map[string][2]string, may map[string]func(*scenario.Actor) bool) map[string][]reach {
	out := map[string][]reach{}
	for _, r := range httpapi.Filed() {
		name := "POST " + httpapi.PathOf(r.Stream, "{id}", r.Verb)
		of := objects[r.Stream]
		out[name] = append(out[name], reach{theirs: of[0], nobodys: of[1], may: func(by *scenario.Actor) bool {
			if r.Type == visit.TypeOrder && by.Role == visit.RoleApprover {
				return true // whoever books chooses the id, so he learns that it is in use
			}
			return may[r.Stream] != nil && may[r.Stream](by) || access.Decide(access.Role(by.Role), access.On(r.Stream, r.Verb), access.None).Allowed()
		}, body: func(w *world, by *scenario.Actor, id string) string {
			if r.Type == visit.TypeOrder {
				o := w.play.Order
				o.Order, o.Acquirer = id, by.Organisation
				return signed(by, r.Stream+"/"+id, r.Type, o)
			}
			return signed(by, r.Stream+"/"+id, r.Type, struct{}{})
		}})
	}
	return out
}

// reached is every operation. It needs w for the objects that a play made.
func (w *world) reached(t *testing.T) map[string][]reach {
	t.Helper()
	c, serial := w.Cast, w.play.Device.Serial
	const nobody = "nobody-9"
	own := func(by *scenario.Actor) bool { return by.Organisation == c.Acquirer.ID }
	rows := filed(map[string][2]string{visit.StreamVisit: {"v1", "v9"}, visit.StreamOrder: {"o-v1", "o-v9"}, visit.StreamDevice: {serial, "00005704280117028136"},
		visit.StreamPerson: {c.Technician.ID, nobody}, visit.StreamOrganisation: {c.Acquirer.ID, nobody}}, map[string]func(*scenario.Actor) bool{visit.StreamVisit: watches, visit.StreamOrder: watches, visit.StreamOrganisation: own})
	add := func(name string, r ...reach) { rows[name] = append(rows[name], r...) }
	for _, name := range []string{"POST /v1/visits/{id}/challenge", "POST /v1/visits/{id}/attest_device", "POST /v1/visits/{id}/asks", "POST /v1/visits/{id}/release_permit", "POST /v1/visits/{id}/photos",
		"POST /v1/visits/{id}/door/digits", "GET /v1/visits/{id}", "GET /v1/visits/{id}/package", "GET /v1/visits/{id}/work", "GET /v1/visits/{id}/bundle", "GET /v1/visits/{id}/phones"} {
		add(name, reach{theirs: "v1", nobodys: "v9", may: watches})
	}
	key := c.Merchant.Public().Thumbprint()
	add("GET /v1/visits/{id}/previous/{key}", reach{theirs: "v1", nobodys: "v9", path: "/v1/visits/{id}/previous/" + key, may: watches})
	add("GET /v1/visits/{id}/door/{challenge}", reach{theirs: "v1", nobodys: "v9", path: "/v1/visits/{id}/door/" + w.first(t, "door_checks", "statement"), may: watches},
		reach{theirs: w.first(t, "door_checks", "statement"), nobodys: statement.Digest(nil), path: "/v1/visits/v1/door/{id}", may: watches})
	photo := w.first(t, "photos", "sha256")
	add("GET /v1/visits/{id}/photos/{digest}", reach{theirs: "v1", nobodys: "v9", path: "/v1/visits/{id}/photos/" + photo, may: watches},
		reach{theirs: photo, nobodys: statement.Digest(nil), path: "/v1/visits/v1/photos/{id}", may: watches})
	add("GET /v1/orders/{id}", reach{theirs: "o-v1", nobodys: "o-v9"})
	add("GET /v1/orders/{id}/previous/{key}", reach{theirs: "o-v1", nobodys: "o-v9", path: "/v1/orders/{id}/previous/" + key})
	add("GET /v1/merchants/{id}", reach{theirs: c.Merchant.ID, nobodys: nobody})
	for _, verb := range []string{"read", "send", "drop"} {
		name := map[string]string{"read": "GET /v1/sheets/{id}", "send": "POST /v1/sheets/{id}/send", "drop": "POST /v1/sheets/{id}/drop"}[verb]
		add(name, reach{theirs: "draft-1", nobodys: "draft-9"})
	}
	add("POST /v1/sheets/{id}/save", reach{none: "whoever saves chooses the id, so he learns that it is in use; see TestADraftOfAnotherAcquirer"})
	w.reachedMore(add)
	return rows
}

// reachedMore are the operations that are about people, tickets and queues.
func (w *world) reachedMore(add func(string, ...reach)) {
	c := w.Cast
	const nobody = "nobody-9"
	for _, verb := range []string{"answer_ticket", "pause_ticket", "continue_ticket", "resolve_ticket", "reopen_ticket", "close_ticket"} {
		add("POST /v1/tickets/{id}/"+verb, reach{theirs: w.ticket, nobodys: "t-9", may: watches})
	}
	add("GET /v1/tickets/{id}", reach{theirs: w.ticket, nobodys: "t-9", may: watches})
	add("POST /v1/tickets", reach{theirs: "v1", nobodys: "v9", may: watches, body: func(_ *world, _ *scenario.Actor, id string) string {
		return `{"visit":"` + id + `","kind":"printing","note":"x"}`
	}})
	add("GET /v1/clerks/{id}", reach{theirs: w.clerk, nobodys: nobody})
	add("POST /v1/clerks/{id}/key", reach{none: "open: the invitation's id is the address that its owner shows, 50 random bits; what counts is the code's proof"})
	add("POST /v1/clerks/{id}/session", reach{none: "as above: what counts is the proof"})
	add("POST /v1/people/{id}/revoke_badge", reach{theirs: c.Technician.ID, nobodys: nobody}) // with a reason, beside what is filed
	add("POST /v1/organisations/{id}/end_enrolment", reach{theirs: c.Acquirer.ID, nobodys: nobody, may: func(by *scenario.Actor) bool { return by.Organisation == c.Acquirer.ID }})
	add("POST /v1/operations/settle_dead_letter", reach{theirs: w.letter, nobodys: "1795348800000-1a2b3c4d5e6f7081", body: func(_ *world, _ *scenario.Actor, id string) string {
		return `{"letter":"` + id + `","queue":"","outcome":"queued_again","reason":"mended"}`
	}})
	add("POST /v1/carried", reach{theirs: "v1", nobodys: "v9", body: func(w *world, by *scenario.Actor, id string) string {
		e := c.Technician.Forge(scenario.Draft{Stream: "visit/" + id, Type: visit.TypeBrake, At: time.Now(), Body: struct{}{}})
		data, _ := json.Marshal(httpapi.CarryRequest{Statements: []httpapi.CarriedStatement{{Stream: "visit/" + id, Verb: visit.Freeze, Statement: base64.StdEncoding.EncodeToString(e)}}})
		return string(data)
	}})
	add("POST /v1/door/answers", reach{theirs: "v1", nobodys: "v9", body: func(_ *world, _ *scenario.Actor, id string) string {
		return `{"qr":"MSD1~N~` + id + `~AAAAAAAAAAAAAAAAAAAAAA==~1795348800","presentation":"x"}`
	}})
	add("POST /v1/phone_sessions", reach{theirs: c.Merchant.ID, nobodys: nobody, body: func(_ *world, _ *scenario.Actor, id string) string {
		data, _ := json.Marshal(httpapi.PhoneSession{Challenge: "x", Holder: id, Organisation: c.Acquirer.ID, Role: visit.RoleMerchant, Key: c.Merchant.Public().Thumbprint(), Signature: "AAAA"})
		return string(data)
	}})
	add("POST /v1/enrolments", reach{none: "open, and the organisation's own service answers: TestAStrangerLearnsNothing there; which organisations have a service is public"})
	for name, why := range map[string]string{
		"GET /v1/visits": "a list of one's own", "GET /v1/orders": "a list of one's own", "GET /v1/merchants": "a list of one's own", "GET /v1/sheets": "a list of one's own", "GET /v1/tickets": "a list of one's own",
		"GET /v1/clerks": "a list of one's own", "GET /v1/people": "one's own organisation's", "GET /v1/settlements": "a list of one's own", "GET /v1/differences": "a list of one's own", "GET /v1/unsent": "a list of one's own",
		"GET /v1/feed": "one's own leaves", "GET /v1/me": "oneself", "GET /v1/verbs": "the same for all", "GET /v1/operations": "the deployment", "GET /healthz": "the process", "GET /readyz": "the process",
		"GET /v1/courses": "published to everybody", "GET /v1/courses/{issuer}/{course}": "published to everybody", "POST /v1/courses/{issuer}/{course}/papers": "one's own paper",
		"POST /v1/courses/{issuer}/{course}/attempts": "one's own attempt; TestATechnicianLearnsOverTheAPI", "POST /v1/clerks": "one's own", "POST /v1/badges": "one's own", "POST /v1/phone_challenges": "names nobody",
		"POST /v1/merchants": "whoever registers chooses the ids, so he learns that one is in use",
	} {
		add(name, reach{none: why})
	}
}

// first is a column of a table's first row.
func (w *world) first(t *testing.T, table, column string) (value string) {
	t.Helper()
	err := w.Store.Read(t.Context(), func(tx *store.Tx) error {
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

// everything is each row there is, but kept answers, notes of when a token was used, and what goes to the log.
func (w *world) everything(t *testing.T) map[string]string {
	t.Helper()
	rows := map[string]string{}
	err := w.Store.Read(t.Context(), func(tx *store.Tx) error {
		tables, err := tx.Tables(t.Context())
		for _, table := range tables {
			if slices.Contains([]string{"answers", "idempotency", "tokens", "outbox", "jobs", "challenges"}, table.Name) {
				continue
			}
			if err == nil {
				err = tx.EachRow(t.Context(), table, func(r store.RawRow) error {
					for i, column := range table.Columns {
						if table.Name == "events" && (column == "leaf_index" || column == "receipt") {
							r.Values[i] = nil // comes from the log, in its own time
						}
					}
					data, err := r.JSON()
					if name := table.Name + " " + r.Key(); !strings.HasPrefix(name, "row_seals tokens|") {
						rows[name] = string(data)
					}
					return err
				})
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// strangers are people of each role who have nothing to do with the visit v1: of other organisations, colleagues who were
// not sent, and another merchant of the same acquirer.
func (w *world) strangers(t *testing.T) []*scenario.Actor {
	t.Helper()
	c := w.Cast
	out := []*scenario.Actor{scenario.NewActor("learner", c.Rival.ID, visit.RoleTechnician), scenario.NewActor("ning", "elsewhere", string(access.Operations))}
	for _, who := range w.everyone(t) {
		if who.toVisit == access.None && who.Organisation != c.Acquirer.ID && who.Organisation != c.Provider.ID {
			out = append(out, who.Actor)
		}
	}
	return append(out, c.Stranger, scenario.NewActor("m-other", c.Acquirer.ID, visit.RoleMerchant), scenario.NewActor("k-1", c.Acquirer.ID, visit.RoleClerk))
}

// played is a city in which wei's shop was served, with everything that has an id.
func played(t *testing.T) *world {
	t.Helper()
	w := newWorld(t, func(c *scenario.DeploymentConfig) { c.API.PerEnroller = fast })
	if r, err := w.Register(t.Context(), w.play.Device.Model); err != nil {
		t.Fatal(err, r.Problems)
	}
	if err := scenario.Run(t.Context(), w.play.Install()[1:]); err != nil {
		t.Fatal(err)
	}
	wei, chen := w.Cast.Merchant, w.Cast.Approver
	var k httpapi.Ticket
	w.do(t, request{path: "/v1/tickets", by: wei, body: `{"visit":"v1","kind":"printing","note":"打不出小票"}`}).read(t, http.StatusCreated, &k)
	var i httpapi.ClerkInvitation
	w.do(t, request{path: "/v1/clerks", by: wei, body: `{}`}).read(t, http.StatusCreated, &i)
	sheet, err := json.Marshal(httpapi.SaveSheet{Title: "标准装机", Sheet: w.play.Sheet})
	if err != nil {
		t.Fatal(err)
	}
	w.do(t, request{path: "/v1/sheets/draft-1/save", by: chen, body: string(sheet)}).is(t, http.StatusOK)
	w.ticket, w.clerk, w.letter = k.ID, i.Clerk, w.dies(t)
	return w
}

// dies leaves a dead letter.
func (w *world) dies(t *testing.T) string {
	t.Helper()
	err := w.Store.Write(t.Context(), func(tx *store.Tx) error {
		if _, err := tx.EnqueueJob(t.Context(), "none", "k", nil, time.Now(), time.Now(), 1); err != nil {
			return err
		}
		leased, err := tx.LeaseJobs(t.Context(), "none", 1, time.Now(), time.Minute)
		if err != nil || len(leased) != 1 {
			t.Fatalf("%d leased, %v", len(leased), err)
		}
		return tx.FailJob(t.Context(), leased[0], "x", time.Now())
	})
	if err != nil {
		t.Fatal(err)
	}
	o, err := w.App.Operations(t.Context(), app.Actor{Person: "ning", Organisation: w.Cast.Platform.ID, Role: string(access.Operations)})
	if err != nil || len(o.Dead) != 1 {
		t.Fatal(o.Dead, err)
	}
	return o.Dead[0].Letter
}

// TestNobodyReachesWhatIsAnothers asks every operation there is about an object of somebody else's, as one stranger of each
// role, and about one that does not exist: the answers are the same to the last byte, and nothing changed. An operation
// without a row here fails.
func TestNobodyReachesWhatIsAnothers(t *testing.T) {
	w := played(t)
	rows, strangers := w.reached(t), append(w.strangers(t), nil)
	examples := w.examples(t)
	for name := range rows {
		if _, there := examples[name]; !there {
			t.Errorf("%s: there is no such operation", name)
		}
	}
	asked := 0
	for _, name := range slices.Sorted(maps.Keys(examples)) {
		if len(rows[name]) == 0 {
			t.Errorf("%s: no row says whose object it is about", name)
		}
		method, own, _ := strings.Cut(name, " ")
		for i, r := range rows[name] {
			if (r.none == "") == (r.theirs == "" || r.nobodys == "") {
				t.Errorf("%s: neither objects nor a reason", name)
			}
			if r.none != "" {
				continue
			}
			if r.path == "" {
				r.path = own
			}
			before := w.everything(t)
			for _, by := range strangers {
				if by != nil && r.may != nil && r.may(by) {
					continue
				}
				ask := func(id string) string {
					q := request{method: method, path: strings.ReplaceAll(r.path, "{id}", id), by: by, body: string(examples[name])}
					if r.body != nil && by != nil {
						q.body = r.body(w, by, id)
					}
					return strings.ReplaceAll(w.do(t, q).whole(), id, "{id}")
				}
				theirs, nobodys := ask(r.theirs), ask(r.nobodys)
				asked++
				who := "nobody"
				if by != nil {
					who = by.ID + "@" + by.Organisation + " (" + by.Role + ")"
				}
				if theirs != nobodys {
					t.Errorf("%s #%d by %s learns that %s exists:\n%s\nand of what does not:\n%s", name, i, who, r.theirs, theirs, nobodys)
				}
			}
			if changed := w.changed(t, before); changed != "" {
				t.Errorf("%s #%d: %s", name, i, changed)
			}
		}
	}
	if asked < 1000 {
		t.Errorf("%d asked", asked)
	}
}

// changed says what is other than before.
func (w *world) changed(t *testing.T, before map[string]string) string {
	t.Helper()
	var out []string
	after := w.everything(t)
	for k, v := range after {
		if before[k] != v {
			out = append(out, k)
		}
	}
	for k := range before {
		if _, there := after[k]; !there {
			out = append(out, k+" is gone")
		}
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}

var ownDigest = regexp.MustCompile(`"statement":"[0-9a-f]{64}"`)

// whole is an answer with all that a client sees of it.
func (r reply) whole() string {
	h := r.header.Clone()
	h.Del("Date")
	r.body = ownDigest.ReplaceAll(r.body, []byte(`"statement":"…"`)) // of what was sent, which is signed anew each time
	var b bytes.Buffer
	fmt.Fprintf(&b, "%d\n", r.status)
	_ = h.Write(&b) // a buffer takes all
	b.Write(r.body)
	return b.String()
}

// examples are the operations of the served description, with the body that each shows.
func (w *world) examples(t *testing.T) map[string][]byte {
	t.Helper()
	var s struct {
		Paths map[string]map[string]struct {
			RequestBody struct {
				Content map[string]struct{ Example json.RawMessage }
			}
		}
	}
	if err := json.Unmarshal(w.do(t, request{method: http.MethodGet, path: "/openapi.json"}).body, &s); err != nil {
		t.Fatal(err)
	}
	out := map[string][]byte{}
	for path, methods := range s.Paths {
		for method, op := range methods {
			out[strings.ToUpper(method)+" "+path] = op.RequestBody.Content["application/json"].Example
		}
	}
	return out
}
