package evidence

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"strconv"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/credential"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/record"
	"github.com/menshen-project/menshen/internal/registry"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// What the fold refuses first cannot come to a fact from outside; the facts refuse it all the same.

func edgeKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// proven is a statement with a good signature, under whatever header.
func proven(t *testing.T, stream, kind string, body any, h statement.Header) item {
	t.Helper()
	key := edgeKey(t)
	h.At = "2026-11-22T09:00:00Z"
	envelope, err := statement.Sign(key, statement.Unsigned{Type: kind, Subject: stream, Body: body, Header: h})
	if err != nil {
		t.Fatal(err)
	}
	claims, err := statement.Parse(envelope)
	if err != nil {
		t.Fatal(err)
	}
	v, err := claims.Verify(statement.KeyOf(&key.PublicKey))
	if err != nil {
		t.Fatal(err)
	}
	return item{event: record.Event{Stream: stream, Number: 1}, claims: claims, signed: v}
}

// unreadable is a statement of the merchant's whose body no type has.
func unreadable(t *testing.T, kind string) item {
	t.Helper()
	return proven(t, "visit/v1", kind, map[string]string{"nonsense": "1"}, statement.Header{Signer: "wei", Organisation: "acq", Role: visit.RoleMerchant})
}

func edgeBuilder(it item) *builder {
	b := &builder{visitID: "v1", items: []item{it}}
	b.order.Value = visit.Order{Merchant: "wei", Acquirer: "acq"}
	return b
}

func TestEdgesInsideUnreadableFacts(t *testing.T) {
	door := edgeBuilder(unreadable(t, visit.TypeAdmission)).admission()
	if fault.CodeOf(door.Err) != "json_unknown_name" || door.Value.Genuine {
		t.Errorf("door check: %v", door.Err)
	}
	step := edgeBuilder(unreadable(t, visit.TypeStep)).steps()
	if len(step.Value) != 1 || fault.CodeOf(step.Value[0].Stray) != "json_unknown_name" || step.Value[0].Step.Done {
		t.Errorf("step: %v", step.Value)
	}
	b := edgeBuilder(unreadable(t, visit.TypeConfirmation))
	if f := bodyFact[visit.Confirmation](b, visit.TypeConfirmation, b.merchant(), 0); fault.CodeOf(f.Err) != "json_unknown_name" || f.Value.Works {
		t.Errorf("confirmation: %v", f.Err)
	}
}

// A report that fits no trial permit is of no trial, so that its amounts count as outside the sheet.
func TestEdgesInsideAReportOfNoPermit(t *testing.T) {
	b := edgeBuilder(unreadable(t, "acceptance"))
	if _, err := b.earlierTrial(b.items[0].signed); fault.CodeOf(err) != "host_of_another" {
		t.Error(err)
	}
}

// A badge whose issuer the trust list does not know has no status, even with a record and a status list.
func TestEdgesInsideABadgeOfAnUnlistedIssuer(t *testing.T) {
	var badge credential.Badge
	b := &builder{items: []item{
		proven(t, "person/lan", registry.TypeBadgeIssued, registry.BadgeIssued{Holder: "lan", Badge: badge.Digest(), Key: badge.Holder().Thumbprint()}, statement.Header{}),
		proven(t, "organisation/", registry.TypeStatusList, registry.StatusList{Number: 1}, statement.Header{}),
	}}
	if err := b.badgeStatus(badge); fault.CodeOf(err) != "organisation_not_listed" {
		t.Error(err)
	}
	b.items = b.items[1:]
	if err := b.badgeStatus(badge); fault.CodeOf(err) != "badge_not_recorded" {
		t.Error(err)
	}
	if err := edgeBuilder(unreadable(t, registry.TypeBadgeIssued)).badgeStatus(badge); fault.CodeOf(err) != "json_unknown_name" {
		t.Error(err)
	}
}

// Of two keys of one name, the organisation's own counts, then the newer, then the higher thumbprint.
func TestEdgesInsideWhichOfTwoKeysCounts(t *testing.T) {
	enrol := func(organisation string, from time.Time) enrolled {
		return enrolled{body: statement.Enrolment{Holder: "lan", Organisation: organisation, Role: visit.RoleTechnician,
			Key: statement.KeyOf(&edgeKey(t).PublicKey), From: statement.At(from)}}
	}
	day := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	own, newer, foreign := enrol("svc", day), enrol("svc", day.Add(time.Second)), enrol("other", day.Add(time.Hour))
	twin := enrol("svc", day)
	higher, lower := own, twin
	if own.body.Key.Thumbprint() < twin.body.Key.Thumbprint() {
		higher, lower = twin, own
	}
	for _, c := range []struct {
		name         string
		wins, yields enrolled
	}{{"own", own, foreign}, {"newer", newer, own}, {"thumbprint", higher, lower}} {
		if !c.wins.rather(c.yields, "svc") || c.yields.rather(c.wins, "svc") {
			t.Errorf("%s: the wrong key counts", c.name)
		}
	}
}

// A relocation is judged over both addresses, every other kind over none.
func TestAddressesOfAnOrder(t *testing.T) {
	o := visit.Order{Kind: visit.Relocation, Items: visit.FiveItems{Address: "new"}}
	if got := addresses(o); got != nil {
		t.Errorf("without an old place: %v", got)
	}
	o.Old = &visit.OldTerminal{Address: "old"}
	if got := addresses(o); len(got) != 2 || got[0] != "new" || got[1] != "old" {
		t.Errorf("a relocation: %v", got)
	}
	o.Kind = visit.Swap
	if got := addresses(o); got != nil {
		t.Errorf("a swap: %v", got)
	}
}

// From an organisation's stream come single events; two that stand side by side must be links of one chain.
func TestNeighboursOfALongStreamAreChained(t *testing.T) {
	at := func(number int, previous string) item {
		e := record.Event{Stream: "organisation/assoc", Number: number, Previous: previous, Verb: visit.Publish, ReceivedAt: "2026-11-22T09:00:00Z",
			Statement: statement.Digest([]byte{byte(number)})}
		return item{place: e.Stream + " event " + strconv.Itoa(number), event: e, digest: e.Digest()}
	}
	third := at(3, statement.Digest([]byte("the second")))
	fourth, forged := at(4, third.digest), at(4, statement.Digest([]byte("another third")))
	if err := wholeStreams([]item{third, fourth, at(6, statement.Digest([]byte("the fifth")))}); err != nil {
		t.Errorf("an honest chain: %v", err)
	}
	if f := fault.Of(wholeStreams([]item{third, forged})); f == nil || f.Code != "chain_broken" || f.Where != forged.place {
		t.Errorf("a broken chain: %v", f)
	}
}
