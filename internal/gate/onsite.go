package gate

import (
	"slices"
	"time"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/registry"
	"github.com/menshen-project/menshen/internal/visit"
)

// Bounds of the work on site. They are rules, not parameters.
const (
	admissionHolds   = 4 * time.Hour
	nonceAnswered    = 10 * time.Minute
	attestationFresh = 30 * time.Minute
)

type registryPerson = registry.Person

var (
	errNotGenuine     = fault.New(fault.Refused, "door_not_genuine", "上门核对没有通过。", "The door check did not find the badge genuine.")
	errOtherFace      = fault.New(fault.Refused, "door_other_face", "店主说来的人不是照片上的人。", "The merchant said that the face differs.")
	errWeakDoor       = fault.New(fault.Refused, "door_only_weak", "上门核对只做了一部分。", "The door was only partly checked; that never counts.")
	errAdmissionOld   = fault.New(fault.Refused, "admission_too_old", "上门核对已经超过四小时，要重新核对。", "The door check is over four hours old and must be done again.")
	errAdmissionAhead = fault.New(fault.Refused, "admission_from_future", "上门核对的时间比现在还晚。", "The door check is dated after now.")
	errIssuerOther    = fault.New(fault.Refused, "badge_issuer_not_dispatched", "工作证不是派工单上写的单位发的。", "The badge is of another issuer than the dispatch names.")
	errNotEmployer    = fault.New(fault.Refused, "badge_issuer_not_employer", "发工作证的不是上门人员自己的单位。", "The badge's issuer is not the organisation that the technician works for.")
	errBadgeOther     = fault.New(fault.Refused, "badge_of_another", "出示工作证的不是派来的人。", "The badge is not of the person who was dispatched.")
	errNameOther      = fault.New(fault.Refused, "badge_name_differs", "工作证上的人和派工单上的不是同一个名字。", "The badge commits to another name than the dispatch.")
	errPhotoOther     = fault.New(fault.Refused, "badge_photo_differs", "工作证上的照片和派工单上的不是同一张。", "The badge commits to another photo than the dispatch.")
	errNoReading      = fault.New(fault.Refused, "place_no_reading", "没有任何位置记录。", "There is no reading of the position.")
	errOutside        = fault.New(fault.Refused, "place_outside", "有位置记录不在店铺范围内。", "A reading of the position lies outside the shop's radius.")
	errNotOpened      = fault.New(fault.Refused, "not_opened", "有承诺的内容没有打开，不能判断。", "A commitment was not opened, so it cannot be judged.")
	errNoArrival      = fault.New(fault.Refused, "arrival_missing", "机具到店没有扫码核对。", "The device was not scanned on arrival.")
	errDeviceOther    = fault.New(fault.Refused, "device_not_dispatched", "到店的机具不是派来的那一台。", "The device at the counter is not the one that was dispatched.")
	errHolderOther    = fault.New(fault.Refused, "custody_with_another", "机具不在派来的人手里。", "The device is not in the custody of the technician who was dispatched.")
	errModelDiffers   = fault.New(fault.Refused, "model_differs", "机具的型号和订单上的不一致。", "Order and device do not name the same model.")
	errModelMakers    = fault.New(fault.Refused, "model_not_the_makers", "机具自报的型号和出厂记录不一致。", "The device claims to be another model than its maker shipped.")
	errBoundElsewhere = fault.New(fault.Refused, "serial_bound_elsewhere", "这台机具已经绑在别处了。", "This serial has another open binding.")
	errNotBound       = fault.New(fault.Refused, "serial_not_bound_here", "登记里这台机具不是这家店的。", "The register does not bind this serial to this merchant.")
	errTerminalUsed   = fault.New(fault.Refused, "terminal_code_used", "这个终端号已经给了别的机具。", "The terminal code already belongs to another serial.")
	errLookOther      = fault.New(fault.Refused, "binding_not_looked_up", "登记摘录没有查过这台机具。", "The register extract did not look at this serial and terminal code.")
	errNoQuote        = fault.New(fault.Refused, "attestation_missing", "机具还没有自证。", "The device has not attested itself.")
	errNonceLate      = fault.New(fault.Refused, "attestation_answered_late", "机具回答得太晚。", "The device answered the nonce too late.")
	errQuoteOld       = fault.New(fault.Refused, "attestation_too_old", "机具的自证太旧，要重做。", "The device's attestation is too old and must be done again.")
	errQuoteStale     = fault.New(fault.Refused, "attestation_before_acceptance", "试交易之后机具还没有再自证一次。", "The device has not attested itself again since the acceptance report.")
	errQuoteEarly     = fault.New(fault.Refused, "attestation_before_challenge", "机具的回答早于提问。", "The device answered before it was asked.")
	errQuoteAhead     = fault.New(fault.Refused, "attestation_from_future", "机具自证的时间比现在还晚。", "The device's attestation is dated after now.")
	errKeyTried       = fault.New(fault.Refused, "device_key_not_the_trials", "机具的密钥不是试交易时的那一把。", "The device's key is not the one that the trial was run with.")
	errKeyOther       = fault.New(fault.Refused, "device_key_differs", "机具的密钥不是出厂登记的那一把。", "The device's key is not the one that its maker vouched for.")
	errKeyBound       = fault.New(fault.Refused, "device_key_not_the_bindings", "机具的密钥不是上线时的那一把：机器被换过或刷过。", "The device's key is not the one that went live here: it was swapped or re-flashed.")
	errBootState      = fault.New(fault.Refused, "device_boot_state", "机具的启动状态不正常。", "The device's boot state is not the listed one.")
	errDemoDevice     = fault.New(fault.Refused, "device_simulated", "模拟机具只能用在演示里。", "A simulated device counts only under a demonstration's trust file.")
	errNotBackedUp    = fault.New(fault.Refused, "backup_not_proven", "备份没有用恢复证明过。", "The backup was not proven by a restore.")
)

