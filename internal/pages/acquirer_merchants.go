package pages

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/a-h/templ"

	"github.com/menshen-project/menshen/internal/access"
	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// The acquirer's console. Its pages are acquirer_*: merchants, sheets, orders, terminals, charges.

const merchantsPath = "/staff/merchants"

// acquirerRoles are whom the acquirer's console is for.
var acquirerRoles = []string{visit.RoleApprover, visit.RoleRisk}

func (s *Server) acquirerRoutes() map[string]handler {
	if s.Desk.App == nil {
		return nil
	}
	return map[string]handler{
		"GET /staff/merchants":                s.merchants,
		"GET /staff/merchants.csv":            s.merchantsCSV,
		"POST /staff/merchants/find":          s.answer(s.findMerchants),
		"GET /staff/merchants/new":            s.newMerchant,
		"GET /staff/merchants/{id}":           s.merchant,
		"POST /staff/merchants/{id}/show":     s.answer(s.showValue),
		"GET /staff/incidents":                s.incidents,
		"GET /staff/terminals":                s.terminals,
		"GET /staff/terminals.csv":            s.terminalsCSV,
		"GET /staff/terminals/{serial}":       s.terminal,
		"GET /staff/import":                   s.importPage,
		"GET /staff/settlements":              s.settlements,
		"POST /staff/settlements":             s.uploadSettlement,
		"GET /staff/settlements.csv":          s.settlementsCSV,
		"GET /staff/settlements/template.csv": s.settlementTemplate,
		"POST /staff/settlements/{id}/settle": s.settleDifference,
		"POST /staff/import":                  s.upload,
		"GET /staff/import/{name}":            s.sheetTemplate,
		"GET /staff/sheets":                   s.sheets,
		"GET /staff/sheets/{id}":              s.sheetPage,
		"POST /staff/sheets/check":            s.answer(s.checkSheet),
		"GET /staff/orders":                   s.orders,
		"GET /staff/orders.csv":               s.ordersCSV,
		"GET /staff/orders/new":               s.newOrder,
		"GET /staff/orders/{id}":              s.order,
		"POST /staff/shops/{id}/values":       s.answer(s.bookingValues),
	}
}

// ofAcquirer is who asks, if he is of an acquirer.
func (s *Server) ofAcquirer(w http.ResponseWriter, r *http.Request) (*page, error) {
	p, err := s.signedIn(w, r)
	if err == nil && !slices.Contains(acquirerRoles, p.viewer.Role) {
		err = access.Require(access.Role(p.viewer.Role), access.ReadRegistry, access.None)
	}
	return p, err
}

// listQuery is what the address of a list of the acquirer's says.
type listQuery struct {
	Search string
	After  string
	Sound  bool
}

func listQueryOf(v url.Values) listQuery {
	q := listQuery{Search: v.Get("q"), Sound: searchable.MatchString(v.Get("q")) && !personal(v.Get("q"))}
	if c := v.Get("after"); len(c) <= maxCursor {
		q.After = c
	}
	if !q.Sound {
		q.Search = ""
	}
	return q
}

func (q listQuery) href(path string) templ.SafeURL {
	v := url.Values{}
	for key, value := range map[string]string{"q": q.Search, "after": q.After} {
		if value != "" {
			v.Set(key, value)
		}
	}
	u := url.URL{Path: path, RawQuery: v.Encode()}
	return templ.SafeURL(u.String())
}

// personal says whether what was typed looks like a number of a person, which no address may hold: a phone, a
// resident's number or a credit code. Such a search goes in the body of a request (acquirer.mjs).
func personal(s string) bool {
	digits := strings.Trim(s, "0123456789") == ""
	return digits && len(s) == 11 && s[0] == '1' || len(s) == 18 && strings.Trim(s[:17], "0123456789ABCDEFGHJKLMNPQRTUWXY") == ""
}

// MerchantsView is the list of merchants.
type MerchantsView struct {
	Query listQuery
	Rows  []app.MerchantRow
	Next  string
}

func (s *Server) merchants(w http.ResponseWriter, r *http.Request) error {
	p, err := s.ofAcquirer(w, r)
	if err != nil {
		return err
	}
	v := MerchantsView{Query: listQueryOf(r.URL.Query())}
	if v.Query.Sound {
		f := app.MerchantFilter{Query: v.Query.Search, Cursor: v.Query.After, Limit: rowsPerPage}
		if v.Rows, v.Next, err = s.Desk.App.Merchants(r.Context(), actorOf(p.viewer), f); err != nil {
			return err
		}
	}
	allow(w, needs{api: true})
	return s.show(r.Context(), w, http.StatusOK, merchantsPage(p, v))
}

