package evidence_test

import (
	"context"
	"testing"
	"time"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/custody"
	"github.com/menshen-project/menshen/internal/gate"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// laterVisit is a second visit to a shop whose terminal is live and handed over, played before a scene, or
// with "" to its end.
func laterVisit(t *testing.T, kind, scene string, edit func(*scenario.Play), scenes func(*scenario.Play) []scenario.Scene) *edge {
	t.Helper()
	p := open(t, visit.Install, 1)
	ctx := context.Background()
	if err := scenario.Run(ctx, append(p.Install(), scenario.Scene{Name: "settle", Run: p.Settle})); err != nil {
		t.Fatal(err)
	}
	p.Wait(time.Hour)
	q := p.Next(kind, "v2", "00005704280117028135", "W1489731")
	if edit != nil {
		edit(q)
	}
	list := scenes(q)
	if scene != "" {
		list = scenario.Until(list, scene)
	}
	if err := scenario.Run(ctx, list); err != nil {
		t.Fatal(err)
	}
	return &edge{Play: q, t: t, ledger: q.Venue.(*scenario.Ledger)}
}

func TestASwapThatNamesNoOldTerminal(t *testing.T) {
	e := laterVisit(t, visit.Swap, "ask admit", func(p *scenario.Play) { p.Order.Old = nil }, (*scenario.Play).Swap)
	e.fails(visit.AskTrial, gate.RollbackReady, "old_terminal_unnamed")
	e.fails(visit.AskClose, gate.KeysEnded, "old_terminal_unnamed")
}

// What the host said before anybody was at the door says nothing about now.
func TestTheOldTerminalsStateBeforeTheDoor(t *testing.T) {
	e := laterVisit(t, visit.Swap, "attest", nil, func(p *scenario.Play) []scenario.Scene {
		return scenario.Before(scenario.Without(p.Swap(), "old state"), "door", p.ReportOld)
	})
	e.fails(visit.AskTrial, gate.RollbackReady, "old_terminal_state_stale")
}

func TestABrokenChainOfWhatIsTakenAway(t *testing.T) {
	e := laterVisit(t, visit.Removal, "ask close", nil, (*scenario.Play).Remove)
	stranger := e.Cast.Stranger
	e.put(stranger, visit.Transfer, e.DeviceStream(), custody.TypeTransfer, custody.Transfer{Serial: e.Device.Serial, FromHolder: stranger.ID,
		ToHolder: e.Cast.Custodian.ID, ToOrganisation: e.Cast.Provider.ID, Notice: e.Notice("SF2"), SealsIntact: true})
	e.fails(visit.AskClose, gate.CustodyUnbroken, "custody_transfer_missing")
}

// Whose word counts for a loss: the merchant's whose it was, and the acquirer's risk desk's; not that of the provider whose
// people were there, not a mark that was lifted, and not another mark.
func TestWhatIsLostCannotBeHandedBack(t *testing.T) {
	lost := func(who func(*scenario.Cast) *scenario.Actor, mark string, lift bool) *edge {
		return laterVisit(t, visit.Removal, "ask close", nil, func(p *scenario.Play) []scenario.Scene {
			return scenario.Instead(p.Remove(), "hand back", func(ctx context.Context) error {
				digest, err := p.Mark(ctx, who(p.Cast), mark)
				if err == nil && lift {
					err = p.Lift(ctx, p.Cast.Risk, digest)
				}
				return err
			})
		})
	}
	merchant, risk := func(c *scenario.Cast) *scenario.Actor { return c.Merchant }, func(c *scenario.Cast) *scenario.Actor { return c.Risk }
	for _, who := range []func(*scenario.Cast) *scenario.Actor{merchant, risk} {
		e := lost(who, visit.MarkLost, false)
		if r := evidence.Preview(e.dossier(), e.Trust, visit.AskClose, e.Now()); !r.OldLost() || r.OldMarked() {
			t.Error("the loss is not read")
		}
		if err := e.MustAsk(context.Background(), visit.AskClose); err != nil {
			t.Error(err)
		}
	}
	e := lost(merchant, visit.MarkLost, true)
	e.fails(visit.AskClose, gate.CustodyUnbroken, "device_not_handed_back")
	e = lost(merchant, visit.MarkQuarantined, false)
	e.fails(visit.AskClose, gate.CustodyUnbroken, "device_not_handed_back")
	e = lost(func(c *scenario.Cast) *scenario.Actor { return c.Dispatcher }, visit.MarkLost, false)
	e.fails(visit.AskClose, gate.CustodyUnbroken, "device_not_handed_back")
}

// A marked terminal is no way back from a swap, though it takes money.
func TestAMarkedTerminalIsNoWayBack(t *testing.T) {
	e := laterVisit(t, visit.Swap, "ask trial", func(p *scenario.Play) {
		if _, err := p.Earlier.Mark(context.Background(), p.Cast.Approver, visit.MarkQuarantined); err != nil {
			t.Fatal(err)
		}
	}, (*scenario.Play).Swap)
	e.fails(visit.AskTrial, gate.RollbackReady, "old_terminal_suspect")
	if r := evidence.Preview(e.dossier(), e.Trust, visit.AskTrial, e.Now()); !r.OldMarked() {
		t.Error("the mark is not read")
	}
	if err := e.AcceptOutage(context.Background(), ""); err != nil {
		t.Fatal(err)
	}
	if err := e.MustAsk(context.Background(), visit.AskTrial); err != nil {
		t.Error(err)
	}
}

func TestARelocationsAddresses(t *testing.T) {
	e := laterVisit(t, visit.Relocation, "ask trial", nil, (*scenario.Play).Relocate)
	if err := e.MustAsk(context.Background(), visit.AskTrial); err != nil {
		t.Fatal(err)
	}
	d := e.dossier()
	for i := len(d.Openings) - 1; i >= 0; i-- {
		if d.Openings[i].Kind == evidence.KindAddress {
			d.Openings = append(d.Openings[:i], d.Openings[i+1:]...)
		}
	}
	r := evidence.Preview(d, e.Trust, visit.AskTrial, e.Now())
	if c, _ := r.Condition(gate.BindingUnique); c.Verdict != string(gate.NotOpened) {
		t.Errorf("unopened: %s %s", c.Verdict, c.Code)
	}
	e = laterVisit(t, visit.Relocation, "ask trial", func(p *scenario.Play) { p.Order.Old.Address = p.Order.Position }, (*scenario.Play).Relocate)
	e.fails(visit.AskTrial, gate.BindingUnique, "extract_absent")
	if err := e.MustAsk(context.Background(), visit.AskTrial); err == nil || scenario.RefusalOf(err).Code != "opening_other_kind" {
		t.Errorf("a position for an address: %v", err)
	}
}

// A device that answers and does not prove itself, or that left the shop, is no longer untouched.
func TestWhatOpensARepair(t *testing.T) {
	e := laterVisit(t, visit.Repair, "ask close", nil, (*scenario.Play).RepairUntouched)
	column := func() string { return evidence.Preview(e.dossier(), e.Trust, visit.AskClose, e.Now()).Column }
	if c := column(); c != gate.RepairUntouched {
		t.Fatalf("read as %s", c)
	}
	if err := e.HandBack(context.Background()); err != nil {
		t.Fatal(err)
	}
	if c := column(); c != visit.Repair {
		t.Errorf("it left the shop, and is read as %s", c)
	}
	e = laterVisit(t, visit.Repair, "work", nil, (*scenario.Play).RepairUntouched)
	e.Device = e.Foundry.Make(e.Device.Serial, e.Now())
	if err := e.AttestDevice(context.Background()); err != nil {
		t.Fatal(err)
	}
	if c := column(); c != visit.Repair {
		t.Errorf("another key answers, and it is read as %s", c)
	}
	e = laterVisit(t, visit.Repair, "work", nil, (*scenario.Play).RepairUntouched)
	if err := e.WorkOnDevice(context.Background(), true, true); err != nil {
		t.Fatal(err)
	}
	if c := column(); c != visit.Repair {
		t.Errorf("opened, and it is read as %s", c)
	}
}

func TestLostTime(t *testing.T) {
	ctx := context.Background()
	lost := func(e *edge) evidence.Lost {
		return evidence.Preview(e.dossier(), e.Trust, visit.AskClose, e.Now()).Lost()
	}
	dead := func(p *scenario.Play) []scenario.Scene {
		return scenario.Instead(p.Swap(), "old state", func(ctx context.Context) error {
			if err := p.Dead(p.Old().Serial); err != nil {
				return err
			}
			return p.ReportOld(ctx)
		})
	}
	e := laterVisit(t, visit.Swap, "attest", nil, dead)
	if l := lost(e); l != (evidence.Lost{}) {
		t.Errorf("in the same second: %+v", l)
	}
	e.Wait(90 * time.Second)
	if l := lost(e); !l.Open || l.Minutes != 2 || l.Cause != evidence.LostDead || l.Step != visit.Swap || l.Organisation != e.Cast.Provider.ID {
		t.Errorf("still dead: %+v", l)
	}
	if err := e.AcceptOutage(ctx, e.Device.Serial); err != nil {
		t.Fatal(err)
	}
	e.Wait(time.Hour)
	if l := lost(e); l.Open || l.Minutes != 2 {
		t.Errorf("with a loaner: %+v", l)
	}
	e = laterVisit(t, visit.Swap, "attest", func(p *scenario.Play) { p.Sheet.Responsibility = nil }, dead)
	e.Wait(time.Minute)
	if l := lost(e); l.Step != "" || l.Organisation != e.Cast.Acquirer.ID {
		t.Errorf("nobody was named: %+v", l)
	}
	e = laterVisit(t, visit.Swap, "ask close", nil, (*scenario.Play).Swap)
	e.Wait(time.Minute)
	if l := lost(e); l != (evidence.Lost{}) {
		t.Errorf("the new one took over first: %+v", l)
	}
	e = laterVisit(t, visit.Repair, "acceptance", nil, (*scenario.Play).Repair)
	e.Wait(time.Minute)
	if l := lost(e); l.Cause != evidence.LostTrial || !l.Open {
		t.Errorf("under trial: %+v", l)
	}
	e = laterVisit(t, visit.Relocation, "outage", nil, (*scenario.Play).Relocate)
	if err := e.ReportOld(ctx); err != nil {
		t.Fatal(err)
	}
	e.Wait(time.Minute)
	if l := lost(e); l.Cause != evidence.LostEnded || !l.Open {
		t.Errorf("moved: %+v", l)
	}
	e = laterVisit(t, visit.Removal, "ask close", nil, (*scenario.Play).Remove)
	if l := lost(e); l != (evidence.Lost{}) {
		t.Errorf("a removal was wanted: %+v", l)
	}
}

// The old terminal gives the time back, too: mended without being opened, or rid of its trial keys.
func TestLostTimeEndsWithTheOldTerminal(t *testing.T) {
	ctx := context.Background()
	lost := func(e *edge) evidence.Lost {
		return evidence.Preview(e.dossier(), e.Trust, visit.AskClose, e.Now()).Lost()
	}
	says := func(e *edge, state string) {
		t.Helper()
		old := e.Old()
		envelope := e.Cast.Host.Sign(scenario.Draft{Stream: e.VisitStream(), Type: visit.TypeTerminalState, At: e.Now(),
			Body: visit.TerminalState{Visit: e.ID, Serial: old.Serial, Terminal: old.Terminal, State: state, At: statement.At(e.Now())}})
		if err := e.Venue.File(ctx, e.Cast.Host, scenario.Filing{Stream: e.VisitStream(), Verb: visit.ReportTerminal, Envelope: envelope}); err != nil {
			t.Fatal(err)
		}
	}
	e := laterVisit(t, visit.Repair, "work", nil, (*scenario.Play).RepairUntouched)
	says(e, visit.TerminalLive)
	e.Wait(time.Minute)
	says(e, visit.TerminalDead)
	e.Wait(3 * time.Minute)
	if l := lost(e); !l.Open || l.Minutes != 3 {
		t.Errorf("dead: %+v", l)
	}
	says(e, visit.TerminalLive)
	e.Wait(time.Hour)
	if l := lost(e); l.Open || l.Minutes != 3 || l.Cause != evidence.LostDead {
		t.Errorf("it works again: %+v", l)
	}
	e = laterVisit(t, visit.Repair, "acceptance", nil, (*scenario.Play).Repair)
	e.Wait(2*time.Hour + time.Minute)
	if back, err := e.ledger.RollBackDue(ctx, e.ID); !back || err != nil {
		t.Fatal(back, err)
	}
	e.Wait(time.Hour)
	if l := lost(e); l.Open || l.Minutes < 120 || l.Minutes > 122 || l.Cause != evidence.LostTrial {
		t.Errorf("rolled back: %+v", l)
	}
}
