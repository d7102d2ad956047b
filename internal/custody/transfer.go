package custody

import (
	"unicode"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/identifier"
	"github.com/menshen-project/menshen/internal/statement"
)

// Statement types of this package.
const (
	TypeTransfer = "transfer" // in the device's stream, signed by the holder who hands it over
	TypeArrival  = "arrival"  // signed at the counter by the technician who holds the device
)

// RoleMaker is the role in which the first transfer of every device is signed.
const RoleMaker = "maker"

// maxText bounds model, hardware and firmware names, in bytes.
const maxText = 100

var (
	errIDShape         = fault.New(fault.Invalid, "custody_id_malformed", "交接里的编号格式不对。", "An id in the custody statement is malformed.")
	errNoticeShape     = fault.New(fault.Invalid, "custody_notice_malformed", "交接通知缺少内容：运单号、袋封号、箱号、设备序列号都要有。", "The notice is incomplete: tracking number, bag seal, box serial and device serial are all needed.")
	errOriginShape     = fault.New(fault.Invalid, "custody_origin_malformed", "出厂声明里的型号、硬件、固件或密钥格式不对。", "Model, hardware, firmware or key in the maker's statement is malformed.")
	errOriginMissing   = fault.New(fault.Refused, "custody_origin_missing", "厂家既没有写明设备密钥，也没有要求设备证明自己的序列号。", "The maker names neither the device's key nor that its attestation must show the serial.")
	errOriginAmbiguous = fault.New(fault.Refused, "custody_origin_ambiguous", "厂家同时写了设备密钥和序列号证明，只能选一种。", "The maker names both a device key and serial attestation; exactly one is allowed.")
	errHolderSame      = fault.New(fault.Refused, "custody_holder_same", "不能把设备交接给自己：那样可以换掉封条号。", "A holder cannot hand a device to himself; that would let him announce new seals.")
	errSerialDiffers   = fault.New(fault.Refused, "custody_serial_differs", "设备序列号和交接通知对不上，设备要隔离。", "The device serial differs from the notice; quarantine the device.")
	errSealBroken      = fault.New(fault.Refused, "custody_seal_broken", "封条不完好，设备要隔离。", "A seal is not intact; quarantine the device.")
)

// Transfer is the body by which a holder hands a device to the next one. It answers the transfer
// before it.
type Transfer struct {
	Serial         string  `json:"serial"`      // the device, and the id of the stream
	FromHolder     string  `json:"from_holder"` // opaque id of a person or organisation: the signer
	ToHolder       string  `json:"to_holder"`
	ToOrganisation string  `json:"to_organisation"`
	Notice         Notice  `json:"notice"`
	First          *Origin `json:"first,omitempty"` // only in the maker's first statement
	SealsIntact    bool    `json:"seals_intact"`
}

// Notice is what the sender announces about the parcel and the counter must find again. For a
// hand-over in person, tracking is the id of the order it happens for.
type Notice struct {
	Tracking     string `json:"tracking"`
	BagSeal      string `json:"bag_seal"`
	BoxSerial    string `json:"box_serial"`
	DeviceSerial string `json:"device_serial"`
}

// Origin is what the maker says of a device it made: what it is, and how it will be known again.
// Exactly one of DeviceKey and AttestationSerial is set (design §8).
type Origin struct {
	Model             string `json:"model"`
	Hardware          string `json:"hardware"`
	Firmware          string `json:"firmware"`
	DeviceKey         string `json:"device_key,omitempty"`         // RFC 7638 thumbprint
	AttestationSerial bool   `json:"attestation_serial,omitempty"` // the attestation must show the serial
}

// Arrival is the body that says what was found at the counter. It answers the last transfer, so that
// an earlier visit's scan cannot stand in for it.
type Arrival struct {
	Serial      string `json:"serial"`
	Notice      Notice `json:"notice"`
	SealsIntact bool   `json:"seals_intact"`
}

// Check looks at the form only: ids, a complete notice, the maker's names. Transfers and arrivals that
// are well formed but break a rule (a broken seal, say) are recorded; Verify refuses them.
func (t Transfer) Check() error {
	for _, id := range []string{t.Serial, t.FromHolder, t.ToHolder, t.ToOrganisation} {
		if !isID(id) {
			return errIDShape
		}
	}
	if t.First != nil && !t.First.wellFormed() {
		return errOriginShape
	}
	return t.Notice.check()
}

// Check looks at the form only, like Transfer's.
func (a Arrival) Check() error {
	if !isID(a.Serial) {
		return errIDShape
	}
	return a.Notice.check()
}

// check wants every number: empty would equal empty.
func (n Notice) check() error {
	for _, number := range []string{n.Tracking, n.BagSeal, n.BoxSerial, n.DeviceSerial} {
		if !isID(number) {
			return errNoticeShape
		}
	}
	return nil
}

func (o Origin) wellFormed() bool {
	return isText(o.Model) && isText(o.Hardware) && isText(o.Firmware) &&
		(o.DeviceKey == "" || isThumbprint(o.DeviceKey))
}

// checkRules refuses what breaks a rule by itself, whatever the chain.
func (t Transfer) checkRules() error {
	if t.ToHolder == t.FromHolder {
		return errHolderSame
	}
	if t.First != nil {
		if err := t.First.checkRules(); err != nil {
			return err
		}
	}
	return checkParcel(t.Serial, t.Notice, t.SealsIntact)
}

func (o Origin) checkRules() error {
	switch {
	case o.DeviceKey == "" && !o.AttestationSerial:
		return errOriginMissing
	case o.DeviceKey != "" && o.AttestationSerial:
		return errOriginAmbiguous
	}
	return nil
}

func checkParcel(serial string, n Notice, sealsIntact bool) error {
	if n.DeviceSerial != serial {
		return errSerialDiffers
	}
	if !sealsIntact {
		return errSealBroken
	}
	return nil
}

func isID(s string) bool { return identifier.CheckID(s) == nil }

func isText(s string) bool {
	if s == "" || len(s) > maxText {
		return false
	}
	for _, r := range s {
		if !unicode.IsPrint(r) {
			return false
		}
	}
	return true
}

func isThumbprint(s string) bool {
	raw, err := statement.Base64URL(s)
	return err == nil && len(raw) == 32
}
