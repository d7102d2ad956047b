package pages

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/a-h/templ"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/identifier"
	"github.com/menshen-project/menshen/internal/visit"
)

var (
	errNotShop = fault.New(fault.NotFound, "shop_page_not_yours", "没有这一页，或者您不能看。", "There is no such page, or you may not see it.")
	errPhrase  = fault.New(fault.Invalid, "phrase_malformed", "暗语要 2 到 24 个字，不能有看不见的字符。", "A phrase has 2 to 24 characters, all of which show.")
)

// shopNeeds are what each of a merchant's pages may do; a page that is not here does not exist.
var shopNeeds = map[string]needs{
	"":      {api: true, worker: true},
	"price": {api: true, passkey: true}, "device": {api: true, passkey: true}, "keep": {api: true, passkey: true}, "trial": {api: true},
	"outage": {api: true, passkey: true}, "consent": {api: true, passkey: true}, "hand_back": {api: true, passkey: true},
	"confirm": {api: true, passkey: true}, "review": {api: true, passkey: true}, "report": {api: true, passkey: true},
	"door": {api: true, passkey: true, worker: true, camera: true, scanner: true, location: true, pictures: true},
}

// shopRoutes are the pages of merchants, and the public one.
func (s *Server) shopRoutes() map[string]handler {
	return map[string]handler{
		"GET /shop":                   s.shopHome,
		"GET /shop/phone":             s.shopPhone,
		"GET /shop/clerks":            s.shopClerks,
		"GET /shop/clerk":             s.shopClerk,
		"POST /shop/leave":            s.shopLeave,
		"POST /shop/phrase":           s.shopPhrase,
		"GET /shop/sticker/{code}":    s.shopSticker,
		"GET /shop/visits/{id}":       s.shopOrder,
		"GET /shop/visits/{id}/{act}": s.shopOrder,
		"GET /shop/tickets":           s.shopTickets,
		"GET /shop/charges":           s.shopCharges,
		"GET /shop/tickets/new":       s.shopNewTicket,
		"GET /shop/tickets/{id}":      s.shopTicket,
		"POST /shop/calls/{id}":       s.shopReportCall,
		"GET /s":                      s.public,
		"GET /s/{code}":               s.public,
		"POST /s":                     s.publicTold,
	}
}

// lookAsShop reads who asks, and lets only a merchant or a clerk in.
func (s *Server) lookAsShop(w http.ResponseWriter, r *http.Request) (*page, error) {
	p, err := s.look(w, r)
	if err != nil {
		return nil, err
	}
	if !p.viewer.SignedIn() {
		return nil, errSignedOut
	}
	if s.Shops == nil || p.viewer.Role != visit.RoleMerchant && p.viewer.Role != roleClerk {
		return nil, errNotShop
	}
	return p, nil
}

