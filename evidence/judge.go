package evidence

import (
	"slices"
	"strings"
	"time"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/gate"
	"github.com/menshen-project/menshen/internal/registry"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

var (
	errNeedsReceipts = fault.New(fault.Refused, "log_size_absent", "这一步要有公开日志的回执才能决定。", "This ask is decided only over receipted evidence, and no log size was named.")
)

// receiptsFor says which asks count evidence only from below a log size (design §6).
func receiptsFor(ask string) bool { return ask != visit.AskDispatch && ask != visit.AskAdmit }

// Report is the whole answer to one ask. The zero value denies.
type Report struct {
	Visit      string
	Kind       string
	Column     string // of the gate's table: the kind, or gate.RepairUntouched
	Ask        string
	Now        time.Time
	Stage      string
	Granted    bool
	Conditions []Condition
	Refusal    error // why the evidence was not judged at all, nil if it was
	body       visit.Decision
	trustList  int // numbers of the lists that it was judged under
	parameters int
	audits     registry.AuditRule // of the acquirer's parameters that it was judged under
	state      visit.State
	order      visit.Order
	lost       Lost
	oldMarked  bool
	oldLost    bool
	attested   Attested
	facts      gate.Facts
}

// Regate asks the gate the same question over the same facts once more, without reading any evidence,
// and says whether it grants. It is for measuring what of a judgement is the gate's own cost.
func (r Report) Regate() bool { return gate.Decide(r.facts, r.Ask, r.Now).Granted() }

// Attested is what the device last proved about itself in a visit; the zero value is nothing.
type Attested struct {
	Key      string // thumbprint
	Firmware string
}

// Attested is what registers keep of the device when it goes live.
func (r Report) Attested() Attested { return r.attested }

// Condition is one condition's verdict with its reason and evidence.
type Condition struct {
	Name     string   `json:"name"`
	Title    Text     `json:"title"`
	Verdict  string   `json:"verdict"` // holds, fails or not_opened
	Basis    string   `json:"basis"`   // re-run, attested or "not opened"
	Code     string   `json:"code,omitempty"`
	Reason   Text     `json:"reason,omitzero"`
	Evidence []string `json:"evidence,omitempty"` // digests of statements
	Blocks   bool     `json:"blocks"`
}

// Text is one sentence in both languages.
type Text = fault.Text

// Decision is what a platform signs when the ask was granted; the zero value when it was not.
func (r Report) Decision() visit.Decision {
	if !r.Granted {
		return visit.Decision{}
	}
	return r.body
}

// State is the visit as its events add up.
func (r Report) State() visit.State { return r.state }

// Order is the order as its approver signed it.
func (r Report) Order() visit.Order { return r.order }

// Condition finds a condition's answer by name.
func (r Report) Condition(name string) (Condition, bool) {
	for _, c := range r.Conditions {
		if c.Name == name {
			return c, true
		}
	}
	return Condition{}, false
}

// Judge asks the gate about a dossier as of now: it verifies every statement, enrolment, list and
// receipt, replays the visit, recomputes every fact and returns every condition. Server, host and
// offline verifier call this same function.
func Judge(d Dossier, t Trust, ask string, now time.Time) Report {
	return NewReader(t).Judge(d, ask, now)
}

// Judge is the function of this name, with the reader's memory.
func (r *Reader) Judge(d Dossier, ask string, now time.Time) Report {
	return r.ask(d, question{visit: d.Visit, logSize: d.LogSize, ask: ask, now: now})
}

// Preview answers as Judge does, but without demanding receipts: for pages that show what is
// already green. Its answer is never a decision.
func Preview(d Dossier, t Trust, ask string, now time.Time) Report {
	return NewReader(t).Preview(d, ask, now)
}

// Preview is the function of this name, with the reader's memory.
func (r *Reader) Preview(d Dossier, ask string, now time.Time) Report {
	return r.ask(d, question{visit: d.Visit, ask: ask, now: now, preview: true})
}

// ask reads a dossier into a question and judges it.
func (r *Reader) ask(d Dossier, q question) Report {
	var err error
	if q.items, err = r.parse(d.Entries); err == nil {
		q.openings, err = openings(d.Openings)
	}
	if err != nil {
		return Report{Visit: q.visit, Ask: q.ask, Now: q.now, Refusal: err}
	}
	return r.judge(q)
}

// question is one ask over parsed items.
type question struct {
	visit    string
	items    []item // the question's own: judging it writes to them
	openings map[string]statement.Opening
	logSize  int64
	ask      string
	now      time.Time
	preview  bool
	standing bool // receive, do not decide: an old trust list still names the keys
}

// judgeAnew judges, and says which openings it looked for.
func (r *Reader) judgeAnew(q question) (out Report, read map[string]bool) {
	out = Report{Visit: q.visit, Ask: q.ask, Now: q.now}
	b, err := r.prepare(q)
	if err != nil {
		out.Refusal = err
		return out, nil
	}
	facts := b.build()
	out.Kind, out.Column, out.Stage = facts.Kind, facts.Column(), string(facts.Stage)
	out.state, out.order, out.lost = b.state, facts.Order.Value, b.lost()
	out.oldMarked, out.oldLost = len(facts.OldMarks) > 0, facts.Returned.Value.Lost
	if n := len(facts.Quotes.Value); n > 0 {
		last := facts.Quotes.Value[n-1].Quote
		out.attested = Attested{Key: last.Key(), Firmware: last.Firmware()}
	}
	if q.preview {
		out.Conditions = conditions(gate.Findings(facts, q.ask, q.now))
		return out, nil
	}
	out.facts = facts
	d := gate.Decide(facts, q.ask, q.now)
	out.Conditions, out.Refusal, out.Granted = conditions(d.Findings()), d.Refusal(), d.Granted()
	out.trustList, out.parameters = b.keys.trust.Number(), facts.Parameters.Value.Number
	out.audits = facts.Parameters.Value.Audits()
	if out.Granted || onlyUnopened(d.Findings()) {
		out.body = b.decision(q, facts, d)
	}
	return out, b.openings.read
}

// onlyUnopened says whether nothing but unopened commitments stands against the ask.
func onlyUnopened(findings []gate.Finding) bool {
	unopened := false
	for _, f := range findings {
		if f.Blocks && f.Verdict == gate.Fails {
			return false
		}
		unopened = unopened || f.Verdict == gate.NotOpened
	}
	return unopened
}

// prepare runs every check that must hold before conditions are worth asking. What it proves it notes in the items.
func (r *Reader) prepare(q question) (*builder, error) {
	if !r.trust.ok {
		return nil, errNoTrust
	}
	items := q.items
	if receiptsFor(q.ask) && !q.preview {
		if q.logSize <= 0 {
			return nil, errNeedsReceipts
		}
		if err := r.below(items, q.logSize); err != nil {
			return nil, err
		}
	}
	if err := wholeStreams(items); err != nil {
		return nil, err
	}
	if err := orderChains(items); err != nil {
		return nil, err
	}
	keyring := r.keyring
	if q.standing {
		keyring = r.standingKeyring
	}
	keys, err := keyring(items, q.now)
	if err != nil {
		return nil, err
	}
	if err := r.prove(&keys, items); err != nil {
		return nil, err
	}
	if !q.standing {
		if err := deciding(&keys, items); err != nil {
			return nil, err
		}
	}
	b := &builder{r: r, keys: keys, items: items, openings: opener{q.openings, map[string]bool{}}, visitID: q.visit, ask: q.ask, now: q.now}
	return b, b.fold()
}

func conditions(findings []gate.Finding) []Condition {
	out := make([]Condition, 0, len(findings))
	for _, f := range findings {
		out = append(out, Condition{Name: f.Condition, Title: gate.Title(f.Condition), Verdict: string(f.Verdict), Basis: f.Basis,
			Code: f.Code, Reason: f.Text, Evidence: slices.DeleteFunc(slices.Clone(f.Evidence), func(s string) bool { return s == "" }), Blocks: f.Blocks})
	}
	return out
}

// decision writes down what was granted and exactly what it rests on. Where commitments are not
// opened, it is what a reader who has the openings must have granted.
func (b *builder) decision(q question, f gate.Facts, d gate.Decision) visit.Decision {
	out := visit.Decision{Visit: q.visit, Ask: q.ask, DecidedAt: statement.At(q.now), Rules: visit.RulesVersion,
		Heads: []visit.Head{}, Evidence: []string{}}
	if receiptsFor(q.ask) {
		out.LogSize = q.logSize
	}
	if len(f.Parameters.From) > 0 {
		out.Parameters = f.Parameters.From[0]
	}
	out.Heads, out.Evidence = cutOf(b.items)
	for _, c := range d.Findings() {
		held := visit.Held{Condition: c.Condition, Verdict: string(c.Verdict), Basis: c.Basis}
		if c.Verdict == gate.NotOpened { // what it says to whoever has the opening
			held.Verdict, held.Basis = string(gate.Holds), gate.Rerun
		}
		out.Conditions = append(out.Conditions, held)
	}
	if visit.VerbOf(q.ask) == visit.RequestPermit {
		out.Permit = b.permit(f, q.now, q.ask)
	}
	return out
}

// liveHolds is how long a host may take to act on a permit. A trial permit's time is the acquirer's
// parameter, at most thirty minutes.
const liveHolds = 30 * time.Minute

func (b *builder) permit(f gate.Facts, now time.Time, ask string) *visit.Permit {
	p := &visit.Permit{Order: f.Order.Value.Order, Serial: f.Assigned.Serial, Terminal: f.Order.Value.Terminal, Items: f.Order.Value.Items}
	if ask == visit.AskEnd { // of a terminal that may be dead: no key of its own is asked
		old := b.old()
		p.Serial, p.Terminal, p.Until = old.Serial, old.Terminal, statement.At(now.Add(liveHolds))
		return p
	}
	quotes := f.Quotes.Value
	p.DeviceKey = quotes[len(quotes)-1].Quote.Key()
	until := now.Add(liveHolds)
	if ask == visit.AskTrial {
		p.CapFen = 1
		until = now.Add(time.Duration(f.Parameters.Value.TrialMinutes) * time.Minute)
	}
	if back, ok := b.rollbackAt(f, now); ok {
		p.RollbackAt = statement.At(back)
		if back.Before(until) {
			until = back // the host acts before the timer or not at all, whoever forgets the timer
		}
	}
	p.Until = statement.At(until)
	return p
}

// rollbackAt is when a visit with an old terminal goes back to it: set by the first trial permit, and
// moved by no later one.
func (b *builder) rollbackAt(f gate.Facts, now time.Time) (time.Time, bool) {
	if !slices.ContainsFunc(gate.Asked(f.Kind, visit.AskTrial), func(q gate.Question) bool { return q.Condition == gate.RollbackReady }) {
		return time.Time{}, false
	}
	if at, err := b.state.RollbackAt().Parse(); err == nil {
		return at, true
	}
	return now.Add(rollbackAfter), true
}

// cutOf names a dossier exactly: heads of the streams that travel whole, and single events of the
// others, both sorted.
func cutOf(items []item) ([]visit.Head, []string) {
	heads := map[string]visit.Head{}
	single := []string{}
	for _, it := range items {
		switch it.streamKind() {
		case visit.StreamVisit, visit.StreamOrder, visit.StreamDevice:
			heads[it.event.Stream] = visit.Head{Stream: it.event.Stream, Number: it.event.Number, Event: it.digest}
		default:
			single = append(single, it.digest)
		}
	}
	out := make([]visit.Head, 0, len(heads))
	for _, h := range heads {
		out = append(out, h)
	}
	slices.SortFunc(out, func(a, b visit.Head) int { return strings.Compare(a.Stream, b.Stream) })
	slices.Sort(single)
	return out, single
}
