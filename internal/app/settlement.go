package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strconv"

	"github.com/menshen-project/menshen/internal/access"
	"github.com/menshen-project/menshen/internal/agreement"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/visit"
)

// settlementFile is the sheet that an acquirer settles its shops by.
const settlementFile = "settlement.csv"

// Columns of a settlement.
const (
	columnReference = "流水号"
	columnMerchant  = "商户编码"
	columnTerminal  = "终端号"
	columnAt        = "扣款时间"
	columnItem      = "收费项目"
	columnTrade     = "交易金额（分）"
	columnTaken     = "实收（分）"
)

var (
	errLineChanged = fault.New(fault.Conflict, "settlement_line_changed", "这个流水号以前导入过，内容和这次不一样。", "This reference was imported before with other content.")
	errLineTrade   = fault.New(fault.Invalid, "settlement_trade_amount", "刷卡、扫码要写交易金额；单项收费不写。", "A card or QR payment needs its amount; a fee by itself has none.")
	noteNoTerminal = fault.New(fault.NotFound, "settlement_terminal_unknown", "这台终端没有在这里签过价目单，没有比。", "No price sheet of this terminal was signed here; it was not compared.")
)

// settlementItems are the words of the sheet for what was charged; the code of a sheet's own fee does as well.
var settlementItems = map[string]string{"借记卡": agreement.CardDebit, "贷记卡": agreement.CardCredit, "扫码": agreement.CardQR, "境外卡": agreement.CardForeign,
	"押金": agreement.ItemDeposit, "激活费": agreement.ItemActivation, "流量费": agreement.ItemData, "服务费": agreement.ItemService, "每笔服务费": agreement.ItemPerTrade,
	"最低消费": agreement.ItemMinimum, "退机费": agreement.ItemExit, "维修费": agreement.ItemRepair, "其他": agreement.ItemOther}

func settlementItem(cell string) string {
	if code, ok := settlementItems[cell]; ok {
		return code
	}
	return cell
}

var settlementSheet = sheet{file: settlementFile, columns: []column{must(columnReference, isID), must(columnMerchant, isMID), must(columnTerminal, isID), must(columnAt, isMoment),
	must(columnItem, format(func(v string) error {
		if (agreement.SettlementLine{At: "2026-01-01T00:00:00Z", Item: settlementItem(v), Reference: "r"}).Validate() != nil {
			return errCellUnknown
		}
		return nil
	})), may(columnTrade, isNumber), must(columnTaken, isNumber)}}

// SettlementRequest is a settlement file that is laid against the sheets.
type SettlementRequest struct {
	Open func() (io.ReadCloser, error)
	Dry  bool                          // compare, and keep nothing
	Tell func(sheet string, lines int) // hears of progress
}

// SettlementResult is what came of it.
type SettlementResult struct {
	Lines, Compared int
	Differences     []Difference
	Problems, Notes []Problem
	More            int // problems that are not listed
}

// Difference is a line that took more than was signed.
type Difference struct {
	store.SettlementLine
	Line int        // of the file, 0 where it comes from none
	Text fault.Text // the rule that it breaks
}

