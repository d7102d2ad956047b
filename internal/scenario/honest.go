package scenario

import (
	"context"
	"fmt"
	"slices"

	"github.com/menshen-project/menshen/internal/visit"
)

// Scene is one named part of a play.
type Scene struct {
	Name string
	Run  func(context.Context) error
}

// Install lists the scenes of an honest installation, from booking to close. An attack runs them up
// to its own entrance.
func (p *Play) Install() []Scene {
	return append(p.toTheDoor(), []Scene{
		{"arrive", func(ctx context.Context) error { return p.Arrive(ctx, p.Notice(p.Order.Order)) }},
		{"nothing to keep", p.NothingToKeep},
		{"attest", p.AttestDevice},
		{"ask trial", func(ctx context.Context) error { return p.MustAsk(ctx, visit.AskTrial) }},
		{"release trial", p.mustLoad},
		{"acceptance", p.Accept},
		{"work", p.Work},
		{"sign off", p.signOffByRisk},
		{"attest again", p.AttestDevice},
		{"confirm", func(ctx context.Context) error { return p.Confirm(ctx, nil) }},
		{"ask live", func(ctx context.Context) error { return p.MustAsk(ctx, visit.AskLive) }},
		{"release live", p.mustLoad},
		{"ask close", func(ctx context.Context) error { return p.MustAsk(ctx, visit.AskClose) }},
	}...)
}

// Inspect lists the scenes of an honest inspection: no permit, no keys.
func (p *Play) Inspect() []Scene {
	return append(p.toTheDoor(), []Scene{
		{"attest", p.AttestDevice},
		{"work", p.Work},
		{"sign off", p.signOffByRisk},
		{"charges", func(ctx context.Context) error {
			list, err := p.Host.ListCharges(ctx, p)
			if err != nil {
				return err
			}
			return p.FileReport(ctx, list)
		}},
		{"confirm", func(ctx context.Context) error { return p.Confirm(ctx, nil) }},
		{"ask close", func(ctx context.Context) error { return p.MustAsk(ctx, visit.AskClose) }},
	}...)
}

// toTheDoor is what every kind of visit begins with.
func (p *Play) toTheDoor() []Scene {
	scenes := []Scene{{"book", p.Book}}
	if p.Order.Kind != visit.Inspection {
		scenes = append(scenes,
			Scene{"offer", func(ctx context.Context) error { return p.AgreeApprover(ctx, p.Sheet) }},
			Scene{"agree", func(ctx context.Context) error { return p.AgreeMerchant(ctx, p.Sheet) }})
	}
	if p.Order.Kind == visit.Install || p.Order.Kind == visit.Swap {
		scenes = append(scenes, Scene{"ship", p.ShipDevice})
	}
	return append(scenes,
		Scene{"dispatch", p.Assign},
		Scene{"ask dispatch", func(ctx context.Context) error { return p.MustAsk(ctx, visit.AskDispatch) }},
		Scene{"badge", func(ctx context.Context) error { return p.IssueBadge(ctx, p.Cast.Technician, 7, p.Now()) }},
		Scene{"door", p.CheckDoor},
		Scene{"ask admit", func(ctx context.Context) error { return p.MustAsk(ctx, visit.AskAdmit) }})
}

func (p *Play) signOffByRisk(ctx context.Context) error {
	if p.Order.Risk == 0 {
		return nil
	}
	return p.SignOff(ctx, p.Cast.Parameters.Supervise(p.Order.Risk), true)
}

func (p *Play) mustLoad(ctx context.Context) error {
	outcome, err := p.ReleasePermit(ctx)
	if err != nil {
		return err
	}
	if outcome != visit.Loaded {
		return hostRefused(outcome)
	}
	p.tell("收单主机", "自己重新核对了全部证据，给机具装上密钥")
	return nil
}

// Accept runs the acceptance script at the host and files its report.
func (p *Play) Accept(ctx context.Context) error {
	report, err := p.Host.RunAcceptance(ctx, p, "")
	if err != nil {
		return err
	}
	p.tell("收单主机", "用测试卡试了八步，签下验收报告")
	return p.FileReport(ctx, report)
}

// Run plays scenes in order.
func Run(ctx context.Context, scenes []Scene) error {
	for _, s := range scenes {
		if err := s.Run(ctx); err != nil {
			return fmt.Errorf("%s: %w", s.Name, err)
		}
	}
	return nil
}

// Instead gives the scenes with the named one acted differently.
func Instead(scenes []Scene, name string, act func(context.Context) error) []Scene {
	out := slices.Clone(scenes)
	out[len(Until(scenes, name))] = Scene{name, act}
	return out
}

// Before gives the scenes with another act before the named one.
func Before(scenes []Scene, name string, act func(context.Context) error) []Scene {
	at := len(Until(scenes, name))
	return slices.Insert(slices.Clone(scenes), at, Scene{"before " + name, act})
}

// Without gives the scenes without the named one.
func Without(scenes []Scene, name string) []Scene {
	at := len(Until(scenes, name))
	return slices.Delete(slices.Clone(scenes), at, at+1)
}

// Until gives the scenes before the named one.
func Until(scenes []Scene, name string) []Scene {
	for i, s := range scenes {
		if s.Name == name {
			return scenes[:i]
		}
	}
	panic("no scene " + name)
}

// From gives the named scene and those after it.
func From(scenes []Scene, name string) []Scene {
	return scenes[len(Until(scenes, name)):]
}
