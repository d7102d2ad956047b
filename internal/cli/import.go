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

	"github.com/spf13/cobra"

	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/files"
)

// importing is what import is asked for.
type importing struct {
	config, dir, template string
	files                 []string
	dry, json             bool
}

func newImport() *cobra.Command {
	var in importing
	cmd := &cobra.Command{
		Use:   "import --config FILE --dir DIR",
		Short: "导入机构、人员、商户、店铺、机具、订单 · import the registry's sheets",
		Long: `读一个文件夹里的全部表格，或用 --file 读其中几张（CSV 或 XLSX，UTF-8 或 GB18030，中文或英文表头，见 examples/city/README.md）。
先全部检查，一次说出所有问题；有一处不对就一行也不写。同样的表再导一次，什么也不会多出来。--template 写出空表和每列的说明。

Reads every sheet of a folder, or with --file some of them (CSV or XLSX, UTF-8 or GB18030, Chinese or English headers),
checks all of it, tells all problems at once, and writes all or nothing. Importing the same sheets again changes nothing.
--template writes empty sheets and what each column wants.`,
		Example: "  menshen import --config /srv/menshen/config.yaml --dir examples/city\n  menshen import --template sheets",
		Args:    usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if in.template != "" {
				return writeTemplates(cmd.OutOrStdout(), in.template)
			}
			if in.config == "" || (in.dir == "") == (len(in.files) == 0) {
				return errUsage.At("--config, --dir")
			}
			return in.run(cmd.Context(), cmd.OutOrStdout())
		},
	}
	f := cmd.Flags()
	f.StringVar(&in.config, "config", "", "配置文件 config file (required)")
	f.StringVar(&in.dir, "dir", "", "表格所在的文件夹 folder of the sheets")
	f.StringArrayVar(&in.files, "file", nil, "只导这张表，可以写多次 only this sheet; may be given more than once")
	f.StringVar(&in.template, "template", "", "把空表写到这个文件夹 write empty sheets to this folder")
	f.BoolVar(&in.dry, "dry-run", false, "只检查，不写 check and write nothing")
	f.BoolVar(&in.json, "json", false, "给机器读 for machines")
	return cmd
}

func (in importing) run(ctx context.Context, out io.Writer) error {
	c, err := loadConfig(in.config)
	if err != nil {
		return err
	}
	open, err := in.opener()
	if err != nil {
		return err
	}
	node, err := openNode(ctx, c, nil)
	if err != nil {
		return err
	}
	defer node.close()
	tell := func(sheet string, lines int) {
		if !in.json {
			fmt.Fprintf(out, "  %-20s %d\n", sheet, lines)
		}
	}
	done, err := node.app.ImportSheets(ctx, app.ImportRequest{Open: open, Partial: len(in.files) > 0, Dry: in.dry, Tell: tell})
	if in.json {
		done.Problems = append([]app.Problem{}, done.Problems...) // none is [], never null
		return joinWrite(err, json.NewEncoder(out).Encode(done))
	}
	for _, p := range append(done.Notes, done.Problems...) {
		fmt.Fprintf(out, "%s:%d %s: %s / %s (%s)\n", p.Sheet, p.Line, p.Column, p.Text.Zh, p.Text.En, p.Code)
	}
	if done.More > 0 {
		fmt.Fprintf(out, "还有 and more: %d\n", done.More)
	}
	if err == nil && in.dry {
		fmt.Fprintln(out, "检查过了，没有写入 checked, nothing written")
	}
	return err
}

var errSheets = fault.New(fault.Invalid, "sheets_unreadable", "表格的文件夹读不了，什么也没有导入。", "The folder of sheets cannot be read; nothing was imported.")

var errSheetTwice = fault.New(fault.Invalid, "sheet_twice", "同一张表给了两个文件。", "One sheet is there as two files.")

// opener finds a sheet's file: the one given, or in the folder as CSV or as XLSX.
func (in importing) opener() (func(string) (io.ReadCloser, error), error) {
	if in.dir != "" {
		if err := files.Folder(in.dir); err != nil {
			return nil, errSheets.Because(err)
		}
	}
	given := map[string]string{}
	for _, f := range in.files {
		sheet, err := app.SheetNamed(filepath.Base(f))
		if err != nil {
			return nil, err
		}
		if given[sheet] != "" {
			return nil, errSheetTwice.At(sheet)
		}
		given[sheet] = f
	}
	return func(sheet string) (io.ReadCloser, error) {
		if in.dir == "" {
			if given[sheet] == "" {
				return nil, fs.ErrNotExist
			}
			f, err := files.Open(given[sheet])
			if err != nil { // without its cause: a sheet that was asked for is never one that may be missing
				return nil, fault.Of(err).Because(nil)
			}
			return f, nil
		}
		name := filepath.Join(in.dir, filepath.Base(sheet))
		book, err := files.Open(name[:len(name)-len(filepath.Ext(name))] + ".xlsx")
		if errors.Is(err, fs.ErrNotExist) {
			return files.Open(name)
		}
		if err != nil {
			return nil, err
		}
		if _, err := os.Stat(name); err == nil {
			return nil, errors.Join(errSheetTwice, book.Close())
		}
		return book, nil
	}, nil
}

// writeTemplates writes an empty sheet of each kind, and beside it what its columns want. Nothing is
// overwritten.
func writeTemplates(out io.Writer, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return errFolder.Because(err)
	}
	for _, name := range app.SheetNames() {
		table, explained, err := app.SheetTemplate(name)
		if err != nil {
			return err
		}
		for file, data := range map[string][]byte{name: table, name[:len(name)-len(".csv")] + ".txt": explained} {
			f, err := os.OpenFile(filepath.Join(dir, file), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
			if err != nil {
				return errFolder.At(file).Because(err)
			}
			_, err = f.Write(data)
			if err := errors.Join(err, f.Close()); err != nil {
				return errFolder.At(file).Because(err)
			}
		}
		fmt.Fprintf(out, "  %s\n", name)
	}
	return nil
}

// joinWrite prefers the error of the work to that of telling about it.
func joinWrite(err, write error) error {
	if err != nil {
		return err
	}
	return write
}
