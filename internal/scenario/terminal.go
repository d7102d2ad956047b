package scenario

import (
	"context"
	"crypto/ecdh"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/menshen-project/menshen/internal/agreement"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/scenario/iso8583"
	"github.com/menshen-project/menshen/internal/statement"
)

// reversalTries is how often a terminal repeats a reversal that gets no answer.
const reversalTries = 3

var (
	errAnswerMAC   = fault.New(fault.Refused, "terminal_answer_mac_wrong", "主机回答的校验码不对。", "The host's answer carries a wrong MAC.")
	errAnswerOther = fault.New(fault.Refused, "terminal_answer_other", "主机回答的不是这一笔。", "The host answered another message than the one sent.")
)

// Line is how a simulated device, and the acquirer's tester beside it, reach the acquirer's host: in
// memory or over HTTP.
type Line interface {
	// Nonce asks for a session.
	Nonce(ctx context.Context, serial string) (string, error)
	// Session opens it with the device key's signature over SessionMessage.
	Session(ctx context.Context, serial string, key statement.Key, sig []byte) error
	// Collect takes over a load by key exchange, signed as CollectMessage.
	Collect(ctx context.Context, serial string, point, sig []byte) (Handover, error)
	// Send sends one message; ErrSilence when no answer came.
	Send(ctx context.Context, serial string, message []byte) ([]byte, error)
	// Trial shows the tester the visit's last trial and its refund word.
	Trial(ctx context.Context, visitID string) (TrialView, error)
}

// Habits are a terminal's ways to misbehave; the zero value is an honest one. Each makes one step of
// the acceptance script fail.
type Habits struct {
	SkipsSignIn     bool // starts with the sale
	OverCharges     bool // asks ten times the amount
	IgnoresRefusals bool // counts a declined sale as made
	TrustsAnyMAC    bool // believes an answer under a wrong MAC
	ForgetsLost     bool // never reverses when no answer comes
	GuessesPassword bool // refunds without asking anybody, under an invented proof
	MACsBadly       bool // writes a wrong MAC itself
	StopsAfter      int  // messages after which it hangs; 0 is never
}

// OpenSession has a device prove its key to the host.
func OpenSession(ctx context.Context, l Line, d *Device) (nonce string, err error) {
	if nonce, err = l.Nonce(ctx, d.Serial); err != nil {
		return "", err
	}
	return nonce, l.Session(ctx, d.Serial, statement.KeyOf(&d.Key.PublicKey), d.OpenSession(nonce))
}

// RunScript has a device collect its trial load and go through the acceptance script, while the
// acquirer's tester presents the test cards and types the refund word. An error is the line's or a
// refusal to take part; what the terminal does wrong shows only in the host's report. A load whose
// script was run before is left as it is: every load is tried once.
func RunScript(ctx context.Context, l Line, d *Device, habits Habits) error {
	t, err := collect(ctx, l, d)
	if errors.Is(err, errCollected) {
		return nil
	}
	if err != nil {
		return err
	}
	t.habits = habits
	view, err := l.Trial(ctx, t.load.Visit)
	if err != nil {
		return err
	}
	err = t.script(ctx, view.Word)
	if errors.Is(err, errHung) {
		return nil
	}
	return err
}

// errHung ends the script of a terminal that stopped in the middle.
var errHung = errors.New("the terminal hangs")

// terminal is the payment application of a simulated device during one trial.
type terminal struct {
	line   Line
	device *Device
	load   Handover
	key    []byte // simulated: it MACs this trial's messages and nothing else
	habits Habits
	trace  int
	sent   int
	totals totals
}

func collect(ctx context.Context, l Line, d *Device) (*terminal, error) {
	nonce, err := OpenSession(ctx, l, d)
	if err != nil {
		return nil, err
	}
	ours, err := ecdh.P256().GenerateKey(rand.Reader)
	must(err) // only a machine without randomness
	point := ours.PublicKey().Bytes()
	sig, err := statement.SignES256(d.Key, CollectMessage(d.Serial, nonce, point))
	if err != nil {
		return nil, err
	}
	load, err := l.Collect(ctx, d.Serial, point, sig)
	if err != nil {
		return nil, err
	}
	theirs, err := ecdh.P256().NewPublicKey(load.Point)
	if err != nil {
		return nil, errExchange.Because(err)
	}
	key, err := SessionKey(ours, theirs, load.Permit, d.Serial)
	return &terminal{line: l, device: d, load: load, key: key}, err
}

// script does the eight steps in their order (design §8).
func (t *terminal) script(ctx context.Context, word string) error {
	var sale iso8583.Message
	steps := []func() error{
		func() error { return t.signIn(ctx) },
		func() (err error) { sale, err = t.sell(ctx, CardApprove); return err },
		func() error { _, err := t.sell(ctx, CardDecline); return err },
		func() error { _, err := t.sell(ctx, CardBadMAC); return err },
		func() error { _, err := t.sell(ctx, CardSilent); return err },
		func() error { return t.refund(ctx, sale, "") },
		func() error { return t.refund(ctx, sale, word) },
		func() error { return t.settle(ctx) },
	}
	for _, s := range steps {
		if err := s(); err != nil {
			return err
		}
	}
	return nil
}

