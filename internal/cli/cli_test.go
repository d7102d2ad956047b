package cli

import (
	"bytes"
	"context"
	"errors"
	"os"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/rogpeppe/go-internal/testscript"
	"github.com/spf13/cobra"
)

// TestMain lets scripts run menshen as the program it is.
func TestMain(m *testing.M) {
	testscript.Main(cleaning{m}, map[string]func(){
		"menshen":       func() { os.Exit(Run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) },
		"lying-witness": lyingWitness,
	})
}

// builtIn is where the programs are built, "" until a test needs them.
var builtIn string

// cleaning removes the programs that tests built, when all have run.
type cleaning struct{ *testing.M }

func (c cleaning) Run() int {
	code := c.M.Run()
	if err := os.RemoveAll(builtIn); err != nil {
		return max(code, 1)
	}
	return code
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata/script", RequireExplicitExec: true, Setup: scriptWorld, Cmds: scriptCommands})
}

func TestEveryKindHasItsExitCode(t *testing.T) {
	for kind, want := range map[fault.Kind]int{
		fault.Invalid: 2, fault.TooLarge: 2, fault.Refused: 3, fault.Conflict: 3, fault.Forbidden: 3,
		fault.Unauthenticated: 3, fault.NotFound: 4, fault.Unavailable: 5, fault.TooMany: 5, fault.Internal: 1,
		"unheard of": 1,
	} {
		if got := exitCode(kind); got != want {
			t.Errorf("%s exits %d, want %d", kind, got, want)
		}
	}
}

func TestReportShowsACauseOnlyToActOn(t *testing.T) {
	cause := errors.New("the cause")
	for _, r := range []struct {
		kind  fault.Kind
		shown bool
	}{
		{fault.Internal, true}, {fault.Unavailable, true},
		{fault.Invalid, false}, {fault.Refused, false}, {fault.NotFound, false},
	} {
		var out bytes.Buffer
		report(&out, fault.New(r.kind, "some_rule", "不行。", "It will not do.").At("merchant").Because(cause))
		text := out.String()
		if strings.Contains(text, "the cause") != r.shown {
			t.Errorf("%s: cause shown is not %v:\n%s", r.kind, r.shown, text)
		}
		for _, part := range []string{"some_rule", "(merchant)", "不行。", "It will not do."} {
			if !strings.Contains(text, part) {
				t.Errorf("%s: %q is missing:\n%s", r.kind, part, text)
			}
		}
	}
}

func TestEveryCommandSaysWhatItIsInBothLanguagesWithAnExample(t *testing.T) {
	for _, cmd := range everyCommand(newRoot()) {
		if cmd.Example == "" {
			t.Errorf("%s has no example", cmd.Name())
		}
		if !strings.ContainsFunc(cmd.Short, func(r rune) bool { return r >= '一' && r <= '鿿' }) ||
			!strings.ContainsFunc(cmd.Short, func(r rune) bool { return r >= 'a' && r <= 'z' }) {
			t.Errorf("%s is not described in both languages: %q", cmd.Name(), cmd.Short)
		}
	}
}

func everyCommand(cmd *cobra.Command) []*cobra.Command {
	all := []*cobra.Command{cmd}
	for _, c := range cmd.Commands() {
		all = append(all, everyCommand(c)...)
	}
	return all
}

func TestHelpOfEveryCommandShowsItsExample(t *testing.T) {
	for _, cmd := range everyCommand(newRoot()) {
		args := append(strings.Fields(cmd.CommandPath())[1:], "--help")
		var out, errs bytes.Buffer
		got := Run(t.Context(), args, strings.NewReader(""), &out, &errs)
		if got != exitDone || !strings.Contains(out.String(), "Examples:") || !strings.Contains(out.String(), cmd.CommandPath()) {
			t.Errorf("%q exits %d: %s%s", args, got, out.String(), errs.String())
		}
	}
}

func TestVersionPrefersWhatTheBuildWasTold(t *testing.T) {
	vcs := &debug.BuildInfo{Main: debug.Module{Version: "v1.2.3"}, Settings: []debug.BuildSetting{{Key: "vcs.revision", Value: "abc"}}}
	for _, r := range []struct {
		name, version, commit string
		info                  *debug.BuildInfo
		want                  string
	}{
		{"linker flags", "v9", "def", vcs, "menshen v9\ncommit def\n"},
		{"the toolchain's own", "", "", vcs, "menshen v1.2.3\ncommit abc\n"},
		{"a development build", "", "", &debug.BuildInfo{Main: debug.Module{Version: "(devel)"}}, "menshen unknown\ncommit unknown\n"},
		{"nothing known", "", "", nil, "menshen unknown\ncommit unknown\n"},
	} {
		version, commit = r.version, r.commit
		if got := describe(r.info); !strings.HasPrefix(got, r.want) {
			t.Errorf("%s: %q", r.name, got)
		}
	}
	version, commit = "", ""
}

func TestWrongWordsExitTwo(t *testing.T) {
	for _, args := range [][]string{{"conjure"}, {"--frobnicate"}, {"version", "now"}, {"version", "--frobnicate"}} {
		var out, errs bytes.Buffer
		if got := Run(t.Context(), args, strings.NewReader(""), &out, &errs); got != exitInvalid {
			t.Errorf("%q exits %d, want %d: %s", args, got, exitInvalid, errs.String())
		}
		if out.Len() != 0 {
			t.Errorf("%q printed %q as a result", args, out.String())
		}
	}
}
