package cli

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/menshen-project/menshen/internal/credential"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/organisation"
	"github.com/menshen-project/menshen/internal/orgapi"
	"github.com/menshen-project/menshen/internal/visit"
)

func newOrganisation() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "organisation",
		Short: "机构自己的签名服务 · an organisation's own signing service",
		Long: `收单机构、服务商、监督机构、监管一方自己运行的服务：密钥在自己手里。它做开通码、登记密钥、发工作证、停用，签自己的名单和参数。
门神只把手机的申请带过来，把签好的文件带回去；开通码门神从来看不到。

A service that an acquirer, a provider, a supervisors' organisation or a regulator runs itself, with its own keys. It makes one-time codes,
enrols keys, issues badges and takes them back, and signs its own lists. menshen carries what phones ask for and what was signed; it never sees a code.`,
		Example: `  menshen organisation init --dir /srv/jianghe --organisation jianghe --name 江禾支付 --kind acquirer
  menshen organisation serve --dir /srv/jianghe
  menshen organisation code --dir /srv/jianghe --holder wei --role merchant`,
		Args: usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newOrganisationInit(), newOrganisationServe(), newOrganisationCode(), newOrganisationPeople(), newOrganisationPut(), newOrganisationLeave(),
		newOrganisationPublish(), newOrganisationLists(), newOrganisationTrustFile(), newOrganisationCourse(), newOrganisationResults(),
		newOrganisationEnd("revoke-code", "/desk/codes/revoke", "收回开通码 · take a code back", ""),
		newOrganisationEnd("end-badges", "/desk/badges/end", "停用一个人的工作证 · take somebody's badges back", "lost"),
		newOrganisationEnd("end-key", "/desk/keys/end", "停用一把密钥 · end an enrolled key", "lost"))
	return cmd
}

func newOrganisationInit() *cobra.Command {
	var dir, id, name, listen, site, phone, trust string
	var kinds []string
	cmd := &cobra.Command{
		Use:   "init --dir DIR --organisation ID --name NAME --kind KIND",
		Short: "生成机构的密钥、口令和配置 · make the organisation's keys, tokens and config",
		Long: `只写一次，不会覆盖。公开的部分打印出来，交给信任名单的发布机构；menshen.token 交给门神的运营方。

Nothing is overwritten. The public parts are printed, for whoever compiles the trust list; menshen.token goes to menshen's operator.`,
		Example: "  menshen organisation init --dir /srv/qingluo --organisation qingluo --name 青萝服务 --kind provider",
		Args:    usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if dir == "" || id == "" || len(kinds) == 0 {
				return errUsage.At("--dir, --organisation, --kind")
			}
			c := organisation.Defaults(id, name, kinds)
			if trust == "" && slices.Contains(kinds, credential.KindCourseIssuer) {
				trust = "trust.json" // until it is there, the service does not start and says so
			}
			c.Listen, c.Site, c.Phone, c.TrustFile = listen, site, phone, trust
			keys, err := organisation.NewKeys(kinds)
			if err != nil {
				return err
			}
			public, err := organisation.Make(dir, c, keys)
			if err != nil {
				return err
			}
			return printJSON(cmd.OutOrStdout(), public)
		},
	}
	f := cmd.Flags()
	f.StringVar(&dir, "dir", "", "文件夹 folder to make (required)")
	f.StringVar(&id, "organisation", "", "机构在信任名单上的编号 id on the trust list (required)")
	f.StringVar(&name, "name", "", "机构的名称，印在纸上 name on the code sheet (required)")
	f.StringSliceVar(&kinds, "kind", nil, "acquirer、provider、supervisor、course_issuer 或 regulator，可以多个 may be repeated (required)")
	f.StringVar(&listen, "listen", "127.0.0.1:8450", "地址 address to serve on")
	f.StringVar(&site, "site", "", "印在纸上的门神网址 menshen's address as printed")
	f.StringVar(&trust, "trust-file", "", "开课的机构：信任文件，从发布机构来；不写就是文件夹里的 trust.json of whoever gives courses: the trust file, from its publisher; trust.json in the folder if not given")
	f.StringVar(&phone, "phone", "", "印在纸上的机构电话 the organisation's number as printed")
	return cmd
}

func newOrganisationServe() *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:   "serve --dir DIR",
		Short: "运行机构的服务 · run the organisation's service",
		Long: `浏览器打开这个地址就是名册（用 desk.token 进入）。门神用 menshen.token 来问。审计日志写到标准错误，不含个人信息。

A browser finds the roll at this address (enter with desk.token). menshen asks with menshen.token. The audit log goes to standard
error and holds no personal value.`,
		Example: "  menshen organisation serve --dir /srv/qingluo",
		Args:    usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if dir == "" {
				return errUsage.At("--dir")
			}
			return serveOrganisation(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr(), dir)
		},
	}
	cmd.Flags().StringVar(&dir, "dir", "", "机构自己的文件夹 the organisation's own folder (required)")
	return cmd
}

