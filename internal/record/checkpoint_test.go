package record_test

import (
	"bytes"
	"encoding/base64"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/record"
	"github.com/menshen-project/menshen/internal/record/recordtest"
	"github.com/menshen-project/menshen/internal/statement"
)

func at(t testing.TB, s statement.Time) time.Time {
	t.Helper()
	m, err := s.Parse()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// grown is a log of n leaves.
func grown(t testing.TB, n int) *recordtest.Log {
	t.Helper()
	log := witnessed()
	for range n {
		e := booked()
		e.Number = int(log.Size()) + 1
		log.Add(leafOf(t, e.Bytes()).Bytes())
	}
	return log
}

func TestCheckpoint(t *testing.T) {
	log := grown(t, 3)
	data := log.Checkpoint(3, at(t, noon))
	c, err := log.Policy().VerifyCheckpoint(data)
	if err != nil {
		t.Fatal(err)
	}
	if !c.OK() || c.Size() != 3 || c.RootHash() != log.Head(3).Root || c.Digest() != statement.Digest(data) {
		t.Fatalf("checkpoint %+v", c)
	}
	cosigned := c.Cosigned()
	for i, party := range []string{"association", "bank", "regulator"} {
		if len(cosigned) != 3 || cosigned[i].Party != party || !cosigned[i].Time.Equal(at(t, noon)) || cosigned[i].Signature == [64]byte{} {
			t.Fatalf("cosigned by %v, want %s at place %d", cosigned, party, i)
		}
	}
	c.Cosigned()[0].Party = "spoiled"
	if !slices.Equal(c.Cosigned(), cosigned) {
		t.Fatal("a reader can change what was verified")
	}
}

func TestEmptyLogHasACheckpoint(t *testing.T) {
	log := witnessed()
	if c, err := log.Policy().VerifyCheckpoint(log.Checkpoint(0, at(t, noon))); err != nil || c.Size() != 0 {
		t.Fatalf("empty log: %+v, %v", c, err)
	}
}

// lines gives text lines and signature lines of a checkpoint, to be put together otherwise.
func lines(data []byte) []string { return strings.SplitAfter(string(data), "\n") }

func TestCheckpointRefuses(t *testing.T) {
	log := grown(t, 3)
	other := recordtest.New("menshen.example/other", "operator", 1, "association")
	whole := log.Checkpoint(3, at(t, noon))
	l := lines(whole) // origin, size, root, blank, log, association, bank, regulator, ""
	join := func(parts ...string) []byte { return []byte(strings.Join(parts, "")) }
	stranger := recordtest.NewSigner("witness.example/stranger", "stranger", 4)
	ws := log.Witnesses()
	text := log.Head(3).Text()
	plain := func(w recordtest.Signer) string { // the witness's key, but a signature without time
		return w.Sign(text)
	}
	swapTime := func(line string) string {
		prefix, encoded := line[:strings.LastIndex(line, " ")+1], strings.TrimSuffix(line[strings.LastIndex(line, " ")+1:], "\n")
		raw, _ := base64.StdEncoding.DecodeString(encoded)
		raw[11]++ // last byte of the time
		return prefix + base64.StdEncoding.EncodeToString(raw) + "\n"
	}
	for _, c := range []struct {
		name string
		data []byte
		code string
	}{
		{"nothing", nil, "checkpoint_malformed"},
		{"text alone", []byte(text), "checkpoint_malformed"},
		{"no signatures", join(l[0], l[1], l[2], "\n"), "checkpoint_malformed"},
		{"last newline missing", bytes.TrimSuffix(whole, []byte("\n")), "checkpoint_malformed"},
		{"blank line at the end", append(slices.Clone(whole), '\n'), "checkpoint_malformed"},
		{"extension line", join(l[0], l[1], l[2], "extension\n", "\n", log.Signer().Sign(text+"extension\n"), l[5], l[6]), "checkpoint_malformed"},
		{"size with a zero before", []byte(strings.Replace(string(whole), "\n3\n", "\n03\n", 1)), "checkpoint_malformed"},
		{"size with a sign", []byte(strings.Replace(string(whole), "\n3\n", "\n+3\n", 1)), "checkpoint_malformed"},
		{"root cut", join(l[0], l[1], "AAAA\n", "\n", l[4], l[5], l[6]), "checkpoint_malformed"},
		{"root in a second spelling", []byte(strings.Replace(string(whole), "=\n\n", "=\r\n\n", 1)), "checkpoint_malformed"},
		{"origin with a space", []byte(strings.Replace(string(whole), origin, "menshen example", 1)), "checkpoint_malformed"},
		{"hyphen for the dash", []byte(strings.Replace(string(whole), "— witness", "- witness", 1)), "checkpoint_malformed"},
		{"signature that is no base64", join(l[0], l[1], l[2], "\n", l[4], "— witness.example/bank !\n"), "checkpoint_malformed"},
		{"signature shorter than a key id", join(l[0], l[1], l[2], "\n", l[4], "— witness.example/bank AAAA\n"), "checkpoint_malformed"},
		{"over the bound", []byte(text + "\n" + strings.Repeat(l[4], 200)), "checkpoint_malformed"},
		{"other log", other.Checkpoint(0, at(t, noon)), "receipt_other_log"},
		{"log did not sign", join(l[0], l[1], l[2], "\n", l[5], l[6]), "receipt_log_signature"},
		{"log signed after a witness", join(l[0], l[1], l[2], "\n", l[5], l[4], l[6]), "receipt_log_signature"},
		{"log signed another size", join(l[0], "4\n", l[2], "\n", l[4], l[5], l[6]), "receipt_log_signature"},
		{"log signed twice", join(l[0], l[1], l[2], "\n", l[4], l[4], l[5], l[6]), "receipt_unknown_signature"},
		{"stranger cosigned", join(l[0], l[1], l[2], "\n", l[4], l[5], l[6], stranger.Cosign(text, at(t, noon))), "receipt_unknown_signature"},
		{"witness known by name only", join(l[0], l[1], l[2], "\n", l[4],
			recordtest.NewSigner("witness.example/association", "impostor", 4).Cosign(text, at(t, noon)), l[6]), "receipt_unknown_signature"},
		{"witnesses in another order", join(l[0], l[1], l[2], "\n", l[4], l[6], l[5]), "receipt_signature_order"},
		{"witness cosigned another root", join(l[0], l[1], l[2], "\n", l[4], ws[0].Cosign(log.Head(2).Text(), at(t, noon)), l[6]), "receipt_cosignature_wrong"},
		{"witness signed without time", join(l[0], l[1], l[2], "\n", l[4], plain(ws[0]), l[6]), "receipt_cosignature_wrong"},
		{"time changed afterwards", join(l[0], l[1], l[2], "\n", l[4], swapTime(l[5]), l[6]), "receipt_cosignature_wrong"},
		{"time zero", join(l[0], l[1], l[2], "\n", l[4], ws[0].Cosign(text, time.Unix(0, 0)), l[6]), "receipt_cosignature_time"},
		{"time after the year 9999", join(l[0], l[1], l[2], "\n", l[4], ws[0].Cosign(text, time.Unix(record.MaxTimestamp+1, 0)), l[6]), "receipt_cosignature_time"},
		{"one witness twice", join(l[0], l[1], l[2], "\n", l[4], l[5], l[5]), "witness_counted_twice"},
		{"one witness twice, two times", join(l[0], l[1], l[2], "\n", l[4], l[5], ws[0].Cosign(text, at(t, "2026-11-22T12:00:01Z"))), "witness_counted_twice"},
		{"one witness twice beside a quorum", join(l[0], l[1], l[2], "\n", l[4], l[5], l[5], l[6]), "witness_counted_twice"},
		{"one witness of two", log.CheckpointBy(3, at(t, noon), ws[1]), "receipt_quorum_missing"},
		{"no witness", log.CheckpointBy(3, at(t, noon)), "receipt_quorum_missing"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if bytes.Equal(c.data, whole) {
				t.Fatal("test spoils nothing")
			}
			got, err := log.Policy().VerifyCheckpoint(c.data)
			if code := fault.CodeOf(err); code != c.code {
				t.Fatalf("code %q, want %q (%v)", code, c.code, err)
			}
			if got.OK() {
				t.Fatal("a refused checkpoint calls itself verified")
			}
		})
	}
}

