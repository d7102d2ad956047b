//go:build attacks

package scenario

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/menshen-project/menshen/internal/statement"
)

// resigner is a venue in which one person lies in his own name: the n-th thing that is filed has one value of its
// body changed, and is signed again by the same key. Everybody else goes on honestly.
type resigner struct {
	*Ledger
	nth   int
	path  string
	filed int
	seen  func(nth int, f Filing, c statement.Claims)
}

func (r *resigner) File(ctx context.Context, by *Actor, f Filing) error {
	claims, err := statement.Parse(f.Envelope)
	if err != nil {
		return err
	}
	r.filed++
	if r.seen != nil {
		r.seen(r.filed, f, claims)
	}
	if r.filed == r.nth {
		var body any
		must(decodeNumbers(claims, &body))
		raw, err := json.Marshal(changedAt(body, "", r.path))
		must(err)
		f.Envelope, err = statement.Sign(by.Key, statement.Unsigned{Type: claims.Type, Subject: claims.Subject, Body: json.RawMessage(raw), Header: claims.Header})
		if err != nil {
			return err
		}
	}
	return r.Ledger.File(ctx, by, f)
}

func decodeNumbers(c statement.Claims, v any) error {
	var raw json.RawMessage
	if err := c.UntrustedBody(&raw); err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	return d.Decode(v)
}

// leavesOf lists the paths of every value in a body.
func leavesOf(v any, at string) (out []string) {
	switch v := v.(type) {
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			out = append(out, leavesOf(v[k], at+"."+k)...)
		}
	case []any:
		for i := range v {
			out = append(out, leavesOf(v[i], fmt.Sprintf("%s[%d]", at, i))...)
		}
	default:
		out = append(out, at)
	}
	return out
}

// changedAt is v with another value of the same kind at a path.
func changedAt(v any, at, path string) any {
	switch v := v.(type) {
	case map[string]any:
		for k := range v {
			v[k] = changedAt(v[k], at+"."+k, path)
		}
		return v
	case []any:
		for i := range v {
			v[i] = changedAt(v[i], fmt.Sprintf("%s[%d]", at, i), path)
		}
		return v
	case string, json.Number, bool:
		if at != path {
			return v
		}
		data, err := json.Marshal(v)
		must(err)
		d := json.NewDecoder(bytes.NewReader(data))
		d.UseNumber()
		token, err := d.Token()
		must(err)
		if s, ok := spanOf(data, 0, len(data), token); ok {
			return json.RawMessage(s.other)
		}
	}
	return v
}

// harmless reads which values may be let through, and why that gives nobody any power.
func harmless(t *testing.T) map[string]string { return reasons(t, "resigned.txt") }

func reasons(t *testing.T, name string) map[string]string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for line := range strings.Lines(string(data)) {
		name, why, _ := strings.Cut(strings.TrimSpace(line), ": ")
		out[name] = why
	}
	return out
}

// TestBodiesChangedByTheirOwnSigner: for every type that people file and every value in its body, the visit is
// played with that value changed and signed again by the same signer. It is refused, at once or later, or the visit
// closes and its bundle verifies. testdata/resigned.txt names each that closes and says why: a signer's own word, which
// nothing else contradicts and which gives nobody any power. What is not on the list must be refused.
func TestBodiesChangedByTheirOwnSigner(t *testing.T) {
	done, tried, refused, closed := map[string]bool{}, 0, 0, []string{}
	for kind := -1; kind < len(kindsAfter); kind++ {
		type lie struct {
			nth  int
			path string
			name string
		}
		var lies []lie
		p, l, scenes := ofKind(t, kind)
		p.Venue = &resigner{Ledger: l, seen: func(nth int, f Filing, c statement.Claims) {
			var body any
			must(decodeNumbers(c, &body))
			for _, path := range leavesOf(body, "") {
				name := strings.TrimPrefix(c.Type, "urn:menshen:") + path
				if !done[name] {
					done[name] = true
					lies = append(lies, lie{nth, path, name})
				}
			}
		}}
		if err := Run(t.Context(), scenes); err != nil {
			t.Fatal(err)
		}
		for i, lie := range lies {
			if !*full && i%8 != 0 {
				continue
			}
			tried++
			p, l, scenes := ofKind(t, kind)
			p.Venue = &resigner{Ledger: l, nth: lie.nth, path: lie.path}
			err := Run(t.Context(), scenes)
			if err == nil {
				var bundle []byte
				if bundle, err = l.Bundle(t.Context(), p.Cast.Merchant, p.ID); err == nil {
					_, err = Check(bundle, p.Trust)
				}
				if err != nil {
					t.Errorf("%s: the visit closed and its bundle does not verify: %v", lie.name, err)
				}
				closed = append(closed, lie.name)
				continue
			}
			if code := RefusalOf(err).Code; code == "" || code == "internal" {
				t.Errorf("%s: refused without a reason: %v", lie.name, err)
			}
			refused++
		}
	}
	for _, name := range closed {
		if harmless(t)[name] == "" {
			t.Errorf("%s, changed by its own signer, is let through, and testdata/resigned.txt does not say why", name)
		}
	}
	if *full {
		for name := range harmless(t) {
			if !slices.Contains(closed, name) {
				t.Errorf("%s is refused now: testdata/resigned.txt need not excuse it", name)
			}
		}
	}
	t.Logf("%d values changed and signed again by their own signers: %d refused, %d let through by name; unnamed 0", tried, refused, len(closed))
	if tried == 0 || refused == 0 {
		t.Error("nothing was tried")
	}
}
