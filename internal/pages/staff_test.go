package pages

import (
	"bytes"
	"encoding/csv"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/visit"
)

// What a spreadsheet would run stays a text; what it would not is left alone.
func TestExportedCellsAreNoFormulas(t *testing.T) {
	for in, want := range map[string]string{"=1+1": "'=1+1", "+86": "'+86", "-1": "'-1", "@SUM(A1)": "'@SUM(A1)", "\t=1": "'\t=1", "\r=1": "'\r=1", "＝1": "'＝1", "o-1": "o-1", "": "", "门": "门",
		" =1": " '=1", "\u00a0+1": "\u00a0'+1", "\ufeff=1": "\ufeff'=1", "\u200b@x": "\u200b'@x", "a;=1": "a;'=1", "a;\"=1": "a;\"'=1", "a\n=1": "a\n'=1", "a; 2026-01-01; b": "a; 2026-01-01; b", "a=b-c": "a=b-c"} {
		if got := plainCell(in); got != want {
			t.Errorf("%q: %q", in, got)
		}
	}
	var b bytes.Buffer
	if err := writeTable(&b, []string{"a", "b", "c"}, [][]string{{"v1", `=cmd|"x"`, "a\"b,c\n"}}); err != nil {
		t.Fatal(err)
	}
	text, marked := strings.CutPrefix(b.String(), "\ufeff")
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil || !marked || len(rows) != 2 || rows[1][1] != `'=cmd|"x"` || rows[1][2] != "a\"b,c\n" {
		t.Errorf("%q, %v", rows, err)
	}
}

// A dispatcher opens the board's file and reads what the board says, in his language: the shop by its name, who must act and
// since when. A program reads the same row by its ids.
func TestABoardsFileIsForAPerson(t *testing.T) {
	at := time.Date(2026, 11, 28, 18, 30, 0, 0, time.UTC)
	row := app.BoardRow{Visit: store.Visit{ID: "v1", OrderID: "o-1", Org: "acq", Provider: "svc", Merchant: "wei", Shop: "wei-1", Technician: "lan", Kind: "install", State: "booked", UpdatedAt: store.At(at)},
		ShopName: "魏记馄饨", Turn: visit.RoleMerchant, Window: app.Window{From: at, Until: at.Add(time.Hour)}}
	for lang, want := range map[string][2]string{
		zh: {"到哪一步,办什么,店,该谁动,最近有动静,约定从,约定到,", "魏记馄饨,店主,2026-11-29 02:30,2026-11-29 02:30,2026-11-29 03:30,lan,"},
		en: {"State,What for,Shop,Whose turn,Last recorded,From,Until,", "魏记馄饨,merchant,2026-11-29 02:30,2026-11-29 02:30,2026-11-29 03:30,lan,"},
	} {
		p := &page{lang: lang}
		var b bytes.Buffer
		if err := p.writeCSV(&b, [][]string{sheetRow(p, row)}); err != nil {
			t.Fatal(err)
		}
		if got := b.String(); !strings.Contains(got, want[0]) || !strings.Contains(got, want[1]) || !strings.HasSuffix(got, ",o-1,v1,acq,svc,wei,wei-1\r\n") {
			t.Errorf("%s", got)
		}
		for _, key := range sheetColumns {
			if p.t(key) == key {
				t.Errorf("%s has no words", key)
			}
		}
	}
	if got := exportRow(nil, row); len(got) != len(exportColumns) || len(sheetRow(&page{}, row)) != len(sheetColumns) || got[13] != "魏记馄饨" || got[14] != "merchant" {
		t.Errorf("%v", got)
	}
	row.ShopName = ""
	if got := sheetRow(&page{}, row)[2]; got != "wei-1" {
		t.Errorf("a shop without a name: %s", got)
	}
}

// A list's address says the same after a round; what it cannot say is left out.
func TestABoardsAddress(t *testing.T) {
	for in, want := range map[string]string{
		"": "/staff/visits", "day=today&stage=booked&kind=install&frozen=1&q=o-1&open=v1": "/staff/visits?day=today&frozen=1&kind=install&open=v1&q=o-1&stage=booked",
		"day=yesterday&stage=king&kind=x&frozen=yes&open=../..": "/staff/visits", "day=2026-11-28": "/staff/visits?day=2026-11-28",
	} {
		values, err := url.ParseQuery(in)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(boardQuery(values).href(boardPath)); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
	if q := boardQuery(url.Values{"q": {"张三"}}); q.Sound || q.Search != "" {
		t.Errorf("%+v", q)
	}
}
