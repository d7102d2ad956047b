package pages

import (
	"net/url"
	"slices"

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

// after is where this phone goes when it was ended.
func (v PhoneView) after() string {
	if v.Clerk {
		return clerkAddress(v.Holder, v.Organisation)
	}
	return PhoneAddress(v.Holder, v.Organisation)
}

// sure is the word of the question before a phone is ended.
func (v PhoneView) sure() string {
	if v.Clerk {
		return "phone.end.clerk"
	}
	return "phone.end.sure"
}

func clerkAddress(holder, organisation string) string {
	u := url.URL{Path: "/shop/clerk", RawQuery: url.Values{"holder": {holder}, "organisation": {organisation}}.Encode()}
	return u.String()
}

// shopOf names an order's shop, "" to a merchant who has one shop and knows which.
func (h ShopHome) shopOf(o ShopOrderRow) string {
	if len(h.Shops) < 2 {
		return ""
	}
	if i := slices.IndexFunc(h.Shops, func(s ShopPlace) bool { return s.Code == o.Shop }); i >= 0 {
		return h.Shops[i].Name
	}
	return o.Shop
}

// nobodyComes says whether nothing is on its way and nothing was stopped: then whoever comes was not sent.
func nobodyComes(h ShopHome) bool {
	return !slices.ContainsFunc(h.Orders, func(o ShopOrderRow) bool { return o.Underway() || o.Frozen })
}

// over are the visits that the start page has nothing more to say of.
func over(h ShopHome) []ShopOrderRow {
	return rows(h, func(o ShopOrderRow) bool {
		return !slices.ContainsFunc(h.Turns, func(t ShopTurn) bool { return t.Visit == o.Visit })
	})
}

func rows(h ShopHome, wanted func(ShopOrderRow) bool) []ShopOrderRow {
	var out []ShopOrderRow
	for _, o := range h.Orders {
		if wanted(o) {
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
