package credential

import (
	"crypto/ecdsa"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/statement"
)

var (
	associationKey = newKey() // signs the trust list
	bankKey        = newKey()
	providerOrgKey = newKey()
	makerKey       = newKey()
	struckKey      = newKey()
)

func when(t time.Time) statement.Time { return statement.At(t) }

// novemberList is a good list: a bank licensed in Shanghai and Beijing, a provider, a maker, and a
// bank and provider struck off an hour ago.
func novemberList() TrustList {
	badge := pub(providerKey)
	year := noon.AddDate(1, 0, 0)
	return TrustList{Number: 47, IssuedAt: when(noon.Add(-24 * time.Hour)), NextAt: when(noon.Add(24 * time.Hour)), Source: "association notice 2026-11",
		Organisations: []Organisation{
			{ID: "bank-1", Name: "沪上银行", Kinds: []string{KindAcquirer, KindSupervisor}, Key: pub(bankKey),
				Licence: &Licence{Number: "Z2002211000010", Business: []string{"bank_card_acquiring"}, Regions: []string{"31", "11"},
					From: when(noon.Add(-time.Hour)), Until: when(year)}},
			{ID: "provider-1", Name: "安心服务", Kinds: []string{KindProvider}, Key: pub(providerOrgKey), BadgeKey: &badge,
				Filing: &Filing{Number: "F-1", From: when(noon.Add(-time.Hour)), Until: when(year)}},
			{ID: "maker-1", Name: "终端厂", Kinds: []string{KindMaker}, Key: pub(makerKey)},
			{ID: "gone-1", Name: "旧机构", Kinds: []string{KindAcquirer, KindProvider, KindMaker}, Key: pub(struckKey),
				Struck: &Struck{At: when(noon.Add(-time.Hour)), Reason: "filing_withdrawn"}},
		}}
}

