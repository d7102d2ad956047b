package pages

import (
	"encoding/csv"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/a-h/templ"

	"github.com/menshen-project/menshen/internal/access"
	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/identifier"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/visit"
)

// BoardQuery is what the address of a console's list says.
type BoardQuery struct {
	Day    string // today or 2006-01-02, "" for any
	Stage  string
	Kind   string
	Frozen bool
	Search string
	After  string
	Open   string // the visit beside the list
	Sound  bool
}

var boardStages = []string{string(visit.Booked), string(visit.Dispatched), string(visit.Admitted), string(visit.Trial), string(visit.Live), string(visit.Closed),
	string(visit.Refused), string(visit.Aborted), string(visit.RolledBack)}

const today = "today"

// boardQuery reads it; what it cannot read it leaves out, so that no odd byte travels further.
func boardQuery(v url.Values) BoardQuery {
	q := BoardQuery{Search: v.Get("q"), Frozen: v.Get("frozen") == "1", Sound: searchable.MatchString(v.Get("q"))}
	if s := v.Get("stage"); slices.Contains(boardStages, s) {
		q.Stage = s
	}
	if _, known := kindWords[v.Get("kind")]; known {
		q.Kind = v.Get("kind")
	}
	if d := v.Get("day"); d == today {
		q.Day = d
	} else if _, err := time.Parse(time.DateOnly, d); err == nil {
		q.Day = d
	}
	if c := v.Get("after"); len(c) <= maxCursor {
		q.After = c
	}
	if id := v.Get("open"); identifier.CheckID(id) == nil {
		q.Open = id
	}
	if !q.Sound {
		q.Search = ""
	}
	return q
}

// href is the address of a list with this query.
func (q BoardQuery) href(path string) templ.SafeURL {
	v := url.Values{}
	frozen := ""
	if q.Frozen {
		frozen = "1"
	}
	for key, value := range map[string]string{"day": q.Day, "stage": q.Stage, "kind": q.Kind, "frozen": frozen, "q": q.Search, "after": q.After, "open": q.Open} {
		if value != "" {
			v.Set(key, value)
		}
	}
	u := url.URL{Path: path, RawQuery: v.Encode()}
	return templ.SafeURL(u.String())
}

const boardPath = "/staff/visits"

func (q BoardQuery) with(change func(*BoardQuery)) templ.SafeURL {
	change(&q)
	return q.href(boardPath)
}

func (q BoardQuery) opened(id string) templ.SafeURL {
	return q.with(func(q *BoardQuery) { q.Open = id })
}

func (q BoardQuery) filter(now time.Time) app.BoardFilter {
	f := app.BoardFilter{Filter: app.Filter{State: q.Stage, Kind: q.Kind, Query: q.Search, Cursor: q.After, Limit: rowsPerPage}, Day: q.Day, Frozen: q.Frozen}
	if q.Day == today {
		f.Day = now.In(shanghai).Format(time.DateOnly)
	}
	return f
}

// staffRoles are whom consoles are for.
var staffRoles = []string{visit.RoleDispatcher, visit.RoleApprover, visit.RoleRisk, visit.RoleSupervisor, visit.RoleRegulator}

func isStaff(v Viewer) bool { return slices.Contains(staffRoles, v.Role) }

// staff is who asks, if a console is for him.
func (s *Server) staff(w http.ResponseWriter, r *http.Request) (*page, error) {
	p, err := s.signedIn(w, r)
	if err == nil && !isStaff(p.viewer) {
		err = access.Require(access.Role(p.viewer.Role), "", access.None)
	}
	return p, err
}

// BoardView is a console's list, and the visit that is open beside it.
type BoardView struct {
	Query BoardQuery
	Rows  []app.BoardRow
	Next  string
	Open  *BesideView
}

// BesideView is one visit with what its viewer can do about it.
type BesideView struct {
	Visit      VisitView
	Number     int // of its newest event, from which the page follows it
	Order      visit.Order
	Dispatch   visit.Dispatch
	Phones     []store.PhoneUnsent // heard last first
	Status     app.StatusAge
	Open       []string // freezes and incidents that nobody answered
	Candidates []app.Candidate
	May        map[string]bool // by verb
	MayAsk     bool            // somebody is named and signed for, and the gate has not granted it
	MayLink    bool            // send the merchant the order's address
	MaySend    bool            // by an SMS gateway of the acquirer's own
}

