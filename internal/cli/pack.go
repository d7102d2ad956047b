package cli

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/files"
	"github.com/menshen-project/menshen/internal/pages"
)

var errPackWrite = fault.New(fault.Invalid, "pack_not_written", "证据包写不出来：文件夹或文件已经在了，或者不能写。", "The pack cannot be written: the folder or file exists already, or cannot be made.")

func newPack() *cobra.Command {
	var config, visitID, out string
	var v pages.Viewer
	cmd := &cobra.Command{
		Use:   "pack --config FILE --visit ID --out DIR|FILE.zip",
		Short: "写出一次上门的证据包 · write a visit's evidence pack",
		Long: `把一次上门的证据包写成一个文件夹，或者一个 ZIP：签过字的证据、可打印的经过（中英文）、照片、该打的电话。
只写指定的人看得到的内容，看过会留下记录。

Writes a visit's evidence pack into a folder or a ZIP: the signed evidence, a printable account in Chinese and English, photos,
whom to call. It holds what the named person may see, and the look is recorded.`,
		Example: `  menshen pack --config /srv/menshen/config.yaml --visit v-2026-0131 --person fang --organisation acq-huaishan --role risk --out case-131.zip
  menshen pack --config /srv/menshen/config.yaml --visit v-2026-0131 --person fang --organisation acq-huaishan --role risk --out case-131`,
		Args: usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			for flag, value := range map[string]string{"--config": config, "--visit": visitID, "--out": out, "--person": v.Person, "--organisation": v.Organisation, "--role": v.Role} {
				if value == "" {
					return errUsage.At(flag)
				}
			}
			return runPack(cmd.Context(), cmd.OutOrStdout(), config, visitID, out, v)
		},
	}
	f := cmd.Flags()
	f.StringVar(&config, "config", "", "配置文件 config file (required)")
	f.StringVar(&visitID, "visit", "", "上门号 id of the visit (required)")
	f.StringVar(&out, "out", "", "写到哪里：新的文件夹，或 .zip 文件 where to: a new folder, or a .zip file (required)")
	f.StringVar(&v.Person, "person", "", "谁在看 id of who looks (required)")
	f.StringVar(&v.Organisation, "organisation", "", "所属机构编号 organisation id (required)")
	f.StringVar(&v.Role, "role", "", "身份 role (required)")
	return cmd
}

func runPack(ctx context.Context, told io.Writer, config, visitID, out string, v pages.Viewer) error {
	c, err := loadConfig(config)
	if err != nil {
		return err
	}
	n, err := openNode(ctx, c, nil)
	if err != nil {
		return err
	}
	defer n.close()
	site := pages.New(pages.Config{Source: pages.FromApp{App: n.app, Operator: c.Operator, Demonstration: c.Demonstration}, Now: time.Now,
		Authenticate: func(*http.Request) (pages.Viewer, error) { return pages.Viewer{}, nil }, Contacts: c.contacts()})
	pack, err := site.Pack(ctx, v, visitID)
	if err != nil {
		return err
	}
	if strings.HasSuffix(out, ".zip") {
		err = writePackZip(out, "menshen-"+visitID, pack)
	} else {
		err = writePackFolder(out, pack)
	}
	if err != nil {
		return errPackWrite.At(out).Because(err)
	}
	_, err = fmt.Fprintf(told, "%s: %d files\n", out, len(pack))
	return err
}

// writePackFolder writes into a folder that is not there yet: a pack is never mixed with another.
func writePackFolder(dir string, pack []pages.PackFile) error {
	return files.NewFolder(dir, func(work string) error {
		for _, f := range pack {
			path := filepath.Join(work, filepath.FromSlash(f.Name))
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				return err
			}
			if err := os.WriteFile(path, f.Data, 0o600); err != nil {
				return err
			}
		}
		return nil
	})
}

func writePackZip(path, folder string, pack []pages.PackFile) error {
	return files.NewFile(path, func(w io.Writer) error { return pages.WriteZip(w, folder, pack, time.Now()) })
}
