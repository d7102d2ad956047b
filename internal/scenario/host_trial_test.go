package scenario

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/agreement"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/scenario/iso8583"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// memoryJournal remembers changes, or refuses them all.
type memoryJournal struct {
	changes [][]byte
	full    error
}

func (j *memoryJournal) Append(change []byte) error {
	if j.full != nil {
		return j.full
	}
	j.changes = append(j.changes, bytes.Clone(change))
	return nil
}

// handClock is a clock that tests move by hand.
type handClock struct{ now time.Time }

func (c *handClock) Now() time.Time { return c.now }

// bench is a host with a device whose trial keys are loaded.
type bench struct {
	*testing.T
	clock   *handClock
	host    *HostCore
	journal *memoryJournal
	device  *Device
	permit  visit.Permit
	digest  string
	line    Line
}

const (
	benchVisit  = "v-bench"
	benchSerial = "00005704280117028119"
	benchSlip   = "5d9c0000000000000000000000000000000000000000000000000000000000aa"
)

func newBench(t *testing.T) *bench {
	b := &bench{T: t, clock: &handClock{time.Date(2026, 11, 22, 12, 0, 0, 500, time.UTC)}, journal: &memoryJournal{}, digest: statement.Digest([]byte("permit"))}
	b.host = NewHostCore(NewActor("host-huaishan", "acq-huaishan", visit.RoleHost), evidence.Trust{}, b.clock.Now)
	if err := b.host.Recover(nil, b.journal); err != nil {
		t.Fatal(err)
	}
	b.line = memoryLine{b.host}
	b.device = NewFoundry("mkr-tiandun", b.clock.now).Make(benchSerial, b.clock.now)
	b.permit = visit.Permit{Order: "o-bench", Serial: benchSerial, DeviceKey: b.device.Thumbprint(), Terminal: "W1489724",
		Items: visit.FiveItems{MerchantCode: "531290058120001"}, CapFen: agreement.TrialCapFen}
	b.load(b.digest)
	return b
}

// load is what Release does after the evidence was accepted.
func (b *bench) load(digest string) {
	b.Helper()
	if _, err := b.host.act(verdict{visit: benchVisit, ask: visit.AskTrial, permit: b.permit}, digest); err != nil {
		b.Fatal(err)
	}
}

func (b *bench) report() agreement.Acceptance {
	b.Helper()
	return b.read(b.must(b.host.Acceptance(benchVisit, benchSlip, nil)))
}

func (b *bench) read(envelope []byte) (a agreement.Acceptance) {
	b.Helper()
	v, err := statement.Verify(envelope, b.host.Actor.Public())
	if err != nil {
		b.Fatal(err)
	}
	if err := v.Body(agreement.TypeAcceptance, &a); err != nil {
		b.Fatal(err)
	}
	return a
}

func (b *bench) must(data []byte, err error) []byte {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
	return data
}

// passes says what the gate would find.
func (b *bench) passes() error {
	b.Helper()
	v, err := statement.Verify(b.must(b.host.Acceptance(benchVisit, benchSlip, nil)), b.host.Actor.Public())
	if err != nil {
		b.Fatal(err)
	}
	_, err = agreement.VerifyAcceptance(v, agreement.WantAcceptance{Permit: b.digest, Acquirer: "acq-huaishan", Serial: benchSerial,
		DeviceKey: b.permit.DeviceKey, Terminal: b.permit.Terminal, MerchantCode: b.permit.Items.MerchantCode, MerchantName: benchSlip})
	return err
}

func TestAnHonestTerminalPassesTheWholeScript(t *testing.T) {
	b := newBench(t)
	if err := RunScript(context.Background(), b.line, b.device, Habits{}); err != nil {
		t.Fatal(err)
	}
	if err := b.passes(); err != nil {
		t.Fatal(err)
	}
	charges := b.report().Charges
	if len(charges) != 1 || charges[0].Code != agreement.StepApprovedSale || charges[0].AmountFen != 1 {
		t.Errorf("charges %v", charges)
	}
	v, err := statement.Verify(b.host.ChargeList(benchVisit, benchSerial, "W1489724", "531290058120001", b.clock.now.Add(-time.Hour)), b.host.Actor.Public())
	var list agreement.ChargeList
	if err != nil || v.Body(agreement.TypeChargeList, &list) != nil || len(list.Charges) != 0 {
		t.Errorf("what was given back is listed as charged: %v, %v", list.Charges, err)
	}
}

