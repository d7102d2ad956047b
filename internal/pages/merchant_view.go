package pages

import (
	"context"
	"slices"
	"time"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/agreement"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/visit"
)

// ShopSource gives the merchant's own pages what they show. What the viewer may not see is
// fault.NotFound, as in Source.
type ShopSource interface {
	// Home gives everything of the merchant's that is not one order's.
	Home(ctx context.Context, v Viewer) (ShopHome, error)
	// Order gives one visit as its merchant sees it, as ShopOrderOf makes it.
	Order(ctx context.Context, v Viewer, visitID string) (ShopOrder, error)
	// SetPhrase keeps the phrase that the merchant chose; it is shown to nobody else.
	SetPhrase(ctx context.Context, v Viewer, phrase string) error
	// Leave ends the session that asks.
	Leave(ctx context.Context, v Viewer) error
	// Called takes in what a stranger typed on the public page. It takes as long for every code.
	Called(ctx context.Context, c ShopCall) error
	// Sticker gives what a shop's printed sticker shows to those who may print it.
	Sticker(ctx context.Context, v Viewer, shop string) (ShopSticker, error)
	// ReportCall makes a ticket for the acquirer's risk desk of a call, with what the page said of it; once.
	ReportCall(ctx context.Context, v Viewer, call, note string) error
	// Charges gives what the shop was charged beyond its sheets, newest first, after a cursor, and the next page's.
	Charges(ctx context.Context, v Viewer, after string) ([]store.SettlementLine, string, error)
	// Tickets gives the shop's requests for help, newest first, without their notes.
	Tickets(ctx context.Context, v Viewer) ([]ShopTicket, error)
	// Ticket gives one with everything that was done about it.
	Ticket(ctx context.Context, v Viewer, id string) (ShopTicket, error)
}

// ShopHome is the merchant's start page.
type ShopHome struct {
	Demonstration bool
	Phrase        string // "" until he chose one
	Orders        []ShopOrderRow
	Turns         []ShopTurn // what to do about which visit, the most urgent first; on the start page alone
	Shops         []ShopPlace
	Calls         []ShopCalled // newest first
	Contacts      []ShopContact
	Charges       []store.SettlementLine // beyond the sheets and not settled yet, newest first; of the owner alone
	Clerks        []ShopClerk            // phones that count, of the owner alone
}

// ShopClerk is a clerk's phone that the owner let in.
type ShopClerk struct {
	Clerk, Key string // holder id, thumbprint
	Since      time.Time
}

// ShopPlace is one of the merchant's shops.
type ShopPlace struct{ Code, Name string }

// ShopOrderRow is one order in the merchant's list.
type ShopOrderRow struct {
	Visit, Kind, Stage string
	Shop               string // code
	Frozen             bool
	From, Until        time.Time
	Head               int64 // events in its stream
}

// Underway says whether somebody is or will be at the shop for it.
func (r ShopOrderRow) Underway() bool { return !visit.Stage(r.Stage).Ended() && !r.Frozen }

// ShopCall is what the public page got: a shop's code, and what is going on.
type ShopCall struct {
	Code string
	Kind string // one of CallKinds
}

// CallKinds are what a stranger at the public page can say, in the order in which it asks.
var CallKinds = []string{"someone_here", "asks_money", "asks_codes", "touches_terminal"}

// ShopCalled is a call as the shop's own page tells of it, with the real answer.
type ShopCalled struct {
	ID       string
	At       time.Time
	Shop     string
	Kind     string
	Expected bool   // somebody was sent to this shop for that time
	Ticket   string // id of the ticket that was made of it, "" for none
}

// ShopContact is a number to call.
type ShopContact struct{ Name, Phone string }

// ShopSticker is what is printed for the door.
type ShopSticker struct{ Code, Name string }

// ShopFirm is a company as the merchant needs to know it.
type ShopFirm struct {
	ID, Name, Licence, Filing, Phone string
}

// What the merchant's one button is for; the others are states in which he waits.
const (
	NextSheetComes = "sheet_comes" // nobody has offered a price yet
	NextPrice      = "price"
	NextSend       = "send" // signed; somebody will be sent
	NextDoor       = "door"
	NextChecking   = "checking" // admitted by the merchant, menshen still decides
	NextDevice     = "device"
	NextKeep       = "keep" // is there data to keep
	NextWork       = "work" // the technician works
	NextTrial      = "trial"
	NextConfirm    = "confirm"
	NextLive       = "live" // confirmed; the host opens the terminal
	NextReview     = "review"
	NextDone       = "done"
	NextStopped    = "stopped"
	NextRefused    = "refused"
	NextEnded      = "ended"
	NextRolledBack = "rolled_back"
	NextCharged    = "charged" // it is open, and something else was charged
)

// nextPages are the states with a button, and the page that it leads to.
var nextPages = map[string]string{NextPrice: "price", NextDoor: "door", NextDevice: "device", NextKeep: "keep", NextTrial: "trial", NextConfirm: "confirm", NextReview: "review",
	NextOutage: "outage", NextConsent: "consent", NextHandBack: "hand_back"}

