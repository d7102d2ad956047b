package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version and commit are set by the Makefile's linker flags; a plain go build leaves them and the
// build information of the toolchain speaks alone.
var version, commit string

func newVersion() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "看版本 · Show what this program was built from",
		Example: "  menshen version",
		Args:    usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			info, _ := debug.ReadBuildInfo() // absent only from programs built without modules
			_, err := fmt.Fprint(cmd.OutOrStdout(), describe(info))
			return err
		},
	}
}

// describe gives one fact a line: what was built, from which commit, by which toolchain, for what.
func describe(info *debug.BuildInfo) string {
	name, revision := version, commit
	if info != nil {
		if name == "" {
			name = info.Main.Version
		}
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" && revision == "" {
				revision = s.Value
			}
		}
	}
	return fmt.Sprintf("menshen %s\ncommit %s\n%s %s/%s\n",
		known(name), known(revision), runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

func known(s string) string {
	if s == "" || s == "(devel)" {
		return "unknown"
	}
	return s
}
