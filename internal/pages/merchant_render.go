package pages

import (
	"net/url"
	"slices"
	"strings"

	"github.com/a-h/templ"

	"github.com/menshen-project/menshen/internal/agreement"
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

// reachable says whether one of them has a number that can be called.
func reachable(firms []ShopFirm) bool {
	return slices.ContainsFunc(firms, func(f ShopFirm) bool { _, ok := dial(f.Phone); return ok })
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

// nextPage is where what comes next is done, and whether this phone may do it: a clerk's may not sign all.
func (o ShopOrder) nextPage() (page string, mine bool) {
	page, ok := nextPages[o.Next]
	return page, ok && (!o.Clerk || clerkMay[page])
}

// over says whether nobody will work on this visit any more.
func (o ShopOrder) over() bool { return visit.Stage(o.Stage).Ended() }

// inShop says whether somebody may be in the shop: the brake is then in reach, not below what is folded.
func (o ShopOrder) inShop() bool {
	return slices.Contains([]visit.Stage{visit.Dispatched, visit.Admitted, visit.Trial, visit.Live}, visit.Stage(o.Stage)) && o.Next != NextStopped
}

// answer stands at the top of the order page. What was taken back leaves the old terminal as it is, which may be: none, or dead.
func (o ShopOrder) answer() Text {
	switch {
	case o.Next == NextRolledBack && o.stuck():
		return say("back.dead")
	case o.Next == NextRolledBack && o.Old == nil:
		return say("back.install")
	}
	if o.Next == NextRolledBack && !o.Old.Replaced {
		return say("back.same")
	}
	return o.nextWord()
}

// nextDo is the sentence under the answer.
func (o ShopOrder) nextDo() Text {
	if o.Next != NextRolledBack {
		return byKind("do."+o.Next, o.variant())
	}
	out := say("back.soon")
	if o.Again != nil {
		p := page{now: o.Now}
		p.lang = zh
		out.Zh = put("back.again", "at", p.span(o.Again.From, o.Again.Until)).Zh
		p.lang = en
		out.En = put("back.again", "at", p.span(o.Again.From, o.Again.Until)).En
	}
	var first Text
	switch {
	case o.stuck():
		first = say("back.dead.do")
	case o.Old == nil:
		first = say("back.install.do")
	default:
		return out
	}
	return Text{Zh: first.Zh + out.Zh, En: first.En + " " + out.En}
}

// stuck says whether the shop has no terminal that works, by the host's word.
func (o ShopOrder) stuck() bool {
	return o.Old != nil && (o.Old.State == visit.TerminalDead || o.Old.State == visit.TerminalEnded)
}

func (o ShopOrder) depositSay() Text {
	key := "deposit.kept"
	if o.Next == NextRolledBack || o.Next == NextEnded || o.Next == NextRefused {
		key = "deposit.due"
	}
	return put(key, "yuan", yuan(o.Offer.Deposit))
}

// heldSay is what to do about the deposit of a terminal that goes back.
func (o ShopOrder) heldSay() Text {
	key := "deposit.removal"
	if o.over() {
		key = "deposit.gone"
	}
	return put(key, "yuan", yuan(o.Held))
}

// depositConditions are what the sheet says about when it comes back.
func (o ShopOrder) depositConditions() (out []string) {
	for _, i := range o.Offer.Sheet.Items {
		if i.Kind() == agreement.ItemDeposit && i.ReturnCondition != "" {
			out = append(out, i.ReturnCondition)
		}
	}
	return out
}

func (o ShopOrder) alarmTitle() string {
	if o.over() {
		return "next." + NextCharged
	}
	return "alarm.title"
}

// alarmDo is what to do about a charge that nothing explains.
func (o ShopOrder) alarmDo() string {
	if o.over() {
		return "alarm.later"
	}
	return "alarm.do"
}

// nextLevel is how the answer looks.
func (o ShopOrder) nextLevel() string {
	if o.Next == NextRolledBack && o.stuck() {
		return LevelStop
	}
	return nextLevel(o.Next)
}

// nextLevel is how a state looks. Green only for what is done.
func nextLevel(next string) string {
	switch next {
	case NextDone, NextReview:
		return LevelGood
	case NextRefused, NextStopped, NextCharged:
		return LevelStop
	case NextEnded, NextRolledBack:
		return LevelOver
	}
	return LevelWait
}

// rightsCount is how many rights the order page lists.
const rightsCount = 5
