//go:build processes

package cli

import (
	"bytes"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/examples/city"
	"github.com/menshen-project/menshen/internal/identifier"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/visit"
)

// personal names the columns whose values are somebody's. Names and codes of institutions, providers,
// makers, schools and supervisors are public.
var personal = map[string][]string{
	"staff.csv":     {"姓名", "手机"},
	"merchants.csv": {"名称", "统一社会信用代码", "负责人", "负责人身份证号", "负责人手机", "结算账户"},
	"shops.csv":     {"店名", "地址", "位置"},
}

// madeUp are the values of the attacks' shops, which are not in the sheets.
var madeUp = []string{"示例小店", "示例路 1 号", "91310000MA19NUKJJ0", "6222020000000000000", "demonstration-1", scenario.PortraitMark, scenario.NewAddress}

// anyPosition is a position as ISO 6709 writes it, wherever it is.
var anyPosition = regexp.MustCompile(`[+-]\d{2}\.\d{4,6}/[+-]\d{3}\.\d{4,6}`)

// needle is a value to search for, and what it is.
type needle struct {
	value []byte
	what  string
}

// wanted is what is searched for: each value, and its plain digest, which whoever guesses can check.
func wanted(t *testing.T) []needle {
	t.Helper()
	var out []needle
	add := func(what, value string) {
		sum := sha256.Sum256([]byte(value))
		out = append(out, needle{[]byte(value), what}, needle{[]byte(hex.EncodeToString(sum[:])), "the plain digest of " + what})
	}
	for sheet, columns := range personal {
		rows, err := city.Rows(sheet)
		if err != nil {
			t.Fatal(err)
		}
		for i, row := range rows {
			for _, c := range columns {
				if row[c] == "" {
					t.Fatalf("%s has no %s in line %d", sheet, c, i+2)
				}
				add(fmt.Sprintf("%s of %s:%d", c, sheet, i+2), row[c])
			}
		}
	}
	for _, v := range madeUp {
		add("a made-up shop's value", v)
	}
	return out
}

// search looks for values in bytes, and in what base64 and JSON escapes in them hide.
type search struct {
	values []needle
	found  []string
}

var (
	coded   = regexp.MustCompile(`[A-Za-z0-9+/_-]{16,}`)
	escaped = regexp.MustCompile(`(?:\\u[0-9a-fA-F]{4})+`)
)

func (s *search) in(place string, data []byte, depth int) {
	for _, n := range s.values {
		if bytes.Contains(data, n.value) {
			s.found = append(s.found, place+": "+n.what)
		}
	}
	if p := anyPosition.Find(data); p != nil {
		s.found = append(s.found, place+": position")
	}
	if depth == 0 {
		return
	}
	for _, run := range escaped.FindAll(data, -1) {
		var plain string
		if json.Unmarshal([]byte(`"`+string(run)+`"`), &plain) == nil {
			s.in(place+" (escaped)", []byte(plain), 0)
		}
	}
	for _, run := range coded.FindAll(data, -1) {
		for _, code := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			if plain, err := code.DecodeString(string(run[:len(run)-len(run)%4])); err == nil {
				s.in(place+" (base64)", plain, depth-1)
			}
		}
	}
}

// nested is how deep signed bytes hide in base64: bundle, envelope, payload, and what is in it.
const nested = 4

