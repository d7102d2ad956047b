package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/menshen-project/menshen/internal/fault"
)

var errBackup = fault.New(fault.Unavailable, "backup_not_written", "备份写不进去或读不到要备份的文件，请检查文件夹和磁盘。", "The backup cannot be written, or what it copies cannot be read; check folders and disk.")

func newExport() *cobra.Command {
	var config, out, organisation string
	cmd := &cobra.Command{
		Use:   "export --config FILE --out DIR",
		Short: "导出全部数据，或一家机构的部分 · write out every row, or one organisation's part",
		Long: `把数据库里的每一行按 docs/export.md 的格式写到一个新文件夹，服务在运行也可以。写完整才出现。个人信息仍是密文；包着的数据密钥单独放在
keys 里。用 restore 导入到空的数据库，逐字节相同。--organisation 只写和这家机构有关的日志原文：交给它，它用 monitor 自己核对。

Writes every row of the database to a new folder in the form of docs/export.md, also while the server runs. It appears whole
or not at all. Personal values stay sealed; the wrapped data keys are apart, in keys. restore puts it into an empty database,
the same byte for byte. --organisation writes only the opened leaves that concern one organisation: it verifies them itself,
with monitor.`,
		Example: "  menshen export --config /srv/menshen/config.yaml --out /srv/export\n" +
			"  menshen export --config /srv/menshen/config.yaml --out /srv/jianghe --organisation jianghe",
		Args: usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if config == "" || out == "" {
				return errUsage.At("--config, --out")
			}
			return withNode(cmd.Context(), config, func(n *node, _ Config) error {
				if organisation == "" {
					return export(cmd.Context(), cmd.OutOrStdout(), n, out)
				}
				leaves, err := n.app.ExportLeaves(cmd.Context(), organisation, out)
				if err == nil {
					_, err = fmt.Fprintf(cmd.OutOrStdout(), "%d 条日志原文写好了 opened leaves written: %s\n", leaves, out)
				}
				return err
			})
		},
	}
	cmd.Flags().StringVar(&organisation, "organisation", "", "只要一家机构的部分 only one organisation's part")
	cmd.Flags().StringVar(&config, "config", "", "配置文件 config file (required)")
	cmd.Flags().StringVar(&out, "out", "", "要新建的文件夹 folder to make (required)")
	return cmd
}

func newBackup() *cobra.Command {
	var config, out string
	var secrets bool
	cmd := &cobra.Command{
		Use:   "backup --config FILE --out DIR",
		Short: "备份整个部署 · back up the deployment while it runs",
		Long: `一次做完：数据库（同 export）、公开日志的文件夹、配置和信任文件。密钥不在里面，除非写明 --secrets。store/keys 和
store/erasures.jsonl 要拿出来另放：前者短期保存，后者比任何备份都保存得久。

In one go: the database (as export), the log's folder, config and trust file. Keys are not in it unless --secrets says so. Take
store/keys and store/erasures.jsonl out and keep them apart: the first for a short time, the second longer than any backup.`,
		Example: "  menshen backup --config /srv/menshen/config.yaml --out /backup/2026-11-28",
		Args:    usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if config == "" || out == "" {
				return errUsage.At("--config, --out")
			}
			return withNode(cmd.Context(), config, func(n *node, c Config) error {
				return backup(cmd.Context(), cmd.OutOrStdout(), n, c, config, out, secrets)
			})
		},
	}
	cmd.Flags().StringVar(&config, "config", "", "配置文件 config file (required)")
	cmd.Flags().StringVar(&out, "out", "", "要新建的文件夹 folder to make (required)")
	cmd.Flags().BoolVar(&secrets, "secrets", false, "连密钥一起，只在把备份锁好时用 keys too: only where the backup itself is locked away")
	return cmd
}

func newRestore() *cobra.Command {
	var config, from, erasures string
	cmd := &cobra.Command{
		Use:   "restore --config FILE --from DIR",
		Short: "把备份或导出放回空的数据库 · put a backup or export into an empty database",
		Long: `先核对每个文件，再放进空的数据库；--erasures 是最新的 erasures.jsonl：备份以后删除过的人，再删一次。日志文件夹不会动：
绝不要用旧的日志盖掉新的，见 docs/operations.md。放回以后运行 verify-store。

Compares every file first, then fills an empty database. --erasures is the newest erasures.jsonl: whoever was erased since the
backup is erased again. The log's folder is left alone: never put an older one over a newer, see docs/operations.md. Run
verify-store afterwards.`,
		Example: "  menshen restore --config /srv/menshen/config.yaml --from /backup/2026-11-28 --erasures /keep/erasures.jsonl",
		Args:    usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if config == "" || from == "" {
				return errUsage.At("--config, --from")
			}
			return withNode(cmd.Context(), config, func(n *node, _ Config) error {
				return restore(cmd.Context(), cmd.OutOrStdout(), n, from, erasures)
			})
		},
	}
	cmd.Flags().StringVar(&config, "config", "", "配置文件 config file (required)")
	cmd.Flags().StringVar(&from, "from", "", "备份或导出的文件夹 folder of the backup or export (required)")
	cmd.Flags().StringVar(&erasures, "erasures", "", "删除记录 journal of erasures, the newest")
	return cmd
}

