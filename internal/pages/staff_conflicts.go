package pages

import (
	"net/http"
	"slices"

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
	allow(w, needs{api: true, passkey: true})
	return s.show(r.Context(), w, http.StatusOK, conflictsPage(p, list))
}

// conflictOutcomes are how one may be settled, and rulingReasons the codes that a console offers; the ruling holds the code.
var (
	conflictOutcomes = []string{visit.RuledStands, visit.RuledLate}
	rulingReasons    = []string{"two_phones", "another_was_sent", "signed_wrongly", "not_by_him", "other"}
)

// rulingReason says why one was settled. What was settled before rulings were signed has words of its own.
func (p *page) rulingReason(reason string) string {
	if slices.Contains(rulingReasons, reason) {
		return p.t("conflict.reason." + reason)
	}
	return reason
}
