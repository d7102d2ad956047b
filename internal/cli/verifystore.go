package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/record"
	"github.com/menshen-project/menshen/internal/transparency"
)

var errStoreDiffers = fault.New(fault.Refused, "store_differs", "库里有行和日志、签名记录对不上，见上面的名单。没查清原因以前先别用这个库；如果有人绕过系统写过它，从备份恢复，并查谁能写它。",
	"Rows do not fit the log and the signed records; see the list. Do not use this store before you know why: if somebody wrote to it behind the server's back, restore a backup and find who could.")

func newVerifyStore() *cobra.Command {
	var config string
	var asJSON, adopt bool
	cmd := &cobra.Command{
		Use:   "verify-store --config FILE",
		Short: "核对数据库：有没有人绕过系统改过 · check the database against log, signatures and vault",
		Long: `把数据库每一张表和公开日志、签名记录、加密保险库逐行核对，服务在运行也可以。找到的每一行都指出表和编号，不显示个人信息。
没有签名记录的表（登记资料、令牌等）靠行封记核对；--adopt 给升级前没有封记的行补封记，先自己看过再用。
退出码：0 全对，3 有不对的行，1/2/4/5 没能核对完。

Compares every table, row by row, with the log, the signed records and the vault, also while the server runs. Each row
that is not as the server left it is named by table and key; no personal value is shown. Tables that no signed record
speaks for (registry, tokens) are checked by their rows' seals; --adopt seals rows from before there were seals, once you
have looked at them. Exit code 0: all is well; 3: rows differ; others: the check did not finish.`,
		Example: "  menshen verify-store --config /srv/menshen/config.yaml",
		Args:    usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if config == "" {
				return errUsage.At("--config")
			}
			return runVerifyStore(cmd.Context(), cmd.OutOrStdout(), config, asJSON, adopt)
		},
	}
	cmd.Flags().StringVar(&config, "config", "", "配置文件 config file (required)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "给机器读 for machines")
	cmd.Flags().BoolVar(&adopt, "adopt", false, "给没有封记的行补封记 seal rows that have no seal")
	return cmd
}

func runVerifyStore(ctx context.Context, out io.Writer, path string, asJSON, adopt bool) (err error) {
	c, err := loadConfig(path)
	if err != nil {
		return err
	}
	n, err := openNode(ctx, c, nil)
	if err != nil {
		return err
	}
	defer func() { err = joinWrite(err, n.close()) }()
	if adopt {
		sealed, err := n.app.AdoptSeals(ctx)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "补了封记 sealed: %d\n", sealed)
	}
	report, err := verifyStore(ctx, n.app, c, func(step string) {
		if !asJSON {
			fmt.Fprintf(out, "  %s\n", step)
		}
	})
	if err != nil {
		return err
	}
	if err := tellStore(out, report, asJSON); err != nil {
		return err
	}
	if !report.OK() {
		return errStoreDiffers
	}
	return nil
}

// verifyStore runs the check against the log's own folder, with a scratch copy in a temporary one.
func verifyStore(ctx context.Context, a *app.App, c Config, tell func(string)) (report app.StoreReport, err error) {
	policy, err := record.NewPolicy(logPolicy(a.Trust))
	if err != nil {
		return report, err
	}
	dir, err := os.MkdirTemp("", "menshen-verify-")
	if err != nil {
		return report, errFolder.Because(err)
	}
	defer func() { err = joinWrite(err, os.RemoveAll(dir)) }()
	var log app.LeafReader = transparency.NewFolderReader(c.path(c.Log.Dir), policy)
	if _, err := os.Stat(filepath.Join(c.path(c.Log.Dir), "checkpoint")); errors.Is(err, fs.ErrNotExist) {
		log = noLog{} // before the first start; afterwards the receipts tell that it is gone
	}
	return a.VerifyStore(ctx, dir, log, tell)
}

// noLog is the log of a deployment that never ran.
type noLog struct{}

// Size is 0.
func (noLog) Size(context.Context) (uint64, error) { return 0, nil }

// Leaves gives none.
func (noLog) Leaves(context.Context, func(uint64, []byte) error) (uint64, error) { return 0, nil }

func tellStore(out io.Writer, r app.StoreReport, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(out).Encode(r)
	}
	for _, f := range r.Found {
		fmt.Fprintf(out, "%s %s: %s / %s (%s)\n", f.Table, f.Key, f.Text.Zh, f.Text.En, strings.Join(slices.DeleteFunc([]string{f.Code, f.Why}, func(c string) bool { return c == "" }), ": "))
	}
	if r.More > 0 {
		fmt.Fprintf(out, "还有 and more: %d\n", r.More)
	}
	for _, t := range r.Skipped {
		fmt.Fprintf(out, "没有重算 not recomputed: %s\n", t)
	}
	for _, t := range r.Unchecked {
		fmt.Fprintf(out, "没有核对 not checked: %s\n", t)
	}
	_, err := fmt.Fprintf(out, "事件 events: %d  日志 leaves: %d  不对 differ: %d\n", r.Events, r.Leaves, len(r.Found)+r.More)
	return err
}
