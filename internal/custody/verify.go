package custody

import (
	"slices"
	"strconv"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/statement"
)

var (
	errTransferMissing     = fault.New(fault.Refused, "custody_transfer_missing", "交接记录不连续，中间缺了或多了一次交接。", "The chain of transfers has a gap or a fork.")
	errNotFromMaker        = fault.New(fault.Refused, "custody_not_from_maker", "交接记录不是从厂家开始的。", "The chain of transfers does not begin with the maker.")
	errNotFirst            = fault.New(fault.Refused, "custody_not_first", "第一份交接不是出厂声明。", "The first transfer is not the maker's first statement of the device.")
	errOriginRepeated      = fault.New(fault.Refused, "custody_origin_repeated", "出厂声明只能有一份，而且在最前面。", "Only the first transfer may say what the maker made.")
	errFromDiffers         = fault.New(fault.Refused, "custody_from_differs", "签交接的人和写明的交出人不是同一个。", "The transfer is signed by another than the one it says hands over.")
	errHolderOther         = fault.New(fault.Refused, "custody_holder_other", "签交接的人当时并不持有这台设备。", "The transfer's signer did not hold the device.")
	errOrganisationOther   = fault.New(fault.Refused, "custody_organisation_other", "签交接的人不代表当时持有设备的单位。", "The transfer's signer acts for another organisation than the holder's.")
	errOtherDevice         = fault.New(fault.Refused, "custody_other_device", "这份交接说的是另一台设备。", "The statement is about another device.")
	errStreamOther         = fault.New(fault.Refused, "custody_stream_other", "这份交接不在这台设备自己的记录里。", "The transfer does not belong to this device's stream.")
	errArrivalHolder       = fault.New(fault.Refused, "custody_arrival_holder_other", "到店核对不是由现在持有设备的人签的。", "The arrival is signed by another than the device's present holder.")
	errArrivalOrganisation = fault.New(fault.Refused, "custody_arrival_organisation_other", "到店核对的签名人不代表现在持有设备的单位。", "The arrival's signer acts for another organisation than the present holder's.")
	errArrivalAnswers      = fault.New(fault.Refused, "custody_arrival_answers_other", "到店核对不是针对最后一次交接做的。", "The arrival does not answer the last transfer.")
	errTracking            = fault.New(fault.Refused, "custody_tracking_differs", "运单号和交接通知对不上，设备要隔离。", "The tracking number differs from the notice; quarantine the device.")
	errSeal                = fault.New(fault.Refused, "custody_seal_differs", "袋封号和交接通知对不上，设备要隔离。", "The bag seal differs from the notice; quarantine the device.")
	errBox                 = fault.New(fault.Refused, "custody_box_differs", "箱号和交接通知对不上，设备要隔离。", "The box serial differs from the notice; quarantine the device.")
)

// Verified is an unbroken chain of transfers, with the scan at the counter if there was one. Only
// Verify makes one; the zero value has no holder and is not OK.
type Verified struct {
	serial       string
	maker        string
	origin       Origin
	holder       string
	organisation string
	notice       Notice // of the last transfer; the arrival found the same
	arrived      bool
	digests      []string
	ok           bool
}

// Verify checks the device's whole stream of transfers, in order from the maker's first, and the
// arrival at the counter; nil means that the device has not arrived. Faults say which statement, by
// its place.
func Verify(transfers []statement.Verified, arrival *statement.Verified) (Verified, error) {
	if len(transfers) == 0 {
		return Verified{}, errTransferMissing
	}
	var v Verified
	for i, signed := range transfers {
		if err := v.take(signed); err != nil {
			return Verified{}, fault.At(err, "transfer "+strconv.Itoa(i+1))
		}
	}
	if arrival != nil {
		if err := v.arrive(*arrival); err != nil {
			return Verified{}, fault.At(err, "arrival")
		}
	}
	v.ok = true
	return v, nil
}

