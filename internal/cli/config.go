package cli

import (
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"io/fs"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/files"
	"github.com/menshen-project/menshen/internal/httpapi"
	"github.com/menshen-project/menshen/internal/identifier"
	"github.com/menshen-project/menshen/internal/pages"
)

// Config is everything that `menshen serve` reads, from one YAML file. Names that are not here are
// refused, and all problems are told at once. Paths are taken from the file's own folder.
type Config struct {
	Listen          string               `yaml:"listen"`           // host:port that serves pages and API; put TLS in front of it
	PublicURL       string               `yaml:"public_url"`       // where browsers find the site, such as https://menshen.example; passkeys are bound to it. "" signs in on localhost only
	TrustedProxies  []string             `yaml:"trusted_proxies"`  // addresses or networks (CIDR) whose X-Forwarded-For and X-Forwarded-Proto are believed
	Operator        string               `yaml:"operator"`         // organisation id under which the platform key is on the trust list
	Province        string               `yaml:"province"`         // GB/T 2260, two digits, for records that belong to no shop
	Database        string               `yaml:"database"`         // sqlite:PATH or postgres://…
	TrustFile       string               `yaml:"trust_file"`       // from its publisher, not made here
	PlatformKey     string               `yaml:"platform_key"`     // PEM file, P-256
	VaultKey        string               `yaml:"vault_key"`        // file of 64 hex digits: encrypts personal data; keep it apart from backups
	PatienceSeconds int                  `yaml:"patience_seconds"` // how long a request waits for log and witnesses
	Log             LogConfig            `yaml:"log"`
	Hosts           []HostConfig         `yaml:"hosts"`
	Organisations   []OrganisationConfig `yaml:"organisations"` // own signing services that menshen asks
	Notify          []ReceiverConfig     `yaml:"notify"`        // who outside hears of what
	Demonstration   bool                 `yaml:"demonstration"` // pages then say so; grants nothing
	Contacts        []ContactConfig      `yaml:"contacts"`      // whom to call, on pages and in evidence packs; none for 110, 96110, 12363, 95516
	dir             string
}

// ContactConfig is somebody to call.
type ContactConfig struct {
	Zh     string `yaml:"zh"`
	En     string `yaml:"en"`
	Number string `yaml:"number"`
}

// LogConfig is the transparency log that the server runs.
type LogConfig struct {
	Dir        string          `yaml:"dir"`
	Key        string          `yaml:"key"`         // file with the log's signing key
	IntervalMS int             `yaml:"interval_ms"` // between checkpoints, at least 100
	Witnesses  []WitnessConfig `yaml:"witnesses"`
}

// WitnessConfig is where a witness of the trust file is reached.
type WitnessConfig struct {
	Key string `yaml:"key"` // its verifier key, as in the trust file
	URL string `yaml:"url"`
}

// HostConfig is one acquirer's host.
type HostConfig struct {
	Acquirer  string `yaml:"acquirer"`
	URL       string `yaml:"url"`
	TokenFile string `yaml:"token_file"`
	PinSHA256 string `yaml:"pin_sha256"` // of the host's public key, for https
}

// OrganisationConfig is one organisation's own signing service, as the organisation runs it.
type OrganisationConfig struct {
	Organisation string `yaml:"organisation"`
	URL          string `yaml:"url"`
	TokenFile    string `yaml:"token_file"`
	PinSHA256    string `yaml:"pin_sha256"` // of the service's public key, for https
	Desk         string `yaml:"desk"`       // where the organisation's own staff make one-time codes; consoles lead there
}

var (
	errTrustRead  = fault.New(fault.Invalid, "trust_file_unreadable", "信任文件读不出来。向发布它的机构要，放到这里，再来。", "The trust file cannot be read. Get it from its publisher, put it here, and try again.")
	errConfigRead = fault.New(fault.Invalid, "config_unreadable", "配置文件读不出来。", "The config file cannot be read.")
	errConfig     = fault.New(fault.Invalid, "config_invalid", "配置文件有不对的地方。", "The config file has problems.")
	errKeyFile    = fault.New(fault.Invalid, "key_file_unreadable", "密钥文件读不出来。", "A key file cannot be read.")
)

// desks are where the organisations' own staff work, as far as the config names it.
func (c Config) desks() map[string]string {
	out := map[string]string{}
	for _, o := range c.Organisations {
		if o.Desk != "" {
			out[o.Organisation] = o.Desk
		}
	}
	return out
}

