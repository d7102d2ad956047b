package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
)

func newImport() *cobra.Command {
	var config, dir string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "import --config FILE --dir DIR",
		Short: "导入机构、人员、商户、店铺、机具、订单 · import the registry's sheets",
		Long: `从一个文件夹里读全部表格（CSV，UTF-8，中文表头，见 examples/city/README.md）。先全部检查，一次说出所有问题；
有一处不对就一行也不写。同样的表再导一次，什么也不会多出来。

Reads every sheet of a folder, checks all of it, tells all problems at once, and writes all or nothing. Importing the
same sheets again changes nothing.`,
		Example: "  menshen import --config /srv/menshen/config.yaml --dir examples/city",
		Args:    usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if config == "" || dir == "" {
				return errUsage.At("--config, --dir")
			}
			return runImport(cmd.Context(), cmd.OutOrStdout(), config, dir, asJSON)
		},
	}
	cmd.Flags().StringVar(&config, "config", "", "配置文件 config file (required)")
	cmd.Flags().StringVar(&dir, "dir", "", "表格所在的文件夹 folder of the sheets (required)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "给机器读 for machines")
	return cmd
}

func runImport(ctx context.Context, out io.Writer, config, dir string, asJSON bool) error {
	c, err := loadConfig(config)
	if err != nil {
		return err
	}
	node, err := openNode(ctx, c, nil)
	if err != nil {
		return err
	}
	defer node.close()
	tell := func(sheet string, lines int) {
		if !asJSON {
			fmt.Fprintf(out, "  %-20s %d\n", sheet, lines)
		}
	}
	done, problems, err := node.app.Import(ctx, func(name string) (io.ReadCloser, error) { return os.Open(filepath.Join(dir, filepath.Base(name))) }, tell)
	if asJSON {
		return joinWrite(err, json.NewEncoder(out).Encode(map[string]any{"imported": done, "problems": problems}))
	}
	for _, p := range problems {
		fmt.Fprintf(out, "%s:%d %s: %s / %s (%s)\n", p.Sheet, p.Line, p.Column, p.Text.Zh, p.Text.En, p.Code)
	}
	return err
}

// joinWrite prefers the error of the work to that of telling about it.
func joinWrite(err, write error) error {
	if err != nil {
		return err
	}
	return write
}
