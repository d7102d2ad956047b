package pages

import (
	"net/http"
	"strings"
)

const maxToken = 512

// askToEnter shows a button. Opening a link does nothing by itself: previews and scanners of messages
// open links too, and would use it up.
func (s *Server) askToEnter(w http.ResponseWriter, r *http.Request) error {
	if s.SignIn == nil || !soundToken(r.PathValue("token")) {
		return errNoRoute
	}
	return s.show(r.Context(), w, http.StatusOK, enterPage(s.plain(r)))
}

// enter signs in and leads on. The browser follows with GET, so reload and back do nothing twice.
func (s *Server) enter(w http.ResponseWriter, r *http.Request) error {
	token := r.PathValue("token")
	if s.SignIn == nil || !soundToken(token) {
		return errNoRoute
	}
	next, err := s.SignIn(w, r, token)
	if err != nil {
		return err
	}
	if !localPath(next) {
		return errNowhere
	}
	http.Redirect(w, r, next, http.StatusSeeOther)
	return nil
}

// soundToken bounds what is looked up.
func soundToken(t string) bool {
	return t != "" && len(t) <= maxToken && strings.Trim(t, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~=") == ""
}
