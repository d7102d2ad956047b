package credential

import (
	"slices"
	"time"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/statement"
)

// TypeTrustList is the statement type whose body is a TrustList.
const TypeTrustList = "trust_list"

// Kinds of organisation on a trust list.
const (
	KindAcquirer     = "acquirer"
	KindProvider     = "provider"
	KindMaker        = "maker"
	KindCourseIssuer = "course_issuer"
	KindSupervisor   = "supervisor"
	KindPlatform     = "platform"
	KindRegulator    = "regulator"
)

var organisationKinds = []string{KindAcquirer, KindProvider, KindMaker, KindCourseIssuer, KindSupervisor, KindPlatform, KindRegulator}

// AllRegions in Licence.Regions means the whole country; it then stands alone.
const AllRegions = "*"

// provinces are the two-digit province codes of GB/T 2260.
const provinces = " 11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 50 51 52 53 54 61 62 63 64 65 71 81 82 "

// Bounds of a trust list.
const (
	maxTrustLife     = 31 * 24 * time.Hour // a list that need not be renewed for longer is no list
	maxOrganisations = 20000
	maxName          = 200 // bytes of a name, source, licence number or reason
)

// TrustList is the body by which whoever compiles the list of institutions and providers signs it
// (design §6). Everything in it is public.
type TrustList struct {
	Number        int            `json:"number"` // grows by one with each list
	IssuedAt      statement.Time `json:"issued_at"`
	NextAt        statement.Time `json:"next_at"` // stale after this; at most 31 days after issued_at
	Source        string         `json:"source"`  // the register or notice it was compiled from
	Organisations []Organisation `json:"organisations"`
}

// Organisation is one entry of the list.
type Organisation struct {
	ID       string         `json:"id"`
	Name     string         `json:"name"`
	Kinds    []string       `json:"kinds"`
	Licence  *Licence       `json:"licence,omitempty"`
	Filing   *Filing        `json:"filing,omitempty"`
	Struck   *Struck        `json:"struck,omitempty"`
	Key      statement.Key  `json:"key"`                 // signs statements
	BadgeKey *statement.Key `json:"badge_key,omitempty"` // signs badges and status lists, es256; absent: Key does
}

// Licence is an acquirer's permission by the regulator (条例 art. 10 and 16: types and area).
type Licence struct {
	Number   string         `json:"number"`
	Business []string       `json:"business"` // codes such as bank_card_acquiring
	Regions  []string       `json:"regions"`  // "*" alone, or province codes
	From     statement.Time `json:"from"`     // inclusive
	Until    statement.Time `json:"until"`    // exclusive
}

// Filing is a provider's entry with the association (先备案后展业).
type Filing struct {
	Number string         `json:"number"`
	From   statement.Time `json:"from"`  // inclusive
	Until  statement.Time `json:"until"` // exclusive
}

// Struck says that the organisation was taken off its register.
type Struck struct {
	At     statement.Time `json:"at"`
	Reason string         `json:"reason"` // a code or short public sentence
}

var (
	errTrustUnverified = fault.New(fault.Refused, "trust_list_unverified", "这份信任名单没有核对过。", "This trust list was never verified.")
	errTrustNumber     = fault.New(fault.Invalid, "trust_list_number", "信任名单没有编号。", "The trust list's number is not positive.")
	errTrustSource     = fault.New(fault.Invalid, "trust_list_source", "信任名单没有写明来源。", "The trust list does not say what it was compiled from.")
	errTrustEmpty      = fault.New(fault.Invalid, "trust_list_empty", "信任名单是空的。", "The trust list is empty.")
	errTrustTooMany    = fault.New(fault.TooLarge, "trust_list_too_many", "信任名单的机构太多。", "The trust list holds too many organisations.")
	errTrustWindow     = fault.New(fault.Invalid, "trust_list_window", "信任名单的起止时间不合理。", "The trust list's times do not make a period.")
	errTrustTooLong    = fault.New(fault.Refused, "trust_list_too_long", "信任名单隔三十一天以上才更新。", "The trust list need not be renewed for more than 31 days.")
	errTrustNotYet     = fault.New(fault.Refused, "trust_list_not_yet", "信任名单的时间在将来。", "The trust list is from the future.")
	errTrustStale      = fault.New(fault.Refused, "trust_list_stale", "信任名单已经过期，请更新。", "The trust list is out of date.")
	errOrganisation    = fault.New(fault.Invalid, "trust_organisation_malformed", "信任名单里有机构的资料不完整。", "An organisation on the trust list is incomplete or malformed.")
	errOrganisationDup = fault.New(fault.Invalid, "trust_organisation_duplicate", "信任名单里同一家机构出现两次。", "An organisation is on the trust list twice.")
	errTrustKind       = fault.New(fault.Invalid, "trust_kind_unknown", "信任名单里有不认识的机构种类。", "The trust list names a kind of organisation that is not known.")
	errTrustKindDup    = fault.New(fault.Invalid, "trust_kind_duplicate", "机构种类重复。", "A kind is named twice for one organisation.")
	errTrustKey        = fault.New(fault.Invalid, "trust_key_malformed", "信任名单里有格式不对的密钥。", "A key on the trust list is malformed.")
	errTrustBadgeKey   = fault.New(fault.Invalid, "trust_badge_key_kind", "签发工作证的密钥必须是 ES256 密钥。", "A badge key on the trust list is not an es256 key.")
	errTrustKeyDup     = fault.New(fault.Invalid, "trust_key_duplicate", "信任名单里同一把密钥出现两次。", "A key is on the trust list twice.")
	errLicenceShape    = fault.New(fault.Invalid, "trust_licence_malformed", "信任名单里的许可证资料不完整。", "A licence on the trust list is incomplete or malformed.")
	errFilingShape     = fault.New(fault.Invalid, "trust_filing_malformed", "信任名单里的备案资料不完整。", "A filing on the trust list is incomplete or malformed.")
	errStruckShape     = fault.New(fault.Invalid, "trust_struck_malformed", "信任名单里的除名记录不完整。", "A striking-off on the trust list is incomplete or malformed.")
)