func (s *Server) board(w http.ResponseWriter, r *http.Request) error {
	p, err := s.staff(w, r)
	if err != nil {
		return err
	}
	v := BoardView{Query: boardQuery(r.URL.Query())}
	if v.Query.Sound {
		if v.Rows, v.Next, err = s.Desk.App.Board(r.Context(), actorOf(p.viewer), v.Query.filter(p.now)); err != nil {
			return err
		}
	}
	if v.Query.Open != "" {
		if v.Open, err = s.beside(r, p, v.Query.Open); err != nil {
			return err
		}
	}
	allow(w, needs{api: true, passkey: true, pictures: true})
	return s.show(r.Context(), w, http.StatusOK, boardPage(p, v))
}

// actsOf are the verbs that a console offers, with the stages in which they make sense there. What
// may be done is decided when it is filed.
var actsOf = []struct {
	verb   string
	stages []visit.Stage
}{
	{visit.DispatchVerb, []visit.Stage{visit.Booked}}, {visit.Reassign, []visit.Stage{visit.Booked, visit.Dispatched}},
	{visit.SignOffVerb, []visit.Stage{visit.Dispatched, visit.Admitted, visit.Trial, visit.Live}},
	{visit.Freeze, nil}, {visit.Cancel, []visit.Stage{visit.Admitted, visit.Trial, visit.Live}}, {visit.RollBack, []visit.Stage{visit.Admitted, visit.Trial}},
	{visit.Abort, []visit.Stage{visit.Booked, visit.Dispatched, visit.Admitted}}, {visit.Resume, nil},
}

func (s *Server) beside(r *http.Request, p *page, id string) (*BesideView, error) {
	actor := actorOf(p.viewer)
	d, err := s.Desk.App.Visit(r.Context(), actor, id)
	if err != nil {
		return nil, err
	}
	v := &BesideView{Number: d.State.Number(), Order: d.Order, Dispatch: d.State.Dispatched(), Open: d.State.Open(), May: map[string]bool{}}
	if v.Visit, err = s.Source.Visit(r.Context(), p.viewer, id); err != nil {
		return nil, err
	}
	if v.Phones, v.Status, err = s.Desk.App.VisitPhones(r.Context(), actor, id); err != nil {
		return nil, err
	}
	rel := app.Relation(actor, d.Order, v.Dispatch)
	for _, a := range actsOf {
		fits := a.stages == nil && !d.State.Stage().Ended() || slices.Contains(a.stages, d.State.Stage())
		v.May[a.verb] = fits && access.Decide(access.Role(p.viewer.Role), a.verb, rel).Allowed()
	}
	v.MayAsk = v.May[visit.Reassign] && v.Dispatch.Technician != "" && d.State.Stage() == visit.Booked
	v.MayLink = access.Decide(access.Role(p.viewer.Role), access.ReadOrderLink, rel).Allowed() && !d.State.Stage().Ended()
	v.MaySend = v.MayLink && s.Desk.App.HasGateway(p.viewer.Organisation)
	v.May[visit.Reassign] = v.May[visit.Reassign] && v.Dispatch.Technician != ""
	v.May[visit.DispatchVerb] = v.May[visit.DispatchVerb] && !v.May[visit.Reassign]
	v.May[visit.Resume] = v.May[visit.Resume] && len(v.Open) > 0
	v.May[visit.Freeze] = v.May[visit.Freeze] && !d.State.Frozen()
	if v.May[visit.DispatchVerb] || v.May[visit.Reassign] {
		v.Candidates, err = s.Desk.App.Candidates(r.Context(), actor, id)
	}
	return v, err
}

// against says in one line what speaks against sending somebody, "" for nothing.
func (p *page) against(c app.Candidate) string {
	var out []string
	add := func(yes bool, key, more string) {
		if yes {
			out = append(out, p.t(key)+more)
		}
	}
	add(c.Stopped, "against.stopped", "")
	add(len(c.Missing) > 0, "against.course", strings.Join(c.Missing, "、"))
	add(len(c.Busy) > 0, "against.busy", strings.Join(c.Busy, "、"))
	add(c.NoBadge, "against.badge", "")
	return strings.Join(out, p.t("against.and"))
}

// late is a visit whose appointment is over while it is not.
func late(r app.BoardRow, now time.Time) bool {
	return !visit.Stage(r.State).Ended() && r.Window.Until.Before(now)
}

