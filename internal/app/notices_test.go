package app_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/notify"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/ticket"
	"github.com/menshen-project/menshen/internal/vault"
	"github.com/menshen-project/menshen/internal/visit"
)

// inbox is a receiver that is away for its first calls.
type inbox struct {
	mu   sync.Mutex
	away int
	got  []notify.Message
}

func (b *inbox) Send(m notify.Message) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.got = append(b.got, m)
	if b.away > 0 {
		b.away--
		return fault.New(fault.Unavailable, "notify_unreachable", "", "")
	}
	return nil
}

func (b *inbox) all() []notify.Message {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.got)
}

// until waits for so many messages.
func (b *inbox) until(t *testing.T, n int) []notify.Message {
	t.Helper()
	for began := time.Now(); time.Since(began) < 20*time.Second; time.Sleep(20 * time.Millisecond) {
		if got := b.all(); len(got) >= n {
			return got
		}
	}
	t.Fatalf("%d messages, want %d: %+v", len(b.all()), n, b.all())
	return nil
}

const number = "13912345678"

// town is a deployment whose provider and acquirer have a desk each, and the acquirer a gateway, under a clock
// that can be set forward.
type town struct {
	*scenario.Deployment
	play                        *scenario.Play
	provider, acquirer, gateway *inbox
	dir                         string
	ahead                       atomic.Int64
}

