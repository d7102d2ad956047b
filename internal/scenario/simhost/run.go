package simhost

import (
	"context"
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"path/filepath"
	"strings"
	"time"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/acquirer"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/files"
	"github.com/menshen-project/menshen/internal/identifier"
	"github.com/menshen-project/menshen/internal/journal"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

const (
	maxFileBytes = 8 << 20
	shutdownTime = 5 * time.Second

	journalHeader = "menshen-simhost-journal-v1"

	// DefaultJournalBytes is about ten thousand visits.
	DefaultJournalBytes = 512 << 20
)

var (
	errFile   = fault.New(fault.Invalid, "host_file_unreadable", "主机要用的文件读不出来。", "A file that the host needs cannot be read.")
	errKey    = fault.New(fault.Invalid, "host_key_malformed", "主机的签名密钥读不出来。", "The host's signing key is not a P-256 key in PEM (PKCS #8).")
	errTokens = fault.New(fault.Invalid, "host_tokens", "两边的口令要不一样，都至少 16 个字符，不能有空格。", "The two tokens differ and have at least 16 visible ASCII characters each.")
	errWho    = fault.New(fault.Invalid, "host_identity", "没写清楚是哪家机构的哪台主机。", "The host's own id and its acquirer's are needed.")
	errListen = fault.New(fault.Unavailable, "address_not_usable", "这个地址不能用。", "This address cannot be listened on.")
	errOpen   = fault.New(fault.Refused, "host_address_open", "不加密的主机只能在本机上开。", "Without a certificate the host listens on this machine only.")
)

// Config is everything that a host's process is started with.
type Config struct {
	Addr         string           `json:"addr"`         // host:port; without a certificate a loopback address
	Dir          string           `json:"dir"`          // the host's own folder, for its journal
	ID           string           `json:"id"`           // of the host, as its acquirer enrolled it
	Organisation string           `json:"organisation"` // the acquirer
	TrustFile    string           `json:"trust_file"`   // from its publisher, never from menshen
	KeyFile      string           `json:"key_file"`     // PEM (PKCS #8) of the enrolled signing key
	RecordsFile  string           `json:"records_file"` // the acquirer's books, read at every start, see Records; "" for none
	MenshenToken string           `json:"menshen_token"`
	DeskToken    string           `json:"desk_token"`
	CertFile     string           `json:"cert_file"` // PEM, with TLSKeyFile, for https; "" for plain http
	TLSKeyFile   string           `json:"tls_key_file"`
	MinList      int              `json:"min_list"` // number of the newest trust list that the acquirer has itself
	Hostile      Hostile          `json:"hostile"`
	JournalBytes int64            `json:"journal_bytes"` // bound on the journal, 0 for DefaultJournalBytes
	Now          scenario.Clock   `json:"-"`             // nil for the clock
	Log          *slog.Logger     `json:"-"`             // nil for none
	Listening    func(url string) `json:"-"`             // told once, when requests are taken; nil for nobody

	acted func(path string) // see mischief
}

// Records is a file of the acquirer's own books.
type Records struct {
	Records []Record `json:"records"`
}

// Record is one order in it.
type Record struct {
	Order        string `json:"order"`
	MerchantCode string `json:"merchant_code"`
	Terminal     string `json:"terminal"`
}

// Server is a host with its journal open.
type Server struct {
	Core         *scenario.HostCore
	journal      *journal.Journal
	mischief     *mischief
	menshenToken [sha256.Size]byte
	deskToken    [sha256.Size]byte
}

// Open reads files and journal and brings the host to where it was. Close lets go of its folder.
func Open(c Config) (*Server, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	data, err := readFile(c.TrustFile)
	if err != nil {
		return nil, err
	}
	trust, err := evidence.ParseTrust(data)
	if err != nil {
		return nil, err
	}
	key, err := readKey(c.KeyFile)
	if err != nil {
		return nil, err
	}
	actor := scenario.NewActor(c.ID, c.Organisation, visit.RoleHost)
	actor.Key = key
	core := scenario.NewHostCore(actor, trust, c.Now)
	core.MinList = c.MinList
	j, changes, err := journal.Open(c.Dir, journalHeader, c.JournalBytes)
	if err != nil {
		return nil, err
	}
	s := &Server{Core: core, journal: j, mischief: newMischief(c.Hostile),
		menshenToken: sha256.Sum256([]byte(c.MenshenToken)), deskToken: sha256.Sum256([]byte(c.DeskToken))}
	s.mischief.acted = c.acted
	err = core.Recover(changes, j)
	if err == nil {
		err = s.importRecords(c.RecordsFile)
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// check fills in what may be left out and refuses what may not.
func (c *Config) check() error {
	if identifier.CheckID(c.ID) != nil || identifier.CheckID(c.Organisation) != nil {
		return errWho
	}
	if !acquirer.Visible(c.MenshenToken) || !acquirer.Visible(c.DeskToken) || c.MenshenToken == c.DeskToken {
		return errTokens
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.JournalBytes == 0 {
		c.JournalBytes = DefaultJournalBytes
	}
	return nil
}

func (s *Server) importRecords(path string) error {
	if path == "" {
		return nil
	}
	data, err := readFile(path)
	if err != nil {
		return err
	}
	var books Records
	if err := statement.Decode(data, &books); err != nil {
		return fault.At(err, "records")
	}
	for i, r := range books.Records {
		if err := s.Core.PutRecord(r.Order, scenario.HostRow{MerchantCode: r.MerchantCode, Terminal: r.Terminal}); err != nil {
			return fault.Of(err).Atf("record %d", i+1)
		}
	}
	return nil
}

// Close lets go of the host's folder.
func (s *Server) Close() error { return s.journal.Close() }

// Run is the whole process: it serves until ctx ends.
func Run(ctx context.Context, c Config) error {
	if err := c.check(); err != nil {
		return err
	}
	secure := c.CertFile != ""
	if host, _, err := net.SplitHostPort(c.Addr); err != nil || (!secure && !loopback(host)) {
		return errOpen
	}
	s, err := Open(c)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", c.Addr)
	if err != nil {
		return errors.Join(errListen.Because(err), s.Close())
	}
	server := &http.Server{Handler: s.Handler(), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: time.Minute, WriteTimeout: time.Minute,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 16 << 10, ErrorLog: slog.NewLogLogger(c.Log.Handler(), slog.LevelWarn)}
	c.announce(listener.Addr().String(), secure)
	ended := make(chan error, 1)
	go func() {
		if secure {
			ended <- server.ServeTLS(listener, c.CertFile, c.TLSKeyFile)
			return
		}
		ended <- server.Serve(listener)
	}()
	return errors.Join(finish(ctx, server, ended), s.Close())
}

// finish waits for the end and lets requests that are under way be answered.
func finish(ctx context.Context, server *http.Server, ended <-chan error) error {
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	wait, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTime)
	defer cancel()
	if err := server.Shutdown(wait); err != nil {
		return errors.Join(err, server.Close())
	}
	return nil
}

func (c Config) announce(address string, secure bool) {
	url := "http://" + address
	if secure {
		url = "https://" + address
	}
	c.Log.Info("simulated host listens; no key or PIN in it is real", "url", url, "host", c.ID)
	if c.Listening != nil {
		c.Listening(url)
	}
}

func loopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
}

func readFile(path string) ([]byte, error) {
	data, err := files.Read(path, maxFileBytes)
	if err != nil {
		return nil, errFile.At(path).Because(err)
	}
	return data, nil
}

// readKey reads a P-256 private key in PEM (PKCS #8).
func readKey(path string) (*ecdsa.PrivateKey, error) {
	data, err := files.ReadKey(path)
	if err != nil {
		return nil, errFile.At(path).Because(err)
	}
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, errKey.At(filepath.Base(path))
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	key, ok := parsed.(*ecdsa.PrivateKey)
	if err != nil || !ok || !strings.HasPrefix(key.Curve.Params().Name, "P-256") {
		return nil, errKey.At(filepath.Base(path)).Because(err)
	}
	return key, nil
}
