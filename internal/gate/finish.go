package gate

import (
	"slices"
	"time"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/registry"
	"github.com/menshen-project/menshen/internal/visit"
)

var (
	errStepMissing     = fault.New(fault.Refused, "step_missing", "有必做的步骤没做，或没有证据。", "A required step is missing or lacks its evidence.")
	errStepPhotos      = fault.New(fault.Refused, "step_photos_missing", "有步骤缺照片。", "A step lacks its photos.")
	errPhotoSource     = fault.New(fault.Refused, "photo_not_from_camera", "照片不是在页面里当场拍的。", "A photo was not taken with the page's camera.")
	errPhotoReused     = fault.New(fault.Refused, "photo_reused", "有照片以前用过。", "A photo was used before.")
	errPhotoUnseen     = fault.New(fault.Refused, "photo_not_looked_up", "登记摘录没有查过其中一张照片。", "The register extract did not look at one of the photos.")
	errNoSteps         = fault.New(fault.Refused, "steps_undefined", "收单机构没有规定这种上门的步骤。", "The acquirer's parameters name no steps for this kind of visit.")
	errNoSignOff       = fault.New(fault.Refused, "supervisor_not_signed", "监督人员还没有签字认可。", "The supervisor has not signed off.")
	errNotSatisfied    = fault.New(fault.Refused, "supervisor_not_satisfied", "监督人员不认可这次上门。", "The supervisor is not satisfied.")
	errNotPresent      = fault.New(fault.Refused, "supervisor_not_present", "这一风险等级要求监督人员到场。", "This risk level needs the supervisor to be present.")
	errModeUnknown     = fault.New(fault.Refused, "sign_off_mode_unknown", "监督人员没有写明是远程还是到场。", "The sign-off says neither remote nor present.")
	errNoTrial         = fault.New(fault.Refused, "trial_not_loaded", "收单主机还没有装载试用密钥。", "The acquirer's host has not loaded trial keys.")
	errTrialOther      = fault.New(fault.Refused, "acceptance_other_permit", "验收报告不是最后一次试用的。", "The acceptance report is not about the last trial permit.")
	errOutsidePermit   = fault.New(fault.Refused, "acceptance_outside_permit", "验收不在试用许可的时间之内。", "The acceptance was not run within the trial permit's time.")
	errDoesNotWork     = fault.New(fault.Refused, "merchant_says_not_working", "店主说还不能正常用。", "The merchant says that it does not work.")
	errNotShown        = fault.New(fault.Refused, "staff_not_shown", "店员还没有学会怎么用。", "The merchant's staff were not shown how to use it.")
	errRefundsOpen     = fault.New(fault.Refused, "refunds_without_password", "退款还没有设密码。", "Refunds are not protected by a password.")
	errPaidBeside      = fault.New(fault.Refused, "merchant_paid_beside", "店主说付过订单以外的钱。", "The merchant says that something beside the sheet was paid.")
	errSupervisionNone = fault.New(fault.Refused, "supervision_undefined", "没有规定这一风险等级怎么监督。", "No supervision is defined for this risk level.")
)

func stepsComplete(f *Facts, now time.Time) finding {
	p, err := f.Parameters.get()
	if err != nil {
		return rerun(err)
	}
	if err := p.Fresh(now); err != nil {
		return rerun(err, f.Parameters.From...)
	}
	if f.Column() == RepairUntouched {
		if _, err := f.Work.or(errWorkUnsaid); err != nil {
			return rerun(err, f.Work.From...)
		}
	}
	required := p.StepsFor(f.Kind)
	if len(required) == 0 {
		return rerun(errNoSteps, f.Parameters.From...)
	}
	steps, err := f.Steps.or(errStepMissing)
	if err != nil {
		return rerun(err, f.Steps.From...)
	}
	photos := make([]visit.Photo, 0, 8)
	for _, r := range required {
		done, err := doneStep(steps, r)
		if err != nil {
			return rerun(err, f.Steps.From...)
		}
		photos = append(photos, done.Photos...)
	}
	// Whether a photo was used before is known only from the register: that part is attested.
	if len(photos) == 0 {
		return rerun(nil, f.Steps.From...)
	}
	x, err := f.Extract.get()
	if err != nil {
		return attested(err)
	}
	return attested(photosFresh(photos, x), slices.Concat(f.Steps.From, f.Extract.From)...)
}

// doneStep finds the latest record of a required step and checks it; the latest counts, so that a
// step can be done again but not be un-done by an older record.
func doneStep(steps []StepDone, r registry.StepRule) (visit.Step, error) {
	for _, s := range slices.Backward(steps) {
		if s.Step.Step != r.Step || s.Role != r.By {
			continue
		}
		if !s.Step.Done {
			return visit.Step{}, errStepMissing.At(r.Step)
		}
		if len(s.Step.Photos) < r.Photos {
			return visit.Step{}, errStepPhotos.At(r.Step)
		}
		if s.Stray != nil {
			return visit.Step{}, s.Stray
		}
		return s.Step, nil
	}
	return visit.Step{}, errStepMissing.At(r.Step)
}