func technicianAdmitted(f *Facts, now time.Time) finding {
	a, err := f.Admission.get()
	if err != nil {
		return rerun(err, f.Admission.From...)
	}
	return rerun(a.holds(f, now), f.Admission.From...)
}

// Admits is the condition technician-admitted by itself, for whoever shows a verdict before the merchant
// has signed it. It decides nothing.
func Admits(f Facts, now time.Time) error { return technicianAdmitted(&f, now).err }

func (a Admission) holds(f *Facts, now time.Time) error {
	technician, err := f.Technician.get()
	switch {
	case err != nil:
		return err
	case !a.Genuine:
		return errNotGenuine
	case a.Mode != visit.ModeOnline && a.Mode != visit.ModeOffline:
		return errWeakDoor
	case !a.SameFace:
		return errOtherFace
	case a.StaffOf != f.Assigned.Issuer:
		return errIssuerOther
	case a.StaffOf != technician.Organisation: // at most one hop: the provider sends its own people
		return errNotEmployer
	case a.BadgeFor != f.Assigned.Technician && (a.BadgeFor != "" || a.BadgeKey != technician.Key):
		return errBadgeOther // a badge that nobody recorded falls below, unless another's key shows first whose it is not
	case a.Name != f.Assigned.Name: // else the merchant would look at one photo and admit another's badge
		return errNameOther
	case a.Photo != f.Assigned.Photo:
		return errPhotoOther
	case now.Before(a.At):
		return errAdmissionAhead
	case now.Sub(a.At) > admissionHolds:
		return errAdmissionOld
	case a.Status != nil:
		return a.Status
	case a.BadgeFor != f.Assigned.Technician:
		return errBadgeOther
	}
	return a.TechnicianIn
}

func placeMatches(f *Facts) finding {
	place, err := f.Place.get()
	if err != nil {
		return rerun(err, f.Place.From...)
	}
	p, err := f.Parameters.get()
	if err != nil {
		return rerun(err)
	}
	for _, r := range place.Readings {
		if r.Metres < 0 || r.Metres > p.RadiusMetres {
			return rerun(errOutside, f.Place.From...)
		}
	}
	if place.Unopened > 0 {
		return finding{err: errNotOpened, basis: Unopened, evidence: f.Place.From, unopened: true}
	}
	if len(place.Readings) == 0 {
		return rerun(errNoReading, f.Place.From...)
	}
	return rerun(nil, f.Place.From...)
}

func modelApproved(f *Facts, now time.Time) finding {
	p, err := f.Parameters.get()
	if err != nil {
		return rerun(err)
	}
	if err := p.Fresh(now); err != nil {
		return rerun(err, f.Parameters.From...)
	}
	order, err := f.Order.get()
	if err != nil {
		return rerun(err)
	}
	quote, err := f.lastQuote()
	if err != nil {
		return rerun(err, f.Quotes.From...)
	}
	if quote.Quote.Model() != order.Model {
		return rerun(errModelDiffers, f.Quotes.From...)
	}
	// What the device says of itself is only as honest as its software; the maker says what left his works.
	if c, err := f.Custody.get(); err == nil && (c.Model() != quote.Quote.Model() || c.Hardware() != quote.Quote.Hardware()) {
		return rerun(errModelMakers, slices.Concat(f.Custody.From, f.Quotes.From)...)
	}
	_, err = p.Approved(quote.Quote.Model(), quote.Quote.Hardware(), quote.Quote.Firmware(), now)
	return rerun(err, slices.Concat(f.Parameters.From, f.Quotes.From)...)
}

