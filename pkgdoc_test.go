package menshen_test

import (
	"go/ast"
	"go/build/constraint"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestEveryPackageSaysWhatItIs(t *testing.T) {
	docs := map[string]string{}
	for _, f := range goFiles(t) {
		// templ writes its version where a doc comment stands.
		if !f.test && f.syntax.Doc != nil && !strings.HasSuffix(f.path, "_templ.go") {
			docs[f.pkg] += f.syntax.Doc.Text()
		}
	}
	for _, pkg := range packages(t) {
		want := "Package " + pkg[strings.LastIndex(pkg, "/")+1:] + " "
		if strings.HasPrefix(pkg, "cmd/") {
			want = "Command " + strings.TrimPrefix(pkg, "cmd/") + " "
		}
		if !strings.HasPrefix(docs[pkg], want) {
			t.Errorf("%s: its doc comment does not begin with %q", pkg, want)
		}
	}
}

// A skipped test is green where it was only not red.
func TestNoTestIsSkipped(t *testing.T) {
	for _, f := range goFiles(t) {
		if f.test {
			for _, name := range skips(f.syntax) {
				t.Errorf("%s calls %s", f.path, name)
			}
		}
	}
	for _, p := range allFiles(t) {
		text := strings.Contains(p, "testdata/") && (strings.HasSuffix(p, ".txt") || strings.HasSuffix(p, ".txtar"))
		if text && scriptSkip.MatchString(read(t, p)) {
			t.Errorf("%s skips or stops early", p)
		}
		if webTest.MatchString(p) && webSkip.MatchString(read(t, p)) {
			t.Errorf("%s skips a test, or runs one only", p)
		}
	}
}

var (
	scriptSkip = regexp.MustCompile(`(?m)^(\[[^\]]*\] *)*(skip|stop)\b`)
	webTest    = regexp.MustCompile(`[._](test|spec)\.[cm]?[jt]sx?$`)
	webSkip    = regexp.MustCompile(`\b(test|it|describe|t)\.(skip|todo|only)\b`)
)

// skips finds calls that end a test without a verdict. (Skip on other things, such as a byte reader, is
// no skip; tests call their parameter t, b, f, rt or tb.)
func skips(file *ast.File) []string {
	var found []string
	ast.Inspect(file, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok {
			x, _ := sel.X.(*ast.Ident)
			tester := x != nil && slices.Contains([]string{"t", "b", "f", "rt", "tb"}, x.Name)
			short := x != nil && x.Name == "testing" && sel.Sel.Name == "Short"
			if short || tester && slices.Contains([]string{"Skip", "Skipf", "SkipNow"}, sel.Sel.Name) {
				found = append(found, x.Name+"."+sel.Sel.Name)
			}
		}
		return true
	})
	return found
}

// A test under a build tag that nobody sets is a skipped test.
func TestEveryTestTagIsRunByMake(t *testing.T) {
	line := regexp.MustCompile(`(?m)^TAGS *:?= *(.*)$`).FindStringSubmatch(read(t, "Makefile"))
	if line == nil {
		t.Fatal("the Makefile names no TAGS")
	}
	known := append(strings.Split(strings.TrimSpace(line[1]), ","), "linux", "unix", "amd64", "arm64")
	for _, f := range goFiles(t) {
		if !f.test {
			continue
		}
		for _, tag := range tags(t, f.source) {
			if !slices.Contains(known, tag) {
				t.Errorf("%s needs the tag %s, which make test does not set", f.path, tag)
			}
		}
	}
}

func tags(t *testing.T, source string) []string {
	t.Helper()
	var found []string
	for line := range strings.Lines(source) {
		if strings.HasPrefix(line, "package ") {
			break
		}
		if !constraint.IsGoBuild(line) {
			continue
		}
		expr, err := constraint.Parse(strings.TrimSpace(line))
		if err != nil {
			t.Fatal(err)
		}
		expr.Eval(func(tag string) bool { found = append(found, tag); return true }) // asks about every tag
	}
	return found
}

// machinePath and registryHosts are written in pieces, so that this file does not hold what it forbids.
var machinePath = regexp.MustCompile(`(^|[^A-Za-z0-9_.~/-])/(wo` + `rk|ro` + `ot)/`)

var registryHosts = []string{
	"proxy.go" + "lang.org", "sum.go" + "lang.org", "go" + "proxy.cn", "go" + "proxy.io", "registry.npm" + "js.org",
	"registry.npm" + "mirror.com", "deb.deb" + "ian.org", "py" + "pi.org", "python" + "hosted.org", "crates" + ".io",
	"docker" + ".io", "repo1.mav" + "en.org",
}

func TestNoFileKnowsTheMachineItWasMadeOn(t *testing.T) {
	for _, p := range allFiles(t) {
		for _, complaint := range machineComplaints(read(t, p)) {
			t.Errorf("%s mentions %s", p, complaint)
		}
	}
}

func machineComplaints(content string) []string {
	var found []string
	if at := machinePath.FindString(content); at != "" {
		found = append(found, "the machine's path "+strings.TrimSpace(at))
	}
	for _, host := range registryHosts {
		if strings.Contains(content, host) {
			found = append(found, "the registry "+host)
		}
	}
	return found
}

func TestTheHouseRulesCanFail(t *testing.T) {
	for _, r := range []struct {
		name, source string
		want         int
	}{
		{"skip", "package x\nfunc TestX(t *testing.T) { t.Skip() }", 1},
		{"skip with words", "package x\nfunc TestX(t *testing.T) { t.Run(\"\", func(t *testing.T) { t.Skipf(\"\") }) }", 1},
		{"short", "package x\nvar _ = testing.Short()", 1},
		{"a byte reader's skip", "package x\nvar _ = reader.Skip(3)", 0},
		{"none", "package x\nfunc TestX(t *testing.T) { t.Fatal() }", 0},
	} {
		if got := skips(parse(t, "x/x_test.go", r.source).syntax); len(got) != r.want {
			t.Errorf("%s: %q", r.name, got)
		}
	}
	for _, r := range []struct {
		script string
		want   bool
	}{{"exec a\nskip later\n", true}, {"[!exec:x] skip\n", true}, {"stop\n", true}, {"exec skip\n# skip\n", false}} {
		if got := scriptSkip.MatchString(r.script); got != r.want {
			t.Errorf("script %q: %v", r.script, got)
		}
	}
	for content, want := range map[string]int{
		"cd /wo" + "rk/main":                     1,
		"\"/ro" + "ot/go\"":                      1,
		"https://registry.npm" + "js.org/x":      1,
		"a framework/wo" + "rk/b and network/go": 0,
		"nothing":                                0,
	} {
		if got := machineComplaints(content); len(got) != want {
			t.Errorf("%q: %q", content, got)
		}
	}
	if got := tags(t, "//go:build browser && !slow\n\npackage x\n"); !slices.Contains(got, "browser") || !slices.Contains(got, "slow") {
		t.Errorf("tags: %q", got)
	}
	if !webSkip.MatchString("test.skip('x')") || !webTest.MatchString("a/b.test.mjs") || webTest.MatchString("a/test.js") {
		t.Error("the rules for web tests do not bite")
	}
}
