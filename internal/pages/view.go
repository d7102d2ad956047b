package pages

import (
	"cmp"
	"slices"
	"time"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/gate"
	"github.com/menshen-project/menshen/internal/visit"
)

// Material is what a Source fetches for one visit.
type Material struct {
	Viewer       Viewer
	Report       evidence.Report   // from Examine, or Judge at the ask that comes next
	Decided      []evidence.Report // of evidence.Verify over the visit's bundle; nil is fine, then reasons and digests of past decisions are not shown
	Events       []EventView       // from EventsOf
	Receipts     ReceiptsView      // from EventsOf
	Shop         string            // shown name, "" where the viewer may not see it
	MayDownload  bool              // whether he may have the bundle
	Action       Link              // what this viewer can do next; the zero value for nothing
	Names        map[string]string // public names of the organisations concerned; an id stands for one that is missing
	Trust        evidence.Trust
	Now          time.Time
	HostSilentAt time.Time // of the order's acquirer, as app.HostSilentAt
}

// AskNext is the ask that a visit puts next, "" when none is left.
func AskNext(r evidence.Report) string { return app.NextAsk(r.Order(), r.State()) }

// Examine looks at a dossier as it stands now: it asks, without deciding, what comes next. When
// nothing is left to ask the report has no conditions, and ViewOf shows the last decisions.
func Examine(d evidence.Dossier, t evidence.Trust, now time.Time) evidence.Report {
	r := evidence.Preview(d, t, visit.AskDispatch, now)
	if r.Refusal != nil {
		return r
	}
	switch next := AskNext(r); next {
	case visit.AskDispatch:
		return r
	case "":
		r.Ask, r.Conditions = "", nil
		return r
	default:
		return evidence.Preview(d, t, next, now)
	}
}

// ViewOf makes the visit page's view.
func ViewOf(m Material) VisitView {
	r, s, o := m.Report, m.Report.State(), m.Report.Order()
	v := VisitView{ID: r.Visit, Order: o.Order, Kind: r.Kind, Stage: r.Stage, Frozen: s.Frozen(), Demonstration: m.Trust.File().Demonstration,
		Brief: m.Viewer.Role == visit.RoleMerchant || m.Viewer.Role == roleClerk, Shop: m.Shop, AsOf: r.Now,
		Events: m.Events, Receipts: m.Receipts, MayDownload: m.MayDownload && len(s.Decisions()) > 0}
	v.From, _ = o.WindowFrom.Parse()
	v.Until, _ = o.WindowUntil.Parse()
	v.Path = pathOf(r, m.Events)
	v.Conditions = conditionsOf(m)
	v.Later = laterOf(r, v.Conditions)
	if v.Permit = permitOf(s, m.Now); v.Permit != nil && v.Permit.Outcome == "" {
		v.Permit.SilentAt = m.HostSilentAt
	}
	v.Old = oldOf(m)
	v.Standing = standingOf(r, v)
	v.Standing.Link = m.Action
	// At the counter with somebody who was turned away or reported, help is one tap away.
	if m.Action == (Link{}) && v.Brief && v.Standing.Level == LevelStop && (v.Frozen || v.Stage == string(visit.Refused)) {
		v.Standing.Link = Link{Label: say("act.police"), Href: "tel:110"}
	}
	if v.Brief {
		v.makeBrief()
	}
	return v
}

// roleClerk is a till clerk, who signs nothing and so is no role of package visit.
const roleClerk = "clerk"

// makeBrief drops what people at the counter have no use for, so that it is not even sent.
func (v *VisitView) makeBrief() {
	for i := range v.Conditions {
		v.Conditions[i].Evidence, v.Conditions[i].Code = nil, ""
	}
	events := slices.DeleteFunc(slices.Clone(v.Events), func(e EventView) bool { return backstage[e.Verb] })
	for i := range events {
		events[i].Digest = ""
	}
	v.Events = events
	if v.Permit != nil {
		p := *v.Permit
		p.DeviceKey = ""
		v.Permit = &p
	}
}

// backstage are verbs by which menshen's own machinery talks to itself.
var backstage = map[string]bool{visit.Publish: true, visit.ChallengeVerb: true}

