package pages

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/menshen-project/menshen/internal/access"
	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/visit"
)

// ceremonyCookie binds a challenge to the browser that asked for it.
const ceremonyCookie = "menshen_ceremony"

func (s *Server) setCeremony(w http.ResponseWriter, r *http.Request, o app.Options) {
	http.SetCookie(w, &http.Cookie{Name: ceremonyCookie, Value: o.Secret, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: s.Secure(r),
		MaxAge: int(o.Until.Sub(s.Now()).Seconds())})
}

func ceremony(r *http.Request) string {
	c, err := r.Cookie(ceremonyCookie)
	if err != nil {
		return ""
	}
	return c.Value
}

// setSession gives the browser its session; the ceremony's cookie is done.
func (s *Server) setSession(w http.ResponseWriter, r *http.Request, in app.SignedIn) {
	http.SetCookie(w, &http.Cookie{Name: app.SessionCookie, Value: in.Secret, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: s.Secure(r),
		MaxAge: int(in.Until.Sub(s.Now()).Seconds())})
	s.dropCookie(w, r, ceremonyCookie)
}

func (s *Server) dropCookie(w http.ResponseWriter, r *http.Request, name string) {
	http.SetCookie(w, &http.Cookie{Name: name, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: s.Secure(r), MaxAge: -1})
}

var passkeyPage = needs{api: true, passkey: true}

func (s *Server) signInPage(w http.ResponseWriter, r *http.Request) error {
	p, err := s.look(w, r)
	if err != nil {
		return err
	}
	allow(w, passkeyPage)
	return s.show(r.Context(), w, http.StatusOK, signInView(p))
}

func (s *Server) joinPage(w http.ResponseWriter, r *http.Request) error {
	allow(w, passkeyPage)
	return s.show(r.Context(), w, http.StatusOK, joinView(s.plain(r)))
}

func (s *Server) beginSignIn(w http.ResponseWriter, r *http.Request) (any, error) {
	o, err := s.Desk.App.BeginSignIn(r.Context(), s.site(r))
	return s.ask(w, r, o, err)
}

// ask sends options to the browser and its ceremony's cookie.
func (s *Server) ask(w http.ResponseWriter, r *http.Request, o app.Options, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	s.setCeremony(w, r, o)
	return json.RawMessage(o.JSON), nil
}

type whereTo struct {
	Next string `json:"next"`
}

func (s *Server) finishSignIn(w http.ResponseWriter, r *http.Request) (any, error) {
	var in struct {
		Answer json.RawMessage `json:"answer"`
	}
	if err := readForm(w, r, &in); err != nil {
		return nil, err
	}
	signed, err := s.Desk.App.FinishSignIn(r.Context(), s.site(r), ceremony(r), in.Answer, deviceOf(r))
	return s.entered(w, r, signed, err)
}

// sessionOf is the secret of the session that a browser has, "" for none.
func sessionOf(r *http.Request) string {
	cookie, err := r.Cookie(app.SessionCookie)
	if err != nil {
		return ""
	}
	return cookie.Value
}

func (s *Server) entered(w http.ResponseWriter, r *http.Request, in app.SignedIn, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	if err := s.Desk.App.EndReplaced(r.Context(), sessionOf(r)); err != nil {
		return nil, err
	}
	s.setSession(w, r, in)
	return whereTo{Next: HomeOf(in.Actor.Role)}, nil
}

// HomeOf is where somebody of a role works, and so where signing in leads.
func HomeOf(role string) string {
	switch {
	case isStaff(Viewer{Role: role}):
		return string(BoardQuery{Day: today}.href(boardPath))
	case runsIt(Viewer{Role: role}):
		return operationsPath
	case role == visit.RoleTechnician:
		return "/app"
	}
	return "/"
}

func (s *Server) beginJoin(w http.ResponseWriter, r *http.Request) (any, error) {
	var in struct {
		Code string `json:"code"`
	}
	if err := readForm(w, r, &in); err != nil {
		return nil, err
	}
	o, err := s.Desk.App.BeginJoin(r.Context(), s.site(r), in.Code)
	return s.ask(w, r, o, err)
}