// loadConfig reads and checks a config file.
func loadConfig(path string) (Config, error) {
	data, err := files.Read(path, files.MaxSmall)
	if err != nil {
		return Config{}, errConfigRead.At(path).Because(err)
	}
	c := Config{dir: filepath.Dir(path)}
	if err := files.YAML(data, &c); err != nil {
		return Config{}, errConfig.At(path).Because(err)
	}
	if problems := c.problems(); len(problems) > 0 {
		return Config{}, errConfig.At(path + ": " + strings.Join(problems, "; "))
	}
	return c, nil
}

// problems lists everything that is wrong, not only the first.
func (c Config) problems() []string {
	var out []string
	wrong := func(bad bool, what string) {
		if bad {
			out = append(out, what)
		}
	}
	_, _, err := net.SplitHostPort(c.Listen)
	wrong(err != nil, "listen: want host:port")
	wrong(c.PublicURL != "" && !isOrigin(c.PublicURL), "public_url: want an origin such as https://menshen.example; http only for localhost")
	for _, p := range c.TrustedProxies {
		_, ok := network(p)
		wrong(!ok, "trusted_proxies: want addresses or networks, such as 127.0.0.1 or 10.0.0.0/8")
	}
	wrong(identifier.CheckID(c.Operator) != nil, "operator: want an id")
	wrong(identifier.CheckProvince(c.Province) != nil, "province: want two digits of GB/T 2260")
	wrong(!isDatabase(c.Database), "database: want sqlite:PATH or postgres://…")
	wrong(c.TrustFile == "", "trust_file: is empty")
	wrong(c.PlatformKey == "", "platform_key: is empty")
	wrong(c.VaultKey == "", "vault_key: is empty")
	wrong(c.PatienceSeconds < 1 || c.PatienceSeconds > 120, "patience_seconds: want 1 to 120")
	wrong(c.Log.Dir == "" || c.Log.Key == "", "log: want dir and key")
	wrong(c.Log.IntervalMS < 100 || c.Log.IntervalMS > 60000, "log.interval_ms: want 100 to 60000")
	wrong(len(c.Log.Witnesses) == 0, "log.witnesses: want at least one")
	for _, w := range c.Log.Witnesses {
		wrong(w.Key == "" || !webAddress(w.URL), "log.witnesses: want key and url")
	}
	for _, k := range c.Contacts {
		wrong(k.Zh == "" || k.En == "" || !dialled(k.Number), "contacts: want zh, en and a number of digits, + and -")
	}
	for _, h := range c.Hosts {
		wrong(identifier.CheckID(h.Acquirer) != nil || !webAddress(h.URL) || h.TokenFile == "", "hosts: want acquirer, url and token_file")
	}
	for _, o := range c.Organisations {
		wrong(identifier.CheckID(o.Organisation) != nil || !webAddress(o.URL) || o.TokenFile == "", "organisations: want organisation, url and token_file")
		wrong(o.Desk != "" && !webAddress(o.Desk), "organisations: desk is a web address")
	}
	return append(out, c.receiverProblems()...)
}

// isDatabase says whether a database is named in a form that there is an engine for.
func isDatabase(s string) bool {
	for _, engine := range []string{"sqlite:", "postgres://", "postgresql://"} {
		if rest, ok := strings.CutPrefix(s, engine); ok {
			return rest != ""
		}
	}
	return false
}

// dialled says whether a telephone takes it.
func dialled(number string) bool {
	return number != "" && len(number) <= 20 && strings.Trim(number, "+0123456789-") == ""
}

// contacts are whom pages and packs say to call; nil for the ordinary ones.
func (c Config) contacts() []pages.Contact {
	var out []pages.Contact
	for _, k := range c.Contacts {
		out = append(out, pages.Contact{Name: pages.Text{Zh: k.Zh, En: k.En}, Number: k.Number})
	}
	return out
}

func webAddress(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https")
}

// isOrigin says whether passkeys can be bound to an address: https and a name, or this machine's own.
func isOrigin(s string) bool {
	u, err := url.Parse(s)
	if err != nil || s != u.Scheme+"://"+u.Host || u.Hostname() == "" || strings.ToLower(s) != s {
		return false
	}
	_, notName := netip.ParseAddr(u.Hostname())
	return notName != nil && (u.Scheme == "https" || u.Scheme == "http" && u.Hostname() == "localhost")
}

