package organisation

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/menshen-project/menshen/internal/acquirer"
	"github.com/menshen-project/menshen/internal/credential"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/files"
	"github.com/menshen-project/menshen/internal/identifier"
	"github.com/menshen-project/menshen/internal/statement"
)

// Files of an organisation's folder.
const (
	configFile   = "config.yaml"
	keyFile      = "organisation.pem"
	badgeFile    = "badge.pem"
	menshenToken = "menshen.token"
	deskToken    = "desk.token"
)

// Config is everything that the service reads, from config.yaml in its folder. Unknown names are
// refused, all problems are told at once.
type Config struct {
	Organisation string   `yaml:"organisation"` // id on the trust list
	Name         string   `yaml:"name"`         // as people know it; stands on the code sheet
	Kinds        []string `yaml:"kinds"`        // acquirer, provider, supervisor, course_issuer, regulator: what the trust list lists it as
	Listen       string   `yaml:"listen"`       // host:port; without a certificate a loopback address
	CertFile     string   `yaml:"cert_file"`    // PEM, with tls_key_file, for https; "" for plain http
	TLSKeyFile   string   `yaml:"tls_key_file"`
	Site         string   `yaml:"site"`        // menshen's address as printed on the code sheet
	Phone        string   `yaml:"phone"`       // the organisation's, as printed on the code sheet
	CodeDays     int      `yaml:"code_days"`   // how long a code holds, at most 30
	KeyDays      int      `yaml:"key_days"`    // how long an enrolment holds, at most 1100
	BadgeHours   int      `yaml:"badge_hours"` // how long a badge holds, at most 24
	ListHours    int      `yaml:"list_hours"`  // how long a status list holds; it is signed anew at half of that
	JournalMiB   int64    `yaml:"journal_mib"`
	TrustFile    string   `yaml:"trust_file,omitempty"` // of whoever gives courses: what attempts are proven by, from its publisher
	dir          string
}

var (
	errConfigRead = fault.New(fault.Invalid, "organisation_config_unreadable", "机构的配置文件读不出来。", "The organisation's config file cannot be read.")
	errConfig     = fault.New(fault.Invalid, "organisation_config_invalid", "机构的配置文件有不对的地方。", "The organisation's config file has problems.")
	errFolder     = fault.New(fault.Invalid, "organisation_folder", "文件夹不能用：要么建不了，要么已经有密钥。", "The folder cannot be used: it cannot be made, or it holds keys already.")
	errKeyFile    = fault.New(fault.Invalid, "organisation_key_unreadable", "机构的密钥或口令文件读不出来。", "A key or token file of the organisation cannot be read.")
)

// Defaults is a config for a new organisation.
func Defaults(organisation, name string, kinds []string) Config {
	return Config{Organisation: organisation, Name: name, Kinds: kinds, Listen: "127.0.0.1:8450", CodeDays: 14, KeyDays: 366, BadgeHours: 14, ListHours: 12, JournalMiB: 1024}
}

// problems lists everything that is wrong, not only the first.
func (c Config) problems() []string {
	var out []string
	wrong := func(bad bool, what string) {
		if bad {
			out = append(out, what)
		}
	}
	known := []string{credential.KindAcquirer, credential.KindProvider, credential.KindSupervisor, credential.KindCourseIssuer, credential.KindRegulator}
	wrong(identifier.CheckID(c.Organisation) != nil, "organisation: want an id")
	wrong(len(c.Kinds) == 0 || slices.ContainsFunc(c.Kinds, func(k string) bool { return !slices.Contains(known, k) }), "kinds: want some of acquirer, provider, supervisor, course_issuer, regulator")
	wrong(c.Name == "" || len(c.Name) > 200, "name: want 1 to 200 bytes")
	wrong(len(c.Site) > 200 || len(c.Phone) > 50, "site, phone: too long")
	host, _, err := net.SplitHostPort(c.Listen)
	wrong(err != nil, "listen: want host:port")
	wrong(err == nil && c.CertFile == "" && !loopback(host), "listen: without cert_file only an address of this machine")
	wrong((c.CertFile == "") != (c.TLSKeyFile == ""), "cert_file, tls_key_file: both or none")
	within := func(n, most int, name string) { wrong(n < 1 || n > most, name) }
	within(c.CodeDays, 30, "code_days: want 1 to 30")
	within(c.KeyDays, 1100, "key_days: want 1 to 1100")
	within(c.BadgeHours, 24, "badge_hours: want 1 to 24")
	within(c.ListHours, 24, "list_hours: want 1 to 24")
	wrong(c.JournalMiB < 1 || c.JournalMiB > 16384, "journal_mib: want 1 to 16384")
	return out
}

func loopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
}

// Load reads and checks the config in a folder.
func Load(dir string) (Config, error) {
	path := filepath.Join(dir, configFile)
	data, err := files.Read(path, files.MaxSmall)
	if err != nil {
		return Config{}, errConfigRead.At(path).Because(err)
	}
	c := Config{dir: dir}
	if err := files.YAML(data, &c); err != nil {
		return Config{}, errConfig.At(path).Because(err)
	}
	if problems := c.problems(); len(problems) > 0 {
		return Config{}, errConfig.At(path + ": " + strings.Join(problems, "; "))
	}
	return c, nil
}

