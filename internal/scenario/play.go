package scenario

import (
	"context"
	"fmt"
	"time"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/agreement"
	"github.com/menshen-project/menshen/internal/credential"
	"github.com/menshen-project/menshen/internal/registry"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// Clock tells the play's time; tests pass their own.
type Clock func() time.Time

// Play is one visit being carried out by a cast at a venue. Its methods are the things people do;
// an attack does one of them differently.
type Play struct {
	Cast   *Cast
	Venue  Venue
	Now    Clock
	Tell   func(who, what string) // told what happens, for the demonstration; nil is silent
	Wait   func(time.Duration)    // lets time pass; nil where the clock is not the play's to move
	Host   SimulatedHost
	Device *Device

	Foundry *Foundry       // the maker's, for more devices
	Trust   evidence.Trust // what a reader of this play's bundles believes

	// Apart makes what a play names for itself (a visit, a serial, a terminal code) its own where other
	// plays share the venue; nil takes it as it is.
	Apart func(what string) string

	ID       string // of visit and, with a prefix, order
	Order    visit.Order
	Dispatch visit.Dispatch
	Sheet    agreement.Sheet
	Badge    []byte

	Shop      Shop                // the zero value is the corner shop
	Earlier   *Play               // the visit that put the shop's terminal there, nil for none
	hidden    []statement.Opening // behind the order's commitments
	sent      []statement.Opening // behind the dispatch's
	assigned  string              // digest of the last dispatch
	pictures  map[string][]byte   // what the camera took, by digest
	transfers []string            // digests of the device's transfers
	orderDig  string
}

// SimulatedHost is what a play does at the acquirer's host, beside what menshen asks of it: a device
// opens its session there, runs the acceptance script, and its charges are listed.
type SimulatedHost interface {
	// OpenSession lets a device prove its key to the host.
	OpenSession(ctx context.Context, d *Device) error
	// RunAcceptance runs the script over the loaded trial keys and gives the host's signed report.
	RunAcceptance(ctx context.Context, p *Play, permit string) ([]byte, error)
	// TerminalState gives the host's signed word about a terminal in its own books.
	TerminalState(ctx context.Context, p *Play, serial string) ([]byte, error)
	// ListCharges gives the host's signed list for a visit without a script.
	ListCharges(ctx context.Context, p *Play) ([]byte, error)
}

// ShopPosition is where the corner shop is; Elsewhere is four kilometres off.
const (
	ShopPosition = "+31.23040/+121.47370"
	Elsewhere    = "+31.26640/+121.47370"
)

// Shop is what is known about a merchant and one shop; every value but the codes is personal or may
// be, and enters signed bytes only as a commitment.
type Shop struct {
	ID           string
	Province     string
	Position     string
	Address      string
	Name         string // as slips print it
	CreditCode   string // "" for a merchant without one (小微): his principal stands for it
	Account      string
	Principal    string // resident identity number of whoever answers for the merchant
	AcquirerCode string
	MerchantCode string
	Terminal     string
}

// CornerShop is the shop of plays that bring none of their own.
func CornerShop(merchant string) Shop {
	return Shop{ID: "shop-" + merchant, Province: "31", Position: ShopPosition, Address: "示例路 8 号", Name: "示例面馆", CreditCode: "91310000MA19NUKJJ0",
		Account: "6222020000000000000", Principal: "360426199101010071", AcquirerCode: "48021234", MerchantCode: "531290058120001", Terminal: "W1489724"}
}

// NewOrder makes the order and everything a visit of this kind starts from.
func (p *Play) NewOrder(kind string, risk int) {
	c, now := p.Cast, p.Now()
	if p.Shop.ID == "" {
		p.Shop = CornerShop(c.Merchant.ID)
	}
	s := p.Shop
	hide := func(kind, value string) string {
		h := Hide(kind, value)
		p.hidden = append(p.hidden, h.Opening)
		return h.Commitment
	}
	p.hidden = nil
	address, principal := hide("address", s.Address), hide("resident_id", s.Principal)
	items := visit.FiveItems{AcquirerCode: s.AcquirerCode, MerchantCode: s.MerchantCode, Account: hide("account", s.Account), Address: address}
	if items.Principal = principal; s.CreditCode != "" {
		items.CreditCode, items.Principal = hide("credit_code", s.CreditCode), ""
	}
	p.Order = visit.Order{
		Order: "o-" + p.ID, Kind: kind, Acquirer: c.Acquirer.ID, Provider: c.Provider.ID, Merchant: c.Merchant.ID, Shop: s.ID,
		Province: s.Province, Business: Business, Risk: risk,
		WindowFrom: statement.At(now), WindowUntil: statement.At(now.Add(2 * time.Hour)), Model: p.Device.Model, Terminal: s.Terminal,
		Items:    items,
		Name:     hide("merchant_name", s.Name),
		Position: hide(evidence.KindPosition, s.Position),
		Identity: visit.IdentityCheck{CheckedAt: statement.At(now.Add(-24 * time.Hour)), Method: "in_person", Principal: principal, Accepted: true},
	}
	p.Order.Old = p.takesOver(kind, hide)
	p.Sheet = c.sheet()
	if kind != visit.Install {
		p.Sheet = c.laterSheet(kind)
	}
	name, photo := c.Likeness(c.Technician)
	p.sent = []statement.Opening{name.Opening, photo.Opening}
	p.Dispatch = visit.Dispatch{Visit: p.ID, Technician: c.Technician.ID, Issuer: c.Provider.ID, Serial: p.Device.Serial,
		From: p.Order.WindowFrom, Until: p.Order.WindowUntil, Shop: address, Name: name.Commitment, Photo: photo.Commitment}
	if risk > 0 {
		p.Dispatch.Supervisor = c.Supervisor.ID
	}
	if books, ok := p.Host.(interface{ Enter(visit.Order) }); ok {
		books.Enter(p.Order)
	}
}

// sheet is the price sheet of an ordinary installation: a deposit that comes back, and nothing else.
func (c *Cast) sheet() agreement.Sheet {
	return agreement.Sheet{
		Terms: statement.Digest([]byte("演示条款 2026-11")), Acquirer: c.Acquirer.ID, Provider: c.Provider.ID, SettledBy: c.Acquirer.ID,
		Items: []agreement.Item{{Code: agreement.ItemDeposit, Label: "机具押金", AmountFen: 29900, Per: agreement.PerOnce, When: agreement.WhenLive,
			PaidTo: c.Acquirer.ID, ReturnCondition: "机具交回后 7 个工作日内全额退回"}},
		Rates:   []agreement.Rate{{Card: agreement.CardDebit, RatePPM: 5000, CapFen: 2000}, {Card: agreement.CardCredit, RatePPM: 6000}},
		Clauses: []agreement.Clause{}, Scope: "上门安装一台终端，教会店员使用", WarrantyMonths: 12, ResponseHours: 4, ResolutionHours: 24,
		Responsibility: []agreement.Responsible{{Step: "mount", Organisation: c.Provider.ID}},
	}
}

// laterSheet is the price sheet of a visit to a shop that has a terminal: it costs nothing.
func (c *Cast) laterSheet(kind string) agreement.Sheet {
	s := c.sheet()
	s.Items, s.Scope = []agreement.Item{}, map[string]string{visit.Swap: "换一台终端，旧机收回", visit.Relocation: "终端移到新地址", visit.Repair: "维修终端",
		visit.Removal: "撤走终端，押金全额退回", visit.Inspection: "巡检"}[kind]
	s.Responsibility = append(s.Responsibility, agreement.Responsible{Step: kind, Organisation: c.Provider.ID})
	return s
}

// VisitStream, OrderStream and DeviceStream name this play's streams.
func (p *Play) VisitStream() string  { return visit.StreamVisit + "/" + p.ID }
func (p *Play) OrderStream() string  { return visit.StreamOrder + "/" + p.Order.Order }
func (p *Play) DeviceStream() string { return visit.StreamDevice + "/" + p.Device.Serial }

func (p *Play) tell(who, what string, args ...any) {
	if p.Tell != nil {
		p.Tell(who, fmt.Sprintf(what, args...))
	}
}

// file signs a draft and records it under a verb.
func (p *Play) file(ctx context.Context, by *Actor, verb string, d Draft, openings ...statement.Opening) (string, error) {
	d.At = p.Now()
	envelope := by.Forge(d)
	if err := p.Venue.File(ctx, by, Filing{Stream: d.Stream, Verb: verb, Envelope: envelope, Openings: openings}); err != nil {
		return "", err
	}
	by.accept(d.Stream, envelope)
	return statement.Digest(envelope), nil
}

// OpenCity publishes the lists and enrols everybody: what exists before any order.
func (p *Play) OpenCity(ctx context.Context) error {
	c, now := p.Cast, p.Now()
	steps := []func() error{
		func() error { return p.PublishTrustList(ctx, c.TrustList(now)) },
		func() error { return p.PublishParameters(ctx, c.Parameters) },
		func() error { return p.Mandate(ctx, c.Acquirer, c.Provider) },
		func() error { return p.PublishStatus(ctx) },
	}
	for _, a := range c.People() {
		steps = append(steps, func() error { return p.Enrol(ctx, a) })
	}
	for _, course := range []string{SecurityCourse, c.Family()} {
		steps = append(steps, func() error { return p.Train(ctx, c.Technician, course, now.AddDate(1, 0, 0)) })
	}
	for _, s := range steps {
		if err := s(); err != nil {
			return err
		}
	}
	return nil
}

// Enrol has a person's organisation vouch for his key.
func (p *Play) Enrol(ctx context.Context, a *Actor) error {
	o := p.Cast.Organisation(a.Organisation)
	_, err := p.file(ctx, o, visit.Enrol, Draft{Stream: visit.StreamOrganisation + "/" + o.ID, Type: statement.TypeEnrolment, Body: Enrolment(a, p.Now())})
	return err
}

// PublishTrustList has the association publish a list.
func (p *Play) PublishTrustList(ctx context.Context, l credential.TrustList) error {
	a := p.Cast.Association
	_, err := p.file(ctx, a, visit.Publish, Draft{Stream: visit.StreamOrganisation + "/" + a.ID, Type: credential.TypeTrustList, Body: l})
	return err
}

// PublishParameters has the acquirer publish its parameters.
func (p *Play) PublishParameters(ctx context.Context, params registry.Parameters) error {
	a := p.Cast.Acquirer
	_, err := p.file(ctx, a, visit.Publish, Draft{Stream: visit.StreamOrganisation + "/" + a.ID, Type: registry.TypeParameters, Body: params})
	return err
}

// Mandate has one organisation mandate a provider.
func (p *Play) Mandate(ctx context.Context, by, provider *Actor) error {
	now := p.Now()
	_, err := p.file(ctx, by, visit.Publish, Draft{Stream: visit.StreamOrganisation + "/" + by.ID, Type: registry.TypeMandate,
		Body: registry.Mandate{Provider: provider.ID, From: statement.At(now.AddDate(0, -6, 0)), Until: statement.At(now.AddDate(1, 0, 0))}})
	return err
}

// PublishStatus has the provider publish its badges' status list as it is now.
func (p *Play) PublishStatus(ctx context.Context) error {
	c := p.Cast
	_, err := p.file(ctx, c.Provider, visit.Publish, Draft{Stream: visit.StreamOrganisation + "/" + c.Provider.ID, Type: registry.TypeStatusList, Body: c.StatusToken(p.Now())})
	return err
}

// Train has the school certify a course until a day.
func (p *Play) Train(ctx context.Context, who *Actor, course string, until time.Time) error {
	_, err := p.file(ctx, p.Cast.School, visit.Train, Draft{Stream: visit.StreamPerson + "/" + who.ID, Type: registry.TypeCertificate,
		Body: registry.Certificate{Holder: who.ID, Course: course, From: statement.At(until.AddDate(-2, 0, 0)), Until: statement.At(until)}})
	return err
}

// Book has the acquirer's approver book the order and its visit.
func (p *Play) Book(ctx context.Context) error {
	digest, err := p.file(ctx, p.Cast.Approver, visit.Book, Draft{Stream: p.OrderStream(), Type: visit.TypeOrder, Body: p.Order}, p.hidden...)
	if err != nil {
		return err
	}
	p.orderDig = digest
	p.tell("审批 "+p.Cast.Approver.ID, "核实了店主身份，签下订单 %s", p.Order.Order)
	_, err = p.file(ctx, p.Cast.Approver, visit.Book, Draft{Stream: p.VisitStream(), Type: visit.TypeOpened,
		Body: visit.Opened{Visit: p.ID, Order: p.Order.Order, Basis: digest}})
	return err
}

// AgreeApprover and AgreeMerchant sign the price sheet.
func (p *Play) AgreeApprover(ctx context.Context, sheet agreement.Sheet) error {
	_, err := p.file(ctx, p.Cast.Approver, visit.Agree, Draft{Stream: p.OrderStream(), Type: agreement.TypeAgreement, Body: agreement.Offer(p.Order.Order, sheet)})
	return err
}

// AgreeMerchant signs the sheet with every flagged clause ticked.
func (p *Play) AgreeMerchant(ctx context.Context, sheet agreement.Sheet) error {
	var ticked []string
	for _, f := range agreement.Check(sheet) {
		ticked = append(ticked, f.Code)
	}
	_, err := p.file(ctx, p.Cast.Merchant, visit.Agree, Draft{Stream: p.OrderStream(), Type: agreement.TypeAgreement,
		Body: agreement.Accept(p.Order.Order, sheet, ticked, agreement.None, p.Cast.Acquirer.ID)})
	if err == nil {
		p.tell("店主 "+p.Cast.Merchant.ID, "在自己手机上看过价目单，签了字：一共 ¥%.2f", float64(sheet.TotalNowFen())/100)
	}
	return err
}

// Assign has the provider's dispatcher send the technician.
func (p *Play) Assign(ctx context.Context) error {
	digest, err := p.file(ctx, p.Cast.Dispatcher, visit.DispatchVerb, Draft{Stream: p.VisitStream(), Type: visit.TypeDispatch, Body: p.Dispatch}, p.sent...)
	p.assigned = digest
	return err
}

// Ask puts an ask in the name of whoever may.
func (p *Play) Ask(ctx context.Context, ask string) (Answer, error) {
	by := map[string]*Actor{visit.AskDispatch: p.Cast.Dispatcher, visit.AskAdmit: p.Cast.Merchant}[ask]
	if by == nil {
		by = p.Cast.Technician
	}
	return p.Venue.Ask(ctx, by, p.ID, ask)
}

// MustAsk is Ask, and a refusal is an error.
func (p *Play) MustAsk(ctx context.Context, ask string) error {
	a, err := p.Ask(ctx, ask)
	if err != nil {
		return err
	}
	if !a.Granted {
		return &Denied{Ask: ask, Answer: a}
	}
	return nil
}

// Denied says that the gate refused an ask.
type Denied struct {
	Ask    string
	Answer Answer
}

func (d *Denied) Error() string {
	return fmt.Sprintf("%s refused by %s: %s %v", d.Ask, d.Answer.By, d.Answer.Code, d.Answer.Failing)
}
