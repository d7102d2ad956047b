package menshen_test

import (
	"bytes"
	"errors"
	"flag"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/menshen-project/menshen/internal/cli"
)

// command is one line of a shell block.
type command struct {
	block block
	words []string
}

// commands reads the shell blocks, those in lists too.
func commands(t *testing.T) []command {
	t.Helper()
	var all []command
	for _, b := range docBlocks(t) {
		if b.lang != "sh" {
			continue
		}
		for line := range strings.Lines(b.text) {
			line, _, _ = strings.Cut(line, " #")
			if words := strings.Fields(line); len(words) > 0 {
				all = append(all, command{b, words})
			}
		}
	}
	if len(all) < 10 {
		t.Fatalf("only %d commands in the documents: the search is broken", len(all))
	}
	return all
}

// run runs menshen as the program it is.
func run(t *testing.T, args ...string) (out string, status int) {
	t.Helper()
	var both bytes.Buffer
	status = cli.Run(t.Context(), args, strings.NewReader(""), &both, &both)
	return both.String(), status
}

// Every command line in the documents names a target, a command and flags that exist.
func TestCommandsInDocumentsExist(t *testing.T) {
	targets := regexp.MustCompile(`(?m)^([a-z-]+):`).FindAllStringSubmatch(read(t, "Makefile"), -1)
	for _, c := range commands(t) {
		known := true
		switch c.words[0] {
		case "make":
			known = slices.ContainsFunc(targets, func(m []string) bool { return m[1] == c.words[1] })
		case "go":
			for _, w := range c.words[2:] {
				if name, isFlag := strings.CutPrefix(w, "-"); isFlag && name != "run" && flag.Lookup(name) == nil {
					known = false
				}
			}
		case "bin/menshen", "bin/menshen-verify":
			if complaint := commandComplaint(t, c.words); complaint != "" {
				t.Errorf("%s: %s", c.block, complaint)
			}
		default:
			known = false
		}
		if !known {
			t.Errorf("%s: %q is not known here", c.block, strings.Join(c.words, " "))
		}
	}
}

// commandComplaint asks a program's own help about the words of a command line.
func commandComplaint(t *testing.T, words []string) string {
	t.Helper()
	sub := slices.IndexFunc(words[1:], func(w string) bool { return strings.HasPrefix(w, "-") || strings.Contains(w, "/") })
	if sub < 0 {
		sub = len(words) - 1
	}
	var help string
	if words[0] == "bin/menshen" {
		var status int
		if help, status = run(t, append(slices.Clone(words[1:1+sub]), "--help")...); status != 0 {
			return "no command " + strings.Join(words[:1+sub], " ")
		}
	} else {
		help = read(t, "cmd/menshen-verify/options.go")
	}
	for _, w := range words[1:] {
		if strings.HasPrefix(w, "--") && !regexp.MustCompile(`(?m)`+w+`\b`).MatchString(help) {
			return words[0] + " has no flag " + w
		}
	}
	return ""
}

// What can be run without a deployment is run: the offline check of the committed bundle, and the
// making of keys, in the order of the README.
func TestCommandsInReadmesRun(t *testing.T) {
	verify := filepath.Join(t.TempDir(), "menshen-verify")
	if out, err := exec.Command("go", "build", "-o", verify, "./cmd/menshen-verify").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	all := commands(t)
	ran := map[string]int{}
	for _, c := range all {
		if c.words[0] == "bin/menshen-verify" && strings.HasPrefix(c.words[len(c.words)-1], examples) {
			out, err := exec.Command(verify, c.words[1:]...).CombinedOutput()
			if err != nil || !strings.Contains(string(out), "ACCEPTED") {
				t.Errorf("%s: %v\n%s", c.block, err, out)
			}
			ran["verify"]++
		}
	}
	config := ""
	for _, c := range all {
		if c.words[0] != "bin/menshen" || !slices.Contains(c.words, "init") {
			continue
		}
		args := slices.Clone(c.words[1:])
		dir := &args[slices.Index(args, "--dir")+1]
		*dir = filepath.Join(t.TempDir(), *dir)
		if out, status := run(t, args...); status != 0 {
			t.Errorf("%s: exit status %d\n%s", c.block, status, out)
		}
		if c.words[1] == "init" {
			config = filepath.Join(*dir, "config.yaml")
		}
		ran["init"]++
	}
	if ran["verify"] < 3 || ran["init"] < 4 {
		t.Errorf("ran %v", ran)
	}
	// A config that nobody filled in does not serve, and says what is missing.
	if out, status := run(t, "serve", "--config", config); status != 2 || !strings.Contains(out, "log.witnesses") {
		t.Errorf("exit status %d\n%s", status, out)
	}
}

// The pieces of configuration in the documents have names that the program reads.
func TestConfigurationInDocumentsIsRead(t *testing.T) {
	count := 0
	for _, b := range docBlocks(t) {
		if b.lang != "yaml" {
			continue
		}
		count++
		dec := yaml.NewDecoder(strings.NewReader(b.text))
		dec.KnownFields(true)
		var c cli.Config
		if err := dec.Decode(&c); err != nil {
			t.Errorf("%s: %v", b, err)
		}
	}
	if count == 0 {
		t.Error(errors.New("no configuration in the documents"))
	}
}

// faultCodes finds every code that the program can answer with, by package folder.
func faultCodes(t *testing.T) map[string][]string {
	t.Helper()
	made := regexp.MustCompile(`fault\.New\(\s*(?:fault\.)?\w+,\s*(?:"([a-z0-9_]+)"|(\w+))`)
	codes := map[string][]string{}
	for _, f := range goFiles(t) {
		if f.test {
			continue
		}
		for _, m := range made.FindAllStringSubmatch(f.source, -1) {
			code := m[1]
			if code == "" { // a constant of the file
				if c := regexp.MustCompile(m[2] + `\s*=\s*"([a-z0-9_]+)"`).FindStringSubmatch(f.source); c != nil {
					code = c[1]
				}
			}
			codes[f.path] = append(codes[f.path], code)
		}
	}
	return codes
}

// Every code in the tables of operations.md exists, and every code of log, witness and the way to the
// host stands there.
func TestOperationsExplainEveryRefusal(t *testing.T) {
	const page = "docs/operations.md"
	every, must := map[string]bool{}, map[string]bool{}
	for file, codes := range faultCodes(t) {
		for _, code := range codes {
			every[code] = true
			if strings.HasPrefix(file, "internal/transparency/") || strings.HasPrefix(file, "internal/acquirer/") {
				must[code] = true
			}
		}
	}
	delete(must, "key_name_malformed") // of names that people type, told on the spot
	explained := map[string]bool{}
	for line := range strings.Lines(read(t, page)) {
		if !strings.HasPrefix(line, "| `") || strings.Contains(line, "`.") {
			continue
		}
		first, _, _ := strings.Cut(line[1:], "|")
		for _, m := range regexp.MustCompile("`([a-z0-9]+(?:_[a-z0-9]+)+)`").FindAllStringSubmatch(first, -1) {
			explained[m[1]] = true
			if !every[m[1]] {
				t.Errorf("%s explains %s, which nothing answers", page, m[1])
			}
		}
	}
	for code := range must {
		if !explained[code] {
			t.Errorf("%s does not explain %s", page, code)
		}
	}
}
