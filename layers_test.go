package menshen_test

import (
	"fmt"
	"go/ast"
	"maps"
	"os/exec"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/menshen-project/menshen"

// layers is the architecture, lowest first. A package may import what stands on a lower line, and
// nothing of its own line but what beside allows. Up to pureLayers everything decides and touches no
// disk, network, database or clock; above, everything operates and decides nothing.
var layers = [][]string{
	{"internal/fault", "internal/memo"},
	{"internal/identifier", "internal/statement", "internal/record", "internal/registry"},
	{"internal/visit", "internal/credential", "internal/door", "internal/custody", "internal/attest", "internal/agreement", "internal/ticket"},
	{"internal/gate"},
	{"evidence", "internal/access"},
	{"internal/files", "internal/store", "internal/journal", "internal/service"},
	{"internal/vault", "internal/transparency", "internal/acquirer"},
	// Both call out by the client that hosts are called with: pinned, without redirects, proxies or cookies.
	// An organisation's own service is another party's program: it links nothing of the server's.
	{"internal/orgapi", "internal/notify"},
	{"internal/organisation"},
	{"internal/app"},
	{"internal/pages", "internal/httpapi", "internal/jobs"},
	// Simulated people, devices and hosts, for tests and the demo: nothing below cli may know them.
	{"internal/scenario/iso8583"},
	{"internal/scenario"},
	{"internal/scenario/simhost"},
	{"internal/bench"},
	{"internal/cli"},
	{"cmd/menshen"},
}

const pureLayers = 5

// beside are the imports allowed within one line, each because the lower of the two is a vocabulary.
var beside = map[string][]string{
	"internal/statement": {"internal/identifier"},
	"internal/record":    {"internal/identifier", "internal/statement"},
	"internal/registry":  {"internal/identifier", "internal/statement", "internal/record"},
}

// apart are packages that stand outside the layers: exactly what each may import from the module.
var apart = map[string][]string{
	"cmd/menshen-verify": slices.Concat(layers[0], layers[1], layers[2], layers[3], []string{"evidence"}),
	"examples/city":      {}, // data files, embedded
}

// tests are packages that the tests of any package may import, those of the deciding ones included:
// a whole visit is the only thing that shows whether a judge is right.
var tests = map[string]bool{"internal/scenario": true, "evidence": true}

// data are packages that hold files and no rules; any package above the pure ones may import them.
var data = []string{"examples/city"}

// impure are the standard packages that reach disk, network, database, other processes or the log.
var impure = []string{
	"os", "net", "net/http", "net/rpc", "net/smtp", "database/sql", "io/ioutil", "syscall", "log", "plugin", "unsafe", "expvar",
}

// impureClock are the functions of package time that read the clock or wait for it. Callers pass now.
var impureClock = []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker"}

// pureModules are the only modules of others that may decide with us. Tests use what they like.
var pureModules = []string{
	"golang.org/x/crypto/cryptobyte", "golang.org/x/mod/sumdb/note", "golang.org/x/mod/sumdb/tlog", "golang.org/x/text/unicode/norm",
	"github.com/transparency-dev/formats", "github.com/transparency-dev/merkle",
}

// layerOf gives the line that a package stands on, -1 when it has none.
func layerOf(pkg string) int {
	return slices.IndexFunc(layers, func(line []string) bool { return slices.Contains(line, pkg) })
}

func isPure(pkg string) bool { return layerOf(pkg) >= 0 && layerOf(pkg) < pureLayers }

// within says whether an import path is root or lies under it.
func within(imported, root string) bool {
	return imported == root || strings.HasPrefix(imported, root+"/")
}

func TestEveryImportIsAllowed(t *testing.T) {
	for _, f := range goFiles(t) {
		for _, complaint := range importComplaints(f) {
			t.Errorf("%s %s", f.path, complaint)
		}
	}
}

// helper says whether a package only helps tests: package xtest beside or below package x. It is held
// to what tests are held to, and only tests import it.
func helper(pkg string) bool {
	return strings.HasSuffix(pkg, "test") && strings.HasSuffix(path.Dir(pkg), strings.TrimSuffix(path.Base(pkg), "test"))
}

func importComplaints(f goFile) []string {
	if helper(f.pkg) {
		return nil
	}
	if _, standsApart := apart[f.pkg]; f.pkg != "." && layerOf(f.pkg) < 0 && !standsApart {
		return []string{"is in a package that the table of layers does not name"}
	}
	var complaints []string
	for _, spec := range f.syntax.Imports {
		imported, _ := strconv.Unquote(spec.Path.Value) // the parser has read it
		complaint := ""
		switch first, _, _ := strings.Cut(imported, "/"); {
		case within(imported, module):
			complaint = ownComplaint(f, strings.TrimPrefix(imported, module+"/"))
		case f.test:
		case imported == "testing" || imported == "pgregory.net/rapid" || strings.HasPrefix(imported, "testing/"):
			complaint = "is a test tool in shipped code"
		case strings.Contains(first, "."):
			complaint = foreignComplaint(f, imported)
		case isPure(f.pkg) && slices.ContainsFunc(impure, func(p string) bool { return p == imported || p != "net" && within(imported, p) }):
			complaint = "reaches the world from a package that decides"
		}
		if complaint != "" {
			complaints = append(complaints, fmt.Sprintf("imports %q: %s", imported, complaint))
		}
	}
	if isPure(f.pkg) && !f.test {
		complaints = append(complaints, clockComplaints(f.syntax)...)
	}
	return complaints
}

// ownComplaint judges an import from this module. A test may also import its own package, and above the
// pure layers whatever it needs; the tests of a package that decides stay as pure as it is.
func ownComplaint(f goFile, imported string) string {
	if helper(imported) && !f.test {
		return "helps tests only"
	}
	if f.pkg == "." || f.test && (imported == f.pkg || !isPure(f.pkg) || helper(imported) || tests[imported]) {
		return ""
	}
	allowed, standsApart := apart[f.pkg]
	from, to := layerOf(f.pkg), layerOf(imported)
	switch {
	case standsApart && slices.Contains(allowed, imported):
	case standsApart:
		return "this package may import only " + strings.Join(allowed, ", ")
	case slices.Contains(data, imported):
		if isPure(f.pkg) {
			return "a package that decides is given its data"
		}
	case to < 0:
		return "the table of layers does not name it"
	case to == from && slices.Contains(beside[f.pkg], imported):
	case to >= from:
		return "it stands no lower in the table of layers"
	}
	return ""
}

// foreignComplaint judges an import of somebody else's module in shipped code.
func foreignComplaint(f goFile, imported string) string {
	switch {
	case f.pkg == "cmd/menshen-verify":
		return "the verifier is built from evidence and the standard library"
	case isPure(f.pkg) && !slices.ContainsFunc(pureModules, func(m string) bool { return within(imported, m) }):
		return "not among the modules that may decide with us"
	}
	return ""
}

func clockComplaints(file *ast.File) []string {
	name := ""
	for _, spec := range file.Imports {
		if spec.Path.Value == `"time"` {
			name = "time"
			if spec.Name != nil {
				name = spec.Name.Name
			}
		}
	}
	if name == "." {
		return []string{"imports time into its own names, where a clock hides"}
	}
	var complaints []string
	ast.Inspect(file, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok && name != "" {
			if x, ok := sel.X.(*ast.Ident); ok && x.Name == name && slices.Contains(impureClock, sel.Sel.Name) {
				complaints = append(complaints, "uses time."+sel.Sel.Name+": callers pass now")
			}
		}
		return true
	})
	return complaints
}

