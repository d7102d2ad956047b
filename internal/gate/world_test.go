package gate_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"math/big"
	"sync"
	"time"

	"github.com/menshen-project/menshen/internal/agreement"
	"github.com/menshen-project/menshen/internal/attest"
	"github.com/menshen-project/menshen/internal/credential"
	"github.com/menshen-project/menshen/internal/custody"
	"github.com/menshen-project/menshen/internal/registry"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// noon is when everything is asked.
var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func at(after time.Duration) statement.Time { return statement.At(noon.Add(after)) }

const (
	acquirer = "acq-huaishan"
	provider = "svc-anzhuang"
	unfiled  = "svc-yeluzi"
	watch    = "sup-mingjian"
	makerID  = "mkr-tiandun"
	serial   = "00005704280117028119"
	orderID  = "o-1"
	terminal = "W1489724"
	mid      = "531290058120001"
	business = "bank_card_acquiring"
)

// person is somebody who signs.
// custodyVerified spares a test file the import.
type custodyVerified = custody.Verified

type person struct {
	name, organisation, role string
	key                      *ecdsa.PrivateKey
}

func newPerson(name, organisation, role string) person {
	return person{name, organisation, role, must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))}
}

func (p person) public() statement.Key { return statement.KeyOf(&p.key.PublicKey) }
func (p person) thumb() string         { return p.public().Thumbprint() }

// must gives the value of what cannot fail in a world that this file makes.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// says signs body and verifies the statement, as whoever receives it does.
func (p person) says(kind, subject string, when time.Duration, answers string, body any) statement.Verified {
	data := must(statement.Sign(p.key, statement.Unsigned{Type: kind, Subject: subject, Body: body,
		Header: statement.Header{Signer: p.name, Organisation: p.organisation, Role: p.role, At: at(when), Answers: answers}}))
	return must(statement.Verify(data, p.public()))
}

// world is everything that verifiers made of one honest city; it is made once, and each test changes
// its own copy of the facts.
type world struct {
	assoc, platform, chen, host, wei, lan, gu, maker, store person

	trust      credential.Trust
	parameters registry.Parameters
	sheet      agreement.Verified
	custody    custody.Verified
	atMaker    custody.Verified            // not shipped yet: no arrival, held by the warehouse
	atShop     custody.Verified            // handed over to the merchant, and never scanned again
	returned   map[string]custody.Verified // by serial: with the technician, never scanned
	quotes     [2]attest.Verified
	trial      visit.Recorded[visit.Decision]
	report     agreement.AcceptanceVerified
	devices    *foundry
	device     *ecdsa.PrivateKey
	chain      [][]byte
}

var city = sync.OnceValue(func() *world {
	w := &world{
		assoc: newPerson("assoc", "assoc", visit.RoleRegulator), platform: newPerson("menshen", "menshen", visit.RolePlatform),
		chen: newPerson("chen", acquirer, visit.RoleApprover), host: newPerson("host-huaishan", acquirer, visit.RoleHost),
		wei: newPerson("wei", acquirer, visit.RoleMerchant), lan: newPerson("lan", provider, visit.RoleTechnician),
		gu: newPerson("gu", watch, visit.RoleSupervisor), maker: newPerson("mkr-tiandun", makerID, visit.RoleMaker),
		store: newPerson("store", provider, visit.RoleCustodian),
	}
	w.trust = must(credential.VerifyTrustList(w.assoc.says(credential.TypeTrustList, "organisation/assoc", 0, "", w.trustList()), noon))
	signer := newPerson(acquirer, acquirer, visit.RoleOrganisation)
	w.parameters = must(registry.ReadParameters(signer.says(registry.TypeParameters, "organisation/"+acquirer, 0, "", parameters()), acquirer))
	w.sheet = w.agreed(orderID, provider)
	w.devices = newFoundry(false)
	w.device, w.chain = w.devices.device()
	w.atMaker = must(custody.Verify(w.transfers(statement.KeyOf(&w.device.PublicKey).Thumbprint(), "TD20")[:1], nil))
	w.returned = map[string]custody.Verified{serial: must(custody.Verify(w.transfers("", "TD20"), nil)), oldSerial: must(custody.Verify(w.transfersOf(oldSerial, "", "TD20"), nil))}
	held := w.transfers(statement.KeyOf(&w.device.PublicKey).Thumbprint(), "TD20")
	w.atShop = must(custody.Verify(append(held, w.lan.says(custody.TypeTransfer, "device/"+serial, -4*time.Hour, held[1].Digest(), custody.Transfer{Serial: serial,
		FromHolder: w.lan.name, ToHolder: w.wei.name, ToOrganisation: acquirer, Notice: notice(orderID), SealsIntact: true})), nil))
	w.custody = w.arrived(statement.KeyOf(&w.device.PublicKey).Thumbprint(), "TD20")
	w.quotes = [2]attest.Verified{w.quote(nil), w.quote(nil)}
	w.trial = w.trialPermit(w.quotes[0].Key(), -20*time.Minute, 10*time.Minute)
	w.report = w.accepted(w.trial, -10*time.Minute, -5*time.Minute)
	return w
})

