package registry

import (
	"slices"
	"time"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/identifier"
	"github.com/menshen-project/menshen/internal/statement"
)

// Parameters are what an acquirer may set about its visits, signed and numbered. The rules
// themselves are code; the bounds below keep an empty or absurd document from switching one off.
type Parameters struct {
	Acquirer         string         `json:"acquirer"`
	Number           int            `json:"number"`
	IssuedAt         statement.Time `json:"issued_at"`
	NextAt           statement.Time `json:"next_at"`
	RadiusMetres     int            `json:"radius_metres"`
	SecurityCourse   string         `json:"security_course"`
	Steps            []StepRule     `json:"steps"`
	Models           []Model        `json:"models"`
	TerminalsPerID   int            `json:"terminals_per_identity"`
	TrialMinutes     int            `json:"trial_minutes"`
	AuditsPerMille   int            `json:"audits_per_mille"`
	AuditWitness     string         `json:"audit_witness"`       // party whose cosignature draws audits
	SupervisionUnder []Supervision  `json:"supervision_by_risk"` // exactly risks 0, 1, 2
}

// StepRule is one step that a kind of visit requires.
type StepRule struct {
	Kind   string `json:"kind"`
	Step   string `json:"step"`
	By     string `json:"by"` // role
	Photos int    `json:"photos"`
}

// Model is one approved listing: model, hardware and firmware, with its expiry and family course. An
// x in hardware or firmware stands for one letter or digit, as PCI PTS listings print it.
type Model struct {
	Model     string         `json:"model"`
	Hardware  string         `json:"hardware"`
	Firmware  string         `json:"firmware"`
	Listing   string         `json:"listing"` // e.g. PCI PTS 4-30432
	Expires   statement.Time `json:"expires"`
	BootState string         `json:"boot_state"`
	Course    string         `json:"course"`
}

// Supervision says how a risk level is watched: merchant, remote or present.
type Supervision struct {
	Risk int    `json:"risk"`
	Mode string `json:"mode"`
}

// How a visit is supervised.
const (
	WatchedByMerchant = "merchant"
	WatchedRemotely   = "remote"
	WatchedPresent    = "present"
)

// Bounds in code for values that an acquirer sets.
const (
	minRadiusMetres = 20
	maxRadiusMetres = 1000
	maxTerminals    = 200
	maxTrialMinutes = 30
	maxPhotos       = 10 // of one step
	maxParametersOn = 100 * 24 * time.Hour
)

var (
	errParametersEmpty   = fault.New(fault.Refused, "parameters_empty", "收单机构的参数表是空的或缺项。", "The acquirer's parameters are empty or incomplete.")
	errParametersAbsurd  = fault.New(fault.Refused, "parameters_out_of_bounds", "收单机构的参数超出了允许范围。", "A parameter lies outside the bounds that the rules allow.")
	errParametersStale   = fault.New(fault.Refused, "parameters_stale", "收单机构的参数表过期了。", "The acquirer's parameters are past their date.")
	errParametersAnother = fault.New(fault.Refused, "parameters_of_another", "参数表是别的机构的。", "These parameters belong to another acquirer.")
	errModelUnknown      = fault.New(fault.Refused, "model_not_approved", "这个型号（或硬件、软件版本）不在批准清单里。", "This model, hardware or firmware is not on the approved list.")
	errModelExpired      = fault.New(fault.Refused, "model_listing_expired", "这个型号的批准已经过期。", "The model's approved listing has expired.")
)

// ReadParameters reads an acquirer's parameters and checks every bound.
func ReadParameters(v statement.Verified, acquirer string) (Parameters, error) {
	var p Parameters
	if err := v.Body(TypeParameters, &p); err != nil {
		return Parameters{}, err
	}
	if p.Acquirer != acquirer || v.Header().Organisation != acquirer {
		return Parameters{}, errParametersAnother
	}
	if err := p.check(); err != nil {
		return Parameters{}, err
	}
	return p, nil
}

func (p Parameters) check() error {
	for _, f := range []struct {
		name  string
		empty bool
	}{
		{"number", p.Number < 1},
		{"security_course", p.SecurityCourse == ""},
		{"steps", len(p.Steps) == 0},
		{"models", len(p.Models) == 0},
		{"audit_witness", p.AuditWitness == ""},
	} {
		if f.empty {
			return errParametersEmpty.At(f.name)
		}
	}
	for _, f := range []struct {
		name            string
		value, min, max int
	}{
		{"radius_metres", p.RadiusMetres, minRadiusMetres, maxRadiusMetres},
		{"terminals_per_identity", p.TerminalsPerID, 1, maxTerminals},
		{"trial_minutes", p.TrialMinutes, 1, maxTrialMinutes},
		{"audits_per_mille", p.AuditsPerMille, 1, 1000},
	} {
		if f.value < f.min || f.value > f.max {
			return errParametersAbsurd.At(f.name)
		}
	}
	span, err := Period(p.IssuedAt, p.NextAt)
	if err != nil {
		return fault.At(err, "next_at")
	}
	if span.until.Sub(span.from) > maxParametersOn {
		return errParametersAbsurd.At("next_at")
	}
	return p.checkLists()
}

