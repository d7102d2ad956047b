package pages

import (
	"fmt"
	"html"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/visit"
)

// startPage is what wei or the clerk ming reads on the shop's start page while only these visits are there.
func startPage(t *testing.T, viewer, lang string, visits ...string) string {
	t.Helper()
	source, s := shop(t)
	source.home.Calls, source.home.Charges = nil, nil
	source.home.Orders = slices.DeleteFunc(source.home.Orders, func(o ShopOrderRow) bool { return !slices.Contains(visits, o.Visit) })
	for _, name := range visits {
		o, ok := source.orders[name]
		if ok && o.Stage == string(visit.RolledBack) { // which the fixture leaves out of the list
			source.home.Orders = append(source.home.Orders, ShopOrderRow{Visit: name, Kind: o.Kind, Stage: o.Stage, From: o.From, Until: o.Until})
		}
	}
	return html.UnescapeString(body(t, ask{path: withLanguage("/shop", lang), viewer: viewer}.of(s)))
}

var turnMark = regexp.MustCompile(`data-turn="([^"]+)"`)

// turnsOn are the visits on a start page, as they stand from the top.
func turnsOn(page string) (out []string) {
	for _, m := range turnMark.FindAllStringSubmatch(page, -1) {
		out = append(out, m[1])
	}
	return out
}

// Whatever a visit is at, the start page says the same as its order page, whose turn it is, and has the one button.
func TestTheStartPageSaysWhatToDoNow(t *testing.T) {
	orders := withAftermath(shopOrders(t), time.Date(2026, 11, 22, 14, 40, 0, 0, shanghai))
	for _, name := range slices.Sorted(maps.Keys(orders)) {
		o := orders[name]
		for _, viewer := range []string{"wei", "ming"} {
			for _, lang := range []string{zh, en} {
				shown := startPage(t, viewer, lang, name)
				o.Clerk = viewer == "ming"
				turn := ShopTurn{ShopOrderRow: ShopOrderRow{Visit: name, Kind: o.Kind, Stage: o.Stage, Frozen: o.Next == NextStopped}, Now: o}
				for what, text := range map[string]Text{"answer": turn.word(), "advice": turn.do(), "whose turn": turn.whose()} {
					if says := (&page{lang: lang}).text(text); says == "" || !strings.Contains(shown, says) {
						t.Errorf("%s to %s in %s lacks the %s %q", name, viewer, lang, what, says)
					}
				}
				act, has := nextPages[o.Next]
				has = has && (viewer == "wei" || act == "door")
				if got := strings.Contains(shown, fmt.Sprintf(`href="/shop/visits/%s/%s"`, name, act)); act != "" && got != has {
					t.Errorf("%s to %s: a button to %s: %v, want %v", name, viewer, act, got, has)
				}
				if i, j := strings.Index(shown, "data-turn"), strings.Index(shown, `href="/shop/tickets"`); i < 0 || i > j {
					t.Errorf("%s to %s: what to do is not at the top", name, viewer)
				}
			}
		}
	}
}

// No state is without words: a key that no table has would stand there as it is.
func TestEveryTurnHasWords(t *testing.T) {
	ended := []string{NextReview, NextDone, NextRefused, NextEnded, NextRolledBack, NextCharged, ""}
	for _, next := range []string{NextSheetComes, NextPrice, NextSend, NextDoor, NextChecking, NextDevice, NextKeep, NextWork, NextTrial, NextConfirm, NextLive, NextReview, NextDone, NextStopped, NextRefused,
		NextEnded, NextRolledBack, NextCharged, NextOutage, NextConsent, NextHandBack, NextClosing, ""} {
		for _, kind := range []string{visit.Install, visit.Swap, visit.Repair, visit.Removal, visit.Relocation, visit.Inspection} {
			for _, stage := range []visit.Stage{visit.Booked, visit.Live, visit.Closed, visit.Refused} {
				if next != "" && stage.Ended() != slices.Contains(ended, next) {
					continue
				}
				for _, clerk := range []bool{false, true} {
					turn := ShopTurn{ShopOrderRow: ShopOrderRow{Kind: kind, Stage: string(stage)}, Now: ShopOrder{Kind: kind, Stage: string(stage), Next: next, Clerk: clerk}}
					for _, text := range []Text{turn.word(), turn.do(), turn.whose()} {
						if strings.Contains(text.Zh, ".") && !strings.Contains(text.Zh, "¥0.01") || text.Zh == text.En && text.Zh != "" {
							t.Errorf("%s of %s at %s: %q", next, kind, stage, text.Zh)
						}
					}
				}
			}
		}
	}
}

