package credential

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/statement"
)

// What the trust list answers. Each refusal is its own.
var (
	errNotListed      = fault.New(fault.Refused, "organisation_not_listed", "信任名单上没有这家机构。", "The organisation is not on the trust list.")
	errOtherKind      = fault.New(fault.Refused, "organisation_other_kind", "这家机构在信任名单上不是这一种。", "The trust list does not name the organisation as of this kind.")
	errStruck         = fault.New(fault.Refused, "organisation_struck", "这家机构已被除名。", "The organisation has been struck off.")
	errNoInstitution  = fault.New(fault.Refused, "institution_not_listed", "信任名单上没有这家收单机构。", "The acquirer is not on the trust list.")
	errNotAcquirer    = fault.New(fault.Refused, "institution_not_acquirer", "这家机构不是收单机构。", "The trust list does not name the organisation as an acquirer.")
	errInstitutionOut = fault.New(fault.Refused, "institution_struck", "这家收单机构已被除名。", "The acquirer has been struck off.")
	errLicenceMissing = fault.New(fault.Refused, "licence_missing", "这家收单机构没有支付业务许可。", "The acquirer has no licence on the trust list.")
	errLicenceEarly   = fault.New(fault.Refused, "licence_not_yet", "支付业务许可还没有生效。", "The acquirer's licence is not in force yet.")
	errLicenceExpired = fault.New(fault.Refused, "licence_expired", "支付业务许可已经到期。", "The acquirer's licence has expired.")
	errLicenceOther   = fault.New(fault.Refused, "licence_business", "支付业务许可不包括这种业务。", "The acquirer's licence does not cover this business.")
	errLicenceRegion  = fault.New(fault.Refused, "licence_region", "支付业务许可不包括这个地区。", "The acquirer's licence does not cover this region.")
	errUnfiled        = fault.New(fault.Refused, "provider_unfiled", "这家服务商没有备案。", "The provider has no filing on the trust list.")
	errFilingEarly    = fault.New(fault.Refused, "provider_filing_not_yet", "服务商的备案还没有生效。", "The provider's filing is not in force yet.")
	errFilingLapsed   = fault.New(fault.Refused, "provider_filing_lapsed", "服务商的备案已经到期。", "The provider's filing has lapsed.")
	errProviderStruck = fault.New(fault.Refused, "provider_struck", "这家服务商已被除名。", "The provider has been struck off.")
	errUnknownKey     = fault.New(fault.Refused, "trust_key_unknown", "信任名单上没有这把密钥。", "The key is not on the trust list.")
)

// OK is false for the zero value.
func (t Trust) OK() bool { return t.ok }

// Number is the list's number; 0 for the zero value, which no list has.
func (t Trust) Number() int { return t.list.Number }

// IssuedAt is when the list was compiled, UTC.
func (t Trust) IssuedAt() time.Time { return t.issuedAt }

// NextAt is the last moment at which the list is in date, UTC.
func (t Trust) NextAt() time.Time { return t.nextAt }

// Source is the register or notice the list was compiled from.
func (t Trust) Source() string { return t.list.Source }

// Digest is the hex SHA-256 of the signed envelope.
func (t Trust) Digest() string { return t.digest }

// SignedBy is the thumbprint of the key the list was verified with.
func (t Trust) SignedBy() string { return t.signer }

// Fresh says whether the list may be relied on at now: from 5 s before its issue to its next date.
func (t Trust) Fresh(now time.Time) error {
	switch {
	case !t.ok:
		return errTrustUnverified
	case now.Before(t.issuedAt.Add(-clockLeeway)):
		return errTrustNotYet
	case now.After(t.nextAt):
		return errTrustStale
	}
	return nil
}

// AsOf is the list asked about as of another time: what VerifyTrustList gives for the same statement
// and that time, at less cost. Faults: trust_list_stale and the others of Fresh.
func (t Trust) AsOf(now time.Time) (Trust, error) {
	if err := t.Fresh(now); err != nil {
		return Trust{}, err
	}
	t.asked = now
	return t, nil
}

// Organisation gives an entry, struck off or not; organisation_not_listed otherwise.
func (t Trust) Organisation(id string) (Organisation, error) {
	o, ok := t.find(id)
	if !ok {
		return Organisation{}, errNotListed
	}
	return o.clone(), nil
}

func (t Trust) find(id string) (Organisation, bool) {
	i, ok := t.byID[id]
	if !t.ok || !ok {
		return Organisation{}, false
	}
	return t.list.Organisations[i], true
}

// IsKind says whether the list names id as of this kind, and not struck off at the time that
// VerifyTrustList was asked about. Active says why not, and asks as of another time.
func (t Trust) IsKind(id, kind string) bool { return t.Active(id, kind, t.asked) == nil }

// Active says whether, at now, the list is in date and names id as of this kind and not struck off.
func (t Trust) Active(id, kind string, now time.Time) error {
	if err := t.Fresh(now); err != nil {
		return err
	}
	o, ok := t.find(id)
	switch {
	case !ok:
		return errNotListed
	case !slices.Contains(o.Kinds, kind):
		return errOtherKind
	case o.struckAt(now):
		return errStruck
	}
	return nil
}

// Stood says whether the list has id, not struck off at a time that may lie before the list was made.
func (t Trust) Stood(id string, at time.Time) error {
	o, ok := t.find(id)
	switch {
	case !ok:
		return errNotListed
	case o.struckAt(at):
		return errStruck
	}
	return nil
}

