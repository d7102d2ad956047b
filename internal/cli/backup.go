package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/files"
)

var errErasures = fault.New(fault.Invalid, "erasures_not_readable", "删除记录读不到，数据库还没有动过。", "The journal of erasures cannot be read; the database was not touched.")

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
		Long: `一次做完：数据库（同 export）、公开日志的文件夹、配置和信任文件。写完整才出现。密钥和口令不在里面，除非写明 --secrets：
配置里写到的每一个都在，照配置里的位置；不在配置文件夹里的放在 elsewhere。store/keys 和 store/erasures.jsonl 要拿出来另放：前者短期保存，后者比任何备份都保存得久。

In one go: the database (as export), the log's folder, config and trust file. It appears whole or not at all. Keys, tokens and
passwords are not in it unless --secrets says so: then every one that the config names, where it names it; those outside the
config's folder under elsewhere. Take store/keys and store/erasures.jsonl out and keep them apart: the first for a short time, the second longer than any backup.`,
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
	err := files.NewFolder(dir, func(work string) error {
		// The log first: what it shows, the store's copy has. The other way round a leaf would have no event.
		if err := c.copyLog(ctx, filepath.Join(work, "log")); err != nil {
			return err
		}
		if _, err := n.app.ExportStore(ctx, filepath.Join(work, "store"), progress(out)); err != nil {
			return err
		}
		if err := files.Copy(config, filepath.Join(work, filepath.Base(config))); err != nil {
			return err
		}
		return c.copyNamed(work, secrets)
	})
	if err != nil {
		return backupFault(err).At(dir)
	}
	if err := n.app.NoteBackup(ctx); err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "备份写好了 backed up: %s\n", dir)
	return err
}

// backupFault is why there is no backup: what ExportStore says of itself, or what a file did.
func backupFault(err error) *fault.Fault {
	f := fault.Of(err)
	if f.Kind == fault.Internal || strings.HasPrefix(f.Code, "path_") || strings.HasPrefix(f.Code, "file_") {
		told := errBackup.Because(err)
		if f.Kind == fault.Invalid { // what was asked for is wrong; trying again later does not help
			told.Kind = fault.Invalid
		}
		return told
	}
	return f
}

// named are the files that a config names, as it names them: the trust file, and with secrets every key, token
// and password, so that what is put back serves.
func (c Config) named(secrets bool) []string {
	out := []string{c.TrustFile}
	if secrets {
		out = append(out, c.PlatformKey, c.VaultKey, c.Log.Key)
		for _, h := range c.Hosts {
			out = append(out, h.TokenFile)
		}
		for _, o := range c.Organisations {
			out = append(out, o.TokenFile)
		}
		for _, r := range c.Notify {
			out = append(out, r.secrets()...)
		}
	}
	slices.Sort(out)
	return slices.Compact(out) // one token may serve twice
}

// elsewhere is the folder of a backup that holds files from outside the config's own folder.
const elsewhere = "elsewhere"

// copyNamed copies what the config names to where it names it, seen from the copied config. What lies outside
// the config's folder goes to elsewhere, under its whole path: two files may have one base name.
func (c Config) copyNamed(work string, secrets bool) error {
	for _, name := range c.named(secrets) {
		inside := filepath.Clean(name)
		if !filepath.IsLocal(name) {
			whole, err := filepath.Abs(c.path(name))
			if err != nil {
				return errBackup.Because(err)
			}
			inside = filepath.Join(elsewhere, strings.TrimPrefix(whole, filepath.VolumeName(whole)))
		}
		to := filepath.Join(work, inside)
		if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
			return errBackup.At(inside).Because(err)
		}
		if err := files.Copy(c.path(name), to); err != nil {
			return err
		}
	}
	return nil
}

// copyLog copies a log's folder while a server may write there: first what says how far the log is, then
// the tiles, which only grow and so hold at least that much.
func (c Config) copyLog(ctx context.Context, to string) error {
	from := c.path(c.Log.Dir)
	var apart []string // a key that is kept in the log's folder is a key all the same
	for _, name := range c.named(true) {
		apart = append(apart, c.path(name))
	}
	if _, err := os.Stat(from); errors.Is(err, fs.ErrNotExist) {
		return nil // a deployment that never ran
	}
	for _, tiles := range []bool{false, true} {
		err := filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) {
				return nil // a temporary file of the server, gone again
			}
			name := strings.TrimPrefix(strings.TrimPrefix(path, from), string(filepath.Separator))
			if err := ctx.Err(); err != nil {
				return err
			}
			if err != nil || !d.Type().IsRegular() || strings.HasPrefix(name, "tile") != tiles || strings.HasSuffix(name, "lock") || slices.Contains(apart, path) {
				return err
			}
			if err := os.MkdirAll(filepath.Dir(filepath.Join(to, name)), 0o700); err != nil {
				return err
			}
			err = files.Copy(path, filepath.Join(to, name))
			if tiles && errors.Is(err, fs.ErrNotExist) {
				return nil // a partial tile that its whole one has replaced meanwhile
			}
			return err
		})
		if err != nil {
			return errBackup.At("log").Because(err)
		}
	}
	return nil
}

func restore(ctx context.Context, out io.Writer, n *node, from, erasures string) error {
	if _, err := os.Stat(filepath.Join(from, "store")); err == nil {
		from = filepath.Join(from, "store")
	}
	var journal io.Reader
	if erasures != "" {
		f, err := files.Open(erasures)
		if err != nil {
			return errErasures.At(erasures).Because(err)
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