// exchange sends one request and reads the answer under its MAC.
func (t *terminal) exchange(ctx context.Context, kind string, trace int, fields map[int]string) (iso8583.Message, error) {
	if t.sent++; t.habits.StopsAfter > 0 && t.sent > t.habits.StopsAfter {
		return iso8583.Message{}, errHung
	}
	fields[iso8583.Trace] = fmt.Sprintf("%06d", trace)
	fields[iso8583.Terminal], fields[iso8583.Merchant] = t.load.Terminal, t.load.MerchantCode
	request, err := iso8583.Message{Type: kind, Fields: fields}.Seal(t.key)
	if err != nil {
		return iso8583.Message{}, err
	}
	if t.habits.MACsBadly {
		request[len(request)-1] ^= 0xff
	}
	raw, err := t.line.Send(ctx, t.device.Serial, request)
	if err != nil {
		return iso8583.Message{}, err
	}
	answer, err := iso8583.Open(raw, t.key)
	if err != nil && t.habits.TrustsAnyMAC {
		answer, err = iso8583.Parse(raw)
	}
	if err != nil {
		return iso8583.Message{}, errAnswerMAC.Because(err)
	}
	if answer.Fields[iso8583.Trace] != fields[iso8583.Trace] || answer.Type[:2] != kind[:2] {
		return iso8583.Message{}, errAnswerOther
	}
	return answer, nil
}

func (t *terminal) nextTrace() int {
	t.trace++
	return t.trace
}

func (t *terminal) signIn(ctx context.Context) error {
	if t.habits.SkipsSignIn {
		return nil
	}
	_, err := t.exchange(ctx, iso8583.SignIn, t.nextTrace(), map[int]string{iso8583.Batch: "00000001001"})
	return err
}

// sell presents a test card. What the terminal does not know to have failed, it reverses.
func (t *terminal) sell(ctx context.Context, card string) (iso8583.Message, error) {
	amount := int64(agreement.TrialCapFen)
	if t.habits.OverCharges {
		amount *= 10
	}
	trace := t.nextTrace()
	answer, err := t.exchange(ctx, iso8583.Sale, trace, map[int]string{iso8583.Processing: "000000", iso8583.Amount: inFen(amount),
		iso8583.Currency: "156", iso8583.Batch: "22000001", iso8583.Card: card})
	switch {
	case errors.Is(err, ErrSilence) && t.habits.ForgetsLost:
		return answer, nil
	case errors.Is(err, ErrSilence):
		return answer, t.reverse(ctx, trace, amount, ReversedSilence)
	case errors.Is(err, errAnswerMAC):
		return answer, t.reverse(ctx, trace, amount, ReversedMAC)
	case err != nil:
		return answer, err
	}
	if answer.Fields[iso8583.Response] == AnswerYes || t.habits.IgnoresRefusals {
		t.totals.sales, t.totals.saleFen = t.totals.sales+1, t.totals.saleFen+amount
	}
	return answer, nil
}

func (t *terminal) reverse(ctx context.Context, trace int, amount int64, reason string) error {
	var err error
	for range reversalTries {
		_, err = t.exchange(ctx, iso8583.Reversal, trace, map[int]string{iso8583.Processing: "000000", iso8583.Amount: inFen(amount), iso8583.Response: reason})
		if !errors.Is(err, ErrSilence) {
			return err
		}
	}
	return err
}

// refund gives a sale back; with a word, somebody typed it.
func (t *terminal) refund(ctx context.Context, sale iso8583.Message, word string) error {
	fields := map[int]string{iso8583.Processing: "200000", iso8583.Amount: inFen(agreement.TrialCapFen), iso8583.Batch: "25000001",
		iso8583.Reference: sale.Fields[iso8583.Reference]}
	if fields[iso8583.Reference] == "" {
		fields[iso8583.Reference] = fmt.Sprintf("%012d", 0) // the sale was never made; the host will say so
	}
	if word != "" || t.habits.GuessesPassword {
		fields[iso8583.Proof] = RefundProof(t.key, word)
	}
	answer, err := t.exchange(ctx, iso8583.Refund, t.nextTrace(), fields)
	if err == nil && answer.Fields[iso8583.Response] == AnswerYes {
		t.totals.refunds, t.totals.refundedFen = t.totals.refunds+1, t.totals.refundedFen+agreement.TrialCapFen
	}
	return err
}

func (t *terminal) settle(ctx context.Context) error {
	_, err := t.exchange(ctx, iso8583.Settlement, t.nextTrace(), map[int]string{iso8583.Totals: t.totals.String(), iso8583.Batch: "00000001201"})
	return err
}

func inFen(amount int64) string { return fmt.Sprintf("%012d", amount) }