func serveOrganisation(ctx context.Context, out, errs io.Writer, dir string) error {
	c, err := organisation.Load(dir)
	if err != nil {
		return err
	}
	cert, encrypted, err := c.Certificate()
	if err != nil {
		return err
	}
	logger := slog.New(slog.NewJSONHandler(errs, nil))
	s, err := organisation.Open(c, time.Now, logger)
	if err != nil {
		return err
	}
	handler, err := organisation.NewServer(s)
	if err != nil {
		return errors.Join(err, s.Close())
	}
	working, stop := context.WithCancel(context.WithoutCancel(ctx))
	var loops sync.WaitGroup
	loops.Go(func() { keepLists(working, s, logger) })
	server := &http.Server{Handler: handler.Handler(), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: time.Minute,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 16 << 10, ErrorLog: slog.NewLogLogger(logger.Handler(), slog.LevelWarn),
		BaseContext: func(net.Listener) context.Context { return ctx }} // long waits end with the command
	if encrypted {
		server.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{cert}}
	}
	err = serveHTTP(ctx, c.Listen, server, out)
	stop()
	loops.Wait()
	return errors.Join(err, s.Close())
}

// keepLists has status lists signed anew before they end.
func keepLists(ctx context.Context, s *organisation.Service, log *slog.Logger) {
	for {
		if err := s.Tick(); err != nil {
			log.Warn("status list not signed", "code", fault.CodeOf(err), "error", err.Error())
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(10 * time.Second):
		}
	}
}

func newOrganisationCode() *cobra.Command {
	var dir, holder, role, reason string
	var html, asJSON bool
	cmd := &cobra.Command{
		Use:   "code --dir DIR --holder ID --role ROLE",
		Short: "做一个一次性开通码，打印成纸 · make a one-time code and print its sheet",
		Long: `只显示这一次，哪里也不存。纸在门神之外交给本人：随合同、机构自己的应用、或者回拨电话。
之前发的码作废。--reason lost 会马上停用丢了的手机的密钥；replaced 在新手机登记以后停用；additional 是再加一部手机。

Shown this once and kept nowhere. Hand the sheet over outside menshen: with the contract, in the organisation's own app, by calling
back. An earlier code no longer counts. --reason lost ends the lost phone's key at once, replaced when the new phone is enrolled,
additional leaves it.`,
		Example: `  menshen organisation code --dir /srv/jianghe --holder wei --role merchant
  menshen organisation code --dir /srv/qingluo --holder lan --role technician --reason lost
  menshen organisation code --dir /srv/jianghe --holder wei --role merchant --html > sheet.html`,
		Args: usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			out := cmd.OutOrStdout()
			return atDesk(dir, func(d *organisation.Desk) error {
				made, err := d.Code(cmd.Context(), holder, role, reason)
				switch {
				case err != nil:
					return err
				case asJSON:
					return printJSON(out, made)
				case html:
					return made.File(out)
				}
				_, err = io.WriteString(out, made.Text())
				return err
			})
		},
	}
	personFlags(cmd, &dir, &holder, &role)
	cmd.Flags().StringVar(&reason, "reason", "replaced", "旧密钥怎么办 what happens to earlier keys: replaced, lost, additional")
	cmd.Flags().BoolVar(&html, "html", false, "打印用的网页 a page to print")
	cmd.Flags().BoolVar(&asJSON, "json", false, "JSON")
	return cmd
}

func personFlags(cmd *cobra.Command, dir, holder, role *string) {
	cmd.Flags().StringVar(dir, "dir", "", "机构自己的文件夹 the organisation's own folder (required)")
	cmd.Flags().StringVar(holder, "holder", "", "人员编号 id of the person")
	cmd.Flags().StringVar(role, "role", "", "身份 role: merchant, approver, risk, host, technician, dispatcher, custodian, supervisor")
}

// atDesk does something as the organisation's own side.
func atDesk(dir string, do func(*organisation.Desk) error) error {
	if dir == "" {
		return errUsage.At("--dir")
	}
	d, err := organisation.OpenDesk(dir)
	if err != nil {
		return err
	}
	return errors.Join(do(d), d.Close())
}

func printJSON(out io.Writer, v any) error {
	enc := json.NewEncoder(out)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

func newOrganisationPeople() *cobra.Command {
	var dir string
	var asJSON, lacking bool
	cmd := &cobra.Command{
		Use:     "people --dir DIR",
		Short:   "名册：谁有密钥，谁还没有 · the roll: who has a key and who lacks one",
		Example: "  menshen organisation people --dir /srv/qingluo --lacking",
		Args:    usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			out := cmd.OutOrStdout()
			return atDesk(dir, func(d *organisation.Desk) error {
				roll, err := d.People(cmd.Context())
				if err != nil {
					return err
				}
				if lacking {
					roll.People = slices.DeleteFunc(roll.People, func(p orgapi.Person) bool { return p.State != orgapi.Active || p.Key != "" })
				}
				if asJSON {
					return printJSON(out, roll)
				}
				return printRoll(out, roll.People)
			})
		},
	}
	cmd.Flags().StringVar(&dir, "dir", "", "机构自己的文件夹 the organisation's own folder (required)")
	cmd.Flags().BoolVar(&lacking, "lacking", false, "只看还没有密钥的 only those who lack a key")
	cmd.Flags().BoolVar(&asJSON, "json", false, "JSON")
	return cmd
}