func signedList(t testing.TB, signer *ecdsa.PrivateKey, kind string, body any) statement.Verified {
	t.Helper()
	envelope, err := statement.Sign(signer, statement.Unsigned{Type: kind, Subject: "organisation/association",
		Header: statement.Header{Signer: "association", Organisation: "association", Role: "regulator", At: when(noon.Add(-24 * time.Hour))}, Body: body})
	if err != nil {
		t.Fatal(err)
	}
	v, err := statement.Verify(envelope, pub(signer))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func trust(t testing.TB, spoil func(l *TrustList)) Trust {
	t.Helper()
	l := novemberList()
	spoil(&l)
	got, err := VerifyTrustList(signedList(t, associationKey, TypeTrustList, l), noon)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func asIs(*TrustList) {}

func TestTrustListSaysWhatWasSigned(t *testing.T) {
	v := signedList(t, associationKey, TypeTrustList, novemberList())
	got, err := VerifyTrustList(v, noon)
	if err != nil {
		t.Fatal(err)
	}
	l := novemberList()
	if !got.OK() || got.Number() != 47 || got.Source() != l.Source || got.Digest() != v.Digest() || got.SignedBy() != pub(associationKey).Thumbprint() {
		t.Errorf("the list reads %+v", got)
	}
	if when(got.IssuedAt()) != l.IssuedAt || when(got.NextAt()) != l.NextAt {
		t.Error("the list's times differ")
	}
	o, err := got.Organisation("bank-1")
	if err != nil || o.Name != "沪上银行" || o.Licence.Number != "Z2002211000010" {
		t.Errorf("bank-1 reads %+v, %v", o, err)
	}
	_, err = got.Organisation("bank-2")
	wantCode(t, err, "organisation_not_listed")
}

func TestZeroTrustRefuses(t *testing.T) {
	var z Trust
	if z.OK() || z.Number() != 0 || z.IsKind("bank-1", KindAcquirer) || z.IsKind("", "") {
		t.Error("the zero trust answers")
	}
	wantCode(t, z.Fresh(noon), "trust_list_unverified")
	wantCode(t, z.Active("bank-1", KindAcquirer, noon), "trust_list_unverified")
	wantCode(t, z.Licensed("bank-1", "bank_card_acquiring", "31", noon), "trust_list_unverified")
	wantCode(t, z.Filed("provider-1", noon), "trust_list_unverified")
	_, err := z.Organisation("bank-1")
	wantCode(t, err, "organisation_not_listed")
	_, err = z.BadgeKey("provider-1")
	wantCode(t, err, "organisation_not_listed")
	_, _, err = z.Key(pub(bankKey).Thumbprint())
	wantCode(t, err, "trust_key_unknown")
}

func TestTrustListMustBeVerifiedAndOfItsType(t *testing.T) {
	_, err := VerifyTrustList(statement.Verified{}, noon)
	wantCode(t, err, "statement_unverified")
	_, err = VerifyTrustList(signedList(t, associationKey, "parameters", novemberList()), noon)
	wantCode(t, err, "statement_type_differs")
	_, err = VerifyTrustList(signedList(t, associationKey, TypeTrustList, map[string]any{"number": 1}), noon)
	wantCode(t, err, "json_missing_name")
}

func TestSpoiledTrustLists(t *testing.T) {
	long := strings.Repeat("a", maxName+1)
	for _, row := range []struct {
		name  string
		spoil func(l *TrustList)
		code  string
	}{
		{"number zero", func(l *TrustList) { l.Number = 0 }, "trust_list_number"},
		{"no source", func(l *TrustList) { l.Source = "" }, "trust_list_source"},
		{"long source", func(l *TrustList) { l.Source = long }, "trust_list_source"},
		{"nobody", func(l *TrustList) { l.Organisations = []Organisation{} }, "trust_list_empty"},
		{"issued never", func(l *TrustList) { l.IssuedAt = "" }, "trust_list_window"},
		{"next before issue", func(l *TrustList) { l.NextAt = l.IssuedAt }, "trust_list_window"},
		{"32 days", func(l *TrustList) { l.NextAt = when(noon.AddDate(0, 0, 31)) }, "trust_list_too_long"},
		{"31 days", func(l *TrustList) { l.NextAt = when(noon.AddDate(0, 0, 30)) }, ""},
		{"stale", func(l *TrustList) { l.NextAt = when(noon.Add(-time.Second)) }, "trust_list_stale"},
		{"last moment", func(l *TrustList) { l.NextAt = when(noon) }, ""},
		{"6 s from the future", func(l *TrustList) { l.IssuedAt = when(noon.Add(6 * time.Second)) }, "trust_list_not_yet"},
		{"5 s from the future", func(l *TrustList) { l.IssuedAt = when(noon.Add(5 * time.Second)) }, ""},
		{"id", func(l *TrustList) { l.Organisations[0].ID = "bank/1" }, "trust_organisation_malformed"},
		{"no name", func(l *TrustList) { l.Organisations[0].Name = "" }, "trust_organisation_malformed"},
		{"no kind", func(l *TrustList) { l.Organisations[0].Kinds = []string{} }, "trust_organisation_malformed"},
		{"unknown kind", func(l *TrustList) { l.Organisations[0].Kinds[0] = "Acquirer" }, "trust_kind_unknown"},
		{"kind twice", func(l *TrustList) { l.Organisations[0].Kinds[1] = KindAcquirer }, "trust_kind_duplicate"},
		{"organisation twice", func(l *TrustList) { l.Organisations[2].ID = "bank-1" }, "trust_organisation_duplicate"},
		{"key off the curve", func(l *TrustList) { l.Organisations[0].Key.X = l.Organisations[0].Key.Y }, "trust_key_malformed"},
		{"badge key off the curve", func(l *TrustList) { l.Organisations[1].BadgeKey.X = l.Organisations[1].BadgeKey.Y }, "trust_key_malformed"},
		{"badge passkey", func(l *TrustList) {
			k := l.Organisations[1].BadgeKey
			k.Kind, k.RPID, k.Origins = statement.WebAuthn, "x.example", []string{"https://x.example"}
		}, "trust_badge_key_kind"},
		{"two with one key", func(l *TrustList) { l.Organisations[2].Key = pub(bankKey) }, "trust_key_duplicate"},
		{"badge key is another's key", func(l *TrustList) { *l.Organisations[1].BadgeKey = pub(bankKey) }, "trust_key_duplicate"},
		{"badge key is the own key", func(l *TrustList) { *l.Organisations[1].BadgeKey = pub(providerOrgKey) }, "trust_key_duplicate"},
		{"licence without number", func(l *TrustList) { l.Organisations[0].Licence.Number = "" }, "trust_licence_malformed"},
		{"licence without business", func(l *TrustList) { l.Organisations[0].Licence.Business = []string{} }, "trust_licence_malformed"},
		{"licence without region", func(l *TrustList) { l.Organisations[0].Licence.Regions = []string{} }, "trust_licence_malformed"},
		{"licence without times", func(l *TrustList) { l.Organisations[0].Licence.Until = "" }, "trust_licence_malformed"},
		{"business twice", func(l *TrustList) { l.Organisations[0].Licence.Business = []string{"a", "a"} }, "trust_licence_malformed"},
		{"business with a space", func(l *TrustList) { l.Organisations[0].Licence.Business = []string{"a b"} }, "trust_licence_malformed"},
		{"region twice", func(l *TrustList) { l.Organisations[0].Licence.Regions = []string{"31", "31"} }, "trust_licence_malformed"},
		{"region unknown", func(l *TrustList) { l.Organisations[0].Licence.Regions = []string{"99"} }, "trust_licence_malformed"},
		{"region is two spaces", func(l *TrustList) { l.Organisations[0].Licence.Regions = []string{"1 "} }, "trust_licence_malformed"},
		{"everywhere and Shanghai", func(l *TrustList) { l.Organisations[0].Licence.Regions = []string{"*", "31"} }, "trust_licence_malformed"},
		{"filing without number", func(l *TrustList) { l.Organisations[1].Filing.Number = "" }, "trust_filing_malformed"},
		{"filing without times", func(l *TrustList) { l.Organisations[1].Filing.From = "" }, "trust_filing_malformed"},
		{"struck without time", func(l *TrustList) { l.Organisations[3].Struck.At = "" }, "trust_struck_malformed"},
		{"struck without reason", func(l *TrustList) { l.Organisations[3].Struck.Reason = "" }, "trust_struck_malformed"},
	} {
		t.Run(row.name, func(t *testing.T) {
			l := novemberList()
			row.spoil(&l)
			got, err := VerifyTrustList(signedList(t, associationKey, TypeTrustList, l), noon)
			wantCode(t, err, row.code)
			if got.OK() != (row.code == "") {
				t.Error("OK and the error disagree")
			}
		})
	}
}

func TestTrustListOverItsBound(t *testing.T) {
	l := novemberList()
	l.Organisations = make([]Organisation, maxOrganisations+1)
	wantCode(t, (&Trust{list: l}).readFrame(), "trust_list_too_many")
}

func TestFaultNamesTheEntry(t *testing.T) {
	l := novemberList()
	l.Organisations[2].ID = "终端 厂"
	_, err := VerifyTrustList(signedList(t, associationKey, TypeTrustList, l), noon)
	if err == nil || !strings.Contains(err.Error(), "entry 2") || strings.Contains(err.Error(), "终端 厂") {
		t.Errorf("got %v", err)
	}
}

func TestLicensed(t *testing.T) {
	const business = "bank_card_acquiring"
	everywhere := func(l *TrustList) { l.Organisations[0].Licence.Regions = []string{"*"} }
	for _, row := range []struct {
		name                   string
		spoil                  func(l *TrustList)
		id, business, province string
		now                    time.Time
		code                   string
	}{
		{"Shanghai", asIs, "bank-1", business, "31", noon, ""},
		{"Beijing", asIs, "bank-1", business, "11", noon, ""},
		{"Guangdong", asIs, "bank-1", business, "44", noon, "licence_region"},
		{"everywhere, asked of two provinces", asIs, "bank-1", business, "*", noon, "licence_region"},
		{"everywhere", everywhere, "bank-1", business, "*", noon, ""},
		{"Guangdong by everywhere", everywhere, "bank-1", business, "44", noon, ""},
		{"no province", everywhere, "bank-1", business, "", noon, "licence_region"},
		{"unknown province", everywhere, "bank-1", business, "99", noon, "licence_region"},
		{"other business", asIs, "bank-1", "prepaid_card", "31", noon, "licence_business"},
		{"no business", asIs, "bank-1", "", "31", noon, "licence_business"},
		{"not listed", asIs, "bank-2", business, "31", noon, "institution_not_listed"},
		{"a provider", asIs, "provider-1", business, "31", noon, "institution_not_acquirer"},
		{"struck off", asIs, "gone-1", business, "31", noon, "institution_struck"},
		{"before it was struck off", asIs, "gone-1", business, "31", noon.Add(-time.Hour - time.Second), "licence_missing"},
		{"no licence", func(l *TrustList) { l.Organisations[0].Licence = nil }, "bank-1", business, "31", noon, "licence_missing"},
		{"first moment", asIs, "bank-1", business, "31", noon.Add(-time.Hour), ""},
		{"too early", asIs, "bank-1", business, "31", noon.Add(-time.Hour - time.Second), "licence_not_yet"},
		{"expired", func(l *TrustList) { l.Organisations[0].Licence.Until = when(noon) }, "bank-1", business, "31", noon, "licence_expired"},
		{"last moment", func(l *TrustList) { l.Organisations[0].Licence.Until = when(noon.Add(time.Second)) }, "bank-1", business, "31", noon, ""},
		{"asked with a list past its date", asIs, "bank-1", business, "31", noon.Add(24*time.Hour + time.Second), "trust_list_stale"},
	} {
		t.Run(row.name, func(t *testing.T) {
			wantCode(t, trust(t, row.spoil).Licensed(row.id, row.business, row.province, row.now), row.code)
		})
	}
}

// Who lost his licence, or was struck off, is still the owner of his own keys.
func TestAcquires(t *testing.T) {
	for name, row := range map[string]struct {
		id    string
		spoil func(*TrustList)
		now   time.Time
		code  string
	}{
		"licensed":        {"bank-1", asIs, noon, ""},
		"without licence": {"bank-1", func(l *TrustList) { l.Organisations[at(l, "bank-1")].Licence.Regions = []string{"44"} }, noon, ""},
		"not on the list": {"bank-9", asIs, noon, "institution_not_listed"},
		"no acquirer":     {"provider-1", asIs, noon, "institution_not_acquirer"},
		"by an old list":  {"bank-1", asIs, noon.AddDate(1, 0, 0), "trust_list_stale"},
	} {
		t.Run(name, func(t *testing.T) { wantCode(t, trust(t, row.spoil).Acquires(row.id, row.now), row.code) })
	}
}

// Whether somebody stood at a time that lies before the list was made is asked of the list all the same.
func TestStood(t *testing.T) {
	struck := func(l *TrustList) {
		l.Organisations[at(l, "bank-1")].Struck = &Struck{At: statement.At(noon), Reason: "fraud"}
	}
	for name, row := range map[string]struct {
		id    string
		spoil func(*TrustList)
		when  time.Time
		code  string
	}{
		"listed":              {"bank-1", asIs, noon, ""},
		"before the list":     {"bank-1", asIs, noon.AddDate(-1, 0, 0), ""},
		"not on the list":     {"bank-9", asIs, noon, "organisation_not_listed"},
		"before it was off":   {"bank-1", struck, noon.Add(-time.Second), ""},
		"as it was struck":    {"bank-1", struck, noon, "organisation_struck"},
		"after it was struck": {"bank-1", struck, noon.AddDate(1, 0, 0), "organisation_struck"},
	} {
		t.Run(name, func(t *testing.T) { wantCode(t, trust(t, row.spoil).Stood(row.id, row.when), row.code) })
	}
	wantCode(t, Trust{}.Stood("bank-1", noon), "organisation_not_listed")
}

func at(l *TrustList, id string) int {
	return slices.IndexFunc(l.Organisations, func(o Organisation) bool { return o.ID == id })
}

func TestFiled(t *testing.T) {
	for _, row := range []struct {
		name  string
		spoil func(l *TrustList)
		id    string
		now   time.Time
		code  string
	}{
		{"filed", asIs, "provider-1", noon, ""},
		{"not listed", asIs, "provider-2", noon, "provider_unfiled"},
		{"a bank with a filing", func(l *TrustList) { l.Organisations[0].Filing = l.Organisations[1].Filing }, "bank-1", noon, "provider_unfiled"},
		{"no filing", func(l *TrustList) { l.Organisations[1].Filing = nil }, "provider-1", noon, "provider_unfiled"},
		{"struck off", asIs, "gone-1", noon, "provider_struck"},
		{"too early", asIs, "provider-1", noon.Add(-time.Hour - time.Second), "provider_filing_not_yet"},
		{"lapsed", func(l *TrustList) { l.Organisations[1].Filing.Until = when(noon) }, "provider-1", noon, "provider_filing_lapsed"},
		{"list past its date", asIs, "provider-1", noon.Add(24*time.Hour + time.Second), "trust_list_stale"},
	} {
		t.Run(row.name, func(t *testing.T) {
			wantCode(t, trust(t, row.spoil).Filed(row.id, row.now), row.code)
		})
	}
}

func TestInForce(t *testing.T) {
	from, until := when(noon.Add(-time.Hour)), when(noon.Add(time.Hour))
	both := Organisation{Licence: &Licence{Number: "Z1", From: from, Until: until}, Filing: &Filing{Number: "W1", From: from, Until: until}}
	ended, mixed, spoiled := both, both, both
	ended.Struck = &Struck{At: when(noon), Reason: "gone"}
	mixed.Filing = &Filing{Number: "W1", From: from, Until: when(noon)}
	spoiled.Licence = &Licence{Number: "Z1", Until: until}
	for _, c := range []struct {
		name            string
		o               Organisation
		at              time.Time
		licence, filing string
	}{
		{"both", both, noon, "Z1", "W1"},
		{"the first second", both, noon.Add(-time.Hour), "Z1", "W1"},
		{"a second too early", both, noon.Add(-time.Hour - time.Second), "", ""},
		{"the second of the end", both, noon.Add(time.Hour), "", ""},
		{"struck off this second", ended, noon, "", ""},
		{"struck off a second later", ended, noon.Add(-time.Second), "Z1", "W1"},
		{"the filing has lapsed", mixed, noon, "Z1", ""},
		{"a licence without a beginning", spoiled, noon, "", "W1"},
		{"neither", Organisation{}, noon, "", ""},
	} {
		if licence, filing := c.o.InForce(c.at); licence != c.licence || filing != c.filing {
			t.Errorf("%s: got %q and %q, want %q and %q", c.name, licence, filing, c.licence, c.filing)
		}
	}
}

func TestKinds(t *testing.T) {
	l := trust(t, asIs)
	for _, row := range []struct{ id, kind, code string }{
		{"bank-1", KindAcquirer, ""},
		{"bank-1", KindSupervisor, ""},
		{"bank-1", KindMaker, "organisation_other_kind"},
		{"maker-1", KindMaker, ""},
		{"maker-2", KindMaker, "organisation_not_listed"},
		{"gone-1", KindMaker, "organisation_struck"},
		{"bank-1", "", "organisation_other_kind"},
	} {
		wantCode(t, l.Active(row.id, row.kind, noon), row.code)
		if got, want := l.IsKind(row.id, row.kind), row.code == ""; got != want {
			t.Errorf("IsKind(%s, %s) is %v", row.id, row.kind, got)
		}
	}
	wantCode(t, l.Active("gone-1", KindMaker, noon.Add(-2*time.Hour)), "")
}

func TestKeys(t *testing.T) {
	l := trust(t, asIs)
	k, o, err := l.Key(pub(bankKey).Thumbprint())
	if err != nil || o.ID != "bank-1" || k.Thumbprint() != pub(bankKey).Thumbprint() {
		t.Errorf("got %v, %s, %v", k, o.ID, err)
	}
	_, _, err = l.Key(pub(providerKey).Thumbprint()) // signs badges, not statements
	wantCode(t, err, "trust_key_unknown")
	_, _, err = l.Key(pub(malloryKey).Thumbprint())
	wantCode(t, err, "trust_key_unknown")
	for id, want := range map[string]*ecdsa.PrivateKey{"provider-1": providerKey, "bank-1": bankKey} {
		got, err := l.BadgeKey(id)
		if err != nil || got.Thumbprint() != pub(want).Thumbprint() {
			t.Errorf("badge key of %s: %v, %v", id, got, err)
		}
	}
}

// Whoever gets an entry cannot write into the list through it.
func TestEntriesAreCopies(t *testing.T) {
	l := trust(t, func(l *TrustList) {
		l.Organisations[3].Licence, l.Organisations[3].Filing = l.Organisations[0].Licence, l.Organisations[1].Filing
	})
	for _, id := range []string{"bank-1", "provider-1", "gone-1"} {
		o, err := l.Organisation(id)
		if err != nil {
			t.Fatal(err)
		}
		o.Kinds[0] = KindRegulator
		if o.Licence != nil {
			o.Licence.Regions[0], o.Licence.Business[0], o.Licence.Number = "44", "x", "x"
		}
		if o.Filing != nil {
			o.Filing.Number = "x"
		}
		if o.Struck != nil {
			o.Struck.At = when(noon.Add(time.Hour))
		}
		if o.BadgeKey != nil {
			*o.BadgeKey = pub(malloryKey)
		}
	}
	if l.Active("bank-1", KindAcquirer, noon) != nil || l.Licensed("bank-1", "bank_card_acquiring", "31", noon) != nil {
		t.Error("the bank changed")
	}
	wantCode(t, l.Active("gone-1", KindAcquirer, noon), "organisation_struck")
	if k, err := l.BadgeKey("provider-1"); err != nil || k.Thumbprint() != pub(providerKey).Thumbprint() {
		t.Error("the badge key changed")
	}
}

func TestProvinces(t *testing.T) {
	n := 0
	for i := range 100 {
		if province(pad(i)) {
			n++
		}
	}
	if n != 34 { // GB/T 2260 has 34 at this level
		t.Errorf("%d provinces", n)
	}
	if !province("31") || province("3") || province("310") || province(" 3") {
		t.Error("province codes have two digits")
	}
}

func pad(i int) string {
	if i < 10 {
		return "0" + strconv.Itoa(i)
	}
	return strconv.Itoa(i)
}
