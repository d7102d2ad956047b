package pages

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/agreement"
	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/ticket"
	"github.com/menshen-project/menshen/internal/visit"
)

// shopSource is a ShopSource over orders that a play made.
type shopSource struct {
	orders map[string]ShopOrder
	home   ShopHome
	calls  []ShopCall
	told   []string // calls that were reported, and the note that went along
	help   []ShopTicket
	phrase string
	left   int
	err    error
}

func (s *shopSource) Home(context.Context, Viewer) (ShopHome, error) { return s.home, s.err }

func (s *shopSource) Order(_ context.Context, v Viewer, id string) (ShopOrder, error) {
	o, ok := s.orders[id]
	if !ok && s.err == nil {
		return ShopOrder{}, errNoSuchVisit
	}
	o.Clerk = v.Role == roleClerk
	return o, s.err
}

func (s *shopSource) SetPhrase(_ context.Context, _ Viewer, phrase string) error {
	s.phrase = phrase
	return s.err
}

func (s *shopSource) Leave(context.Context, Viewer) error { s.left++; return s.err }

func (s *shopSource) Called(_ context.Context, c ShopCall) error {
	s.calls = append(s.calls, c)
	return s.err
}

func (s *shopSource) Sticker(_ context.Context, v Viewer, shop string) (ShopSticker, error) {
	if shop != "wei-1" || v.Person == "qiu" {
		return ShopSticker{}, fault.New(fault.NotFound, "shop_absent", "没有这家店。", "There is no such shop.")
	}
	return ShopSticker{Code: shop, Name: "示例面馆"}, s.err
}

func (s *shopSource) Charges(context.Context, Viewer, string) ([]store.SettlementLine, string, error) {
	return s.home.Charges, "", s.err
}

func (s *shopSource) ReportCall(_ context.Context, _ Viewer, call, note string) error {
	s.told = append(s.told, call+": "+note)
	return s.err
}

func (s *shopSource) Tickets(context.Context, Viewer) ([]ShopTicket, error) { return s.help, s.err }

func (s *shopSource) Ticket(_ context.Context, _ Viewer, id string) (ShopTicket, error) {
	i := slices.IndexFunc(s.help, func(k ShopTicket) bool { return k.ID == id })
	if i < 0 {
		return ShopTicket{}, fault.New(fault.NotFound, "ticket_not_found", "没有这张工单。", "There is no such ticket.")
	}
	return s.help[i], s.err
}

var ming = Viewer{Person: "ming", Organisation: "acq-huaishan", Role: roleClerk}

var shopFirms = map[string]ShopFirm{
	"acq-huaishan": {ID: "acq-huaishan", Name: "槐山支付", Licence: "Z2002211000010", Phone: "0529-65550001"},
	"svc-anzhuang": {ID: "svc-anzhuang", Name: "安装到家", Filing: "WB-990001", Phone: "0529-65550101"},
}