// TestNothingPureLinksTheWorld asks the toolchain for what is really linked, through the modules of
// others too. (net and os arrive with crypto/x509 and fmt; nothing here calls them.)
func TestNothingPureLinksTheWorld(t *testing.T) {
	banned := []string{"net/http", "database/sql", "os/exec", "net/rpc", "testing"}
	for _, pkg := range packages(t) {
		if !isPure(pkg) && pkg != "cmd/menshen-verify" {
			continue
		}
		out, err := exec.Command("go", "list", "-deps", "./"+pkg).Output()
		if err != nil {
			t.Fatalf("go list -deps %s: %v", pkg, err)
		}
		for _, dep := range strings.Fields(string(out)) {
			if slices.Contains(banned, dep) {
				t.Errorf("%s links %s", pkg, dep)
			}
			if own, found := strings.CutPrefix(dep, module+"/"); found && own != pkg && !isPure(own) {
				t.Errorf("%s links %s, which operates", pkg, own)
			}
		}
	}
}

func TestTheLayerRulesCanFail(t *testing.T) {
	for _, r := range []struct {
		name, path, source string
		complaint          string // "" for none
	}{
		{"a decider imports below", "internal/gate/x.go", `import "` + module + `/internal/visit"`, ""},
		{"a decider imports above", "internal/gate/x.go", `import "` + module + `/internal/app"`, "stands no lower"},
		{"two deciders of one line", "internal/visit/x.go", `import "` + module + `/internal/custody"`, "stands no lower"},
		{"a vocabulary beside", "internal/registry/x.go", `import "` + module + `/internal/statement"`, ""},
		{"the vocabulary the other way", "internal/statement/x.go", `import "` + module + `/internal/registry"`, "stands no lower"},
		{"a new package", "internal/newcomer/x.go", ``, "does not name"},
		{"an import nobody named", "internal/app/x.go", `import "` + module + `/internal/newcomer"`, "does not name it"},
		{"the demo command runs a scenario", "internal/cli/x.go", `import "` + module + `/internal/scenario"`, ""},
		{"the server runs a scenario", "internal/pages/x.go", `import "` + module + `/internal/scenario"`, "stands no lower"},
		{"a scenario uses the server's types", "internal/scenario/x.go", `import "` + module + `/internal/httpapi"`, ""},
		{"a scenario uses the command line", "internal/scenario/x.go", `import "` + module + `/internal/cli"`, "stands no lower"},
		{"a scenario reads the city", "internal/scenario/x.go", `import "` + module + `/examples/city"`, ""},
		{"a decider reads the city", "internal/gate/x.go", `import "` + module + `/examples/city"`, "given its data"},
		{"the verifier judges", "cmd/menshen-verify/main.go", `import "` + module + `/evidence"`, ""},
		{"the verifier links the server", "cmd/menshen-verify/main.go", `import "` + module + `/internal/store"`, "may import only"},
		{"the verifier takes a module", "cmd/menshen-verify/main.go", `import "github.com/spf13/cobra"`, "the standard library"},
		{"a decider opens a file", "internal/fault/x.go", `import "os"`, "reaches the world"},
		{"a decider runs a program", "internal/fault/x.go", `import "os/exec"`, "reaches the world"},
		{"a decider logs", "evidence/x.go", `import "log/slog"`, "reaches the world"},
		{"a decider dials", "evidence/x.go", `import "net"`, "reaches the world"},
		{"a decider reads an address, which is text", "evidence/x.go", `import "net/url"`, ""},
		{"an operator opens a file", "internal/store/x.go", `import "os"`, ""},
		{"a decider takes a module", "internal/gate/x.go", `import "github.com/spf13/cobra"`, "not among the modules"},
		{"a decider takes an allowed module", "internal/record/x.go", `import "golang.org/x/mod/sumdb/tlog"`, ""},
		{"shipped code imports testing", "internal/scenario/x.go", `import "testing"`, "test tool"},
		{"a test imports testing", "internal/gate/x_test.go", `import "testing"`, ""},
		{"a decider's test imports its own package", "internal/gate/x_test.go", `import "` + module + `/internal/gate"`, ""},
		{"a decider's test imports the server", "internal/gate/x_test.go", `import "` + module + `/internal/app"`, "stands no lower"},
		{"a server's test runs a scenario", "internal/httpapi/x_test.go", `import "` + module + `/internal/scenario"`, ""},
		{"a decider reads the clock", "internal/gate/x.go", "import \"time\"\nvar now = time.Now()", "uses time.Now"},
		{"a decider hands the clock on", "internal/gate/x.go", "import clock \"time\"\nvar f = clock.Since", "uses time.Since"},
		{"a decider hides the clock", "internal/gate/x.go", `import . "time"`, "a clock hides"},
		{"a decider computes with times", "internal/gate/x.go", "import \"time\"\nvar day = 24 * time.Hour", ""},
		{"an operator reads the clock", "internal/jobs/x.go", "import \"time\"\nvar now = time.Now()", ""},
	} {
		got := strings.Join(importComplaints(parse(t, r.path, "package x\n"+r.source)), "; ")
		if (got == "") != (r.complaint == "") || !strings.Contains(got, r.complaint) {
			t.Errorf("%s: %q, want %q", r.name, got, r.complaint)
		}
	}
}

func TestTheTableNamesEachPackageOnce(t *testing.T) {
	seen := map[string]bool{}
	for _, pkg := range slices.Concat(slices.Concat(layers...), slices.Collect(maps.Keys(apart))) {
		if seen[pkg] || path.Clean(pkg) != pkg {
			t.Errorf("%s stands twice or is misspelt", pkg)
		}
		seen[pkg] = true
	}
	for pkg, others := range beside {
		for _, other := range others {
			if layerOf(pkg) < 0 || layerOf(pkg) != layerOf(other) {
				t.Errorf("%s and %s do not stand on one line", pkg, other)
			}
		}
	}
}
