package evidence

import (
	"time"

	"github.com/menshen-project/menshen/internal/agreement"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/visit"
)

// WatchedFor is how long after a terminal went live its charges are compared with the sheet (design §1, §12).
const WatchedFor = 30 * 24 * time.Hour

var errNotLive = fault.New(fault.Conflict, "watch_not_live", "终端还没有开通，还没有账可对。", "The terminal never went live on this visit, so there are no charges to watch.")

// Watch is what the host's lists of charges say against the sheet since the terminal went live.
type Watch struct {
	Since   time.Time          // when the terminal went live
	Until   time.Time          // when watching ends
	List    string             // digest of the newest list, "" for none yet
	Listed  time.Time          // up to when it is complete
	Outside []agreement.Excess // charges of the newest list that nothing explains
	New     []agreement.Excess // those that no incident was reported about yet
}

// Watch compares the charges of a visit's terminal with its sheet. It grants nothing; what it finds is for
// people, and for the incident that the platform reports. Faults: those of Judge's evidence, watch_not_live.
func (r *Reader) Watch(d Dossier, now time.Time) (Watch, error) {
	b, err := r.afterwards(d, now)
	if err != nil {
		return Watch{}, err
	}
	w, err := b.liveSince()
	if err != nil {
		return Watch{}, err
	}
	return w, b.compare(&w)
}

// afterwards computes a visit's facts for what is looked at once it is over: it decides nothing, so it asks no
// receipts and takes an old trust list.
func (r *Reader) afterwards(d Dossier, now time.Time) (*builder, error) {
	items, err := r.parse(d.Entries)
	if err != nil {
		return nil, err
	}
	b, err := r.prepare(question{visit: d.Visit, items: items, ask: visit.AskClose, now: now, preview: true, standing: true})
	if err != nil {
		return nil, err
	}
	b.build()
	return b, nil
}

// liveSince begins a watch at the host's own word that live keys are loaded.
func (b *builder) liveSince() (Watch, error) {
	d, ok := b.state.Decision(visit.AskLive)
	if !ok {
		return Watch{}, errNotLive
	}
	o, ok := b.state.Outcome(d.Event.Statement.Digest())
	if !ok || o.Body.Outcome != visit.Loaded {
		return Watch{}, errNotLive
	}
	return Watch{Since: o.Event.ReceivedAt, Until: o.Event.ReceivedAt.Add(WatchedFor), Outside: []agreement.Excess{}, New: []agreement.Excess{}}, nil
}

// compare judges the newest list, and leaves out of New what the lists that incidents answer held already.
func (b *builder) compare(w *Watch) error {
	if err := b.facts.Agreement.Err; err != nil {
		return err
	}
	reported := b.reportedLists()
	seen := map[string]bool{}
	for _, it := range b.inVisit(agreement.TypeChargeList) {
		list, err := b.chargeList(it)
		if err != nil {
			return fault.At(err, it.place)
		}
		outside := list.Outside(b.facts.Agreement.Value.Sheet(), b.trials()...)
		if reported[it.signed.Digest()] {
			for _, x := range outside {
				seen[excessKey(x)] = true
			}
		}
		w.List, w.Outside = it.signed.Digest(), outside
		w.Listed, _ = list.ListedAt.Parse() // coversVisit has parsed it
	}
	for _, x := range w.Outside {
		if !seen[excessKey(x)] {
			w.New = append(w.New, x)
		}
	}
	return nil
}

// excessKey names one charge for good: the host's reference alone may stand under two codes.
func excessKey(x agreement.Excess) string {
	return x.Charge.Kind + "/" + x.Charge.Code + "/" + x.Charge.Reference
}

// reportedLists are the lists of charges that the platform reported an incident about.
func (b *builder) reportedLists() map[string]bool {
	out := map[string]bool{}
	for _, it := range b.inVisit(visit.TypeIncident) {
		if it.claims.Header.Role == visit.RolePlatform {
			out[it.claims.Header.Answers] = true
		}
	}
	return out
}

// trials are every trial that the host reported on this visit and that fits a permit.
func (b *builder) trials() []agreement.TrialVerified {
	a := b.facts.Acceptance.Value
	return append([]agreement.TrialVerified{a.Report.Trial()}, a.Earlier...)
}
