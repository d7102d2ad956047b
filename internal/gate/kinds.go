package gate

import (
	"slices"
	"time"

	"github.com/menshen-project/menshen/internal/agreement"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/registry"
	"github.com/menshen-project/menshen/internal/visit"
)

var (
	errOldUnnamed    = fault.New(fault.Refused, "old_terminal_unnamed", "订单没有写明旧机是哪一台，或者写的不对。", "The order does not name the old terminal, or names one that does not fit its kind.")
	errOldCode       = fault.New(fault.Refused, "terminal_code_of_old", "新机要有自己的终端号，旧机的号在它作废以前不能用。", "The new device needs a terminal code of its own until the old one ends.")
	errOldElsewhere  = fault.New(fault.Refused, "old_terminal_not_bound_here", "登记里旧机不是这家店的。", "The register does not bind the old terminal to this merchant.")
	errOldUnknown    = fault.New(fault.Refused, "old_terminal_state_unknown", "收单主机还没有说明旧机能不能用。", "The acquirer's host has not said whether the old terminal works.")
	errOldOther      = fault.New(fault.Refused, "old_terminal_other", "主机说的不是订单上的旧机。", "The host spoke of another terminal than the order's old one.")
	errOutageOpen    = fault.New(fault.Refused, "outage_not_accepted", "旧机不能用了，店主还没有签字同意停用或用备用机。", "The old terminal does not work, and the merchant has not signed for the outage or a loaner.")
	errOldSuspect    = fault.New(fault.Refused, "old_terminal_suspect", "旧机报过丢失或被隔离了，不能当退路；店主还没有签字同意停用或用备用机。", "The old terminal was reported lost or is quarantined and is no way back, and the merchant has not signed for the outage or a loaner.")
	errOutageOther   = fault.New(fault.Refused, "outage_of_another", "店主签字同意停用的是另一台机具。", "The merchant signed for another terminal's outage.")
	errRollbackDue   = fault.New(fault.Refused, "rollback_due", "退回旧机的时间到了，这次不能再上线。", "The rollback timer has run out; this visit goes back to the old terminal.")
	errKeysLive      = fault.New(fault.Refused, "keys_not_ended", "收单主机还没有说明密钥已经作废。", "The host has not signed that the keys are gone.")
	errKeysOther     = fault.New(fault.Refused, "keys_ended_of_another", "主机作废的是另一台机具的密钥。", "The host ended another terminal's keys.")
	errNoConsent     = fault.New(fault.Refused, "end_not_consented", "店主还没有签字同意作废密钥。", "The merchant has not signed that the keys may end.")
	errConsentOther  = fault.New(fault.Refused, "end_consent_of_another", "店主签字同意作废的是另一台机具。", "The merchant consented to the end of another terminal.")
	errNotReturned   = fault.New(fault.Refused, "device_not_handed_back", "店主还没有签字把机具交给上门人员。", "The merchant has not signed the device over to the technician.")
	errLeftEarly     = fault.New(fault.Refused, "device_left_before_keys_ended", "密钥还没作废，机具就先离店了。", "The device left before its keys were gone.")
	errReturnedOther = fault.New(fault.Refused, "device_returned_to_another", "收走的机具不在这家服务商手里。", "The device that was taken away is not in the custody of the order's provider.")
	errSamePlace     = fault.New(fault.Refused, "relocation_same_address", "移机订单上的新旧地址是同一个。", "The relocation keeps the old address.")
	errWorkUnsaid    = fault.New(fault.Refused, "device_work_unsaid", "上门人员没有签字说明有没有拆机。", "The technician has not signed whether the device was opened.")
)

// windsUp says whether the ask only takes power away: then an acquirer that lost its licence is still
// its own keys' owner, and the shop is not left with a terminal that nobody may take back.
func (f *Facts) windsUp() bool { return f.Kind == visit.Removal || f.ask == visit.AskEnd }

func (f *Facts) merchantID() string { return f.Order.Value.Merchant }

// old is the terminal that an order takes over from: the replaced one on a swap, on every other kind
// the device itself.
func (f *Facts) old() (visit.OldTerminal, error) {
	order, err := f.Order.get()
	if err != nil {
		return visit.OldTerminal{}, err
	}
	own := visit.OldTerminal{Serial: f.Assigned.Serial, Terminal: order.Terminal}
	named := visit.OldTerminal{}
	if order.Old != nil {
		named = *order.Old
	}
	bad := false
	switch f.Kind {
	case visit.Swap:
		own, bad = named, named.Serial == own.Serial
	case visit.Relocation:
		bad = named.Serial != own.Serial || named.Terminal != own.Terminal || named.Address == ""
	}
	if bad || own.Serial == "" || own.Terminal == "" {
		return visit.OldTerminal{}, errOldUnnamed
	}
	return own, nil
}

// boundHere wants the register's binding of a device that is at the shop already.
func boundHere(b registry.BindingLook, order visit.Order) error {
	bound := b.BoundAcquirer != "" && b.BoundMerchant != "" // an order without codes would match no binding at all
	if !bound || b.BoundAcquirer != order.Items.AcquirerCode || b.BoundMerchant != order.Items.MerchantCode {
		return errNotBound
	}
	return nil
}

// boundKey is the key that the device at the shop went live with, "" for a device that is new there.
func (f *Facts) boundKey() string {
	if f.Kind == visit.Install || f.Kind == visit.Swap {
		return ""
	}
	return f.Extract.Value.Binding.DeviceKey
}

