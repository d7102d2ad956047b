package pages

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"github.com/menshen-project/menshen/internal/access"
	"github.com/menshen-project/menshen/internal/agreement"
	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/store"
)

const (
	settlementsPath = "/staff/settlements"
	settlementName  = "settlement.csv"
)

// SettlementsView is what was charged beyond the sheets, and the files that say so.
type SettlementsView struct {
	All   bool // settled ones too
	After string
	Rows  []store.SettlementLine
	Next  string
	Files []store.SettlementFile
	May   bool // upload and settle
}

// href is the address of the list, or of its file, with other terms.
func (v SettlementsView) href(path, after string, all bool) templ.SafeURL {
	q := url.Values{}
	if all {
		q.Set("all", "1")
	}
	if after != "" {
		q.Set("after", after)
	}
	u := url.URL{Path: path, RawQuery: q.Encode()}
	return templ.SafeURL(u.String())
}

func (s *Server) settlements(w http.ResponseWriter, r *http.Request) error {
	p, err := s.ofAcquirer(w, r)
	if err != nil {
		return err
	}
	v := SettlementsView{All: r.URL.Query().Get("all") == "1", After: listQueryOf(r.URL.Query()).After, May: mayCompare(p)}
	if v.Rows, v.Next, err = s.Desk.App.Differences(r.Context(), actorOf(p.viewer), !v.All, v.After, rowsPerPage); err != nil {
		return err
	}
	if v.Files, _, err = s.Desk.App.Settlements(r.Context(), actorOf(p.viewer), "", rowsPerPage); err != nil {
		return err
	}
	allow(w, needs{api: true})
	return s.show(r.Context(), w, http.StatusOK, settlementsPage(p, v))
}

func mayCompare(p *page) bool {
	return access.Decide(access.Role(p.viewer.Role), access.CompareCharges, access.OwnOrganisation).Allowed()
}

func (s *Server) settlementsCSV(w http.ResponseWriter, r *http.Request) error {
	p, err := s.ofAcquirer(w, r)
	if err != nil {
		return err
	}
	all, cursor, rows := r.URL.Query().Get("all") == "1", "", [][]string{}
	for len(rows) < mostExported {
		list, next, err := s.Desk.App.Differences(r.Context(), actorOf(p.viewer), !all, cursor, 0)
		if err != nil {
			return err
		}
		for _, d := range list {
			rows = append(rows, []string{d.Reference, iso(d.ChargedAt.Time()), d.Merchant, d.Terminal, d.Item, fen(d.TradeFen), fen(d.TakenFen), fen(d.SignedFen), fen(d.SignedPpm), fen(d.TakenPpm), fen(beyond(d)), d.Code, d.Outcome})
		}
		if cursor = next; next == "" {
			break
		}
	}
	attachCSV(w, "differences")
	return writeTable(w, []string{"reference", "charged_at", "merchant", "terminal", "item", "trade_fen", "taken_fen", "signed_fen", "signed_rate_ppm", "taken_rate_ppm", "beyond_fen", "rule", "outcome"}, rows)
}

func fen(n int64) string { return strconv.FormatInt(n, 10) }

func (s *Server) settlementTemplate(w http.ResponseWriter, r *http.Request) error {
	if _, err := s.ofAcquirer(w, r); err != nil {
		return err
	}
	table, _, err := app.SheetTemplate(settlementName)
	if err != nil {
		return err
	}
	attachCSV(w, "settlement")
	_, err = w.Write(table)
	return err
}

