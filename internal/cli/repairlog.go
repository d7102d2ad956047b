package cli

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/files"
	"github.com/menshen-project/menshen/internal/record"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/transparency"
)

// repairPage is how many events repair-log reads at once.
const repairPage = 1000

var errRepairFrom = fault.New(fault.Invalid, "repair_source_unreadable", "--from 指出的日志文件夹读不了，什么也没有动。", "The log folder that --from names cannot be read; nothing was changed.")

func newRepairLog() *cobra.Command {
	var config string
	var from []string
	cmd := &cobra.Command{
		Use:   "repair-log --config FILE",
		Short: "日志文件夹坏了：从数据库重建 · rebuild a damaged log folder from the database",
		Long: `先停下服务。用数据库里的事件重建公开日志的文件夹；库里没有的叶子，取自坏的文件夹，或者 --from 指出的备份。每一个签过的根都要对上，
对不上就什么也不动。坏的文件夹留在旁边。完成以后运行 serve 和 verify-store。

Stop the server first. Rebuilds the log's folder from the events in the database; leaves that the database lacks come from the
damaged folder, or from a backup's that --from names. Every root that was signed has to come out, or nothing is changed. The
damaged folder is kept beside the new one. Run serve and verify-store afterwards.`,
		Example: "  menshen repair-log --config /srv/menshen/config.yaml\n" +
			"  menshen repair-log --config /srv/menshen/config.yaml --from /backup/2026-11-28/log",
		Args: usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if config == "" {
				return errUsage.At("--config")
			}
			for _, dir := range from {
				if err := files.Folder(dir); err != nil {
					return errRepairFrom.At("--from").Because(err)
				}
			}
			return withNode(cmd.Context(), config, func(n *node, c Config) error {
				return repairLog(cmd.Context(), cmd.OutOrStdout(), n, c, from)
			})
		},
	}
	cmd.Flags().StringVar(&config, "config", "", "配置文件 config file (required)")
	cmd.Flags().StringArrayVar(&from, "from", nil, "备份里的日志文件夹，可以写几个 log folder of a backup; may be repeated")
	return cmd
}

func repairLog(ctx context.Context, out io.Writer, n *node, c Config, from []string) error {
	policy, err := record.NewPolicy(logPolicy(n.app.Trust))
	if err != nil {
		return err
	}
	checkpoint, err := lastCheckpoint(ctx, n.store)
	if err != nil {
		return err
	}
	done, err := transparency.Rebuild{Dir: c.path(c.Log.Dir), From: from, Policy: policy, Checkpoint: checkpoint, Now: time.Now(),
		Leaves: func(ctx context.Context, after int64) (page []transparency.KnownLeaf, err error) {
			err = n.store.Read(ctx, func(tx *store.Tx) error {
				events, err := tx.EventsByLeaf(ctx, after, repairPage)
				if err == nil {
					page, err = knownLeaves(events)
				}
				return err
			})
			return page, err
		}}.Run(ctx)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "叶子 leaves: %d  公证到 witnessed: %d\n坏的留在 the damaged one: %s\n下一步 next: menshen serve, menshen verify-store\n", done.Size, done.Witnessed, done.Kept)
	return err
}

// lastCheckpoint is the checkpoint of the newest receipt in the database, nil when it has none.
func lastCheckpoint(ctx context.Context, s *store.Store) (checkpoint []byte, err error) {
	err = s.Read(ctx, func(tx *store.Tx) error {
		for after := int64(1<<62 - 1); checkpoint == nil; {
			at, err := tx.HighestLeafBelow(ctx, after)
			if err != nil || at < 0 {
				return err
			}
			events, err := tx.EventsByLeaf(ctx, at-1, 1)
			if err != nil {
				return err
			}
			if _, text, ok := strings.Cut(events[0].Receipt, "\n\n"); ok {
				checkpoint = []byte(text)
			}
			after = at
		}
		return nil
	})
	return checkpoint, err
}
