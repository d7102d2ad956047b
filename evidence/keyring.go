package evidence

import (
	"slices"
	"strings"
	"time"

	"github.com/menshen-project/menshen/internal/credential"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/gate"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

var (
	errNoTrustList     = fault.New(fault.Refused, "trust_list_absent", "没有信任名单。", "There is no trust list.")
	errKeyUnknown      = fault.New(fault.Refused, "key_not_enrolled", "签名的密钥没有人登记担保。", "Nobody on the trust list vouches for the signing key.")
	errKeyTwice        = fault.New(fault.Refused, "key_enrolled_twice", "同一把密钥登记给了两个人或两种身份。", "One key is enrolled for two holders or roles.")
	errRoleDiffers     = fault.New(fault.Refused, "signer_role_differs", "签名人用的身份和登记的不一样。", "The statement claims another person, organisation or role than its key is enrolled for.")
	errMayNotEnrol     = fault.New(fault.Refused, "enroller_not_entitled", "这家机构不能登记这种身份的密钥。", "This organisation may not enrol keys for that role.")
	errKeyAfter        = fault.New(fault.Refused, "statement_before_or_after_key", "签名的时间不在密钥有效期内。", "The statement is dated outside its key's enrolment.")
	errAhead           = fault.New(fault.Refused, "statement_from_future", "签名的时间晚于收到的时间。", "The statement is dated after it was received.")
	errVerbTable       = fault.New(fault.Refused, "verb_unknown", "没有这种操作，或者文件种类不对。", "No such verb takes this kind of statement in this stream.")
	errRoleMayNot      = fault.New(fault.Refused, "role_not_allowed", "这个身份不能做这件事。", "This role may not do this.")
	errStreamOwner     = fault.New(fault.Refused, "stream_of_another", "机构只能在自己名下发布。", "An organisation may publish only in its own stream.")
	errListTwice       = fault.New(fault.Refused, "list_number_twice", "同一期名单有两个版本，不知道该信哪一个。", "Two versions of a list carry one number; nobody can say which counts.")
	errAmbiguous       = fault.New(fault.Refused, "holder_ambiguous", "两家机构用同一个名字登记了不同的人。", "Two organisations enrolled keys for this name and role; nobody can say who is meant.")
	errTrustListStream = fault.New(fault.Refused, "trust_list_wrong_role", "信任名单要以监管、协会的身份发布。", "A trust list is published in the role of a regulator.")
)

// clockLeeway is how far a signer's clock may run ahead of the moment menshen received his words.
const clockLeeway = 5 * time.Minute

// mayEnrol says which kinds of organisation may enrol a key for a role (design §6).
var mayEnrol = map[string]string{
	visit.RoleMerchant:   credential.KindAcquirer,
	visit.RoleApprover:   credential.KindAcquirer,
	visit.RoleHost:       credential.KindAcquirer,
	visit.RoleRisk:       credential.KindAcquirer,
	visit.RoleTechnician: credential.KindProvider,
	visit.RoleDispatcher: credential.KindProvider,
	visit.RoleCustodian:  credential.KindProvider,
	visit.RoleSupervisor: credential.KindSupervisor,
	visit.RoleRegulator:  credential.KindRegulator,
}

// othersWrite are the types that are filed in an organisation's stream by somebody else: what stops it and
// what lets it go on.
var othersWrite = map[string]bool{visit.TypeSuspension: true, visit.TypeReinstatement: true}

// enrolled is a key that an organisation on the trust list vouches for.
type enrolled struct {
	body    statement.Enrolment
	digest  string // of the enrolment statement, "" for an organisation's own key
	from    time.Time
	until   time.Time
	endedAt *time.Time
	kinds   []string // for organisations' own keys: the kinds it is listed as
}

// keyring is every key that counts in one dossier, under one trust list.
type keyring struct {
	trust   credential.Trust
	list    statement.Verified
	byThumb map[string]enrolled
	now     time.Time // what it was built for
	nextAt  time.Time // when its trust list ends
}

// keyring builds the chain trust list → organisation → enrolment from the dossier.
func (r *Reader) keyring(items []item, now time.Time) (keyring, error) {
	k := keyring{byThumb: map[string]enrolled{}, now: now}
	if err := r.trustList(&k, items, now); err != nil {
		return k, err
	}
	for i := range items {
		if items[i].claims.Type != statement.TypeEnrolment || ofMerchant(items[i]) {
			continue
		}
		if err := r.enrol(&k, &items[i]); err != nil {
			return keyring{}, fault.At(err, items[i].place)
		}
	}
	for i := range items {
		if items[i].claims.Type != statement.TypeEnrolmentEnd || ofMerchant(items[i]) {
			continue
		}
		if err := r.endEnrolment(&k, &items[i]); err != nil {
			return keyring{}, fault.At(err, items[i].place)
		}
	}
	return k, r.clerks(&k, items)
}

// trustList verifies every trust list in the dossier with the trust file's key and takes the one
// with the highest number.
func (r *Reader) trustList(k *keyring, items []item, now time.Time) error {
	best, place := 0, ""
	for i := range items {
		it := &items[i]
		if it.claims.Type != credential.TypeTrustList {
			continue
		}
		v, err := r.verify(it.claims, r.trust.file.TrustListKey)
		if err != nil {
			return fault.At(err, it.place)
		}
		it.signed = v
		var body credential.TrustList
		if err := v.Body(credential.TypeTrustList, &body); err != nil {
			return fault.At(err, it.place)
		}
		if v.Header().Role != visit.RoleRegulator {
			return fault.At(errTrustListStream, it.place)
		}
		if body.Number > best {
			best, k.list, place = body.Number, v, it.place
			k.nextAt, _ = body.NextAt.Parse() // VerifyTrustList refuses what is none
		}
	}
	if best == 0 {
		return errNoTrustList
	}
	trust, err := r.lists.Get(k.list.Digest(), memoBound, func() (credential.Trust, error) { return credential.VerifyTrustList(k.list, now) })
	if err == nil {
		trust, err = trust.AsOf(now)
	}
	k.trust = trust
	return fault.At(err, place)
}

// organisation gives the key that an organisation signs with, and its kinds.
func (k keyring) organisation(thumb string) (enrolled, statement.Key, bool) {
	key, org, err := k.trust.Key(thumb)
	if err != nil {
		return enrolled{}, statement.Key{}, false
	}
	e := enrolled{kinds: org.Kinds}
	e.body = statement.Enrolment{Holder: org.ID, Organisation: org.ID, Role: visit.RoleOrganisation, Key: key, HeldBy: statement.HeldByHolder}
	return e, key, true
}

func (r *Reader) byOrganisation(k *keyring, it *item) (enrolled, error) {
	org, key, ok := k.organisation(it.claims.Header.Key)
	if !ok {
		return enrolled{}, errKeyUnknown
	}
	v, err := r.verify(it.claims, key)
	if err != nil {
		return enrolled{}, err
	}
	it.signed = v
	return org, checkSigner(org, it)
}

func (r *Reader) enrol(k *keyring, it *item) error {
	org, err := r.byOrganisation(k, it)
	if err != nil {
		return err
	}
	var body statement.Enrolment
	if err := it.signed.Body(statement.TypeEnrolment, &body); err != nil {
		return err
	}
	if err := body.Check(); err != nil {
		return err
	}
	kind, known := mayEnrol[body.Role]
	if !known || body.Organisation != org.body.Organisation || !slices.Contains(org.kinds, kind) {
		return errMayNotEnrol.At(body.Role)
	}
	return k.take(body, it.signed.Digest())
}

// take adds an enrolment, unless its key is somebody else's already.
func (k *keyring) take(body statement.Enrolment, digest string) error {
	thumb := body.Key.Thumbprint()
	if _, _, own := k.organisation(thumb); own {
		return errKeyTwice
	}
	if before, twice := k.byThumb[thumb]; twice && (before.body.Holder != body.Holder || before.body.Role != body.Role || before.body.Organisation != body.Organisation) {
		return errKeyTwice
	}
	e := enrolled{body: body, digest: digest}
	e.from, _ = body.From.Parse() // Check has parsed both
	e.until, _ = body.Until.Parse()
	k.byThumb[thumb] = e
	return nil
}

func (r *Reader) endEnrolment(k *keyring, it *item) error {
	org, err := r.byOrganisation(k, it)
	if err != nil {
		return err
	}
	var body statement.EnrolmentEnd
	if err := it.signed.Body(statement.TypeEnrolmentEnd, &body); err != nil {
		return err
	}
	from, err := body.From.Parse()
	if err != nil {
		return err
	}
	e, ok := k.byThumb[body.Key]
	if !ok || e.body.Organisation != org.body.Organisation {
		return nil // ends a key that this dossier does not use, or one that is not the signer's to end
	}
	k.end(body.Key, from)
	return nil
}

// end ends a key's enrolment; of several ends the earliest counts.
func (k *keyring) end(thumb string, from time.Time) {
	e := k.byThumb[thumb]
	if e.endedAt == nil || from.Before(*e.endedAt) {
		e.endedAt = &from
	}
	k.byThumb[thumb] = e
}

// inForce says whether the key counted at t.
func (e enrolled) inForce(t time.Time) error {
	if e.kinds != nil {
		return nil // on the trust list that is in force now
	}
	if e.endedAt != nil && !t.Before(*e.endedAt) {
		return errKeyAfter
	}
	if !t.Before(e.from) && t.Before(e.until) {
		return nil
	}
	if err := e.body.InForce(t); err != nil {
		return err // says why not
	}
	return errKeyAfter // a clerk's, after the merchant's own
}

// checkSigner holds what a statement says of its signer to what its key is enrolled for.
func checkSigner(e enrolled, it *item) error {
	h := it.claims.Header
	role := e.body.Role == h.Role || slices.Contains(e.kinds, h.Role)
	if h.Signer != e.body.Holder || h.Organisation != e.body.Organisation || !role {
		return errRoleDiffers
	}
	if h.Time().After(it.received.Add(clockLeeway)) {
		return errAhead
	}
	if err := e.inForce(h.Time()); err != nil {
		return err
	}
	return e.inForce(it.received)
}

// prove verifies every item's signature with the key that the keyring holds for it, and that its
// role may use its verb.
func (r *Reader) prove(k *keyring, items []item) error {
	for i := range items {
		if err := r.proveOne(k, &items[i]); err != nil {
			return fault.At(err, items[i].place)
		}
	}
	return nil
}

func (r *Reader) proveOne(k *keyring, it *item) error {
	row, ok := visit.Find(it.streamKind(), it.event.Verb, it.claims.Type)
	if !ok {
		return errVerbTable
	}
	if !it.signed.OK() {
		if err := r.proveSigner(k, it); err != nil {
			return err
		}
	}
	if !row.Allows(it.claims.Header.Role) {
		return errRoleMayNot.At(it.claims.Header.Role)
	}
	_, owner, _ := strings.Cut(it.event.Stream, "/")
	if row.Stream == visit.StreamOrganisation && owner != it.claims.Header.Organisation && !othersWrite[row.Type] {
		return errStreamOwner
	}
	if row.Stream == visit.StreamPerson && (ofMerchant(*it) || row.Verb == visit.TakeTest) && owner != it.claims.Header.Signer {
		return errStreamOwner
	}
	return nil
}

func (r *Reader) proveSigner(k *keyring, it *item) error {
	e, ok := k.byThumb[it.claims.Header.Key]
	if !ok {
		_, err := r.byOrganisation(k, it)
		return err
	}
	v, err := r.verify(it.claims, e.body.Key)
	if err != nil {
		return err
	}
	it.signed = v
	return checkSigner(e, it)
}

// mayLift refuses a word that lets a device, person or organisation go on from somebody whose own organisation was
// struck off when it came in. What stops them is received from anybody.
func (k keyring) mayLift(it item) error {
	return k.trust.Stood(it.claims.Header.Organisation, it.received)
}

// deciding makes the checks that count for decisions only, not for receiving: one version of each
// trust list, and a platform that is not struck off.
func deciding(k *keyring, items []item) error {
	lists := map[int]bool{}
	for _, it := range items {
		var body credential.TrustList
		switch {
		case it.claims.Header.Role == visit.RolePlatform:
			if err := k.trust.Active(it.claims.Header.Organisation, credential.KindPlatform, k.now); err != nil {
				return fault.At(err, it.place)
			}
		case it.claims.Type == credential.TypeTrustList && it.signed.Body(credential.TypeTrustList, &body) == nil:
			if lists[body.Number] {
				return fault.At(errListTwice, it.place)
			}
			lists[body.Number] = true
		}
	}
	return nil
}

// holder finds the key of a person in a role that is in force now, as one organisation knows him;
// another's is taken only where that one has none, for the gate to say so. Without an organisation the
// name must be one organisation's alone. With several keys, the newest counts.
func (k keyring) holder(id, role, organisation string, now time.Time) gate.Fact[gate.Party] {
	var found *enrolled
	err := error(errKeyUnknown.At(role))
	for _, e := range k.byThumb {
		if e.body.Holder != id || e.body.Role != role {
			continue
		}
		if lapsed := e.inForce(now); lapsed != nil {
			if found == nil {
				err = lapsed
			}
			continue
		}
		if found != nil && organisation == "" && found.body.Organisation != e.body.Organisation {
			return gate.Unknown[gate.Party](errAmbiguous.At(role))
		}
		if found == nil || e.rather(*found, organisation) {
			found = &e
		}
	}
	if found == nil {
		return gate.Unknown[gate.Party](err)
	}
	return gate.Known(gate.Party{Holder: id, Organisation: found.body.Organisation, Key: found.body.Key.Thumbprint()}, found.digest)
}

// rather says whether e counts rather than another key of the same name and role.
func (e enrolled) rather(o enrolled, organisation string) bool {
	own, theirs := e.body.Organisation == organisation, o.body.Organisation == organisation
	switch {
	case own != theirs:
		return own
	case e.body.From != o.body.From:
		return e.body.From > o.body.From
	}
	// Two keys of the same second: the thumbprint decides, so that every reader takes the same one.
	return e.body.Key.Thumbprint() > o.body.Key.Thumbprint()
}
