package pages

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"time"

	"github.com/menshen-project/menshen/internal/visit"
)

const (
	// mostTurns bounds how many visits the start page looks into; a shop rarely has two at once, and the page renews itself.
	mostTurns = 6
	// turnsStay is how long a visit that is over stays on the start page.
	turnsStay = 72 * time.Hour
)

// homeStands is how long the start page's look into its visits stands while nothing is recorded about them: it renews itself
// each second, and judging six visits so often would cost a processor for every thirty open pages.
const homeStands = 10 * time.Second

// orderStands is the same for the page of one order, where somebody waits for what another signs about the order itself.
const orderStands = 3 * time.Second

// homeTag names what a start page says, by what is cheap to know. The look into the visits rests on their streams, which are
// in it, and on lists, orders and the time, which are looked at again every ten seconds.
func homeTag(p *page, h ShopHome, stands time.Duration) (string, error) {
	said, err := json.Marshal(struct {
		Home ShopHome
		Who  Viewer
		Lang string
		At   int64
	}{h, p.viewer, p.lang, p.now.UnixNano() / int64(stands)})
	sum := sha256.Sum256(said)
	return `"` + hex.EncodeToString(sum[:16]) + `"`, err
}

// ShopTurn is one visit on the start page. What is to be done is what its order page says, by the same rule.
type ShopTurn struct {
	ShopOrderRow
	Now ShopOrder // the zero value where it could not be looked into: then the row says what it knows
}

// shopTurns looks into the visits that matter now. One that cannot be read takes nothing from the others.
func (s *Server) shopTurns(ctx context.Context, v Viewer, orders []ShopOrderRow, now time.Time) []ShopTurn {
	var out []ShopTurn
	for _, r := range orders {
		if !r.Frozen && !r.Underway() && now.Sub(r.Until) > turnsStay {
			continue
		}
		out = append(out, ShopTurn{ShopOrderRow: r})
	}
	slices.SortStableFunc(out, func(a, b ShopTurn) int {
		return cmp.Or(cmp.Compare(a.ended(), b.ended()), a.From.Compare(b.From))
	})
	for i := range out[:min(len(out), mostTurns)] {
		o, err := s.Shops.Order(ctx, v, out[i].Visit)
		if err != nil {
			s.Log.Warn("a visit is not told of on its shop's page", "visit", out[i].Visit, "error", err)
			continue
		}
		out[i].Now, out[i].Stage = o, o.Stage // which may have gone on since it was listed
	}
	slices.SortStableFunc(out, func(a, b ShopTurn) int { return cmp.Compare(a.rank(), b.rank()) })
	return out
}

func (t ShopTurn) ended() int {
	if visit.Stage(t.Stage).Ended() {
		return 1
	}
	return 0
}

// How urgent a visit is, the most urgent first.
const (
	rankStopped = iota // stopped, or charged for what nobody signed
	rankInShop         // somebody works here, and waits for this phone
	rankMine           // waits for this phone
	rankOthers         // waits for somebody else
	rankOver
)

func (t ShopTurn) rank() int {
	_, mine := t.page()
	stage := visit.Stage(t.Stage)
	switch {
	case t.ended() == 1 && !t.Frozen && t.Now.Next != NextCharged:
		return rankOver
	case t.level() == LevelStop:
		return rankStopped
	case mine && stage != visit.Booked && stage != visit.Dispatched:
		return rankInShop
	case mine:
		return rankMine
	}
	return rankOthers
}

// page is where this phone does what is to be done; false where somebody else must act.
func (t ShopTurn) page() (string, bool) {
	return t.Now.nextPage()
}

// receipt says whether all is done and what is left is to fetch the evidence, which is the owner's.
func (t ShopTurn) receipt() bool { return t.Now.Next == NextDone && !t.Now.Clerk }

func (t ShopTurn) level() string {
	switch {
	case t.Frozen:
		return LevelStop
	case t.Now.Next == "" && t.ended() == 1:
		return LevelOver
	case t.Now.Next == "":
		return LevelWait
	}
	return t.Now.nextLevel()
}

// class makes the first visit's sign large; the others are cards with the same shape and words.
func (t ShopTurn) class(first bool) string {
	if first {
		return "sign sign-" + t.level()
	}
	return "card turn-card row-" + t.level()
}

func (t ShopTurn) word() Text {
	if t.Now.Next == "" {
		return stageWords[t.Stage]
	}
	return t.Now.answer()
}

func (t ShopTurn) do() Text {
	switch t.Now.Next {
	case "":
		return Text{}
	case NextCharged:
		return say(t.Now.alarmDo())
	}
	return t.Now.nextDo()
}

// whose says in words who must act now.
func (t ShopTurn) whose() Text {
	_, mine := t.page()
	_, somebodys := nextPages[t.Now.Next]
	switch {
	case t.Frozen, t.Now.Next == NextStopped:
		return say("home.stopped")
	case mine && (t.Now.Next == NextDoor || t.Now.Next == NextReview):
		return say("whose." + t.Now.Next)
	case mine:
		return say("whose.you")
	case somebodys && t.ended() == 0:
		return say("clerk.not")
	case t.Now.Next == "" && t.ended() == 0:
		return say("whose.look")
	case t.ended() == 1 && t.Now.Next != NextCharged:
		return say("whose.over")
	}
	return byKind("whose."+t.Now.Next, t.Kind)
}

// firms are those whose number is called about this visit.
func (t ShopTurn) firms(h ShopHome) []ShopFirm {
	if t.Now.Acquirer.Phone == "" {
		return contactFirms(h)
	}
	return []ShopFirm{t.Now.Acquirer}
}

// quieter is the button of what is not the one thing to do.
func quieter(first bool) string {
	if first {
		return "second"
	}
	return "plain"
}

// lacksClerk says whether the owner has let no clerk's phone in.
func (h ShopHome) lacksClerk(v Viewer) bool {
	return v.Role == visit.RoleMerchant && len(h.Clerks) == 0
}
