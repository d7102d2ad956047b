//go:build processes

package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/store"
)

// firstStart is a deployment that is made from nothing, each party in a folder of its own, by menshen's
// commands alone.
type firstStart struct {
	*testing.T
	dir      string
	menshen  string
	children *children
	values   map[string]string // what a person copies from what a command printed into a file
}

func newFirstStart(t *testing.T) *firstStart {
	t.Helper()
	dir := t.TempDir()
	f := &firstStart{T: t, dir: dir, menshen: program(t, "menshen"), values: map[string]string{}}
	f.children = &children{program: f.menshen, dir: dir}
	t.Cleanup(f.children.stop)
	t.Cleanup(func() {
		if t.Failed() {
			tellLogs(t, dir)
		}
	})
	return f
}

// run runs a command of menshen in the folder of all, and gives what it printed.
func (f *firstStart) run(args ...string) (out, errs string) {
	f.Helper()
	out, errs, err := f.try(args...)
	if err != nil {
		f.Fatalf("menshen %s: %v\n%s", strings.Join(args, " "), err, errs)
	}
	return out, errs
}

func (f *firstStart) try(args ...string) (out, errs string, err error) {
	var o, e bytes.Buffer
	cmd := exec.CommandContext(f.Context(), f.menshen, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = f.dir, &o, &e
	err = cmd.Run()
	return o.String(), e.String(), err
}

// copied takes a member of the JSON that a command printed, as a person copies it.
func (f *firstStart) copied(as, printed, member string) {
	f.Helper()
	var members map[string]json.RawMessage
	if err := json.Unmarshal([]byte(printed), &members); err != nil || members[member] == nil {
		f.Fatalf("%s: no %s in %s: %v", as, member, printed, err)
	}
	var one bytes.Buffer
	if err := json.Compact(&one, members[member]); err != nil {
		f.Fatal(err)
	}
	f.values[as] = strings.Trim(one.String(), `"`)
}

// draft fills in an example as its reader does.
func (f *firstStart) draft(name string) string {
	f.Helper()
	data, err := os.ReadFile(filepath.Join("../../examples/first-start", name))
	if err != nil {
		f.Fatal(err)
	}
	text := string(data)
	names := make([]string, 0, len(f.values))
	for n := range f.values {
		names = append(names, n)
	}
	slices.SortFunc(names, func(a, b string) int { return len(b) - len(a) }) // QINGLUO_BADGE_KEY before KEY
	for _, n := range names {
		text = strings.ReplaceAll(text, " "+n, " "+f.values[n])
	}
	f.write(name, text)
	return name
}

func (f *firstStart) write(name, text string) {
	f.Helper()
	if err := os.WriteFile(filepath.Join(f.dir, name), []byte(text), 0o600); err != nil {
		f.Fatal(err)
	}
}

func (f *firstStart) read(name string) string {
	f.Helper()
	data, err := os.ReadFile(filepath.Join(f.dir, name))
	if err != nil {
		f.Fatal(err)
	}
	return string(data)
}

func (f *firstStart) at(name string) string { return filepath.Join(f.dir, name) }

func (f *firstStart) start(name string, args ...string) {
	f.Helper()
	if err := f.children.start(f.Context(), name, args...); err != nil {
		f.Fatal(err)
	}
}

// Operations' "First start", word for word: everybody makes keys of their own, the publisher writes the trust
// file, the organisations sign their lists, and menshen fetches and records them.
func TestADeploymentStartsByCommandsAlone(t *testing.T) {
	f := newFirstStart(t)
	printed, _ := f.run("init", "--dir", "menshen-data", "--operator", "menshen", "--origin", "log.menshen.example")
	printed = printed[:strings.LastIndex(printed, "}")+1]
	f.copied("LOG_KEY", printed, "log_key")
	f.copied("PLATFORM_KEY", printed, "platform_key")

	vkey, _ := f.run("witness", "init", "--dir", "witness-data", "--name", "witness.assoc")
	f.values["WITNESS_KEY"] = strings.TrimSpace(vkey)
	witness := anyAddress()
	f.start("witness", "witness", "--dir", f.at("witness-data"), "--listen", witness, "--origin", "log.menshen.example", "--log-key", f.values["LOG_KEY"])

	addresses := map[string]string{}
	for _, o := range []struct{ id, name, kind, as string }{
		{"assoc", "示例协会", "regulator", "ASSOC"}, {"jianghe", "江禾支付", "acquirer", "JIANGHE"}, {"qingluo", "青萝服务", "provider", "QINGLUO"},
	} {
		addresses[o.id] = anyAddress()
		public, _ := f.run("organisation", "init", "--dir", o.id+"-data", "--organisation", o.id, "--name", o.name, "--kind", o.kind, "--listen", addresses[o.id])
		f.copied(o.as+"_KEY", public, "key")
		if o.kind == "provider" {
			f.copied(o.as+"_BADGE_KEY", public, "badge_key")
		}
	}

	if _, errs, err := f.try("organisation", "trust-file", "--dir", "jianghe-data", f.draft("trust.yaml")); err == nil || !strings.Contains(errs, "trust_file_not_its") {
		t.Errorf("an acquirer wrote a trust file: %s", errs)
	}
	trust, fingerprint := f.run("organisation", "trust-file", "--dir", "assoc-data", "trust.yaml")
	if read, err := evidence.ParseTrust([]byte(trust)); err != nil || !strings.Contains(fingerprint, read.Fingerprint()) {
		t.Fatalf("the trust file: %v, %s", err, fingerprint)
	}
	f.write("menshen-data/trust.json", trust)

	config := strings.Replace(f.read("menshen-data/config.yaml"), "listen: 127.0.0.1:8420", "listen: "+anyAddress(), 1)
	config = strings.Replace(config, "witnesses: []", "witnesses:\n        - {key: "+f.values["WITNESS_KEY"]+", url: 'http://"+witness+"'}", 1)
	served := "organisations:\n"
	for _, id := range []string{"assoc", "jianghe", "qingluo"} {
		served += "    - {organisation: " + id + ", url: 'http://" + addresses[id] + "', token_file: " + id + ".token}\n"
		f.write("menshen-data/"+id+".token", f.read(id+"-data/menshen.token"))
	}
	f.write("menshen-data/config.yaml", strings.Replace(config, "organisations: []\n", served, 1))
	f.start("server", "serve", "--config", f.at("menshen-data/config.yaml"))

	// The association publishes before its service runs, the acquirer while its service runs.
	f.run("organisation", "publish", "--dir", "assoc-data", "trust_list", f.draft("trust-list.yaml"))
	for _, id := range []string{"assoc", "jianghe", "qingluo"} {
		f.start(id, "organisation", "serve", "--dir", f.at(id+"-data"))
	}
	if said, _ := f.run("organisation", "publish", "--dir", "jianghe-data", "--dry-run", "parameters", f.draft("parameters.yaml")); !strings.Contains(said, "would be signed") {
		t.Errorf("a dry run: %s", said)
	}
	f.run("organisation", "publish", "--dir", "jianghe-data", "parameters", "parameters.yaml")
	f.run("organisation", "publish", "--dir", "jianghe-data", "mandate", f.draft("mandate.yaml"))
	if said, _ := f.run("organisation", "publish", "--dir", "jianghe-data", "parameters", "parameters.yaml"); !strings.Contains(said, "nothing changed") {
		t.Errorf("published twice: %s", said)
	}
	if said, _ := f.run("organisation", "lists", "--dir", "jianghe-data"); !strings.Contains(said, "parameters 1 ") || !strings.Contains(said, "mandate qingluo") {
		t.Errorf("what is out: %s", said)
	}
	f.recorded(map[string][]string{"assoc": {"trust_list"}, "jianghe": {"mandate", "parameters"}, "qingluo": {"status_list"}})

	city, err := filepath.Abs("../../examples/city")
	if err != nil {
		t.Fatal(err)
	}
	f.run("import", "--config", "menshen-data/config.yaml", "--dir", city)
	if said, _ := f.run("verify-store", "--config", "menshen-data/config.yaml"); said == "" {
		t.Error("verify-store said nothing")
	}
}

// recorded waits until menshen has these types of statement in the organisations' streams, and no others.
func (f *firstStart) recorded(want map[string][]string) {
	f.Helper()
	s, err := store.Open(f.Context(), "sqlite:"+f.at("menshen-data/menshen.db"))
	if err != nil {
		f.Fatal(err)
	}
	defer s.Close()
	deadline := time.Now().Add(long)
	for id, types := range want {
		for {
			got := f.typesOf(s, id)
			if slices.Equal(got, types) {
				break
			}
			if time.Now().After(deadline) {
				f.Fatalf("%s: got %q, want %q", id, got, types)
			}
			time.Sleep(100 * time.Millisecond)
		}
	}
}

func (f *firstStart) typesOf(s *store.Store, organisation string) []string {
	f.Helper()
	var types []string
	err := s.Read(f.Context(), func(tx *store.Tx) error {
		events, err := tx.Events(f.Context(), store.Stream{Kind: "organisation", ID: organisation}, 1, 100)
		for _, e := range events {
			envelope, err := tx.Statement(f.Context(), e.StatementDigest)
			if err != nil {
				return err
			}
			c, err := statement.Parse(envelope)
			if err != nil {
				return err
			}
			types = append(types, c.Type)
		}
		return err
	})
	if err != nil {
		f.Fatal(err)
	}
	slices.Sort(types)
	return slices.Compact(types)
}
