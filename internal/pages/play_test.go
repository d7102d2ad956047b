package pages

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/visit"
)

// theater is a real play in memory, as far as it was played.
type theater struct {
	play   *scenario.Play
	ledger *scenario.Ledger
}

// curtain is when every play begins. Witnesses of a play sign by the machine's clock, so plays run in
// a bubble of time (testing/synctest) that is slept forward to then.
var curtain = time.Date(2026, 11, 22, 14, 0, 0, 0, shanghai)

func newTheater(t *testing.T, kind string, risk int) *theater {
	t.Helper()
	time.Sleep(time.Until(curtain))
	th := &theater{}
	clock := func() time.Time { return time.Now().Truncate(time.Second) }
	c := scenario.NewCast()
	c.Parameters = c.AcquirerParameters(clock())
	f := scenario.NewFoundry(c.Maker.ID, clock())
	l, err := scenario.NewLedger(c, f, clock)
	if err != nil {
		t.Fatal(err)
	}
	th.ledger = l
	th.play = &scenario.Play{Cast: c, Venue: l, Now: clock, Host: &scenario.InMemory{Core: l.Host}, Device: f.Make("00005704280117028119", clock()), ID: "v-2026-0131",
		Foundry: f, Trust: l.Trust, Wait: time.Sleep}
	th.play.NewOrder(kind, risk)
	l.Host.Records[th.play.Order.Order] = scenario.HostRow{MerchantCode: th.play.Order.Items.MerchantCode, Terminal: th.play.Order.Terminal}
	if err := th.play.OpenCity(t.Context()); err != nil {
		t.Fatal(err)
	}
	return th
}

// run plays the scenes before the named one, a minute each every third scene; "" plays all.
func (th *theater) run(t *testing.T, until string) *theater {
	t.Helper()
	scenes := map[string]func(*scenario.Play) []scenario.Scene{visit.Install: (*scenario.Play).Install, visit.Inspection: (*scenario.Play).Inspect,
		visit.Swap: (*scenario.Play).Swap, visit.Repair: (*scenario.Play).Repair, visit.Relocation: (*scenario.Play).Relocate,
		visit.Removal: (*scenario.Play).Remove}[th.play.Order.Kind](th.play)
	if until != "" {
		scenes = scenario.Until(scenes, until)
	}
	for i, s := range scenes {
		if i%3 == 2 {
			time.Sleep(time.Minute)
		}
		if err := s.Run(t.Context()); err != nil {
			t.Fatalf("%s: %v", s.Name, err)
		}
	}
	return th
}

// later makes the play the shop's next visit, of another kind, after an installation that went well.
func (th *theater) later(t *testing.T, kind string) *theater {
	t.Helper()
	th.run(t, "")
	if err := th.play.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Hour)
	th.play = th.play.Next(kind, "v-2026-0132", "00005704280117028143", "W1489732")
	return th
}

// view looks at the visit as an app would.
func (th *theater) view(t *testing.T, v Viewer) VisitView {
	t.Helper()
	return ViewOf(th.material(t, v))
}

func (th *theater) material(t *testing.T, v Viewer) Material {
	t.Helper()
	d := th.ledger.Dossier(th.play.ID, 0)
	events, receipts, err := EventsOf(d, th.ledger.Trust)
	if err != nil {
		t.Fatal(err)
	}
	return Material{Viewer: v, Report: Examine(d, th.ledger.Trust, th.play.Now()), Events: events, Receipts: receipts, Shop: "示例面馆",
		MayDownload: v.Role != roleClerk, Trust: th.ledger.Trust, Now: th.play.Now()}
}

// verified looks at the visit with every decision judged again out of its bundle.
func (th *theater) verified(t *testing.T, v Viewer) VisitView {
	t.Helper()
	data, err := th.ledger.Bundle(t.Context(), th.play.Cast.Merchant, th.play.ID)
	if err != nil {
		t.Fatal(err)
	}
	b, err := evidence.Open(data)
	if err != nil {
		t.Fatal(err)
	}
	r := evidence.Verify(b, th.ledger.Trust)
	if !r.Accepted() {
		t.Fatal(r.Refusal)
	}
	m := th.material(t, v)
	m.Decided = r.Decisions
	return ViewOf(m)
}

var (
	wei  = Viewer{Person: "wei", Organisation: "acq-huaishan", Role: visit.RoleMerchant}
	qiu  = Viewer{Person: "qiu", Organisation: "svc-anzhuang", Role: visit.RoleDispatcher}
	fang = Viewer{Person: "fang", Organisation: "acq-huaishan", Role: visit.RoleRisk}
)

