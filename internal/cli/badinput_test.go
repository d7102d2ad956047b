package cli

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/spf13/pflag"

	"github.com/menshen-project/menshen/examples/city"
)

// hostileWords stand where a command wants a word, a number or a name.
var hostileWords = map[string]string{
	"nothing": "", "a space": " ", "huge": strings.Repeat("x", 1<<20), "a NUL": "a\x00b", "two lines": "a\nb", "not UTF-8": "\xff\xfe",
	"turned round": "a\u202eb", "a way out": "../../etc/passwd", "a shell's": "$(id);'\"", "Chinese": "魏", "half": "%", "below zero": "-1", "a tag": "<script>alert(1)</script>",
}

// commandLine is a command with arguments that work, where there is something to work on.
type commandLine struct {
	name string
	args []string // the flags of the command, in pairs
	rest []string // what follows them
}

// badFiles are what may be at a path in place of a file: each is refused before anything waits for it.
func badFiles(t *testing.T, dir string) map[string]string {
	t.Helper()
	pipe, junk, cut := filepath.Join(dir, "pipe"), filepath.Join(dir, "junk"), filepath.Join(dir, "cut.json")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	put(t, junk, "\x00\xffhunter2\n")
	put(t, cut, `{"format":"menshen-`)
	return map[string]string{"nothing there": filepath.Join(dir, "none", "at all"), "a pipe": pipe, "no end": "/dev/zero", "junk": junk, "cut": cut,
		"a file as a folder": filepath.Join(junk, "below"), "too long a name": strings.Repeat("n", 5000), "a NUL": "a\x00b", "nothing": ""}
}

// lines are all commands that end by themselves, and those that serve.
func commandLines(w *world, org string) []commandLine {
	cfg := []string{"--config", w.config}
	person := []string{"--dir", org, "--holder", "lan", "--role", "technician"}
	at := func(name string) string { return filepath.Join(w.dir, "out", name) }
	return []commandLine{
		{"init", []string{"--dir", at("init"), "--operator", "menshen", "--province", "31", "--origin", "log.example/x", "--listen", "127.0.0.1:0", "--database", "sqlite:x.db"}, nil},
		{"serve", cfg, nil},
		{"witness", []string{"--dir", w.witnessDir(witnessesOf[0]), "--listen", "127.0.0.1:0", "--origin", w.trust.File().Log.Origin, "--log-key", w.trust.File().Log.Key}, nil},
		{"witness init", []string{"--dir", at("witness"), "--name", "witness-x"}, nil},
		{"token", append(slices.Clone(cfg), "--person", "lan", "--organisation", "qingluo", "--role", "technician", "--kind", "api", "--label", "x", "--days", "30"), nil},
		{"invite", append(slices.Clone(cfg), "--person", "lan", "--organisation", "qingluo", "--role", "technician", "--hours", "48"), nil},
		{"import", append(slices.Clone(cfg), "--dir", filepath.Join(w.dir, "sheets")), nil},
		{"import", append(slices.Clone(cfg), "--file", filepath.Join(w.dir, "sheets", "staff.csv")), nil},
		{"import", []string{"--template", at("forms")}, nil},
		{"export", append(slices.Clone(cfg), "--out", at("export"), "--organisation", "qingluo"), nil},
		{"backup", append(slices.Clone(cfg), "--out", at("backup")), nil},
		{"restore", append(slices.Clone(cfg), "--from", filepath.Join(w.dir, "export"), "--erasures", filepath.Join(w.dir, "export", "erasures.jsonl")), nil},
		{"verify-store", cfg, nil},
		{"repair-log", append(slices.Clone(cfg), "--from", filepath.Join(w.dir, "server", "log")), nil},
		{"pack", append(slices.Clone(cfg), "--visit", "v1", "--person", "fang", "--organisation", "huaishan", "--role", "risk", "--out", at("pack")), nil},
		{"monitor", []string{"--trust", w.trustFile, "--log", "http://127.0.0.1:1", "--state", at("state.json"), "--every", "1m"}, []string{"--once"}},
		{"monitor", []string{"--trust", w.trustFile, "--log", "http://127.0.0.1:1", "--state", at("state.json"), "--feed", "http://127.0.0.1:1", "--token", at("a.token"), "--openings", at("kept"),
			"--organisation", "qingluo", "--ordered", at("ordered")}, []string{"--once"}},
		{"organisation init", []string{"--dir", at("org"), "--organisation", "qingluo", "--name", "青萝", "--kind", "provider", "--listen", "127.0.0.1:0", "--site", "https://menshen.example", "--trust-file", "t.json", "--phone", "10086"}, nil},
		{"organisation serve", []string{"--dir", org}, nil},
		{"organisation code", append(slices.Clone(person), "--reason", "replaced"), nil},
		{"organisation people", []string{"--dir", org}, nil},
		{"organisation put", append(slices.Clone(person), "--name-commitment", strings.Repeat("0a", 32), "--photo-commitment", strings.Repeat("0b", 32)), nil},
		{"organisation leave", person, nil},
		{"organisation revoke-code", person, nil},
		{"organisation end-badges", append(slices.Clone(person), "--reason", "lost"), nil},
		{"organisation end-key", append(slices.Clone(person), "--key", strings.Repeat("A", 43), "--reason", "lost"), nil},
		{"organisation course", []string{"--dir", org}, []string{"../../examples/city/courses/till.yaml"}},
		{"organisation results", []string{"--dir", org}, nil},
		{"organisation lists", []string{"--dir", org}, nil},
		{"organisation publish", []string{"--dir", org, "--days", "1", "--number", "1"}, []string{"parameters", at("list.yaml")}},
		{"organisation trust-file", []string{"--dir", filepath.Join(filepath.Dir(org), "assoc")}, []string{at("list.yaml")}},
	}
}