// shopHome is the merchant's start page.
func (s *Server) shopHome(w http.ResponseWriter, r *http.Request) error {
	p, err := s.lookAsShop(w, r)
	if err != nil {
		return err
	}
	h, err := s.Shops.Home(r.Context(), p.viewer)
	if err != nil {
		return err
	}
	tag, err := homeTag(p, h, homeStands)
	if err != nil {
		return err
	}
	if w.Header().Set("ETag", tag); r.Header.Get("If-None-Match") == tag {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	h.Turns = s.shopTurns(r.Context(), p.viewer, h.Orders, p.now)
	p.demo = h.Demonstration
	allow(w, needs{api: true, worker: true})
	return s.show(r.Context(), w, http.StatusOK, shopHomePage(p, h))
}

// shopOrder is one order, or one of its acts.
func (s *Server) shopOrder(w http.ResponseWriter, r *http.Request) error {
	p, err := s.lookAsShop(w, r)
	if err != nil {
		return err
	}
	id, act := r.PathValue("id"), r.PathValue("act")
	may, known := shopNeeds[act]
	if err := identifier.CheckID(id); err != nil || !known {
		return errNotShop.Because(err)
	}
	if act == "" {
		if said, err := s.saidBefore(w, r, p, id); said || err != nil {
			return err
		}
	}
	o, err := s.Shops.Order(r.Context(), p.viewer, id)
	if err != nil {
		return err
	}
	p.demo = o.Demonstration
	allow(w, may)
	return s.show(r.Context(), w, http.StatusOK, shopActOf(p, o, act))
}

// saidBefore tells an order page that renews itself each second that nothing changed, by what the start page goes by: judging a visit
// costs seven milliseconds. An order that is not in that list is looked into each time.
func (s *Server) saidBefore(w http.ResponseWriter, r *http.Request, p *page, id string) (bool, error) {
	h, err := s.Shops.Home(r.Context(), p.viewer)
	if err != nil || !slices.ContainsFunc(h.Orders, func(o ShopOrderRow) bool { return o.Visit == id }) {
		return false, err
	}
	tag, err := homeTag(p, h, orderStands)
	if err != nil {
		return false, err
	}
	if w.Header().Set("ETag", tag); r.Header.Get("If-None-Match") != tag {
		return false, nil
	}
	w.WriteHeader(http.StatusNotModified)
	return true, nil
}

func shopActOf(p *page, o ShopOrder, act string) templ.Component {
	switch act {
	case "":
		return shopOrderPage(p, o)
	case "price":
		return shopPricePage(p, o)
	case "door":
		return shopDoorPage(p, o)
	}
	return shopActPage(p, o, act)
}

// PhoneAddress is where a phone is enrolled for somebody: ids, which are no secret and prove nothing.
func PhoneAddress(holder, organisation string) string {
	u := url.URL{Path: "/shop/phone", RawQuery: url.Values{"holder": {holder}, "organisation": {organisation}}.Encode()}
	return u.String()
}

// shopPhone is where a phone is enrolled, by a one-time code and never by the link alone. Before that
// nobody is signed in: the page knows two ids out of the address, and shows nothing of the shop.
func (s *Server) shopPhone(w http.ResponseWriter, r *http.Request) error {
	p, err := s.look(w, r)
	if err != nil {
		return err
	}
	allow(w, needs{api: true, passkey: true})
	if !p.viewer.SignedIn() {
		v := PhoneView{Holder: r.URL.Query().Get("holder"), Organisation: r.URL.Query().Get("organisation"), Role: visit.RoleMerchant, Stranger: true}
		if s.Shops == nil || identifier.CheckID(v.Holder) != nil || identifier.CheckID(v.Organisation) != nil {
			return errSignedOut
		}
		return s.show(r.Context(), w, http.StatusOK, shopPhonePage(p, v))
	}
	if p, err = s.lookAsShop(w, r); err != nil {
		return err
	}
	h, err := s.Shops.Home(r.Context(), p.viewer)
	if err != nil {
		return err
	}
	p.demo = h.Demonstration
	return s.show(r.Context(), w, http.StatusOK, shopPhonePage(p, PhoneView{Holder: p.viewer.Person, Organisation: p.viewer.Organisation, Role: p.viewer.Role,
		Phrase: h.Phrase, Clerk: p.viewer.Role == roleClerk, Contacts: contactFirms(h)}))
}

// shopPhrase keeps the phrase. The browser follows with GET, so reload and back keep nothing twice.
func (s *Server) shopPhrase(w http.ResponseWriter, r *http.Request) error {
	p, err := s.lookAsShop(w, r)
	if err != nil {
		return err
	}
	if p.viewer.Role != visit.RoleMerchant {
		return errNotShop
	}
	phrase, err := soundPhrase(formValue(w, r, "phrase"))
	if err != nil {
		return err
	}
	if err := s.Shops.SetPhrase(r.Context(), p.viewer, phrase); err != nil {
		return err
	}
	http.Redirect(w, r, "/shop/phone", http.StatusSeeOther)
	return nil
}

// soundPhrase bounds a phrase: it must be readable, and the same each time it is shown.
func soundPhrase(typed string) (string, error) {
	phrase := strings.Join(strings.Fields(typed), " ")
	n := utf8.RuneCountInString(phrase)
	odd := func(c rune) bool {
		return c == utf8.RuneError || c != ' ' && !unicode.IsGraphic(c) || unicode.Is(unicode.Bidi_Control, c)
	}
	if n < 2 || n > 24 || strings.ContainsFunc(phrase, odd) {
		return "", errPhrase
	}
	return phrase, nil
}

const maxShopForm = 4 << 10

// formValue reads one field of a small form; a form that is too large or unreadable has none.
func formValue(w http.ResponseWriter, r *http.Request, name string) string {
	r.Body = http.MaxBytesReader(w, r.Body, maxShopForm)
	if err := r.ParseForm(); err != nil {
		return ""
	}
	return r.PostFormValue(name)
}

// shopSticker is what a shop prints for its door; its acquirer may print it, too.
func (s *Server) shopSticker(w http.ResponseWriter, r *http.Request) error {
	p, err := s.look(w, r)
	if err != nil {
		return err
	}
	if !p.viewer.SignedIn() {
		return errSignedOut
	}
	if s.Shops == nil || !slices.Contains([]string{visit.RoleMerchant, visit.RoleApprover}, p.viewer.Role) {
		return errNotShop
	}
	code := r.PathValue("code")
	if err := identifier.CheckID(code); err != nil {
		return errNotShop.Because(err)
	}
	sticker, err := s.Shops.Sticker(r.Context(), p.viewer, code)
	if err != nil {
		return err
	}
	address := s.publicAddress(r, sticker.Code)
	var modules []string // a deployment that does not know its own address prints none
	if address != "" {
		if modules, err = qrRows(address); err != nil {
			return err
		}
	}
	return s.show(r.Context(), w, http.StatusOK, stickerPage(p, sticker, address, modules))
}

// shopOthers are the beginnings of files that the door needs nothing of.
var shopOthers = []string{"app", "staff", "public", "signin", "report", "merchant-phone", "enrol", "verify", "menshen.js"}

// shopKeeps lists the files that a phone keeps to check at the door without signal, the scanner's too.
func (p *page) shopKeeps() string {
	var keep []string
	for _, name := range p.assets.names() {
		if !startsWithAny(name, shopOthers) {
			keep = append(keep, p.assets.href(name))
		}
	}
	return jsonText(keep)
}
