package evidence

import (
	"slices"
	"time"

	"github.com/menshen-project/menshen/internal/agreement"
	"github.com/menshen-project/menshen/internal/credential"
	"github.com/menshen-project/menshen/internal/custody"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/gate"
	"github.com/menshen-project/menshen/internal/registry"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// extractFresh is how old a register extract may be when it is asked about.
const extractFresh = 10 * time.Minute

var (
	errNoOrder        = fault.New(fault.Refused, "order_absent", "没有订单。", "There is no order for this visit.")
	errOrderBasis     = fault.New(fault.Refused, "order_differs", "订单和这次上门引用的不是同一份。", "The visit was booked on another order than the one here.")
	errOpenerOther    = fault.New(fault.Refused, "visit_opened_by_another", "这次上门不是订单的收单机构开的。", "The visit was not opened by an approver of the order's acquirer.")
	errOrderSigner    = fault.New(fault.Refused, "order_signer_differs", "订单不是本收单机构的审批人签的。", "The order was not signed by an approver of its own acquirer.")
	errNotParty       = fault.New(fault.Refused, "signer_not_party", "签名的人不是这一单的当事人。", "The signer is not the party of this order whose word is needed.")
	errNoParameters   = fault.New(fault.Refused, "parameters_absent", "没有收单机构的参数表。", "The acquirer's parameters are absent.")
	errNoMandate      = fault.New(fault.Refused, "mandate_absent", "没有收单机构给服务商的委托。", "No mandate of the provider is there.")
	errNoExtract      = fault.New(fault.Refused, "extract_absent", "没有登记摘录。", "There is no register extract for this ask.")
	errExtractOld     = fault.New(fault.Refused, "extract_too_old", "登记摘录太旧。", "The register extract is too old for this ask.")
	errSuperseded     = fault.New(fault.Refused, "list_superseded", "用的名单已经有了更新的一期。", "A list that was used has a newer number.")
	errSignedEarly    = fault.New(fault.Refused, "signed_too_early", "事情还没做，就先签了字。", "This was signed before what it speaks of was done.")
	errDispatcher     = fault.New(fault.Refused, "dispatcher_of_another", "派人的不是这一单的服务商。", "The technician was sent by another provider's dispatcher.")
	errListUnnumbered = fault.New(fault.Refused, "list_not_looked_up", "登记摘录没有查过其中一份名单。", "The register extract does not number one of the lists used.")
)

// builder turns proven items into facts. now is the time of the ask.
type builder struct {
	r        *Reader
	keys     keyring
	items    []item
	openings opener
	visitID  string
	ask      string
	now      time.Time
	state    visit.State
	courses  map[string]published // by issuer/course: those of the technician's certificates
	order    gate.Fact[visit.Order]
	facts    gate.Facts
	statusAt time.Time            // when that was signed, once it was verified
	status   *registry.StatusList // the one that the door check's badge was held to, nil for none
}

// of lists the items of a type in a stream, in order; "" matches every stream.
func (b *builder) of(stream, kind string) []item {
	var out []item
	for _, it := range b.items {
		if it.claims.Type == kind && (stream == "" || it.event.Stream == stream) {
			out = append(out, it)
		}
	}
	return out
}

func (b *builder) visitStream() string { return visit.StreamVisit + "/" + b.visitID }

// inVisit lists the items of a type in this visit's stream.
func (b *builder) inVisit(kind string) []item { return b.of(b.visitStream(), kind) }

// party is whose word is wanted. A name alone is nobody: another organisation may have enrolled a key
// of its own for the same name and role.
type party struct{ holder, role, organisation string }

func (p party) signed(h statement.Header) bool {
	return h.Signer == p.holder && h.Role == p.role && h.Organisation == p.organisation
}

func (b *builder) merchant() party {
	return party{b.order.Value.Merchant, visit.RoleMerchant, b.order.Value.Acquirer}
}

func (b *builder) technician() party {
	return party{b.state.Dispatched().Technician, visit.RoleTechnician, b.order.Value.Provider}
}

func (b *builder) supervisor() party {
	return party{b.state.Dispatched().Supervisor, visit.RoleSupervisor, b.facts.Supervisor.Value.Organisation}
}

// last gives the last item of a type in this visit that a party signed.
func (b *builder) last(kind string, by party) (item, bool, error) {
	err := error(nil)
	for _, it := range slices.Backward(b.inVisit(kind)) {
		if by.signed(it.claims.Header) {
			return it, true, nil
		}
		err = errNotParty
	}
	return item{}, false, err
}

// bodyFact reads the last statement of a type by a party as a fact. after is the number of the event
// that it must follow.
func bodyFact[T any](b *builder, kind string, by party, after int) gate.Fact[T] {
	it, ok, err := b.last(kind, by)
	if err != nil {
		return gate.Unknown[T](err)
	}
	if !ok {
		return gate.Fact[T]{}
	}
	var body T
	err = it.signed.Body(kind, &body)
	if err == nil && it.event.Number < after {
		err = errSignedEarly
	}
	if err != nil {
		return gate.Unknown[T](err, it.signed.Digest())
	}
	return gate.Known(body, it.signed.Digest())
}

// fold replays the visit's stream.
func (b *builder) fold() error {
	var events []visit.Event
	for _, it := range b.items {
		if it.event.Stream == b.visitStream() {
			events = append(events, visit.Event{Number: it.event.Number, Digest: it.digest, Verb: it.event.Verb, ReceivedAt: it.received, Statement: it.signed})
		}
	}
	state, err := visit.Fold(b.visitID, events)
	b.state = state
	return err
}

// build computes every fact. A fact that cannot be computed carries the reason; its condition fails
// with it, and the others are still judged.
func (b *builder) build() gate.Facts {
	b.order = b.readOrder()
	b.facts = gate.Facts{
		Kind:     b.order.Value.Kind,
		Stage:    b.state.Stage(),
		Frozen:   b.state.Frozen(),
		Open:     b.state.Open(),
		Order:    b.order,
		Assigned: b.state.Dispatched(),
		Trust:    gate.Known(b.keys.trust, b.keys.list.Digest()),
		Demo:     b.r.trust.file.Demonstration,
	}
	b.people()
	b.documents()
	b.facts.Admission = b.admission()
	b.facts.Place = b.place()
	b.device()
	b.work()
	b.facts.Extract = b.extract() // after the lists that it numbers
	b.kinds()
	return b.facts
}

func (b *builder) readOrder() gate.Fact[visit.Order] {
	opened := b.state.Opened()
	found := b.of(visit.StreamOrder+"/"+opened.Order, visit.TypeOrder)
	if len(found) == 0 {
		return gate.Unknown[visit.Order](errNoOrder)
	}
	it := found[0]
	var o visit.Order
	err := it.signed.Body(visit.TypeOrder, &o)
	switch {
	case err != nil:
	case len(found) != 1 || it.signed.Digest() != opened.Basis || o.Order != opened.Order:
		err = errOrderBasis
	case it.claims.Header.Organisation != o.Acquirer:
		err = errOrderSigner
	case b.state.Acquirer() != o.Acquirer: // whose risk desk and host the state machine listens to
		err = errOpenerOther
	default:
		return gate.Known(o, it.signed.Digest())
	}
	return gate.Fact[visit.Order]{Value: o, Err: err, From: []string{it.signed.Digest()}}
}

func (b *builder) people() {
	o, d := b.order.Value, b.state.Dispatched()
	b.facts.Merchant = b.keys.holder(o.Merchant, visit.RoleMerchant, o.Acquirer, b.now)
	b.facts.Technician = b.keys.holder(d.Technician, visit.RoleTechnician, o.Provider, b.now)
	if t := b.facts.Technician; t.Err == nil && t.Value.Organisation != o.Provider {
		b.facts.Technician = gate.Unknown[gate.Party](errNotParty.At(visit.RoleTechnician), t.From...)
	}
	b.facts.Approver = gate.Unknown[gate.Party](errNoOrder)
	if found := b.of(visit.StreamOrder+"/"+o.Order, visit.TypeOrder); len(found) > 0 {
		h := found[0].claims.Header
		b.facts.Approver = gate.Known(gate.Party{Holder: h.Signer, Organisation: h.Organisation, Key: h.Key}, found[0].signed.Digest())
	}
	b.facts.Approved = b.approved(o)
	if d.Supervisor == "" {
		return
	}
	b.facts.Supervisor = b.keys.holder(d.Supervisor, visit.RoleSupervisor, "", b.now)
	if s := b.facts.Supervisor; s.Err == nil {
		if err := b.keys.trust.Active(s.Value.Organisation, credential.KindSupervisor, b.now); err != nil {
			b.facts.Supervisor = gate.Unknown[gate.Party](err, s.From...)
		}
	}
}

// approved lists who else signed for the acquirer: its side of the sheet as it stands, and the visit's opening. The
// order's own approver is not listed again.
func (b *builder) approved(o visit.Order) []gate.Party {
	signed := b.inVisit(visit.TypeOpened)
	for _, it := range slices.Backward(b.of(visit.StreamOrder+"/"+o.Order, agreement.TypeAgreement)) {
		if it.claims.Header.Role == visit.RoleApprover {
			signed = append(signed, it)
			break
		}
	}
	var out []gate.Party
	for _, it := range signed {
		h := it.claims.Header
		if p := (gate.Party{Holder: h.Signer, Organisation: h.Organisation, Key: h.Key}); p.Holder != b.facts.Approver.Value.Holder {
			out = append(out, p)
		}
	}
	return out
}

// documents reads what organisations published about rules, mandates, courses and the price.
func (b *builder) documents() {
	o := b.order.Value
	b.facts.Parameters = b.parameters(o.Acquirer)
	b.facts.Mandate = b.mandate(o.Acquirer, o.Provider)
	if sent := b.inVisit(visit.TypeDispatch); len(sent) > 0 && sent[len(sent)-1].claims.Header.Organisation != o.Provider {
		b.facts.Mandate = gate.Unknown[gate.Mandate](errDispatcher, sent[len(sent)-1].signed.Digest())
	}
	b.certificates(b.state.Dispatched().Technician)
	b.facts.Agreement = b.agreement(o)
}

func (b *builder) parameters(acquirer string) gate.Fact[registry.Parameters] {
	best := gate.Unknown[registry.Parameters](errNoParameters)
	for _, it := range b.of(visit.StreamOrganisation+"/"+acquirer, registry.TypeParameters) {
		p, err := registry.ReadParameters(it.signed, acquirer)
		if err != nil {
			return gate.Unknown[registry.Parameters](err, it.signed.Digest())
		}
		if p.Number == best.Value.Number {
			return gate.Unknown[registry.Parameters](errListTwice.At(registry.ListParameters), it.signed.Digest())
		}
		if p.Number > best.Value.Number {
			best = gate.Known(p, it.signed.Digest())
		}
	}
	return best
}

// mandate prefers the acquirer's own word; another provider's is kept to say "second hop".
func (b *builder) mandate(acquirer, provider string) gate.Fact[gate.Mandate] {
	best := gate.Unknown[gate.Mandate](errNoMandate)
	for _, it := range b.of("", registry.TypeMandate) {
		var m registry.Mandate
		if err := it.signed.Body(registry.TypeMandate, &m); err != nil || m.Provider != provider {
			continue
		}
		span, err := registry.Period(m.From, m.Until)
		if err != nil {
			continue
		}
		by := it.claims.Header.Organisation
		if best.Err != nil || by == acquirer {
			best = gate.Known(gate.Mandate{SignedBy: by, Span: span}, it.signed.Digest())
		}
	}
	return best
}

// agreement takes the last signature of each side: what changes the sheet after one side signed
// leaves the two unequal.
func (b *builder) agreement(o visit.Order) gate.Fact[agreement.Verified] {
	var merchant, approver statement.Verified
	for _, it := range b.of(visit.StreamOrder+"/"+o.Order, agreement.TypeAgreement) {
		h := it.claims.Header
		switch {
		case b.merchant().signed(h):
			merchant = it.signed
		case h.Role == visit.RoleApprover && h.Organisation == o.Acquirer:
			approver = it.signed
		default:
			return gate.Unknown[agreement.Verified](errNotParty, it.signed.Digest())
		}
	}
	if !merchant.OK() && !approver.OK() {
		return gate.Fact[agreement.Verified]{}
	}
	a, err := agreement.Verify(merchant, approver)
	if err != nil {
		return gate.Unknown[agreement.Verified](err, merchant.Digest(), approver.Digest())
	}
	return gate.Known(a, merchant.Digest(), approver.Digest())
}

// extract reads the newest register extract for this ask and holds the lists that were used to the
// highest numbers it knows.
func (b *builder) extract() gate.Fact[registry.Extract] {
	var newest *item
	for _, it := range b.inVisit(registry.TypeExtract) {
		if _, err := registry.ReadExtract(it.signed, b.visitID, b.ask); err == nil {
			newest = &it
		}
	}
	if newest == nil {
		return gate.Unknown[registry.Extract](errNoExtract)
	}
	x, err := registry.ReadExtract(newest.signed, b.visitID, b.ask)
	if err == nil {
		err = b.listsCurrent(x)
	}
	if looked, _ := x.LookedAt.Parse(); err == nil && (b.now.Before(looked.Add(-clockLeeway)) || b.now.Sub(looked) > extractFresh) {
		err = errExtractOld
	}
	if err != nil {
		return gate.Unknown[registry.Extract](err, newest.signed.Digest())
	}
	return gate.Known(x, newest.signed.Digest())
}

func (b *builder) listsCurrent(x registry.Extract) error {
	if err := current(x, registry.ListTrust, b.keys.list.Header().Organisation, b.keys.trust.Number()); err != nil {
		return err
	}
	if b.status != nil {
		if err := current(x, registry.ListStatus, b.status.URI, b.status.Number); err != nil {
			return err
		}
	}
	if err := b.coursesCurrent(x); err != nil {
		return err
	}
	if p := b.facts.Parameters; p.Err == nil {
		return current(x, registry.ListParameters, p.Value.Acquirer, p.Value.Number)
	}
	return nil
}

// current refuses a list when the register knows a higher number, or does not know the list.
func current(x registry.Extract, list, issuer string, used int) error {
	highest, ok := x.Number(list, issuer)
	if !ok {
		return errListUnnumbered.At(list)
	}
	if used < highest {
		return errSuperseded.At(list)
	}
	return nil
}

// statusList finds the newest status list that an issuer published under a URI.
func (b *builder) statusList(issuer, uri string) (registry.StatusList, error) {
	var best registry.StatusList
	for _, it := range b.of(visit.StreamOrganisation+"/"+issuer, registry.TypeStatusList) {
		var l registry.StatusList
		if err := it.signed.Body(registry.TypeStatusList, &l); err != nil || l.URI != uri || l.Number < max(best.Number, 1) {
			continue
		}
		if l.Number == best.Number {
			return registry.StatusList{}, errListTwice.At(registry.ListStatus)
		}
		best = l
	}
	if best.Number == 0 {
		return registry.StatusList{}, errNoStatusList
	}
	return best, nil
}

// device reads custody and quotes.
func (b *builder) device() {
	serial := b.state.Dispatched().Serial
	var transfers []statement.Verified
	var from []string
	for _, it := range b.of(visit.StreamDevice+"/"+serial, custody.TypeTransfer) {
		transfers, from = append(transfers, it.signed), append(from, it.signed.Digest())
	}
	var arrival *statement.Verified
	if found := b.inVisit(custody.TypeArrival); len(found) > 0 {
		arrival = &found[len(found)-1].signed
		from = append(from, arrival.Digest())
	}
	c, err := custody.Verify(transfers, arrival)
	if err != nil {
		b.facts.Custody = gate.Unknown[custody.Verified](err, from...)
	} else if !b.keys.trust.IsKind(c.Maker(), credential.KindMaker) {
		b.facts.Custody = gate.Unknown[custody.Verified](errNotParty.At("maker"), from...)
	} else {
		b.facts.Custody = gate.Known(c, from...)
	}
	b.facts.Quotes = b.quotes(serial)
	b.facts.Marks = b.marks(serial)
}

// marks reads who marked the device lost or quarantined, and what was lifted. Its stream travels whole, so a server
// that leaves a mark out leaves a gap.
func (b *builder) marks(serial string) []visit.Mark {
	return visit.OpenMarks(b.deviceStream(serial))
}

func (b *builder) deviceStream(serial string) []statement.Verified {
	var stream []statement.Verified
	for _, it := range b.items {
		if it.event.Stream == visit.StreamDevice+"/"+serial && (it.claims.Type != visit.TypeReinstatement || b.keys.mayLift(it) == nil) {
			stream = append(stream, it.signed)
		}
	}
	return stream
}

// work reads what was done on site and at the end.
func (b *builder) work() {
	b.facts.Backup = b.backup()
	b.facts.Steps = b.steps()
	b.facts.TrialPermit = b.trialPermit()
	b.facts.Acceptance = b.acceptance()
	b.facts.Charges = b.charges()
	done := b.workDone()
	b.facts.SignOff = bodyFact[visit.SignOff](b, visit.TypeSignOff, b.supervisor(), done)
	b.facts.Confirmation = bodyFact[visit.Confirmation](b, visit.TypeConfirmation, b.merchant(), done)
}

// workDone is the number of the event before which nobody can say that all is well: the host's last
// report or, on a visit that has none, the merchant's first word at the door. A removal's work is done
// once the keys are gone.
func (b *builder) workDone() int {
	if e, ok := b.state.Ended(b.old().Serial, b.old().Terminal); ok && b.order.Value.Kind == visit.Removal {
		return e.Number
	}
	if reports := b.inVisit(agreement.TypeAcceptance); len(reports) > 0 {
		return reports[len(reports)-1].event.Number
	}
	if door, ok := b.firstDoor(); ok {
		return door.event.Number
	}
	return 0
}

// firstDoor is the shop's first signed verdict at the door that let somebody in: whoever was refused there began nothing.
func (b *builder) firstDoor() (item, bool) {
	for _, it := range b.inVisit(visit.TypeAdmission) {
		if b.atDoor(it.claims.Header) && letsIn(it) {
			return it, true
		}
	}
	return item{}, false
}
