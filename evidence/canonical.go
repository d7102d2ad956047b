package evidence

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/menshen-project/menshen/internal/statement"
)

// canonicalEntries is statement.Canonical of entries, which are nearly all of a bundle, in one pass. Whatever
// JSON would escape in other ways than these is left to that function. A test holds the two together.
func canonicalEntries(entries []Entry) ([]byte, error) {
	if entries == nil {
		return statement.Canonical(entries)
	}
	size := 2
	for _, e := range entries {
		size += len(e.Event) + len(e.Statement) + len(e.Salt) + len(e.Day) + len(e.Province) + len(e.Receipt) + 128
	}
	out := append(make([]byte, 0, size), '[')
	for i, e := range entries {
		if i > 0 {
			out = append(out, ',')
		}
		for j, s := range [...]string{e.Event, e.Statement, e.Salt, e.Day, e.Province, e.Receipt} {
			if !plainText(s) {
				return statement.Canonical(entries)
			}
			out = append(out, entryNames[j]...)
			out = appendText(out, s)
		}
		out = append(out, '}')
	}
	return append(out, ']'), nil
}

// entryNames are what precedes an entry's values.
var entryNames = [...]string{`{"event":`, `,"statement":`, `,"salt":`, `,"day":`, `,"province":`, `,"receipt":`}

// plainText says whether nothing but line ends has to be escaped. The em dash that begins a signature line is
// the one other rune that is not ASCII.
func plainText(s string) bool {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\n' || c >= ' ' && c < utf8.RuneSelf-1 && c != '"' && c != '\\':
		case strings.HasPrefix(s[i:], "—"):
			i += len("—") - 1
		default:
			return false
		}
	}
	return true
}

func appendText(out []byte, s string) []byte {
	out = append(out, '"')
	for {
		line, rest, more := strings.Cut(s, "\n")
		out = append(out, line...)
		if !more {
			return append(out, '"')
		}
		out, s = append(out, '\\', 'n'), rest
	}
}

// CanonicalBytes is statement.Canonical of a bundle, made faster.
func (b *Bundle) CanonicalBytes() ([]byte, error) {
	entries, errE := canonicalEntries(b.Entries)
	frame := *b
	frame.Entries = []Entry{}
	around, err := statement.Canonical(frame)
	before, after, _ := bytes.Cut(around, []byte(`"entries":[]`)) // within a string its quotes would be escaped
	return slices.Concat(before, []byte(`"entries":`), entries, after), errors.Join(errE, err)
}
