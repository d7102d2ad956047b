package cli

import "github.com/spf13/cobra"

// fileCommands are those that bring records in, take them out, and check what is kept.
func fileCommands() []*cobra.Command {
	return []*cobra.Command{newImport(), newVerifyStore(), newExport(), newBackup(), newRestore(), newRepairLog(), newMonitor()}
}
