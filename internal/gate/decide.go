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

// rule is one condition's rule. again says that the table wants fresh evidence at this ask.
type rule func(f *Facts, now time.Time, again bool) finding

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

// rules has one rule for every condition.
var rules = map[string]rule{
	InstitutionLicensed: institutionLicensed,
	ProviderFiled:       providerFiled,
	TechnicianTrained:   technicianTrained,
	DutiesSeparated:     dutiesSeparated,
	NothingOpen:         nothingOpen,
	AgreementSigned:     agreementSigned,
	MerchantVerified:    merchantVerified,
	TechnicianAdmitted:  technicianAdmitted,
	PlaceMatches:        placeMatches,
	ModelApproved:       modelApproved,
	BindingUnique:       bindingUnique,
	CustodyUnbroken:     custodyUnbroken,
	DeviceGenuine:       deviceGenuine,
	DataBackedUp:        dataBackedUp,
	RollbackReady:       rollbackReady,
	AcceptancePassed:    acceptancePassed,
	StepsComplete:       stepsComplete,
	Supervised:          supervised,
	FeesWithinSheet:     feesWithinSheet,
	MerchantConfirmed:   merchantConfirmed,
	KeysEnded:           keysEnded,
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
	var got finding
	if r, ok := rules[q.Condition]; ok {
		got = r(f, now, q.Again)
	}
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
