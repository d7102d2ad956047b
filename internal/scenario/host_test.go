package scenario

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/agreement"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

func TestARecoveredHostIsTheSameHost(t *testing.T) {
	b := newBench(t)
	if err := RunScript(context.Background(), b.line, b.device, Habits{ForgetsLost: true}); err != nil {
		t.Fatal(err)
	}
	if err := b.host.PutRecord("o-bench", HostRow{MerchantCode: "531290058120001", Terminal: "W1489724"}); err != nil {
		t.Fatal(err)
	}
	stray := agreement.Charge{At: statement.At(b.clock.now), Code: "activation", AmountFen: 29900, Kind: agreement.ChargeOther, Reference: "r-1"}
	if err := b.host.Charge("W1489724", stray); err != nil {
		t.Fatal(err)
	}
	before := b.must(b.host.Acceptance(benchVisit, benchSlip, nil))
	outcome, _ := b.host.Outcome(b.digest)

	again := NewHostCore(b.host.Actor, evidence.Trust{}, b.clock.Now)
	if err := again.Recover(b.journal.changes, &memoryJournal{}); err != nil {
		t.Fatal(err)
	}
	b.clock.now = b.clock.now.Add(time.Minute) // what was signed keeps its time
	if got := b.must(again.Acceptance(benchVisit, benchSlip, nil)); !bytes.Equal(got, before) {
		t.Error("another report after recovery")
	}
	if got := b.must(again.Release([]byte("not even a bundle"), b.digest)); !bytes.Equal(got, outcome) {
		t.Error("another outcome after recovery")
	}
	if again.Loads(b.digest) != 1 || again.Records["o-bench"].Terminal != "W1489724" {
		t.Errorf("%d loads, books %v", again.Loads(b.digest), again.Records)
	}
	for i := range b.journal.changes {
		c := NewHostCore(b.host.Actor, evidence.Trust{}, b.clock.Now)
		if err := c.Recover([][]byte{b.journal.changes[i][:len(b.journal.changes[i])-1]}, nil); err == nil {
			t.Errorf("change %d was read although it is cut", i)
		}
	}
	fresh := NewHostCore(b.host.Actor, evidence.Trust{}, b.clock.Now)
	if err := fresh.Recover([][]byte{[]byte(`{"kind":"magic","at":"2026-11-22T12:00:00Z"}`)}, nil); fault.CodeOf(err) != "host_change_unknown" {
		t.Errorf("unknown change: %v", err)
	}
}

