package evidence

import (
	"slices"
	"time"

	"github.com/menshen-project/menshen/internal/credential"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/gate"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// cosignedWithin is how far a decision's time may lie from the times at which its quorum cosigned
// (design §10).
const cosignedWithin = 2 * time.Minute

var (
	errNoDecision     = fault.New(fault.Refused, "decision_absent", "证据包里没有任何决定。", "The bundle holds no decision.")
	errRules          = fault.New(fault.Refused, "rules_version_unknown", "决定用的是不认识的规则版本。", "The decision was made under a version of the rules that this verifier does not have.")
	errHeadMissing    = fault.New(fault.Refused, "event_missing", "决定依据的事件不在证据包里。", "An event that a decision rests on is not in the bundle.")
	errHeadDiffers    = fault.New(fault.Refused, "event_differs", "决定依据的事件和证据包里的不是同一个。", "An event that a decision rests on differs from the one in the bundle.")
	errDecisionOther  = fault.New(fault.Refused, "decision_differs", "重新判断得到的决定和签下的不一样。", "Judging the evidence again does not give the decision that was signed.")
	errDecisionDenied = fault.New(fault.Refused, "decision_not_supported", "证据不支持这个决定。", "The evidence does not support the decision.")
	errDecisionOrder  = fault.New(fault.Refused, "decision_out_of_order", "决定早于它依据的证据。", "A decision lies below the log size that it names, or names itself.")
	errDecisionTime   = fault.New(fault.Refused, "decision_time_differs", "决定写的时间和登记它的时间差得太多。", "The decision's time is too far from the time at which it was recorded.")
	errSkips          = fault.New(fault.Refused, "decision_skips_event", "决定跳过了已经登记的事件。", "The decision looks away from an event that was recorded before it.")
	errOpeningUnnamed = fault.New(fault.Refused, "opening_unnamed", "证据包里有一段原文，没有任何文件承诺过。", "No statement of the bundle commits to this opening.")
	errUnnamed        = fault.New(fault.Refused, "entry_unnamed", "证据包里有一条没有任何决定引用。", "No decision names this entry.")
	errAfterLast      = fault.New(fault.Refused, "event_after_last_decision", "最后一个决定之后只能有主机的结果。", "After the last decision only the host's outcome may follow.")
	errClosingAbsent  = fault.New(fault.Refused, "closing_absent", "证据包没有封口签名。", "The bundle lacks its closing statement.")
	errClosingDiffers = fault.New(fault.Refused, "closing_differs", "证据包封口以后被改过。", "The bundle was changed after it was closed.")
	errClosingSigner  = fault.New(fault.Refused, "closing_signer", "封口签名不是平台签的。", "The closing statement was not signed by the platform.")
	errClosingForm    = fault.New(fault.Refused, "closing_second_form", "封口签名不是规定的唯一写法。", "The closing signature is not in its one (low-s) form.")
	errEntriesOrder   = fault.New(fault.Refused, "entries_out_of_order", "证据包里的顺序不对。", "The bundle's entries are not in their one order.")
)

// Result is a whole bundle's verification.
type Result struct {
	Visit       string
	Kind        string
	Stage       string // where the visit stood at the end of the bundle
	Order       string
	Decisions   []Report
	NotOpened   int   // verdicts that rest on menshen's word because a commitment was not opened
	Events      int   // of the visit's stream
	LogSize     int64 // of the last decision that names one
	Fingerprint string
	KeptByUs    []string // roles whose keys the operator keeps
	Refusal     error
	items       []item
	state       visit.State
	keys        keyring
}

// Accepted is true only if every decision was judged again and came out the same.
func (r Result) Accepted() bool { return r.Refusal == nil && len(r.Decisions) > 0 }

// State is the visit as all events of the bundle add up.
func (r Result) State() visit.State { return r.state }

// Last is the last decision's report, the zero value for none.
func (r Result) Last() Report {
	if len(r.Decisions) == 0 {
		return Report{}
	}
	return r.Decisions[len(r.Decisions)-1]
}

// Permit is the last decision's permit and the digest of the statement that carries it; false if
// the last decision gives no power, or if anything was not opened to this reader: nobody acts on
// menshen's word alone (design §5).
func (r Result) Permit() (visit.Permit, string, bool) {
	decisions := r.state.Decisions()
	if !r.Accepted() || r.NotOpened > 0 || len(decisions) == 0 {
		return visit.Permit{}, "", false
	}
	last := decisions[len(decisions)-1]
	if last.Body.Permit == nil {
		return visit.Permit{}, "", false
	}
	return *last.Body.Permit, last.Event.Statement.Digest(), true
}

// TrustListNumber is the number of the trust list that the last decision was made under; a host
// refuses one that is lower than its own copy's.
func (r Result) TrustListNumber() int { return r.Last().trustList }

// ParametersNumber is the number of the acquirer's parameters that the last decision was made under;
// the acquirer's own host knows its newest.
func (r Result) ParametersNumber() int { return r.Last().parameters }

// Verify replays a bundle: for each decision in turn it cuts the dossier at the heads the decision
// names, folds, asks the gate as of the decision's time, and must get the same conditions. It needs
// no network and no server.
func Verify(b *Bundle, t Trust) Result { return NewReader(t).Verify(b) }

// Verify is the function of this name, with the reader's memory.
func (r *Reader) Verify(b *Bundle) Result {
	out := Result{Visit: b.Visit, Fingerprint: r.trust.fingerprint}
	if err := out.verify(r, b); err != nil {
		out.Refusal = err
	}
	return out
}

// Decisions judges every decision of a visit again, as Verify does, over entries that were gathered from the log
// and not from a bundle: nothing has to be named, and nobody has closed it. For monitors. Positions are not
// opened to them, so those verdicts stay the platform's word.
func Decisions(visitID string, entries []Entry, t Trust) Result {
	r := NewReader(t)
	out := Result{Visit: visitID, Fingerprint: t.fingerprint}
	out.Refusal = out.decisions(r, entries)
	return out
}

func (out *Result) decisions(r *Reader, entries []Entry) error {
	if err := out.read(r, entries); err != nil {
		return err
	}
	for _, it := range out.items {
		if it.event.Stream == visit.StreamVisit+"/"+out.Visit && it.claims.Type == visit.TypeDecision {
			if err := out.again(r, it, nil, map[string]bool{}); err != nil {
				return fault.At(err, it.place)
			}
		}
	}
	return nil
}

func (out *Result) verify(r *Reader, b *Bundle) error {
	if err := out.read(r, b.Entries); err != nil {
		return err
	}
	opened, err := openings(b.Openings)
	if err != nil {
		return err
	}
	return out.replay(r, b, opened)
}

// read parses entries in their one order and proves that each is in the log.
func (out *Result) read(r *Reader, entries []Entry) error {
	if !r.trust.ok {
		return errNoTrust
	}
	items, err := r.parse(entries)
	if err != nil {
		return err
	}
	if err := inOrder(items); err != nil {
		return err
	}
	for i := range items {
		if err := r.include(&items[i]); err != nil {
			return fault.At(err, items[i].place)
		}
	}
	if err := wholeStreams(items); err != nil {
		return err
	}
	out.items = items
	return nil
}

// replay judges each decision again, then the bundle as a whole.
func (out *Result) replay(r *Reader, b *Bundle, opened map[string]statement.Opening) error {
	named := map[string]bool{}
	last := 0
	for _, it := range out.items {
		if it.event.Stream != visit.StreamVisit+"/"+b.Visit || it.claims.Type != visit.TypeDecision {
			continue
		}
		if err := out.again(r, it, opened, named); err != nil {
			return fault.At(err, it.place)
		}
		last = it.event.Number
	}
	if last == 0 {
		return errNoDecision.At(visit.StreamVisit + "/" + b.Visit)
	}
	if err := out.whole(r, b, last); err != nil {
		return err
	}
	if err := out.nothingUnnamed(b, named); err != nil {
		return err
	}
	return out.closed(r, b)
}

// again cuts the dossier that one decision names and asks the gate once more.
func (out *Result) again(r *Reader, it item, opened map[string]statement.Opening, named map[string]bool) error {
	var claimed visit.Decision
	if err := it.claims.UntrustedBody(&claimed); err != nil {
		return err
	}
	if claimed.Rules != visit.RulesVersion {
		return errRules
	}
	at, err := claimed.DecidedAt.Parse()
	if err != nil {
		return err
	}
	cut, err := out.cut(claimed, named)
	if err != nil {
		return err
	}
	report := r.judge(question{visit: out.Visit, items: cut, openings: opened, logSize: claimed.LogSize, ask: claimed.Ask, now: at})
	out.Decisions = append(out.Decisions, report)
	if report.Refusal != nil {
		return report.Refusal
	}
	if err := out.nothingSkipped(it, claimed); err != nil {
		return err
	}
	if err := out.same(report, claimed); err != nil {
		return err
	}
	return timely(it, claimed, at)
}

// nothingSkipped refuses a decision that looked away: what its own stream held before it must all be
// named, and what the other streams hold beyond their named heads must lie above its log size
// (design §10: later events lie above).
func (out *Result) nothingSkipped(decision item, d visit.Decision) error {
	heads := map[string]int{}
	for _, h := range d.Heads {
		heads[h.Stream] = h.Number
	}
	if heads[decision.event.Stream] != decision.event.Number-1 {
		return errSkips.At(decision.event.Stream)
	}
	if !receiptsFor(d.Ask) {
		return nil
	}
	for _, it := range out.items {
		head, named := heads[it.event.Stream]
		if named && it.event.Number > head && it.digest != decision.digest && it.inclusion.Below(uint64(d.LogSize)) == nil {
			return fault.At(errSkips, it.place)
		}
	}
	return nil
}

// cut selects exactly what a decision names, and marks it as named.
func (out *Result) cut(d visit.Decision, named map[string]bool) ([]item, error) {
	heads := map[string]visit.Head{}
	for _, h := range d.Heads {
		heads[h.Stream] = h
	}
	single := map[string]bool{}
	for _, digest := range d.Evidence {
		single[digest] = true
	}
	reached := map[string]bool{}
	cut := make([]item, 0, len(out.items))
	for _, it := range out.items {
		h, whole := heads[it.event.Stream]
		switch {
		case whole && it.event.Number <= h.Number:
			if it.event.Number == h.Number {
				if it.digest != h.Event {
					return nil, errHeadDiffers.At(it.place)
				}
				reached[h.Stream] = true
			}
		case single[it.digest]:
			reached[it.digest] = true
		default:
			continue
		}
		named[it.digest] = true
		cut = append(cut, it)
	}
	if len(reached) != len(heads)+len(d.Evidence) {
		return nil, errHeadMissing
	}
	return cut, nil
}

// same holds the report to what was signed. A verdict that cannot be recomputed because a
// commitment is not opened to this reader stays menshen's word, and is counted.
func (out *Result) same(report Report, claimed visit.Decision) error {
	if len(report.Conditions) != len(claimed.Conditions) {
		return errDecisionOther
	}
	unopened := 0
	for i, c := range report.Conditions {
		held := claimed.Conditions[i]
		if held.Condition != c.Name {
			return errDecisionOther.At(c.Name)
		}
		if c.Verdict == string(gate.NotOpened) {
			unopened++
			continue
		}
		if c.Blocks && c.Verdict != string(gate.Holds) {
			return errDecisionDenied.At(c.Name + ": " + c.Code)
		}
		if held.Verdict != c.Verdict || held.Basis != c.Basis {
			return errDecisionOther.At(c.Name)
		}
	}
	out.NotOpened += unopened
	return samePayload(report.body, claimed)
}

func samePayload(again, claimed visit.Decision) error {
	a, errA := statement.Canonical(again)
	c, errC := statement.Canonical(claimed)
	if errA != nil || errC != nil || string(a) != string(c) {
		return errDecisionOther
	}
	return nil
}

// timely checks that a decision was recorded when it says and, where it gives power, logged after its
// evidence and cosigned at that time.
func timely(it item, d visit.Decision, at time.Time) error {
	if it.received.Sub(at).Abs() > cosignedWithin {
		return errDecisionTime
	}
	if !receiptsFor(d.Ask) {
		return nil
	}
	if int64(it.inclusion.Index()) < d.LogSize {
		return errDecisionOrder
	}
	return it.inclusion.Checkpoint().CosignedNear(at, cosignedWithin)
}

// whole proves every signature of the bundle under its newest trust list and folds all of it.
func (out *Result) whole(r *Reader, b *Bundle, lastDecision int) error {
	at := out.Last().Now
	b2, err := r.prepare(question{visit: b.Visit, items: out.items, ask: visit.AskDispatch, now: at})
	if err != nil {
		return err
	}
	out.keys, out.state, out.items = b2.keys, b2.state, b2.items
	out.Stage, out.Events = string(b2.state.Stage()), b2.state.Number()
	out.Order, out.Kind = b2.state.Opened().Order, out.Last().Kind
	for _, d := range b2.state.Decisions() {
		out.LogSize = max(out.LogSize, d.Body.LogSize)
	}
	for _, it := range out.items {
		after := it.event.Stream == visit.StreamVisit+"/"+b.Visit && it.event.Number > lastDecision
		if after && it.claims.Type != visit.TypeIntent && it.claims.Type != visit.TypeOutcome {
			return fault.At(errAfterLast, it.place)
		}
	}
	for _, e := range b2.keys.byThumb {
		if e.body.HeldBy == statement.HeldByOperator && !slices.Contains(out.KeptByUs, e.body.Role) {
			out.KeptByUs = append(out.KeptByUs, e.body.Role)
		}
	}
	slices.Sort(out.KeptByUs)
	return nil
}

// nothingUnnamed refuses what no decision rests on, and openings that open nothing. The visit's own
// later events are the decisions and outcomes themselves.
func (out *Result) nothingUnnamed(b *Bundle, named map[string]bool) error {
	for _, it := range out.items {
		if !named[it.digest] && it.event.Stream != visit.StreamVisit+"/"+b.Visit {
			return fault.At(errUnnamed, it.place)
		}
	}
	committed := committedIn(out.items)
	for i, o := range b.Openings {
		if c, err := o.Commitment(); err != nil || !committed[c] {
			return errOpeningUnnamed.Atf("opening %d", i+1)
		}
	}
	return nil
}

// inOrder holds entries to their one order: by stream name, then by number.
func inOrder(items []item) error {
	for i := 1; i < len(items); i++ {
		a, b := items[i-1].event, items[i].event
		if a.Stream > b.Stream || (a.Stream == b.Stream && a.Number >= b.Number) {
			return fault.At(errEntriesOrder, items[i].place)
		}
	}
	return nil
}

// closed checks the platform's statement over this export.
func (out *Result) closed(r *Reader, b *Bundle) error {
	envelope, err := statement.Base64(b.Closing)
	if err != nil || len(envelope) == 0 {
		return errClosingAbsent.At("closing")
	}
	claims, err := statement.Parse(envelope)
	if err != nil {
		return fault.At(err, "closing")
	}
	org, key, ok := out.keys.organisation(claims.Header.Key)
	h := claims.Header
	named := h.Role == visit.RolePlatform && h.Signer == org.body.Holder && h.Organisation == org.body.Organisation
	if !ok || !slices.Contains(org.kinds, credential.KindPlatform) || !named {
		return errClosingSigner.At("closing")
	}
	v, err := r.verify(claims, key)
	if err != nil {
		return fault.At(err, "closing")
	}
	if !v.LowS() {
		return errClosingForm.At("closing")
	}
	var body Closing
	if err := v.Body(TypeClosing, &body); err != nil {
		return fault.At(err, "closing")
	}
	want, err := b.ClosingFor(body.Reader, body.LogSize)
	if err != nil || body != want || v.Subject() != visit.StreamVisit+"/"+b.Visit {
		return errClosingDiffers.At("closing")
	}
	for _, it := range out.items {
		if it.inclusion.Below(uint64(max(body.LogSize, 0))) != nil {
			return errClosingDiffers.At("log_size")
		}
	}
	return nil
}
