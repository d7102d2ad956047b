package pages

import (
	"net/http"
	"strconv"
	"time"
)

// unattendedHeader is sent with what a page asks by itself. It is no use of the session: who sends it without
// need only shortens his own.
const unattendedHeader = "Menshen-Unattended"

// Bounds of one question for news; a proxy in front must let a request wait as long.
const mostNewsWait = 25 * time.Second

// news answers as soon as something new is recorded about a visit, or when the wait is over. The address says
// after which event (after) and how many seconds to wait at most (wait).
func (s *Server) news(w http.ResponseWriter, r *http.Request) (any, error) {
	p, err := s.staff(w, r)
	if err != nil {
		return nil, err
	}
	q := r.URL.Query()
	after, errAfter := strconv.Atoi(q.Get("after"))
	seconds, errWait := strconv.Atoi(q.Get("wait"))
	if errAfter != nil || errWait != nil || after < 0 || seconds < 0 {
		return nil, errForm
	}
	n, err := s.Desk.App.Follow(r.Context(), actorOf(p.viewer), r.PathValue("id"), after, min(time.Duration(seconds)*time.Second, mostNewsWait))
	return map[string]int{"number": n}, err
}
