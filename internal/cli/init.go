package cli

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"gopkg.in/yaml.v3"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/transparency"
)

var errFolder = fault.New(fault.Invalid, "folder_not_usable", "文件夹不能用：要么建不了，要么要写的文件已经在里面。", "The folder cannot be used: it cannot be made, or what would be written is there already.")

// keyName is how a log or witness that we make a key for may be called: by what is as it is in addresses, files,
// shells and the lines of a checkpoint. Names that others chose are taken as C2SP has them.
var keyName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9./_:-]{0,127}$`)

// setup is what init is asked for.
type setup struct{ dir, operator, province, origin, listen, database string }

func newInit() *cobra.Command {
	var s setup
	cmd := &cobra.Command{
		Use:   "init --dir DIR --operator ID",
		Short: "生成密钥和配置 · make keys and a config file",
		Long: `生成平台密钥、日志密钥、个人信息加密密钥和一份带说明的配置文件。密钥只写一次，不会覆盖。
公开的部分打印出来，交给信任名单和信任文件的发布机构。

Makes the platform key, the log key, the key that encrypts personal data, and a config file. Nothing is overwritten.
The public parts are printed, for whoever publishes the trust list and the trust file.`,
		Example: "  menshen init --dir /srv/menshen --operator menshen --origin log.menshen.example",
		Args:    usage(cobra.NoArgs),
		RunE:    func(cmd *cobra.Command, _ []string) error { return s.run(cmd.OutOrStdout()) },
	}
	f := cmd.Flags()
	f.StringVar(&s.dir, "dir", "", "文件夹 folder to make (required)")
	f.StringVar(&s.operator, "operator", "", "运营方在信任名单上的编号 organisation id on the trust list (required)")
	f.StringVar(&s.province, "province", "31", "省级代码 GB/T 2260, two digits")
	f.StringVar(&s.origin, "origin", "menshen.example/log", "公开日志的名称 name of the log")
	f.StringVar(&s.listen, "listen", "127.0.0.1:8420", "地址 address to serve on")
	f.StringVar(&s.database, "database", "sqlite:menshen.db", "数据库 sqlite:PATH or postgres://…")
	return cmd
}

// Public is what init hands to the publishers.
type Public struct {
	Operator    string        `json:"operator"`
	PlatformKey statement.Key `json:"platform_key"`
	LogOrigin   string        `json:"log_origin"`
	LogKey      string        `json:"log_key"`
}

func (s setup) run(out io.Writer) error {
	if s.dir == "" || s.operator == "" {
		return errUsage.At("--dir, --operator")
	}
	if problems := s.problems(); len(problems) > 0 {
		return errUsage.At(strings.Join(problems, "; "))
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	public, err := s.make(key)
	if err != nil {
		return err
	}
	enc := json.NewEncoder(out)
	enc.SetIndent("", "  ")
	if err := enc.Encode(public); err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "\n下一步 next: 填好 %s 里的 trust_file、log.witnesses、hosts，再 menshen serve --config %[1]s\n", filepath.Join(s.dir, "config.yaml"))
	return err
}

// problems lists what is wrong with what was asked for. Witnesses are filled in later.
func (s setup) problems() []string {
	problems := slices.DeleteFunc(s.config().problems(), func(p string) bool { return strings.HasPrefix(p, "log.witnesses") })
	if !keyName.MatchString(s.origin) {
		problems = append(problems, "origin: want letters, digits and ./_:-")
	}
	return problems
}

// folder makes the folder, if none of what is to be written is there.
func (s setup) folder() error {
	for _, name := range []string{"platform.pem", "vault.key", "log.key", "config.yaml"} {
		if _, err := os.Lstat(filepath.Join(s.dir, name)); !errors.Is(err, fs.ErrNotExist) {
			return errFolder.At(name).Because(err)
		}
	}
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return errFolder.Because(err)
	}
	return nil
}

// make writes keys and config and gives the public parts.
func (s setup) make(platform *ecdsa.PrivateKey) (Public, error) {
	secret, vkey, err := transparency.GenerateLogKey(s.origin)
	if err != nil {
		return Public{}, err
	}
	if err := s.folder(); err != nil {
		return Public{}, err
	}
	if err := writeECKey(filepath.Join(s.dir, "platform.pem"), platform); err != nil {
		return Public{}, err
	}
	var kek [32]byte
	if _, err := rand.Read(kek[:]); err != nil {
		return Public{}, err
	}
	if err := writeSecret(filepath.Join(s.dir, "vault.key"), []byte(hex.EncodeToString(kek[:])+"\n")); err != nil {
		return Public{}, err
	}
	if err := writeSecret(filepath.Join(s.dir, "log.key"), []byte(secret+"\n")); err != nil {
		return Public{}, err
	}
	return Public{Operator: s.operator, PlatformKey: statement.KeyOf(&platform.PublicKey), LogOrigin: s.origin, LogKey: vkey}, writeConfig(filepath.Join(s.dir, "config.yaml"), s.config())
}

// config is a config with everything that init knows; the rest is the operator's to fill in.
func (s setup) config() Config {
	return Config{Listen: s.listen, Operator: s.operator, Province: s.province, Database: s.database, TrustedProxies: []string{}, TrustFile: "trust.json",
		PlatformKey: "platform.pem", VaultKey: "vault.key", PatienceSeconds: 20,
		Log: LogConfig{Dir: "log", Key: "log.key", IntervalMS: 1000, Witnesses: []WitnessConfig{}}, Hosts: []HostConfig{}, Organisations: []OrganisationConfig{}}
}

const configHead = `# menshen 配置 · menshen's config. 路径都从本文件所在的文件夹算起；不认识的名字会被拒绝。
# Paths are taken from this file's folder; names that are not known are refused.
# trust_file 从发布机构拿 comes from its publisher; log.witnesses: [{key, url}]; hosts: [{acquirer, url, token_file, pin_sha256}]
# organisations: [{organisation, url, token_file, pin_sha256}] 机构自己的签名服务 the organisations' own signing services
`

func writeConfig(path string, c Config) error {
	data, err := yaml.Marshal(c)
	if err != nil {
		return err
	}
	return writeSecret(path, append([]byte(configHead), data...))
}