func heard(t *testing.T) *town {
	t.Helper()
	w := &town{provider: &inbox{away: 1}, acquirer: &inbox{}, gateway: &inbox{}, dir: t.TempDir()}
	c := scenario.NewCast()
	desk := []string{notify.VisitStopped, notify.BadgeRevoked, notify.TicketLate, notify.DeviceMarked}
	now := func() time.Time { return time.Now().Add(time.Duration(w.ahead.Load())) }
	d, err := scenario.NewDeployment(t.Context(), scenario.DeploymentConfig{Dir: w.dir, Now: now, Receivers: []notify.Receiver{
		{Name: "provider", Organisation: c.Provider.ID, Kinds: desk, Sender: w.provider}, {Name: "acquirer", Organisation: c.Acquirer.ID, Kinds: desk, Sender: w.acquirer},
		{Name: "gateway", Organisation: c.Acquirer.ID, Kinds: []string{notify.DoorCall, notify.OrderLink, notify.ShopDevice}, Phones: true, Sender: w.gateway}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	w.Deployment, w.play = d, d.Play(visit.Install, 1, "v1", "00005704280117028119", "W1489724")
	if err := w.play.OpenCity(t.Context()); err != nil {
		t.Fatal(err)
	}
	return w
}

// A visit is stopped and a badge taken back: the desks of both sides hear of it, each thing once for each, and
// a desk that was away gets the same again under the same id.
func TestTheDesksHearWhatStopped(t *testing.T) {
	d := heard(t)
	p, provider, acquirer, gateway := d.play, d.provider, d.acquirer, d.gateway
	ctx := t.Context()
	if err := scenario.Run(ctx, scenario.Until(p.Install(), "door")); err != nil {
		t.Fatal(err)
	}
	if err := p.RevokeBadge(ctx, d.Cast.Technician, 7); err != nil {
		t.Fatal(err)
	}
	if err := p.Freeze(ctx, d.Cast.Dispatcher, "wrong_person"); err != nil {
		t.Fatal(err)
	}
	for name, box := range map[string][]notify.Message{"acquirer": acquirer.until(t, 2), "provider": provider.until(t, 3)} {
		ids := map[string]string{}
		for _, m := range box {
			ids[m.ID] = m.Kind + " " + m.About
			if m.To != "" || m.Link != "" || m.Text().Zh == "" {
				t.Errorf("%s is told %+v", name, m)
			}
		}
		kinds := []string{}
		for _, k := range ids {
			kinds = append(kinds, k)
		}
		slices.Sort(kinds)
		if strings.Join(kinds, ", ") != "badge_revoked person/lan, visit_stopped visit/v1" {
			t.Errorf("%s hears %v", name, kinds)
		}
	}
	if got := provider.all(); got[0] != got[1] && got[0] != got[2] {
		t.Errorf("what was not taken does not come again: %+v", got)
	}
	if len(gateway.all()) != 0 {
		t.Error("a gateway hears what is the desks'")
	}
}

// The device that a visit is to bring is reported lost by two people: both desks hear of each report, the merchant once, on his own
// number and in words for a shopkeeper. A mark on a device that nobody is waiting for rings nowhere.
func TestAMarkOnADeviceIsToldToWhoeverWaitsForIt(t *testing.T) {
	d := heard(t)
	p := d.play
	if err := scenario.Run(t.Context(), scenario.Until(p.Install(), "door")); err != nil {
		t.Fatal(err)
	}
	keepNumber(t, d.Deployment)
	other := d.Play(visit.Install, 1, "v9", "00005704280117028777", "W1489777")
	if err := other.ShipDevice(t.Context()); err != nil {
		t.Fatal(err)
	}
	submit(t, d.Deployment, d.Cast.Dispatcher, other.DeviceStream(), visit.Freeze, visit.TypeSuspension, mark(other, visit.MarkQuarantined), "")
	for _, who := range []*scenario.Actor{d.Cast.Dispatcher, d.Cast.Technician} {
		submit(t, d.Deployment, who, p.DeviceStream(), visit.Freeze, visit.TypeSuspension, mark(p, visit.MarkLost), "")
	}
	for name, box := range map[string][]notify.Message{"acquirer": d.acquirer.until(t, 2), "provider": d.provider.until(t, 3)} { // the provider's was away once
		for _, m := range box {
			if m.Kind != notify.DeviceMarked || m.About != "visit/v1" || m.Code != visit.MarkLost || m.To != "" {
				t.Errorf("%s is told %+v", name, m)
			}
		}
	}
	if rung := d.gateway.until(t, 1); len(rung) != 1 || rung[0].Kind != notify.ShopDevice || rung[0].To != number || rung[0].Link != "" || !strings.Contains(rung[0].Text().Zh, "别让他装") {
		t.Errorf("the shop is told %+v", rung)
	}
}

// keepNumber keeps wei's number, as an import does.
func keepNumber(t *testing.T, d *scenario.Deployment) {
	t.Helper()
	err := d.App.Store.Write(t.Context(), func(tx *store.Tx) error {
		_, err := d.App.Vault.Put(t.Context(), tx, d.Cast.Merchant.ID, statement.NewOpening("phone", [16]byte{1}, number), vault.Tag{Purposes: []string{"visit"}}, d.Now())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// The acquirer sends the order's address to the number that it keeps; a stranger's call rings there once. The
// number is with no job, in no file, and the look at it is recorded.
func TestAMerchantsOwnNumberIsWrittenTo(t *testing.T) {
	d := heard(t)
	p, gateway := d.play, d.gateway
	ctx, c := t.Context(), d.Cast
	if err := p.Book(ctx); err != nil {
		t.Fatal(err)
	}
	keepNumber(t, d.Deployment)
	registered(t, d.Deployment, p, p.Order.Shop)
	for range 3 { // an impatient approver
		if err := d.App.SendOrderLink(ctx, as(c.Approver), p.ID); err != nil {
			t.Fatal(err)
		}
	}
	got := gateway.until(t, 1)
	link, found := strings.CutPrefix(got[0].Link, "https://menshen.example/enter/")
	if got[0].To != number || !found || got[0].Kind != notify.OrderLink {
		t.Errorf("%+v", got[0])
	}
	if who, err := d.App.Authenticate(ctx, link, store.TokenLink); err != nil || who.Person != c.Merchant.ID {
		t.Errorf("the link leads %+v, %v", who, err)
	}
	for range 3 {
		if err := d.App.TakeDoorCall(ctx, p.Order.Shop, "someone_here"); err != nil {
			t.Fatal(err)
		}
	}
	got = gateway.until(t, 2)
	if m := got[1]; m.Kind != notify.DoorCall || m.Code != "unexpected" || m.To != number || m.Link != "" {
		t.Errorf("%+v", m)
	}
	if n := len(gateway.all()); n > 3 { // an approver at the turn of ten minutes, at most
		t.Errorf("%d messages", n)
	}
	looks := []store.VaultLook{}
	err := d.App.Store.Read(ctx, func(tx *store.Tx) (err error) {
		looks, err = d.App.Vault.Looks(ctx, tx, c.Merchant.ID, 10)
		return err
	})
	if err != nil || !slices.ContainsFunc(looks, func(l store.VaultLook) bool { return l.Who == c.Approver.ID && l.Field == "phone" }) {
		t.Errorf("who looked: %+v, %v", looks, err)
	}
	files, err := filepath.Glob(filepath.Join(d.dir, "*"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err == nil && bytes.Contains(data, []byte(number)) {
			t.Errorf("the number stands in %s", filepath.Base(f))
		}
	}
}

// Nobody of the provider sends the link, nobody of another acquirer, and nobody without a gateway.
func TestWhoSendsNoOrderLink(t *testing.T) {
	d := heard(t)
	p, gateway := d.play, d.gateway
	ctx, c := t.Context(), d.Cast
	if err := p.Book(ctx); err != nil {
		t.Fatal(err)
	}
	for _, q := range []struct {
		who  app.Actor
		code string
	}{
		{as(c.Dispatcher), "sms_gateway_absent"}, {as(c.Risk), "access_denied"},
		{app.Actor{Person: "x", Organisation: c.Acquirer.ID, Role: visit.RoleDispatcher}, "visit_not_found"},
		{app.Actor{Person: "x", Organisation: c.Other.ID, Role: visit.RoleApprover}, "sms_gateway_absent"},
	} {
		if err := d.App.SendOrderLink(ctx, q.who, p.ID); fault.CodeOf(err) != q.code {
			t.Errorf("%+v: %v, want %s", q.who, err, q.code)
		}
	}
	// No number is kept: the gateway gets nothing, and the job says why.
	if err := d.App.SendOrderLink(ctx, as(c.Approver), p.ID); err != nil {
		t.Fatal(err)
	}
	payload := `{"id":"n-1","kind":"order_link","at":"2026-11-22T12:00:00Z","organisation":"` + c.Acquirer.ID + `","about":"visit/v1","code":"sent","by":"chen"}`
	if err := d.App.Deliver("gateway")(ctx, payload, "n-1"); fault.CodeOf(err) != "phone_number_absent" {
		t.Errorf("no number: %v", err)
	}
	if err := d.App.Deliver("nobody")(ctx, payload, "n-1"); fault.CodeOf(err) != "notify_receiver_gone" {
		t.Errorf("a receiver that is gone: %v", err)
	}
	if err := d.App.Deliver("gateway")(ctx, "{", "n-1"); err == nil {
		t.Error("an unreadable notice is delivered")
	}
	if len(gateway.all()) != 0 {
		t.Errorf("%+v", gateway.all())
	}
}

// A ticket's clock runs out: both sides hear of it once. A clock that was kept, or stands, is no reason to call.
func TestALateTicketIsToldOfOnce(t *testing.T) {
	d := heard(t)
	ctx, c := t.Context(), d.Cast
	d.provider.away = 0
	if err := scenario.Run(ctx, d.play.Install()); err != nil {
		t.Fatal(err)
	}
	k, err := d.App.OpenTicket(ctx, as(c.Merchant), "", d.play.ID, "printing", "")
	if err != nil {
		t.Fatal(err)
	}
	act(t, d.Deployment, c.Dispatcher, k.Row.ID, ticket.Answer, "", ticket.Answered)
	act(t, d.Deployment, c.Dispatcher, k.Row.ID, ticket.Pause, "waits_for_part", ticket.Paused)
	d.ahead.Store(int64(time.Until(k.Resolution.DueAt.Add(time.Hour))))
	for _, what := range []string{"response", "resolution"} { // what the loop does meanwhile, once more
		if err := d.App.LookAtClock(ctx, k.Row.ID, k.Row.ID+"#"+what+"#1"); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(d.provider.all()); n != 0 {
		t.Errorf("%d calls about a clock that stands", n)
	}
	act(t, d.Deployment, c.Dispatcher, k.Row.ID, ticket.Continue, "", ticket.Answered)
	if k, err = d.App.Ticket(ctx, as(c.Dispatcher), k.Row.ID); err != nil {
		t.Fatal(err)
	}
	d.ahead.Store(int64(time.Until(k.Resolution.DueAt.Add(time.Minute))))
	for _, box := range []*inbox{d.provider, d.acquirer} {
		if got := box.until(t, 1); len(got) != 1 || got[0].Kind != notify.TicketLate || got[0].Code != "resolution" || got[0].About != "ticket/"+k.Row.ID {
			t.Errorf("%+v", got)
		}
	}
}