// Public is what a new organisation hands to whoever compiles the trust list.
type Public struct {
	Organisation string         `json:"organisation"`
	Key          statement.Key  `json:"key"`
	BadgeKey     *statement.Key `json:"badge_key,omitempty"`
}

// Keys are an organisation's own. Badge is nil where it issues none.
type Keys struct {
	Own   *ecdsa.PrivateKey
	Badge *ecdsa.PrivateKey
}

// NewKeys makes what an organisation of these kinds needs.
func NewKeys(kinds []string) (Keys, error) {
	own, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil || !slices.Contains(kinds, credential.KindProvider) {
		return Keys{Own: own}, err
	}
	badge, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	return Keys{Own: own, Badge: badge}, err
}

// Make writes a new folder: keys, tokens, config. Nothing is ever written over.
func Make(dir string, c Config, k Keys) (Public, error) {
	if problems := c.problems(); len(problems) > 0 {
		return Public{}, errConfig.At(strings.Join(problems, "; "))
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return Public{}, errFolder.Because(err)
	}
	config, err := yaml.Marshal(c)
	if err != nil {
		return Public{}, err
	}
	files := []struct {
		name string
		data []byte
	}{{keyFile, pemOf(k.Own)}, {badgeFile, pemOf(k.Badge)}, {menshenToken, newToken()}, {deskToken, newToken()}, {configFile, append([]byte(configHead), config...)}}
	for _, f := range files {
		if _, err := os.Lstat(filepath.Join(dir, f.name)); !errors.Is(err, fs.ErrNotExist) {
			return Public{}, errFolder.At(f.name).Because(err)
		}
	}
	for _, f := range files {
		if f.data == nil {
			continue
		}
		if err := writeNew(filepath.Join(dir, f.name), f.data); err != nil {
			return Public{}, err
		}
	}
	p := Public{Organisation: c.Organisation, Key: statement.KeyOf(&k.Own.PublicKey)}
	if k.Badge != nil {
		badge := statement.KeyOf(&k.Badge.PublicKey)
		p.BadgeKey = &badge
	}
	return p, nil
}

const configHead = `# 机构自己的签名服务 · an organisation's own signing service. 不认识的名字会被拒绝 names that are not known are refused.
# site 和 phone 印在开通码的纸上 are printed on the code sheet. 本文件夹里有机构的密钥 this folder holds the organisation's keys.
`

func newToken() []byte {
	raw := make([]byte, 32)
	rand.Read(raw) // never fails (Go 1.24)
	return []byte("organisation_" + base64.RawURLEncoding.EncodeToString(raw) + "\n")
}

// pemOf writes a key in PEM (PKCS #8), nil for none.
func pemOf(key *ecdsa.PrivateKey) []byte {
	if key == nil {
		return nil
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		panic(err) // a P-256 key that was just made
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

func writeNew(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return errFolder.At(filepath.Base(path)).Because(err)
	}
	_, err = f.Write(data)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return errFolder.At(filepath.Base(path)).Because(err)
	}
	return nil
}

// keys reads the organisation's keys; the badge key only where it issues badges.
func (c Config) keys() (Keys, error) {
	own, err := c.key(keyFile)
	if err != nil || !slices.Contains(c.Kinds, credential.KindProvider) {
		return Keys{Own: own}, err
	}
	badge, err := c.key(badgeFile)
	return Keys{Own: own, Badge: badge}, err
}

func (c Config) key(name string) (*ecdsa.PrivateKey, error) {
	path := filepath.Join(c.dir, name)
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

// token reads one side's token.
func (c Config) token(name string) (string, error) {
	path := filepath.Join(c.dir, name)
	data, err := files.Read(path, files.MaxSmall)
	if err != nil {
		return "", errKeyFile.At(path).Because(err)
	}
	token := strings.TrimSpace(string(data))
	if !acquirer.Visible(token) {
		return "", errKeyFile.At(path).Because(files.ErrNotKey.At("one line"))
	}
	return token, nil
}

// MenshenToken is what the operator of menshen is given.
func (c Config) MenshenToken() (string, error) { return c.token(menshenToken) }

// DeskToken opens the organisation's own side.
func (c Config) DeskToken() (string, error) { return c.token(deskToken) }

// Certificate reads what the service shows over https; ok is false where it serves plain http.
func (c Config) Certificate() (cert tls.Certificate, ok bool, err error) {
	if c.CertFile == "" {
		return cert, false, nil
	}
	chain, err := files.Read(c.Path(c.CertFile), files.MaxSmall)
	if err != nil {
		return cert, false, errKeyFile.At(c.CertFile).Because(err)
	}
	key, err := files.ReadKey(c.Path(c.TLSKeyFile))
	if err != nil {
		return cert, false, errKeyFile.At(c.TLSKeyFile).Because(err)
	}
	if cert, err = tls.X509KeyPair(chain, key); err != nil {
		return cert, false, errKeyFile.At(c.CertFile + ", " + c.TLSKeyFile).Because(files.ErrNotKey.At("PEM").Because(err))
	}
	return cert, true, nil
}

// Path takes a path from the organisation's folder.
func (c Config) Path(p string) string {
	if filepath.IsAbs(p) {
		return p
	}
	return filepath.Join(c.dir, p)
}

func days(n int) time.Duration { return time.Duration(n) * 24 * time.Hour }