func (s *Server) finishJoin(w http.ResponseWriter, r *http.Request) (any, error) {
	var in struct {
		Name   string          `json:"name"`
		Answer json.RawMessage `json:"answer"`
	}
	if err := readForm(w, r, &in); err != nil {
		return nil, err
	}
	signed, err := s.Desk.App.FinishJoin(r.Context(), s.site(r), ceremony(r), strings.TrimSpace(in.Name), in.Answer, deviceOf(r))
	return s.entered(w, r, signed, err)
}

// AccountView is one's own way in.
type AccountView struct {
	Sessions []SessionView
	Passkeys []store.Passkey
}

// SessionView is one session as its owner sees it.
type SessionView struct {
	ID          string
	Device      string
	Began, Seen time.Time
	Until       time.Time
	Current     bool
}

func (s *Server) account(w http.ResponseWriter, r *http.Request) error {
	p, err := s.signedIn(w, r)
	if err != nil {
		return err
	}
	sessions, err := s.Desk.App.Sessions(r.Context(), actorOf(p.viewer))
	if err != nil {
		return err
	}
	var v AccountView
	if v.Passkeys, err = s.Desk.App.Passkeys(r.Context(), actorOf(p.viewer)); err != nil {
		return err
	}
	for _, t := range sessions {
		v.Sessions = append(v.Sessions, SessionView{ID: t.ID, Device: t.Label, Began: t.CreatedAt.Time(), Seen: t.SeenAt.Time(), Until: t.ExpiresAt.Time(), Current: t.ID == p.viewer.Token})
	}
	allow(w, passkeyPage)
	return s.show(r.Context(), w, http.StatusOK, accountView(p, v))
}

// headerPerson names whose session a script means to end: a phone tells the server late that somebody left, and by then somebody
// else may have signed in on it.
const headerPerson = "Menshen-Person"

