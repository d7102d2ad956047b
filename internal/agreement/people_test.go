package agreement

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"strings"
	"testing"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/statement"
)

// person is somebody who signs.
type person struct {
	name, organisation, role string
	key                      *ecdsa.PrivateKey
}

func newPerson(t testing.TB, name, organisation, role string) person {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return person{name, organisation, role, key}
}

// says signs body and verifies the statement, as whoever receives it does.
func (p person) says(t testing.TB, kind, subject string, at statement.Time, body any) statement.Verified {
	t.Helper()
	data, err := statement.Sign(p.key, statement.Unsigned{Type: kind, Subject: subject, Body: body,
		Header: statement.Header{Signer: p.name, Organisation: p.organisation, Role: p.role, At: at}})
	if err != nil {
		t.Fatal(err)
	}
	v, err := statement.Verify(data, statement.KeyOf(&p.key.PublicKey))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

const (
	signedAt = statement.Time("2026-11-20T02:00:00Z")
	order    = "order-wei-noodles"
	acquirer = "acquirer-east"
	provider = "provider-fast"
)

// plainSheet is an honest sheet without a trap.
func plainSheet() Sheet {
	return Sheet{
		Terms: statement.Digest([]byte("terms of acquirer-east, version 7")), Acquirer: acquirer, Provider: provider, SettledBy: acquirer,
		Items: []Item{
			{Code: "deposit", Label: "机器押金", AmountFen: 29900, Per: PerOnce, When: WhenSigning, PaidTo: acquirer, ReturnCondition: "交回机器后 7 天内原路全额退回"},
			{Code: "data", Label: "流量费", AmountFen: 4800, Per: PerYear, When: WhenLive, PaidTo: acquirer},
			{Code: "service", Label: "上门安装", AmountFen: 5000, Per: PerOnce, When: WhenLive, PaidTo: provider},
			{Code: "service.care", Label: "维护", AmountFen: 1000, Per: PerMonth, When: WhenPeriod, PaidTo: provider},
			{Code: "per_trade", Label: "到账提醒", AmountFen: 10, Per: PerTrade, When: WhenPeriod, PaidTo: acquirer},
			{Code: "repair", Label: "换屏", AmountFen: 12000, Per: PerOnce, When: WhenEvent, PaidTo: provider},
		},
		Rates:   []Rate{{Card: CardDebit, RatePPM: 5000, CapFen: 2000}, {Card: CardCredit, RatePPM: 6000}, {Card: CardQR, RatePPM: 3800}},
		Clauses: []Clause{{Code: "warranty", Text: "机器坏了，一年内免费修。"}},
		Scope:   "安装一台终端，教会店里的人用。", WarrantyMonths: 12, ResponseHours: 4, ResolutionHours: 24,
		Responsibility: []Responsible{{Step: "install", Organisation: provider}, {Step: "settlement", Organisation: acquirer}},
	}
}

// trapSheet also wants an exit fee and renews by itself.
func trapSheet() Sheet {
	s := plainSheet()
	s.Items = append(s.Items, Item{Code: "exit", Label: "提前不用了", AmountFen: 20000, Per: PerOnce, When: WhenEvent, PaidTo: acquirer})
	s.Clauses = append(s.Clauses, Clause{Code: FlagRenewal, Text: "到期前 30 天没有说停，就再算一年。"})
	return s
}

// signed is what both sides signed: an honest sheet.
func signed(t *testing.T, s Sheet) Verified {
	t.Helper()
	wei, fang := newPerson(t, "wei", "shop-wei", roleMerchant), newPerson(t, "fang", acquirer, roleApprover)
	v, err := Verify(wei.says(t, TypeAgreement, "order/"+order, signedAt, Accept(order, s, []string{}, acquirer, acquirer)),
		fang.says(t, TypeAgreement, "order/"+order, signedAt, Offer(order, s)))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// refused checks code and place of an error.
func refused(t *testing.T, err error, code, where string) {
	t.Helper()
	if got := fault.CodeOf(err); got != code {
		t.Fatalf("code %q, want %q (%v)", got, code, err)
	}
	if where != "" && !strings.Contains(fault.Of(err).Where, where) {
		t.Fatalf("place %q does not name %q", fault.Of(err).Where, where)
	}
}
