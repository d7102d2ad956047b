package notify

import (
	"slices"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/identifier"
	"github.com/menshen-project/menshen/internal/statement"
)

// Kinds of notice.
const (
	VisitStopped = "visit_stopped" // frozen, reported, refused, aborted or rolled back
	BadgeRevoked = "badge_revoked" // a technician's badge was taken back
	DoorCall     = "door_call"     // somebody typed a shop's code at the public page
	OrderLink    = "order_link"    // an acquirer sends a merchant the address of his order
	TicketLate   = "ticket_late"   // a ticket's clock ran out
	DeviceMarked = "device_marked" // a device of an open visit was marked lost or quarantined; to desks
	ShopDevice   = "shop_device"   // the same, to the merchant whom the visit is for
)

// Kinds lists them all.
func Kinds() []string {
	return []string{VisitStopped, BadgeRevoked, DoorCall, OrderLink, TicketLate, DeviceMarked, ShopDevice}
}

// Notice is what happened. Nothing in it is a personal value: people are opaque ids.
type Notice struct {
	ID           string         `json:"id"` // the same at every try and for every receiver
	Kind         string         `json:"kind"`
	At           statement.Time `json:"at"`
	Organisation string         `json:"organisation"` // whose receivers hear of it
	About        string         `json:"about"`        // kind/id of the stream, shop or ticket
	Code         string         `json:"code"`         // why: a verb, a reason or a state, of a closed list
	By           string         `json:"by,omitempty"` // id of whoever had it sent, where somebody did
}

// Text says in one sentence what happened, Chinese and English.
func (n Notice) Text() fault.Text {
	for _, key := range []string{n.Kind + "/" + n.Code, n.Kind} {
		if t, ok := sentences[key]; ok {
			return t
		}
	}
	return fault.Text{}
}

// Message is a notice on its way to one receiver.
type Message struct {
	Notice
	To   string // telephone number of a merchant; only an SMS gateway ever gets one
	Link string // address of the merchant's order page, for order_link
}

// Sender carries a message to one receiver. An error is tried again, under the same id.
type Sender interface {
	Send(m Message) error
}

// Receiver is who hears of what.
type Receiver struct {
	Name         string   // in config and among dead letters
	Organisation string   // hears only of what concerns it
	Kinds        []string // of notices that it wants
	Phones       bool     // an SMS gateway: it is handed a merchant's number
	Sender       Sender
}

// Wants says whether a receiver hears of a notice. What is written to a merchant's own phone goes to gateways alone.
func (r Receiver) Wants(n Notice) bool {
	return r.Organisation == n.Organisation && slices.Contains(r.Kinds, n.Kind) && (n.Kind != OrderLink && n.Kind != ShopDevice || r.Phones)
}

var errReceiver = fault.New(fault.Invalid, "notify_receiver", "通知的接收方写得不对：要名字、机构和认得的种类。", "A receiver of notices has a name, an organisation and kinds that are known.")

// Check holds a receiver's own words to what there is. An SMS gateway hears only of what is written to merchants.
func (r Receiver) Check() error {
	known := len(r.Kinds) > 0
	for _, k := range r.Kinds {
		known = known && slices.Contains(Kinds(), k) && (r.Phones == slices.Contains(toMerchants, k) || k == DoorCall)
	}
	if identifier.CheckID(r.Name) != nil || identifier.CheckID(r.Organisation) != nil || !known {
		return errReceiver
	}
	return nil
}

// toMerchants are the kinds that are written to a merchant's phone.
var toMerchants = []string{DoorCall, OrderLink, ShopDevice}