// unsentText is what a phone said last, and when.
func (p *page) unsentText(u store.PhoneUnsent) string {
	key := "phone.unsent"
	if u.Statements+u.Photos == 0 {
		key = "phone.sent"
	}
	return strings.NewReplacer("{statements}", fen(u.Statements), "{photos}", fen(u.Photos), "{at}", p.clock(u.HeardAt.Time())).Replace(p.t(key))
}

func boardLevel(r app.BoardRow) string {
	return rowLevel(VisitRow{Stage: r.State, Frozen: r.Frozen})
}

func boardState(r app.BoardRow) Text { return rowState(VisitRow{Stage: r.State, Frozen: r.Frozen}) }

// mostExported bounds a file; a longer list is narrowed by its filter.
const mostExported = 5000

// exportColumns are the members of a row that a program reads, in order.
var exportColumns = []string{"visit", "order", "kind", "stage", "frozen", "acquirer", "provider", "merchant", "shop", "technician", "device_last_six", "from", "until", "shop_name", "turn", "recorded_at"}

func exportRow(_ *page, r app.BoardRow) []string {
	frozen := ""
	if r.Frozen {
		frozen = "frozen"
	}
	return []string{r.ID, r.OrderID, r.Kind, r.State, frozen, r.Org, r.Provider, r.Merchant, r.Shop, r.Technician, app.LastSix(r.Visit), iso(r.Window.From), iso(r.Window.Until), r.ShopName, r.Turn, iso(r.UpdatedAt.Time())}
}

// sheetColumns are the words over a file that a person opens, in order: what the board shows, then the ids.
var sheetColumns = []string{"list.state", "board.kind", "board.shop", "board.turn", "board.recorded", "board.from", "board.until", "board.technician", "list.device", "board.order.id", "board.visit", "board.acquirer", "board.provider", "board.merchant", "board.shop.id"}

// sheetRow says a row as the board does, in the reader's language and by the clock that appointments are made by.
func sheetRow(p *page, r app.BoardRow) []string {
	return []string{p.text(boardState(r)), p.term(kindWords, r.Kind), r.Place(), p.term(roleWords, r.Turn), clock(r.UpdatedAt.Time()), clock(r.Window.From), clock(r.Window.Until), r.Technician, app.LastSix(r.Visit),
		r.OrderID, r.ID, r.Org, r.Provider, r.Merchant, r.Shop}
}

// clock is a moment as a spreadsheet sorts it, "" for none.
func clock(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(shanghai).Format("2006-01-02 15:04")
}

// export writes every row that the filter shows, as the address asks: csv or json.
func (s *Server) export(w http.ResponseWriter, r *http.Request) error {
	p, err := s.staff(w, r)
	if err != nil {
		return err
	}
	q := boardQuery(r.URL.Query())
	q.After = ""
	f := q.filter(p.now)
	f.Limit = 100
	write, kind, say := p.writeCSV, "csv", sheetRow
	if strings.HasSuffix(r.URL.Path, ".json") {
		write, kind, say = writeJSON, "json", exportRow
	}
	rows := [][]string{}
	for q.Sound && len(rows) < mostExported {
		page, next, err := s.Desk.App.Board(r.Context(), actorOf(p.viewer), f)
		if err != nil {
			return err
		}
		for _, row := range page {
			rows = append(rows, say(p, row))
		}
		if f.Cursor = next; next == "" {
			break
		}
	}
	h := w.Header()
	h.Set("Content-Type", map[string]string{"csv": "text/csv; charset=utf-8", "json": "application/json"}[kind])
	h.Set("Content-Disposition", `attachment; filename="menshen-visits.`+kind+`"`)
	return write(w, rows)
}

func (p *page) writeCSV(w io.Writer, rows [][]string) error {
	columns := make([]string, len(sheetColumns))
	for i, key := range sheetColumns {
		columns[i] = p.t(key)
	}
	return writeTable(w, columns, rows)
}