// What was stopped comes first, then what goes on in the shop, then what waits for this phone, then for others.
func TestTheMostUrgentVisitIsOnTop(t *testing.T) {
	all := []string{"send", "review", "price", "confirm", "frozen", "door"}
	if got, want := turnsOn(startPage(t, "wei", zh, all...)), []string{"frozen", "confirm"}; len(got) != len(all) || !slices.Equal(got[:2], want) || got[4] != "send" || got[5] != "review" {
		t.Errorf("wei reads %v", got)
	}
	// The clerk's phone may not sign: the door is its own, the price and the end wait for the owner.
	if got := turnsOn(startPage(t, "ming", zh, "price", "confirm", "door")); len(got) != 3 || got[0] != "door" {
		t.Errorf("ming reads %v", got)
	}
	page := startPage(t, "wei", zh, all...)
	if n := strings.Count(page, `class="sign `); n != 1 {
		t.Errorf("%d large signs", n)
	}
}

// An order page that renews itself is told so too, and only about what it may see.
func TestAnOrderPageThatStandsIsNotJudgedAgain(t *testing.T) {
	source, s := shop(t)
	again := func(viewer, lang, id, tag string) *http.Response {
		t.Helper()
		return ask{path: withLanguage("/shop/visits/"+id, lang), viewer: viewer, header: map[string]string{"If-None-Match": tag}}.of(s)
	}
	tag := again("wei", zh, "confirm", "").Header.Get("ETag")
	if r := again("wei", zh, "confirm", tag); tag == "" || r.StatusCode != http.StatusNotModified || body(t, r) != "" {
		t.Errorf("nothing changed, and it answers %d", r.StatusCode)
	}
	if r := again("wei", en, "confirm", tag); r.StatusCode != http.StatusOK {
		t.Errorf("in English it answers %d", r.StatusCode)
	}
	if r := again("ming", zh, "confirm", tag); r.StatusCode != http.StatusOK {
		t.Errorf("to the clerk it answers %d", r.StatusCode)
	}
	if r := again("wei", zh, "none", tag); r.StatusCode != http.StatusNotFound {
		t.Errorf("about an order that is not hers it answers %d", r.StatusCode)
	}
	if r := again("wei", zh, "confirm/confirm", tag); r.StatusCode != http.StatusOK || r.Header.Get("ETag") != "" {
		t.Errorf("a page that signs is told to stand: %d", r.StatusCode)
	}
	for i := range source.home.Orders {
		if source.home.Orders[i].Visit == "confirm" {
			source.home.Orders[i].Head++
		}
	}
	if r := again("wei", zh, "confirm", tag); r.StatusCode != http.StatusOK || r.Header.Get("ETag") == tag {
		t.Errorf("something was recorded, and it answers %d", r.StatusCode)
	}
	now := s.Now()
	s.Config.Now = func() time.Time { return now.Add(orderStands) }
	if r := again("wei", zh, "price", again("wei", zh, "price", "").Header.Get("ETag")); r.StatusCode != http.StatusNotModified {
		t.Errorf("another order: %d", r.StatusCode)
	}
}

// Where the acquirer published no number, the page says whom to call instead, and not the police alone.
func TestAnOrderWithoutANumberSaysWhomToCall(t *testing.T) {
	source, s := shop(t)
	for _, has := range []bool{true, false} {
		o := source.orders["confirm"]
		if !has {
			o.Acquirer.Phone = ""
		}
		source.orders["confirm"] = o
		page := body(t, ask{path: withLanguage("/shop/visits/confirm", zh), viewer: "wei"}.of(s))
		if got := strings.Contains(page, "收单机构没有在这里公布电话"); got == has {
			t.Errorf("with a number: %v; it says so: %v", has, got)
		}
	}
}

// A start page that renews itself is told in a word that nothing changed, until something did, or time has passed.
func TestAStartPageThatStandsIsNotJudgedAgain(t *testing.T) {
	source, s := shop(t)
	again := func(viewer, lang, tag string) *http.Response {
		t.Helper()
		return ask{path: withLanguage("/shop", lang), viewer: viewer, header: map[string]string{"If-None-Match": tag}}.of(s)
	}
	tag := again("wei", zh, "").Header.Get("ETag")
	if r := again("wei", zh, tag); r.StatusCode != http.StatusNotModified || body(t, r) != "" {
		t.Errorf("nothing changed, and it answers %d", r.StatusCode)
	}
	fresh := func(what, viewer, lang string) {
		t.Helper()
		if r := again(viewer, lang, tag); r.StatusCode != http.StatusOK || r.Header.Get("ETag") == tag || !strings.Contains(body(t, r), "data-turn") {
			t.Errorf("%s, and it answers %d", what, r.StatusCode)
		}
	}
	fresh("somebody else asks", "ming", zh)
	fresh("another language", "wei", en)
	source.home.Orders[0].Head++
	fresh("something was recorded", "wei", zh)
	source.home.Orders[0].Head--
	calls := source.home.Calls
	source.home.Calls = nil
	fresh("a call was answered", "wei", zh)
	source.home.Calls = calls
	if r := again("wei", zh, tag); r.StatusCode != http.StatusNotModified {
		t.Errorf("all is as it was, and it answers %d", r.StatusCode)
	}
	now := s.Now()
	s.Now = func() time.Time { return now.Add(homeStands) }
	fresh("ten seconds have passed", "wei", zh)
}