func (w *world) trustList() credential.TrustList {
	key := func() statement.Key { return newPerson("", "", "").public() }
	from, until := statement.At(noon.AddDate(-1, 0, 0)), statement.At(noon.AddDate(1, 0, 0))
	filing := &credential.Filing{Number: "W-2026-0031", From: from, Until: until}
	return credential.TrustList{Number: 1, IssuedAt: at(-time.Hour), NextAt: at(7 * 24 * time.Hour), Source: "made up", Organisations: []credential.Organisation{
		{ID: acquirer, Name: "槐山支付", Kinds: []string{credential.KindAcquirer}, Key: key(), Licence: &credential.Licence{
			Number: "Z2099931000010", Business: []string{business}, Regions: []string{"31", "32"}, From: from, Until: until}},
		{ID: provider, Name: "安装到家", Kinds: []string{credential.KindProvider}, Key: key(), Filing: filing},
		{ID: unfiled, Name: "野路子", Kinds: []string{credential.KindProvider}, Key: key()},
	}}
}

// parameters lists one model under its own name and one, much like it, that a swapped device claims.
func parameters() registry.Parameters {
	model := func(name string) registry.Model {
		return registry.Model{Model: name, Hardware: "2.0", Firmware: "5.3.x", Listing: "4-30432", Expires: statement.At(noon.AddDate(1, 0, 0)),
			BootState: attest.BootVerified, Course: "smart-pos"}
	}
	return registry.Parameters{
		Acquirer: acquirer, Number: 1, IssuedAt: at(-time.Hour), NextAt: at(30 * 24 * time.Hour),
		RadiusMetres: 150, SecurityCourse: "security", TerminalsPerID: 5, TrialMinutes: 30, AuditsPerMille: 50, AuditWitness: "witness-a",
		Steps: []registry.StepRule{
			{Kind: visit.Install, Step: "mount", By: visit.RoleTechnician, Photos: 2}, {Kind: visit.Install, Step: "check_serial", By: visit.RoleMerchant},
			{Kind: visit.Inspection, Step: "shopfront", By: visit.RoleTechnician, Photos: 1},
			{Kind: visit.Removal, Step: "shopfront", By: visit.RoleTechnician, Photos: 1},
			{Kind: visit.Swap, Step: "mount", By: visit.RoleTechnician, Photos: 2}, {Kind: visit.Relocation, Step: "mount", By: visit.RoleTechnician, Photos: 2},
			{Kind: visit.Repair, Step: "check_serial", By: visit.RoleMerchant},
		},
		Models:           []registry.Model{model("TD20"), model("TD30")},
		SupervisionUnder: []registry.Supervision{{Risk: 0, Mode: "merchant"}, {Risk: 1, Mode: "remote"}, {Risk: 2, Mode: "present"}},
	}
}