// CompareSettlement lays an acquirer's settlement against the sheets that its merchants signed, and keeps what took
// more. Only sound files are taken, whole; the same file again changes nothing. Lines of terminals without a sheet
// here are told apart as not compared. Faults: access_denied, import_problems.
func (a *App) CompareSettlement(ctx context.Context, actor Actor, in SettlementRequest) (SettlementResult, error) {
	if err := access.Require(access.Role(actor.Role), access.CompareCharges, access.OwnOrganisation); err != nil {
		return SettlementResult{}, err
	}
	b := &book{rows: map[string][]Row{}, numbers: map[string][]int{}, keys: map[string]map[string]bool{}}
	sum := sha256.New()
	sum.Write([]byte(actor.Organisation + "\x00"))
	b.read(settlementSheet, func(string) (io.ReadCloser, error) {
		file, err := in.Open()
		if err != nil {
			return nil, err
		}
		return struct {
			io.Reader
			io.Closer
		}{io.TeeReader(file, sum), file}, nil
	})
	if len(b.problems) == 0 {
		b.check(settlementSheet)
	}
	s := &settling{app: a, ctx: ctx, org: actor.Organisation, book: b, shops: map[string][]terminalDeal{}}
	if len(b.problems) == 0 {
		s.parse()
	}
	if len(b.problems) == 0 {
		in.Tell(settlementFile, len(s.lines))
		if err := a.Store.Snapshot(ctx, s.compare); err != nil {
			return SettlementResult{}, err
		}
	}
	result := SettlementResult{Lines: len(s.lines), Compared: s.compared, Differences: s.differing, Problems: b.problems, Notes: b.notes, More: b.more}
	if len(b.problems) > 0 {
		return SettlementResult{Problems: b.problems, Notes: b.notes, More: b.more}, errSheet
	}
	if in.Dry {
		return result, nil
	}
	f := store.SettlementFile{ID: hex.EncodeToString(sum.Sum(nil)), Org: actor.Organisation, MadeBy: actor.Person, MadeAt: store.At(a.Now()), Lines: int64(result.Lines),
		Compared: int64(result.Compared), Differing: int64(len(result.Differences))}
	return result, a.Store.Write(ctx, func(tx *store.Tx) error { return s.keep(tx, f) })
}

// settling is one settlement on its way.
type settling struct {
	app       *App
	ctx       context.Context
	tx        *store.Tx
	org       string
	code      string // under which the acquirer's terminals are bound
	book      *book
	lines     []settledLine
	shops     map[string][]terminalDeal // by merchant
	kept      []store.SettlementLine    // to be written
	compared  int
	differing []Difference
}

type settledLine struct {
	agreement.SettlementLine
	number             int
	merchant, terminal string // codes
}

// terminalDeal is a signed sheet and the terminal code of its order.
type terminalDeal struct {
	terminal string
	agreement.Deal
}

func (s *settling) parse() {
	for i, row := range s.book.rows[settlementFile] {
		l := settledLine{number: s.book.numbers[settlementFile][i], merchant: row[columnMerchant], terminal: row[columnTerminal],
			SettlementLine: agreement.SettlementLine{At: statement.Time(row[columnAt]), Item: settlementItem(row[columnItem]), Reference: row[columnReference]}}
		if card := agreement.IsCard(l.Item); card != (row[columnTrade] != "") {
			s.book.complain(settlementFile, l.number, columnTrade, errLineTrade)
			continue
		}
		l.TradeFen, _ = strconv.ParseInt(row[columnTrade], 10, 64) // isNumber has parsed both, or there is none
		l.TakenFen, _ = strconv.ParseInt(row[columnTaken], 10, 64)
		if err := l.Validate(); err != nil {
			s.book.complain(settlementFile, l.number, map[string]string{"trade_fen": columnTrade, "taken_fen": columnTaken}[fault.Of(err).Where], err)
			continue
		}
		s.lines = append(s.lines, l)
	}
}

// compare judges terminal by terminal.
func (s *settling) compare(tx *store.Tx) error {
	s.tx = tx
	var err error
	if s.code, err = acquirerCode(s.ctx, tx, s.org); err != nil {
		return err
	}
	groups := map[[2]string][]settledLine{}
	var order [][2]string
	for _, l := range s.lines {
		key := [2]string{l.merchant, l.terminal}
		if groups[key] == nil {
			order = append(order, key)
		}
		groups[key] = append(groups[key], l)
	}
	for _, key := range order {
		if err := s.terminal(key[0], key[1], groups[key]); err != nil {
			return err
		}
	}
	slices.SortFunc(s.differing, func(a, b Difference) int { return a.Line - b.Line })
	return nil
}

// terminal judges the lines of one terminal, with what earlier files said of its fees.
func (s *settling) terminal(merchantCode, terminal string, lines []settledLine) error {
	bound, err := s.bound(merchantCode, terminal)
	if err != nil {
		return err
	}
	deals, err := s.deals(bound.Merchant, terminal)
	if err != nil {
		return err
	}
	if len(deals) == 0 {
		for _, l := range lines {
			s.book.note(settlementFile, l.number, columnTerminal, noteNoTerminal)
		}
		return nil
	}
	s.compared += len(lines)
	return s.judge(bound, terminal, deals, lines)
}