func printRoll(out io.Writer, people []orgapi.Person) error {
	t := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, "编号 id\t身份 role\t状态 state\t密钥至 key until\t开通码 code\t工作证 badges")
	for _, p := range people {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%d\n", p.Holder, p.Role, p.State, dash(string(p.KeyUntil)), dash(p.CodeState), p.Badges)
	}
	return t.Flush()
}

func dash(s string) string {
	if s == "" {
		return "–"
	}
	return s
}

func newOrganisationPut() *cobra.Command {
	var dir, holder, role, name, photo string
	cmd := &cobra.Command{
		Use:   "put --dir DIR --holder ID --role ROLE",
		Short: "登记到名册，或者让人回来 · put somebody on the roll, or back on it",
		Long: `上门人员要登记姓名和照片的承诺，工作证上才有。承诺的做法见 docs/formats.md；原文不存在这里。

A technician needs commitments of name and photo, which the badge carries; see docs/formats.md. The values are not kept here.`,
		Example: "  menshen organisation put --dir /srv/qingluo --holder lan --role technician --name-commitment HEX --photo-commitment HEX",
		Args:    usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return atDesk(dir, func(d *organisation.Desk) error {
				_, err := d.Do(cmd.Context(), "/desk/people", organisation.DeskAsk{Holder: holder, Role: role, Name: name, Photo: photo})
				if err == nil && role == visit.RoleTechnician && (name == "" || photo == "") {
					fmt.Fprintln(cmd.OutOrStdout(), "登记了，但没给齐姓名和照片的承诺：名册上原来没有的话，给他发不了工作证。再用 --name-commitment、--photo-commitment 登记一次。\n"+
						"Put on the roll, without both commitments of name and photo: unless the roll has them from before, he gets no badge. Put him again with --name-commitment and --photo-commitment.")
				}
				return err
			})
		},
	}
	personFlags(cmd, &dir, &holder, &role)
	cmd.Flags().StringVar(&name, "name-commitment", "", "姓名的承诺 commitment of the name")
	cmd.Flags().StringVar(&photo, "photo-commitment", "", "照片的承诺 commitment of the photo")
	return cmd
}

func newOrganisationLeave() *cobra.Command {
	var dir, holder, role string
	var suspended bool
	cmd := &cobra.Command{
		Use:     "leave --dir DIR --holder ID --role ROLE",
		Short:   "一个人离开或停职：码、密钥、工作证马上停用 · somebody leaves: code, keys and badges end at once",
		Example: "  menshen organisation leave --dir /srv/qingluo --holder lan --role technician",
		Args:    usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			reason := map[bool]string{true: "suspended", false: "left"}[suspended]
			return atDesk(dir, func(d *organisation.Desk) error {
				answer, err := d.Do(cmd.Context(), "/desk/people/leave", organisation.DeskAsk{Holder: holder, Role: role, Reason: reason})
				return said(cmd.OutOrStdout(), answer, err)
			})
		},
	}
	personFlags(cmd, &dir, &holder, &role)
	cmd.Flags().BoolVar(&suspended, "suspended", false, "停职，还会回来 for the time being")
	return cmd
}

// newOrganisationEnd is a command that takes one thing away.
func newOrganisationEnd(name, path, short, reason string) *cobra.Command {
	var dir string
	var a organisation.DeskAsk
	cmd := &cobra.Command{
		Use:     name + " --dir DIR",
		Short:   short,
		Example: "  menshen organisation " + name + " --dir /srv/qingluo --holder lan --role technician",
		Args:    usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case name == "end-key" && a.Key == "":
				return errUsage.At("--key")
			case name != "end-key" && (a.Holder == "" || a.Role == ""):
				return errUsage.At("--holder, --role")
			}
			return atDesk(dir, func(d *organisation.Desk) error {
				answer, err := d.Do(cmd.Context(), path, a)
				return said(cmd.OutOrStdout(), answer, err)
			})
		},
	}
	personFlags(cmd, &dir, &a.Holder, &a.Role)
	if reason != "" {
		cmd.Flags().StringVar(&a.Reason, "reason", reason, "原因 why: lost, left, suspended, fraud, replaced, compromised")
	}
	if name == "end-key" {
		cmd.Flags().StringVar(&a.Key, "key", "", "密钥的指纹 thumbprint of the key (required)")
		cmd.Example = "  menshen organisation end-key --dir /srv/jianghe --key THUMBPRINT --reason lost"
	}
	return cmd
}

// said tells how many statements were signed. They reach menshen by themselves.
func said(out io.Writer, a orgapi.Answer, err error) error {
	if err != nil {
		return err
	}
	if len(a.Statements) == 0 { // a code is taken back without a signature; or there was nothing to end
		_, err = fmt.Fprintln(out, "完成，没有要签的文件 · done; nothing had to be signed")
		return err
	}
	_, err = fmt.Fprintf(out, "签了 %d 份文件，门神会自己来取 · %[1]d statements signed; menshen fetches them by itself\n", len(a.Statements))
	return err
}