func (f *Facts) lastQuote() (Attestation, error) {
	quotes, err := f.Quotes.get()
	if err != nil {
		return Attestation{}, err
	}
	if len(quotes) == 0 {
		return Attestation{}, errNoQuote
	}
	last := quotes[len(quotes)-1]
	if !last.Quote.OK() {
		return Attestation{}, errUnverified
	}
	return last, nil
}

func bindingUnique(f *Facts) finding {
	x, err := f.Extract.get()
	if err != nil {
		return attested(err)
	}
	order, err := f.Order.get()
	if err != nil {
		return attested(err)
	}
	b := x.Binding
	if b.Serial == "" || b.Serial != f.Assigned.Serial || b.Terminal != order.Terminal {
		return attested(errLookOther, f.Extract.From...)
	}
	switch f.Column() {
	case visit.Inspection, RepairUntouched, visit.Repair:
		return attested(boundHere(b, order), f.Extract.From...)
	case visit.Swap:
		if err := f.swapsOwn(x, order); err != nil {
			return attested(err, f.Extract.From...)
		}
	case visit.Relocation:
		if got := f.moves(order); got.err != nil {
			return got
		}
	}
	if b.SerialBoundTo != "" && b.SerialBoundTo != order.Order {
		return attested(errBoundElsewhere, f.Extract.From...)
	}
	if b.TerminalOn != "" && b.TerminalOn != b.Serial {
		return attested(errTerminalUsed, f.Extract.From...)
	}
	return attested(nil, f.Extract.From...)
}

func custodyUnbroken(f *Facts) finding {
	if f.ask == visit.AskClose {
		return f.takenBack()
	}
	c, err := f.Custody.get()
	if err != nil {
		return rerun(err, f.Custody.From...)
	}
	switch {
	case !c.OK():
		err = errUnverified
	case f.Kind == visit.Repair && c.Holder() == f.merchantID() && c.Serial() == f.Assigned.Serial: // it never left the shop
	case !c.Arrived():
		err = errNoArrival
	case c.Serial() != f.Assigned.Serial:
		err = errDeviceOther
	case c.Holder() != f.Assigned.Technician:
		err = errHolderOther
	}
	return rerun(err, f.Custody.From...)
}

func deviceGenuine(f *Facts, now time.Time, again bool) finding {
	quote, err := f.lastQuote()
	if err != nil {
		return rerun(err, f.Quotes.From...)
	}
	return rerun(f.genuine(quote, now, again), f.Quotes.From...)
}

func (f *Facts) genuine(q Attestation, now time.Time, again bool) error {
	c, err := f.Custody.get()
	if err != nil {
		return err
	}
	p, err := f.Parameters.get()
	if err != nil {
		return err
	}
	switch {
	case q.Quote.Serial() != f.Assigned.Serial:
		return errDeviceOther
	case c.DeviceKey() != "" && c.DeviceKey() != q.Quote.Key():
		return errKeyOther
	case f.boundKey() != "" && f.boundKey() != q.Quote.Key():
		return errKeyBound
	case q.AnswerAt.Before(q.AskedAt):
		return errQuoteEarly
	case q.AnswerAt.Sub(q.AskedAt) > nonceAnswered:
		return errNonceLate
	case now.Before(q.AnswerAt):
		return errQuoteAhead
	case now.Sub(q.AnswerAt) > attestationFresh:
		return errQuoteOld
	case q.Quote.Demonstration() && !f.Demo:
		return errDemoDevice
	}
	listed, err := p.Approved(q.Quote.Model(), q.Quote.Hardware(), q.Quote.Firmware(), now)
	if err != nil {
		return err
	}
	if q.Quote.BootState() != listed.BootState {
		return errBootState
	}
	if again {
		return f.attestedAgain(q)
	}
	return nil
}

// attestedAgain asks for an answer to a nonce that was made after the acceptance report came in, by the
// same key that the trial's keys were loaded for.
func (f *Facts) attestedAgain(q Attestation) error {
	a, err := f.Acceptance.get()
	if err != nil {
		return err
	}
	if q.Number <= a.Number {
		return errQuoteStale
	}
	trial, err := f.loadedTrial()
	if err != nil {
		return err
	}
	if trial.Body.Permit.DeviceKey != q.Quote.Key() {
		return errKeyTried
	}
	return nil
}

func dataBackedUp(f *Facts) finding {
	b, err := f.Backup.get()
	if err == nil && !b.Restored && !b.NothingToKeep {
		err = errNotBackedUp
	}
	return rerun(err, f.Backup.From...)
}