// Each habit must show in the host's own report, at the step that is there to find it.
func TestAMisbehavingTerminalFailsItsStep(t *testing.T) {
	for name, c := range map[string]struct {
		habits Habits
		failed []string
	}{
		"skips sign-in":           {Habits{SkipsSignIn: true}, []string{agreement.StepSignIn}},
		"asks too much":           {Habits{OverCharges: true}, []string{agreement.StepApprovedSale, agreement.StepDeclinedSale, agreement.StepWrongMAC, agreement.StepReversal, agreement.StepRefundWithPassword}},
		"takes no for yes":        {Habits{IgnoresRefusals: true}, []string{agreement.StepSettlement}},
		"believes any MAC":        {Habits{TrustsAnyMAC: true}, []string{agreement.StepWrongMAC, agreement.StepSettlement}},
		"forgets the lost answer": {Habits{ForgetsLost: true}, []string{agreement.StepReversal}},
		"guesses the password":    {Habits{GuessesPassword: true}, []string{agreement.StepRefundWithoutPassword, agreement.StepRefundWithPassword}},
		"writes wrong MACs":       {Habits{MACsBadly: true}, agreement.Script()},
		"hangs after the sale":    {Habits{StopsAfter: 2}, agreement.Script()[2:]},
		"hangs before reversing":  {Habits{StopsAfter: 6}, agreement.Script()[4:]},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			if err := RunScript(context.Background(), b.line, b.device, c.habits); err != nil {
				t.Fatal(err)
			}
			var failed []string
			for _, s := range b.report().Steps {
				if s.Result != agreement.ResultPassed {
					failed = append(failed, s.Name)
				}
			}
			if strings.Join(failed, " ") != strings.Join(c.failed, " ") {
				t.Errorf("failed %v, want %v", failed, c.failed)
			}
			if err := b.passes(); fault.CodeOf(err) != "acceptance_step_failed" {
				t.Errorf("the gate says %v", err)
			}
		})
	}
}

func TestALostSaleThatNobodyReversedIsOnTheList(t *testing.T) {
	b := newBench(t)
	if err := RunScript(context.Background(), b.line, b.device, Habits{ForgetsLost: true}); err != nil {
		t.Fatal(err)
	}
	a := b.report()
	if len(a.Charges) != 2 || a.Charges[1].Code != agreement.StepReversal || a.Steps[4].AmountFen != 1 {
		t.Errorf("charges %v, step %v", a.Charges, a.Steps[4])
	}
}

func TestOnlyThePermitsDeviceCollectsALoadAndOnce(t *testing.T) {
	b := newBench(t)
	ctx := context.Background()
	clone := NewFoundry("mkr-tiandun", b.clock.now).Make(benchSerial, b.clock.now) // same serial, own key
	if err := RunScript(ctx, b.line, clone, Habits{}); fault.CodeOf(err) != "device_session_key" {
		t.Errorf("a clone: %v", err)
	}
	stranger := NewFoundry("mkr-tiandun", b.clock.now).Make("00005704280117028120", b.clock.now)
	if err := RunScript(ctx, b.line, stranger, Habits{}); fault.CodeOf(err) != "trial_not_loaded" {
		t.Errorf("a device without a load: %v", err)
	}
	nonce, err := OpenSession(ctx, b.line, b.device)
	if err != nil {
		t.Fatal(err)
	}
	point := []byte("no point")
	sig, _ := statement.SignES256(b.device.Key, CollectMessage(benchSerial, nonce, point))
	if _, err := b.host.Collect(benchSerial, point, sig); fault.CodeOf(err) != "key_exchange_malformed" {
		t.Errorf("no point: %v", err)
	}
	first, err := collect(ctx, b.line, b.device)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := collect(ctx, b.line, b.device); fault.CodeOf(err) != "trial_key_collected" {
		t.Errorf("a second exchange: %v", err)
	}
	if err := first.signIn(ctx); err != nil {
		t.Errorf("the first exchange's key no longer works: %v", err)
	}
	b.clock.now = b.clock.now.Add(sessionHolds + time.Second)
	if _, err := b.host.Collect(benchSerial, point, sig); fault.CodeOf(err) != "device_session_absent" {
		t.Errorf("an old session: %v", err)
	}
}