// stageSource is a Source over views that a play made.
type stageSource struct {
	views  map[string]VisitView
	bundle []byte
	rows   []VisitRow
	start  StartView
	err    error // what every method answers instead, when set
	asked  Filter
}

func (s *stageSource) Start(context.Context, Viewer) (StartView, error) { return s.start, s.err }

func (s *stageSource) Visits(_ context.Context, _ Viewer, f Filter) (VisitList, error) {
	s.asked = f
	var l VisitList
	for _, r := range s.rows {
		if f.Search == "" || strings.Contains(r.Order+" "+r.Serial, f.Search) {
			l.Rows = append(l.Rows, r)
		}
	}
	if len(l.Rows) > 3 && f.Cursor == "" {
		l.Next = "page-2"
	}
	return l, s.err
}

var errNoSuchVisit = fault.New(fault.NotFound, "visit_absent", "没有这次上门。", "There is no such visit.")

func (s *stageSource) Visit(_ context.Context, _ Viewer, id string) (VisitView, error) {
	v, ok := s.views[id]
	if !ok && s.err == nil {
		return VisitView{}, errNoSuchVisit
	}
	return v, s.err
}

func (s *stageSource) Bundle(_ context.Context, _ Viewer, id string) ([]byte, error) {
	if _, ok := s.views[id]; !ok && s.err == nil {
		return nil, errNoSuchVisit
	}
	return s.bundle, s.err
}

func (s *stageSource) Photo(_ context.Context, _ Viewer, id, digest string, _ bool) ([]byte, error) {
	for _, v := range s.views {
		for _, p := range v.Photos {
			if v.ID == id && p.Digest == digest && p.Stored {
				return onePixel, s.err
			}
		}
	}
	return nil, errNoSuchVisit
}

// asHeader signs in whoever a test's header names.
func asHeader(r *http.Request) (Viewer, error) {
	for _, v := range []Viewer{wei, qiu, fang} {
		if r.Header.Get("X-Test-Viewer") == v.Person {
			return v, nil
		}
	}
	return Viewer{}, fault.New(fault.Unauthenticated, "nobody", "没有登录。", "Nobody is signed in.")
}

var errNoSuchLink = fault.New(fault.Forbidden, "link_spent", "这个链接用过了。", "This link was used.")

func signInByLink(w http.ResponseWriter, _ *http.Request, token string) (string, error) {
	switch token {
	case "good-link":
		http.SetCookie(w, &http.Cookie{Name: "session", Value: "s1", Path: "/", HttpOnly: true})
		return "/visits/admitted", nil
	case "leads-away":
		return "//elsewhere.example/", nil
	}
	return "", errNoSuchLink
}

// city is a source with a visit at every stage, and the server over it.
func city(t *testing.T) (*stageSource, *Server) {
	t.Helper()
	views := stages(t)
	closed := views["closed"]
	closed.Photos = []PhotoView{{Digest: photoDigest, Step: "mount", Stored: true}, {Digest: strings.Repeat("b", 64), Step: "counter"}}
	views["closed"] = closed
	s := &stageSource{views: views, bundle: []byte(`{"format":"menshen-bundle-v1"}`), start: StartView{Demonstration: true, Operator: "槐山支付（演示）"}}
	now := time.Date(2026, 11, 22, 14, 40, 0, 0, shanghai)
	for i, r := range []VisitRow{
		{ID: "admitted", Stage: "admitted", Shop: "示例面馆"}, {ID: "frozen", Stage: "admitted", Frozen: true, Shop: "老陈五金"},
		{ID: "booked", Stage: "booked", Shop: "桂芳水果"}, {ID: "closed", Stage: "closed", Shop: "一个名字特别特别长的连锁便利店第三百二十七分店"}, {ID: "refused", Stage: "refused", Shop: "小周理发"},
	} {
		r.Kind, r.Order, r.Serial = visit.Install, "o-2026-013"+number(i), "0000570428011702811"+number(i)
		r.From = now.Add(time.Duration(1-i) * 24 * time.Hour).Truncate(time.Hour)
		r.Until = r.From.Add(2 * time.Hour)
		s.rows = append(s.rows, r)
	}
	return s, New(Config{Source: s, Authenticate: asHeader, SignIn: signInByLink, Now: func() time.Time { return now }})
}

var (
	playing sync.Mutex
	played  map[string]VisitView
)

// stages plays a visit to every standing that the page has, the failing ones too; once for all tests.
func stages(t *testing.T) map[string]VisitView {
	t.Helper()
	playing.Lock()
	defer playing.Unlock()
	if played == nil {
		played = playStages(t)
	}
	return played
}

