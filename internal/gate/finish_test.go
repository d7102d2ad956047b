package gate_test

import (
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/agreement"
	"github.com/menshen-project/menshen/internal/gate"
	"github.com/menshen-project/menshen/internal/registry"
	"github.com/menshen-project/menshen/internal/visit"
)

func work(f *gate.Facts) *gate.Fact[[]gate.StepDone]         { return &f.Steps }
func signOff(f *gate.Facts) *gate.Fact[visit.SignOff]        { return &f.SignOff }
func confirmed(f *gate.Facts) *gate.Fact[visit.Confirmation] { return &f.Confirmation }
func charges(f *gate.Facts) *gate.Fact[agreement.ChargeList] { return &f.Charges }

func TestStepsComplete(t *testing.T) {
	ofMount := func(change func(*visit.Step)) func(*gate.Facts) {
		return edit(work, func(s *[]gate.StepDone) { change(&(*s)[0].Step) })
	}
	photographed := func(change func(*registry.PhotoLook)) func(*gate.Facts) {
		return ofLook(func(x *registry.Extract) { change(&x.Photos[0]) })
	}
	again := func(done bool, photos ...visit.Photo) func(*gate.Facts) {
		return edit(work, func(s *[]gate.StepDone) {
			*s = append(*s, gate.StepDone{Step: visit.Step{Step: "mount", Done: done, Photos: photos}, Role: visit.RoleTechnician})
		})
	}
	walk(t, gate.StepsComplete, visit.AskLive, gate.Attested, []way{
		{name: "every step with its photos"},
		absent("no parameters", params, "evidence_absent").on(gate.Rerun),
		unknown("parameters that are none", params).on(gate.Rerun),
		{name: "parameters past their date", later: 30 * days, code: "parameters_stale", basis: gate.Rerun},
		{name: "no steps are defined", spoil: ofParams(func(p *registry.Parameters) { p.Steps = p.Steps[2:] }), code: "steps_undefined", basis: gate.Rerun},
		absent("no step", work, "step_missing").on(gate.Rerun),
		unknown("a step that cannot be read", work).on(gate.Rerun),
		{name: "a step left out", spoil: edit(work, func(s *[]gate.StepDone) { *s = (*s)[:1] }), code: "step_missing", basis: gate.Rerun},
		{name: "a step by the wrong person", spoil: edit(work, func(s *[]gate.StepDone) { (*s)[1].Role = visit.RoleTechnician }), code: "step_missing", basis: gate.Rerun},
		{name: "a step not done", spoil: ofMount(func(s *visit.Step) { s.Done = false }), code: "step_missing", basis: gate.Rerun},
		{name: "one photo of two", spoil: ofMount(func(s *visit.Step) { s.Photos = s.Photos[:1] }), code: "step_photos_missing", basis: gate.Rerun},
		{name: "done again, and not done", spoil: again(false), code: "step_missing", basis: gate.Rerun},
		{name: "done again, with other photos", spoil: again(true, photo("right"), photo("shop"))},
		{name: "with a photo of yesterday", spoil: edit(work, func(s *[]gate.StepDone) { (*s)[0].Stray = errWhy }), code: "why", basis: gate.Rerun},
		{name: "more photos than asked", spoil: ofMount(func(s *visit.Step) { s.Photos = append(s.Photos, photo("shop")) })},
		absent("no look into the register", looked, "evidence_absent"),
		unknown("a look that is none", looked),
		{name: "a photo from the gallery", spoil: ofMount(func(s *visit.Step) { s.Photos[1].Source = "gallery" }), code: "photo_not_from_camera"},
		{name: "one photo for two", spoil: ofMount(func(s *visit.Step) { s.Photos[1] = s.Photos[0] }), code: "photo_reused"},
		{name: "a photo of another visit", spoil: photographed(func(l *registry.PhotoLook) { l.SeenIn = "v0" }), code: "photo_reused"},
		{name: "a photo that nobody looked up", spoil: photographed(func(l *registry.PhotoLook) { l.Digest = "another" }), code: "photo_not_looked_up"},
		{name: "steps without photos rest on signatures alone", basis: gate.Rerun, spoil: func(f *gate.Facts) {
			f.Parameters.Value.Steps = []registry.StepRule{{Kind: visit.Install, Step: "check_serial", By: visit.RoleMerchant}}
			f.Extract = gate.Fact[registry.Extract]{}
		}},
		{name: "an inspection has its own steps", kind: visit.Inspection, ask: visit.AskClose},
		{name: "which an installation's do not replace", kind: visit.Inspection, ask: visit.AskClose, basis: gate.Rerun, code: "step_missing",
			spoil: edit(work, func(s *[]gate.StepDone) { *s = stepsFor(visit.Install) })},
	})
}

