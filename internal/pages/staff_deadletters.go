package pages

import (
	"net/http"
	"net/url"

	"github.com/a-h/templ"

	"github.com/menshen-project/menshen/internal/access"
	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/store"
)

const (
	deadLettersPath = operationsPath + "/dead-letters"
	settleDeadPath  = operationsPath + "/" + access.SettleDeadLetter
)

// DeadLettersView is what whoever runs the deployment is about to settle: one letter, or a queue's.
type DeadLettersView struct {
	Letter, Queue string
	Rows          []app.DeadLetter // none: it is dead no more
	MayAside      bool             // all of them
}

// deadHref opens one letter, or all of a queue.
func deadHref(letter, queue string) templ.SafeURL {
	q := url.Values{}
	if letter != "" {
		q.Set("letter", letter)
	} else {
		q.Set("queue", queue)
	}
	u := url.URL{Path: deadLettersPath, RawQuery: q.Encode()}
	return templ.SafeURL(u.String())
}

// deadLetters asks what is to become of what is not tried any more. Opening it does nothing.
func (s *Server) deadLetters(w http.ResponseWriter, r *http.Request) error {
	p, err := s.signedIn(w, r)
	if err != nil {
		return err
	}
	v := DeadLettersView{Letter: r.URL.Query().Get("letter"), Queue: r.URL.Query().Get("queue")}
	v.Rows, err = s.Desk.App.DeadLetters(r.Context(), actorOf(p.viewer), v.Letter, v.Queue)
	status := http.StatusOK
	if fault.KindOf(err) == fault.NotFound {
		status, err = http.StatusNotFound, nil
	}
	if err != nil {
		return err
	}
	v.MayAside = len(v.Rows) > 0
	for _, l := range v.Rows {
		v.MayAside = v.MayAside && l.MayAside
	}
	return s.show(r.Context(), w, status, deadLettersPage(p, v))
}

// settleDeadLetter does what was pressed and leads back. Pressed twice, it is done once.
func (s *Server) settleDeadLetter(w http.ResponseWriter, r *http.Request) error {
	p, err := s.signedIn(w, r)
	if err != nil {
		return err
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	what := app.DeadLetterSettlement{Letter: r.PostFormValue("letter"), Queue: r.PostFormValue("queue"), Outcome: r.PostFormValue("outcome"), Reason: r.PostFormValue("reason")}
	n, err := s.Desk.App.SettleDeadLetter(r.Context(), actorOf(p.viewer), what)
	if code := fault.CodeOf(err); code == "dead_letter_settled" || code == "dead_letter_not_found" {
		n, what.Outcome = 0, "nothing" // somebody was quicker: the page shows who did what
	} else if err != nil {
		return err
	}
	if n == 0 {
		what.Outcome = "nothing"
	}
	http.Redirect(w, r, operationsPath+"?"+url.Values{"done": {what.Outcome}, "n": {number(n)}}.Encode()+"#queues", http.StatusSeeOther)
	return nil
}

// deadOutcomes are what may become of a dead letter, in the page's order; the last is what a page says when somebody was quicker.
var deadOutcomes = []string{store.LetterQueuedAgain, store.LetterSetAside, "nothing"}