func playStages(t *testing.T) map[string]VisitView {
	t.Helper()
	out := map[string]VisitView{}
	for _, s := range []struct {
		name, kind, until string
		viewer            Viewer
		then              func(context.Context, *scenario.Play) error
	}{
		{"booked", visit.Install, "agree", qiu, nil},
		{"dispatched", visit.Install, "badge", wei, nil},
		{"admitted", visit.Install, "attest", qiu, nil},
		{"merchant", visit.Install, "attest", wei, nil},
		{"ready", visit.Install, "ask trial", qiu, nil},
		{"at_host", visit.Install, "release trial", qiu, nil},
		{"trial", visit.Install, "confirm", qiu, nil},
		{"live", visit.Install, "ask close", qiu, nil},
		{"closed", visit.Install, "", fang, nil},
		{"frozen", visit.Install, "attest", wei, wrongPerson},
		{"revoked", visit.Install, "attest", qiu, func(ctx context.Context, p *scenario.Play) error {
			return p.RevokeBadge(ctx, p.Cast.Technician, 7)
		}},
		{"not_working", visit.Install, "confirm", qiu, func(ctx context.Context, p *scenario.Play) error {
			return p.Confirm(ctx, func(c *visit.Confirmation) { c.Works, c.PaidNothingBeside = false, false })
		}},
		{"other_face", visit.Install, "door", wei, otherFace},
		{"turned_away", visit.Install, "door", wei, turnedAway},
		{"inspection", visit.Inspection, "work", qiu, nil},
		{"swap", visit.Swap, "attest", wei, nil},
		{"swap_live", visit.Swap, "consent", qiu, nil},
		{"swap_end_asked", visit.Swap, "release end", qiu, nil},
		{"swap_ended", visit.Swap, "hand back", qiu, nil},
		{"swap_back", visit.Swap, "acceptance", wei, timeIsOver},
		{"repair", visit.Repair, "attest", qiu, diesAnHourAgo},
		{"relocation", visit.Relocation, "outage", wei, nil},
		{"relocation_stuck", visit.Relocation, "acceptance", wei, timeIsOver},
		{"removal", visit.Removal, "consent", qiu, nil},
		{"removal_asked", visit.Removal, "release end", qiu, nil},
		{"removal_ended", visit.Removal, "hand back", qiu, nil},
		{"removal_closed", visit.Removal, "", wei, nil},
	} {
		synctest.Test(t, func(t *testing.T) {
			th := newTheater(t, firstKind(s.kind), 1)
			if s.kind != visit.Install && s.kind != visit.Inspection {
				th.later(t, s.kind)
			}
			th.run(t, s.until)
			if s.then != nil {
				if err := s.then(t.Context(), th.play); err != nil {
					t.Fatalf("%s: %v", s.name, err)
				}
			}
			if s.until == "" {
				out[s.name] = th.verified(t, s.viewer)
				return
			}
			out[s.name] = th.view(t, s.viewer)
		})
	}
	return out
}

// firstKind is what a shop must have had before: an installation, but for an inspection of any device.
func firstKind(kind string) string {
	if kind == visit.Inspection {
		return kind
	}
	return visit.Install
}

// timeIsOver waits until the timer of a visit on trial has run out, and lets it do what it does.
func timeIsOver(ctx context.Context, p *scenario.Play) error {
	time.Sleep(2*time.Hour + time.Minute)
	_, err := p.Venue.(*scenario.Ledger).RollBackDue(ctx, p.ID)
	return err
}

// diesAnHourAgo has the host say that the old terminal is dead, and nobody mend it for an hour.
func diesAnHourAgo(ctx context.Context, p *scenario.Play) error {
	if err := p.Dead(p.Old().Serial); err != nil {
		return err
	}
	if err := p.ReportOld(ctx); err != nil {
		return err
	}
	time.Sleep(time.Hour)
	return nil
}

func wrongPerson(ctx context.Context, p *scenario.Play) error {
	return p.Freeze(ctx, p.Cast.Merchant, "wrong_person")
}

func otherFace(ctx context.Context, p *scenario.Play) error {
	d, err := p.HonestDoor(ctx)
	if err != nil {
		return err
	}
	d.SameFace = false
	return p.Answer(ctx, d)
}

func turnedAway(ctx context.Context, p *scenario.Play) error {
	merchant := p.Cast.Merchant
	return p.Venue.File(ctx, merchant, scenario.Filing{Stream: p.VisitStream(), Verb: visit.Refuse, Envelope: merchant.Sign(scenario.Draft{
		Stream: p.VisitStream(), Type: visit.TypeRefusal, Body: visit.Refusal{Visit: p.ID, Reason: "other_face"}, At: p.Now()})})
}
