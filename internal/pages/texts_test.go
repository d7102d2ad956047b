package pages

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/menshen-project/menshen/internal/credential"
	"github.com/menshen-project/menshen/internal/door"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/identifier"
)

// readText is a line of testdata/texts.json: what a camera reads or a person types where a kind of text is wanted,
// and the code that it ends in, "" where it is taken.
type readText struct {
	Name  string `json:"name"`
	Kind  string `json:"kind"`
	Text  string `json:"text"`
	Times int    `json:"times"` // Text so often; 0 is once
	Want  string `json:"want"`
	Link  bool   `json:"link"` // the pages say that it is a web address
}

func readTexts(t *testing.T) []readText {
	t.Helper()
	data, err := os.ReadFile("testdata/texts.json")
	if err != nil {
		t.Fatal(err)
	}
	var list []readText
	if err := json.Unmarshal(data, &list); err != nil {
		t.Fatal(err)
	}
	for i := range list {
		list[i].Text = strings.Repeat(list[i].Text, max(1, list[i].Times))
	}
	return list
}

// inGo is what the server says to a text.
func (r readText) inGo() string {
	var err error
	switch r.Kind {
	case "challenge":
		_, err = door.Parse(r.Text)
	case "answer":
		_, err = credential.UnpackAnswer(r.Text)
	case "code":
		_, err = credential.ParseCode(r.Text)
	case "parcel":
		err = identifier.CheckID(strings.Trim(r.Text, " \t\r\n"))
	default:
		return "no such kind"
	}
	return fault.CodeOf(err)
}

// inBrowser asks the pages' modules about many texts at once.
func inBrowser(t *testing.T, list []readText) (codes []string, links []bool) {
	t.Helper()
	var said [][2]any
	node(t, "texts_node.mjs", list, &said)
	if len(said) != len(list) {
		t.Fatalf("%d answers to %d texts", len(said), len(list))
	}
	for _, s := range said {
		code, _ := s[0].(string)
		link, _ := s[1].(bool)
		codes, links = append(codes, code), append(links, link)
	}
	return codes, links
}

// Every text of the table ends the same in Go and in the browser, and as the table says.
func TestEveryTextEndsTheSameOnBothSides(t *testing.T) {
	list, seen := readTexts(t), map[string]int{}
	codes, links := inBrowser(t, list)
	for i, r := range list {
		if got := r.inGo(); got != r.Want {
			t.Errorf("%s %s: Go says %q, want %q", r.Kind, r.Name, got, r.Want)
		}
		if codes[i] != r.Want {
			t.Errorf("%s %s: the browser says %q, want %q", r.Kind, r.Name, codes[i], r.Want)
		}
		if links[i] != r.Link || r.Link && r.Want == "" {
			t.Errorf("%s %s: a link %v, want %v", r.Kind, r.Name, links[i], r.Link)
		}
		seen[r.Kind]++
	}
	for _, kind := range []string{"challenge", "answer", "code", "parcel"} {
		if seen[kind] < 12 {
			t.Errorf("%d texts of kind %s", seen[kind], kind)
		}
	}
}

// intruders are put into every text of the table at every place of the shorter ones and at some of the others.
var intruders = []string{"\x00", "\n", " ", "\u00a0", "\u200b", "\u200d", "\u202e", "\ufeff", "\ufffd", "ſ", "ß", "ı", "K", "İ", "ﬅ", "Ａ", "ａ", "９", "～", "~", "－", "—", "–", "　",
	"e\u0301", "é", "门", "😀", "0", "o", "A", "=", "-", "+", "%", ":", "*", "\\", "\u0661"}

// What nobody thought of: each text with something put in, put over, or cut out. Whatever comes of it, both sides
// say the same.
func TestEveryTamperedTextEndsTheSameOnBothSides(t *testing.T) {
	var list []readText
	for _, r := range readTexts(t) {
		if len(r.Text) > 3000 {
			continue // refused for its length alone
		}
		runes := []rune(r.Text)
		step := 1 + len(runes)/12
		for at := 0; at <= len(runes); at += step {
			before, after := string(runes[:at]), string(runes[at:])
			over := string(runes[min(at+1, len(runes)):])
			list = append(list, readText{Name: fmt.Sprintf("%s, cut out at %d", r.Name, at), Kind: r.Kind, Text: before + over})
			for _, x := range intruders {
				list = append(list, readText{Name: fmt.Sprintf("%s, %q at %d", r.Name, x, at), Kind: r.Kind, Text: before + x + after},
					readText{Name: fmt.Sprintf("%s, %q over %d", r.Name, x, at), Kind: r.Kind, Text: before + x + over})
			}
		}
	}
	codes, links := inBrowser(t, list)
	taken := 0
	for i, r := range list {
		got := r.inGo()
		if got != codes[i] {
			t.Errorf("%s %s: Go says %q, the browser %q", r.Kind, r.Name, got, codes[i])
		}
		if got == "" {
			taken++
		}
		if got == "" && links[i] && r.Kind != "parcel" { // of a parcel they ask only for its number
			t.Errorf("%s %s: taken, and the pages call it a link", r.Kind, r.Name)
		}
	}
	t.Logf("%d texts, %d of them taken", len(list), taken)
}
