package pages

import (
	"net/http"
	"slices"

	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/identifier"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/visit"
)

const (
	incidentsPath = "/staff/incidents"
	terminalsPath = "/staff/terminals"
)

// IncidentsView is what waits for the risk desk.
type IncidentsView struct {
	Query     listQuery
	Rows      []app.Stop
	Next      string
	Strangers []app.Ticket
}

func (s *Server) incidents(w http.ResponseWriter, r *http.Request) error {
	p, err := s.ofAcquirer(w, r)
	if err != nil {
		return err
	}
	v := IncidentsView{Query: listQueryOf(r.URL.Query())}
	if v.Rows, v.Next, err = s.Desk.App.Stops(r.Context(), actorOf(p.viewer), v.Query.After, rowsPerPage); err != nil {
		return err
	}
	if v.Strangers, err = s.Desk.App.StrangerTickets(r.Context(), actorOf(p.viewer)); err != nil {
		return err
	}
	return s.show(r.Context(), w, http.StatusOK, incidentsPage(p, v))
}

// left says how much of the risk desk's two hours is left, or how long they are over.
func (p *page) left(o app.Stop) string {
	if len(o.Matters) == 0 {
		return ""
	}
	minutes := int(o.DueAt.Sub(p.now).Minutes())
	if minutes < 0 {
		return p.n("risk.over", -minutes)
	}
	return p.n("risk.left", minutes)
}

// matterKey is a kind of matter as a part of a text's key.
func matterKey(kind string) string {
	if slices.Contains([]string{"freeze", "incident", "conflict", "suspension", visit.MarkLost, visit.MarkQuarantined}, kind) {
		return kind
	}
	return "other"
}

// TerminalsView is the list of terminals.
type TerminalsView struct {
	Query listQuery
	Rows  []store.Binding
	Next  string
}

func (s *Server) terminals(w http.ResponseWriter, r *http.Request) error {
	p, err := s.ofAcquirer(w, r)
	if err != nil {
		return err
	}
	v := TerminalsView{Query: serialQuery(r)}
	if v.Query.Sound {
		if v.Rows, v.Next, err = s.Desk.App.Terminals(r.Context(), actorOf(p.viewer), v.Query.Search, v.Query.After, rowsPerPage); err != nil {
			return err
		}
	}
	allow(w, needs{api: true})
	return s.show(r.Context(), w, http.StatusOK, terminalsPage(p, v))
}

// serialQuery reads a list's address. A serial is no number of a person, however many digits it has.
func serialQuery(r *http.Request) listQuery {
	q := listQueryOf(r.URL.Query())
	if text := r.URL.Query().Get("q"); !q.Sound && identifier.CheckID(text) == nil {
		q.Search, q.Sound = text, true
	}
	return q
}

func (s *Server) terminalsCSV(w http.ResponseWriter, r *http.Request) error {
	p, err := s.ofAcquirer(w, r)
	if err != nil {
		return err
	}
	q, rows, cursor := serialQuery(r), [][]string{}, ""
	for q.Sound && len(rows) < mostExported {
		list, next, err := s.Desk.App.Terminals(r.Context(), actorOf(p.viewer), q.Search, cursor, 0)
		if err != nil {
			return err
		}
		for _, b := range list {
			rows = append(rows, []string{b.Serial, b.TerminalCode, b.Merchant, b.State, iso(b.SinceAt.Time()), b.Visit})
		}
		if cursor = next; next == "" {
			break
		}
	}
	attachCSV(w, "terminals")
	return writeTable(w, []string{"serial", "terminal", "merchant", "state", "since", "visit"}, rows)
}

func (s *Server) terminal(w http.ResponseWriter, r *http.Request) error {
	p, err := s.ofAcquirer(w, r)
	if err != nil {
		return err
	}
	d, err := s.Desk.App.Terminal(r.Context(), actorOf(p.viewer), r.PathValue("serial"))
	if err != nil {
		return err
	}
	allow(w, needs{api: true, passkey: true})
	return s.show(r.Context(), w, http.StatusOK, terminalPage(p, d))
}

// bindingLevel says how a terminal stands.
func bindingLevel(state string) string {
	return map[string]string{"open": LevelGood, "reserved": LevelWait}[state]
}