// origin is where a request's site is, as browsers write it, "" where passkeys do not work. Only
// localhost is believed from the request itself: no other machine can be reached by that name.
func (c Config) origin(r *http.Request) string {
	if c.PublicURL != "" {
		return c.PublicURL
	}
	if own := "http://" + r.Host; r.TLS == nil && isOrigin(own) {
		return own
	}
	return ""
}

// network reads an address or a network in CIDR form.
func network(s string) (netip.Prefix, bool) {
	if addr, err := netip.ParseAddr(s); err == nil {
		addr = addr.Unmap()
		return netip.PrefixFrom(addr, addr.BitLen()), addr.Zone() == ""
	}
	p, err := netip.ParsePrefix(s)
	return p.Masked(), err == nil
}

// proxies are the networks of the trusted proxies.
func (c Config) proxies() []netip.Prefix {
	var out []netip.Prefix
	for _, s := range c.TrustedProxies {
		if p, ok := network(s); ok { // loadConfig refuses the others
			out = append(out, p)
		}
	}
	return out
}

// secure says whether a request came over TLS, to us or to a trusted proxy.
func (c Config) secure(r *http.Request) bool { return httpapi.Secure(r, c.proxies()) }

// path takes a path from the config file's folder.
func (c Config) path(p string) string {
	if filepath.IsAbs(p) {
		return p
	}
	return filepath.Join(c.dir, p)
}

// database takes a SQLite file's path from the config file's folder.
func (c Config) database() string {
	if p, ok := strings.CutPrefix(c.Database, "sqlite:"); ok {
		return "sqlite:" + c.path(p)
	}
	return c.Database
}

func (c Config) patience() time.Duration { return time.Duration(c.PatienceSeconds) * time.Second }

func (c Config) trust() (evidence.Trust, error) {
	return readTrust(c.path(c.TrustFile))
}

// readTrust reads a trust file, and says of which file it complains.
func readTrust(path string) (evidence.Trust, error) {
	data, err := files.Read(path, files.MaxSmall)
	if err != nil {
		return evidence.Trust{}, errTrustRead.At(path).Because(err)
	}
	trust, err := evidence.ParseTrust(data)
	return trust, fault.At(err, path)
}

// readECKey reads a P-256 private key in PEM (PKCS #8).
func readECKey(path string) (*ecdsa.PrivateKey, error) {
	data, err := files.ReadKey(path)
	if err != nil {
		return nil, errKeyFile.At(path).Because(err)
	}
	key, err := files.ParseP256(data)
	if err != nil {
		return nil, errKeyFile.At(path).Because(files.ErrNotKey.At("P-256, PKCS #8, PEM").Because(err))
	}
	return key, nil
}

func writeECKey(path string, key *ecdsa.PrivateKey) error {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	return writeSecret(path, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// writeSecret writes a new file that only its owner reads, and never over an old one.
func writeSecret(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return errFolder.At(filepath.Base(path)).Because(err)
	}
	if err != nil {
		return errKeyFile.At(filepath.Base(path)).Because(err)
	}
	if _, err := f.Write(data); err != nil {
		return errors.Join(err, f.Close())
	}
	return f.Close()
}

// readHexKey reads 32 bytes as 64 hex digits.
func readHexKey(path string) ([]byte, error) {
	text, err := readKeyLine(path)
	if err != nil {
		return nil, err
	}
	key, err := hex.DecodeString(text)
	if err != nil || len(key) != 32 {
		return nil, errKeyFile.At(path).Because(files.ErrNotKey.At("64 hex digits"))
	}
	return key, nil
}

// readKeyLine reads a key of one line, such as a note key.
func readKeyLine(path string) (string, error) {
	data, err := files.ReadKey(path)
	if err != nil {
		return "", errKeyFile.At(path).Because(err)
	}
	return oneLine(path, data)
}

// readToken reads a token or password. Its file may be readable by others: a shell makes it so when it
// writes one, and a token can be replaced (decision 52).
func readToken(path string) (string, error) {
	data, err := files.Read(path, files.MaxSmall)
	if err != nil {
		return "", errKeyFile.At(path).Because(err)
	}
	return oneLine(path, data)
}

// oneLine is the only line of a secret's file. It goes into headers and signers, which take no others.
func oneLine(path string, data []byte) (string, error) {
	text := strings.TrimSpace(string(data))
	if text == "" || strings.ContainsFunc(text, unicode.IsControl) || !utf8.ValidString(text) {
		return "", errKeyFile.At(path).Because(files.ErrNotKey.At("one line"))
	}
	return text, nil
}