func (p Parameters) checkLists() error {
	for i, s := range p.Steps {
		if s.Kind == "" || s.Step == "" || s.By == "" || s.Photos < 0 || s.Photos > maxPhotos {
			return errParametersAbsurd.At("steps")
		}
		again := func(o StepRule) bool { return o.Kind == s.Kind && o.Step == s.Step && o.By == s.By }
		if slices.ContainsFunc(p.Steps[:i], again) {
			return errParametersAbsurd.At("steps")
		}
	}
	for i, m := range p.Models {
		if err := m.check(p.SecurityCourse, p.Models[:i]); err != nil {
			return fault.At(err, "models")
		}
	}
	// A higher risk is never watched less than the design says; an acquirer may only ask for more.
	strict := map[string]int{WatchedByMerchant: 0, WatchedRemotely: 1, WatchedPresent: 2}
	if len(p.SupervisionUnder) != len(strict) {
		return errParametersAbsurd.At("supervision_by_risk")
	}
	for i, s := range p.SupervisionUnder {
		rank, known := strict[s.Mode]
		if s.Risk != i || !known || rank < i {
			return errParametersAbsurd.At("supervision_by_risk")
		}
	}
	return nil
}

// bootStates are the states that a listing may ask for, as package attest names them: a device that
// checks nothing at boot, or failed its check, cannot be approved by writing it on a list.
var bootStates = []string{"verified", "self_signed"}

// check reads one listing. A model has one family course, and it is not the security course that
// everybody takes anyway; a listing stands once, or the order of two would decide.
func (m Model) check(securityCourse string, before []Model) error {
	switch {
	case m.Model == "" || m.Hardware == "" || m.Firmware == "" || m.Listing == "" || m.Course == "":
		return errParametersAbsurd
	case !slices.Contains(bootStates, m.BootState) || m.Course == securityCourse:
		return errParametersAbsurd
	}
	for _, o := range before {
		same := o.Hardware == m.Hardware && o.Firmware == m.Firmware
		if o.Model == m.Model && (same || o.Course != m.Course) {
			return errParametersAbsurd
		}
	}
	for _, pattern := range []string{m.Hardware, m.Firmware} {
		if _, err := identifier.ParseVersionPattern(pattern); err != nil {
			return err
		}
	}
	_, err := m.Expires.Parse()
	return err
}

// Fresh refuses parameters outside their dates. The zero value is never fresh.
func (p Parameters) Fresh(now time.Time) error {
	span, err := Period(p.IssuedAt, p.NextAt)
	if err != nil {
		return errParametersEmpty
	}
	if !span.Holds(now) {
		return errParametersStale
	}
	return nil
}

// StepsFor lists the steps that a kind of visit requires.
func (p Parameters) StepsFor(kind string) []StepRule {
	var out []StepRule
	for _, s := range p.Steps {
		if s.Kind == kind {
			out = append(out, s)
		}
	}
	return out
}

// Supervise says how a risk level is watched; "" for a level that does not exist.
func (p Parameters) Supervise(risk int) string {
	if risk < 0 || risk >= len(p.SupervisionUnder) {
		return ""
	}
	return p.SupervisionUnder[risk].Mode
}

// CourseFor gives the family course of a model, "" for a model that is not listed.
func (p Parameters) CourseFor(model string) string {
	for _, m := range p.Models {
		if m.Model == model {
			return m.Course
		}
	}
	return ""
}

// covers says whether a version fits a listing's pattern; an unreadable pattern covers nothing.
func covers(pattern, version string) bool {
	p, err := identifier.ParseVersionPattern(pattern)
	return err == nil && p.Match(version)
}

// AuditRule is how often closed visits are looked at again, and whose cosignature draws them.
type AuditRule struct {
	PerMille int
	Witness  string // a witness's party
}

// Audits is the rule that these parameters publish.
func (p Parameters) Audits() AuditRule {
	return AuditRule{PerMille: p.AuditsPerMille, Witness: p.AuditWitness}
}

// Approved finds the unexpired listing that covers model, hardware and firmware.
func (p Parameters) Approved(model, hardware, firmware string, now time.Time) (Model, error) {
	expired := false
	for _, m := range p.Models {
		if m.Model != model || !covers(m.Hardware, hardware) || !covers(m.Firmware, firmware) {
			continue
		}
		if until, err := m.Expires.Parse(); err != nil || !now.Before(until) {
			expired = true
			continue
		}
		return m, nil
	}
	if expired {
		return Model{}, errModelExpired
	}
	return Model{}, errModelUnknown
}