func TestTwoWitnessesOfOnePartyCountOnce(t *testing.T) {
	log := grown(t, 1)
	second := recordtest.NewSigner("witness.example/association-2", "witness association 2", 4)
	config := log.Config()
	config.Witnesses = append(config.Witnesses, record.Witness{Party: "association", VKey: second.VKey()})
	p, err := record.NewPolicy(config)
	if err != nil {
		t.Fatal(err)
	}
	ws := log.Witnesses()
	if _, err := p.VerifyCheckpoint(log.CheckpointBy(1, at(t, noon), ws[0], second)); fault.CodeOf(err) != "witness_counted_twice" {
		t.Fatalf("two keys of one party: %v", err)
	}
	c, err := p.VerifyCheckpoint(log.CheckpointBy(1, at(t, noon), ws[0], second, ws[1]))
	if err != nil || len(c.Cosigned()) != 3 {
		t.Fatalf("two parties with three keys: %v, %v", c.Cosigned(), err)
	}
	if err := c.CosignedNear(at(t, noon), 0); err != nil {
		t.Fatal(err)
	}
}

func TestCosignedNear(t *testing.T) {
	log := grown(t, 1)
	ws := log.Witnesses()
	text := log.Head(1).Text()
	data := text + "\n" + log.Signer().Sign(text) + ws[0].Cosign(text, at(t, "2026-11-22T12:01:00Z")) + ws[1].Cosign(text, at(t, "2026-11-22T12:02:00Z"))
	c, err := log.Policy().VerifyCheckpoint([]byte(data))
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range []struct {
		at   statement.Time
		code string
	}{
		{noon, ""},
		{"2026-11-22T11:59:59Z", "receipt_other_time"}, // the second of two is 121 s away
		{"2026-11-22T12:03:00Z", ""},
		{"2026-11-22T12:03:01Z", "receipt_other_time"},
	} {
		if got := fault.CodeOf(c.CosignedNear(at(t, k.at), 2*time.Minute)); got != k.code {
			t.Fatalf("near %s: %q, want %q", k.at, got, k.code)
		}
	}
}