// signOut ends this session, also when it is over already. Faults: session_of_another.
func (s *Server) signOut(w http.ResponseWriter, r *http.Request) error {
	p, err := s.look(w, r)
	if err != nil {
		return err
	}
	if meant := r.Header.Get(headerPerson); meant != "" && p.viewer.SignedIn() && meant != p.viewer.Person {
		return errOfAnother
	}
	if p.viewer.Token != "" {
		err = s.Desk.App.EndSession(r.Context(), actorOf(p.viewer), p.viewer.Token)
	}
	if err != nil && fault.KindOf(err) != fault.NotFound {
		return err
	}
	s.dropCookie(w, r, app.SessionCookie)
	w.Header().Set("Clear-Site-Data", `"cache"`) // keys and what is unsent stay: they are the person's, not the session's
	if r.Header.Get(headerPerson) != "" {
		w.WriteHeader(http.StatusNoContent) // a script must know that it was this server: a redirect hides its headers
		return nil
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
	return nil
}

// done leads back by GET, so that reload does nothing twice. What was done already is done.
func (s *Server) done(w http.ResponseWriter, r *http.Request, next string, err error) error {
	if err != nil && fault.KindOf(err) != fault.NotFound {
		return err
	}
	http.Redirect(w, r, next, http.StatusSeeOther)
	return nil
}

func (s *Server) endSession(w http.ResponseWriter, r *http.Request) error {
	p, err := s.signedIn(w, r)
	if err != nil {
		return err
	}
	return s.done(w, r, "/account", s.Desk.App.EndSession(r.Context(), actorOf(p.viewer), r.PathValue("id")))
}

func (s *Server) endOtherSessions(w http.ResponseWriter, r *http.Request) error {
	p, err := s.signedIn(w, r)
	if err != nil {
		return err
	}
	_, err = s.Desk.App.EndOtherSessions(r.Context(), actorOf(p.viewer))
	return s.done(w, r, "/account", err)
}

func (s *Server) beginAddPasskey(w http.ResponseWriter, r *http.Request) (any, error) {
	p, err := s.signedIn(w, r)
	if err != nil {
		return nil, err
	}
	o, err := s.Desk.App.BeginAddPasskey(r.Context(), actorOf(p.viewer), s.site(r))
	return s.ask(w, r, o, err)
}

func (s *Server) finishAddPasskey(w http.ResponseWriter, r *http.Request) (any, error) {
	p, err := s.signedIn(w, r)
	if err != nil {
		return nil, err
	}
	var in struct {
		Name   string          `json:"name"`
		Answer json.RawMessage `json:"answer"`
	}
	if err := readForm(w, r, &in); err != nil {
		return nil, err
	}
	err = s.Desk.App.FinishAddPasskey(r.Context(), actorOf(p.viewer), s.site(r), ceremony(r), strings.TrimSpace(in.Name), in.Answer)
	s.dropCookie(w, r, ceremonyCookie)
	return whereTo{Next: "/account"}, err
}

func (s *Server) renamePasskey(w http.ResponseWriter, r *http.Request) error {
	p, err := s.signedIn(w, r)
	if err != nil {
		return err
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	return s.done(w, r, "/account", s.Desk.App.RenamePasskey(r.Context(), actorOf(p.viewer), r.PathValue("id"), strings.TrimSpace(r.PostFormValue("name"))))
}

func (s *Server) removePasskey(w http.ResponseWriter, r *http.Request) error {
	p, err := s.signedIn(w, r)
	if err != nil {
		return err
	}
	return s.done(w, r, "/account", s.Desk.App.RemovePasskey(r.Context(), actorOf(p.viewer), r.PathValue("id")))
}

// inviteHolds is how long an invitation made on the page may wait.
const inviteHolds = 3 * 24 * time.Hour

func (s *Server) invitations(w http.ResponseWriter, r *http.Request) error {
	p, err := s.signedIn(w, r)
	if err != nil {
		return err
	}
	list, err := s.Desk.App.Invitations(r.Context(), actorOf(p.viewer))
	if err != nil {
		return err
	}
	allow(w, needs{api: true})
	return s.show(r.Context(), w, http.StatusOK, invitationsView(p, list, access.Invites(access.Role(p.viewer.Role))))
}

func (s *Server) invite(w http.ResponseWriter, r *http.Request) (any, error) {
	p, err := s.signedIn(w, r)
	if err != nil {
		return nil, err
	}
	var in struct {
		Person  string `json:"person"`
		Role    string `json:"role"`
		Recover bool   `json:"recover"`
	}
	if err := readForm(w, r, &in); err != nil {
		return nil, err
	}
	code, err := s.Desk.App.InviteColleague(r.Context(), actorOf(p.viewer), app.Invitation{Person: strings.TrimSpace(in.Person), Role: in.Role, Recover: in.Recover,
		Until: s.Now().Add(inviteHolds)})
	return map[string]string{"code": code}, err
}

func (s *Server) withdrawInvitation(w http.ResponseWriter, r *http.Request) error {
	p, err := s.signedIn(w, r)
	if err != nil {
		return err
	}
	return s.done(w, r, "/staff/invitations", s.Desk.App.WithdrawInvitation(r.Context(), actorOf(p.viewer), r.PathValue("id")))
}

// invitationState is a text key: open, used or withdrawn, or over.
func invitationState(i store.Invitation, now time.Time) string {
	switch {
	case i.EndedAt != 0:
		return "invite.used"
	case !i.ExpiresAt.Time().After(now):
		return "invite.over"
	}
	return "invite.open"
}

// deviceOf names a browser and its system in a few words, for the owner to know it again; never the
// whole header, which can be told apart from everybody else's.
func deviceOf(r *http.Request) string {
	agent := r.UserAgent()
	first := func(names ...[2]string) string {
		for _, n := range names {
			if strings.Contains(agent, n[0]) {
				return n[1]
			}
		}
		return "?"
	}
	browser := first([2]string{"MicroMessenger", "WeChat"}, [2]string{"Edg", "Edge"}, [2]string{"Firefox", "Firefox"}, [2]string{"Chrome", "Chrome"}, [2]string{"Safari", "Safari"})
	system := first([2]string{"HarmonyOS", "HarmonyOS"}, [2]string{"Android", "Android"}, [2]string{"iPhone", "iPhone"}, [2]string{"iPad", "iPad"}, [2]string{"Windows", "Windows"},
		[2]string{"Mac OS", "Mac"}, [2]string{"Linux", "Linux"})
	return browser + " · " + system
}