// take adds the next transfer to the chain.
func (v *Verified) take(signed statement.Verified) error {
	var t Transfer
	if err := signed.Body(TypeTransfer, &t); err != nil {
		return err
	}
	if err := t.Check(); err != nil {
		return err
	}
	if err := t.checkRules(); err != nil {
		return err
	}
	if signed.Subject() != "device/"+t.Serial {
		return errStreamOther
	}
	h := signed.Header()
	step := v.follow
	if len(v.digests) == 0 {
		step = v.begin
	}
	if err := step(h, t); err != nil {
		return err
	}
	if h.Signer != t.FromHolder {
		return errFromDiffers
	}
	v.holder, v.organisation, v.notice = t.ToHolder, t.ToOrganisation, t.Notice
	v.digests = append(v.digests, signed.Digest())
	return nil
}

// begin reads the maker's first statement.
func (v *Verified) begin(h statement.Header, t Transfer) error {
	if h.Answers != "" { // there is an earlier one
		return errTransferMissing
	}
	if h.Role != RoleMaker {
		return errNotFromMaker
	}
	if t.First == nil {
		return errNotFirst
	}
	if !isID(h.Organisation) {
		return errIDShape
	}
	v.serial, v.maker, v.origin = t.Serial, h.Organisation, *t.First
	return nil
}

// follow checks that the present holder hands on this very device, next after the last transfer.
func (v *Verified) follow(h statement.Header, t Transfer) error {
	switch {
	case t.Serial != v.serial:
		return errOtherDevice
	case h.Answers != v.digests[len(v.digests)-1]:
		return errTransferMissing
	case h.Signer != v.holder:
		return errHolderOther
	case h.Organisation != v.organisation:
		return errOrganisationOther
	case t.First != nil:
		return errOriginRepeated
	}
	return nil
}

// arrive holds what the counter found against what the last sender announced.
func (v *Verified) arrive(signed statement.Verified) error {
	var a Arrival
	if err := signed.Body(TypeArrival, &a); err != nil {
		return err
	}
	if err := a.Check(); err != nil {
		return err
	}
	h := signed.Header()
	switch {
	case a.Serial != v.serial:
		return errOtherDevice
	case h.Answers != v.digests[len(v.digests)-1]:
		return errArrivalAnswers
	case h.Signer != v.holder:
		return errArrivalHolder
	case h.Organisation != v.organisation:
		return errArrivalOrganisation
	case a.Notice.Tracking != v.notice.Tracking:
		return errTracking
	case a.Notice.BagSeal != v.notice.BagSeal:
		return errSeal
	case a.Notice.BoxSerial != v.notice.BoxSerial:
		return errBox
	}
	if err := checkParcel(v.serial, a.Notice, a.SealsIntact); err != nil {
		return err
	}
	v.arrived = true
	v.digests = append(v.digests, signed.Digest())
	return nil
}

// OK is false for the zero value.
func (v Verified) OK() bool { return v.ok }

// Serial is the device's; "" for the zero value.
func (v Verified) Serial() string { return v.serial }

// Maker is the organisation in whose name the first transfer is signed.
func (v Verified) Maker() string { return v.maker }

// Model, Hardware and Firmware are as the maker shipped it; later software is for attestation to show.
func (v Verified) Model() string    { return v.origin.Model }
func (v Verified) Hardware() string { return v.origin.Hardware }
func (v Verified) Firmware() string { return v.origin.Firmware }

// DeviceKey is the thumbprint of the key that the maker vouches for, "" if AttestationSerial.
func (v Verified) DeviceKey() string { return v.origin.DeviceKey }

// AttestationSerial says that the maker asks the device's attestation to show the serial instead.
func (v Verified) AttestationSerial() bool { return v.origin.AttestationSerial }

// Holder and HolderOrganisation say who has the device now.
func (v Verified) Holder() string             { return v.holder }
func (v Verified) HolderOrganisation() string { return v.organisation }

// Arrived says whether the present holder signed the scan at the counter.
func (v Verified) Arrived() bool { return v.arrived }

// ArrivedWith is the notice that the counter found matched; zero if the device has not arrived.
func (v Verified) ArrivedWith() Notice {
	if !v.arrived {
		return Notice{}
	}
	return v.notice
}

// Digests names the statements this rests on: the transfers in order, then the arrival if there is one.
func (v Verified) Digests() []string { return slices.Clone(v.digests) }