// agreed is a plain sheet that merchant and approver signed; sends is who sends people, "" for the acquirer
// itself.
func (w *world) agreed(order, sends string) agreement.Verified {
	sheet := agreement.Sheet{
		Terms: statement.Digest([]byte("terms")), Acquirer: acquirer, Provider: sends, SettledBy: acquirer,
		Items: []agreement.Item{{Code: agreement.ItemDeposit, Label: "押金", AmountFen: 29900, Per: agreement.PerOnce, When: agreement.WhenLive,
			PaidTo: acquirer, ReturnCondition: "交回后 7 天内全额退回"}},
		Rates: []agreement.Rate{{Card: agreement.CardDebit, RatePPM: 5000, CapFen: 2000}}, Clauses: []agreement.Clause{}, Scope: "装一台终端",
		WarrantyMonths: 12, ResponseHours: 4, ResolutionHours: 24, Responsibility: []agreement.Responsible{{Step: "mount", Organisation: provider}},
	}
	subject := "order/" + order
	offer := w.chen.says(agreement.TypeAgreement, subject, -2*time.Hour, "", agreement.Offer(order, sheet))
	yes := w.wei.says(agreement.TypeAgreement, subject, -2*time.Hour, "", agreement.Accept(order, sheet, nil, agreement.None, acquirer))
	return must(agreement.Verify(yes, offer))
}

func notice(tracking string) custody.Notice { return noticeOf(serial, tracking) }

func noticeOf(serial, tracking string) custody.Notice {
	return custody.Notice{Tracking: tracking, BagSeal: "B1", BoxSerial: "X1", DeviceSerial: serial}
}

// transfers hands the device from maker to warehouse to technician.
func (w *world) transfers(deviceKey, model string) []statement.Verified {
	return w.transfersOf(serial, deviceKey, model)
}

func (w *world) transfersOf(serial, deviceKey, model string) []statement.Verified {
	origin := &custody.Origin{Model: model, Hardware: "2.0", Firmware: "5.3.0", DeviceKey: deviceKey, AttestationSerial: deviceKey == ""}
	hand := func(from, to person, tracking, answers string, first *custody.Origin) statement.Verified {
		return from.says(custody.TypeTransfer, "device/"+serial, -5*time.Hour, answers, custody.Transfer{Serial: serial, FromHolder: from.name,
			ToHolder: to.name, ToOrganisation: to.organisation, Notice: noticeOf(serial, tracking), First: first, SealsIntact: true})
	}
	first := hand(w.maker, w.store, "SF1", "", origin)
	return []statement.Verified{first, hand(w.store, w.lan, orderID, first.Digest(), nil)}
}

func (w *world) arrived(deviceKey, model string) custody.Verified {
	transfers := w.transfers(deviceKey, model)
	arrival := w.lan.says(custody.TypeArrival, "visit/v1", -time.Hour, transfers[1].Digest(), custody.Arrival{Serial: serial, Notice: notice(orderID), SealsIntact: true})
	return must(custody.Verify(transfers, &arrival))
}

// foundry is a maker's certificate authority.
type foundry struct {
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
	root attest.Root
}

func newFoundry(demonstration bool) *foundry {
	f := &foundry{key: must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "root"}, NotBefore: noon.AddDate(-1, 0, 0),
		NotAfter: noon.AddDate(9, 0, 0), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	der := must(x509.CreateCertificate(rand.Reader, template, template, &f.key.PublicKey, f.key))
	f.cert = must(x509.ParseCertificate(der))
	f.root = attest.Root{Maker: makerID, DER: der, Demonstration: demonstration}
	return f
}

// device makes a device key with a certificate that names the serial.
func (f *foundry) device() (*ecdsa.PrivateKey, [][]byte) {
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	template := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "device", SerialNumber: serial},
		NotBefore: noon.AddDate(0, -1, 0), NotAfter: noon.AddDate(5, 0, 0), BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature}
	return key, [][]byte{must(x509.CreateCertificate(rand.Reader, template, f.cert, &key.PublicKey, f.key))}
}

