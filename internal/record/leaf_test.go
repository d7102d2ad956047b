package record_test

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/record"
	"golang.org/x/mod/sumdb/tlog"
)

var salt = [16]byte{0: 1, 15: 0xff}

func leafOf(t testing.TB, event []byte) record.Leaf {
	t.Helper()
	l, err := record.LeafFor(event, salt, "2026-11-22", "31")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestLeaf(t *testing.T) {
	l := leafOf(t, []byte("event"))
	sum := sha256.Sum256([]byte("menshen-leaf-v1\x01" + strings.Repeat("\x00", 14) + "\xff" + "event"))
	want := "menshen-leaf/v1\n" + hex.EncodeToString(sum[:]) + "\n2026-11-22\n31\n"
	if got := string(l.Bytes()); got != want {
		t.Fatalf("leaf bytes %q, want %q", got, want)
	}
	got, err := record.ParseLeaf([]byte(want))
	if err != nil || got != l {
		t.Fatalf("ParseLeaf = %+v, %v", got, err)
	}
	if record.LeafHash([]byte(want)) != [32]byte(tlog.RecordHash([]byte(want))) {
		t.Fatal("leaf hash differs from another implementation's")
	}
}

func TestLeafRefuses(t *testing.T) {
	whole := string(leafOf(t, []byte("event")).Bytes())
	for _, c := range []struct {
		name, old, new, code string
	}{
		{"other version", "leaf/v1", "leaf/v2", "leaf_malformed"},
		{"line missing", "2026-11-22\n", "", "leaf_malformed"},
		{"line more", "31\n", "31\n\n", "leaf_malformed"},
		{"last newline missing", "31\n", "31", "leaf_malformed"},
		{"bytes after the end", "31\n", "31\n ", "leaf_malformed"},
		{"hash cut", "\n2026", "\b\n2026", "leaf_malformed"},
		{"day that never was", "2026-11-22", "2026-11-31", "leaf_day_malformed"},
		{"day without zeros", "2026-11-22", "2026-11-2", "leaf_day_malformed"},
		{"city instead of province", "\n31\n", "\n3101\n", "province_unknown"},
		{"line ends of another system", "\n31", "\r\n31", "leaf_day_malformed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if !strings.Contains(whole, c.old) {
				t.Fatal("test spoils nothing")
			}
			l, err := record.ParseLeaf([]byte(strings.Replace(whole, c.old, c.new, 1)))
			if got := fault.CodeOf(err); got != c.code || l != (record.Leaf{}) {
				t.Fatalf("ParseLeaf = %+v, code %q, want %q", l, got, c.code)
			}
		})
	}
	for _, c := range []struct {
		salt          [16]byte
		day, province string
		code          string
	}{
		{[16]byte{}, "2026-11-22", "31", "leaf_salt_missing"},
		{salt, "22.11.2026", "31", "leaf_day_malformed"},
		{salt, "2026-11-22", "99", "province_unknown"},
	} {
		if _, err := record.LeafFor([]byte("event"), c.salt, c.day, c.province); fault.CodeOf(err) != c.code {
			t.Fatalf("LeafFor(%x, %s, %s): %v, want %s", c.salt, c.day, c.province, err, c.code)
		}
	}
}

func FuzzParseLeaf(f *testing.F) {
	l, _ := record.LeafFor([]byte("event"), salt, "2026-11-22", "31")
	f.Add(l.Bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		l, err := record.ParseLeaf(data)
		if err == nil && string(l.Bytes()) != string(data) {
			t.Fatalf("%q has a second form", data)
		}
	})
}