// Licensed says whether, at now, id is an acquirer licensed for this business in this province
// (two digits, GB/T 2260; "*" asks for the whole country).
func (t Trust) Licensed(id, business, provinceCode string, now time.Time) error {
	if err := t.Fresh(now); err != nil {
		return err
	}
	o, ok := t.find(id)
	switch {
	case !ok:
		return errNoInstitution
	case !slices.Contains(o.Kinds, KindAcquirer):
		return errNotAcquirer
	case o.struckAt(now):
		return errInstitutionOut
	case o.Licence == nil:
		return errLicenceMissing
	}
	return o.Licence.covers(business, provinceCode, now)
}

// Acquires says whether, at now, the list names id as an acquirer, licensed or not, struck off or not:
// whoever lost his licence may still take his own keys and devices back.
func (t Trust) Acquires(id string, now time.Time) error {
	if err := t.Fresh(now); err != nil {
		return err
	}
	o, ok := t.find(id)
	switch {
	case !ok:
		return errNoInstitution
	case !slices.Contains(o.Kinds, KindAcquirer):
		return errNotAcquirer
	}
	return nil
}

func (l Licence) covers(business, provinceCode string, now time.Time) error {
	from, until, _ := period(l.From, l.Until) // check has parsed both
	switch {
	case now.Before(from):
		return errLicenceEarly
	case !now.Before(until):
		return errLicenceExpired
	case !slices.Contains(l.Business, business):
		return errLicenceOther
	case provinceCode != AllRegions && !province(provinceCode):
		return errLicenceRegion
	case !slices.Contains(l.Regions, AllRegions) && !slices.Contains(l.Regions, provinceCode):
		return errLicenceRegion
	}
	return nil
}

// Filed says whether, at now, the provider's filing is in force.
func (t Trust) Filed(providerID string, now time.Time) error {
	if err := t.Fresh(now); err != nil {
		return err
	}
	o, ok := t.find(providerID)
	if !ok || !slices.Contains(o.Kinds, KindProvider) {
		return errUnfiled
	}
	if o.struckAt(now) {
		return errProviderStruck
	}
	if o.Filing == nil {
		return errUnfiled
	}
	from, until, _ := period(o.Filing.From, o.Filing.Until)
	if now.Before(from) {
		return errFilingEarly
	}
	if !now.Before(until) {
		return errFilingLapsed
	}
	return nil
}

// Key finds the organisation whose statement key has this thumbprint. Badge keys are not found: a
// key that signs badges does not sign statements.
func (t Trust) Key(thumbprint string) (statement.Key, Organisation, error) {
	i, ok := t.byKey[thumbprint]
	if !t.ok || !ok {
		return statement.Key{}, Organisation{}, errUnknownKey
	}
	o := t.list.Organisations[i].clone()
	return o.Key, o, nil
}

// BadgeKey gives the key that badges and status lists of id are checked with.
func (t Trust) BadgeKey(id string) (statement.Key, error) {
	o, err := t.Organisation(id)
	if err != nil {
		return statement.Key{}, err
	}
	keys := o.keys()
	return keys[len(keys)-1], nil
}

// InForce gives the numbers of the licence and of the filing that hold at now, for people to read: "" for one that does not, and
// both of an organisation that was struck off. An acquirer needs more than a licence in force: see Licensed.
func (o Organisation) InForce(now time.Time) (licence, filing string) {
	if o.struckAt(now) {
		return "", ""
	}
	if l := o.Licence; l != nil && holds(l.From, l.Until, now) {
		licence = l.Number
	}
	if f := o.Filing; f != nil && holds(f.From, f.Until, now) {
		filing = f.Number
	}
	return licence, filing
}

func holds(from, until statement.Time, now time.Time) bool {
	a, b, ok := period(from, until)
	return ok && !now.Before(a) && now.Before(b)
}

// struckAt says whether the organisation was off its register at now.
func (o Organisation) struckAt(now time.Time) bool {
	if o.Struck == nil {
		return false
	}
	at, _ := o.Struck.At.Parse() // check has parsed it
	return !now.Before(at)
}

// clone keeps a caller from writing into the list.
func (o Organisation) clone() Organisation {
	o.Kinds = slices.Clone(o.Kinds)
	o.Key.Origins = slices.Clone(o.Key.Origins)
	if o.Licence != nil {
		l := *o.Licence
		l.Business, l.Regions = slices.Clone(l.Business), slices.Clone(l.Regions)
		o.Licence = &l
	}
	if o.Filing != nil {
		f := *o.Filing
		o.Filing = &f
	}
	if o.Struck != nil {
		s := *o.Struck
		o.Struck = &s
	}
	if o.BadgeKey != nil {
		k := *o.BadgeKey
		o.BadgeKey = &k
	}
	return o
}

func province(code string) bool {
	return len(code) == 2 && strings.Contains(provinces, " "+code+" ")
}

// shortText says whether s is a public text of bearable length.
func shortText(s string) bool { return s != "" && len(s) <= maxName }

// placeOf names an entry by its id if that is one, else by its number.
func placeOf(id string, i int) string {
	if opaqueID(id) {
		return id
	}
	return "entry " + strconv.Itoa(i)
}
