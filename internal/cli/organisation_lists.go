package cli

import (
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/files"
	"github.com/menshen-project/menshen/internal/organisation"
)

var errListFile = fault.New(fault.Invalid, "list_file_unreadable", "名单文件读不出来，或者太大。", "The list's file cannot be read, or is too large.")

// maxListFile bounds a list's file in bytes: a trust list of some thousand organisations.
const maxListFile = 2 << 20

func newOrganisationPublish() *cobra.Command {
	var dir string
	var a organisation.PublishAsk
	cmd := &cobra.Command{
		Use:   "publish --dir DIR LIST FILE",
		Short: "签发信任名单、参数或委托 · sign and publish a trust list, parameters or a mandate",
		Long: `LIST 是 trust_list（监管一方）、parameters 或 mandate（收单机构）；FILE 是 YAML，写法见 docs/formats.md，编号和时间不用写。
签之前先用别人都用的那段程序读一遍，读不过就不签。同一个文件再交一次，什么都不变；过了一半有效期就重新签。--dry-run 只检查。
收回委托：把 until 改成现在，再发布一次。

LIST is trust_list (a regulator's), parameters or mandate (an acquirer's). FILE is YAML with the members of docs/formats.md, without numbers
and times, which the service writes. Before it is signed it is read by the same reader that everybody uses. The same file again changes
nothing until half of its time has passed. To take a mandate back, let it end now and publish it again.`,
		Example: `  menshen organisation publish --dir /srv/assoc trust_list trust-list.yaml
  menshen organisation publish --dir /srv/jianghe --dry-run parameters parameters.yaml
  menshen organisation publish --dir /srv/jianghe mandate qingluo.yaml`,
		Args: usage(cobra.ExactArgs(2)),
		RunE: func(cmd *cobra.Command, args []string) error {
			text, err := files.Read(args[1], maxListFile)
			if err != nil {
				return errListFile.At(args[1]).Because(err)
			}
			body, err := files.JSON(text)
			if err != nil {
				return fault.At(err, args[1])
			}
			a.List, a.Body = args[0], string(body)
			return atDesk(dir, func(d *organisation.Desk) error {
				done, err := d.Publish(cmd.Context(), a)
				if err != nil {
					return fault.At(err, args[1])
				}
				says := "没有变化 · nothing changed"
				switch {
				case done.Published:
					says = "签好了，门神会自己来取 · signed; menshen fetches it by itself"
				case a.DryRun:
					says = "可以签 · would be signed"
				}
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: %s · %s\n", listName(done), done.Until, says)
				return err
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&dir, "dir", "", "机构自己的文件夹 the organisation's own folder (required)")
	f.IntVar(&a.Days, "days", 0, "有效几天，0 是最长 days that it holds, 0 for as long as it may")
	f.IntVar(&a.Number, "number", 0, "编号；以前在别处发布过才用 its number, where earlier ones were published elsewhere")
	f.BoolVar(&a.Renew, "renew", false, "没有变化也重新签 sign it again though nothing changed")
	f.BoolVar(&a.DryRun, "dry-run", false, "只检查，不签 only check")
	return cmd
}

func listName(p organisation.Published) string {
	switch {
	case p.Of != "" && p.Number != 0:
		return fmt.Sprintf("%s %s %d", p.List, p.Of, p.Number)
	case p.Of != "":
		return p.List + " " + p.Of
	}
	return fmt.Sprintf("%s %d", p.List, p.Number)
}

func newOrganisationLists() *cobra.Command {
	var dir string
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "lists --dir DIR",
		Short:   "签发过的名单，到什么时候 · the lists that are out, and until when they hold",
		Example: "  menshen organisation lists --dir /srv/jianghe",
		Args:    usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			out := cmd.OutOrStdout()
			return atDesk(dir, func(d *organisation.Desk) error {
				all, err := d.Lists(cmd.Context())
				if err != nil {
					return err
				}
				if asJSON {
					return printJSON(out, all)
				}
				t := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
				fmt.Fprintln(t, "名单 list\t签发 signed\t到 until")
				for _, l := range all.Lists {
					fmt.Fprintf(t, "%s\t%s\t%s\n", listName(l), l.At, l.Until)
				}
				return t.Flush()
			})
		},
	}
	cmd.Flags().StringVar(&dir, "dir", "", "机构自己的文件夹 the organisation's own folder (required)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "JSON")
	return cmd
}

func newOrganisationTrustFile() *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:   "trust-file --dir DIR DRAFT",
		Short: "由发布机构写出信任文件 · write the trust file, as its publisher",
		Long: `DRAFT 是 YAML：日志和见证方的公钥、几方算数、机具厂家的根证书、停用的机具证书。签名单的密钥、发布机构和时间由本文件夹来。
信任文件写到标准输出，指纹写到标准错误；指纹要在门神之外公布，让人对得上。门神的运营方不能替发布机构写。

DRAFT is YAML: the public keys of log and witnesses, how many must agree, makers' root certificates, revoked device certificates. The key that
signs the trust list, the publisher and the time come from this folder. The file goes to standard output, its fingerprint to standard error:
announce that outside menshen, for people to compare. menshen's operator cannot write it in the publisher's place.`,
		Example: "  menshen organisation trust-file --dir /srv/assoc trust.yaml > trust.json",
		Args:    usage(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if dir == "" {
				return errUsage.At("--dir")
			}
			c, err := organisation.Load(dir)
			if err != nil {
				return err
			}
			data, fingerprint, err := organisation.TrustFile(c, args[0], time.Now())
			if err != nil {
				return err
			}
			if _, err := cmd.OutOrStdout().Write(data); err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.ErrOrStderr(), "指纹 fingerprint", fingerprint)
			return err
		},
	}
	cmd.Flags().StringVar(&dir, "dir", "", "发布机构自己的文件夹 the publisher's own folder (required)")
	return cmd
}