// paths are the flags that name files and folders.
var paths = []string{"config", "dir", "file", "template", "out", "from", "erasures", "trust", "state", "token", "openings", "ordered"}

// taken are the words that a command rightly takes.
func taken(c commandLine, flag, word string) bool {
	switch c.name + " " + flag {
	case "token --label", "organisation init --name", "organisation init --site", "organisation init --phone", "organisation init --trust-file":
		return true // its owner's own text
	case "witness --origin":
		return !slices.Contains([]string{"nothing", "a space", "huge", "a NUL", "two lines", "not UTF-8", "turned round"}, word) // as C2SP has it
	case "monitor --token":
		return word == "cut" // any line may be a token
	case "init --dir", "witness init --dir", "organisation init --dir", "import --template":
		return word == "nothing there" // it is made
	case "monitor --state", "monitor --openings":
		return word == "nothing there" // before the first look
	}
	return false
}

// answered are exit codes other than 2 with which some commands answer words that could have been right.
func answered(c commandLine, flag string) []int {
	switch {
	case c.name == "pack" || c.name == "export" && flag == "--organisation":
		return []int{exitNotFound}
	case strings.HasPrefix(c.name, "organisation "):
		return []int{exitNotFound, exitRefused}
	case flag == "--out":
		return []int{exitUnavailable} // the folder above is not there, or its disk is full: the same to the system
	}
	return nil
}

var goSays = regexp.MustCompile(`goroutine|panic|%!|\*[a-z]+\.|github\.com|0x[0-9a-f]{6}|hunter2`)

// Every flag of every command with nothing, too much, the wrong kind and what should not be there. Each is refused
// with a sentence in both languages and the documented exit code, and leaves files and rows as they were.
func TestEveryFlagWithWhatItDoesNotWant(t *testing.T) {
	w := theatre(t)
	org := filepath.Join(w.dir, "org")
	at(t, exitDone, "organisation", "init", "--dir", org, "--organisation", "zhixing", "--name", "知行", "--kind", "provider", "--kind", "course_issuer", "--kind", "acquirer")
	trust, err := os.ReadFile("../../docs/examples/trust.json")
	if err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(org, "trust.json"), string(trust)) // whoever gives courses has one
	at(t, exitDone, "organisation", "init", "--dir", filepath.Join(w.dir, "assoc"), "--organisation", "assoc", "--name", "协会", "--kind", "regulator")
	if err := os.CopyFS(filepath.Join(w.dir, "sheets"), city.Files); err != nil {
		t.Fatal(err)
	}
	at(t, exitDone, "import", "--config", w.config, "--dir", filepath.Join(w.dir, "sheets"))
	at(t, exitDone, "export", "--config", w.config, "--out", filepath.Join(w.dir, "export"))
	at(t, exitDone, "organisation", "people", "--dir", org) // opens its journal
	put(t, filepath.Join(w.dir, "out", "a.token"), "menshen_"+strings.Repeat("a", 43))
	put(t, filepath.Join(w.dir, "out", "list.yaml"), "a: b\n")
	put(t, filepath.Join(w.dir, "out", "ordered"), strings.Repeat("0a", 32)+"\n")
	bad, before, tried := badFiles(t, t.TempDir()), standing(t, w.dir), 0
	for _, c := range commandLines(w, org) {
		for i := 0; i < len(c.args); i += 2 {
			flag := c.args[i]
			words := hostileWords
			if slices.Contains(paths, flag[2:]) {
				words = bad
			}
			for word, value := range words {
				if taken(c, flag, word) {
					continue
				}
				args := slices.Concat(strings.Fields(c.name), c.args[:i], []string{flag + "=" + value}, c.args[i+2:], c.rest)
				refused(t, fmt.Sprintf("%s %s with %s", c.name, flag, word), append(answered(c, flag), exitInvalid), args)
				tried++
			}
		}
	}
	for _, c := range commandLines(w, org) {
		for word, value := range bad { // in the place of the last word, a file
			if n := len(c.rest) - 1; n >= 0 && c.rest[n] != "--once" {
				args := slices.Concat(strings.Fields(c.name), c.args, c.rest[:n], []string{value})
				refused(t, fmt.Sprintf("%s FILE with %s", c.name, word), []int{exitInvalid}, args)
				tried++
			}
		}
	}
	for path, sum := range standing(t, w.dir) {
		if before[path] != sum {
			t.Errorf("%s is new or another", path)
		}
		delete(before, path)
	}
	for path := range before {
		t.Errorf("%s is gone", path)
	}
	t.Logf("%d command lines", tried)
}

