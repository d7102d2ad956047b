package cli

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"time"

	"context"

	"github.com/menshen-project/menshen/internal/gate"
	"github.com/menshen-project/menshen/internal/scenario"
)

// story tells the demonstration as it happens, Chinese first.
type story struct {
	out   io.Writer
	began time.Time
}

func (s *story) elapsed() time.Duration { return time.Since(s.began).Round(10 * time.Millisecond) }

func (s *story) chapter(zh, en string) { fmt.Fprintf(s.out, "\n%s  %s\n", zh, en) }

func (s *story) line(zh, en string) { fmt.Fprintf(s.out, "  %s  %s\n", zh, en) }

// tell is a play's own voice.
func (s *story) tell(who, what string) {
	fmt.Fprintf(s.out, "  %7s  %s %s\n", s.elapsed(), who, what)
}

func (s *story) attack(a scenario.Attack, o outcome, where string, took time.Duration, err error) {
	mark := "✓"
	if !o.OK {
		mark = "✗"
	}
	said := "拦下 refused by " + o.RefusedBy
	if o.Expected == "pass" && o.RefusedBy == "" {
		said = "放行（本来就该放行）passed, as it should"
	}
	fmt.Fprintf(s.out, "  %s %s\n      %s\n      %s  [%s, %s]\n", mark, a.Zh, a.En, said, where, took.Round(time.Millisecond))
	if !o.OK {
		fmt.Fprintf(s.out, "      want %s; got: %v\n", o.Expected, err)
	}
}

// indent gives a writer whose lines stand under the present chapter.
func (s *story) indent() io.Writer { return indented{s.out} }

type indented struct{ out io.Writer }

func (i indented) Write(p []byte) (int, error) {
	for line := range bytes.Lines(p) {
		if _, err := fmt.Fprintf(i.out, "  %s", line); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}

// watched is a venue that tells which conditions turned green at each ask, on what basis, and what
// the host answered.
type watched struct {
	scenario.Venue
	story *story
	green map[string]bool
	kind  string // of the visit
	brief bool   // tells only what does not hold
}

func (v *watched) Ask(ctx context.Context, by *scenario.Actor, visitID, ask string) (scenario.Answer, error) {
	a, err := v.Venue.Ask(ctx, by, visitID, ask)
	if err != nil {
		return a, err
	}
	word := map[bool]string{true: "同意 granted", false: "不同意 refused"}[a.Granted]
	fmt.Fprintf(v.story.out, "  %7s  门神 %s：%s（%s）\n", v.story.elapsed(), ask, word, a.Took.Round(time.Millisecond))
	for _, q := range gate.Asked(v.kind, ask) {
		v.turned(a, q.Condition)
	}
	return a, err
}

// turned prints a condition the first time it is green, and every time it is not.
func (v *watched) turned(a scenario.Answer, name string) {
	t := gate.Title(name)
	if basis, ok := a.Holding[name]; ok {
		if !v.green[name] && !v.brief {
			v.green[name] = true
			fmt.Fprintf(v.story.out, "             ✓ %s  [%s]\n               %s\n", t.Zh, basis, t.En)
		}
		return
	}
	if code, ok := a.Failing[name]; ok {
		fmt.Fprintf(v.story.out, "             ✗ %s  %s\n", t.Zh, code)
	}
}

func (v *watched) Release(ctx context.Context, by *scenario.Actor, visitID string) (string, error) {
	began := time.Now()
	outcome, err := v.Venue.Release(ctx, by, visitID)
	fmt.Fprintf(v.story.out, "  %7s  收单主机回答 the host answered: %s（%s）\n", v.story.elapsed(), outcome, time.Since(began).Round(time.Millisecond))
	return outcome, err
}

// guest is somebody who gets a link to the pages.
type guest struct {
	zh, en string
	actor  *scenario.Actor
}

func (w *world) guests() []guest {
	c := w.city.Cast
	list := []guest{{"店主", "merchant", c.Merchant}, {"上门人员", "technician", c.Technician}, {"调度", "dispatcher", c.Dispatcher},
		{"审批", "approver", c.Approver}, {"风控", "risk desk", c.Risk}, {"监督", "supervisor", c.Supervisor}, {"协会", "association", c.Association}}
	return slices.Clip(list)
}

// BringPhoto passes a picture on: a venue that is watched takes them as it does by itself.
func (v *watched) BringPhoto(ctx context.Context, by *scenario.Actor, visitID string, jpeg []byte) error {
	g, takes := v.Venue.(interface {
		BringPhoto(ctx context.Context, by *scenario.Actor, visitID string, jpeg []byte) error
	})
	if !takes {
		return nil
	}
	return g.BringPhoto(ctx, by, visitID, jpeg)
}