// Trust is a trust list whose signature was verified by the caller, with the key of the trust file,
// and whose content was checked here. Every question asks again whether it is in date. The zero
// value refuses.
type Trust struct {
	list     TrustList
	byID     map[string]int
	byKey    map[string]int // thumbprint of Key → organisation
	issuedAt time.Time
	nextAt   time.Time
	asked    time.Time // the time VerifyTrustList was asked about
	digest   string
	signer   string
	ok       bool
}

// VerifyTrustList reads a trust list from a verified statement. Which key signed it was the
// caller's choice when verifying: it must be the trust file's (SignedBy gives it back). now is the
// time asked about.
func VerifyTrustList(v statement.Verified, now time.Time) (Trust, error) {
	var list TrustList
	if err := v.Body(TypeTrustList, &list); err != nil {
		return Trust{}, err
	}
	t := Trust{list: list, digest: v.Digest(), signer: v.Header().Key, byID: map[string]int{}, byKey: map[string]int{}}
	if err := t.readFrame(); err != nil {
		return Trust{}, err
	}
	keys := map[string]bool{}
	for i, o := range list.Organisations {
		if err := o.check(); err != nil {
			return Trust{}, fault.At(err, "organisations: "+placeOf(o.ID, i))
		}
		if _, twice := t.byID[o.ID]; twice {
			return Trust{}, errOrganisationDup.At(o.ID)
		}
		for _, k := range o.keys() {
			if keys[k.Thumbprint()] {
				return Trust{}, errTrustKeyDup.At(o.ID)
			}
			keys[k.Thumbprint()] = true
		}
		t.byID[o.ID], t.byKey[o.Key.Thumbprint()] = i, i
	}
	t.ok = true
	return t.AsOf(now)
}

// readFrame checks what the list says about itself.
func (t *Trust) readFrame() error {
	l := t.list
	switch {
	case l.Number < 1:
		return errTrustNumber
	case !shortText(l.Source):
		return errTrustSource
	case len(l.Organisations) == 0:
		return errTrustEmpty
	case len(l.Organisations) > maxOrganisations:
		return errTrustTooMany
	}
	issued, next, ok := period(l.IssuedAt, l.NextAt)
	if !ok {
		return errTrustWindow
	}
	if next.Sub(issued) > maxTrustLife {
		return errTrustTooLong
	}
	t.issuedAt, t.nextAt = issued, next
	return nil
}

func (o Organisation) keys() []statement.Key {
	if o.BadgeKey == nil {
		return []statement.Key{o.Key}
	}
	return []statement.Key{o.Key, *o.BadgeKey}
}

func (o Organisation) check() error {
	if !opaqueID(o.ID) || !shortText(o.Name) || len(o.Kinds) == 0 {
		return errOrganisation
	}
	for i, k := range o.Kinds {
		if !slices.Contains(organisationKinds, k) {
			return errTrustKind
		}
		if slices.Contains(o.Kinds[:i], k) {
			return errTrustKindDup
		}
	}
	for _, k := range o.keys() {
		if _, err := k.Public(); err != nil {
			return errTrustKey.Because(err)
		}
	}
	if o.BadgeKey != nil && o.BadgeKey.Kind != statement.ES256 {
		return errTrustBadgeKey
	}
	if o.Licence != nil && !o.Licence.wellFormed() {
		return errLicenceShape
	}
	if o.Filing != nil && !o.Filing.wellFormed() {
		return errFilingShape
	}
	if o.Struck != nil && !o.Struck.wellFormed() {
		return errStruckShape
	}
	return nil
}

func (l Licence) wellFormed() bool {
	_, _, ok := period(l.From, l.Until)
	if !ok || !shortText(l.Number) || len(l.Business) == 0 || len(l.Regions) == 0 {
		return false
	}
	for i, b := range l.Business {
		if !opaqueID(b) || slices.Contains(l.Business[:i], b) {
			return false
		}
	}
	for i, r := range l.Regions {
		whole := r == AllRegions && len(l.Regions) == 1
		if (!whole && !province(r)) || slices.Contains(l.Regions[:i], r) {
			return false
		}
	}
	return true
}

func (f Filing) wellFormed() bool {
	_, _, ok := period(f.From, f.Until)
	return ok && shortText(f.Number)
}

func (s Struck) wellFormed() bool {
	_, err := s.At.Parse()
	return err == nil && shortText(s.Reason)
}

// period parses both ends and says whether the first lies before the second.
func period(from, until statement.Time) (a, b time.Time, ok bool) {
	a, errA := from.Parse()
	b, errB := until.Parse()
	return a, b, errA == nil && errB == nil && a.Before(b)
}