// on gives the same way on another basis.
func (w way) on(basis string) way { w.basis = basis; return w }

func TestSupervised(t *testing.T) {
	risk := func(level int, mode string) func(*gate.Facts) {
		return func(f *gate.Facts) { f.Order.Value.Risk, f.SignOff.Value.Mode = level, mode }
	}
	walk(t, gate.Supervised, visit.AskLive, gate.Rerun, []way{
		{name: "risk 1, from afar"},
		{name: "risk 1, and he came", spoil: risk(1, "present")},
		{name: "risk 2, and he came", spoil: risk(2, "present")},
		{name: "risk 2, from afar", spoil: risk(2, "remote"), code: "supervisor_not_present"},
		{name: "risk 1, in no known way", spoil: risk(1, "asleep"), code: "sign_off_mode_unknown"},
		{name: "risk 2, in no known way", spoil: risk(2, ""), code: "sign_off_mode_unknown"},
		{name: "risk 0 is the merchant's", spoil: func(f *gate.Facts) { f.Order.Value.Risk, f.SignOff = 0, gate.Fact[visit.SignOff]{} }},
		{name: "a risk that does not exist", spoil: risk(3, "present"), code: "supervision_undefined"},
		{name: "a risk below none", spoil: risk(-1, "present"), code: "supervision_undefined"},
		absent("no order", order, "evidence_absent"),
		unknown("an order that is not one", order),
		absent("no parameters", params, "evidence_absent"),
		unknown("parameters that are none", params),
		absent("nobody signed", signOff, "supervisor_not_signed"),
		{name: "another signed", spoil: func(f *gate.Facts) { f.SignOff = gate.Unknown[visit.SignOff](errWhy) }, code: "why"},
		{name: "not satisfied", spoil: edit(signOff, func(s *visit.SignOff) { s.Satisfied = false }), code: "supervisor_not_satisfied"},
	})
}

func TestAcceptancePassed(t *testing.T) {
	w := city()
	// ran gives a report of a trial that began and ended at these times; its permit was decided 20 minutes
	// before noon and holds until 10 minutes after.
	ran := func(started, listed time.Duration) func(*gate.Facts) {
		return edit(tried, func(a *gate.Acceptance) { a.Report = w.accepted(w.trial, started, listed) })
	}
	decided := func(change func(*visit.Decision)) func(*gate.Facts) {
		return edit(permit, func(d *trialFact) {
			p := *d.Body.Permit
			d.Body.Permit = &p
			change(&d.Body)
		})
	}
	walk(t, gate.AcceptancePassed, visit.AskLive, gate.Rerun, []way{
		{name: "over the last trial"},
		absent("no trial", permit, "trial_not_loaded"),
		unknown("a trial that was cancelled", permit),
		{name: "a decision without a permit", spoil: edit(permit, func(d *trialFact) { d.Body.Permit = nil }), code: "trial_not_loaded"},
		absent("no report", tried, "evidence_absent"),
		unknown("a step failed", tried),
		{name: "of the trial before", spoil: func(f *gate.Facts) {
			f.TrialPermit = gate.Known(w.trialPermit(w.quotes[0].Key(), -19*time.Minute, 10*time.Minute))
		}, code: "acceptance_other_permit"},
		{name: "begun as the permit was decided", spoil: ran(-20*time.Minute, -5*time.Minute)},
		{name: "begun a second before: clocks differ", spoil: ran(-20*time.Minute-time.Second, -5*time.Minute)},
		{name: "begun two seconds before", spoil: ran(-20*time.Minute-2*time.Second, -5*time.Minute), code: "acceptance_outside_permit"},
		{name: "ended with the permit", spoil: ran(0, 10*time.Minute)},
		{name: "ended a second after", spoil: ran(0, 10*time.Minute+time.Second)},
		{name: "ended two seconds after", spoil: ran(0, 10*time.Minute+2*time.Second), code: "acceptance_outside_permit"},
		{name: "a permit of no time", spoil: decided(func(d *visit.Decision) { d.DecidedAt = "" }), code: "acceptance_outside_permit"},
		{name: "a permit without end", spoil: decided(func(d *visit.Decision) { d.Permit.Until = "never" }), code: "acceptance_outside_permit"},
	})
}

