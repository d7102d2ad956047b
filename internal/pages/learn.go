package pages

import (
	"net/http"
	"slices"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/registry"
	"github.com/menshen-project/menshen/internal/visit"
)

var errNoCourses = fault.New(fault.NotFound, "courses_not_for_role", "这里是上门人员、店主和店员学习的地方。", "Courses are for technicians, owners and clerks.")

// learn is the page of courses. It holds nobody's course: its script fetches what there is.
func (s *Server) learn(w http.ResponseWriter, r *http.Request) error {
	p, err := s.look(w, r)
	if err != nil {
		return err
	}
	if !p.viewer.SignedIn() {
		return errSignedOut
	}
	if !slices.Contains(registry.CourseRoles, p.viewer.Role) {
		return errNoCourses
	}
	allow(w, needs{api: true, passkey: true})
	return s.show(r.Context(), w, http.StatusOK, learnPage(p))
}

// learnBack is where somebody came from.
func learnBack(p *page) (href, word string) {
	if p.viewer.Role == visit.RoleTechnician {
		return "/app", p.t("app.title")
	}
	return "/shop", p.t("shop.home")
}