// conditionsOf lists what is asked now, over what earlier decisions say and nobody asks again: wrong
// first, then missing, then what holds, each in the table's order.
func conditionsOf(m Material) []ConditionView {
	out := make([]ConditionView, 0, len(m.Report.Conditions))
	seen := map[string]bool{}
	add := func(c ConditionView) {
		if !seen[c.Name] {
			seen[c.Name] = true
			out = append(out, c)
		}
	}
	decided := map[string]ConditionView{}
	var past []ConditionView
	for _, d := range slices.Backward(m.Report.State().Decisions()) {
		at, _ := d.Body.DecidedAt.Parse()
		for _, c := range decidedConditions(d.Body, m.Decided) {
			if _, known := decided[c.Name]; !known {
				c.Decided = at
				decided[c.Name] = c
				past = append(past, c)
			}
		}
	}
	sent := m.Report.State().Dispatched().Technician != ""
	for _, c := range m.Report.Conditions {
		view := conditionView(c)
		switch {
		case !sent && view.Mark == MarkFails && aboutTheSent[c.Name]:
			view = view.waiting(nobodySent)
		case c.Name == gate.AgreementSigned && c.Code == "statement_unverified" && len(c.Evidence) < 2:
			view = view.waiting(oneSideSigned)
		}
		// What only menshen's own look-up is missing for stands as it was last decided, with that time.
		if last, ok := decided[c.Name]; ok && lookedUpWhenAsked[c.Code] && last.Mark == MarkHolds {
			view = last
		}
		add(view)
	}
	for _, c := range past {
		add(c)
	}
	slices.SortStableFunc(out, func(a, b ConditionView) int { return cmp.Compare(urgency[a.Mark], urgency[b.Mark]) })
	return out
}

var urgency = map[string]int{MarkFails: 0, MarkUnopened: 1, MarkWaits: 2, MarkLater: 3, MarkHolds: 4}

func conditionView(c evidence.Condition) ConditionView {
	out := ConditionView{Name: c.Name, Title: c.Title, Mark: markOf(c), Reason: c.Reason, Code: c.Code, Basis: c.Basis, Evidence: c.Evidence, Reports: !c.Blocks}
	if said, ok := waitingReasons[c.Code]; ok && out.Mark != MarkHolds {
		out.Reason = said
	}
	return out
}

// waiting is the condition with a reason that alarms nobody in place of the gate's.
func (c ConditionView) waiting(code string) ConditionView {
	c.Mark, c.Code, c.Reason = MarkWaits, code, waitingReasons[code]
	return c
}

// markOf says how a verdict looks. What is merely not there yet is no failure; nothing that the gate
// did not call holding is ever green.
func markOf(c evidence.Condition) string {
	switch {
	case c.Verdict == string(gate.Holds):
		return MarkHolds
	case c.Verdict == string(gate.NotOpened):
		return MarkUnopened
	case lookedUpWhenAsked[c.Code]:
		return MarkLater
	case notYet[c.Code]:
		return MarkWaits
	}
	return MarkFails
}

// decidedConditions gives a decision's conditions: as a verifier found them again where that was
// done, else as the platform signed them.
func decidedConditions(d visit.Decision, again []evidence.Report) []ConditionView {
	at, _ := d.DecidedAt.Parse()
	for _, r := range again {
		if r.Ask == d.Ask && r.Now.Equal(at) && len(r.Conditions) > 0 {
			out := make([]ConditionView, 0, len(r.Conditions))
			for _, c := range r.Conditions {
				out = append(out, conditionView(c))
			}
			return out
		}
	}
	out := make([]ConditionView, 0, len(d.Conditions))
	for _, h := range d.Conditions {
		c := evidence.Condition{Name: h.Condition, Title: gate.Title(h.Condition), Verdict: h.Verdict, Basis: h.Basis, Blocks: true}
		out = append(out, conditionView(c))
	}
	return out
}

// laterOf lists what this kind will be asked further on, with the step at which it is first asked.
func laterOf(r evidence.Report, now []ConditionView) []ConditionView {
	out := []ConditionView{}
	if AskNext(r) == "" {
		return out
	}
	seen := map[string]bool{}
	for _, c := range now {
		seen[c.Name] = true
	}
	for _, ask := range []string{visit.AskAdmit, visit.AskTrial, visit.AskLive, visit.AskEnd, visit.AskClose} {
		if !gate.Puts(columnOf(r), ask) {
			continue
		}
		for _, q := range gate.Asked(columnOf(r), ask) {
			if !seen[q.Condition] {
				seen[q.Condition] = true
				out = append(out, ConditionView{Name: q.Condition, Title: gate.Title(q.Condition), Mark: MarkLater, Asked: askWords[ask], Reports: q.ReportOnly})
			}
		}
	}
	return out
}

// columnOf is where the gate's table is read for a visit: a repair that opened nothing has its own column.
func columnOf(r evidence.Report) string {
	if r.Column == "" {
		return r.Kind
	}
	return r.Column
}

func permitOf(s visit.State, now time.Time) *PermitView {
	for _, d := range slices.Backward(s.Decisions()) {
		p := d.Body.Permit
		if p == nil {
			continue
		}
		out := &PermitView{Ask: d.Body.Ask, Serial: p.Serial, Terminal: p.Terminal, DeviceKey: p.DeviceKey, CapFen: p.CapFen}
		out.Until, _ = p.Until.Parse()
		if o, ok := s.Outcome(d.Event.Statement.Digest()); ok {
			out.Outcome, out.Reason, out.At = o.Body.Outcome, o.Body.Reason, o.Event.ReceivedAt
		}
		out.Over = out.Outcome == "" && now.After(out.Until)
		return out
	}
	return nil
}

// refusalOf is the sentence for evidence that could not be judged at all.
func refusalOf(err error) Text { return fault.Of(err).Text }