// writeTable writes UTF-8 with its mark, so that spreadsheets read Chinese, and no cell that they would
// run as a formula.
func writeTable(w io.Writer, columns []string, rows [][]string) error {
	if _, err := io.WriteString(w, "\ufeff"); err != nil {
		return err
	}
	out := csv.NewWriter(w)
	out.UseCRLF = true
	if err := out.Write(columns); err != nil {
		return err
	}
	for _, row := range rows {
		safe := make([]string, len(row))
		for i, cell := range row {
			safe[i] = plainCell(cell)
		}
		if err := out.Write(safe); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// plainCell keeps a spreadsheet from taking a text for a formula (OWASP, CSV injection), also one behind spaces or signs that do
// not show, which some of them drop, and one behind what parts cells in other countries' spreadsheets.
func plainCell(s string) string {
	out, begins := make([]rune, 0, len(s)+1), true
	for _, c := range s {
		switch {
		case begins && strings.ContainsRune("=+-@\t\r\n＝＋－＠", c):
			out, begins = append(out, '\''), false
		case c == ';' || c == '\t' || c == '\n' || c == '\r':
			begins = true
		case begins && c != '"' && !unicode.IsSpace(c) && !unicode.Is(unicode.Cf, c):
			begins = false
		}
		out = append(out, c)
	}
	return string(out)
}

func writeJSON(w io.Writer, rows [][]string) error {
	out := make([]map[string]string, 0, len(rows))
	for _, row := range rows {
		named := map[string]string{}
		for i, cell := range row {
			named[exportColumns[i]] = cell
		}
		out = append(out, named)
	}
	return json.NewEncoder(w).Encode(map[string]any{"visits": out})
}

// face gives the dispatcher's script what a dispatch commits to.
func (s *Server) face(w http.ResponseWriter, r *http.Request) (any, error) {
	p, err := s.staff(w, r)
	if err != nil {
		return nil, err
	}
	f, err := s.Desk.App.Face(r.Context(), actorOf(p.viewer), r.PathValue("id"))
	return map[string]any{"name": f.Name, "photo": f.Photo}, err
}

// keyPage is where a device gets the key that signs for its owner.
func (s *Server) keyPage(w http.ResponseWriter, r *http.Request) error {
	p, err := s.staff(w, r)
	if err != nil {
		return err
	}
	allow(w, passkeyPage)
	return s.show(r.Context(), w, http.StatusOK, keyView(p))
}

// brakeReasons are the codes that a console offers; the statement holds the code.
var brakeReasons = []string{"wrong_person", "asked_for_money", "device", "appointment", "other"}

// boardHere names the part of the console that a query shows.
func boardHere(q BoardQuery) string {
	switch {
	case q.Frozen:
		return "frozen"
	case q.Day == today:
		return today
	}
	return "all"
}

// boardDay is the day as a date field has it.
func boardDay(p *page, q BoardQuery) string {
	if q.Day == today {
		return p.now.In(shanghai).Format(time.DateOnly)
	}
	return q.Day
}

// lapses says whether a course is over or soon will be, as a text key; "" for neither.
func (p *page) lapses(c app.Course) string {
	switch left := c.Until.Sub(p.now); {
	case c.Over:
		return "tech.retake"
	case left <= 0:
		return "tech.over"
	case left < 30*24*time.Hour:
		return "tech.soon"
	}
	return ""
}

// home is where the name at the top leads.
func (p *page) home() templ.SafeURL {
	if p.viewer.Token != "" && isStaff(p.viewer) {
		return BoardQuery{Day: today}.href(boardPath)
	}
	if p.viewer.Token != "" && runsIt(p.viewer) {
		return operationsPath
	}
	return "/"
}

// orderLink makes the address of a merchant's page, shown once to whoever may send it.
func (s *Server) orderLink(w http.ResponseWriter, r *http.Request) (any, error) {
	p, err := s.staff(w, r)
	if err != nil {
		return nil, err
	}
	l, err := s.Desk.App.OrderLink(r.Context(), actorOf(p.viewer), r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	return map[string]string{"address": s.site(r) + "/enter/" + l.Token, "phone": l.Phone, "until": p.at(l.Until)}, nil
}

// sendLink has the acquirer's own gateway send it.
func (s *Server) sendLink(w http.ResponseWriter, r *http.Request) (any, error) {
	p, err := s.staff(w, r)
	if err != nil {
		return nil, err
	}
	return map[string]bool{"queued": true}, s.Desk.App.SendOrderLink(r.Context(), actorOf(p.viewer), r.PathValue("id"))
}

// revokeReasons are those that the employer's own service knows.
var revokeReasons = []string{"lost", "left", "suspended", "fraud"}