// leaks searches everything that the parties keep, but for the sheets that came from outside.
func leaks(t *testing.T, work string, values []needle) []string {
	t.Helper()
	s := &search{values: values}
	files := 0
	err := filepath.WalkDir(work, func(path string, e fs.DirEntry, err error) error {
		if err != nil || path == filepath.Join(work, "city") {
			return orSkip(err)
		}
		if !e.Type().IsRegular() {
			return nil
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		files++
		name, err := filepath.Rel(work, path)
		s.in(name, data, nested)
		return err
	})
	if err != nil || files < 10 {
		t.Fatalf("%d files searched, %v", files, err)
	}
	s.tables(t, filepath.Join(work, "server", "menshen.db"))
	return s.found
}

func orSkip(err error) error {
	if err != nil {
		return err
	}
	return filepath.SkipDir
}

// tables searches every value of every table but the vault's: a value may be cut in two by a page's
// end.
func (s *search) tables(t *testing.T, path string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	names, err := column(db, "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'vault!_%' ESCAPE '!'")
	if err != nil || len(names) < 15 {
		t.Fatalf("tables %q, %v", names, err)
	}
	for _, name := range names {
		rows, err := db.Query("SELECT * FROM " + string(name))
		if err != nil {
			t.Fatal(err)
		}
		columns, _ := rows.Columns()
		for rows.Next() {
			cells := make([]sql.RawBytes, len(columns))
			into := make([]any, len(columns))
			for i := range cells {
				into[i] = &cells[i]
			}
			if err := rows.Scan(into...); err != nil {
				t.Fatal(err)
			}
			for i, c := range cells {
				s.in("table "+string(name)+"."+columns[i], c, nested)
			}
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
	}
}

func checkPrivacy(t *testing.T, work, out string, said []byte) {
	values := wanted(t)
	for _, l := range leaks(t, work, values) {
		t.Error(l)
	}
	s := &search{values: values}
	s.in("what the demonstration said", said, nested)
	for _, name := range []string{"trust.json", "attacks.json"} {
		data, err := os.ReadFile(filepath.Join(out, name))
		if err != nil {
			t.Fatal(err)
		}
		s.in(name, data, nested)
	}
	s.in("bundle.json", checkOpenings(t, filepath.Join(out, "bundle.json"), firstPlace), nested)
	place := firstPlace
	for _, k := range laterVisits {
		var moved []string
		if k.kind == visit.Relocation { // every visit after it is at the new place
			place, moved = scenario.NewPlace, []string{firstAddress, scenario.NewAddress}
		}
		name := "bundle-" + k.kind + ".json"
		s.in(name, checkOpenings(t, filepath.Join(out, name), place, moved...), nested)
	}
	for _, l := range s.found {
		t.Error(l)
	}
	checkSearch(t, work, values)
}

// firstPlace and firstAddress are where the demonstration's shop stands before it moves.
const (
	firstPlace   = "+31.95120/+120.25340"
	firstAddress = "江苏省明桥市南塘区柳叶巷7号"
)

// checkOpenings holds the merchant's bundle to positions of his own shop, and to its two addresses when it moved, which
// the gate compares then; it gives the rest of the bundle.
func checkOpenings(t *testing.T, path, place string, addresses ...string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b, err := evidence.Open(data)
	if err != nil {
		t.Fatal(err)
	}
	if len(b.Openings) == 0 {
		t.Error("the merchant's bundle opens nothing")
	}
	for _, o := range b.Openings {
		if own := o.Kind == evidence.KindPosition && isNear(t, o.Value, place) || o.Kind == evidence.KindAddress && slices.Contains(addresses, o.Value); !own {
			t.Errorf("%s opens %s to its merchant that is not its own", filepath.Base(path), o.Kind)
		}
	}
	b.Openings = nil
	rest, err := json.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	return rest
}

// isNear says whether a position is within about a hundred metres of a place.
func isNear(t *testing.T, position, place string) bool {
	t.Helper()
	want, err := identifier.ParsePosition(place)
	if err != nil {
		t.Fatal(err)
	}
	at, err := identifier.ParsePosition(position)
	return err == nil && math.Abs(at.Lat()-want.Lat()) <= 0.001 && math.Abs(at.Lon()-want.Lon()) <= 0.001
}

// checkSearch plants values as a careless server would leave them, and wants every one found.
func checkSearch(t *testing.T, work string, values []needle) {
	const phone, name = "15400000101", "魏安"
	for _, v := range []string{phone, name} {
		if !slices.ContainsFunc(values, func(n needle) bool { return string(n.value) == v }) {
			t.Fatal("the city has changed; plant other values")
		}
	}
	inner := base64.StdEncoding.EncodeToString([]byte(`{"holder":"` + name + `","at":"here"}`))
	outer := base64.StdEncoding.EncodeToString([]byte(`{"payload":"` + inner + `"}`))
	for file, text := range map[string]string{"logs/planted.log": `{"phone":"` + phone + `"}`, "host/planted": outer, "witness-assoc/planted": `"\u9b4f\u5b89"`} {
		if err := os.WriteFile(filepath.Join(work, file), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	db, err := sql.Open("sqlite", filepath.Join(work, "server", "menshen.db"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("INSERT INTO settings VALUES ('planted', ?)", []byte(phone)); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	all := strings.Join(leaks(t, work, values), "\n")
	for _, place := range []string{"logs/planted.log", "host/planted (base64) (base64)", "witness-assoc/planted (escaped)", "table settings.", "server/menshen.db"} {
		if !strings.Contains(all, place) {
			t.Errorf("a planted value was not found in %s:\n%s", place, all)
		}
	}
}