// quote has the city's own device answer a nonce; edit changes what it says of itself.
func (w *world) quote(edit func(*attest.Quote)) attest.Verified {
	return quoteBy(w.devices.root, w.device, w.chain, edit)
}

// stranger has another device of the same maker answer, under a key of its own.
func (w *world) stranger(f *foundry) attest.Verified {
	key, chain := f.device()
	return quoteBy(f.root, key, chain, nil)
}

func quoteBy(root attest.Root, key *ecdsa.PrivateKey, chain [][]byte, edit func(*attest.Quote)) attest.Verified {
	nonce := base64.StdEncoding.EncodeToString(make([]byte, 16))
	q := attest.Quote{Nonce: nonce, Serial: serial, Model: "TD20", Hardware: "2.0", Firmware: "5.3.1", BootState: attest.BootVerified}
	if edit != nil {
		edit(&q)
	}
	proof := must(attest.QuoteX509(key, chain, q))
	return must(attest.Verify(attest.Attestation{Challenge: statement.Digest(nil), Purpose: visit.PurposeDevice, Serial: serial, Format: attest.FormatX509,
		Proof: base64.StdEncoding.EncodeToString(proof)}, attest.Want{Nonce: nonce, Serial: serial, Maker: makerID, AttestationSerial: true,
		Roots: []attest.Root{root}, Revoked: attest.Revocations{Number: 1, IssuedAt: at(-time.Hour), NextAt: at(time.Hour), Serials: []string{}, Keys: []string{}}, Now: noon}))
}

// trialPermit is the platform's signed decision at trial, for a device key and a time.
func (w *world) trialPermit(deviceKey string, decided, until time.Duration) visit.Recorded[visit.Decision] {
	d := visit.Decision{Visit: "v1", Ask: visit.AskTrial, DecidedAt: at(decided), Rules: visit.RulesVersion, Heads: []visit.Head{}, Evidence: []string{},
		Conditions: []visit.Held{}, Permit: &visit.Permit{Order: orderID, Serial: serial, DeviceKey: deviceKey, Terminal: terminal,
			Items: visit.FiveItems{MerchantCode: mid}, CapFen: 1, Until: at(until)}}
	return visit.Recorded[visit.Decision]{Body: d, Event: visit.Event{Number: 13, Verb: visit.RequestPermit, Statement: w.platform.says(visit.TypeDecision, "visit/v1", decided, "", d)}}
}

// accepted is the host's report of a passed script over a permit, between two times; charges are added
// to the script's own.
func (w *world) accepted(permit visit.Recorded[visit.Decision], started, listed time.Duration, charges ...agreement.Charge) agreement.AcceptanceVerified {
	p := permit.Body.Permit
	name := statement.Digest([]byte("示例面馆"))
	a := agreement.Acceptance{Permit: permit.Event.Statement.Digest(), Serial: p.Serial, DeviceKey: p.DeviceKey, Terminal: p.Terminal,
		MerchantCode: mid, ListedAt: at(listed)}
	for i, step := range agreement.Script() {
		s := agreement.AcceptanceStep{Name: step, Result: agreement.ResultPassed, Reference: "r" + string(rune('0'+i)), At: at(started)}
		if step == agreement.StepApprovedSale || step == agreement.StepRefundWithPassword {
			s.AmountFen = agreement.TrialCapFen
		}
		a.Steps = append(a.Steps, s)
	}
	a.Slip = agreement.Slip{MerchantName: name, MerchantCode: mid, Terminal: terminal, Reference: "r1"}
	a.Charges = append([]agreement.Charge{{At: at(started), Code: agreement.StepApprovedSale, AmountFen: 1, Kind: agreement.ChargeScript, Reference: "r1"}}, charges...)
	signed := w.host.says(agreement.TypeAcceptance, "visit/v1", listed, "", a)
	return must(agreement.VerifyAcceptance(signed, agreement.WantAcceptance{Permit: a.Permit, Acquirer: acquirer, Serial: serial, DeviceKey: p.DeviceKey,
		Terminal: terminal, MerchantCode: mid, MerchantName: name}))
}
