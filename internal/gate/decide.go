package gate

import (
	"slices"
	"time"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/visit"
)

var (
	errKind     = fault.New(fault.Refused, "kind_not_supported", "这一版还不能办理这种上门。", "This version does not decide this kind of visit.")
	errAsk      = fault.New(fault.Refused, "ask_unknown", "这种上门没有这一步。", "This kind of visit has no such ask.")
	errStage    = fault.New(fault.Refused, "stage_not_fitting", "这次上门还没到（或已过了）这一步。", "The visit is not at the stage that this ask needs.")
	errNoRule   = fault.New(fault.Internal, "condition_without_rule", "有一项条件没有判断规则。", "A condition in the table has no rule; it can only fail.")
	errNotAsked = fault.New(fault.Refused, "nothing_asked", "没有任何条件可问，不能放行。", "The ask has no conditions, so it grants nothing.")
)

// finding is what a rule returns: no error when it holds, and the basis and evidence either way. The
// zero value, without a basis, holds nothing.
type finding struct {
	err      error
	basis    string
	evidence []string
	unopened bool
}

func rerun(err error, from ...string) finding {
	return finding{err: err, basis: Rerun, evidence: from}
}

func attested(err error, from ...string) finding {
	return finding{err: err, basis: Attested, evidence: from}
}

// rule asks one condition's rule; the zero finding for a condition that has none. again says that the table wants
// fresh evidence at this ask. It is a switch and not a table of functions, so that the compiler sees where the facts
// go: they stay on the stack, six kilobytes less to allocate for a decision.
func rule(f *Facts, q Question, now time.Time) finding {
	switch q.Condition {
	case InstitutionLicensed:
		return institutionLicensed(f, now)
	case ProviderFiled:
		return providerFiled(f, now)
	case TechnicianTrained:
		return technicianTrained(f, now)
	case DutiesSeparated:
		return dutiesSeparated(f)
	case NothingOpen:
		return nothingOpen(f)
	case AgreementSigned:
		return agreementSigned(f)
	case MerchantVerified:
		return merchantVerified(f, now)
	case TechnicianAdmitted:
		return technicianAdmitted(f, now)
	case PlaceMatches:
		return placeMatches(f)
	case ModelApproved:
		return modelApproved(f, now)
	case BindingUnique:
		return bindingUnique(f)
	case CustodyUnbroken:
		return custodyUnbroken(f)
	case DeviceGenuine:
		return deviceGenuine(f, now, q.Again)
	case DataBackedUp:
		return dataBackedUp(f)
	case RollbackReady:
		return rollbackReady(f, now)
	case AcceptancePassed:
		return acceptancePassed(f)
	case StepsComplete:
		return stepsComplete(f, now)
	case Supervised:
		return supervised(f)
	case FeesWithinSheet:
		return feesWithinSheet(f)
	case MerchantConfirmed:
		return merchantConfirmed(f)
	case KeysEnded:
		return keysEnded(f)
	}
	return finding{}
}

// Decide answers an ask. Every condition of the ask is judged and returned, so that people see all
// that is missing at once; it is granted only if none of the blocking ones fails.
func Decide(f Facts, ask string, now time.Time) Decision {
	d := Decision{ask: ask}
	if d.refusal = admissible(&f, ask); d.refusal != nil {
		return d
	}
	d.findings = f.findings(ask, now)
	return d.grant()
}

// grant is the last line: nothing is granted unless something was asked and all of it holds.
func (d Decision) grant() Decision {
	if len(d.findings) == 0 {
		d.refusal = errNotAsked
		return d
	}
	for _, f := range d.findings {
		if f.Blocks && f.Verdict != Holds {
			return d
		}
	}
	d.granted = true
	return d
}

func admissible(f *Facts, ask string) error {
	asks, known := path[f.Column()]
	switch {
	case !known:
		return errKind
	case asks[ask] == nil:
		return errAsk
	case !slices.Contains(asks[ask], f.Stage):
		return errStage
	}
	return nil
}

// Column is where the table is read for this visit: a repair that touched nothing has its own.
func (f *Facts) Column() string {
	if f.Kind == visit.Repair && !f.Opened {
		return RepairUntouched
	}
	return f.Kind
}

// Findings judges the conditions of an ask without asking whether the visit is at its stage; pages
// use it to show what is already green on the way there.
func Findings(f Facts, ask string, now time.Time) []Finding { return f.findings(ask, now) }

func (f *Facts) findings(ask string, now time.Time) []Finding {
	f.ask = ask
	questions := Asked(f.Column(), ask)
	if len(questions) == 0 {
		return nil
	}
	out := make([]Finding, len(questions))
	for i, q := range questions {
		out[i] = judge(f, q, now)
	}
	return out
}

func judge(f *Facts, q Question, now time.Time) Finding {
	out := Finding{Condition: q.Condition, Verdict: Fails, Basis: Rerun, Blocks: !q.ReportOnly}
	got := rule(f, q, now)
	if got.basis == "" { // no rule, or one that says nothing
		got = rerun(errNoRule)
	}
	out.Evidence, out.Basis = got.evidence, got.basis
	if got.err == nil {
		out.Verdict = Holds
		return out
	}
	if got.unopened {
		out.Verdict = NotOpened
	}
	why := fault.Of(got.err)
	out.Code, out.Text = why.Code, why.Text
	return out
}

// Question is one condition of an ask.
type Question struct {
	Condition  string
	ReportOnly bool // a failure opens an incident but does not block
	Again      bool // it was asked before, and fresh evidence is wanted
}

// Asked lists what a kind is asked at an ask. Asks before close repeat every earlier condition as of
// now; close asks its own rows and whether anything is open; end asks what admit asks, and for the
// merchant's signature (design §5).
func Asked(kind, ask string) []Question {
	if ask == visit.AskEnd && Puts(kind, ask) {
		return append(Asked(kind, visit.AskAdmit), Question{Condition: MerchantConfirmed})
	}
	col := slices.Index(columns, kind)
	at := slices.Index(asked, ask)
	if col < 0 || at < 0 {
		return nil
	}
	out := make([]Question, 0, len(table))
	for _, r := range table {
		if cell := r.cells[col]; cell.askedAt(at, r.condition) {
			out = append(out, Question{Condition: r.condition, ReportOnly: cell.report, Again: cell.again == ask})
		}
	}
	return out
}

func (w when) askedAt(at int, condition string) bool {
	first := slices.Index(asked, w.first)
	if first < 0 {
		return false
	}
	if asked[at] == visit.AskClose {
		return first == at || w.again == visit.AskClose || condition == NothingOpen
	}
	return first <= at
}
