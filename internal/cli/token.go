package cli

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/identifier"
)

func newToken() *cobra.Command {
	var config string
	var days int
	var g app.TokenGrant
	cmd := &cobra.Command{
		Use:   "token --config FILE --person ID --organisation ID --role ROLE",
		Short: "签发一个令牌 · issue a token",
		Long: `给一个人或一个程序签发令牌，只显示这一次；库里只存它的散列。kind 是 api（程序用）或 link（商户的网址：打开后还要输入开通码）。

Issues a token to a person or program. It is shown this once; only its hash is stored. kind is api, for programs, or link,
a merchant's address: it leads to the page that asks for the one-time code, and signs nobody in.`,
		Example: "  menshen token --config /srv/menshen/config.yaml --person lan --organisation qingluo --role technician",
		Args:    usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			g.Until = time.Now().Add(time.Duration(days) * 24 * time.Hour)
			return runToken(cmd.Context(), cmd.OutOrStdout(), config, g)
		},
	}
	f := cmd.Flags()
	f.StringVar(&config, "config", "", "配置文件 config file (required)")
	f.StringVar(&g.Person, "person", "", "人员或机构编号 id of the person, or of the organisation itself (required)")
	f.StringVar(&g.Organisation, "organisation", "", "所属机构编号 organisation id (required)")
	f.StringVar(&g.Role, "role", "", "身份 role (required)")
	f.StringVar(&g.Kind, "kind", "api", "api 或 link")
	f.StringVar(&g.Label, "label", "", "备注 what its owner calls it")
	f.IntVar(&days, "days", 30, "有效天数 days it holds")
	return cmd
}

// knownHere refuses an organisation's id that is well formed and of nobody; one that is malformed is told of by what is asked.
func knownHere(ctx context.Context, n *node, organisation string) error {
	if identifier.CheckID(organisation) != nil {
		return nil
	}
	return n.app.KnowsOrganisation(ctx, organisation)
}

func runToken(ctx context.Context, out io.Writer, config string, g app.TokenGrant) error {
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
	if err := knownHere(ctx, n, g.Organisation); err != nil {
		return err
	}
	_, secret, err := n.app.IssueToken(ctx, g)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, secret)
	return err
}