func TestCanonicalCheckpointSortsWhatTheLogCollected(t *testing.T) {
	log := grown(t, 3)
	whole := log.Checkpoint(3, at(t, noon))
	l := lines(whole)
	stranger := recordtest.NewSigner("witness.example/stranger", "stranger", 4)
	text := log.Head(3).Text()
	collected := strings.Join([]string{l[0], l[1], l[2], "\n", l[4], l[7], stranger.Cosign(text, at(t, noon)), l[5],
		"— witness.example/bank AAAA\n", l[6], l[5], l[4]}, "")
	got, err := log.Policy().CanonicalCheckpoint([]byte(collected))
	if err != nil || string(got) != string(whole) {
		t.Fatalf("canonical\n%s%v\nwant\n%s", got, err, whole)
	}
	if again, err := log.Policy().CanonicalCheckpoint(got); err != nil || !bytes.Equal(again, got) {
		t.Fatalf("canonical form is not stable: %v", err)
	}
	for _, c := range []struct{ data, code string }{
		{text, "checkpoint_malformed"},
		{text + "\n" + l[5] + l[6], "receipt_log_signature"},
		{text + "\n" + l[4] + l[5] + l[5], "receipt_quorum_missing"},
	} {
		if _, err := log.Policy().CanonicalCheckpoint([]byte(c.data)); fault.CodeOf(err) != c.code {
			t.Fatalf("%v, want %s", err, c.code)
		}
	}
}

func FuzzVerifyCheckpoint(f *testing.F) {
	log := recordtest.New(origin, "operator", 1, "bank") // few signatures: they are most of the time
	p := log.Policy()
	whole := log.Checkpoint(0, time.Unix(1795348800, 0))
	f.Add(whole)
	f.Add([]byte(log.Head(0).Text()))
	f.Fuzz(func(t *testing.T, data []byte) {
		// The fuzzer cannot sign: whatever passes is a cosigned subset of what was signed.
		c, err := p.VerifyCheckpoint(data)
		if err == nil && !bytes.HasPrefix(whole, data[:bytes.Index(data, []byte("\n\n"))]) {
			t.Fatalf("%q passes", data)
		}
		if (err == nil) != c.OK() {
			t.Fatal("OK disagrees with the error")
		}
		if out, err := p.CanonicalCheckpoint(data); err == nil {
			if _, err := p.VerifyCheckpoint(out); err != nil {
				t.Fatalf("canonical form refused: %v", err)
			}
		}
	})
}

func FuzzParseTreeHead(f *testing.F) {
	f.Add(witnessed().Head(0).Text())
	f.Fuzz(func(t *testing.T, text string) {
		if h, err := record.ParseTreeHead(text); err == nil && h.Text() != text {
			t.Fatalf("%q has a second form", text)
		}
	})
}
