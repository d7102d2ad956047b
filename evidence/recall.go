package evidence

import (
	"slices"
	"time"

	"github.com/menshen-project/menshen/internal/agreement"
	"github.com/menshen-project/menshen/internal/visit"
)

// Recall judges a decision that stands in the dossier once more, as of its own time and over exactly what it
// names, and gives the report that it rested on: for somebody who asks again because the answer was lost. Where an
// opening is gone since, the verdict is the decision's own word. A report whose conditions are not those that
// were signed is refused with decision_differs or decision_not_supported.
func (r *Reader) Recall(d Dossier, decision string) Report {
	out := Result{Visit: d.Visit}
	report, err := out.recall(r, d, decision)
	if err != nil {
		return Report{Visit: d.Visit, Refusal: err}
	}
	return report
}

func (out *Result) recall(r *Reader, d Dossier, decision string) (Report, error) {
	opened, err := openings(d.Openings)
	if err != nil {
		return Report{}, err
	}
	if out.items, err = r.parse(d.Entries); err != nil {
		return Report{}, err
	}
	claimed, err := out.decision(decision)
	if err != nil {
		return Report{}, err
	}
	at, err := claimed.DecidedAt.Parse()
	if err != nil {
		return Report{}, err
	}
	cut, err := out.cut(claimed, map[string]bool{})
	if err != nil {
		return Report{}, err
	}
	report := r.judge(question{visit: d.Visit, items: cut, openings: opened, logSize: claimed.LogSize, ask: claimed.Ask, now: at})
	if report.Refusal != nil {
		return Report{}, report.Refusal
	}
	report.Granted = true // by the decision, which is recorded; that it holds is what is compared here
	return report, out.same(report, claimed)
}

// decision finds a decision of the visit by its statement's digest.
func (out *Result) decision(digest string) (visit.Decision, error) {
	var d visit.Decision
	for _, it := range out.items {
		if it.claims.Digest() == digest && it.claims.Type == visit.TypeDecision {
			return d, it.claims.UntrustedBody(&d)
		}
	}
	return d, errNoDecision
}

// TrialFailed says whether the host reported the visit's last trial, and the report does not pass: whoever asks for
// a trial then wants another one. Without a report of it, or with one that passes, he is one whose answer was lost.
// Faults: those of the evidence.
func (r *Reader) TrialFailed(d Dossier, now time.Time) (bool, error) {
	b, err := r.afterwards(d, now)
	if err != nil {
		return false, err
	}
	last, _ := b.state.Decision(visit.AskTrial)
	reported := slices.ContainsFunc(b.inVisit(agreement.TypeAcceptance), func(it item) bool {
		var a agreement.Acceptance
		return it.signed.Body(agreement.TypeAcceptance, &a) == nil && a.Permit == last.Event.Statement.Digest()
	})
	return reported && b.facts.Acceptance.Err != nil, nil
}
