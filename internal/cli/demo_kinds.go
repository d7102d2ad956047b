package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// The new terminal of the demonstration's swap: the city's sheets use neither code nor serial.
const (
	swapTerminal = "MQ000091"
	swapSerialNo = 2
)

// laterVisit is one of the visits that the demonstration's shop has after its installation.
type laterVisit struct {
	kind   string
	zh, en string
	scenes func(*scenario.Play) []scenario.Scene
}

var laterVisits = []laterVisit{
	{visit.Swap, "换机：新机能收款以后，旧机的密钥才作废", "swap: the old keys end only after the new terminal takes money",
		func(p *scenario.Play) []scenario.Scene {
			return append(p.Swap(), scenario.Scene{Name: "settle", Run: p.Settle})
		}},
	{visit.Repair, "维修：机具坏了，拆开修，要再试机才能收款", "repair: the device is dead and gets opened, so it is tried again before it takes money", deadAtFirst},
	{visit.Relocation, "移机：旧地址的密钥先作废，到新地址再装", "relocation: the keys end at the old address, new ones are loaded at the new", (*scenario.Play).Relocate},
	{visit.Removal, "撤机：密钥先作废，机具才离店", "removal: the keys end before the device leaves", (*scenario.Play).Remove},
}

// deadAtFirst is a repair of a terminal that takes no money any more: the merchant signs for that time.
func deadAtFirst(p *scenario.Play) []scenario.Scene {
	return scenario.Instead(p.Repair(), "old state", func(ctx context.Context) error {
		if err := p.Dead(p.Device.Serial); err != nil {
			return err
		}
		if err := p.ReportOld(ctx); err != nil {
			return err
		}
		return p.AcceptOutage(ctx, "")
	})
}

// kinds plays the shop's later visits one after the other, and checks each one's bundle offline.
func (d demo) kinds(ctx context.Context, s *story, w *world, installed *scenario.Play) error {
	s.chapter("五、同一家店以后的上门", "5. The same shop, later")
	if err := installed.Settle(ctx); err != nil {
		return errHonest.Because(err)
	}
	p := installed
	for _, k := range laterVisits {
		s.line(k.zh, k.en)
		q := p.Next(k.kind, "visit-wei-"+k.kind, w.city.Serial(swapSerialNo), swapTerminal)
		q.Venue = &watched{Venue: w.venue(q.Cast), story: s, green: map[string]bool{}, kind: k.kind, brief: true}
		if err := scenario.Run(ctx, k.scenes(q)); err != nil {
			return errHonest.At(k.kind).Because(err)
		}
		if err := d.afterwards(ctx, s, w, q); err != nil {
			return err
		}
		p = q
	}
	return nil
}

// afterwards tells what the shop has after a visit: by the host's own word, and by the bundle.
func (d demo) afterwards(ctx context.Context, s *story, w *world, p *scenario.Play) error {
	if err := terminalsNow(ctx, s, p); err != nil {
		return err
	}
	data, err := p.Venue.Bundle(ctx, p.Cast.Merchant, p.ID)
	if err != nil {
		return err
	}
	name := "bundle-" + p.Order.Kind + ".json"
	if err := os.WriteFile(filepath.Join(d.dir, name), data, 0o644); err != nil {
		return err
	}
	r, err := acceptedBundle(data, w.trust)
	if err != nil {
		return err
	}
	if r.Stage != string(visit.Closed) || r.Kind != p.Order.Kind {
		return errBundle.At(name + ": " + r.Stage)
	}
	if l := r.Last().Lost(); l.Minutes > 0 {
		s.line(fmt.Sprintf("停业 %d 分钟，由 %s 负责", l.Minutes, l.Organisation), fmt.Sprintf("minutes lost: %d (%s); %s answers for them", l.Minutes, l.Cause, l.Organisation))
	}
	s.line(fmt.Sprintf("证据包 %s 离线核对：可信，%d 个决定重新判断", name, len(r.Decisions)), fmt.Sprintf("accepted offline: %d decisions judged again", len(r.Decisions)))
	return nil
}

// terminalsNow has the host say of each terminal of the visit whether it takes money.
func terminalsNow(ctx context.Context, s *story, p *scenario.Play) error {
	serials := []string{p.Device.Serial}
	if old := p.Old().Serial; old != p.Device.Serial {
		serials = append(serials, old)
	}
	for _, serial := range serials {
		envelope, err := p.Host.TerminalState(ctx, p, serial)
		if err != nil {
			return err
		}
		c, err := statement.Parse(envelope)
		if err != nil {
			return err
		}
		var t visit.TerminalState
		if err := c.UntrustedBody(&t); err != nil { // told, not judged
			return err
		}
		zh := map[string]string{visit.TerminalLive: "能收款", visit.TerminalDead: "坏了", visit.TerminalEnded: "密钥已作废"}[t.State]
		s.line(fmt.Sprintf("主机：终端 %s（机具 …%s）%s", t.Terminal, serial[max(0, len(serial)-6):], zh), "the host: "+t.State)
	}
	return nil
}

// acceptedBundle checks a bundle as any reader would.
func acceptedBundle(data []byte, t evidence.Trust) (evidence.Result, error) {
	b, err := evidence.Open(data)
	if err != nil {
		return evidence.Result{}, err
	}
	r := evidence.Verify(b, t)
	if !r.Accepted() {
		return r, errBundle.Because(r.Refusal)
	}
	return r, nil
}