// bound finds the binding of a terminal code whose merchant has this code, the zero value for none.
func (s *settling) bound(merchantCode, terminal string) (store.Binding, error) {
	list, err := s.tx.BindingsOfTerminal(s.ctx, s.code, terminal, maxPage)
	if err != nil || s.code == "" {
		return store.Binding{}, err
	}
	var best store.Binding
	for _, b := range list {
		m, err := s.tx.Merchant(s.ctx, b.Merchant)
		if fault.KindOf(err) == fault.NotFound {
			continue
		}
		if err != nil {
			return store.Binding{}, err
		}
		doc, err := docOf(m.Doc)
		if err != nil {
			return store.Binding{}, err
		}
		if doc["商户编码"] == merchantCode && m.Org == s.org && b.SinceAt >= best.SinceAt {
			best = b
		}
	}
	return best, nil
}

// deals are the sheets that a merchant and this acquirer both signed for a terminal.
func (s *settling) deals(merchant, terminal string) ([]agreement.Deal, error) {
	if merchant == "" {
		return nil, nil
	}
	all, known := s.shops[merchant]
	if !known {
		var err error
		if all, err = s.dealsOfMerchant(merchant); err != nil {
			return nil, err
		}
		s.shops[merchant] = all
	}
	var out []agreement.Deal
	for _, d := range all {
		if d.terminal == terminal {
			out = append(out, d.Deal)
		}
	}
	return out, nil
}

// DepositHeld says what was laid down for the terminal that a visit takes away, by the newest sheet with a deposit that
// merchant and acquirer both signed for it, and when it comes back; 0 for none. Fault: visit_not_found.
func (a *App) DepositHeld(ctx context.Context, actor Actor, visitID string) (fen int64, conditions []string, err error) {
	if err := a.maySee(ctx, actor, visitID, access.ReadVisit); err != nil {
		return 0, nil, err
	}
	standing, err := a.visitStanding(ctx, visitID)
	if err != nil {
		return 0, nil, err
	}
	o := standing.order
	err = a.Store.Read(ctx, func(tx *store.Tx) error {
		s := &settling{app: a, ctx: ctx, tx: tx, org: o.Acquirer, shops: map[string][]terminalDeal{}}
		deals, err := s.deals(o.Merchant, o.Terminal)
		var since statement.Time
		for _, d := range deals {
			if held, when := d.Sheet.Deposit(); held > 0 && d.Since >= since {
				fen, conditions, since = held, when, d.Since
			}
		}
		return err
	})
	return fen, conditions, err
}

func (s *settling) dealsOfMerchant(merchant string) (out []terminalDeal, err error) {
	for cursor := ""; ; {
		list, next, err := s.tx.ListOrders(s.ctx, store.OrderFilter{Merchant: merchant, Org: s.org}, cursor, mostOrders)
		if err != nil {
			return nil, err
		}
		for _, o := range list {
			row := OrderRow{Order: o}
			if o.State == OrderPlanned {
				continue
			}
			if err := s.app.agreements(s.ctx, s.tx, &row); err != nil {
				return nil, err
			}
			if !row.Agreed() {
				continue
			}
			booked, err := s.app.booked(s.ctx, s.tx, o.ID)
			if err != nil {
				return nil, err
			}
			out = append(out, terminalDeal{booked.Terminal, agreement.Deal{Sheet: row.Accept.Sheet, Since: max(row.Offer.At, row.Accept.At)}})
		}
		if cursor = next; next == "" {
			return out, nil
		}
	}
}

// booked is the order as its acquirer signed it.
func (a *App) booked(ctx context.Context, tx *store.Tx, order string) (o visit.Order, err error) {
	claims, err := a.gather(ctx, tx).stream(visit.StreamOrder, order)
	for _, c := range claims {
		if c.Type == visit.TypeOrder && err == nil {
			err = c.UntrustedBody(&o)
		}
	}
	return o, err
}

// mostKept bounds the earlier lines of one terminal that its new ones are judged with.
const mostKept = 5000