// withNode opens a deployment without its log for one command.
func withNode(ctx context.Context, config string, do func(n *node, c Config) error) (err error) {
	c, err := loadConfig(config)
	if err != nil {
		return err
	}
	n, err := openNode(ctx, c, nil)
	if err != nil {
		return err
	}
	defer func() { err = joinWrite(err, n.close()) }()
	return do(n, c)
}

func progress(out io.Writer) func(string, int64) {
	return func(table string, rows int64) { fmt.Fprintf(out, "  %-20s %d\n", table, rows) }
}

func export(ctx context.Context, out io.Writer, n *node, dir string) error {
	m, err := n.app.ExportStore(ctx, dir, progress(out))
	if err == nil {
		_, err = fmt.Fprintf(out, "%d 张表写好了 tables written: %s\n", len(m.Tables), dir)
	}
	return err
}

func backup(ctx context.Context, out io.Writer, n *node, c Config, config, dir string, secrets bool) error {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return errBackup.At(filepath.Base(dir)).Because(err)
	}
	// The log first: what it shows, the store's copy has. The other way round a leaf would have no event.
	if err := copyLog(c.path(c.Log.Dir), filepath.Join(dir, "log")); err != nil {
		return err
	}
	if err := export(ctx, out, n, filepath.Join(dir, "store")); err != nil {
		return err
	}
	files := []string{config, c.path(c.TrustFile)}
	if secrets {
		files = append(files, c.path(c.PlatformKey), c.path(c.VaultKey), c.path(c.Log.Key))
		for _, h := range c.Hosts {
			files = append(files, c.path(h.TokenFile))
		}
	}
	for _, f := range files {
		if err := copyFile(f, filepath.Join(dir, filepath.Base(f))); err != nil {
			return err
		}
	}
	return nil
}

// copyLog copies a log's folder while a server may write there: first what says how far the log is, then
// the tiles, which only grow and so hold at least that much.
func copyLog(from, to string) error {
	if _, err := os.Stat(from); errors.Is(err, fs.ErrNotExist) {
		return nil // a deployment that never ran
	}
	for _, tiles := range []bool{false, true} {
		err := filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) {
				return nil // a temporary file of the server, gone again
			}
			name := strings.TrimPrefix(strings.TrimPrefix(path, from), string(filepath.Separator))
			if err != nil || !d.Type().IsRegular() || strings.HasPrefix(name, "tile") != tiles || strings.HasSuffix(name, "lock") {
				return err
			}
			return copyFile(path, filepath.Join(to, name))
		})
		if err != nil {
			return errBackup.At("log").Because(err)
		}
	}
	return nil
}

func copyFile(from, to string) error {
	data, err := os.ReadFile(from)
	if errors.Is(err, fs.ErrNotExist) && strings.Contains(from, string(filepath.Separator)+"tile"+string(filepath.Separator)) {
		return nil // a partial tile that its whole one has replaced meanwhile
	}
	if err == nil {
		err = os.MkdirAll(filepath.Dir(to), 0o700)
	}
	if err == nil {
		err = os.WriteFile(to, data, 0o600)
	}
	if err != nil {
		return errBackup.At(filepath.Base(from)).Because(err)
	}
	return nil
}

func restore(ctx context.Context, out io.Writer, n *node, from, erasures string) error {
	if _, err := os.Stat(filepath.Join(from, "store")); err == nil {
		from = filepath.Join(from, "store")
	}
	var journal io.Reader
	if erasures != "" {
		f, err := os.Open(erasures)
		if err != nil {
			return errBackup.At(filepath.Base(erasures)).Because(err)
		}
		defer f.Close()
		journal = f
	}
	erased, err := n.app.RestoreStore(ctx, from, journal, progress(out))
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "再次删除 erased again: %d\n下一步 next: menshen verify-store\n", erased)
	return err
}
