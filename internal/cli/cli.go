// Package cli is the command line: one file per command, each of which wires what it runs. It decides
// nothing; what a command finds comes back as a fault, and the fault's kind is the exit code.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Exit codes. Scripts act on them, so a code never changes its meaning.
const (
	exitDone        = 0 // done
	exitInternal    = 1 // menshen's own defect
	exitInvalid     = 2 // wrong command, flag, file or value
	exitRefused     = 3 // understood, but a rule says no
	exitNotFound    = 4 // no such thing
	exitUnavailable = 5 // something needed does not answer; try again later
)

const exitHelp = `退出码 Exit codes:
  0  完成                      done
  1  程序自身的错误            menshen's own defect
  2  命令、参数或文件不对      wrong command, flag, file or value
  3  规则不允许                refused by a rule
  4  找不到                    not found
  5  暂时不可用，请稍后再试    unavailable, try again later`

var errUsage = fault.New(fault.Invalid, "usage",
	"命令或参数不对，请看 menshen --help。", "The command or its arguments are wrong; see menshen --help.")

// Run runs one command with its arguments (without the program's name) and gives the exit code.
// It ends early, with the command's own outcome, when ctx is cancelled.
func Run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	root := newRoot()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitDone
	}
	f := fault.Of(err)
	report(stderr, f)
	return exitCode(f.Kind)
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "menshen",
		Short: "门神：没有证明，就不开通 · No proof, no activation",
		Long: `门神（menshen）看住上门安装 POS 机的全过程：人、公司、机器、价格、施工、测试都有签名证据，
收单机构的主机重新核对以后，才给终端装密钥。

menshen makes the on-site installation of payment terminals provably safe: a terminal gets its
keys only when the acquirer's own host has re-checked signed evidence of the whole visit.

` + exitHelp,
		Example: `  menshen version        看版本 show what this program was built from
  menshen help version   看某个命令的用法 show how a command is used`,
		Args:              usage(cobra.NoArgs),
		RunE:              func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		PersistentPreRunE: words,
		SilenceErrors:     true, // Run reports, in both languages
		SilenceUsage:      true,
	}
	root.AddCommand(fileCommands()...)
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return errUsage.Because(err) })
	root.AddCommand(
		newInit(), newServe(), newWitness(),
		newToken(), newInvite(), newOrganisation(),
		newPack(),
		newDemo(), newDemoHost(), newBench(),
		newVersion(),
	)
	return root
}

// usage makes cobra's complaint about arguments a fault, so that it exits as wrong input and not as a
// defect of ours.
func usage(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return errUsage.Because(err)
		}
		return nil
	}
}

// report prints a fault for the operator, and the faults that caused it, which are safe to show as any. Another
// cause may hold anything, a personal value of the input included, so it is printed only where the operator
// cannot act without it: when the program or its surroundings failed, or when the words typed are the cause.
func report(w io.Writer, f *fault.Fault) {
	fmt.Fprintf(w, "错误 %s%s：%s\nerror %s%s: %s\n", f.Code, place(f, nil), f.Text.Zh, f.Code, place(f, nil), f.Text.En)
	shown := f.Kind == fault.Internal || f.Kind == fault.Unavailable || f.Is(errUsage)
	for outer, cause := f, f.Unwrap(); cause != nil; {
		var inner *fault.Fault
		if !errors.As(cause, &inner) {
			if shown {
				fmt.Fprintf(w, "原因 cause: %s\n", printable(cause.Error()))
			}
			return
		}
		fmt.Fprintf(w, "原因 %s%s：%s\ncause %s%s: %s\n", inner.Code, place(inner, outer), inner.Text.Zh, inner.Code, place(inner, outer), inner.Text.En)
		shown = shown || inner.Kind == fault.Unavailable
		outer, cause = inner, inner.Unwrap()
	}
}

// place is where a fault is, unless that was just told.
func place(f, told *fault.Fault) string {
	if f.Where == "" || told != nil && told.Where == f.Where {
		return ""
	}
	return " (" + printable(f.Where) + ")"
}

// maxShown bounds what is repeated of an operator's words, in characters.
const maxShown = 600

// printable is s as a terminal may show it: short, on one line, and nothing that turns the line round.
func printable(s string) string {
	runes := []rune(strings.ToValidUTF8(strings.ReplaceAll(s, "\n", "; "), "�"))
	if len(runes) > maxShown {
		runes = append(runes[:maxShown], '…')
	}
	for i, r := range runes {
		if unprintable(r) {
			runes[i] = '�'
		}
	}
	return string(runes)
}

func unprintable(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) }

// maxWord bounds a word of the command line, in bytes.
const maxWord = 4096

// words refuses what no command wants anywhere: a flag that was given with nothing behind it, which a script whose
// variable is unset does, and which must not mean "all of it" or "none"; and words that no terminal shows as they are.
func words(cmd *cobra.Command, args []string) error {
	for i, word := range args {
		if unfit(word) {
			return errUsage.Atf("word %d", i+1)
		}
	}
	var wrong []string
	cmd.Flags().Visit(func(f *pflag.Flag) {
		given := []string{f.Value.String()}
		if several, ok := f.Value.(pflag.SliceValue); ok {
			given = several.GetSlice()
		}
		if len(given) == 0 || slices.ContainsFunc(given, unfit) {
			wrong = append(wrong, "--"+f.Name)
		}
	})
	if len(wrong) > 0 {
		return errUsage.At(strings.Join(wrong, ", "))
	}
	return nil
}

func unfit(word string) bool {
	return strings.TrimSpace(word) == "" || len(word) > maxWord || !utf8.ValidString(word) || strings.ContainsFunc(word, unprintable)
}

func exitCode(kind fault.Kind) int {
	switch kind {
	case fault.Invalid, fault.TooLarge:
		return exitInvalid
	case fault.Refused, fault.Conflict, fault.Forbidden, fault.Unauthenticated:
		return exitRefused
	case fault.NotFound:
		return exitNotFound
	case fault.Unavailable, fault.TooMany:
		return exitUnavailable
	}
	return exitInternal
}
