package simhost

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/acquirer"
	"github.com/menshen-project/menshen/internal/agreement"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/journal"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/service"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

const (
	menshenToken = "the-token-of-menshen"
	deskToken    = "the-token-of-the-desk"
)

var began = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

// stage is a play in memory whose host is a process of its own, with files as it has them.
type stage struct {
	*testing.T
	play   *scenario.Play
	ledger *scenario.Ledger
	config Config
	url    string
	desk   *Client
	host   *acquirer.Client
}

// filesFor writes what a host is started with.
func filesFor(t *testing.T, p *scenario.Play) Config {
	t.Helper()
	dir := t.TempDir()
	c := Config{Addr: "127.0.0.1:0", Dir: filepath.Join(dir, "host"), ID: p.Cast.Host.ID, Organisation: p.Cast.Acquirer.ID,
		TrustFile: filepath.Join(dir, "trust.json"), KeyFile: filepath.Join(dir, "host.pem"), RecordsFile: filepath.Join(dir, "books.json"),
		MenshenToken: menshenToken, DeskToken: deskToken, Now: p.Now}
	trust, err := statement.Canonical(p.Trust.File())
	if err != nil {
		t.Fatal(err)
	}
	books, err := statement.Canonical(Records{Records: []Record{{Order: p.Order.Order, MerchantCode: p.Order.Items.MerchantCode, Terminal: p.Order.Terminal}}})
	if err != nil {
		t.Fatal(err)
	}
	for path, data := range map[string][]byte{c.TrustFile: trust, c.RecordsFile: books, c.KeyFile: pemOf(t, p.Cast.Host.Key)} {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

func pemOf(t *testing.T, key any) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

func newStage(t *testing.T, kind string, h Hostile) *stage {
	t.Helper()
	p, err := scenario.InMemoryPlay(kind, 0, began, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.OpenCity(t.Context()); err != nil {
		t.Fatal(err)
	}
	s := &stage{T: t, play: p, ledger: p.Venue.(*scenario.Ledger), config: filesFor(t, p)}
	s.config.Hostile = h
	s.start()
	return s
}

// start runs the host until the test ends.
func (s *stage) start() {
	s.Helper()
	up := make(chan string, 1)
	s.config.Listening = func(url string) { up <- url }
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- Run(ctx, s.config) }()
	select {
	case s.url = <-up:
	case err := <-ended:
		s.Fatal(err)
	}
	s.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			s.Error(err)
		}
	})
	s.connect(s.url)
}

// connect points play and menshen at a host. Menshen asks again whenever it does not know.
func (s *stage) connect(url string) {
	s.Helper()
	var err error
	if s.desk, err = NewClient(url, "", deskToken); err != nil {
		s.Fatal(err)
	}
	if s.host, err = acquirer.New(acquirer.Config{BaseURL: url, Token: menshenToken, Timeout: 30 * time.Second}); err != nil {
		s.Fatal(err)
	}
	s.play.Host = s.desk
	s.ledger.Call = func(ctx context.Context, permit string, bundle []byte) (answer []byte, err error) {
		for range 4 {
			if answer, err = s.host.Release(ctx, permit, bundle); !acquirer.Unknown(err) {
				break
			}
		}
		return answer, err
	}
}

func (s *stage) run(scenes []scenario.Scene) {
	s.Helper()
	if err := scenario.Run(s.Context(), scenes); err != nil {
		s.Fatal(err)
	}
}

// permits lists the visit's permits by asking the ledger's own bundle.
func (s *stage) permits() []string {
	s.Helper()
	data, err := s.ledger.Bundle(s.Context(), s.play.Cast.Merchant, s.play.ID)
	if err != nil {
		s.Fatal(err)
	}
	r, err := scenario.Check(data, s.play.Trust)
	if err != nil {
		s.Fatal(err)
	}
	var out []string
	for _, d := range r.State().Decisions() {
		if d.Body.Permit != nil {
			out = append(out, d.Event.Statement.Digest())
		}
	}
	return out
}