func (s *settling) judge(bound store.Binding, terminal string, deals []agreement.Deal, lines []settledLine) error {
	rows, err := s.tx.SettlementLinesOfTerminal(s.ctx, s.org, bound.Merchant, terminal, mostKept)
	if err != nil {
		return err
	}
	numbers := make([]int, len(rows)) // lines of the file; 0 for those of earlier ones
	for _, l := range lines {
		row := store.SettlementLine{ID: s.lineID(l), Org: s.org, Merchant: bound.Merchant, Terminal: terminal, Visit: bound.Visit, Item: l.Item, Reference: l.Reference,
			ChargedAt: at(l.At), TradeFen: l.TradeFen, TakenFen: l.TakenFen}
		known, err := s.tx.SettlementLineByReference(s.ctx, s.org, l.Reference, l.Item)
		if err != nil && fault.KindOf(err) != fault.NotFound {
			return err
		}
		if err == nil {
			if known.ID != row.ID || known.Terminal != terminal || known.Merchant != row.Merchant || known.TradeFen != row.TradeFen || known.TakenFen != row.TakenFen {
				s.book.complain(settlementFile, l.number, columnReference, errLineChanged)
			} else if i := slices.IndexFunc(rows, func(r store.SettlementLine) bool { return r.ID == row.ID }); i >= 0 {
				numbers[i] = l.number
			}
			continue
		}
		rows, numbers = append(rows, row), append(numbers, l.number)
	}
	s.ask(deals, rows, numbers)
	return nil
}

// ask puts all lines of a terminal to the rules, and keeps what is new or is judged otherwise than before.
func (s *settling) ask(deals []agreement.Deal, rows []store.SettlementLine, numbers []int) {
	before := slices.Clone(rows)
	judged := make([]agreement.SettlementLine, len(rows))
	for i, r := range rows {
		judged[i] = agreement.SettlementLine{At: statement.At(r.ChargedAt.Time()), Item: r.Item, TradeFen: r.TradeFen, TakenFen: r.TakenFen, Reference: r.Reference}
		rows[i].Code, rows[i].SignedFen, rows[i].SignedPpm, rows[i].TakenPpm = "", 0, 0, 0
	}
	for _, d := range agreement.Settle(deals, judged) {
		r := &rows[d.Index]
		r.Code, r.SignedFen, r.SignedPpm, r.TakenPpm = d.Code, d.SignedFen, d.SignedPPM, d.TakenPPM
		if numbers[d.Index] > 0 {
			s.differing = append(s.differing, Difference{SettlementLine: *r, Line: numbers[d.Index], Text: d.Text})
		}
	}
	for i, r := range rows {
		if fresh := r.File == ""; fresh && (r.Code != "" || !agreement.IsCard(r.Item)) || !fresh && r != before[i] {
			s.kept = append(s.kept, r)
		}
	}
}

// lineID sorts by time and names one line for good.
func (s *settling) lineID(l settledLine) string {
	sum := sha256.Sum256([]byte(s.org + "\x00" + l.Item + "\x00" + l.Reference))
	return fmt.Sprintf("%013d-%s", int64(at(l.At)), hex.EncodeToString(sum[:16]))
}

// at is a time that was parsed before.
func at(t statement.Time) store.Instant {
	parsed, _ := t.Parse()
	return store.At(parsed)
}

// keep writes what is to be kept, and queues the platform's word to each visit whose terminal took more.
func (s *settling) keep(tx *store.Tx, f store.SettlementFile) error {
	if err := tx.PutSettlementFile(s.ctx, f); err != nil {
		return err
	}
	told := map[string]bool{}
	for _, l := range s.kept {
		if l.File == "" {
			l.File = f.ID
			if l.Code != "" && !told[l.Visit] {
				told[l.Visit] = true
				if _, err := tx.EnqueueJob(s.ctx, JobSettlement, l.Visit+"#"+f.ID, []byte(l.Visit), s.app.Now(), s.app.Now(), 0); err != nil {
					return err
				}
			}
		}
		if err := tx.PutSettlementLine(s.ctx, l); err != nil {
			return err
		}
	}
	return nil
}
