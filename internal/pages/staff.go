package pages

import (
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"net/url"
	"time"

	"github.com/a-h/templ"

	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/store"
)

// Desk is what sign-in by passkey and the consoles of staff need. The zero value has neither.
type Desk struct {
	App *app.App
	// Origin is where the site is, as browsers write it; passkeys are bound to it. "" for a request
	// that came to no address passkeys can have.
	Origin func(*http.Request) string
	// Limit counts one try to sign in against the request's network; over it, how long to wait. nil
	// does not count.
	Limit func(*http.Request) (wait time.Duration, ok bool)
	// Services are the addresses of the organisations' own staff pages, where they make one-time codes; none
	// where there is no address.
	Services map[string]string
}

func (s *Server) staffRoutes() map[string]handler {
	if s.Desk.App == nil {
		return nil
	}
	return map[string]handler{
		"GET /sign-in":                          s.signInPage,
		"POST /sign-in/options":                 s.answer(s.limited(bare(s.beginSignIn))),
		"POST /sign-in":                         s.answer(s.limited(s.finishSignIn)),
		"GET /join":                             s.joinPage,
		"POST /join/options":                    s.answer(s.limited(s.beginJoin)),
		"POST /join":                            s.answer(s.limited(s.finishJoin)),
		"GET /account":                          s.account,
		"POST /account/sign-out":                s.signOut,
		"POST /account/sessions/{id}/end":       s.endSession,
		"POST /account/sessions/end-others":     s.endOtherSessions,
		"POST /account/passkeys/options":        s.answer(bare(s.beginAddPasskey)),
		"POST /account/passkeys":                s.answer(s.finishAddPasskey),
		"POST /account/passkeys/{id}/name":      s.renamePasskey,
		"POST /account/passkeys/{id}/remove":    s.removePasskey,
		"GET /staff/invitations":                s.invitations,
		"POST /staff/invitations":               s.answer(s.invite),
		"POST /staff/invitations/{id}/withdraw": s.withdrawInvitation,
		"GET /staff/visits":                     s.board,
		"GET /staff/visits.csv":                 s.export,
		"GET /staff/visits.json":                s.export,
		"GET /staff/technicians":                s.technicians,
		"POST /staff/technicians":               s.answer(s.putTechnician),
		"GET /staff/technicians.csv":            s.techniciansCSV,
		"GET /staff/devices":                    s.stock,
		"GET /staff/devices.csv":                s.stockCSV,
		"GET /staff/technicians/{id}/face":      s.answer(s.face),
		"POST /staff/visits/{id}/link":          s.answer(bare(s.orderLink)),
		"GET /staff/visits/{id}/news":           s.answer(s.news),
		"POST /staff/visits/{id}/send-link":     s.answer(bare(s.sendLink)),
		"GET /staff/conflicts":                  s.conflicts,
		"GET /staff/suspensions":                s.suspensions,
		"GET /staff/operations":                 s.operations,
		"GET " + deadLettersPath:                s.deadLetters,
		"POST " + settleDeadPath:                s.settleDeadLetter,
		"GET /staff/key":                        s.keyPage,
	}
}

var (
	errForm    = fault.New(fault.Invalid, "form_malformed", "填的内容看不懂，请重新打开这一页。", "What was sent cannot be read; open the page again.")
	errTooMany = fault.New(fault.TooMany, "rate_limited", "试得太频繁，请过一会儿再试。", "Too many tries; wait a little.")
)

const maxForm = 64 << 10

// problem is an error as page scripts read it.
type problem struct {
	Code string `json:"code"`
	Zh   string `json:"zh"`
	En   string `json:"en"`
}

// asked is what a script's request answers with.
type asked func(http.ResponseWriter, *http.Request) (any, error)

// answer makes a handler that speaks JSON, errors included.
func (s *Server) answer(h asked) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		out, err := h(w, r)
		status := http.StatusOK
		if err != nil {
			f := fault.Of(err)
			if status = statusOf[f.Kind]; status == 0 {
				status = http.StatusInternalServerError
			}
			if status >= http.StatusInternalServerError {
				s.Log.Error("a page's request failed", "code", f.Code, "error", err)
			}
			out = problem{Code: f.Code, Zh: f.Text.Zh, En: f.Text.En}
		}
		data, err := json.Marshal(out)
		if err != nil {
			return err
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = w.Write(data) // the browser may have gone
		return nil
	}
}

// limited bounds tries by network, before anything is looked up.
func (s *Server) limited(h asked) asked {
	return func(w http.ResponseWriter, r *http.Request) (any, error) {
		if s.Desk.Limit != nil {
			if _, ok := s.Desk.Limit(r); !ok {
				w.Header().Set("Retry-After", "30")
				return nil, errTooMany
			}
		}
		return h(w, r)
	}
}

// bare takes requests that have nothing to say, and only those: what else stands in them was meant for something
// else.
func bare(h asked) asked {
	return func(w http.ResponseWriter, r *http.Request) (any, error) {
		if err := readForm(w, r, &struct{}{}); err != nil {
			return nil, err
		}
		return h(w, r)
	}
}

// readForm reads a small JSON body as strictly as the API reads its own: every name of the form, once.
func readForm(w http.ResponseWriter, r *http.Request, into any) error {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return errForm
	}
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxForm))
	if err != nil {
		return errForm.Because(err)
	}
	if err := statement.Decode(data, into); err != nil {
		return errForm.At(fault.Of(err).Where).Because(err)
	}
	return nil
}

// BySession finds who a page's request is from by its session's cookie; nobody is a viewer too.
func BySession(a *app.App) func(*http.Request) (Viewer, error) {
	return func(r *http.Request) (Viewer, error) {
		cookie, err := r.Cookie(app.SessionCookie)
		if err != nil {
			return Viewer{}, nil
		}
		find := a.Authenticate
		if r.Header.Get(unattendedHeader) != "" {
			find = a.AuthenticateUnattended
		}
		actor, err := find(r.Context(), cookie.Value, store.TokenSession)
		if fault.KindOf(err) == fault.Unauthenticated {
			return Viewer{}, nil
		}
		return Viewer{Person: actor.Person, Organisation: actor.Organisation, Role: actor.Role, Token: actor.Token}, err
	}
}

// signedIn is who asks; nobody is signed_out.
func (s *Server) signedIn(w http.ResponseWriter, r *http.Request) (*page, error) {
	p, err := s.look(w, r)
	if err == nil && !p.viewer.SignedIn() {
		err = errSignedOut
	}
	return p, err
}

// hrefOf is an address on this site made of names, each escaped.
func hrefOf(parts ...string) templ.SafeURL {
	u := url.URL{Path: "/"} // JoinPath makes no path absolute that was not
	return templ.SafeURL(u.JoinPath(escaped(parts)...).String())
}

func escaped(parts []string) []string {
	out := make([]string, len(parts))
	for i, p := range parts {
		out[i] = url.PathEscape(p)
	}
	return out
}

func (s *Server) site(r *http.Request) string {
	if s.Desk.Origin == nil {
		return ""
	}
	return s.Desk.Origin(r)
}