func TestAnInstallationAgainstTheWorstHostGoesLiveOnce(t *testing.T) {
	s := newStage(t, visit.Install, Worst(7))
	s.run(s.play.Install())
	permits := s.permits()
	if len(permits) != 2 {
		t.Fatalf("%d permits", len(permits))
	}
	for _, permit := range permits {
		loads, outcome, err := s.desk.Standing(t.Context(), permit)
		if err != nil || loads != 1 || scenario.OutcomeOf(outcome) != visit.Loaded {
			t.Errorf("%d loads, %s, %v", loads, scenario.OutcomeOf(outcome), err)
		}
		again, err := s.host.Release(t.Context(), permit, []byte("anything"))
		if err != nil || !bytes.Equal(again, outcome) {
			t.Errorf("asked again: %v, same bytes %t", err, bytes.Equal(again, outcome))
		}
		if cancelled, err := s.askCancel(permit); err != nil || !bytes.Equal(cancelled, outcome) {
			t.Errorf("cancelled: %v", err)
		}
	}
}

// askCancel asks until there is an answer, as menshen does.
func (s *stage) askCancel(permit string) (answer []byte, err error) {
	for range 4 {
		if answer, err = s.host.Cancel(s.Context(), permit, s.play.ID); !acquirer.Unknown(err) {
			break
		}
	}
	return answer, err
}

func TestAnInspectionHasAListOfCharges(t *testing.T) {
	s := newStage(t, visit.Inspection, Mild())
	stray := agreement.Charge{At: statement.At(s.play.Now()), Code: "activation", AmountFen: 29900, Kind: agreement.ChargeOther, Reference: "r-1"}
	if err := s.desk.Charge(t.Context(), s.play.ID, s.play.Order.Order, stray); err != nil {
		t.Fatal(err)
	}
	list, err := s.desk.ListCharges(t.Context(), s.play)
	if err != nil {
		t.Fatal(err)
	}
	same, err := s.host.Charges(t.Context(), acquirer.Query{Visit: s.play.ID, Order: s.play.Order.Order, Serial: s.play.Device.Serial, Since: s.play.Order.WindowFrom})
	if err != nil {
		t.Fatal(err)
	}
	for _, envelope := range [][]byte{list, same} {
		v, err := statement.Verify(envelope, s.play.Cast.Host.Public())
		var l agreement.ChargeList
		if err != nil || v.Body(agreement.TypeChargeList, &l) != nil || len(l.Charges) != 1 || l.Charges[0] != stray {
			t.Errorf("%v, %v", l, err)
		}
	}
}

// A misbehaving terminal's report fails at the gate, over HTTP as in memory.
func TestATerminalThatForgetsLostSalesDoesNotGoLive(t *testing.T) {
	s := newStage(t, visit.Install, Hostile{})
	s.desk.Habits = scenario.Habits{ForgetsLost: true}
	err := scenario.Run(t.Context(), s.play.Install())
	var denied *scenario.Denied
	if !errors.As(err, &denied) || denied.Answer.Failing["acceptance-passed"] != "acceptance_step_failed" {
		t.Errorf("%v", err)
	}
}

func TestTheHostJudgesForItself(t *testing.T) {
	s := newStage(t, visit.Install, Hostile{})
	s.run(scenario.Until(s.play.Install(), "ask trial"))
	answer, err := s.play.Ask(t.Context(), visit.AskTrial)
	if err != nil || !answer.Granted {
		t.Fatal(answer, err)
	}
	bundle, err := s.ledger.Bundle(t.Context(), s.play.Cast.Host, s.play.ID)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.host.Release(t.Context(), answer.Decision, []byte("not a bundle")); fault.CodeOf(err) != "host_declined" || acquirer.Unknown(err) {
		t.Errorf("not a bundle: %v", err)
	}
	other := statement.Digest([]byte("another permit"))
	for permit, want := range map[string]string{other: "refused: permit_not_in_bundle", answer.Decision: "refused: device_session_absent"} {
		outcome, err := s.host.Release(t.Context(), permit, bundle)
		if err != nil || scenario.OutcomeOf(outcome) != want {
			t.Errorf("%s: %s, %v", want, scenario.OutcomeOf(outcome), err)
		}
		if loads, _, err := s.desk.Standing(t.Context(), permit); loads != 0 || err != nil {
			t.Errorf("%d loads, %v", loads, err)
		}
	}
	b, err := evidence.Open(bundle)
	if err != nil {
		t.Fatal(err)
	}
	b.Entries = b.Entries[1:]
	cut, err := b.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	if outcome, err := s.host.Release(t.Context(), statement.Digest(cut), cut); err != nil || scenario.OutcomeOf(outcome) == visit.Loaded {
		t.Errorf("a bundle that was cut: %s, %v", scenario.OutcomeOf(outcome), err)
	}
}