func TestTrialKeysEnd(t *testing.T) {
	for name, c := range map[string]struct {
		end  func(*bench)
		code string
	}{
		"by time":   {func(b *bench) { b.clock.now = b.clock.now.Add(agreement.TrialTime + time.Second) }, "trial_over"},
		"by cancel": {func(b *bench) { b.must(b.host.Cancel(benchVisit, b.digest)) }, "trial_over"},
		"by live keys": {func(b *bench) {
			b.must(b.host.act(verdict{visit: benchVisit, ask: visit.AskLive, permit: b.permit}, statement.Digest([]byte("live"))))
		}, "trial_over"},
		"by an end permit": {func(b *bench) {
			b.must(b.host.act(verdict{visit: benchVisit, ask: visit.AskEnd, permit: b.permit}, statement.Digest([]byte("end"))))
		}, "trial_over"},
		"by the next trial": {func(b *bench) { b.load(statement.Digest([]byte("next"))) }, "trial_not_loaded"},
	} {
		b := newBench(t)
		term, err := collect(context.Background(), b.line, b.device)
		if err != nil {
			t.Fatal(err)
		}
		c.end(b)
		if err := term.signIn(context.Background()); fault.CodeOf(err) != c.code {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestMessagesThatChangeNothing(t *testing.T) {
	b := newBench(t)
	ctx := context.Background()
	term, err := collect(ctx, b.line, b.device)
	if err != nil {
		t.Fatal(err)
	}
	head := func(m map[int]string) map[int]string {
		m[iso8583.Terminal], m[iso8583.Merchant] = "W1489724", "531290058120001"
		return m
	}
	before := len(b.journal.changes)
	for name, c := range map[string]struct {
		m    iso8583.Message
		code string
	}{
		"an answer":        {iso8583.Message{Type: iso8583.SaleAnswer, Fields: head(map[int]string{iso8583.Trace: "000001"})}, "message_not_request"},
		"no trace":         {iso8583.Message{Type: iso8583.SignIn, Fields: head(map[int]string{})}, "message_field_missing"},
		"other terminal":   {iso8583.Message{Type: iso8583.SignIn, Fields: map[int]string{iso8583.Trace: "000001", iso8583.Terminal: "W0000000", iso8583.Merchant: "531290058120001"}}, "trial_other_terminal"},
		"other merchant":   {iso8583.Message{Type: iso8583.SignIn, Fields: map[int]string{iso8583.Trace: "000001", iso8583.Terminal: "W1489724", iso8583.Merchant: "531290058120002"}}, "trial_other_terminal"},
		"sale, no amount":  {iso8583.Message{Type: iso8583.Sale, Fields: head(map[int]string{iso8583.Trace: "000001", iso8583.Card: CardApprove})}, "message_field_missing"},
		"reversal, no why": {iso8583.Message{Type: iso8583.Reversal, Fields: head(map[int]string{iso8583.Trace: "000001", iso8583.Amount: inFen(1)})}, "message_field_missing"},
	} {
		raw, err := c.m.Seal(term.key)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.host.Send(benchSerial, raw); fault.CodeOf(err) != c.code {
			t.Errorf("%s: %v", name, err)
		}
	}
	forged, _ := iso8583.Message{Type: iso8583.SignIn, Fields: head(map[int]string{iso8583.Trace: "000001"})}.Seal([]byte("another key"))
	answer, err := iso8583.Open(b.must(b.host.Send(benchSerial, forged)), term.key)
	if err != nil || answer.Fields[iso8583.Response] != AnswerMAC {
		t.Errorf("a wrong MAC: %v, %v", answer, err)
	}
	if _, err := b.host.Send(benchSerial, []byte("junk")); fault.KindOf(err) != fault.Invalid {
		t.Errorf("junk: %v", err)
	}
	if _, err := b.host.Send("00005704280117028120", forged); fault.CodeOf(err) != "trial_not_loaded" {
		t.Errorf("another device: %v", err)
	}
	if len(b.journal.changes) != before {
		t.Error("a refused message changed the host")
	}
}

func TestTheSameMessageTwiceIsOneTrade(t *testing.T) {
	b := newBench(t)
	term, err := collect(context.Background(), b.line, b.device)
	if err != nil {
		t.Fatal(err)
	}
	raw := func(kind string, fields map[int]string) []byte {
		fields[iso8583.Terminal], fields[iso8583.Merchant] = "W1489724", "531290058120001"
		return b.must(iso8583.Message{Type: kind, Fields: fields}.Seal(term.key))
	}
	sale := raw(iso8583.Sale, map[int]string{iso8583.Trace: "000001", iso8583.Amount: inFen(1), iso8583.Card: CardApprove})
	first, again := b.must(b.host.Send(benchSerial, sale)), b.must(b.host.Send(benchSerial, sale))
	if !bytes.Equal(first, again) || len(b.report().Charges) != 1 {
		t.Errorf("%d charges", len(b.report().Charges))
	}
	code := func(raw []byte) string {
		m, err := iso8583.Open(b.must(b.host.Send(benchSerial, raw)), term.key)
		if err != nil {
			t.Fatal(err)
		}
		return m.Fields[iso8583.Response]
	}
	for name, c := range map[string]struct {
		raw  []byte
		want string
	}{
		"trace used before":  {raw(iso8583.Sale, map[int]string{iso8583.Trace: "000001", iso8583.Amount: inFen(1), iso8583.Card: CardDecline}), AnswerRepeated},
		"an earlier step":    {raw(iso8583.SignIn, map[int]string{iso8583.Trace: "000009"}), AnswerNotNow},
		"another card":       {raw(iso8583.Sale, map[int]string{iso8583.Trace: "000010", iso8583.Amount: inFen(1), iso8583.Card: "wei's own"}), AnswerNoCard},
		"nothing to reverse": {raw(iso8583.Reversal, map[int]string{iso8583.Trace: "000001", iso8583.Amount: inFen(1), iso8583.Response: ReversedSilence}), AnswerNotNow},
	} {
		if got := code(c.raw); got != c.want {
			t.Errorf("%s: answered %s, want %s", name, got, c.want)
		}
	}
	if got := code(raw(iso8583.Sale, map[int]string{iso8583.Trace: "000011", iso8583.Amount: inFen(0), iso8583.Card: CardDecline})); got != AnswerAmount {
		t.Errorf("a sale of nothing: %s", got)
	}
	silent := raw(iso8583.Sale, map[int]string{iso8583.Trace: "000012", iso8583.Amount: inFen(1), iso8583.Card: CardSilent})
	for range 2 {
		if _, err := b.host.Send(benchSerial, silent); !errors.Is(err, ErrSilence) {
			t.Errorf("the silent card: %v", err)
		}
	}
	if got := code(raw(iso8583.Reversal, map[int]string{iso8583.Trace: "000012", iso8583.Amount: inFen(1), iso8583.Response: ReversedMAC})); got != AnswerYes {
		t.Errorf("reversing for another reason: %s", got)
	}
	if s := b.report().Steps[4]; s.Result != agreement.ResultFailed || len(b.report().Charges) != 1 {
		t.Errorf("step %v, %d charges", s, len(b.report().Charges))
	}
}

func TestATrialTakesSoManyMessages(t *testing.T) {
	b := newBench(t)
	term, err := collect(context.Background(), b.line, b.device)
	if err != nil {
		t.Fatal(err)
	}
	for i := range maxMessages + 1 {
		if err = term.signIn(context.Background()); i < maxMessages && err != nil {
			t.Fatal(err)
		}
	}
	if fault.CodeOf(err) != "trial_too_many_messages" {
		t.Errorf("message %d: %v", maxMessages+1, err)
	}
}

func TestChargesAreListedInTheHostsName(t *testing.T) {
	b := newBench(t)
	good := agreement.Charge{At: statement.At(b.clock.now), Code: "activation", AmountFen: 29900, Kind: agreement.ChargeOther, Reference: "r-1"}
	if err := b.host.Charge("W1489724", good); err != nil {
		t.Fatal(err)
	}
	for name, edit := range map[string]func(*agreement.Charge){
		"time": func(c *agreement.Charge) { c.At = "now" }, "code": func(c *agreement.Charge) { c.Code = "" },
		"reference": func(c *agreement.Charge) { c.Reference = "a b" }, "kind": func(c *agreement.Charge) { c.Kind = "gift" },
		"negative": func(c *agreement.Charge) { c.AmountFen = -1 }, "huge": func(c *agreement.Charge) { c.AmountFen = agreement.MaxAmountFen + 1 },
	} {
		c := good
		edit(&c)
		if err := b.host.Charge("W1489724", c); fault.CodeOf(err) != "charge_not_listable" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := b.host.Charge("", good); err == nil {
		t.Error("a charge on no terminal")
	}
	if _, err := b.host.ChargesOf(Asked{Visit: benchVisit, Order: "o-bench", Serial: benchSerial}); fault.CodeOf(err) != "order_unknown_to_host" {
		t.Errorf("an order that is not in the books: %v", err)
	}
	if err := b.host.PutRecord("o-bench", HostRow{MerchantCode: "531290058120001", Terminal: "W1489724"}); err != nil {
		t.Fatal(err)
	}
	for since, want := range map[time.Time]int{b.clock.now.Add(-time.Hour): 1, b.clock.now.Add(time.Hour): 0} {
		v, err := statement.Verify(b.must(b.host.ChargesOf(Asked{Visit: benchVisit, Order: "o-bench", Serial: benchSerial, Since: since})), b.host.Actor.Public())
		var list agreement.ChargeList
		if err != nil || v.Body(agreement.TypeChargeList, &list) != nil || len(list.Charges) != want || list.Terminal != "W1489724" {
			t.Errorf("since %s: %v, %v", since, list, err)
		}
	}
	for range maxHostCharges - 1 {
		if err := b.host.Charge("W1489724", good); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.host.Charge("W1489724", good); fault.CodeOf(err) != "charges_too_many" {
		t.Errorf("over the bound: %v", err)
	}
}

func TestARefundGivesBackTheTestSaleAndNothingElse(t *testing.T) {
	for name, edit := range map[string]func(map[int]string){
		"another sale": func(f map[int]string) { f[iso8583.Reference] = "000000010009" },
		"less":         func(f map[int]string) { f[iso8583.Amount] = inFen(0) },
		"more":         func(f map[int]string) { f[iso8583.Amount] = inFen(2) },
	} {
		b := newBench(t)
		ctx := context.Background()
		term, err := collect(ctx, b.line, b.device)
		if err != nil {
			t.Fatal(err)
		}
		view, err := b.host.Trial(benchVisit)
		if err != nil {
			t.Fatal(err)
		}
		if err := term.signIn(ctx); err != nil {
			t.Fatal(err)
		}
		sale, err := term.sell(ctx, CardApprove)
		if err != nil {
			t.Fatal(err)
		}
		fields := map[int]string{iso8583.Amount: inFen(1), iso8583.Reference: sale.Fields[iso8583.Reference], iso8583.Proof: RefundProof(term.key, view.Word)}
		edit(fields)
		answer, err := term.exchange(ctx, iso8583.Refund, term.nextTrace(), fields)
		if err != nil || answer.Fields[iso8583.Response] != AnswerAmount || b.report().Steps[6].Result != agreement.ResultFailed {
			t.Errorf("%s: answered %v, %v", name, answer.Fields, err)
		}
	}
}