func TestNobodyComes(t *testing.T) {
	const nobody = "现在没有安排人到您店里"
	for visits, want := range map[string]bool{"": true, "review": true, "turned_away": true, "back": true, "door": false, "frozen": false} {
		if got := strings.Contains(startPage(t, "wei", zh, visits), nobody); got != want {
			t.Errorf("%q: nobody is scheduled: %v", visits, got)
		}
	}
}

// An owner who let nobody in is offered to, where somebody is expected; a clerk is not, nor who did so already.
func TestAClerksPhoneIsOffered(t *testing.T) {
	const offer = "让店员的手机也能核对"
	for _, c := range []struct {
		viewer, visit string
		clerks        bool
		want          bool
	}{{"wei", "door", false, true}, {"wei", "door", true, false}, {"wei", "price", false, false}, {"ming", "door", false, false}} {
		source, s := shop(t)
		source.home.Orders = slices.DeleteFunc(source.home.Orders, func(o ShopOrderRow) bool { return o.Visit != c.visit })
		if !c.clerks {
			source.home.Clerks = nil
		}
		if got := strings.Contains(body(t, ask{path: "/shop", viewer: c.viewer}.of(s)), offer); got != c.want {
			t.Errorf("%s before %s with a clerk %v: offered %v", c.viewer, c.visit, c.clerks, got)
		}
	}
}

// A visit that cannot be read leaves the others as they are, and itself says at least its stage.
func TestAVisitThatCannotBeReadHidesNoOther(t *testing.T) {
	source, s := shop(t)
	source.home.Orders = slices.DeleteFunc(source.home.Orders, func(o ShopOrderRow) bool { return o.Visit != "price" && o.Visit != "door" })
	delete(source.orders, "price")
	page := body(t, ask{path: "/shop", viewer: "wei"}.of(s))
	for _, want := range []string{`href="/shop/visits/door/door"`, `href="/shop/visits/price"`, stageWords[string(visit.Booked)].Zh, "点开看看现在怎么样"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
}

// A visit that has been over for long is found under the earlier ones; one that is just over stays, and so does one that
// was stopped.
func TestWhatIsLongOverIsFoldedAway(t *testing.T) {
	source, s := shop(t)
	now := time.Date(2026, 11, 22, 14, 40, 0, 0, shanghai)
	row := func(id string, days int, frozen bool) ShopOrderRow {
		until := now.Add(-time.Duration(days) * 24 * time.Hour)
		return ShopOrderRow{Visit: id, Kind: visit.Install, Stage: string(visit.Closed), Frozen: frozen, From: until.Add(-time.Hour), Until: until}
	}
	source.home.Orders = []ShopOrderRow{row("old", 4, false), row("review", 2, false), row("frozen-old", 30, true)}
	page := body(t, ask{path: "/shop", viewer: "wei"}.of(s))
	if got := turnsOn(page); !slices.Equal(got, []string{"frozen-old", "review"}) {
		t.Errorf("on top: %v", got)
	}
	if !strings.Contains(page, `href="/shop/visits/old"`) {
		t.Error("the earlier visit cannot be found")
	}
}

// Whoever may be in the shop can be stopped without a look at anything that is folded; before and after, the brake is last.
func TestTheBrakeIsInReachWhileSomebodyIsThere(t *testing.T) {
	_, s := shop(t)
	for visit, want := range map[string]bool{"door": true, "device": true, "trial": true, "confirm": true, "price": false, "send": false} {
		page := body(t, ask{path: "/shop/visits/" + visit, viewer: "wei"}.of(s))
		if strings.Count(page, "有问题，马上停") != 1 {
			t.Errorf("%s: one brake is wanted", visit)
		}
		if got := strings.Index(page, "有问题，马上停") < strings.Index(page, `class="folds"`); got != want {
			t.Errorf("%s: the brake is above the folds: %v", visit, got)
		}
	}
}

// What was tried leads on to whatever is next, and a clerk's phone to nothing that is the owner's.
func TestTheTrialsPageLeadsOn(t *testing.T) {
	source, s := shop(t)
	on := `href="` + string(shopHref(source.orders["tried"].Visit, "device")) + `"`
	for viewer, want := range map[string]bool{"wei": true, "ming": false} {
		if got := strings.Contains(body(t, ask{path: "/shop/visits/tried/trial", viewer: viewer}.of(s)), on); got != want {
			t.Errorf("%s is led on: %v", viewer, got)
		}
	}
}

// A phrase that stands is not asked for once more: another one is behind a fold.
func TestAnotherPhraseIsFolded(t *testing.T) {
	source, s := shop(t)
	for phrase, want := range map[string]bool{"": false, "灯笼下的猫": true} {
		source.home.Phrase = phrase
		if got := strings.Contains(body(t, ask{path: "/shop/phone", viewer: "wei"}.of(s)), `<details class="card" id="phrase">`); got != want {
			t.Errorf("with %q: folded %v", phrase, got)
		}
	}
}
