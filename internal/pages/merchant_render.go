package pages

import (
	"net/url"
	"strings"

	"github.com/a-h/templ"

	"github.com/menshen-project/menshen/internal/visit"
)

// shopHref is a merchant's page about one visit; the page "" is the order itself.
func shopHref(visitID, page string) templ.SafeURL {
	u := url.URL{Path: "/shop/visits/" + visitID}
	if page != "" {
		u.Path += "/" + page
	}
	return templ.SafeURL(u.String())
}

// signerName is under which name this browser keeps a person's signing key.
func signerName(person string) string { return "merchant:" + person }

// dial makes a number's address; one with odd characters has none.
func dial(phone string) (templ.SafeURL, bool) {
	if phone == "" {
		return "", false
	}
	return action("tel:" + strings.ReplaceAll(phone, " ", ""))
}

// role is what this phone signs as.
func (o ShopOrder) role() string {
	if o.Clerk {
		return roleClerk
	}
	return visit.RoleMerchant
}

// clerkMay are the acts of a clerk's phone: the door, and the brake (docs/formats.md, clerks).
var clerkMay = map[string]bool{"door": true, "report": true}

// oldActs are about a terminal that only some kinds of visit have.
var oldActs = map[string]bool{"outage": true, "consent": true, "hand_back": true}

// company is who comes: the provider, or the acquirer's own people.
func (o ShopOrder) company() string {
	if o.Provider.ID != "" {
		return o.Provider.Name
	}
	return o.Acquirer.Name
}

// sentBy is the sentence of pages.md: by whom it was commissioned, under which licence.
func (o ShopOrder) sentBy() Text {
	key := "firm.sent"
	if o.Acquirer.Licence == "" {
		key = "firm.sent.plain"
	}
	t := put(key, "acquirer", o.Acquirer.Name)
	for place, value := range map[string]string{"{provider}": o.Provider.Name, "{licence}": o.Acquirer.Licence} {
		t.Zh, t.En = strings.ReplaceAll(t.Zh, place, value), strings.ReplaceAll(t.En, place, value)
	}
	return t
}

// nextDo is the sentence under the answer.
func (o ShopOrder) nextDo() Text { return byKind("do."+o.Next, o.Kind) }

// nextLevel is how a state looks. Green only for what is done.
func nextLevel(next string) string {
	switch next {
	case NextDone, NextReview:
		return LevelGood
	case NextRefused, NextStopped:
		return LevelStop
	case NextEnded, NextRolledBack:
		return LevelOver
	}
	return LevelWait
}

// rightsCount is how many rights the order page lists.
const rightsCount = 5