// shopOrder looks at a play as its merchant does.
func (th *theater) shopOrder(t *testing.T) ShopOrder {
	t.Helper()
	d := th.ledger.Dossier(th.play.ID, 0)
	o, err := ShopOrderOf(ShopMaterial{Viewer: wei, Dossier: d, Report: Examine(d, th.ledger.Trust, th.play.Now()), Shop: "示例面馆", Phrase: "灯笼下的猫", Firms: shopFirms, Now: th.play.Now()})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

var shopPlays = sync.OnceValue(func() map[string]func(context.Context, *scenario.Play) error {
	return map[string]func(context.Context, *scenario.Play) error{"turned_away": turnedAway, "frozen": wrongPerson}
})

// shopStages are the scenes before which the merchant looks, and what his page then says.
var shopStages = []struct{ name, until, next string }{
	{"no_price", "offer", NextSheetComes}, {"price", "agree", NextPrice}, {"send", "dispatch", NextSend}, {"door", "door", NextDoor},
	{"device", "attest", NextDevice}, {"trial", "acceptance", NextTrial}, {"tried", "work", NextDevice}, {"checking", "ask admit", NextChecking}, {"confirm", "confirm", NextConfirm},
	{"keep", "nothing to keep", NextDevice}, {"live", "ask live", NextLive}, {"review", "", NextReview}, {"turned_away", "door", NextRefused}, {"frozen", "attest", NextStopped},
}

type merchantAct = func(*scenario.Play, context.Context) error

func serialSeen(p *scenario.Play, ctx context.Context) error {
	return p.Step(ctx, p.Cast.Merchant, StepCheckSerial)
}

// oldIsMarked has the acquirer quarantine a terminal that takes money, while another one is being brought.
func oldIsMarked(p *scenario.Play, ctx context.Context) error {
	_, err := p.Earlier.Mark(ctx, p.Cast.Risk, visit.MarkQuarantined)
	return err
}

// oldIsStolen has the merchant sign that his terminal is gone.
func oldIsStolen(p *scenario.Play, ctx context.Context) error {
	_, err := p.Mark(ctx, p.Cast.Merchant, visit.MarkLost)
	return err
}

// shopKindStages are what the merchant sees on kinds that take over from a terminal.
var shopKindStages = []struct {
	name, kind, until string
	then              []merchantAct
	next              string
}{
	{"swap_work", visit.Swap, "attest", []merchantAct{serialSeen}, NextWork},
	{"swap_suspect", visit.Swap, "attest", []merchantAct{serialSeen, oldIsMarked}, NextOutage},
	{"swap_consent", visit.Swap, "consent", nil, NextConsent},
	{"swap_waits", visit.Swap, "ask end", nil, NextClosing},
	{"swap_hand_back", visit.Swap, "hand back", nil, NextHandBack},
	{"swap_closing", visit.Swap, "ask close", nil, NextClosing},
	{"repair_dead", visit.Repair, "attest", []merchantAct{serialSeen, func(p *scenario.Play, ctx context.Context) error { return diesAnHourAgo(ctx, p) }}, NextOutage},
	{"move_hand_over", visit.Relocation, "hand over to move", []merchantAct{serialSeen, (*scenario.Play).NothingToKeep}, NextHandBack},
	{"move_consent", visit.Relocation, "consent", []merchantAct{serialSeen, (*scenario.Play).NothingToKeep}, NextConsent},
	{"move_outage", visit.Relocation, "outage", []merchantAct{serialSeen, (*scenario.Play).NothingToKeep}, NextOutage},
	{"removal_consent", visit.Removal, "consent", []merchantAct{serialSeen}, NextConsent},
	{"removal_waits", visit.Removal, "ask end", []merchantAct{serialSeen}, NextWork},
	{"removal_hand_back", visit.Removal, "hand back", []merchantAct{serialSeen}, NextHandBack},
	{"removal_stolen", visit.Removal, "hand back", []merchantAct{serialSeen, oldIsStolen}, NextConfirm},
	{"removal_confirm", visit.Removal, "work", []merchantAct{serialSeen}, NextConfirm},
	{"removal_review", visit.Removal, "", nil, NextReview},
}

var (
	shopPlaying sync.Mutex
	shopPlayed  map[string]ShopOrder
)

// shopOrders plays a visit to every state that the merchant's page has; once for all tests.
func shopOrders(t *testing.T) map[string]ShopOrder {
	t.Helper()
	shopPlaying.Lock()
	defer shopPlaying.Unlock()
	if shopPlayed != nil {
		return shopPlayed
	}
	out := map[string]ShopOrder{}
	for _, s := range shopStages {
		synctest.Test(t, func(t *testing.T) {
			th := newTheater(t, visit.Install, 1).run(t, s.until)
			if then := shopPlays()[s.name]; then != nil {
				if err := then(t.Context(), th.play); err != nil {
					t.Fatal(err)
				}
			}
			out[s.name] = th.shopOrder(t)
		})
	}
	for _, s := range shopKindStages {
		synctest.Test(t, func(t *testing.T) {
			th := newTheater(t, visit.Install, 1).later(t, s.kind)
			scenes := map[string]func(*scenario.Play) []scenario.Scene{visit.Swap: (*scenario.Play).Swap, visit.Repair: (*scenario.Play).Repair,
				visit.Relocation: (*scenario.Play).Relocate, visit.Removal: (*scenario.Play).Remove}[s.kind](th.play)
			if s.until != "" {
				scenes = scenario.Until(scenes, s.until)
			}
			if err := scenario.Run(t.Context(), scenes); err != nil {
				t.Fatalf("%s: %v", s.name, err)
			}
			for _, act := range s.then {
				if err := act(th.play, t.Context()); err != nil {
					t.Fatalf("%s: %v", s.name, err)
				}
			}
			out[s.name] = th.shopOrder(t)
		})
	}
	shopPlayed = out
	return out
}

func TestOneButtonByState(t *testing.T) {
	for _, s := range shopStages {
		if got := shopOrders(t)[s.name].Next; got != s.next {
			t.Errorf("before %q: %s, want %s", s.until, got, s.next)
		}
	}
	for _, s := range shopKindStages {
		if got := shopOrders(t)[s.name].Next; got != s.next {
			t.Errorf("%s: %s, want %s", s.name, got, s.next)
		}
	}
}

// Who has stopped a visit is not asked to stop it once more; what happens after may be reported all the same.
func TestAStoppedVisitIsNotStoppedOnceMore(t *testing.T) {
	_, s := shop(t)
	for visit, want := range map[string][2]bool{"frozen": {false, true}, "device": {true, false}} {
		page := body(t, ask{path: "/shop/visits/" + visit, viewer: "wei"}.of(s))
		if got := [2]bool{strings.Contains(page, "有问题，马上停"), strings.Contains(page, "又出了事，再报告")}; got != want {
			t.Errorf("%s: %v, want %v", visit, got, want)
		}
	}
}

func TestTotalsAsTheShopReadsThem(t *testing.T) {
	offer := func(items ...agreement.Item) ShopOrder {
		a := agreement.Offer("o-1", agreement.Sheet{Acquirer: "acq-huaishan", Items: items})
		h := heard{offer: &a}
		o := ShopOrder{}
		o.Offer, _ = h.price()
		return o
	}
	item := func(code string, fen int64) agreement.Item {
		return agreement.Item{Code: code, AmountFen: fen, Per: agreement.PerOnce, When: agreement.WhenSigning}
	}
	for _, c := range []struct {
		o    ShopOrder
		want string
	}{
		{ShopOrder{}, "价格还没出来。没有价格，一分钱都别给。"},
		{ShopOrder{Kind: visit.Inspection}, "巡检不收钱，谁要都别给。"},
		{offer(), "本单一共 ¥0.00。上门的人不收钱，谁要都别给。"},
		{offer(item("deposit", 29900)), "本单一共 ¥299.00（押金，退机时退）。只在这一页付，别付给上门的人。"},
		{offer(item("deposit", 29900), item("service", 100)), "本单一共 ¥300.00，其中押金 ¥299.00 退机时退。只在这一页付，别付给上门的人。"},
		{offer(item("service", 100)), "本单一共 ¥1.00。只在这一页付，别付给上门的人。"},
	} {
		if got := c.o.total().Zh; got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

// withAftermath adds what only a city of visits would play: charges found later, a swap taken back, a dead old terminal.
func withAftermath(played map[string]ShopOrder, now time.Time) map[string]ShopOrder {
	out := maps.Clone(played)
	charged := played["review"]
	charged.Next, charged.Charged = NextCharged, []agreement.Charge{{Code: "vip_service", AmountFen: 19900}}
	back := played["door"]
	back.Next, back.Stage, back.Kind = NextRolledBack, string(visit.RolledBack), visit.Swap
	back.Again = &ShopOrderRow{Visit: "door", From: now.Add(80 * time.Minute), Until: now.Add(140 * time.Minute)}
	back.Old = &ShopOld{Replaced: true, State: visit.TerminalLive, Lost: LostView{Minutes: 42, Cause: evidence.LostTrial, Step: "mount", Answers: "安装到家"}}
	dead := back
	dead.Again, dead.Old = nil, &ShopOld{Replaced: true, State: visit.TerminalDead, Lost: LostView{Minutes: 61, Open: true, Cause: evidence.LostDead, Answers: "槐山支付"}}
	out["charged"], out["back"], out["back_dead"] = charged, back, dead
	return out
}

// shopSite is what the operator said the site's address is, whatever a request claims.
func shopSite(*http.Request) string { return "https://menshen.example" }

// shopHelp is a request for help in every state, beside the two that are late.
func shopHelp(now time.Time) (out []ShopTicket) {
	at := func(hours int) time.Time { return now.Add(time.Duration(hours) * time.Hour) }
	kept, waits := ticket.Clock{DueAt: at(2), Stopped: at(-1)}, ticket.Clock{DueAt: at(22)}
	first := app.TicketEvent{Number: 1, Verb: ticket.Open, Role: visit.RoleMerchant, At: at(-2), Note: "打不出小票，客人在等"}
	said := app.TicketEvent{Number: 2, Verb: ticket.Answer, Role: visit.RoleDispatcher, At: at(-1), Note: "明天上午带新打印头来"}
	for _, k := range []ShopTicket{
		{ID: "t-open", State: ticket.Opened, Kind: "printing", Response: ticket.Clock{DueAt: at(2)}, Resolution: waits, Free: true, Warranty: at(9000)},
		{ID: "t-answered", State: ticket.Answered, Kind: "device", Response: kept, Resolution: waits, Free: true, Warranty: at(9000), Events: []app.TicketEvent{first, said}},
		{ID: "t-paused", State: ticket.Paused, Kind: "device", Reason: "waits_for_part", Response: kept, Resolution: ticket.Clock{DueAt: at(30), Stands: true}, Warranty: at(-900),
			Events: []app.TicketEvent{first, said, {Number: 3, Verb: ticket.Pause, Role: visit.RoleDispatcher, At: at(-1), Reason: "waits_for_part"}}},
		{ID: "t-late", State: ticket.Opened, Kind: "fees", Response: ticket.Clock{DueAt: at(-1), Late: true}, Resolution: waits},
		{ID: "t-resolved", State: ticket.Resolved, Kind: "network", Response: kept, Resolution: ticket.Clock{DueAt: at(-3), Stopped: at(-1), Late: true}, Events: []app.TicketEvent{first, said}},
		{ID: "t-closed", State: ticket.Closed, Kind: "training", Response: kept, Resolution: kept},
		{ID: "t-stranger", State: ticket.Opened, Kind: "stranger"},
		{ID: "t-photos", State: ticket.Opened, Kind: "photos_missing"},
	} {
		k.OpenedAt, k.Shop, k.Acquirer = at(-2), "示例面馆", shopFirms["acq-huaishan"]
		if k.Kind != "stranger" {
			k.Visit = "review"
		}
		if k.Events == nil {
			k.Events = []app.TicketEvent{first}
		}
		out = append(out, k)
	}
	return out
}

// shop is a server with an order in every state.
func shop(t *testing.T) (*shopSource, *Server) {
	t.Helper()
	now := time.Date(2026, 11, 22, 14, 40, 0, 0, shanghai)
	s := &shopSource{orders: shopOrders(t), home: ShopHome{Phrase: "灯笼下的猫", Clerks: []ShopClerk{{"wei.k1", "NzbLsXh8uDCcd", now.Add(-48 * time.Hour)}}, Shops: []ShopPlace{{"wei-1", "示例面馆"}},
		Contacts: []ShopContact{{"槐山支付", "0529-65550001"}},
		Calls:    []ShopCalled{{"call-1", now.Add(-time.Hour), "示例面馆", CallKinds[0], false, ""}, {"call-2", now.Add(-2 * time.Hour), "示例面馆", CallKinds[1], true, "t-stranger"}}}, help: shopHelp(now)}
	s.orders = withAftermath(s.orders, now)
	for name, o := range s.orders {
		if o.Stage == string(visit.RolledBack) {
			continue
		}
		s.home.Orders = append(s.home.Orders, ShopOrderRow{Visit: name, Kind: o.Kind, Stage: o.Stage, Frozen: o.Next == NextStopped, From: o.From, Until: o.Until})
	}
	authenticate := func(r *http.Request) (Viewer, error) {
		if r.Header.Get("X-Test-Viewer") == ming.Person {
			return ming, nil
		}
		return asHeader(r)
	}
	stage := &stageSource{views: map[string]VisitView{}}
	return s, New(Config{Source: stage, Shops: s, Authenticate: authenticate, SignIn: signInByLink, Now: func() time.Time { return now }, Desk: Desk{Origin: shopSite}})
}

func everyShopPage(t *testing.T, s *Server) map[string]string {
	t.Helper()
	asks := []ask{{path: "/shop", viewer: "wei"}, {path: "/shop/phone", viewer: "wei"}, {path: "/shop/phone", viewer: "ming"}, {path: "/shop/phone?holder=wei&organisation=acq-huaishan"}, {path: "/shop/sticker/wei-1", viewer: "wei"},
		{path: "/shop/clerks", viewer: "wei"}, {path: "/shop/clerk?holder=wei.k1&organisation=acq-huaishan"}, {path: "/s"}, {path: "/s/wei-1"}, {path: "/s?told=1"}, {path: "/shop/visits/price/price", viewer: "ming"}, {path: "/shop/visits/confirm/confirm", viewer: "ming"}}
	for _, k := range s.Shops.(*shopSource).help {
		asks = append(asks, ask{path: "/shop/tickets/" + k.ID, viewer: "wei"}, ask{path: "/shop/tickets/" + k.ID, viewer: "ming"})
	}
	asks = append(asks, ask{path: "/shop/tickets", viewer: "wei"}, ask{path: "/shop/tickets/new", viewer: "ming"}, ask{path: "/shop/tickets/new?visit=review&kind=fees", viewer: "wei"})
	for name := range shopOrders(t) {
		asks = append(asks, ask{path: "/shop/visits/" + name, viewer: "wei"})
	}
	for act := range shopNeeds {
		asks = append(asks, ask{path: strings.TrimSuffix("/shop/visits/trial/"+act, "/"), viewer: "wei"})
	}
	out := map[string]string{}
	for _, a := range asks {
		for _, lang := range []string{zh, en} {
			b := a
			b.path = withLanguage(a.path, lang)
			out[b.path+" as "+b.viewer] = body(t, b.of(s))
		}
	}
	return out
}

func TestEveryShopPageIsSoundHTML(t *testing.T) {
	_, s := shop(t)
	for name, page := range everyShopPage(t, s) {
		for _, complaint := range htmlComplaints(page) {
			t.Errorf("%s: %s", name, complaint)
		}
		if strings.Contains(name, "/shop") && !strings.Contains(name, "sticker") && !strings.HasSuffix(name, " as ") && !strings.Contains(page, "灯笼下的猫") {
			t.Errorf("%s: without the phrase", name)
		}
	}
}

func TestWhoMaySeeAShopsPages(t *testing.T) {
	_, s := shop(t)
	for _, c := range []struct {
		path, viewer string
		status       int
	}{
		{"/shop", "", 401}, {"/shop/phone", "", 401}, {"/shop/phone?holder=wei&organisation=acq", "", 200}, {"/shop/phone?holder=%20&organisation=acq", "", 401}, {"/shop/phone", "qiu", 404}, {"/shop", "qiu", 404}, {"/shop", "fang", 404}, {"/shop", "wei", 200}, {"/shop/visits/door", "qiu", 404},
		{"/shop/visits/door/door", "wei", 200}, {"/shop/visits/door/door", "ming", 200}, {"/shop/visits/none", "wei", 404}, {"/shop/visits/door/none", "wei", 404},
		{"/shop/clerks", "wei", 200}, {"/shop/clerks", "ming", 404}, {"/shop/clerks", "", 401}, {"/shop/clerk?holder=wei.k1&organisation=acq", "", 200}, {"/shop/clerk?holder=wei&organisation=acq", "", 404},
		{"/shop/tickets", "", 401}, {"/shop/tickets", "qiu", 404}, {"/shop/tickets", "ming", 200}, {"/shop/tickets/none", "wei", 404}, {"/shop/tickets/t-open", "ming", 200}, {"/shop/tickets/new?visit=none", "wei", 404},
		{"/shop/sticker/wei-1", "qiu", 404}, {"/shop/sticker/other", "wei", 404}, {"/shop/sticker/wei-1", "wei", 200}, {"/s", "", 200},
	} {
		if got := (ask{path: c.path, viewer: c.viewer}).of(s).StatusCode; got != c.status {
			t.Errorf("%s as %q: %d, want %d", c.path, c.viewer, got, c.status)
		}
	}
}

// Whatever is typed on the public page, what comes back is the same, byte for byte.
func TestThePublicPageIsNoOracle(t *testing.T) {
	source, s := shop(t)
	var first string
	for _, code := range []string{"wei-1", "no-such-shop", "", "<script>", strings.Repeat("x", 3000), "wei-1' OR 1=1", "门神"} {
		r := httptest.NewRequest("POST", "/s", strings.NewReader(url.Values{"code": {code}, "kind": {"asks_money"}}.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		s.Routes().ServeHTTP(w, r)
		typed := source.calls[len(source.calls)-1].Code
		got := w.Result().Status + w.Header().Get("Location") + w.Body.String()
		// The page that follows leads to the shop's own report, with whatever was typed: a code of a shop or of none.
		told := body(t, ask{path: w.Header().Get("Location")}.of(s))
		if want := `href="/shop?shop=` + url.QueryEscape(typed) + `#calls"`; !strings.Contains(told, want) {
			t.Errorf("%q: it does not lead to %s", code, want)
		}
		got += told
		if typed != "" {
			got = strings.ReplaceAll(got, url.QueryEscape(typed), typed)
			got = strings.ReplaceAll(strings.ReplaceAll(got, "code="+typed, "code="), `value="`+typed, `value="`)
			got = strings.ReplaceAll(got, "shop="+typed, "shop=")
		}
		if first == "" {
			first = got
		}
		if got != first {
			t.Errorf("%q: %s, want %s", code, got, first)
		}
	}
	if len(source.calls) != 7 || source.calls[0] != (ShopCall{"wei-1", "asks_money"}) || source.calls[3].Code != "" {
		t.Errorf("%+v", source.calls)
	}
	if page := body(t, ask{path: "/s/<script>"}.of(s)); strings.Contains(page, "<script>") {
		t.Error("a code came back as it was typed")
	}
}

func TestPhrases(t *testing.T) {
	source, s := shop(t)
	keep := func(viewer, phrase string) int {
		r := httptest.NewRequest("POST", "/shop/phrase", strings.NewReader(url.Values{"phrase": {phrase}}.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("X-Test-Viewer", viewer)
		w := httptest.NewRecorder()
		s.Routes().ServeHTTP(w, r)
		return w.Code
	}
	for phrase, want := range map[string]int{"灯笼下的猫": 303, "  two   words ": 303, "x": 400, "": 400, strings.Repeat("长", 25): 400, "a\u202eb": 400, "a\x00b": 400, "\xff\xfe\xfd": 400} {
		if got := keep("wei", phrase); got != want {
			t.Errorf("%q: %d, want %d", phrase, got, want)
		}
	}
	if keep("wei", " two   words "); source.phrase != "two words" {
		t.Errorf("kept %q", source.phrase)
	}
	if got := keep("ming", "店员写的"); got != 404 {
		t.Errorf("a clerk: %d", got)
	}
}

func TestAClerkSignsNeitherPriceNorEnd(t *testing.T) {
	_, s := shop(t)
	for path, want := range map[string]string{"/shop/visits/price/price": "店员的手机不能签价格", "/shop/visits/confirm/confirm": "这一步要老板的手机来做", "/shop/visits/confirm": "这一步要老板的手机来做"} {
		page := body(t, ask{path: path, viewer: "ming"}.of(s))
		if !strings.Contains(page, want) || strings.Contains(page, "data-sign") {
			t.Errorf("%s lacks %q, or has a form", path, want)
		}
	}
	if page := body(t, ask{path: "/shop/visits/device/report", viewer: "ming"}.of(s)); !strings.Contains(page, "data-sign") {
		t.Error("a clerk cannot pull the brake")
	}
}

// Whose licence is in force is the list's word; that none is, is said and not left out.
func TestALicenceOrNoneIsSaid(t *testing.T) {
	src, s := shop(t)
	unlisted := src.orders["door"]
	unlisted.Acquirer.Licence, unlisted.Provider.Filing = "", ""
	src.orders["unlisted"] = unlisted
	for path, numbers := range map[string][]string{"/shop/visits/door": {"Z2002211000010", "WB-990001"}, "/shop/visits/unlisted": {"名单上没有现在有效的"}} {
		page := body(t, ask{path: path, viewer: "wei"}.of(s))
		for _, want := range append(numbers, "协会签了名的名单") {
			if !strings.Contains(page, want) {
				t.Errorf("%s lacks %q", path, want)
			}
		}
	}
}

// What the merchant's page has the phone sign is what the visit needs: a removal that is played with the page's own bodies closes.
func TestTheShopsOwnBodiesCloseARemoval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		th := newTheater(t, visit.Install, 1).later(t, visit.Removal)
		p := th.play
		signs := func(stream, verb, typ, answers string, body func(ShopOrder) string) func(context.Context) error {
			return func(ctx context.Context) error {
				return p.Venue.File(ctx, p.Cast.Merchant, scenario.Filing{Stream: stream, Verb: verb, Envelope: p.Cast.Merchant.Sign(scenario.Draft{
					Stream: stream, Type: typ, Answers: answers, Body: json.RawMessage(body(th.shopOrder(t))), At: p.Now()})})
			}
		}
		handBack := func(ctx context.Context) error {
			return signs("device/"+p.Device.Serial, visit.Transfer, "transfer", th.shopOrder(t).Old.Parcel, handBackBody)(ctx)
		}
		scenes := scenario.Instead(scenario.Instead(p.Remove(), "consent", signs(p.VisitStream(), visit.Confirm, visit.TypeEndConsent, "", consentBody)), "hand back", handBack)
		if err := scenario.Run(t.Context(), scenes); err != nil {
			t.Fatal(err)
		}
		if o := th.shopOrder(t); o.Next != NextReview || !o.Old.Back || !o.Old.Consent {
			t.Errorf("%s, %+v", o.Next, o.Old)
		}
	})
}

// A call that the shop reports becomes a request once, with what the page said of it; others' calls do not exist.
func TestACallIsReported(t *testing.T) {
	source, s := shop(t)
	report := func(viewer, call string) int {
		r := httptest.NewRequest("POST", "/shop/calls/"+call, nil)
		r.Header.Set("X-Test-Viewer", viewer)
		w := httptest.NewRecorder()
		s.Routes().ServeHTTP(w, r)
		return w.Code
	}
	for _, c := range []struct {
		viewer, call string
		want         int
	}{{"wei", "call-1", 303}, {"ming", "call-2", 303}, {"wei", "none", 404}, {"qiu", "call-1", 404}, {"", "call-1", 401}} {
		if got := report(c.viewer, c.call); got != c.want {
			t.Errorf("%s reports %s: %d, want %d", c.viewer, c.call, got, c.want)
		}
	}
	if len(source.told) != 2 || !strings.Contains(source.told[0], "那时没有安排人上门") || !strings.Contains(source.told[0], "Nobody was scheduled then") || !strings.Contains(source.told[1], "对方要钱") {
		t.Errorf("%q", source.told)
	}
	home := body(t, ask{path: "/shop", viewer: "wei"}.of(s))
	if !strings.Contains(home, `action="/shop/calls/call-1"`) || strings.Contains(home, `action="/shop/calls/call-2"`) || !strings.Contains(home, "/shop/tickets/t-stranger") {
		t.Error("the home page offers to report again, or not at all")
	}
}

// Both clocks and the warranty in words that say who has to act.
func TestClocksInWords(t *testing.T) {
	_, s := shop(t)
	for id, wants := range map[string][]string{
		"t-open": {"收到了，等人回话", "16:40 以前", "这次不收钱"}, "t-paused": {"在等配件", "停表，等完再走", "修理按价格表收"}, "t-late": {"说好的时间过了", "打电话催", "该在", "已经晚了", "价格表上没写保修", "tel:0529"},
		"t-resolved": {"那边说修好了，您看看", "，晚了", "/v1/tickets/t-resolved/close_ticket", "/v1/tickets/t-resolved/reopen_ticket"}, "t-stranger": {"已告诉收单机构的风控"},
	} {
		page := body(t, ask{path: "/shop/tickets/" + id, viewer: "wei"}.of(s))
		for _, want := range wants {
			if !strings.Contains(page, want) {
				t.Errorf("%s lacks %q", id, want)
			}
		}
	}
	if page := body(t, ask{path: "/shop/tickets/t-resolved", viewer: "ming"}.of(s)); strings.Contains(page, "data-ask") || !strings.Contains(page, "要老板的手机来说") {
		t.Error("a clerk says that it is mended")
	}
}

// A sticker's address is what the operator set: a Host header is whatever somebody sent.
func TestAStickersAddressIsTheSites(t *testing.T) {
	_, s := shop(t)
	page := body(t, ask{path: "/shop/sticker/wei-1", viewer: "wei"}.of(s))
	if !strings.Contains(page, "https://menshen.example/s/wei-1") || strings.Contains(page, "example.com") {
		t.Error("another address is printed")
	}
	s.Desk.Origin = nil
	if page = body(t, ask{path: "/shop/sticker/wei-1", viewer: "wei"}.of(s)); !strings.Contains(page, "public_url") || strings.Contains(page, "<svg class=\"qr-print\"") {
		t.Error("a sticker is printed that leads nowhere")
	}
}

// What was taken back says what the shop still has, and when they come again.
func TestAfterATakingBack(t *testing.T) {
	now := time.Date(2026, 11, 22, 14, 40, 0, 0, shanghai)
	again := &ShopOrderRow{Visit: "v2", From: now.Add(80 * time.Minute), Until: now.Add(140 * time.Minute)}
	for _, c := range []struct {
		old          *ShopOld
		again        *ShopOrderRow
		word, do, en string
	}{
		{&ShopOld{Replaced: true, State: visit.TerminalLive}, again, "新机没装好，旧机照常能用", "下次上门：今天 16:00–17:00，不另收钱。", "Next visit: today 16:00–17:00, at no charge."},
		{&ShopOld{Replaced: true}, nil, "新机没装好，旧机照常能用", "下次什么时候来还没定", "has no time yet"},
		{nil, nil, "新机没装好，已经撤走", "没人能用它扣您的钱", "nobody can charge you"},
		{&ShopOld{State: visit.TerminalLive}, nil, "没修好，机器照旧能用", "还没定", "has no time yet"},
		{&ShopOld{Replaced: true, State: visit.TerminalDead}, again, "旧机现在也收不了钱", "先借您一台", "loan terminal"},
	} {
		o := ShopOrder{Old: c.old, Next: NextRolledBack, Stage: string(visit.RolledBack), Again: c.again, Now: now}
		if got := o.answer().Zh; !strings.Contains(got, c.word) {
			t.Errorf("%+v: %s", c, got)
		}
		if got := o.nextDo(); !strings.Contains(got.Zh, c.do) || !strings.Contains(got.En, c.en) {
			t.Errorf("%+v: %+v", c, got)
		}
		if green := o.nextLevel() == LevelGood; green || o.stuck() != (o.nextLevel() == LevelStop) {
			t.Errorf("%+v looks %s", c, o.nextLevel())
		}
	}
}

// The next visit is the earliest to the same shop that is still to come.
func TestWhichVisitComesNext(t *testing.T) {
	now := time.Date(2026, 11, 22, 14, 40, 0, 0, shanghai)
	row := func(id, shop string, stage visit.Stage, in time.Duration) ShopOrderRow {
		return ShopOrderRow{Visit: id, Shop: shop, Stage: string(stage), From: now.Add(in), Until: now.Add(in + time.Hour)}
	}
	frozen := row("frozen", "wei-1", visit.Booked, time.Hour)
	frozen.Frozen = true
	m := ShopMaterial{Now: now, Coming: []ShopOrderRow{row("later", "wei-1", visit.Booked, 48*time.Hour), row("next", "wei-1", visit.Dispatched, 2*time.Hour), row("elsewhere", "wei-2", visit.Booked, time.Hour),
		row("over", "wei-1", visit.Closed, time.Hour), row("past", "wei-1", visit.Booked, -9*time.Hour), frozen}}
	if got := m.again("wei-1"); got == nil || got.Visit != "next" {
		t.Errorf("%+v", got)
	}
	if got := m.again("wei-3"); got != nil {
		t.Errorf("%+v", got)
	}
}