// settleDifference notes how one was set right.
func (s *Server) settleDifference(w http.ResponseWriter, r *http.Request) error {
	p, err := s.ofAcquirer(w, r)
	if err != nil {
		return err
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	return s.done(w, r, settlementsPath, s.Desk.App.SettleDifference(r.Context(), actorOf(p.viewer), r.PathValue("id"), r.PostFormValue("outcome")))
}

// uploadSettlement compares one file and, unless it is a dry run, keeps what it found. It answers as upload does.
func (s *Server) uploadSettlement(w http.ResponseWriter, r *http.Request) error {
	p, err := s.ofAcquirer(w, r)
	if err != nil {
		return err
	}
	dry := r.URL.Query().Get("dry") != "0"
	file, err := readOneFile(w, r)
	w.Header().Set("Content-Type", "application/x-ndjson")
	out, flush := json.NewEncoder(w), http.NewResponseController(w)
	tell := func(l importLine) {
		_ = out.Encode(l) // as in upload
		_ = flush.Flush()
	}
	var done app.SettlementResult
	if err == nil {
		done, err = s.Desk.App.CompareSettlement(r.Context(), actorOf(p.viewer), app.SettlementRequest{Dry: dry, Tell: func(sheet string, lines int) { tell(importLine{Sheet: sheet, Lines: lines}) },
			Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(file)), nil }})
	}
	if err != nil && fault.CodeOf(err) != "import_problems" {
		s.tellFault(tell, err)
		return nil
	}
	answer := importLine{Done: true, Dry: dry, Problems: p.importNotes(done.Problems), More: done.More}
	if err == nil {
		answer.Summary = p.compared(done)
	}
	for _, d := range done.Differences[:min(len(done.Differences), mostShown)] {
		answer.Notes = append(answer.Notes, importNote{Sheet: settlementName, Line: d.Line, Column: p.chargedFor(d.Item), Code: d.Code, Text: p.text(differs(d.SettlementLine))})
	}
	answer.Notes = append(answer.Notes, p.importNotes(done.Notes)...)
	tell(answer)
	return nil
}

// mostShown bounds the differences that the answer to an upload lists; the page has all that were kept.
const mostShown = 1000

// tellFault ends an answer of lines with why there is no result.
func (s *Server) tellFault(tell func(importLine), err error) {
	f := fault.Of(err)
	if f.Kind == fault.Internal || f.Kind == fault.Unavailable {
		s.Log.Error("an import failed", "code", f.Code, "error", err)
	}
	tell(importLine{Done: true, Fault: &problem{Code: f.Code, Zh: f.Text.Zh, En: f.Text.En}})
}

// readOneFile takes the one file of an upload into memory, whatever its name.
func readOneFile(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	r.Body = http.MaxBytesReader(w, r.Body, maxUpload+maxForm)
	parts, err := r.MultipartReader()
	if err != nil {
		return nil, errUpload.Because(err)
	}
	var out []byte
	for {
		part, err := parts.NextPart()
		if err == io.EOF && out != nil {
			return out, nil
		}
		if err != nil {
			return nil, errUpload.Because(err)
		}
		if part.FileName() == "" {
			continue
		}
		if out != nil {
			return nil, errUploadTwice
		}
		if out, err = io.ReadAll(io.LimitReader(part, maxUpload+1)); err != nil || len(out) > maxUpload {
			return nil, errUploadLarge.Because(err)
		}
	}
}

// compared sums up a comparison in the page's language.
func (p *page) compared(r app.SettlementResult) string {
	return strings.NewReplacer("{lines}", number(r.Lines), "{compared}", number(r.Compared), "{other}", number(r.Lines-r.Compared), "{n}", number(len(r.Differences))).Replace(p.t("settlement.found"))
}

// beyond is what of a charge was taken beyond what was signed, in fen.
func beyond(d store.SettlementLine) int64 {
	if d.Code == "rate_over_sheet" || d.Code == "charge_over_sheet" {
		return d.TakenFen - d.SignedFen
	}
	return d.TakenFen
}

// differs says in one sentence what was signed and what was taken.
func differs(d store.SettlementLine) Text {
	key, signed, taken := d.Code, yuan(d.SignedFen), yuan(d.TakenFen)
	switch {
	case d.Code == "rate_over_sheet" && d.TakenPpm > 0:
		signed, taken = percent(d.SignedPpm), percent(d.TakenPpm)
	case d.Code == "rate_over_sheet":
		key += ".cap"
	}
	t := put("difference."+key, "signed", signed)
	in := func(s string) string { return strings.ReplaceAll(s, "{taken}", taken) }
	return Text{Zh: in(t.Zh), En: in(t.En)}
}

// percent writes parts per million as per cent, with two places at least: 0.60%.
func percent(ppm int64) string {
	text := strconv.FormatFloat(float64(ppm)/10_000, 'f', 4, 64)
	return strings.TrimSuffix(strings.TrimSuffix(text, "0"), "0") + "%"
}

// chargedFor names what a line was charged for.
func (p *page) chargedFor(item string) string {
	if agreement.IsCard(item) {
		return p.term(cardWords, item)
	}
	kind, name, named := strings.Cut(item, ".")
	if named {
		return p.term(feeWords, kind) + " (" + name + ")"
	}
	return p.term(feeWords, kind)
}

// differenceLevel says how a difference stands.
func differenceLevel(d store.SettlementLine) string {
	if d.Outcome == "" {
		return LevelStop
	}
	return LevelOver
}
