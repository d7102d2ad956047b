package pages

import (
	"net/http"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/identifier"
)

// visit shows one visit to somebody with a right to it.
func (s *Server) visit(w http.ResponseWriter, r *http.Request) error {
	p, id, err := s.lookAtVisit(w, r)
	if err != nil {
		return err
	}
	view, err := s.Source.Visit(r.Context(), p.viewer, id)
	if err != nil {
		return err
	}
	p.demo = view.Demonstration
	return s.show(r.Context(), w, http.StatusOK, visitPage(p, view, evidence.CannotProve()))
}

// bundle hands out the file that menshen-verify checks, and never a page in its place.
func (s *Server) bundle(w http.ResponseWriter, r *http.Request) error {
	p, id, err := s.lookAtVisit(w, r)
	if err != nil {
		return err
	}
	data, err := s.Source.Bundle(r.Context(), p.viewer, id)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Disposition", `attachment; filename="`+bundleName(id)+`"`)
	if _, err := w.Write(data); err != nil {
		s.Log.Info("the browser went away", "error", err)
	}
	return nil
}

var errSignedOut = fault.New(fault.Unauthenticated, "signed_out", "请先进入。", "Sign in first.")

// lookAtVisit reads who asks for which visit. A malformed id is simply no visit.
func (s *Server) lookAtVisit(w http.ResponseWriter, r *http.Request) (*page, string, error) {
	p, err := s.look(w, r)
	if err != nil {
		return nil, "", err
	}
	if !p.viewer.SignedIn() {
		return nil, "", errSignedOut
	}
	id := r.PathValue("id")
	if err := identifier.CheckID(id); err != nil {
		return nil, "", errVisitID.Because(err)
	}
	return p, id, nil
}

// bundleName is what a browser saves a visit's bundle as.
func bundleName(id string) string { return "menshen-" + id + ".json" }

// verifyCommand is how to check it.
func verifyCommand(id string) string { return "menshen-verify --trust trust.json " + bundleName(id) }
