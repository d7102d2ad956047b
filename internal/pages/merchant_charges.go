package pages

import (
	"context"
	"net/http"
	"net/url"
	"slices"

	"github.com/a-h/templ"

	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/visit"
)

const chargesPath = "/shop/charges"

// ShopCharges is what a shop was charged beyond its sheets, newest first.
type ShopCharges struct {
	Rows        []store.SettlementLine
	After, Next string
	Phrase      string
}

// shopCharges tells the owner what he was charged beyond what he signed.
func (s *Server) shopCharges(w http.ResponseWriter, r *http.Request) error {
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
	v := ShopCharges{After: listQueryOf(r.URL.Query()).After, Phrase: h.Phrase}
	if v.Rows, v.Next, err = s.Shops.Charges(r.Context(), p.viewer, v.After); err != nil {
		return err
	}
	allow(w, needs{api: true, worker: true})
	return s.show(r.Context(), w, http.StatusOK, shopChargesPage(p, v))
}

func chargesHref(after string) templ.SafeURL {
	u := url.URL{Path: chargesPath}
	if after != "" {
		u.RawQuery = url.Values{"after": {after}}.Encode()
	}
	return templ.SafeURL(u.String())
}

// Charges lists what the merchant was charged beyond his sheets.
func (f FromApp) Charges(ctx context.Context, v Viewer, after string) ([]store.SettlementLine, string, error) {
	return f.App.MyDifferences(ctx, actorOf(v), after, rowsPerPage)
}

// openCharges are those of the newest that nobody settled yet; a clerk sees none.
func (f FromApp) openCharges(ctx context.Context, v Viewer) ([]store.SettlementLine, error) {
	if v.Role != visit.RoleMerchant {
		return nil, nil
	}
	list, _, err := f.Charges(ctx, v, "")
	return slices.DeleteFunc(list, func(d store.SettlementLine) bool { return d.Outcome != "" }), err
}
