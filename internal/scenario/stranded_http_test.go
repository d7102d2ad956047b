package scenario

import (
	"context"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/credential"
	"github.com/menshen-project/menshen/internal/gate"
	"github.com/menshen-project/menshen/internal/httpapi"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// deadHere has the host hear nothing more from the terminal at the shop, and the merchant sign for the time without it.
func (p *Play) deadHere(ctx context.Context) error {
	if err := p.Dead(p.Old().Serial); err != nil {
		return err
	}
	if err := p.ReportOld(ctx); err != nil {
		return err
	}
	p.Wait(90 * time.Second)
	return p.AcceptOutage(ctx, "")
}

// A dead terminal signs nothing and answers nobody. Every kind goes on around it, and the API says what the shop lost.
func TestADeadTerminalStrandsNobody(t *testing.T) {
	for _, k := range []struct {
		name, kind string
		scenes     func(*Play) []Scene
		lost       bool
	}{
		{"repair", visit.Repair, func(p *Play) []Scene { return Instead(p.Repair(), "old state", p.deadHere) }, true},
		{"relocation", visit.Relocation, func(p *Play) []Scene { return Instead(p.Relocate(), "outage", p.deadHere) }, true},
		{"swap", visit.Swap, func(p *Play) []Scene {
			return append(Instead(p.Swap(), "old state", p.deadHere), Scene{"settle", p.Settle})
		}, true},
		{"removal", visit.Removal, func(p *Play) []Scene { return Before(p.Remove(), "ask end", p.deadHere) }, false},
	} {
		t.Run(k.name, func(t *testing.T) {
			d, p, w := onAWatch(t)
			q := p.Next(k.kind, "dead-"+p.ID, secondSerial, secondTerminal)
			scenes := k.scenes(q)
			if err := Run(t.Context(), Until(scenes, "ask close")); err != nil {
				t.Fatal(err)
			}
			w.Advance(time.Minute)
			if err := Run(t.Context(), From(scenes, "ask close")); err != nil {
				t.Fatal(err)
			}
			if r := verified(t, d, q, d.Cast.Merchant); !r.Accepted() || r.Stage != string(visit.Closed) {
				t.Errorf("%v, %s", r.Refusal, r.Stage)
			}
			var v httpapi.VisitDetail
			if err := d.Venue.Read(t.Context(), d.Cast.Merchant, "/v1/visits/"+q.ID, &v); err != nil {
				t.Fatal(err)
			}
			if (v.Lost != nil) != k.lost {
				t.Fatalf("lost %+v", v.Lost)
			}
			if k.lost && (v.Lost.Open || v.Lost.Minutes < 1 || v.Lost.Organisation != d.Cast.Provider.ID) {
				t.Errorf("lost %+v", v.Lost)
			}
		})
	}
}

// Without any reading of the position the gate says so and lets nobody in; one reading from either phone mends it, and a
// phone that has none is no contradiction.
func TestMissingPositionsStrandNobody(t *testing.T) {
	_, p, _ := onAWatch(t)
	for _, kind := range []string{visit.Repair, visit.Removal, visit.Swap, visit.Inspection} {
		t.Run(kind, func(t *testing.T) {
			ctx := t.Context()
			q := p.Next(kind, "cellar-"+kind, secondSerial, secondTerminal)
			scenes := map[string]func(*Play) []Scene{visit.Repair: (*Play).Repair, visit.Removal: (*Play).Remove, visit.Swap: (*Play).Swap, visit.Inspection: (*Play).InspectAgain}[kind](q)
			if err := Run(ctx, Until(scenes, "door")); err != nil {
				t.Fatal(err)
			}
			if err := q.doorInACellar(ctx); err != nil {
				t.Fatal(err)
			}
			if err := q.MustAsk(ctx, visit.AskAdmit); RefusalOf(err) != (Refusal{Code: "place_no_reading", By: gate.PlaceMatches}) {
				t.Fatalf("with no reading at all: %v", err)
			}
			if err := q.Step(ctx, q.Cast.Merchant, "check_serial"); err != nil { // at the window
				t.Fatal(err)
			}
			if err := q.MustAsk(ctx, visit.AskAdmit); err != nil {
				t.Fatalf("with one reading: %v", err)
			}
			brake := visit.Brake{Visit: q.ID, Reason: "too_late"}
			if err := q.fileAs(ctx, q.Cast.Merchant, visit.Abort, q.VisitStream(), visit.TypeBrake, brake); err != nil {
				t.Errorf("called off: %v", err)
			}
		})
	}
}

// doorInACellar is an honest door check in which neither phone has a reading.
func (p *Play) doorInACellar(ctx context.Context) error {
	d, err := p.HonestDoor(ctx)
	if err != nil {
		return err
	}
	d.PhoneAt = ""
	shown, err := d.Present(p)
	if err != nil {
		return err
	}
	return p.admit(ctx, visit.Admission{Challenge: d.Challenge.Digest, Answer: statement.Digest([]byte(shown)), Presentation: shown,
		Genuine: true, SameFace: true, Mode: visit.ModeOnline}, d.positions...)
}

// An acquirer whose licence is revoked in the middle gets no new power, and its shop keeps what it had: evidence and brakes
// are taken, the old terminal lives, and keys and device may still be taken back.
func TestARevokedLicenceStrandsNobody(t *testing.T) {
	revoked := func(o *credential.Organisation) { o.Licence.Regions = []string{"44"} }
	for _, kind := range []string{visit.Swap, visit.Repair} {
		t.Run(kind, func(t *testing.T) {
			d, p, _ := onAWatch(t)
			ctx := t.Context()
			q := p.Next(kind, "revoked-"+p.ID, secondSerial, secondTerminal)
			scenes := map[string]func(*Play) []Scene{visit.Swap: (*Play).Swap, visit.Repair: (*Play).Repair}[kind](q)
			if err := Run(ctx, Until(scenes, "ask live")); err != nil {
				t.Fatal(err)
			}
			if err := q.newTrustList(ctx, q.Cast.Acquirer.ID, revoked); err != nil {
				t.Fatal(err)
			}
			if err := q.MustAsk(ctx, visit.AskLive); RefusalOf(err) != (Refusal{Code: "licence_region", By: gate.InstitutionLicensed}) {
				t.Fatalf("live under a revoked licence: %v", err)
			}
			if err := q.Step(ctx, q.Cast.Technician, "mount"); err != nil {
				t.Errorf("evidence: %v", err)
			}
			if err := q.fileAs(ctx, q.Cast.Merchant, visit.RollBack, q.VisitStream(), visit.TypeBrake, visit.Brake{Visit: q.ID, Reason: "licence"}); err != nil {
				t.Fatalf("the brake: %v", err)
			}
			soon(t, func() bool {
				return stageOf(t, d, q) == visit.RolledBack && len(q.Host.(*InMemory).Core.trialsOver(q.ID)) == 1
			})
			if _, live := d.Host.live[p.Device.Serial]; !live {
				t.Error("the shop lost its terminal")
			}
			taken := p.Next(visit.Removal, "taken-"+p.ID, "", "")
			if err := Run(ctx, taken.Remove()); err != nil {
				t.Fatalf("its own terminal cannot be taken back: %v", err)
			}
			if r := verified(t, d, taken, d.Cast.Merchant); !r.Accepted() || r.Stage != string(visit.Closed) {
				t.Errorf("%v, %s", r.Refusal, r.Stage)
			}
		})
	}
}

// An inspection that fails opens an incident against the device; every kind that is ordered because of it passes. One
// about the same device passes for no other reason.
func TestAnOrderBecauseOfAnIncidentStrandsNobody(t *testing.T) {
	for _, k := range []struct {
		kind   string
		scenes func(*Play) []Scene
		waits  bool // for a reason: a swap brings another device than the one in doubt
	}{
		{visit.Swap, (*Play).Swap, false}, {visit.Repair, (*Play).Repair, true}, {visit.Relocation, (*Play).Relocate, true}, {visit.Inspection, (*Play).InspectAgain, true},
	} {
		t.Run(k.kind, func(t *testing.T) {
			d, p, w := onAWatch(t)
			ctx := t.Context()
			incident := failedInspection(t, d, p, "failed-", "")
			w.Advance(time.Hour)
			if k.waits {
				plain := p.Next(k.kind, "plain-"+p.ID, "", "")
				if err := Run(ctx, k.scenes(plain)); RefusalOf(err) != (Refusal{Code: "matter_open", By: gate.NothingOpen}) {
					t.Fatalf("with no reason: %v", err)
				}
			}
			because := p.Next(k.kind, "because-"+p.ID, secondSerial, secondTerminal)
			because.Order.Reason = incident
			if err := Run(ctx, k.scenes(because)); err != nil {
				t.Fatal(err)
			}
			if r := verified(t, d, because, d.Cast.Merchant); !r.Accepted() || r.Stage != string(visit.Closed) {
				t.Errorf("%v, %s", r.Refusal, r.Stage)
			}
		})
	}
}

// failedInspection has somebody look at the terminal, which does not answer, and waits for the incident against it.
func failedInspection(t *testing.T, d *Deployment, p *Play, name, reason string) (incident string) {
	t.Helper()
	failed := p.Next(visit.Inspection, name+p.ID, "", "")
	failed.Order.Reason = reason
	if err := Run(t.Context(), Without(failed.Inspect(), "attest")); err != nil {
		t.Fatal(err)
	}
	soon(t, func() bool {
		var v httpapi.VisitDetail
		if err := d.Venue.Read(t.Context(), d.Cast.Approver, "/v1/visits/"+failed.ID, &v); err != nil || len(v.Open) == 0 {
			return false
		}
		incident = v.Open[0]
		return true
	})
	return incident
}

// While the risk desk thinks, the shop gets rid of its terminal: another incident than the one that the order names is open
// against the device, or its merchant is suspended. Who was reported himself does not come to fetch it.
func TestWhatIsOpenAtTheShopStopsNoRemoval(t *testing.T) {
	suspend := func(p *Play) func(context.Context) error {
		return func(ctx context.Context) error {
			_, err := p.file(ctx, p.Cast.Risk, visit.Freeze, Draft{Stream: "person/" + p.Cast.Merchant.ID, Type: visit.TypeSuspension,
				Body: visit.Suspension{Subject: p.Cast.Merchant.ID, Reason: "fraud", Appeal: "write to the risk desk"}})
			return err
		}
	}
	for name, scenes := range map[string]func(t *testing.T, d *Deployment, p, q *Play) []Scene{
		"two incidents, one named": func(t *testing.T, d *Deployment, p, q *Play) []Scene {
			q.Order.Reason = failedInspection(t, d, p, "first-", "")
			failedInspection(t, d, p, "again-", q.Order.Reason)
			return q.Remove()
		},
		"an incident, none named": func(t *testing.T, d *Deployment, p, q *Play) []Scene {
			failedInspection(t, d, p, "first-", "")
			return q.Remove()
		},
		"its merchant suspended": func(t *testing.T, _ *Deployment, p, q *Play) []Scene {
			play(t, suspend(p))
			return q.Remove()
		},
		"its merchant suspended while somebody is there": func(_ *testing.T, _ *Deployment, p, q *Play) []Scene {
			return Before(q.Remove(), "consent", suspend(p))
		},
	} {
		t.Run(name, func(t *testing.T) {
			d, p, _ := onAWatch(t)
			q := p.Next(visit.Removal, "rid-"+p.ID, "", "")
			if err := Run(t.Context(), scenes(t, d, p, q)); err != nil {
				t.Fatal(err)
			}
			if r := verified(t, d, q, d.Cast.Merchant); !r.Accepted() || r.Stage != string(visit.Closed) {
				t.Errorf("%v, %s", r.Refusal, r.Stage)
			}
			if _, live := d.Host.live[p.Device.Serial]; live {
				t.Error("the terminal still has its keys")
			}
		})
	}
	t.Run("the technician himself was reported", func(t *testing.T) {
		_, p, _ := onAWatch(t)
		play(t, func(ctx context.Context) error {
			return p.fileAs(ctx, p.Cast.Merchant, visit.ReportIncident, p.VisitStream(), visit.TypeIncident, visit.Incident{Visit: p.ID, Kind: "wrong_person"})
		})
		q := p.Next(visit.Removal, "rid-"+p.ID, "", "")
		if err := Run(t.Context(), q.Remove()); RefusalOf(err) != (Refusal{Code: "matter_open", By: gate.NothingOpen}) {
			t.Errorf("he comes to fetch it: %v", err)
		}
	})
}