func TestFeesWithinSheet(t *testing.T) {
	w := city()
	charged := func(code string, fen int64, kind string) func(*gate.Facts) {
		c := agreement.Charge{At: at(-9 * time.Minute), Code: code, AmountFen: fen, Kind: kind, Reference: "pay1"}
		return edit(tried, func(a *gate.Acceptance) { a.Report = w.accepted(w.trial, -10*time.Minute, -5*time.Minute, c) })
	}
	earlier := func(f *gate.Facts) { // the trial before took its cent too, and the list holds both
		before := w.trialPermit(w.quotes[0].Key(), -40*time.Minute, -30*time.Minute)
		first := w.accepted(before, -38*time.Minute, -37*time.Minute)
		cent := first.Trial().Report().Charges[0]
		cent.Reference = "r1"
		f.Acceptance.Value.Report = w.accepted(w.trial, -10*time.Minute, -5*time.Minute)
		f.Acceptance.Value.Earlier = []agreement.TrialVerified{first.Trial()}
	}
	walk(t, gate.FeesWithinSheet, visit.AskLive, gate.Rerun, []way{
		{name: "the test cent only"},
		{name: "the deposit on the sheet", spoil: charged(agreement.ItemDeposit, 29900, agreement.ChargeSheet)},
		{name: "a trial before this one", spoil: earlier},
		{name: "an earlier trial that nobody verified", spoil: edit(tried, func(a *gate.Acceptance) { a.Earlier = make([]agreement.TrialVerified, 1) }), code: "acceptance_unverified"},
		{name: "a cent over the deposit", spoil: charged(agreement.ItemDeposit, 29901, agreement.ChargeSheet), code: "fees_outside_sheet"},
		{name: "an activation fee", spoil: charged(agreement.ItemActivation, 100, agreement.ChargeSheet), code: "fees_outside_sheet"},
		{name: "something else", spoil: charged("gift", 1, agreement.ChargeOther), code: "fees_outside_sheet"},
		absent("the merchant did not say", confirmed, "evidence_absent"),
		unknown("somebody else said", confirmed),
		{name: "the merchant paid beside it", spoil: edit(confirmed, func(c *visit.Confirmation) { c.PaidNothingBeside = false }), code: "merchant_paid_beside"},
		absent("no sheet", agreed, "evidence_absent"),
		unknown("sheets that differ", agreed),
		absent("no report", tried, "evidence_absent"),
		unknown("a report that did not pass", tried),
		{name: "an inspection costs nothing", kind: visit.Inspection, ask: visit.AskClose},
		{name: "inspected without the host's list", kind: visit.Inspection, ask: visit.AskClose, spoil: func(f *gate.Facts) { *charges(f) = gate.Fact[agreement.ChargeList]{} }, code: "evidence_absent"},
		{name: "inspected, list of another host", kind: visit.Inspection, ask: visit.AskClose, spoil: func(f *gate.Facts) { *charges(f) = gate.Unknown[agreement.ChargeList](errWhy) }, code: "why"},
		{name: "inspected and charged", kind: visit.Inspection, ask: visit.AskClose, code: "charge_without_sheet",
			spoil: edit(charges, func(l *agreement.ChargeList) { l.Charges = []agreement.Charge{{AmountFen: 1}} })},
		{name: "inspected and paid in cash", kind: visit.Inspection, ask: visit.AskClose, code: "merchant_paid_beside",
			spoil: edit(confirmed, func(c *visit.Confirmation) { c.PaidNothingBeside = false })},
	})
}

func TestMerchantConfirmed(t *testing.T) {
	walk(t, gate.MerchantConfirmed, visit.AskLive, gate.Rerun, []way{
		{name: "works, shown, protected"},
		absent("the merchant did not say", confirmed, "evidence_absent"),
		unknown("somebody else said", confirmed),
		{name: "does not work", spoil: edit(confirmed, func(c *visit.Confirmation) { c.Works = false }), code: "merchant_says_not_working"},
		{name: "staff not shown", spoil: edit(confirmed, func(c *visit.Confirmation) { c.StaffShown = false }), code: "staff_not_shown"},
		{name: "refunds open", spoil: edit(confirmed, func(c *visit.Confirmation) { c.RefundsProtected = false }), code: "refunds_without_password"},
		{name: "paid beside is another condition's", spoil: edit(confirmed, func(c *visit.Confirmation) { c.PaidNothingBeside = false })},
	})
}
