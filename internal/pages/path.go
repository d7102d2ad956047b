package pages

import (
	"slices"
	"time"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/gate"
	"github.com/menshen-project/menshen/internal/visit"
)

// pathOf lists the stages of an honest visit of this kind with the times at which they were reached;
// a visit that ended early shows its end in place of what did not come.
func pathOf(r evidence.Report, events []EventView) []PathStep {
	reached := reachedAt(r, events)
	stages := []visit.Stage{visit.Booked, visit.Dispatched, visit.Admitted, visit.Trial, visit.Live, visit.Closed}
	if !gate.Puts(columnOf(r), visit.AskTrial) {
		stages = []visit.Stage{visit.Booked, visit.Dispatched, visit.Admitted, visit.Closed}
	}
	var names []string
	for _, s := range stages {
		names = append(names, string(s))
	}
	stage := visit.Stage(r.Stage)
	ended := stage.Ended() && stage != visit.Closed
	var out []PathStep
	for _, s := range withEnd(names, r.Kind) {
		at, done := reached[s]
		switch {
		case done:
			out = append(out, step(s, StepDone, at))
		case !ended:
			out = append(out, step(s, StepNext, time.Time{}))
		}
	}
	if ended {
		return append(out, step(r.Stage, StepEnd, endedAt(stage, events)))
	}
	// The one after the last that was reached is what everybody works towards.
	if i := slices.IndexFunc(out, func(p PathStep) bool { return p.Progress == StepNext }); i >= 0 && r.Refusal == nil {
		out[i].Progress = StepNow
	}
	return out
}

func step(s, progress string, at time.Time) PathStep {
	return PathStep{Stage: s, Title: stageWords[s], Progress: progress, At: at, Who: stageBy[s]}
}

// reachedAt reads from the folded state when each stage began.
func reachedAt(r evidence.Report, events []EventView) map[string]time.Time {
	out := map[string]time.Time{}
	s := r.State()
	if len(events) > 0 && s.Number() > 0 {
		out[string(visit.Booked)] = events[0].At
	}
	for _, d := range s.Decisions() {
		if stage, ok := map[string]visit.Stage{visit.AskDispatch: visit.Dispatched, visit.AskAdmit: visit.Admitted, visit.AskClose: visit.Closed}[d.Body.Ask]; ok {
			out[string(stage)] = d.Event.ReceivedAt
		}
	}
	for _, o := range s.Outcomes() {
		permit, ok := s.Permit(o.Body.Permit)
		if !ok || o.Body.Outcome != visit.Loaded {
			continue
		}
		if stage, ok := map[string]visit.Stage{visit.AskTrial: visit.Trial, visit.AskLive: visit.Live}[permit.Body.Ask]; ok {
			out[string(stage)] = o.Event.ReceivedAt
		}
	}
	if old := oldTerminal(r); r.Stage != "" { // by the host's answer to an end permit, or its own word
		if e, ok := s.Ended(old.Serial, old.Terminal); ok {
			out[StepKeysEnded] = e.ReceivedAt
		}
	}
	return out
}

func endedAt(stage visit.Stage, events []EventView) time.Time {
	verb := map[visit.Stage]string{visit.Refused: visit.Refuse, visit.Aborted: visit.Abort, visit.RolledBack: visit.RollBack}[stage]
	for _, e := range events {
		if e.Verb == verb {
			return e.At
		}
	}
	return time.Time{}
}
