package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/spf13/cobra"

	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/scenario/simhost"
	"github.com/menshen-project/menshen/internal/visit"
)

// newDemoHost is the simulated acquirer's host as a process. It is hidden: no real host is run by
// menshen's operator.
func newDemoHost() *cobra.Command {
	var c simhost.Config
	var steady bool
	cmd := &cobra.Command{
		Use:     "demo-host",
		Short:   "模拟的收单主机，只给演示用 · the simulated acquirer's host, for demonstrations",
		Example: "  menshen demo-host --dir DIR --listen 127.0.0.1:8441 --trust trust.json --acquirer jianghe",
		Hidden:  true,
		Args:    usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			var err error
			if c.MenshenToken, err = readToken(filepath.Join(c.Dir, "menshen.token")); err != nil {
				return err
			}
			if c.DeskToken, err = readToken(filepath.Join(c.Dir, "desk.token")); err != nil {
				return err
			}
			c.ID, c.KeyFile, c.Hostile = "host-"+c.Organisation, filepath.Join(c.Dir, "host.pem"), simhost.Mild()
			if steady {
				c.Hostile = simhost.Hostile{}
			}
			c.Listening = func(url string) { fmt.Fprintln(cmd.OutOrStdout(), "listening on "+url) }
			return simhost.Run(cmd.Context(), c)
		},
	}
	cmd.Flags().StringVar(&c.Dir, "dir", "", "主机自己的文件夹 the host's own folder")
	cmd.Flags().StringVar(&c.Addr, "listen", "127.0.0.1:0", "地址 address")
	cmd.Flags().StringVar(&c.TrustFile, "trust", "", "信任文件 trust file")
	cmd.Flags().StringVar(&c.Organisation, "acquirer", "", "收单机构编号 acquirer's id")
	cmd.Flags().BoolVar(&steady, "steady", false, "不丢回答，量速度用 loses no answer, for measuring")
	return cmd
}

// settleHost gives the host its key and tokens.
func (w *world) settleHost() error {
	dir := filepath.Join(w.dir, "host")
	deskToken, _ := app.NewToken()
	if err := writeECKey(filepath.Join(dir, "host.pem"), w.city.Cast.Host.Key); err != nil {
		return err
	}
	for name, secret := range map[string]string{"menshen.token": w.hostToken, "desk.token": deskToken} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(secret+"\n"), 0o600); err != nil {
			return err
		}
	}
	w.args["host"] = []string{"demo-host", "--dir", dir, "--listen", w.host, "--trust", w.trustFile, "--acquirer", w.city.Cast.Acquirer.ID, fmt.Sprint("--steady=", w.steady)}
	client, err := simhost.NewClient("http://"+w.host, "", deskToken)
	w.atHost = &desk{Client: client}
	return err
}

// desk is the acquirer's own side of the simulated host: it enters what was ordered into its books.
type desk struct {
	*simhost.Client
	mu   sync.Mutex
	late []visit.Order // that the host did not answer for; entered when a device comes
}

// Enter writes an order into the host's books; if the host does not answer, later.
func (d *desk) Enter(o visit.Order) {
	if err := d.PutRecord(context.Background(), o.Order, scenario.RowOf(o)); err != nil {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.late = append(d.late, o)
	}
}

// OpenSession lets a device prove its key, once every order is in the books.
func (d *desk) OpenSession(ctx context.Context, device *scenario.Device) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	for len(d.late) > 0 {
		if err := d.PutRecord(ctx, d.late[0].Order, scenario.RowOf(d.late[0])); err != nil {
			return err
		}
		d.late = d.late[1:]
	}
	return d.Client.OpenSession(ctx, device)
}
