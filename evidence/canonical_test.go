package evidence

import (
	"bytes"
	"testing"

	"github.com/menshen-project/menshen/internal/statement"
)

// formsAgree holds the fast form to the general one.
func formsAgree(t *testing.T, b *Bundle) {
	t.Helper()
	fast, errF := b.CanonicalBytes()
	want, errW := statement.Canonical(b)
	if !bytes.Equal(fast, want) || (errF == nil) != (errW == nil) {
		t.Errorf("fast %q %v, in general %q %v", fast, errF, want, errW)
	}
	fast, errF = canonicalEntries(b.Entries)
	want, errW = statement.Canonical(b.Entries)
	if !bytes.Equal(fast, want) || (errF == nil) != (errW == nil) {
		t.Errorf("entries: fast %q %v, in general %q %v", fast, errF, want, errW)
	}
}

func TestTheFastFormIsTheForm(t *testing.T) {
	formsAgree(t, &Bundle{})
	formsAgree(t, &Bundle{Entries: []Entry{}})
	for _, s := range []string{"", "plain", "two\nlines\n", "\n", "\n\n", "— bank sig\n", "a—", "“", "\xe2\x80", "\xff", "\u2028", "\t", "\r", "\"", `\`, "<&>", "\x7f", "\x00", `"entries":[]`, "中"} {
		formsAgree(t, &Bundle{Format: s, Visit: s, Closing: s, Openings: []statement.Opening{{Kind: s}}, Entries: []Entry{{Event: s}, {Receipt: s}, {Event: s, Statement: s, Salt: s, Day: s, Province: s, Receipt: s}}})
	}
}

func FuzzTheFastFormIsTheForm(f *testing.F) {
	f.Add("event", "receipt\n\n— log sig\n")
	f.Fuzz(func(t *testing.T, event, receipt string) {
		formsAgree(t, &Bundle{Visit: event, Entries: []Entry{{Event: event, Receipt: receipt}, {Receipt: event}}})
	})
}
