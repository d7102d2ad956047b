package cli

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/files"
)

// at runs a command as an operator does, and gives what it says.
func at(t *testing.T, want int, args ...string) string {
	t.Helper()
	var out, errs bytes.Buffer
	if got := Run(t.Context(), args, strings.NewReader(""), &out, &errs); got != want {
		t.Fatalf("%q exits %d, want %d:\n%s%s", args, got, want, out.String(), errs.String())
	}
	return out.String() + errs.String()
}

// theatre is a world in which nothing runs.
func theatre(t *testing.T) *world {
	t.Helper()
	w, err := newWorld(t.TempDir(), staging{wanted: anyAddress(), patience: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.close)
	return w
}

// reconfigure changes the server's config.
func (w *world) reconfigure(t *testing.T, change func(c *Config)) {
	t.Helper()
	c, err := loadConfig(w.config)
	if err != nil {
		t.Fatal(err)
	}
	change(&c)
	data, err := yaml.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(w.config, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// put writes a file that only its owner reads, in a folder that need not be there.
func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// carry copies a folder's files, modes and all, as cp -a does.
func carry(t *testing.T, from, to string) {
	t.Helper()
	err := filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		if err := os.MkdirAll(filepath.Dir(filepath.Join(to, name)), 0o700); err != nil {
			return err
		}
		return files.Copy(path, filepath.Join(to, name))
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Two acquirers' tokens are both called token, so is an organisation's and a receiver's password; one key lies
// outside the config's folder. The machine is lost; from the backup another one serves, with every secret its own.
func TestABackupWithSecretsServesWhereNothingElseIsLeft(t *testing.T) {
	w := theatre(t)
	server, outside := filepath.Join(w.dir, "server"), filepath.Join(w.dir, "vault-key", "key")
	secrets := map[string]string{}
	w.reconfigure(t, func(c *Config) {
		pin := strings.Repeat("ab", 32)
		c.Hosts = []HostConfig{{Acquirer: "jianghe", URL: "http://127.0.0.1:1", TokenFile: "jianghe/token"}, {Acquirer: "huaishan", URL: "https://127.0.0.1:1", TokenFile: "huaishan/token", PinSHA256: pin}}
		c.Organisations = []OrganisationConfig{{Organisation: "qingluo", URL: "http://127.0.0.1:1", TokenFile: "qingluo/token"}}
		c.Notify = []ReceiverConfig{{Name: "desk", Organisation: "qingluo", Kinds: []string{"visit_stopped"}, Mail: &MailConfig{Server: "127.0.0.1:25", From: "a@example.com", To: "b@example.com", User: "u", PasswordFile: "mail/token"}}}
		for _, name := range []string{"jianghe/token", "huaishan/token", "qingluo/token", "mail/token"} {
			secrets[filepath.Join(server, name)] = "organisation_" + strings.ReplaceAll(name, "/", "-") + strings.Repeat("x", 20) + "\n"
			put(t, filepath.Join(server, name), secrets[filepath.Join(server, name)])
		}
		for _, name := range []string{c.PlatformKey, c.VaultKey, c.Log.Key} {
			data, err := os.ReadFile(filepath.Join(server, name))
			if err != nil {
				t.Fatal(err)
			}
			secrets[filepath.Join(server, name)] = string(data)
		}
		secrets[outside] = secrets[filepath.Join(server, c.VaultKey)]
		put(t, outside, secrets[outside])
		delete(secrets, filepath.Join(server, c.VaultKey))
		c.VaultKey = outside
		// An operator who put a key into the log's folder does not hand it out with every backup.
		put(t, filepath.Join(server, "log", "log.key"), secrets[filepath.Join(server, c.Log.Key)])
		delete(secrets, filepath.Join(server, c.Log.Key))
		c.Log.Key = "log/log.key"
	})
	put(t, filepath.Join(server, "log", "checkpoint"), "as far as the log is\n")
	at(t, exitDone, "token", "--config", w.config, "--person", "lan", "--organisation", "qingluo", "--role", "technician")

	bare, backup := filepath.Join(w.dir, "bare"), filepath.Join(w.dir, "backup")
	at(t, exitDone, "backup", "--config", w.config, "--out", bare)
	for path, secret := range secrets {
		if holds(t, bare, secret) {
			t.Errorf("without --secrets the backup holds %s", path)
		}
	}
	at(t, exitDone, "backup", "--config", w.config, "--out", backup, "--secrets")

	if err := os.Rename(server, server+"-lost"); err != nil {
		t.Fatal(err)
	}
	for _, gone := range []string{w.trustFile, filepath.Dir(outside)} {
		if err := os.RemoveAll(gone); err != nil {
			t.Fatal(err)
		}
	}
	for _, part := range []string{"store", elsewhere} {
		if err := os.Rename(filepath.Join(backup, part), filepath.Join(w.dir, part)); err != nil {
			t.Fatal(err)
		}
	}
	carry(t, backup, server)
	carry(t, filepath.Join(w.dir, elsewhere), "/")
	for path, secret := range secrets {
		if got, err := os.ReadFile(path); err != nil || string(got) != secret {
			t.Errorf("%s: %q, %v", path, got, err)
		}
	}
	if err := os.Remove(filepath.Join(server, "log", "checkpoint")); err != nil { // made up
		t.Fatal(err)
	}
	at(t, exitDone, "restore", "--config", w.config, "--from", filepath.Join(w.dir, "store"))
	serves(t, w.config)
}

// holds says whether a secret stands in a file of a folder.
func holds(t *testing.T, dir, secret string) (found bool) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		found = found || bytes.Contains(data, []byte(strings.TrimSpace(secret)))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// serves starts a server and asks whether it is ready.
func serves(t *testing.T, config string) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	says, out := io.Pipe()
	var errs bytes.Buffer
	ended := make(chan int, 1)
	go func() {
		ended <- Run(ctx, []string{"serve", "--config", config}, strings.NewReader(""), out, &errs)
		out.Close()
	}()
	s := bufio.NewScanner(says)
	for s.Scan() && !strings.HasPrefix(s.Text(), "listening on ") {
	}
	if address, ok := strings.CutPrefix(s.Text(), "listening on "); ok {
		res, err := http.Get(address + "/readyz")
		if err != nil || res.StatusCode != http.StatusOK {
			t.Errorf("not ready: %v", err)
		}
		if err == nil {
			res.Body.Close()
		}
	}
	stop()
	go func() { _, _ = io.Copy(io.Discard, says) }()
	if code := <-ended; code != exitDone || s.Text() == "" {
		t.Errorf("serve exits %d: %s", code, errs.String())
	}
}

// A backup that cannot be finished leaves nothing: neither its folder nor half of one beside it.
func TestABackupThatFailsLeavesNothing(t *testing.T) {
	w := theatre(t)
	at(t, exitDone, "token", "--config", w.config, "--person", "lan", "--organisation", "qingluo", "--role", "technician")
	places := filepath.Join(w.dir, "backups")
	if err := os.Mkdir(places, 0o700); err != nil {
		t.Fatal(err)
	}
	config, err := os.ReadFile(w.config)
	if err != nil {
		t.Fatal(err)
	}
	for name, r := range map[string]struct {
		want  int
		spoil func(c *Config)
	}{
		"a key that is not there":       {exitUnavailable, func(c *Config) { c.Log.Key = "none.key" }},
		"a key that is a folder":        {exitInvalid, func(c *Config) { c.Log.Key = "." }},
		"a log's folder that is a file": {exitUnavailable, func(c *Config) { c.Log.Dir = "config.yaml/log" }},
	} {
		w.reconfigure(t, r.spoil)
		says := at(t, r.want, "backup", "--config", w.config, "--out", filepath.Join(places, "backup"), "--secrets")
		if !strings.Contains(says, "backup_not_written") {
			t.Errorf("%s: %s", name, says)
		}
		if left, err := os.ReadDir(places); err != nil || len(left) != 0 {
			t.Errorf("%s: left behind: %v, %v", name, left, err)
		}
		if err := os.WriteFile(w.config, config, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ctx, interrupt := context.WithCancel(t.Context())
	interrupted := writerFunc(func(p []byte) (int, error) { interrupt(); return len(p), nil })
	var errs bytes.Buffer
	args := []string{"backup", "--config", w.config, "--out", filepath.Join(places, "backup")}
	if code := Run(ctx, args, strings.NewReader(""), interrupted, &errs); code != exitUnavailable || !strings.Contains(errs.String(), "export_stopped") {
		t.Errorf("interrupted: %d, %s", code, errs.String())
	}
	if left, err := os.ReadDir(places); err != nil || len(left) != 0 {
		t.Errorf("interrupted: left behind: %v, %v", left, err)
	}
	at(t, exitDone, args...)
	says := at(t, exitInvalid, args...)
	if !strings.Contains(says, "path_taken") {
		t.Errorf("a second time: %s", says)
	}
}

type writerFunc func([]byte) (int, error)

// Write is w.
func (w writerFunc) Write(p []byte) (int, error) { return w(p) }

// A journal of erasures that cannot be read is found out before the database is touched.
func TestRestoreReadsTheJournalOfErasuresFirst(t *testing.T) {
	w := theatre(t)
	at(t, exitDone, "token", "--config", w.config, "--person", "lan", "--organisation", "qingluo", "--role", "technician")
	backup := filepath.Join(w.dir, "backup")
	at(t, exitDone, "backup", "--config", w.config, "--out", backup)
	w.reconfigure(t, func(c *Config) { c.Database = "sqlite:fresh.db" })
	for path, code := range map[string]string{
		filepath.Join(w.dir, "none.jsonl"): "file_absent",
		w.dir:                              "file_not_plain",
		"/dev/zero":                        "file_not_plain",
		w.config:                           "erasures_unreadable",
		filepath.Join(backup, "store", "tables", "tokens.jsonl"): "erasures_unreadable",
	} {
		says := at(t, exitInvalid, "restore", "--config", w.config, "--from", backup, "--erasures", path)
		if !strings.Contains(says, code) {
			t.Errorf("%s: %s", path, says)
		}
	}
	at(t, exitDone, "restore", "--config", w.config, "--from", backup, "--erasures", filepath.Join(backup, "store", "erasures.jsonl"))
}

// A key that others can read or write is not used; neither is one of another curve.
func TestKeysAreForTheirOwnerAndOfTheRightCurve(t *testing.T) {
	w := theatre(t)
	c, err := loadConfig(w.config)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{c.PlatformKey, c.VaultKey} {
		for _, r := range []struct {
			mode os.FileMode
			want int
			says string
		}{{0o644, exitInvalid, "key_file_shared"}, {0o606, exitInvalid, "key_file_shared"}, {0o640, exitDone, "differ: 0"}} {
			if err := os.Chmod(c.path(name), r.mode); err != nil {
				t.Fatal(err)
			}
			if says := at(t, r.want, "verify-store", "--config", w.config); !strings.Contains(says, r.says) {
				t.Errorf("%s %v: %s", name, r.mode, says)
			}
		}
	}
	if err := os.WriteFile(c.path(c.PlatformKey), p384(t), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := readECKey(c.path(c.PlatformKey)); fault.CodeOf(err) != "key_file_unreadable" || !strings.Contains(err.Error(), "P-256") {
		t.Errorf("another curve: %v", err)
	}
}

func p384(t *testing.T) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}