func TestManyCallsAtOnceLoadOnce(t *testing.T) {
	s := newStage(t, visit.Install, Hostile{Seed: 3, DelayUpTo: 5 * time.Millisecond, Double: true, Reorder: true})
	s.run(scenario.Until(s.play.Install(), "ask trial"))
	answer, err := s.play.Ask(t.Context(), visit.AskTrial)
	if err != nil || !answer.Granted {
		t.Fatal(answer, err)
	}
	bundle, err := s.ledger.Bundle(t.Context(), s.play.Cast.Host, s.play.ID)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.desk.OpenSession(t.Context(), s.play.Device); err != nil {
		t.Fatal(err)
	}
	var calls sync.WaitGroup
	outcomes := make([][]byte, 6)
	for i := range outcomes {
		calls.Go(func() {
			var err error
			if outcomes[i], err = s.host.Release(t.Context(), answer.Decision, bundle); err != nil {
				t.Error(err)
			}
		})
	}
	calls.Wait()
	for _, o := range outcomes {
		if !bytes.Equal(o, outcomes[0]) || scenario.OutcomeOf(o) != visit.Loaded {
			t.Errorf("answered %s, same bytes %t", scenario.OutcomeOf(o), bytes.Equal(o, outcomes[0]))
		}
	}
	if loads, _, err := s.desk.Standing(t.Context(), answer.Decision); err != nil || loads != 1 {
		t.Errorf("%d loads, %v", loads, err)
	}
}

func TestAHostGoesOnWhereItStopped(t *testing.T) {
	s := newStage(t, visit.Install, Hostile{})
	s.run(scenario.Until(s.play.Install(), "ask live"))
	permit := s.permits()[0]
	_, outcome, err := s.desk.Standing(t.Context(), permit)
	if err != nil {
		t.Fatal(err)
	}
	report, err := s.desk.Acceptance(t.Context(), s.play.ID, s.play.Order.Name)
	if err != nil {
		t.Fatal(err)
	}
	if err := Run(t.Context(), s.config); fault.CodeOf(err) != "journal_in_use" {
		t.Errorf("a second host on the same folder: %v", err)
	}
	kept, err := os.ReadFile(filepath.Join(s.config.Dir, journal.Name))
	if err != nil {
		t.Fatal(err)
	}
	// What a backup taken at this moment would give.
	s.config.Dir = filepath.Join(t.TempDir(), "restored")
	if err := os.Mkdir(s.config.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(s.config.Dir, journal.Name), kept, 0o600); err != nil {
		t.Fatal(err)
	}
	s.start()
	loads, same, err := s.desk.Standing(t.Context(), permit)
	if err != nil || loads != 1 || !bytes.Equal(same, outcome) {
		t.Errorf("%d loads, same outcome %t, %v", loads, bytes.Equal(same, outcome), err)
	}
	if again, err := s.desk.Acceptance(t.Context(), s.play.ID, s.play.Order.Name); err != nil || !bytes.Equal(again, report) {
		t.Errorf("same report %t, %v", bytes.Equal(again, report), err)
	}
	s.run(scenario.From(s.play.Install(), "ask live"))
}

