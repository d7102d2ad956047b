package cli

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/transparency"
)

var errListen = fault.New(fault.Unavailable, "address_not_usable", "这个地址不能用。", "This address cannot be listened on.")

// witnessing is what the witness command is asked for.
type witnessing struct{ dir, name, listen, origin, logKey string }

func newWitness() *cobra.Command {
	var w witnessing
	cmd := &cobra.Command{
		Use:   "witness",
		Short: "为公开日志作公证 · witness a transparency log",
		Long: `公证人由别的机构运行：日志只许变长，不许改写，公证人才签字（C2SP tlog-witness）。

A witness is run by another party than the log's: it cosigns only if the log has grown and nothing was rewritten.`,
		Example: `  menshen witness init --dir /srv/witness --name witness-a
  menshen witness --dir /srv/witness --listen 127.0.0.1:8431 --origin menshen.example/log --log-key KEY`,
		Args: usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return w.serve(cmd.Context(), cmd.OutOrStdout()) },
	}
	f := cmd.Flags()
	f.StringVar(&w.dir, "dir", "", "公证人自己的文件夹 the witness's own folder (required)")
	f.StringVar(&w.listen, "listen", "127.0.0.1:8431", "地址 address to serve on")
	f.StringVar(&w.origin, "origin", "", "日志的名称 name of the log (required)")
	f.StringVar(&w.logKey, "log-key", "", "日志的公钥 the log's verifier key (required)")
	cmd.AddCommand(newWitnessInit())
	return cmd
}

func newWitnessInit() *cobra.Command {
	var w witnessing
	cmd := &cobra.Command{
		Use:     "init --dir DIR --name NAME",
		Short:   "生成公证密钥 · make a witness's key",
		Example: "  menshen witness init --dir /srv/witness --name witness-a",
		Args:    usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			vkey, err := w.init()
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), vkey)
			return err
		},
	}
	cmd.Flags().StringVar(&w.dir, "dir", "", "文件夹 folder (required)")
	cmd.Flags().StringVar(&w.name, "name", "", "公证人的名称 name on the key (required)")
	return cmd
}

func (w witnessing) init() (vkey string, err error) {
	if w.dir == "" || w.name == "" {
		return "", errUsage.At("--dir, --name")
	}
	if !keyName.MatchString(w.name) {
		return "", errUsage.At("--name")
	}
	secret, vkey, err := transparency.GenerateWitnessKey(w.name)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(w.dir, 0o700); err != nil {
		return "", errFolder.Because(err)
	}
	return vkey, writeSecret(filepath.Join(w.dir, "witness.key"), []byte(secret+"\n"))
}

func (w witnessing) serve(ctx context.Context, out io.Writer) error {
	if w.dir == "" || w.origin == "" || w.logKey == "" {
		return errUsage.At("--dir, --origin, --log-key")
	}
	if _, _, err := net.SplitHostPort(w.listen); err != nil {
		return errUsage.At("--listen")
	}
	secret, err := readKeyLine(filepath.Join(w.dir, "witness.key"))
	if err != nil {
		return err
	}
	signer, _, err := transparency.ParseWitnessSigner(secret)
	if err != nil {
		return err
	}
	handler, err := transparency.NewWitness(transparency.WitnessConfig{Dir: filepath.Join(w.dir, "state"), Signer: signer,
		Logs: []transparency.LogKey{{Origin: w.origin, VKey: w.logKey}}})
	if err != nil {
		return err
	}
	err = serveHTTP(ctx, w.listen, &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second}, out)
	return errors.Join(err, handler.Close())
}

// serveHTTP serves, over TLS if the server has a configuration for it, until ctx is done, then lets requests under way finish.
func serveHTTP(ctx context.Context, address string, server *http.Server, out io.Writer) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return errListen.At(address).Because(err)
	}
	scheme := "http"
	if server.TLSConfig != nil {
		scheme, listener = "https", tls.NewListener(listener, server.TLSConfig)
	}
	if _, err := fmt.Fprintf(out, "listening on %s://%s\n", scheme, listener.Addr()); err != nil {
		return err
	}
	stopped := make(chan error, 1)
	go func() { stopped <- server.Serve(listener) }()
	select {
	case err := <-stopped:
		return errListen.At(address).Because(err)
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	return server.Shutdown(grace)
}
