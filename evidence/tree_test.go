package evidence_test

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"testing"
)

// tree is a JSON value that keeps the order of its members, so that what is not spoiled stays as it is.
type tree struct {
	sort  byte // '{', '[' or 0 for a leaf
	names []string
	kids  []*tree
	leaf  string // a string, number or boolean as JSON writes it
}

func parseTree(tb testing.TB, data []byte) *tree {
	tb.Helper()
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	t, err := readTree(dec)
	if err != nil {
		tb.Fatal(err)
	}
	if string(t.bytes()) != string(data) {
		tb.Fatal("the tree does not write what it read")
	}
	return t
}

func readTree(dec *json.Decoder) (*tree, error) {
	tok, err := dec.Token()
	if err != nil {
		return nil, err
	}
	switch x := tok.(type) {
	case json.Delim:
		t := &tree{sort: byte(x)}
		for dec.More() {
			if t.sort == '{' {
				name, err := dec.Token()
				if err != nil {
					return nil, err
				}
				t.names = append(t.names, name.(string))
			}
			kid, err := readTree(dec)
			if err != nil {
				return nil, err
			}
			t.kids = append(t.kids, kid)
		}
		_, err := dec.Token()
		return t, err
	case string:
		return &tree{leaf: quoted(x)}, nil
	case json.Number:
		return &tree{leaf: x.String()}, nil
	default:
		return &tree{leaf: strconv.FormatBool(x.(bool))}, nil
	}
}

func quoted(s string) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(s) // a string always encodes
	return strings.TrimSuffix(b.String(), "\n")
}

func (t *tree) bytes() []byte {
	var b bytes.Buffer
	t.write(&b)
	return b.Bytes()
}

func (t *tree) write(b *bytes.Buffer) {
	if t.sort == 0 {
		b.WriteString(t.leaf)
		return
	}
	b.WriteByte(t.sort)
	for i, kid := range t.kids {
		if i > 0 {
			b.WriteByte(',')
		}
		if t.sort == '{' {
			b.WriteString(quoted(t.names[i]) + ":")
		}
		kid.write(b)
	}
	b.WriteByte(t.sort + 2) // } and ] follow { and [ by two
}

// spoil calls back with the tree's bytes after each single change to it: every value changed, dropped,
// doubled and exchanged with its neighbour, and one more added to every object and list. where names
// the change.
func (t *tree) spoil(call func(where string, data []byte)) {
	root := t
	var visit func(t *tree, path string)
	try := func(t *tree, how string, change func()) {
		before := *t
		before.names, before.kids = append([]string{}, t.names...), append([]*tree{}, t.kids...)
		change()
		call(how, root.bytes())
		*t = before
	}
	visit = func(t *tree, path string) {
		if t.sort == 0 {
			for i, leaf := range otherLeaves(t.leaf) {
				if leaf == t.leaf {
					continue
				}
				try(t, path+" changed "+strconv.Itoa(i+1), func() { t.leaf = leaf })
			}
			return
		}
		try(t, path+" with one more", func() { t.insert(len(t.kids), "spare", &tree{leaf: `"spare"`}) })
		for i, kid := range t.kids {
			at := path + "/" + t.name(i)
			try(t, at+" dropped", func() { t.remove(i) })
			try(t, at+" doubled", func() { t.insert(i, t.name(i), kid) })
			if i > 0 && string(t.kids[i-1].bytes()) != string(kid.bytes()) {
				try(t, at+" exchanged", func() { t.kids[i-1], t.kids[i] = t.kids[i], t.kids[i-1] })
			}
			visit(kid, at)
		}
	}
	visit(t, "")
}

func (t *tree) name(i int) string {
	if t.sort == '{' {
		return t.names[i]
	}
	return strconv.Itoa(i)
}

func (t *tree) remove(i int) {
	t.kids = append(t.kids[:i:i], t.kids[i+1:]...)
	if t.sort == '{' {
		t.names = append(t.names[:i:i], t.names[i+1:]...)
	}
}

func (t *tree) insert(i int, name string, kid *tree) {
	t.kids = append(t.kids[:i:i], append([]*tree{kid}, t.kids[i:]...)...)
	if t.sort == '{' {
		t.names = append(t.names[:i:i], append([]string{name}, t.names[i:]...)...)
	}
}

// otherLeaves are values near to a leaf: the smallest change, nothing at all, and another type.
func otherLeaves(leaf string) []string {
	switch leaf {
	case "true":
		return []string{"false", `"true"`}
	case "false":
		return []string{"true", "null"}
	case `""`:
		return []string{`"x"`, "null"}
	}
	if leaf[0] != '"' {
		return []string{leaf + "1", "0", `"` + leaf + `"`}
	}
	last := len(leaf) - 2
	turned := []byte(leaf)
	if turned[last]++; turned[last] >= 0x7f || turned[last] == '"' || turned[last] == '\\' {
		turned[last] = '0'
	}
	return []string{string(turned), `""`, leaf[:len(leaf)-1] + ` "`, "0"}
}
