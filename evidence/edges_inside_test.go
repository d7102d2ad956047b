package evidence

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/record"
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

// unreadable is a proven statement of the merchant's whose body no type has.
func unreadable(t *testing.T, kind string) item {
	t.Helper()
	key := edgeKey(t)
	envelope, err := statement.Sign(key, statement.Unsigned{Type: kind, Subject: "visit/v1", Body: map[string]string{"nonsense": "1"},
		Header: statement.Header{Signer: "wei", Organisation: "acq", Role: visit.RoleMerchant, At: "2026-11-22T09:00:00Z"}})
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
	return item{event: record.Event{Stream: "visit/v1", Number: 1}, claims: claims, signed: v}
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
	if fault.CodeOf(step.Err) != "json_unknown_name" || len(step.Value) > 0 || len(step.From) != 1 {
		t.Errorf("step: %v", step.Err)
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
