package cli

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/menshen-project/menshen/internal/app"
)

func newInvite() *cobra.Command {
	var config string
	var hours int
	var i app.Invitation
	cmd := &cobra.Command{
		Use:   "invite --config FILE --person ID --organisation ID --role ROLE",
		Short: "邀请一个人用网页 · invite a person to the pages",
		Long: `开一个邀请码，只显示这一次，只能用一次。当面或打电话告诉本人，他在网页上“工作人员登录”里输入，建一把通行密钥。
丢了手机用 --recover：码用上以后，以前的登录和通行密钥全部作废。程序用的凭证是 menshen token。

Makes an invitation code, shown this once and good once. Tell it to the person face to face or by phone; he enters it
under Staff sign-in and makes a passkey. --recover is for a lost phone: when the code is used, earlier sessions and
passkeys end. Programs use menshen token instead.`,
		Example: "  menshen invite --config /srv/menshen/config.yaml --person qiu --organisation svc-anzhuang --role dispatcher",
		Args:    usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			i.Until = time.Now().Add(time.Duration(hours) * time.Hour)
			return runInvite(cmd.Context(), cmd.OutOrStdout(), config, i)
		},
	}
	f := cmd.Flags()
	f.StringVar(&config, "config", "", "配置文件 config file (required)")
	f.StringVar(&i.Person, "person", "", "人员编号 id of the person (required)")
	f.StringVar(&i.Organisation, "organisation", "", "所属机构编号 organisation id (required)")
	f.StringVar(&i.Role, "role", "", "身份 role (required)")
	f.BoolVar(&i.Recover, "recover", false, "丢了手机 ends earlier passkeys and sessions when used")
	f.IntVar(&hours, "hours", 48, "有效小时 hours it holds, at most 168")
	return cmd
}

func runInvite(ctx context.Context, out io.Writer, config string, i app.Invitation) error {
	if config == "" {
		return errUsage.At("--config")
	}
	c, err := loadConfig(config)
	if err != nil {
		return err
	}
	n, err := openNode(ctx, c, nil)
	if err != nil {
		return err
	}
	defer n.close()
	if err := knownHere(ctx, n, i.Organisation); err != nil {
		return err
	}
	code, err := n.app.Invite(ctx, c.Operator, i)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, code)
	return err
}
