package evidence

import (
	"errors"
	"math"
	"slices"

	"github.com/menshen-project/menshen/internal/agreement"
	"github.com/menshen-project/menshen/internal/attest"
	"github.com/menshen-project/menshen/internal/credential"
	"github.com/menshen-project/menshen/internal/custody"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/gate"
	"github.com/menshen-project/menshen/internal/identifier"
	"github.com/menshen-project/menshen/internal/registry"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

var (
	errNoDoor         = fault.New(fault.Refused, "door_check_absent", "还没有上门核对。", "There was no door check yet.")
	errChallengeNone  = fault.New(fault.Refused, "challenge_unknown", "核对码不是这次上门发出的。", "The challenge was not issued for this visit.")
	errChallengeUse   = fault.New(fault.Refused, "challenge_other_purpose", "核对码是为别的事发的。", "The challenge was issued for another purpose.")
	errAnswerDiffers  = fault.New(fault.Refused, "answer_differs", "商户签的回答和附上的不是同一份。", "The merchant signed another answer than the one beside it.")
	errNoStatusList   = fault.New(fault.Refused, "status_list_absent", "没有工作证的停用名单。", "The badge issuer's status list is absent.")
	errRevokedBadge   = fault.New(fault.Refused, "badge_revoked", "工作证已被停用。", "The badge was revoked.")
	errBadgeUnlogged  = fault.New(fault.Refused, "badge_not_recorded", "这张工作证没有签发记录。", "No record says that this badge was issued.")
	errNonceReplayed  = fault.New(fault.Refused, "attest_nonce_replayed", "机具拿旧的回答再用了一次。", "The device answered a nonce that was answered before.")
	errOpeningKind    = fault.New(fault.Refused, "opening_other_kind", "打开的内容不是位置。", "The opening of a position is of another kind.")
	errPhotoTime      = fault.New(fault.Refused, "photo_other_time", "照片不是这次上门的时候拍的。", "A photo was not taken during this visit.")
	errBeforeTrial    = fault.New(fault.Refused, "acceptance_before_trial", "试用密钥还没装，验收就做完了。", "The acceptance script was run before the trial keys were loaded.")
	errTrialCancelled = fault.New(fault.Refused, "trial_cancelled", "这次试用已经有人签字撤销，要再试一次。", "Somebody signed that this trial is cancelled; it has to be tried again.")
	errListTime       = fault.New(fault.Refused, "charge_list_other_time", "主机的扣款清单没有盖住这次上门。", "The host's charge list does not cover this visit.")
	errHostOther      = fault.New(fault.Refused, "host_of_another", "报告不是本收单机构的主机签的。", "The report was not signed by this acquirer's host.")
)

// KindPosition is the commitment kind of a position; the value is identifier's wire form.
const KindPosition = "position"

// DoorAudience is what a badge answer to a visit's door check must name.
func DoorAudience(visitID string) string { return "menshen-door/" + visitID }

// admission verifies the last door check again: challenge, badge, key binding, and the badge's
// status as of now.
func (b *builder) admission() gate.Fact[gate.Admission] {
	it, err := b.lastDoor()
	if err != nil {
		return gate.Unknown[gate.Admission](err)
	}
	a, err := b.doorCheck(it)
	if err != nil {
		return gate.Unknown[gate.Admission](err, it.signed.Digest())
	}
	return gate.Known(a, it.signed.Digest())
}

func (b *builder) doorCheck(it item) (gate.Admission, error) {
	var body visit.Admission
	var p credential.Presentation
	err := it.signed.Body(visit.TypeAdmission, &body)
	if err == nil {
		p, err = b.presentation(it, body)
	}
	if err != nil {
		return gate.Admission{}, err
	}
	badge := p.Badge()
	holder, err := b.badgeRecorded(badge)
	if err != nil {
		return gate.Admission{}, err
	}
	return gate.Admission{
		At: saidAt(it), Genuine: body.Genuine, SameFace: body.SameFace, Mode: body.Mode,
		BadgeKey: badge.Holder().Thumbprint(), BadgeFor: holder, StaffOf: badge.Issuer(),
		Name: badge.NameCommitment(), Photo: badge.PhotoCommitment(),
		Status:       b.badgeStatus(badge),
		TechnicianIn: b.facts.Technician.Err,
	}, nil
}

// badgeStatus asks the newest status list and every recorded revocation, as of now.
func (b *builder) badgeStatus(badge credential.Badge) error {
	holder, err := b.badgeRecorded(badge)
	switch {
	case err != nil:
		return err
	case holder == "":
		return errBadgeUnlogged
	}
	for _, it := range b.of("", registry.TypeBadgeRevoked) {
		var r registry.BadgeRevoked
		if err := it.signed.Body(registry.TypeBadgeRevoked, &r); err != nil {
			return err
		}
		if r.StatusURI == badge.StatusURI() && r.StatusIndex == badge.StatusIndex() && it.claims.Header.Organisation == badge.Issuer() {
			return errRevokedBadge
		}
	}
	list, err := b.statusList(badge.Issuer(), badge.StatusURI())
	if err != nil {
		return err
	}
	b.status = &list
	key, errKey := b.keys.trust.BadgeKey(badge.Issuer()) // the badge was verified with it
	checked, err := credential.VerifyStatusList([]byte(list.Token), credential.StatusExpectation{Issuer: key, IssuerID: badge.Issuer(), URI: list.URI, Now: b.now})
	if err := errors.Join(errKey, err); err != nil {
		return err
	}
	b.statusAt = checked.IssuedAt()
	return checked.Admits(badge)
}

// badgeRecorded finds for whom a badge's own issuer recorded it, "" if nobody did. The badge itself names no
// person, and its key may be a day old: this signed line in the log is what ties it to somebody. A record
// that cannot be read may be the one that counts, so it is no "not recorded".
func (b *builder) badgeRecorded(badge credential.Badge) (holder string, err error) {
	for _, it := range b.of("", registry.TypeBadgeIssued) {
		var r registry.BadgeIssued
		if err := it.signed.Body(registry.TypeBadgeIssued, &r); err != nil {
			return "", err
		}
		if r.Badge == badge.Digest() && r.Key == badge.Holder().Thumbprint() && it.claims.Header.Organisation == badge.Issuer() {
			return r.Holder, nil
		}
	}
	return "", nil
}

// place measures every position that this visit committed to and whose opening is here.
func (b *builder) place() gate.Fact[gate.Place] {
	shop, opened, err := b.position(b.order.Value.Position)
	if err != nil {
		return gate.Unknown[gate.Place](err)
	}
	var p gate.Place
	var from []string
	for _, r := range b.readings() {
		from = append(from, r.from)
		if o, ok := b.openings.get(r.commitment); ok && o.Kind == KindPosition && o.Value == "" {
			continue // a phone without a reading commits to the empty text: it neither proves a place nor denies one
		}
		here, known, err := b.position(r.commitment)
		if err != nil {
			return gate.Unknown[gate.Place](err, r.from)
		}
		if !known || !opened {
			p.Unopened++
			continue
		}
		p.Readings = append(p.Readings, gate.Reading{Source: r.source, Metres: int(math.Ceil(shop.MetresTo(here)))})
	}
	return gate.Known(p, from...)
}

type reading struct{ commitment, source, from string }

// readings lists the commitments to positions: the merchant's page and the technician's phone at the
// door, and the phone at each step.
func (b *builder) readings() []reading {
	var out []reading
	add := func(commitment, source, from string) {
		if commitment != "" {
			out = append(out, reading{commitment, source, from})
		}
	}
	for _, it := range b.inVisit(visit.TypeAdmission) {
		var body visit.Admission
		if !b.atDoor(it.claims.Header) || it.signed.Body(visit.TypeAdmission, &body) != nil {
			continue
		}
		add(body.Position, visit.RoleMerchant, it.signed.Digest())
		if p, err := b.presentation(it, body); err == nil {
			add(p.Position(), visit.RoleTechnician, it.signed.Digest())
		}
	}
	for _, s := range b.steps().Value {
		add(s.Step.Position, s.Role, s.Digest)
	}
	return out
}

func (b *builder) position(commitment string) (identifier.Position, bool, error) {
	o, ok := b.openings.get(commitment)
	if !ok {
		return identifier.Position{}, false, nil
	}
	if o.Kind != KindPosition {
		return identifier.Position{}, false, errOpeningKind
	}
	p, err := identifier.ParsePosition(o.Value)
	return p, err == nil, err
}

// quotes verifies every attestation of this visit. An older one that failed does not matter once a
// newer one is good; the newest decides.
func (b *builder) quotes(serial string) gate.Fact[[]gate.Attestation] {
	var list []gate.Attestation
	var from []string
	var last error
	answered := map[string]bool{}
	for _, it := range b.inVisit(attest.TypeAttestation) {
		from = append(from, it.signed.Digest())
		q, err := b.quote(it, serial, answered, list)
		last = err
		if err == nil {
			list = append(list, q)
		}
	}
	if last != nil {
		return gate.Unknown[[]gate.Attestation](last, from...)
	}
	return gate.Known(list, from...)
}

func (b *builder) quote(it item, serial string, answered map[string]bool, earlier []gate.Attestation) (gate.Attestation, error) {
	var body attest.Attestation
	if err := it.signed.Body(attest.TypeAttestation, &body); err != nil {
		return gate.Attestation{}, err
	}
	challenge, ok := b.state.Challenge(body.Challenge)
	switch {
	case !ok:
		return gate.Attestation{}, errChallengeNone
	case challenge.Body.Purpose != visit.PurposeDevice || body.Purpose != visit.PurposeDevice:
		return gate.Attestation{}, errChallengeUse
	case answered[body.Challenge]:
		return gate.Attestation{}, errNonceReplayed
	}
	answered[body.Challenge] = true
	c, err := b.origin()
	if err != nil {
		return gate.Attestation{}, err
	}
	// Where the maker leaves the key to the attestation, the first one fixes it for the visit (design §8).
	key := c.DeviceKey()
	if key == "" && len(earlier) > 0 {
		key = earlier[0].Quote.Key()
	}
	verified, err := attest.Verify(body, attest.Want{Nonce: challenge.Body.Nonce, Serial: serial, Maker: c.Maker(),
		DeviceKey: key, AttestationSerial: c.AttestationSerial(),
		Roots: b.r.trust.roots, Revoked: b.r.trust.file.Revocations, Now: b.now})
	if err != nil {
		return gate.Attestation{}, err
	}
	return gate.Attestation{Quote: verified, AskedAt: challenge.Event.ReceivedAt, AnswerAt: it.received, Number: challenge.Event.Number}, nil
}

// origin is what the maker vouched for, even where later custody is broken: an inspection asks who
// made the device, not who carried it.
func (b *builder) origin() (custody.Verified, error) {
	if b.facts.Custody.Err == nil {
		return b.facts.Custody.Value, nil
	}
	transfers := b.of(visit.StreamDevice+"/"+b.state.Dispatched().Serial, custody.TypeTransfer)
	if len(transfers) == 0 {
		return custody.Verified{}, b.facts.Custody.Err
	}
	c, err := custody.Verify([]statement.Verified{transfers[0].signed}, nil)
	if err == nil && !b.keys.trust.IsKind(c.Maker(), credential.KindMaker) {
		err = errNotParty.At(visit.RoleMaker)
	}
	return c, err
}

func (b *builder) backup() gate.Fact[gate.Backup] {
	copied := bodyFact[visit.Backup](b, visit.TypeBackup, b.technician(), 0)
	empty := bodyFact[visit.NothingToKeep](b, visit.TypeNothingToKeep, b.merchant(), 0)
	if it, ok, _ := b.last(visit.TypeBackup, b.technician()); ok && copied.Err == nil && b.beforeDoor(it) {
		copied.Err = errSignedEarly
	}
	if copied.Err != nil {
		return gate.Unknown[gate.Backup](copied.Err, copied.From...)
	}
	if len(copied.From) == 0 && len(empty.From) == 0 {
		return gate.Fact[gate.Backup]{Err: empty.Err}
	}
	same := copied.Value.Manifest != "" && copied.Value.Manifest == copied.Value.Restored
	return gate.Known(gate.Backup{Restored: same, NothingToKeep: len(empty.From) > 0 && empty.Err == nil}, slices.Concat(copied.From, empty.From)...)
}

// steps lists the steps that the dispatched technician or the merchant recorded.
func (b *builder) steps() gate.Fact[[]gate.StepDone] {
	var list []gate.StepDone
	var from []string
	for _, it := range b.inVisit(visit.TypeStep) {
		h := it.claims.Header
		if !b.technician().signed(h) && !b.merchant().signed(h) {
			continue
		}
		var s visit.Step
		stray := it.signed.Body(visit.TypeStep, &s) // unreadable: no step at all
		if stray == nil {
			stray = b.photosStray(it, s)
		}
		if stray == nil && b.beforeDoor(it) {
			stray = errSignedEarly
		}
		list = append(list, gate.StepDone{Step: s, Role: h.Role, Digest: it.signed.Digest(), Stray: stray})
		from = append(from, it.signed.Digest())
	}
	return gate.Known(list, from...)
}

// beforeDoor says whether something was signed before the shop let anybody in. Phones without signal bring their
// statements in any order, so the signers' own times are compared.
func (b *builder) beforeDoor(it item) bool {
	door, ok := b.firstDoor()
	return !ok || it.claims.Header.Time().Before(door.claims.Header.Time().Add(-clockLeeway))
}

// photosStray says why a step's photos cannot be of this visit: the page dated one before the merchant
// let anybody in, or after the step that it belongs to came in.
func (b *builder) photosStray(it item, s visit.Step) error {
	door, ok := b.firstDoor()
	for _, p := range s.Photos {
		at, err := p.TakenAt.Parse()
		if err != nil || !ok || at.Before(door.claims.Header.Time().Add(-clockLeeway)) || at.After(it.received.Add(clockLeeway)) {
			return errPhotoTime
		}
	}
	return nil
}

// trialPermit is the last trial permit, if the host answered that it loaded it.
func (b *builder) trialPermit() gate.Fact[visit.Recorded[visit.Decision]] {
	d, ok := b.state.Decision(visit.AskTrial)
	if !ok {
		return gate.Fact[visit.Recorded[visit.Decision]]{}
	}
	digest := d.Event.Statement.Digest()
	if o, ok := b.state.Outcome(digest); !ok || o.Body.Outcome != visit.Loaded {
		return gate.Fact[visit.Recorded[visit.Decision]]{From: []string{digest}}
	}
	if b.state.Cancelled(digest) {
		return gate.Unknown[visit.Recorded[visit.Decision]](errTrialCancelled, digest)
	}
	return gate.Known(d, digest)
}

func (b *builder) ownHost(v statement.Verified) bool {
	return v.Header().Organisation == b.order.Value.Acquirer
}

// acceptance verifies the host's last report against the last trial permit, and every earlier one
// against its own: their test amounts stand in the last list of charges too.
func (b *builder) acceptance() gate.Fact[gate.Acceptance] {
	found := b.inVisit(agreement.TypeAcceptance)
	if len(found) == 0 {
		return gate.Fact[gate.Acceptance]{}
	}
	it := found[len(found)-1]
	d, ok := b.state.Decision(visit.AskTrial)
	if !ok {
		return gate.Fact[gate.Acceptance]{From: []string{it.signed.Digest()}}
	}
	report, err := agreement.VerifyAcceptance(it.signed, b.wantAcceptance(d))
	if err == nil {
		err = b.afterLoading(report, d)
	}
	if err != nil {
		return gate.Unknown[gate.Acceptance](err, it.signed.Digest())
	}
	out := gate.Acceptance{Report: report, Number: it.event.Number}
	for _, earlier := range found[:len(found)-1] {
		if t, err := b.earlierTrial(earlier.signed); err == nil {
			out.Earlier = append(out.Earlier, t)
		}
	}
	return gate.Known(out, it.signed.Digest())
}

// afterLoading refuses a script that the host says it ran before it loaded the trial keys: the permit's
// time alone begins earlier. One host's clock made both times.
func (b *builder) afterLoading(report agreement.AcceptanceVerified, d visit.Recorded[visit.Decision]) error {
	o, _ := b.state.Outcome(d.Event.Statement.Digest()) // without one, no trial permit counts as loaded
	loaded, err := o.Body.At.Parse()
	if err != nil || report.StartedAt().Before(loaded) {
		return errBeforeTrial
	}
	return nil
}

// earlierTrial finds the permit that an earlier report is about. One that fits none is left out, so
// that its amounts, if any were taken, count as outside the sheet.
func (b *builder) earlierTrial(v statement.Verified) (agreement.TrialVerified, error) {
	err := error(errHostOther)
	for _, d := range b.state.Decisions() {
		if d.Body.Ask != visit.AskTrial {
			continue
		}
		var t agreement.TrialVerified
		if t, err = agreement.VerifyTrial(v, b.wantAcceptance(d)); err == nil {
			return t, nil
		}
	}
	return agreement.TrialVerified{}, err
}

func (b *builder) wantAcceptance(d visit.Recorded[visit.Decision]) agreement.WantAcceptance {
	p := d.Body.Permit
	return agreement.WantAcceptance{Permit: d.Event.Statement.Digest(), Acquirer: b.order.Value.Acquirer, Serial: p.Serial,
		DeviceKey: p.DeviceKey, Terminal: p.Terminal, MerchantCode: p.Items.MerchantCode, MerchantName: b.order.Value.Name}
}

// charges reads the host's last list of charges, for visits that have no acceptance report.
func (b *builder) charges() gate.Fact[agreement.ChargeList] {
	found := b.inVisit(agreement.TypeChargeList)
	if len(found) == 0 {
		return gate.Fact[agreement.ChargeList]{}
	}
	it := found[len(found)-1]
	list, err := b.chargeList(it)
	if err != nil {
		return gate.Unknown[agreement.ChargeList](err, it.signed.Digest())
	}
	return gate.Known(list, it.signed.Digest())
}

// chargeList reads a list of charges that the acquirer's own host signed about this visit's terminal.
func (b *builder) chargeList(it item) (agreement.ChargeList, error) {
	if !b.ownHost(it.signed) {
		return agreement.ChargeList{}, errHostOther
	}
	var list agreement.ChargeList
	if err := it.signed.Body(agreement.TypeChargeList, &list); err != nil {
		return agreement.ChargeList{}, err
	}
	o, d := b.order.Value, b.state.Dispatched()
	if list.Visit != b.visitID || list.Serial != d.Serial || list.Terminal != o.Terminal || list.MerchantCode != o.Items.MerchantCode {
		return agreement.ChargeList{}, errNotParty.At("charge_list")
	}
	if !b.coversVisit(list) {
		return agreement.ChargeList{}, errListTime
	}
	return list, nil
}

// coversVisit says whether a list of charges begins before anybody could come and was made after
// somebody did.
func (b *builder) coversVisit(list agreement.ChargeList) bool {
	since, errS := list.Since.Parse()
	listed, errL := list.ListedAt.Parse()
	from, errF := b.order.Value.WindowFrom.Parse()
	door, ok := b.firstDoor()
	return errS == nil && errL == nil && errF == nil && ok && !since.After(from) && !since.After(door.received) && !listed.Before(door.received)
}
