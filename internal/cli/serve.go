package cli

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/klog/v2"

	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/httpapi"
	"github.com/menshen-project/menshen/internal/jobs"
	"github.com/menshen-project/menshen/internal/pages"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/visit"
)

func newServe() *cobra.Command {
	var config, profile string
	cmd := &cobra.Command{
		Use:   "serve --config FILE",
		Short: "运行服务 · run the server",
		Long: `运行网页、接口、公开日志和后台任务。前面要有 TLS。收到中断信号后，做完手头的请求再停。

Runs pages, API, transparency log and background loops. Put TLS in front of it. On an interrupt it finishes the requests
under way and stops.`,
		Example: "  menshen serve --config /srv/menshen/config.yaml",
		Args:    usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if config == "" {
				return errUsage.At("--config")
			}
			if profile == "" {
				return runServe(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr(), config)
			}
			wait := profiled(cmd.Context(), profile)
			return errors.Join(runServe(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr(), config), wait())
		},
	}
	cmd.Flags().StringVar(&config, "config", "", "配置文件 config file (required)")
	cmd.Flags().StringVar(&profile, "profile", "", "")
	_ = cmd.Flags().MarkHidden("profile") // bench's own; it is there
	return cmd
}

func runServe(ctx context.Context, out, errs io.Writer, path string) error {
	c, err := loadConfig(path)
	if err != nil {
		return err
	}
	logger := slog.New(slog.NewJSONHandler(errs, nil))
	klog.SetSlogLogger(slog.New(onlyWarnings{logger.Handler()})) // Tessera's own lines, or they would be the only ones that are no JSON
	n, err := openNode(ctx, c, logger)
	if err != nil {
		return err
	}
	working, stop := context.WithCancel(context.WithoutCancel(ctx))
	var loops sync.WaitGroup
	loops.Go(func() { jobs.Run(working, n.app, logger) })
	err = serveHTTP(ctx, c.Listen, httpapi.Server(n.routes(c, logger)), out)
	stop() // only now: requests that were finishing needed the loops
	loops.Wait()
	return errors.Join(err, n.close())
}

// routes puts pages, API and log under one address.
func (n *node) routes(c Config, logger *slog.Logger) http.Handler {
	api := httpapi.New(httpapi.Config{App: n.app, Log: logger, Version: version, Proxies: c.proxies()})
	source := pages.FromApp{App: n.app, Operator: c.Operator, Demonstration: c.Demonstration}
	site := pages.New(pages.Config{Source: source, Shops: source, CallLimit: httpapi.Limit(callRate, c.proxies()),
		Authenticate: pages.BySession(n.app), SignIn: n.signIn(c), Now: time.Now, Log: logger, Secure: c.secure, Contacts: c.contacts(),
		Desk: pages.Desk{App: n.app, Origin: c.origin, Limit: httpapi.Limit(signInRate, c.proxies()), Services: c.desks()}})
	mux := http.NewServeMux()
	for _, prefix := range []string{"/v1/", "/openapi.json", "/healthz", "/readyz"} {
		mux.Handle(prefix, api)
	}
	mux.Handle("/log/", http.StripPrefix("/log", n.log.Handler()))
	mux.Handle("/", site.Routes())
	return mux
}

// sessionHolds is how long somebody who came by a link stays signed in.
const sessionHolds = 12 * time.Hour

// signInRate bounds tries to sign in or join from one network: a whole office stands behind one address.
var signInRate = httpapi.Rate{PerSecond: 0.5, Burst: 30}

// callRate bounds what one network types into the public page.
var callRate = httpapi.Rate{PerSecond: 0.1, Burst: 10}

// signIn turns a link's token into a session: a new secret, whatever cookie came along, so that nobody
// can fix it beforehand. The session that the browser had ends. The link's own secret is in no address after this.
func (n *node) signIn(c Config) func(http.ResponseWriter, *http.Request, string) (string, error) {
	return func(w http.ResponseWriter, r *http.Request, token string) (string, error) {
		actor, err := n.app.Authenticate(r.Context(), token, store.TokenLink)
		if err != nil {
			return "", err
		}
		// A merchant's link is an address, never a proof (design §6): whoever holds it gets to the page that
		// asks for the one-time code, and signed in by nothing else. The demonstration's people are made up.
		if actor.Role == visit.RoleMerchant && !c.Demonstration {
			return pages.PhoneAddress(actor.Person, actor.Organisation), nil
		}
		if err := n.app.EndReplaced(r.Context(), httpapi.SessionOf(r)); err != nil {
			return "", err
		}
		_, secret, err := n.app.IssueToken(r.Context(), app.TokenGrant{Kind: store.TokenSession, Person: actor.Person, Organisation: actor.Organisation,
			Role: actor.Role, Label: "page", Until: n.app.Now().Add(sessionHolds)})
		if err != nil {
			return "", err
		}
		http.SetCookie(w, &http.Cookie{Name: httpapi.SessionCookie, Value: secret, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode,
			Secure: c.secure(r), MaxAge: int(sessionHolds.Seconds())})
		return pages.HomeOf(actor.Role), nil
	}
}