func TestAHostIsStartedWithEverythingItNeeds(t *testing.T) {
	p, err := scenario.InMemoryPlay(visit.Install, 0, began, nil)
	if err != nil {
		t.Fatal(err)
	}
	good := filesFor(t, p)
	dir := t.TempDir()
	file := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		edit func(*Config)
		code string
	}{
		"no id":            {func(c *Config) { c.ID = "" }, "host_identity"},
		"no acquirer":      {func(c *Config) { c.Organisation = "" }, "host_identity"},
		"short token":      {func(c *Config) { c.MenshenToken = "short" }, "host_tokens"},
		"one token":        {func(c *Config) { c.DeskToken = c.MenshenToken }, "host_tokens"},
		"no trust file":    {func(c *Config) { c.TrustFile = filepath.Join(dir, "absent") }, "host_file_unreadable"},
		"other trust file": {func(c *Config) { c.TrustFile = file("trust", []byte("{}")) }, "json_missing_name"},
		"no key":           {func(c *Config) { c.KeyFile = filepath.Join(dir, "absent") }, "host_file_unreadable"},
		"no PEM":           {func(c *Config) { c.KeyFile = file("key", []byte("secret")) }, "host_key_malformed"},
		"broken key":       {func(c *Config) { c.KeyFile = file("broken", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY"})) }, "host_key_malformed"},
		"RSA key":          {func(c *Config) { c.KeyFile = file("rsa", pemOf(t, rsaKey)) }, "host_key_malformed"},
		"other curve":      {func(c *Config) { c.KeyFile = file("p384", pemOf(t, p384)) }, "host_key_malformed"},
		"no books":         {func(c *Config) { c.RecordsFile = filepath.Join(dir, "absent") }, "host_file_unreadable"},
		"books of no form": {func(c *Config) { c.RecordsFile = file("books", []byte("[]")) }, "json_wrong_type"},
		"books with errors": {func(c *Config) {
			c.RecordsFile = file("rows", []byte(`{"records":[{"order":"o","merchant_code":"1","terminal":"2"}]}`))
		}, "merchant_code_shape"},
		"huge books":     {func(c *Config) { c.RecordsFile = file("huge", make([]byte, maxFileBytes+1)) }, "host_file_unreadable"},
		"no address":     {func(c *Config) { c.Addr = "" }, "host_address_open"},
		"open address":   {func(c *Config) { c.Addr = "0.0.0.0:0" }, "host_address_open"},
		"named address":  {func(c *Config) { c.Addr = "localhost:0" }, "host_address_open"},
		"address in use": {func(c *Config) { c.Addr = inUse(t) }, "address_not_usable"},
		"journal damaged": {func(c *Config) {
			c.Dir = filepath.Join(dir, "damaged")
			j, _, err := journal.Open(c.Dir, journalHeader, DefaultJournalBytes)
			if err != nil || j.Append([]byte(`{"kind":"magic","at":"2026-11-22T12:00:00Z"}`)) != nil || j.Close() != nil {
				t.Fatal(err)
			}
		}, "host_change_unknown"},
	} {
		t.Run(name, func(t *testing.T) {
			config := good
			c.edit(&config)
			if err := Run(t.Context(), config); fault.CodeOf(err) != c.code {
				t.Errorf("%v", err)
			}
		})
	}
}

func inUse(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l.Addr().String()
}

func TestAHostWithACertificateIsPinned(t *testing.T) {
	p, err := scenario.InMemoryPlay(visit.Install, 0, began, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := &stage{T: t, play: p, ledger: p.Venue.(*scenario.Ledger), config: filesFor(t, p)}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "host"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	s.config.CertFile, s.config.TLSKeyFile = filepath.Join(t.TempDir(), "cert"), filepath.Join(t.TempDir(), "key")
	for path, data := range map[string][]byte{s.config.CertFile: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), s.config.TLSKeyFile: pemOf(t, key)} {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	up := make(chan string, 1)
	s.config.Listening = func(url string) { up <- url }
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- Run(ctx, s.config) }()
	url := <-up
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	desk, err := NewClient(url, acquirer.PinOf(cert), deskToken)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := desk.Nonce(t.Context(), p.Device.Serial); err != nil {
		t.Errorf("the pinned host: %v", err)
	}
	if _, err := (&tls.Dialer{Config: &tls.Config{}}).DialContext(t.Context(), "tcp", url[len("https://"):]); err == nil {
		t.Error("somebody without the pin trusts the host")
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// problemIn reads a refusal as any client would.
func problemIn(t *testing.T, resp *http.Response) service.Problem {
	t.Helper()
	defer resp.Body.Close()
	var p service.Problem
	if err := json.NewDecoder(resp.Body).Decode(&p); err != nil {
		t.Fatal(err)
	}
	if resp.Header.Get("Content-Type") != "application/problem+json" || p.Status != resp.StatusCode || p.Zh == "" || p.En == "" {
		t.Errorf("%d %s %+v", resp.StatusCode, resp.Header.Get("Content-Type"), p)
	}
	return p
}