// ShopMaterial is what a ShopSource fetches for one visit.
type ShopMaterial struct {
	Viewer        Viewer
	Dossier       evidence.Dossier
	Report        evidence.Report // of Examine over the dossier
	Shop          string          // shown name
	Phrase        string
	Firms         map[string]ShopFirm
	Now           time.Time
	Coming        []ShopOrderRow // the merchant's visits that are on their way
	Demonstration bool
	Held          int64 // see ShopOrder
	HeldUntil     []string
}

// ShopOrder is one visit as its merchant sees it.
type ShopOrder struct {
	Visit, Order, Kind, Stage string
	Demonstration             bool
	Clerk                     bool // a clerk's phone: door and till only
	Person, Organisation      string
	Shop, Phrase              string
	From, Until               time.Time
	Next                      string
	Acquirer, Provider        ShopFirm
	Model, Serial             string
	Old                       *ShopOld   // nil for kinds that take over from no terminal
	Offer                     *ShopPrice // nil while nobody offered
	Signed                    bool       // both signed the same sheet
	Held                      int64      // on a removal: the deposit, in fen, that was signed for when the terminal came
	HeldUntil                 []string   // when it comes back, as the sheet says
	SentAt                    time.Time
	Trial                     []ShopTrialStep
	Charged                   []agreement.Charge // beside what the trial script takes
	Again                     *ShopOrderRow      // of a visit that was taken back: the next one to this shop, nil while none is booked
	Place                     string             // the shop's code
	Now                       time.Time
}

// LastSix are the digits that the merchant compares with the device's back.
func (o ShopOrder) LastSix() string { return last(o.Serial, 6) }

// ShopPrice is the acquirer's offer as the merchant reads and signs it.
type ShopPrice struct {
	Statement string // digest of the offer
	Sheet     agreement.Sheet
	Flags     []agreement.Flag
	NowFen    int64
	Deposit   int64 // of NowFen, what comes back
	// Previous is the merchant's own last statement on the order and the key that signed it: the next one by
	// the same key names it (decisions/0004).
	Previous, PreviousKey string
}

// ShopTrialStep is one step of the acceptance as the host reported it.
type ShopTrialStep struct {
	Name, Result string
	AmountFen    int64
}

// heard is what a dossier says that the merchant's page depends on. Bodies are read without their
// signatures, which intake proved before it recorded them: nothing here gives power.
type heard struct {
	offer, answer                               *agreement.Agreement
	offerDigest                                 string
	previous, previousKey                       string
	admitted, serial, kept, confirmed, reviewed bool
	acceptance                                  *agreement.Acceptance
	charges                                     []agreement.Charge
	old                                         *ShopOld
}

// ShopOrderOf makes the merchant's view of a visit.
func ShopOrderOf(m ShopMaterial) (ShopOrder, error) {
	h, err := hear(m.Dossier, m.oldOf(), m.Report.Order().Order)
	if err != nil {
		return ShopOrder{}, err
	}
	s, o := m.Report.State(), m.Report.Order()
	v := ShopOrder{Visit: m.Report.Visit, Order: o.Order, Kind: o.Kind, Stage: m.Report.Stage, Demonstration: m.Demonstration, Clerk: m.Viewer.Role == roleClerk,
		Person: m.Viewer.Person, Organisation: m.Viewer.Organisation, Shop: m.Shop, Phrase: m.Phrase, Acquirer: m.firm(o.Acquirer), Provider: m.firm(o.Provider),
		Model: o.Model, Serial: s.Dispatched().Serial, Now: m.Now}
	v.From, _ = o.WindowFrom.Parse()
	v.Until, _ = o.WindowUntil.Parse()
	v.Offer, v.Signed = h.price()
	v.Trial, v.Charged = h.trial()
	v.Old = h.old
	v.Next = h.next(s, v)
	v.Held, v.HeldUntil = m.Held, m.HeldUntil
	v.Place = o.Shop
	v.Again = m.again(o.Shop)
	return v, nil
}

// again is the next visit to the same shop.
func (m ShopMaterial) again(shop string) *ShopOrderRow {
	var next *ShopOrderRow
	for _, r := range m.Coming {
		if r.Shop == shop && r.Visit != m.Report.Visit && r.Underway() && r.Until.After(m.Now) && (next == nil || r.From.Before(next.From)) {
			next = &r
		}
	}
	return next
}

func (m ShopMaterial) firm(id string) ShopFirm {
	if f, ok := m.Firms[id]; ok {
		return f
	}
	return ShopFirm{ID: id, Name: id}
}

func hear(d evidence.Dossier, old *ShopOld, order string) (heard, error) {
	h := heard{old: old}
	for _, e := range d.Entries {
		raw, err := statement.Base64(e.Statement)
		if err != nil {
			return heard{}, err
		}
		c, err := statement.Parse(raw)
		if err != nil {
			return heard{}, err
		}
		if err := h.take(c); err != nil {
			return heard{}, err
		}
		if err := h.takeOld(c, order); err != nil {
			return heard{}, err
		}
	}
	return h, nil
}

