package registry

import (
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/statement"
)

// Kinds of list that an extract numbers.
const (
	ListTrust      = "trust_list"
	ListParameters = "parameters"
	ListStatus     = "status_list"
)

// Extract is a signed look into menshen's registers at one log size: who looked, when, what was
// found. It carries findings, not verdicts; the gate judges them. A condition that rests on one is
// "attested", never proven (design §5).
type Extract struct {
	Visit    string         `json:"visit"`
	Ask      string         `json:"ask"`
	LookedAt statement.Time `json:"looked_at"`
	LogSize  int64          `json:"log_size"` // leaves in the log when the look was taken
	Lists    []ListNumber   `json:"lists"`    // the highest numbers known at that size
	People   []Person       `json:"people"`   // everyone with a duty on this order
	Identity IdentityUse    `json:"identity"`
	Binding  BindingLook    `json:"binding"`
	Old      *BindingLook   `json:"old,omitempty"` // of the terminal that a swap replaces
	Open     []OpenMatter   `json:"open"`          // freezes, incidents, conflicts that touch this visit
	Photos   []PhotoLook    `json:"photos"`
}

// ListNumber is the highest number of one list.
type ListNumber struct {
	List   string `json:"list"`
	Issuer string `json:"issuer"` // organisation, or the status list's URI
	Number int    `json:"number"`
}

// Person is one party with a duty; Same names the others whom the registers hold to be the same
// human being or to use the same phone.
type Person struct {
	Holder string   `json:"holder"`
	Same   []string `json:"same"`
}

// What a settlement account is, as an acquirer has it on file.
const (
	AccountCard    = "card"
	AccountCompany = "company"
)

// IdentityUse counts the open terminals under the merchant's principal, across all acquirers. Item is which
// of the five items says whose they are, as the merchant is on file: credit_code or principal, "" for one who is not.
type IdentityUse struct {
	Merchant  string `json:"merchant"`
	Terminals int    `json:"terminals"`
	Item      string `json:"item,omitempty"`
	Account   string `json:"account,omitempty"` // AccountCard or AccountCompany, as on file
}

// BindingLook is what the binding register holds for a serial and a terminal code (银发〔2021〕259号).
type BindingLook struct {
	Serial        string `json:"serial"`
	Terminal      string `json:"terminal"`
	SerialBoundTo string `json:"serial_bound_to"`         // "" or the order that has an open binding
	BoundAcquirer string `json:"bound_acquirer"`          // acquirer code of that binding, "" for none
	BoundMerchant string `json:"bound_merchant"`          // merchant code of that binding, "" for none
	TerminalOn    string `json:"terminal_on"`             // "" or another serial that has this terminal code
	DeviceKey     string `json:"device_key,omitempty"`    // thumbprint that the serial last went live with
	Firmware      string `json:"firmware,omitempty"`      // that it attested then
	LastAcquirer  string `json:"last_acquirer,omitempty"` // of its binding under this very terminal code, where that one has ended
	LastMerchant  string `json:"last_merchant,omitempty"`
}

// Gone says whether the terminal had a binding that has ended.
func (b *BindingLook) Gone() bool { return b != nil && b.LastAcquirer != "" && b.LastMerchant != "" }

// OpenMatter is something unresolved that touches the visit.
type OpenMatter struct {
	Stream    string `json:"stream"`
	Kind      string `json:"kind"`              // freeze, incident, conflict, suspension, or a device's mark
	Statement string `json:"statement"`         // digest
	Against   string `json:"against,omitempty"` // whom it was found against; one matter stands once for each
}

// Whom a matter stands against, as the order and its dispatch name them. "" says nothing, and excuses nothing.
const (
	AgainstVisit      = "visit"
	AgainstTechnician = "technician"
	AgainstProvider   = "provider"
	AgainstDevice     = "device"
	AgainstMerchant   = "merchant"
)

// PhotoLook says where a photo of this visit was seen before, "" for nowhere.
type PhotoLook struct {
	Digest string `json:"digest"`
	SeenIn string `json:"seen_in"`
}

var (
	errExtractSize  = fault.New(fault.Invalid, "extract_log_size", "登记摘录写的日志长度不对。", "The log size of the register extract is below zero.")
	errExtractOther = fault.New(fault.Refused, "extract_other_visit", "登记摘录说的不是这次上门。", "The register extract is about another visit or ask.")
)

// ReadExtract reads an extract and refuses one made for another visit or ask.
func ReadExtract(v statement.Verified, visit, ask string) (Extract, error) {
	var x Extract
	if err := v.Body(TypeExtract, &x); err != nil {
		return Extract{}, err
	}
	if x.Visit != visit || x.Ask != ask {
		return Extract{}, errExtractOther
	}
	if x.LogSize < 0 {
		return Extract{}, errExtractSize
	}
	if _, err := x.LookedAt.Parse(); err != nil {
		return Extract{}, fault.At(err, "looked_at")
	}
	return x, nil
}

// Number gives the highest known number of a list, and false if the extract does not have it.
func (x Extract) Number(list, issuer string) (int, bool) {
	highest, known := 0, false
	for _, l := range x.Lists {
		if l.List == list && l.Issuer == issuer && (!known || l.Number > highest) {
			highest, known = l.Number, true
		}
	}
	return highest, known
}