// attachCSV begins a file that a spreadsheet opens.
func attachCSV(w http.ResponseWriter, name string) {
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="menshen-`+name+`.csv"`)
}

func (s *Server) merchantsCSV(w http.ResponseWriter, r *http.Request) error {
	p, err := s.ofAcquirer(w, r)
	if err != nil {
		return err
	}
	q, rows := listQueryOf(r.URL.Query()), [][]string{}
	f := app.MerchantFilter{Query: q.Search}
	for q.Sound && len(rows) < mostExported {
		list, next, err := s.Desk.App.Merchants(r.Context(), actorOf(p.viewer), f)
		if err != nil {
			return err
		}
		for _, m := range list {
			rows = append(rows, []string{m.ID, m.Name, m.Code, number(m.Shops), number(m.Terminals), m.Phone})
		}
		if f.Cursor = next; next == "" {
			break
		}
	}
	attachCSV(w, "merchants")
	return writeTable(w, []string{"merchant", "name_masked", "merchant_code", "shops", "terminals", "phone"}, rows)
}

// maxFind bounds a personal value that is looked for, in bytes.
const maxFind = 200

// findMerchants takes a personal value in its body and leads to the merchant that it is of.
func (s *Server) findMerchants(w http.ResponseWriter, r *http.Request) (any, error) {
	p, err := s.ofAcquirer(w, r)
	if err != nil {
		return nil, err
	}
	var in struct {
		Value string `json:"value"`
	}
	if err := readForm(w, r, &in); err != nil {
		return nil, err
	}
	in.Value = strings.TrimSpace(in.Value)
	if in.Value == "" || len(in.Value) > maxFind || !utf8.ValidString(in.Value) {
		return nil, errForm
	}
	ids, err := s.Desk.App.FindMerchants(r.Context(), actorOf(p.viewer), in.Value)
	return map[string]any{"merchants": append([]string{}, ids...)}, err
}

// MerchantPage is one merchant's page.
type MerchantPage struct {
	app.MerchantDetail
	Service string // address of the acquirer's own service, "" for none known
	New     bool   // registered just now: the page says what comes next
}

func (s *Server) merchant(w http.ResponseWriter, r *http.Request) error {
	p, err := s.ofAcquirer(w, r)
	if err != nil {
		return err
	}
	v := MerchantPage{Service: s.Desk.Services[p.viewer.Organisation], New: r.URL.Query().Get("new") == "1"}
	v.MerchantDetail, err = s.Desk.App.Merchant(r.Context(), actorOf(p.viewer), r.PathValue("id"))
	if fault.CodeOf(err) == "merchant_not_found" { // orders over the API can name merchants that are on no sheet
		return s.show(r.Context(), w, http.StatusNotFound, merchantAbsentPage(p))
	}
	if err != nil {
		return err
	}
	allow(w, needs{api: true})
	return s.show(r.Context(), w, http.StatusOK, merchantPage(p, v))
}

// showValue opens one masked value; the purpose is the first that it was kept for.
func (s *Server) showValue(w http.ResponseWriter, r *http.Request) (any, error) {
	p, err := s.ofAcquirer(w, r)
	if err != nil {
		return nil, err
	}
	var in struct {
		Commitment string `json:"commitment"`
		Purpose    string `json:"purpose"`
	}
	if err := readForm(w, r, &in); err != nil {
		return nil, err
	}
	value, err := s.Desk.App.ShowValue(r.Context(), actorOf(p.viewer), r.PathValue("id"), in.Commitment, in.Purpose)
	return map[string]string{"value": value}, err
}

// codeAt is a moment that an organisation's service tells, for people; "" for none.
func (p *page) codeAt(t statement.Time) string {
	at, err := t.Parse()
	if err != nil {
		return ""
	}
	return p.at(at)
}

// codeLevel says how a one-time code stands.
func codeLevel(state string) string {
	switch state {
	case "used":
		return LevelGood
	case "live":
		return LevelWait
	case "locked", "expired", "revoked":
		return LevelStop
	}
	return LevelOver
}

// phoneLevel says how a merchant's phone stands.
func phoneLevel(state string) string {
	return map[string]string{app.PhoneEnrolled: LevelGood, app.PhoneEnded: LevelStop, app.PhoneNone: LevelWait}[state]
}