// refused runs a command that must not do anything, and looks at how it says so.
func refused(t *testing.T, what string, codes []int, args []string) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), 20*time.Second) // for one that would serve, wrongly
	defer stop()
	var out, errs bytes.Buffer
	code := Run(ctx, args, strings.NewReader(""), &out, &errs)
	said := errs.String()
	if !slices.Contains(codes, code) {
		t.Errorf("%s: exits %d, want %v: %.300s", what, code, codes, said)
	}
	if lines := strings.Split(said, "\n"); len(lines) < 2 || !strings.HasPrefix(lines[0], "错误 ") || !strings.HasPrefix(lines[1], "error ") || len(lines) > 8 || len(said) > 8<<10 {
		t.Errorf("%s: %d lines, %d bytes: %.300s", what, len(lines), len(said), said)
	}
	if found := goSays.FindString(said + out.String()); found != "" || strings.ContainsFunc(strings.ReplaceAll(said, "\n", ""), unprintable) || !utf8.ValidString(said) {
		t.Errorf("%s: shows %q: %.300q", what, found, said)
	}
	if out.Len() > 0 && !strings.HasPrefix(what, "import ") { // its list of what is wrong is its result
		t.Errorf("%s: printed %.300s", what, out.String())
	}
}

// standing is every file below a folder with its digest, of a database the rows of each table.
func standing(t *testing.T, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || strings.HasSuffix(path, "-wal") || strings.HasSuffix(path, "-shm") {
			return err
		}
		if d.IsDir() {
			found[path] = "folder"
			return nil
		}
		if filepath.Ext(path) == ".db" {
			return rowsOf(path, found)
		}
		data, err := os.ReadFile(path)
		found[path] = fmt.Sprintf("%x", sha256.Sum256(data))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func rowsOf(path string, found map[string]string) error {
	db, err := sql.Open("sqlite", path)
	if err != nil {
		return err
	}
	defer db.Close()
	names, err := column(db, "SELECT name FROM sqlite_master WHERE type = 'table'")
	for _, name := range names {
		var n int
		if err := db.QueryRow("SELECT count(*) FROM " + string(name)).Scan(&n); err != nil {
			return err
		}
		found[path+" "+string(name)] = fmt.Sprint(n)
	}
	return err
}

// Whoever adds a command or a flag adds it to the table, too.
func TestTheTableOfCommandsIsWhole(t *testing.T) {
	apart := []string{"menshen", "demo", "demo-host", "bench", "version", "help", "organisation"} // no file or word of an operator's goes in
	there := map[string]bool{}
	for _, c := range commandLines(&world{}, "") {
		there[c.name] = true
		for _, a := range c.args {
			there[c.name+" "+strings.SplitN(a, "=", 2)[0]] = true
		}
	}
	for _, cmd := range everyCommand(newRoot()) {
		name := strings.TrimPrefix(strings.TrimPrefix(cmd.CommandPath(), "menshen"), " ")
		if slices.Contains(apart, cmd.Name()) && name == strings.TrimPrefix(cmd.Name(), "menshen") {
			continue
		}
		if !there[name] {
			t.Errorf("%s is not in the table", name)
		}
		cmd.LocalNonPersistentFlags().VisitAll(func(f *pflag.Flag) {
			if f.Value.Type() != "bool" && f.Name != "profile" && !there[name+" --"+f.Name] {
				t.Errorf("%s --%s is not in the table", name, f.Name)
			}
		})
	}
}

// What no command has: a flag, a word more, a yes or no that is neither.
func TestWordsThatNoCommandHas(t *testing.T) {
	for _, cmd := range everyCommand(newRoot()) {
		path := strings.Fields(cmd.CommandPath())[1:]
		if len(path) > 0 && path[0] == "help" {
			continue
		}
		for what, more := range map[string][]string{"an unknown flag": {"--frobnicate"}, "a flag in one letter": {"-x"}, "words more": {"conjure", "conjure"}} {
			refused(t, fmt.Sprintf("%v with %s", path, what), []int{exitInvalid}, append(slices.Clone(path), more...))
		}
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			for _, value := range []string{"maybe", "2", ""} {
				if f.Value.Type() == "bool" {
					refused(t, fmt.Sprintf("%v --%s=%s", path, f.Name, value), []int{exitInvalid}, append(slices.Clone(path), "--"+f.Name+"="+value))
				}
			}
		})
	}
}
