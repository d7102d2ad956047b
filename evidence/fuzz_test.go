package evidence_test

import (
	"bytes"
	"testing"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/statement"
)

// small is a bundle of one entry, for the fuzzer to start from: the honest one is too long to mutate.
func small(tb testing.TB) []byte {
	tb.Helper()
	b := install(tb).opened(tb)
	b.Entries, b.Openings = b.Entries[:1], b.Openings[:1]
	data, err := b.Bytes()
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

// FuzzOpen: what opens is written the same again, and nothing but the honest bundle is accepted.
func FuzzOpen(f *testing.F) {
	f.Add(small(f))
	f.Add([]byte(`{"format":"menshen-bundle-v1","visit":"v1","entries":[],"openings":[],"closing":""}`))
	f.Add([]byte(`{"format":"menshen-bundle-v1","visit":"","entries":[{"event":"e30=","statement":"e30=","salt":"","day":"","province":"","receipt":""}],"openings":[{"kind":"position","salt":"AAAAAAAAAAAAAAAAAAAAAA==","value":"+0/+0"}],"closing":"e30="}`))
	p := install(f)
	reader := evidence.NewReader(p.play.Trust)
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := evidence.Open(data)
		if err != nil {
			return
		}
		again, err := b.Bytes()
		if err != nil || !bytes.Equal(again, data) {
			t.Fatalf("two forms: %v", err)
		}
		if r := reader.Verify(b); r.Accepted() && !bytes.Equal(data, p.bundle) {
			t.Fatal("accepted")
		}
		if r := reader.Judge(evidence.Dossier{Visit: b.Visit, Entries: b.Entries, Openings: b.Openings, LogSize: 1000}, "live", p.play.Now()); r.Granted {
			t.Fatal("granted")
		}
		_, _ = evidence.Commitments(b.Entries)
	})
}

// FuzzParseTrust: what is read is written the same again, and a file that was read has a log, a quorum
// and a key for lists.
func FuzzParseTrust(f *testing.F) {
	honest := install(f).play.Trust
	f.Add(trustBytes(f, honest.File()))
	f.Add([]byte(`{}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		trust, err := evidence.ParseTrust(data)
		if err != nil {
			if trust.OK() {
				t.Fatal("refused and trusted")
			}
			return
		}
		file := trust.File()
		again, err := statement.Canonical(file)
		if err != nil || !bytes.Equal(again, data) {
			t.Fatalf("two forms: %v", err)
		}
		if file.Quorum < 1 || file.Quorum > len(file.Witnesses) || file.Publisher == "" || trust.Fingerprint() != statement.Digest(data) {
			t.Fatalf("%+v", file)
		}
	})
}
