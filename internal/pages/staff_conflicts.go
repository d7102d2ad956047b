package pages

import (
	"net/http"

	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/visit"
)

// conflictRoles are whom a contradiction is brought to.
var conflictRoles = []string{visit.RoleDispatcher, visit.RoleRisk}

// conflicts lists the statements that contradict what is recorded, open ones first, both sides beside each other.
func (s *Server) conflicts(w http.ResponseWriter, r *http.Request) error {
	p, err := s.staff(w, r)
	if err != nil {
		return err
	}
	list, err := s.Desk.App.Conflicts(r.Context(), actorOf(p.viewer))
	if err != nil {
		return err
	}
	allow(w, needs{api: true})
	return s.show(r.Context(), w, http.StatusOK, conflictsPage(p, list))
}

func (s *Server) settle(w http.ResponseWriter, r *http.Request) (any, error) {
	p, err := s.staff(w, r)
	if err != nil {
		return nil, err
	}
	var in struct {
		Outcome string `json:"outcome"`
		Reason  string `json:"reason"`
	}
	if err := readForm(w, r, &in); err != nil {
		return nil, err
	}
	return whereTo{Next: "/staff/conflicts"}, s.Desk.App.SettleConflict(r.Context(), actorOf(p.viewer), r.PathValue("id"), in.Outcome, in.Reason)
}

// conflictOutcomes are how one may be settled.
var conflictOutcomes = []string{app.ConflictStands, app.ConflictLate}