func photosFresh(photos []visit.Photo, x registry.Extract) error {
	seen := map[string]bool{}
	for _, p := range photos {
		if p.Source != visit.PageCamera {
			return errPhotoSource
		}
		if seen[p.Digest] {
			return errPhotoReused
		}
		seen[p.Digest] = true
		i := slices.IndexFunc(x.Photos, func(l registry.PhotoLook) bool { return l.Digest == p.Digest })
		if i < 0 {
			return errPhotoUnseen
		}
		if x.Photos[i].SeenIn != "" {
			return errPhotoReused
		}
	}
	return nil
}

func supervised(f *Facts) finding {
	order, err := f.Order.get()
	if err != nil {
		return rerun(err)
	}
	p, err := f.Parameters.get()
	if err != nil {
		return rerun(err)
	}
	mode := p.Supervise(order.Risk)
	switch mode {
	case "":
		return rerun(errSupervisionNone, f.Parameters.From...)
	case registry.WatchedByMerchant:
		return rerun(nil, f.Parameters.From...)
	}
	s, err := f.SignOff.get()
	switch {
	case err != nil && f.SignOff.Err == nil:
		err = errNoSignOff
	case err != nil:
	case !s.Satisfied:
		err = errNotSatisfied
	case s.Mode != registry.WatchedRemotely && s.Mode != registry.WatchedPresent:
		err = errModeUnknown
	case mode == registry.WatchedPresent && s.Mode != registry.WatchedPresent:
		err = errNotPresent
	}
	return rerun(err, f.SignOff.From...)
}

// permitLeeway is how far the host's clock may differ from menshen's: times in signed bytes are whole
// seconds, cut.
const permitLeeway = time.Second

func acceptancePassed(f *Facts) finding {
	trial, err := f.loadedTrial()
	if err != nil {
		return rerun(err, f.TrialPermit.From...)
	}
	a, err := f.Acceptance.get()
	if err != nil {
		return rerun(err, f.Acceptance.From...)
	}
	return rerun(a.over(trial), slices.Concat(f.TrialPermit.From, f.Acceptance.From)...)
}

// loadedTrial is the last trial permit, which the host answered "loaded".
func (f *Facts) loadedTrial() (visit.Recorded[visit.Decision], error) {
	trial, err := f.TrialPermit.or(errNoTrial)
	if err == nil && trial.Body.Permit == nil {
		err = errNoTrial
	}
	return trial, err
}

// over holds a passed report to the trial permit and its time: begun once it was decided, and its
// charges listed before it ended.
func (a Acceptance) over(trial visit.Recorded[visit.Decision]) error {
	if !a.Report.OK() {
		return errUnverified
	}
	if a.Report.Permit() != trial.Event.Statement.Digest() {
		return errTrialOther
	}
	from, errF := trial.Body.DecidedAt.Parse()
	until, errU := trial.Body.Permit.Until.Parse()
	early := a.Report.StartedAt().Before(from.Add(-permitLeeway))
	late := a.Report.ListedAt().After(until.Add(permitLeeway))
	if errF != nil || errU != nil || early || late {
		return errOutsidePermit
	}
	return nil
}

func feesWithinSheet(f *Facts) finding {
	c, err := f.Confirmation.get()
	if err != nil {
		return rerun(err, f.Confirmation.From...)
	}
	if !c.PaidNothingBeside {
		return rerun(errPaidBeside, f.Confirmation.From...)
	}
	if col := f.Column(); col == visit.Inspection || col == RepairUntouched {
		return rerun(f.chargesFree(), f.Charges.From...)
	}
	a, err := f.Agreement.get()
	if err != nil {
		return rerun(err, f.Agreement.From...)
	}
	if f.Kind == visit.Removal {
		return rerun(f.chargesOnSheet(a), slices.Concat(f.Charges.From, f.Confirmation.From)...)
	}
	report, err := f.Acceptance.get()
	if err != nil {
		return rerun(err, f.Acceptance.From...)
	}
	return rerun(a.Covers(report.Report, report.Earlier...), slices.Concat(f.Acceptance.From, f.Confirmation.From)...)
}

// chargesFree asks of a visit without a sheet that the host's list shows no charge of any kind.
func (f *Facts) chargesFree() error {
	c, err := f.Charges.get()
	if err != nil {
		return err
	}
	return c.None()
}

func merchantConfirmed(f *Facts) finding {
	if f.ask == visit.AskEnd {
		return f.mayEnd()
	}
	c, err := f.Confirmation.get()
	switch {
	case err != nil:
	case !c.Works:
		err = errDoesNotWork
	case f.Kind == visit.Removal: // nothing is left to be shown or protected
	case !c.StaffShown:
		err = errNotShown
	case !c.RefundsProtected:
		err = errRefundsOpen
	}
	return rerun(err, f.Confirmation.From...)
}

// inDate finds a certificate of the technician's that holds now; else the reason why there is none.
func (f *Facts) inDate(certificates []registry.Certificate, course string, now time.Time) error {
	lapsed := false
	for _, c := range certificates {
		if c.Course != course || c.Holder != f.Assigned.Technician {
			continue
		}
		span, bad := registry.Period(c.From, c.Until)
		if bad == nil && span.Holds(now) {
			return nil
		}
		lapsed = true
	}
	switch why := f.Uncounted[course]; {
	case lapsed:
		return errCourseLapsed.At(course)
	case why != nil:
		return why
	}
	return errUntrained.At(course)
}
