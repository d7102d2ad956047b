package pages

import (
	"strings"
	"time"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/visit"
)

// OldView is the terminal that a visit takes over from or takes away: on a swap the one that is replaced, else the
// device at the shop itself.
type OldView struct {
	Replaced bool // by another device: a swap
	Serial   string
	Terminal string
	State    string    // the host's last word: live, dead or ended; "" before it spoke
	At       time.Time // of that word
	Back     time.Time // when the old terminal takes over again by itself, zero while no timer runs
	Lost     LostView
}

// LostView is the time in which the shop could take no money, and who answers for it.
type LostView struct {
	Minutes int // 0: none
	Open    bool
	Cause   string // as in package evidence
	Step    string // of the responsibility table, "" where it has no line
	Answers string // the organisation's public name, or its id
}

// StepKeysEnded is the step of the path that is no stage: the old keys are gone.
const StepKeysEnded = "keys_ended"

// oldOf shows the old terminal of the kinds that have one; an installation and an inspection have none.
func oldOf(m Material) *OldView {
	r, s, o := m.Report, m.Report.State(), m.Report.Order()
	if o.Kind == "" || o.Kind == visit.Install || o.Kind == visit.Inspection {
		return nil
	}
	named := oldTerminal(r)
	old := &OldView{Replaced: o.Kind == visit.Swap, Serial: named.Serial, Terminal: named.Terminal}
	for _, t := range s.Terminals() {
		if t.Body.Serial == old.Serial {
			old.State, old.At = t.Body.State, t.Event.ReceivedAt
		}
	}
	if e, ended := s.Ended(old.Serial, old.Terminal); ended {
		old.State, old.At = visit.TerminalEnded, e.ReceivedAt
	}
	if stage := s.Stage(); stage != visit.Live && !stage.Ended() {
		old.Back, _ = s.RollbackAt().Parse()
	}
	l := r.Lost()
	old.Lost = LostView{Minutes: l.Minutes, Open: l.Open, Cause: l.Cause, Step: l.Step, Answers: l.Organisation}
	if name := m.Names[l.Organisation]; name != "" {
		old.Lost.Answers = name
	}
	return old
}

func oldTerminal(r evidence.Report) visit.OldTerminal {
	o := r.Order()
	if o.Kind == visit.Swap && o.Old != nil {
		return visit.OldTerminal{Serial: o.Old.Serial, Terminal: o.Old.Terminal}
	}
	return visit.OldTerminal{Serial: r.State().Dispatched().Serial, Terminal: o.Terminal}
}

// word names what the host says of it; a word that nobody knows is none.
func (o OldView) word() string {
	switch o.State {
	case visit.TerminalLive, visit.TerminalDead, visit.TerminalEnded:
		return o.State
	}
	return "none"
}

// sentence says what the visit cost the shop, and who answers for it.
func (l LostView) sentence() Text {
	key := "lost.was"
	if l.Open {
		key = "lost.open"
	}
	t, cause := fill(key, l.Minutes), say("lost."+l.Cause)
	by := say("lost.by_table")
	if l.Step == "" {
		by = say("lost.by_acquirer")
	}
	put := func(s, cause, by string) string {
		return strings.NewReplacer("{cause}", cause, "{by}", strings.ReplaceAll(by, "{name}", l.Answers)).Replace(s)
	}
	return Text{Zh: put(t.Zh, cause.Zh, by.Zh), En: put(t.En, cause.En, by.En)}
}

// withEnd puts the end of the old keys into a path where this kind has it: a swap's after live, a relocation's before the
// trial, a removal's before close.
func withEnd(stages []string, kind string) []string {
	before := map[string]visit.Stage{visit.Swap: visit.Closed, visit.Relocation: visit.Trial, visit.Removal: visit.Closed}[kind]
	if before == "" {
		return stages
	}
	var out []string
	for _, s := range stages {
		if s == string(before) {
			out = append(out, StepKeysEnded)
		}
		out = append(out, s)
	}
	return out
}

// forAsk prefers a text's own words for an ask: what is true of loading keys is false of ending them.
func forAsk(key, ask string) Text {
	if _, ok := words[key+"."+ask]; ok {
		return say(key + "." + ask)
	}
	return say(key)
}

// rolledBack says what the shop is left with, by the host's word and not by the plan.
func rolledBack(v VisitView) Standing {
	s := Standing{Level: LevelOver, Word: say("stand.rolled_back"), Sentence: say("stand.rolled_back.why"), Acts: []Act{act("dispatcher", "act.again")}}
	switch {
	case v.Old == nil: // an installation: there was nothing before
		s.Sentence = say("stand.rolled_back.none")
	case v.Old.State == visit.TerminalDead || v.Old.State == visit.TerminalEnded:
		s.Level, s.Word, s.Sentence = LevelStop, say("stand.rolled_back.stuck"), say("stand.rolled_back.without")
		s.Acts = []Act{act("approver", "act.loaner"), act("dispatcher", "act.again")}
	case !v.Old.Replaced:
		s.Sentence = say("stand.rolled_back.same")
	}
	return s
}

// atWork says what the shop is in the middle of, and what comes next.
func atWork(v VisitView, ask string, missing int) (word, sentence Text) {
	word = say("stand.admitted")
	if t, ok := words["stand.admitted."+v.Kind]; ok {
		word = t
	}
	sentence = fill("stand.admitted.why", missing)
	if _, ok := words["stand.admitted.why."+ask]; ok {
		sentence = fill("stand.admitted.why."+ask, missing)
	}
	return word, sentence
}
