package pages

import (
	"net/url"

	"github.com/a-h/templ"
)

// PhoneView is the page on which a phone is enrolled.
type PhoneView struct {
	Holder, Organisation, Role string
	Stranger                   bool // nobody is signed in: the code is still to be shown
	Phrase                     string
	Clerk                      bool
	Contacts                   []ShopFirm
}

func underway(h ShopHome) []ShopOrderRow { return rows(h, true) }
func over(h ShopHome) []ShopOrderRow     { return rows(h, false) }

func rows(h ShopHome, wanted bool) []ShopOrderRow {
	var out []ShopOrderRow
	for _, o := range h.Orders {
		if o.Underway() == wanted {
			out = append(out, o)
		}
	}
	return out
}

func contactFirms(h ShopHome) []ShopFirm {
	out := make([]ShopFirm, 0, len(h.Contacts))
	for _, c := range h.Contacts {
		out = append(out, ShopFirm{Name: c.Name, Phone: c.Phone})
	}
	return out
}

func stickerHref(code string) templ.SafeURL {
	u := url.URL{Path: "/shop/sticker/" + code}
	return templ.SafeURL(u.String())
}
