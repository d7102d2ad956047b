package scenario

import (
	"context"
	"testing"

	"github.com/menshen-project/menshen/internal/registry"
	"github.com/menshen-project/menshen/internal/visit"
)

// marked has somebody mark the terminal at the shop; nobody reports an incident.
func (p *Play) marked(who *Actor, mark string, digest *string) func(context.Context) error {
	return func(ctx context.Context) error {
		d, err := p.Mark(ctx, who, mark)
		if digest != nil {
			*digest = d
		}
		return err
	}
}

// endedByItsDesk has the acquirer's desk end the old terminal's keys by itself, its host say so, and the merchant sign for
// the time without it.
func (p *Play) endedByItsDesk(ctx context.Context) error {
	if err := p.host().EndKeys(p.Old().Serial); err != nil {
		return err
	}
	if err := p.ReportOld(ctx); err != nil {
		return err
	}
	return p.AcceptOutage(ctx, "")
}

// A terminal in use at a shop falls under suspicion, and nobody reported an incident: it is marked, once or by several, at
// any moment; its keys are ended at once; its model falls off the list. The shop still gets another one, or gets rid of it.
func TestASuspectTerminalStrandsNobody(t *testing.T) {
	for _, k := range []struct {
		name, kind string
		scenes     func(t *testing.T, p, q *Play) []Scene
	}{
		{"swapped, quarantined by the acquirer", visit.Swap, func(t *testing.T, p, q *Play) []Scene {
			play(t, p.marked(p.Cast.Approver, visit.MarkQuarantined, nil))
			return Instead(q.Swap(), "old state", func(ctx context.Context) error {
				if err := q.ReportOld(ctx); err != nil {
					return err
				}
				return q.AcceptOutage(ctx, "")
			})
		}},
		{"swapped, its keys ended at once", visit.Swap, func(t *testing.T, p, q *Play) []Scene {
			play(t, p.marked(p.Cast.Risk, visit.MarkQuarantined, nil))
			return endedAlready(Instead(q.Swap(), "old state", q.endedByItsDesk))
		}},
		{"swapped, stolen from the shop", visit.Swap, func(t *testing.T, p, q *Play) []Scene {
			play(t, p.marked(p.Cast.Merchant, visit.MarkLost, nil))
			return Without(endedAlready(Instead(q.Swap(), "old state", q.endedByItsDesk)), "hand back")
		}},
		{"wound up, stolen from the shop", visit.Removal, func(t *testing.T, p, q *Play) []Scene {
			play(t, p.marked(p.Cast.Risk, visit.MarkLost, &q.Order.Reason))
			return Without(q.Remove(), "hand back")
		}},
		{"removed because of the mark", visit.Removal, func(t *testing.T, p, q *Play) []Scene {
			play(t, p.marked(p.Cast.Approver, visit.MarkQuarantined, &q.Order.Reason))
			return q.Remove()
		}},
		{"removed, marked by three", visit.Removal, func(t *testing.T, p, q *Play) []Scene {
			play(t, p.marked(p.Cast.Merchant, visit.MarkQuarantined, nil))
			play(t, p.marked(p.Cast.Approver, visit.MarkQuarantined, &q.Order.Reason))
			play(t, p.marked(p.Cast.Association, visit.MarkLost, nil))
			return q.Remove()
		}},
		{"removed, marked while somebody is there", visit.Removal, func(t *testing.T, p, q *Play) []Scene {
			return Before(q.Remove(), "consent", p.marked(p.Cast.Risk, visit.MarkQuarantined, nil))
		}},
		{"removed, marked after the decision to end", visit.Removal, func(t *testing.T, p, q *Play) []Scene {
			return Before(q.Remove(), "release end", p.marked(p.Cast.Risk, visit.MarkQuarantined, nil))
		}},
		{"removed, its keys ended at once", visit.Removal, func(t *testing.T, p, q *Play) []Scene {
			play(t, p.marked(p.Cast.Risk, visit.MarkQuarantined, &q.Order.Reason))
			return Instead(Without(Without(q.Remove(), "ask end"), "release end"), "consent", func(ctx context.Context) error {
				if err := q.host().EndKeys(q.Old().Serial); err != nil {
					return err
				}
				return q.ReportOld(ctx)
			})
		}},
		{"removed, its model off the list", visit.Removal, func(t *testing.T, p, q *Play) []Scene {
			play(t, q.delisted)
			return q.Remove()
		}},
		{"inspected, its model off the list", visit.Inspection, func(t *testing.T, p, q *Play) []Scene {
			play(t, q.delisted)
			return q.InspectAgain()
		}},
		{"swapped for another model, its own off the list", visit.Swap, func(t *testing.T, p, q *Play) []Scene {
			play(t, q.delisted)
			q.otherModel()
			return q.Swap()
		}},
	} {
		t.Run(k.name, func(t *testing.T) {
			d, p, _ := onAWatch(t)
			q := p.Next(k.kind, "suspect-"+p.ID, secondSerial, secondTerminal)
			if err := Run(t.Context(), k.scenes(t, p, q)); err != nil {
				t.Fatal(err)
			}
			r := verified(t, d, q, d.Cast.Merchant)
			if !r.Accepted() || r.Stage != string(visit.Closed) {
				t.Errorf("%v, %s", r.Refusal, r.Stage)
			}
			// Whatever was under suspicion takes no more money.
			if _, live := d.Host.live[p.Device.Serial]; live && k.kind != visit.Inspection {
				t.Error("the suspect terminal still has its keys")
			}
			if _, live := d.Host.live[q.Device.Serial]; !live && k.kind == visit.Swap {
				t.Error("the new terminal has none")
			}
		})
	}
}

func play(t *testing.T, scene func(context.Context) error) {
	t.Helper()
	if err := scene(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// endedAlready leaves out what nobody has to ask of keys that are gone.
func endedAlready(scenes []Scene) []Scene {
	return Without(Without(Without(scenes, "consent"), "ask end"), "release end")
}

const otherModel = "SP-20"

// delisted has the acquirer publish parameters that list another model in the place of the shop's.
func (p *Play) delisted(ctx context.Context) error {
	return p.newParameters(ctx, func(q *registry.Parameters) { q.Models[0].Model = otherModel })
}

// otherModel makes the visit's new device one of that model.
func (p *Play) otherModel() {
	p.Device.Model, p.Order.Model = otherModel, otherModel
}
