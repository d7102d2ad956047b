package pages

import (
	"net/http"

	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/identifier"
	"github.com/menshen-project/menshen/internal/visit"
)

// shopClerks is where the owner lets clerks' phones in.
func (s *Server) shopClerks(w http.ResponseWriter, r *http.Request) error {
	p, err := s.lookAsShop(w, r)
	if err != nil {
		return err
	}
	if p.viewer.Role != visit.RoleMerchant {
		return errNotShop
	}
	h, err := s.Shops.Home(r.Context(), p.viewer)
	if err != nil {
		return err
	}
	p.demo = h.Demonstration
	allow(w, needs{api: true, passkey: true})
	return s.show(r.Context(), w, http.StatusOK, shopClerksPage(p, h))
}

// shopClerk is what a clerk's phone opens. Whoever is signed in here or not, it shows two ids out of the address.
func (s *Server) shopClerk(w http.ResponseWriter, r *http.Request) error {
	v := PhoneView{Holder: r.URL.Query().Get("holder"), Organisation: r.URL.Query().Get("organisation"), Role: roleClerk, Stranger: true, Clerk: true}
	if s.Shops == nil || visit.ClerkOf(v.Holder) == "" || identifier.CheckID(v.Holder) != nil || identifier.CheckID(v.Organisation) != nil {
		return errNotShop
	}
	allow(w, needs{api: true})
	return s.show(r.Context(), w, http.StatusOK, shopClerkPage(s.plain(r), v))
}

// shopLeave ends the session that asks. One that is over already is what was wanted.
func (s *Server) shopLeave(w http.ResponseWriter, r *http.Request) error {
	p, err := s.lookAsShop(w, r)
	if err == nil {
		err = s.Shops.Leave(r.Context(), p.viewer)
	}
	if kind := fault.KindOf(err); err != nil && kind != fault.Unauthenticated && kind != fault.NotFound {
		return err
	}
	http.SetCookie(w, &http.Cookie{Name: app.SessionCookie, Path: "/", MaxAge: -1, HttpOnly: true, Secure: s.Secure(r), SameSite: http.SameSiteLaxMode})
	http.Redirect(w, r, "/", http.StatusSeeOther)
	return nil
}