// take reads one statement; a later one stands for an earlier one of its kind.
func (h *heard) take(c statement.Claims) error {
	merchant := c.Header.Role == visit.RoleMerchant || c.Header.Role == roleClerk
	switch c.Type {
	case agreement.TypeAgreement:
		return h.takeAgreement(c, merchant)
	case visit.TypeAdmission:
		var a visit.Admission
		err := c.UntrustedBody(&a)
		h.admitted = h.admitted || err == nil && a.Genuine && a.SameFace
		return err
	case visit.TypeStep:
		var s visit.Step
		err := c.UntrustedBody(&s)
		h.serial = h.serial || err == nil && merchant && s.Done && s.Step == StepCheckSerial
		return err
	case visit.TypeNothingToKeep, visit.TypeBackup:
		h.kept = true
	case visit.TypeConfirmation:
		h.confirmed = true
	case visit.TypeReview:
		h.reviewed = h.reviewed || merchant
	case agreement.TypeAcceptance:
		h.acceptance = &agreement.Acceptance{}
		err := c.UntrustedBody(h.acceptance)
		h.charges = h.acceptance.Charges
		return err
	case agreement.TypeChargeList:
		var l agreement.ChargeList
		err := c.UntrustedBody(&l)
		h.charges = l.Charges
		return err
	}
	return nil
}

// StepCheckSerial is the merchant's own step: the number on the back is the one on his page.
const StepCheckSerial = "check_serial"

func (h *heard) takeAgreement(c statement.Claims, merchant bool) error {
	a := &agreement.Agreement{}
	if err := c.UntrustedBody(a); err != nil {
		return err
	}
	if merchant {
		h.answer, h.previous, h.previousKey = a, c.Digest(), c.Header.Key
		return nil
	}
	h.offer, h.offerDigest = a, c.Digest()
	return nil
}

func (h *heard) price() (*ShopPrice, bool) {
	if h.offer == nil {
		return nil, false
	}
	sheet := h.offer.Sheet
	p := &ShopPrice{Statement: h.offerDigest, Sheet: sheet, Flags: agreement.Check(sheet), NowFen: sheet.TotalNowFen(), Previous: h.previous, PreviousKey: h.previousKey}
	p.Deposit, _ = sheet.Deposit()
	return p, h.answer != nil && h.answer.Sheet.Digest() == sheet.Digest()
}

// trial gives the steps of the last acceptance, and what was charged outside its script.
func (h *heard) trial() (steps []ShopTrialStep, beside []agreement.Charge) {
	var script []agreement.AcceptanceStep
	if h.acceptance != nil {
		script = h.acceptance.Steps
		for _, s := range script {
			steps = append(steps, ShopTrialStep{Name: s.Name, Result: s.Result, AmountFen: s.AmountFen})
		}
	}
	sheet := agreement.Sheet{}
	if h.offer != nil {
		sheet = h.offer.Sheet
	}
	for _, x := range agreement.CompareCharges(sheet, script, h.charges) {
		beside = append(beside, x.Charge)
	}
	return steps, beside
}

// next is the merchant's next act. What ended or stopped goes first: nothing else matters then.
func (h *heard) next(s visit.State, v ShopOrder) string {
	stage := s.Stage()
	switch {
	case stage == visit.Refused:
		return NextRefused
	case stage == visit.RolledBack:
		return NextRolledBack
	case stage == visit.Closed && len(v.Charged) > 0:
		return NextCharged
	case stage == visit.Closed && h.reviewed:
		return NextDone
	case stage == visit.Closed:
		return NextReview
	case stage.Ended():
		return NextEnded
	case s.Frozen():
		return NextStopped
	}
	if priced := !slices.Contains([]string{visit.Inspection}, v.Kind); priced && !v.Signed && stage == visit.Booked {
		if v.Offer == nil {
			return NextSheetComes
		}
		return NextPrice
	}
	switch stage {
	case visit.Dispatched:
		return h.atTheDoor()
	case visit.Admitted:
		return h.atWork(v.Kind)
	case visit.Trial:
		return h.onTrial()
	case visit.Live:
		if act := h.withOld(stage, v.Kind); act != "" {
			return act
		}
		return NextClosing
	}
	return NextSend
}

func (h *heard) atTheDoor() string {
	if h.admitted {
		return NextChecking
	}
	return NextDoor
}

func (h *heard) atWork(kind string) string {
	switch {
	case !h.serial:
		return NextDevice
	case !h.kept && kind != visit.Inspection:
		return NextKeep
	}
	if act := h.withOld(visit.Admitted, kind); act != "" {
		return act
	}
	if kind == visit.Inspection || kind == visit.Removal {
		return h.lastWord()
	}
	return NextWork
}

func (h *heard) onTrial() string {
	switch {
	case h.acceptance == nil:
		return NextTrial
	case !h.serial:
		return NextDevice
	}
	return h.lastWord()
}

func (h *heard) lastWord() string {
	if h.confirmed {
		return NextLive
	}
	return NextConfirm
}