// swapsOwn wants the old terminal to be this merchant's own, and the new one to have a code of its own.
func (f *Facts) swapsOwn(x registry.Extract, order visit.Order) error {
	old, err := f.old()
	switch {
	case err != nil:
		return err
	case old.Terminal == order.Terminal:
		return errOldCode
	case x.Old == nil || x.Old.Serial != old.Serial || x.Old.Terminal != old.Terminal:
		return errLookOther
	case f.endedHere(*x.Old, order, old):
		return nil
	case boundHere(*x.Old, order) != nil || x.Old.TerminalOn != old.Serial:
		return errOldElsewhere
	}
	return nil
}

// endedHere says whether the old terminal was this merchant's own until its keys were ended, and the host signed in this
// visit that they were. The acquirer may end its keys at any time (design §4), and the shop must still get another terminal.
func (f *Facts) endedHere(b registry.BindingLook, order visit.Order, old visit.OldTerminal) bool {
	ended, err := f.Ended.get()
	return err == nil && ended.Serial == old.Serial && ended.Terminal == old.Terminal &&
		b.Gone() && b.LastAcquirer == order.Items.AcquirerCode && b.LastMerchant == order.Items.MerchantCode &&
		b.BoundAcquirer == "" && b.BoundMerchant == "" && b.SerialBoundTo == "" && b.TerminalOn == ""
}

// moves wants a relocation to be one: the five items name a new address (银发〔2021〕259号, 移机).
func (f *Facts) moves(order visit.Order) finding {
	_, err := f.old()
	if err == nil && order.Old.Address == order.Items.Address {
		err = errSamePlace
	}
	if err != nil {
		return attested(err, f.Order.From...)
	}
	places, err := f.Places.get()
	switch {
	case err != nil:
		return attested(err, f.Places.From...)
	case places.Unopened:
		return finding{err: errNotOpened, basis: Unopened, evidence: f.Order.From, unopened: true}
	case places.Same:
		return attested(errSamePlace, f.Order.From...)
	}
	return attested(nil, f.Order.From...)
}

// rollbackReady holds while the shop can fall back on what it had: the old terminal is live and nobody marked it, or its
// host says that it is not, or it is marked, and the merchant signed for that; and the timer has not run out.
func rollbackReady(f *Facts, now time.Time) finding {
	old, err := f.old()
	if err != nil {
		return rerun(err, f.Order.From...)
	}
	state, err := f.OldState.or(errOldUnknown)
	switch {
	case err != nil:
	case state.Serial != old.Serial || state.Terminal != old.Terminal:
		err = errOldOther
	case state.State != visit.TerminalLive:
		err = f.outage(old.Serial, errOutageOpen)
	case len(f.OldMarks) > 0:
		err = f.outage(old.Serial, errOldSuspect)
	}
	if err != nil {
		return rerun(err, slices.Concat(f.OldState.From, f.Outage.From)...)
	}
	if !f.Rollback.IsZero() && !now.Before(f.Rollback) {
		err = errRollbackDue
	}
	return rerun(err, slices.Concat(f.OldState.From, f.Outage.From)...)
}

func (f *Facts) outage(serial string, unsigned *fault.Fault) error {
	o, err := f.Outage.or(unsigned)
	if err == nil && o.Serial != serial {
		err = errOutageOther
	}
	return err
}

// keysEnded holds when the host signed that the old terminal's keys are gone.
func keysEnded(f *Facts) finding {
	old, err := f.old()
	if err != nil {
		return rerun(err, f.Order.From...)
	}
	ended, err := f.Ended.or(errKeysLive)
	if err == nil && (ended.Serial != old.Serial || ended.Terminal != old.Terminal) {
		err = errKeysOther
	}
	return rerun(err, f.Ended.From...)
}

// mayEnd is the merchant's signature under the end of one terminal's keys.
func (f *Facts) mayEnd() finding {
	old, err := f.old()
	if err != nil {
		return rerun(err, f.Order.From...)
	}
	c, err := f.EndConsent.or(errNoConsent)
	if err == nil && (c.Serial != old.Serial || c.Terminal != old.Terminal) {
		err = errConsentOther
	}
	return rerun(err, f.EndConsent.From...)
}

// takenBack asks custody of the device that leaves: the merchant signed it over after its keys were
// gone, and it is with the provider that was sent. One that is lost cannot be handed to anybody: its chain ends with the
// merchant, and he or the acquirer's risk desk signed the loss; the provider whose people were there is not believed.
func (f *Facts) takenBack() finding {
	old, err := f.old()
	if err != nil {
		return rerun(err, f.Order.From...)
	}
	r, err := f.Returned.or(errNotReturned)
	switch {
	case err != nil:
	case !r.Chain.OK():
		err = errUnverified
	case r.Chain.Serial() != old.Serial:
		err = errDeviceOther
	case !r.Given && r.Lost && r.Chain.Holder() == f.merchantID():
	case !r.Given:
		err = errNotReturned
	case r.Early:
		err = errLeftEarly
	case r.Chain.HolderOrganisation() != f.Order.Value.Provider:
		err = errReturnedOther
	}
	return rerun(err, f.Returned.From...)
}

// chargesOnSheet holds the host's list of a visit without a script to the sheet alone.
func (f *Facts) chargesOnSheet(a agreement.Verified) error {
	c, err := f.Charges.get()
	if err != nil {
		return err
	}
	return c.OnSheet(a.Sheet())
}