func TestWhatCannotBeKeptIsNotAnswered(t *testing.T) {
	b := newBench(t)
	nonce, err := b.host.Nonce(benchSerial)
	if err != nil {
		t.Fatal(err)
	}
	b.journal.full = fault.New(fault.Unavailable, "journal_full", "满", "full")
	other := statement.Digest([]byte("other"))
	for name, do := range map[string]func() error{
		"session": func() error {
			return b.host.Session(benchSerial, statement.KeyOf(&b.device.Key.PublicKey), b.device.OpenSession(nonce))
		},
		"release": func() error {
			_, err := b.host.act(verdict{visit: benchVisit, ask: visit.AskTrial, permit: b.permit}, other)
			return err
		},
		"cancel": func() error { _, err := b.host.Cancel(benchVisit, other); return err },
		"report": func() error { _, err := b.host.Acceptance(benchVisit, benchSlip, nil); return err },
		"books": func() error {
			return b.host.PutRecord("o", HostRow{MerchantCode: "531290058120001", Terminal: "W1489724"})
		},
		"taking trial keys back": func() error { _, err := b.host.Cancel(benchVisit, b.digest); return err },
	} {
		if err := do(); fault.CodeOf(err) != "journal_full" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, done := b.host.Outcome(other); done || b.host.Loads(other) != 0 {
		t.Error("an outcome that was never kept is remembered")
	}
}

func TestASessionNonceServesOnce(t *testing.T) {
	b := newBench(t)
	key := statement.KeyOf(&b.device.Key.PublicKey)
	nonce, err := b.host.Nonce(benchSerial)
	if err != nil {
		t.Fatal(err)
	}
	sig := b.device.OpenSession(nonce)
	stranger := NewFoundry("mkr-tiandun", b.clock.now).Make(benchSerial, b.clock.now)
	if err := b.host.Session(benchSerial, key, stranger.OpenSession(nonce)); fault.CodeOf(err) != "device_session_key" {
		t.Errorf("another key's signature: %v", err)
	}
	if err := b.host.Session(benchSerial, statement.Key{}, sig); fault.CodeOf(err) != "device_session_absent" {
		t.Errorf("no key: %v", err)
	}
	if err := b.host.Session(benchSerial, key, sig); err != nil {
		t.Fatal(err)
	}
	if err := b.host.Session(benchSerial, key, sig); fault.CodeOf(err) != "device_session_absent" {
		t.Errorf("replayed: %v", err)
	}
	if nonce, err = b.host.Nonce(benchSerial); err != nil {
		t.Fatal(err)
	}
	b.clock.now = b.clock.now.Add(sessionHolds + time.Second)
	if err := b.host.Session(benchSerial, key, b.device.OpenSession(nonce)); fault.CodeOf(err) != "device_session_absent" {
		t.Errorf("an old nonce: %v", err)
	}
	if _, err := b.host.Nonce("no serial"); fault.CodeOf(err) != "serial_shape" {
		t.Errorf("a malformed serial: %v", err)
	}
}

func TestSessionsThatNobodyOpensAreBounded(t *testing.T) {
	b := newBench(t)
	for i := range maxNonces {
		if _, err := b.host.Nonce("00005704" + inFen(int64(i))); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := b.host.Nonce(benchSerial); fault.CodeOf(err) != "device_sessions_too_many" {
		t.Errorf("over the bound: %v", err)
	}
	b.clock.now = b.clock.now.Add(sessionHolds + time.Second)
	if _, err := b.host.Nonce(benchSerial); err != nil {
		t.Errorf("after the others ran out: %v", err)
	}
}

func TestACancelledPermitKeepsItsOutcome(t *testing.T) {
	b := newBench(t)
	loaded, _ := b.host.Outcome(b.digest)
	if got := b.must(b.host.Cancel(benchVisit, b.digest)); !bytes.Equal(got, loaded) {
		t.Error("cancelling changed what was answered")
	}
	if got := b.must(b.host.Cancel(benchVisit, b.digest)); !bytes.Equal(got, loaded) {
		t.Error("cancelling twice changed what was answered")
	}
	early := statement.Digest([]byte("not yet here"))
	cancelled := b.must(b.host.Cancel(benchVisit, early))
	if OutcomeOf(cancelled) != visit.OutcomeCanceled {
		t.Errorf("answered %s", OutcomeOf(cancelled))
	}
	if got := b.must(b.host.Release([]byte("whatever comes later"), early)); !bytes.Equal(got, cancelled) {
		t.Error("a cancelled permit was judged")
	}
	for name, err := range map[string]error{"permit": second(b.host.Cancel(benchVisit, "x")), "visit": second(b.host.Cancel("a/b", early)),
		"release": second(b.host.Release(nil, "x"))} {
		if fault.KindOf(err) != fault.Invalid {
			t.Errorf("malformed %s: %v", name, err)
		}
	}
}

func second(_ []byte, err error) error { return err }

func TestMalformedBooksAreRefused(t *testing.T) {
	b := newBench(t)
	for name, err := range map[string]error{
		"order":    b.host.PutRecord("a/b", HostRow{MerchantCode: "531290058120001", Terminal: "W1489724"}),
		"merchant": b.host.PutRecord("o", HostRow{MerchantCode: "531", Terminal: "W1489724"}),
		"terminal": b.host.PutRecord("o", HostRow{MerchantCode: "531290058120001", Terminal: "W"}),
	} {
		if fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := b.host.PutRecord("o", HostRow{MerchantCode: "531290058120001", Terminal: "W1489724"}); err != nil {
		t.Fatal(err)
	}
	n := len(b.journal.changes)
	if err := b.host.PutRecord("o", HostRow{MerchantCode: "531290058120001", Terminal: "W1489724"}); err != nil || len(b.journal.changes) != n {
		t.Errorf("the same row again: %v", err)
	}
}

// What only the host knows: its clock, its books, its own list and the device's session.
func TestTheHostsOwnChecks(t *testing.T) {
	b := newBench(t)
	ctx := context.Background()
	if err := b.host.PutRecord("o-bench", HostRow{MerchantCode: "531290058120001", Terminal: "W1489724"}); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenSession(ctx, b.line, b.device); err != nil {
		t.Fatal(err)
	}
	good := func() verdict {
		p := b.permit
		p.Until = statement.At(b.clock.now.Add(time.Minute))
		return verdict{visit: benchVisit, ask: visit.AskTrial, permit: p, decided: b.clock.now, list: 3}
	}
	if err := b.host.ownChecks(good()); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		edit func(*verdict)
		code string
	}{
		"past its time":    {func(v *verdict) { v.permit.Until = statement.At(b.clock.now) }, "permit_expired"},
		"no time":          {func(v *verdict) { v.permit.Until = "" }, "permit_expired"},
		"from the future":  {func(v *verdict) { v.decided = b.clock.now.Add(3 * time.Minute) }, "permit_from_future"},
		"an older list":    {func(v *verdict) { v.list = 2 }, "host_list_newer"},
		"unknown order":    {func(v *verdict) { v.permit.Order = "o-other" }, "host_records_differ"},
		"other merchant":   {func(v *verdict) { v.permit.Items.MerchantCode = "531290058120002" }, "host_records_differ"},
		"other terminal":   {func(v *verdict) { v.permit.Terminal = "W1489725" }, "host_records_differ"},
		"device not there": {func(v *verdict) { v.permit.Serial = "00005704280117028120" }, "device_session_absent"},
		"another key":      {func(v *verdict) { v.permit.DeviceKey = "of-another-device" }, "device_session_key"},
	} {
		v := good()
		c.edit(&v)
		b.host.MinList = 3
		if err := b.host.ownChecks(v); fault.CodeOf(err) != c.code {
			t.Errorf("%s: %v", name, err)
		}
	}
	b.clock.now = b.clock.now.Add(sessionHolds + time.Second)
	if err := b.host.ownChecks(good()); fault.CodeOf(err) != "device_session_absent" {
		t.Errorf("an old session: %v", err)
	}
	end := good()
	end.ask = visit.AskEnd // the old terminal may be dead
	if err := b.host.ownChecks(end); err != nil {
		t.Errorf("ending keys: %v", err)
	}
}
