package pages

import (
	"net/http"
	"net/url"

	"github.com/a-h/templ"

	"github.com/menshen-project/menshen/internal/access"
	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/identifier"
	"github.com/menshen-project/menshen/internal/visit"
)

const newMerchantPath = "/staff/merchants/new"

// formField is a field of the new merchant's form. Its name is the API's, so that a problem finds it.
type formField struct {
	name     string
	kind     string // of input; "" for text, "select" for a list
	mode     string // inputmode
	optional bool
	hint     bool
}

func (f formField) id() string { return "f-" + f.name }

// describedBy names what is read out with the field: its hint, and what is wrong with it.
func (f formField) describedBy() string {
	if f.hint {
		return f.id() + "-hint " + f.id() + "-wrong"
	}
	return f.id() + "-wrong"
}

var (
	newMerchantFields = []formField{{name: "name"}, {name: "credit_code", hint: true}, {name: "principal"}, {name: "principal_id"}, {name: "phone", kind: "tel", mode: "tel", hint: true},
		{name: "account_kind", kind: "select"}, {name: "account", mode: "numeric", hint: true}, {name: "merchant_code", hint: true}, {name: "id", optional: true, hint: true}}
	newShopFields = []formField{{name: "shop.name"}, {name: "shop.address"}, {name: "shop.province", kind: "select"}, {name: "shop.position", hint: true}, {name: "shop.region", mode: "numeric", hint: true},
		{name: "shop.category", mode: "numeric", hint: true}, {name: "shop.opening_hours", hint: true}, {name: "shop.id", optional: true}}
)

func (s *Server) newMerchant(w http.ResponseWriter, r *http.Request) error {
	p, err := s.ofAcquirer(w, r)
	if err != nil {
		return err
	}
	if p.viewer.Role != visit.RoleApprover {
		return access.Require(access.Role(p.viewer.Role), access.ImportSheets, access.OwnOrganisation)
	}
	allow(w, needs{api: true})
	return s.show(r.Context(), w, http.StatusOK, newMerchantPage(p))
}

// codeDesk is where the acquirer's own service makes this merchant's one-time code: its page comes with the id filled in.
func codeDesk(service, holder string) templ.SafeURL {
	u, err := url.Parse(service)
	if err != nil {
		return templ.SafeURL(service)
	}
	u.RawQuery = url.Values{"holder": {holder}, "role": {visit.RoleMerchant}}.Encode()
	return templ.SafeURL(u.String())
}

// codeWarnings says where a merchant's code and one of his shops do not fit each other. It refuses nothing.
func codeWarnings(code string, shop app.ShopRow) []identifier.Warning {
	m, err := identifier.ParseMerchantCode(code)
	if err != nil {
		return nil
	}
	return m.Warnings(shop.Region, shop.Category)
}

func inputType(kind string) string {
	if kind == "" {
		return "text"
	}
	return kind
}

func inputMode(mode string) string {
	if mode == "" {
		return "text"
	}
	return mode
}

// province is a province's code and name.
func (p *page) province(code string) string {
	name, _ := identifier.ProvinceName(code)
	return code + " " + p.text(name)
}
