package record_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/record"
	"github.com/menshen-project/menshen/internal/record/recordtest"
	f_log "github.com/transparency-dev/formats/log"
	f_note "github.com/transparency-dev/formats/note"
	"github.com/transparency-dev/formats/proof"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"
)

// filed is a log in which event n of wei's visit has index n-1, and the leaves.
func filed(t testing.TB, n int) (*recordtest.Log, [][]byte) {
	t.Helper()
	log := witnessed()
	var leaves [][]byte
	for i := range n {
		e := booked()
		if i > 0 {
			e = admitted()
			e.Number = i + 1
		}
		leaves = append(leaves, leafOf(t, e.Bytes()).Bytes())
		log.Add(leaves[i])
	}
	return log, leaves
}

func TestReceipt(t *testing.T) {
	for _, size := range []int{1, 2, 3, 8, 21} {
		log, leaves := filed(t, size)
		for index, leaf := range leaves {
			i, err := log.Policy().VerifyReceipt(log.Receipt(uint64(index), at(t, noon)), leaf)
			if err != nil {
				t.Fatalf("leaf %d of %d: %v", index, size, err)
			}
			want, _ := record.ParseLeaf(leaf)
			if !i.OK() || i.Index() != uint64(index) || i.Size() != uint64(size) || i.RootHash() != log.Head(uint64(size)).Root || i.Leaf() != want {
				t.Fatalf("inclusion %+v", i)
			}
			if i.CheckpointDigest() != i.Checkpoint().Digest() || len(i.Cosigned()) != 3 {
				t.Fatalf("checkpoint of %+v", i)
			}
		}
	}
}

func TestReceiptRefuses(t *testing.T) {
	log, leaves := filed(t, 5)
	const index = 2
	whole := string(log.Receipt(index, at(t, noon)))
	hashes := log.Inclusion(5, index)
	checkpoint := log.Checkpoint(5, at(t, noon))
	format := func(i uint64, hashes [][]byte) string { return string(record.FormatReceipt(i, hashes, checkpoint)) }
	swapped := slices.Clone(hashes)
	swapped[0], swapped[1] = swapped[1], swapped[0]
	stale, _ := filed(t, 3)
	for _, c := range []struct {
		name, receipt string
		leaf          []byte
		code          string
	}{
		{"nothing", "", leaves[index], "receipt_malformed"},
		{"other version", strings.Replace(whole, "@v1", "@v2", 1), leaves[index], "receipt_malformed"},
		{"extra data", strings.Replace(whole, "\nindex", "\nextra AAAA\nindex", 1), leaves[index], "receipt_malformed"},
		{"index with a zero before", strings.Replace(whole, "index 2", "index 02", 1), leaves[index], "receipt_malformed"},
		{"index without its name", strings.Replace(whole, "index 2", "2", 1), leaves[index], "receipt_malformed"},
		{"index that is no number", strings.Replace(whole, "index 2", "index two", 1), leaves[index], "receipt_malformed"},
		{"index missing", strings.Replace(whole, "\nindex 2\n", "\n", 1), leaves[index], "receipt_malformed"},
		{"header alone", "c2sp.org/tlog-proof@v1\n\n" + string(checkpoint), leaves[index], "receipt_malformed"},
		{"no blank line", strings.Replace(whole, "\n\n", "\n", -1), leaves[index], "receipt_malformed"},
		{"other line ends", strings.Replace(whole, "\n", "\r\n", 1), leaves[index], "receipt_malformed"},
		{"hash cut", format(index, append([][]byte{hashes[0][:31]}, hashes[1:]...)), leaves[index], "receipt_malformed"},
		{"more hashes than a tree is deep", format(index, slices.Repeat(hashes[:1], 65)), leaves[index], "receipt_malformed"},
		{"over the bound", whole + strings.Repeat(" ", record.MaxReceiptBytes), leaves[index], "receipt_malformed"},
		{"bytes after the end", whole + "\n", leaves[index], "checkpoint_malformed"},
		{"leaf that is none", whole, []byte("leaf"), "leaf_malformed"},
		{"another leaf", whole, leaves[3], "receipt_not_included"},
		{"another index", format(3, hashes), leaves[index], "receipt_not_included"},
		{"index past the end", format(5, hashes), leaves[index], "receipt_not_included"},
		{"hash missing", format(index, hashes[1:]), leaves[index], "receipt_not_included"},
		{"hash too many", format(index, append(slices.Clone(hashes), hashes[0])), leaves[index], "receipt_not_included"},
		{"hashes swapped", format(index, swapped), leaves[index], "receipt_not_included"},
		{"checkpoint from before", string(record.FormatReceipt(index, hashes, stale.Checkpoint(2, at(t, noon)))), leaves[index], "receipt_not_included"},
		{"checkpoint without quorum", string(record.FormatReceipt(index, hashes, log.CheckpointBy(5, at(t, noon), log.Witnesses()[0]))), leaves[index], "receipt_quorum_missing"},
	} {
		t.Run(c.name, func(t *testing.T) {
			i, err := log.Policy().VerifyReceipt([]byte(c.receipt), c.leaf)
			if got := fault.CodeOf(err); got != c.code {
				t.Fatalf("code %q, want %q (%v)", got, c.code, err)
			}
			if i.OK() {
				t.Fatal("a refused receipt calls itself verified")
			}
		})
	}
}

func TestZeroInclusionRefuses(t *testing.T) {
	var zero record.Inclusion
	if zero.OK() || zero.Checkpoint().OK() {
		t.Fatal("zero value passes")
	}
	if got := fault.CodeOf(zero.Below(1)); got != "receipt_unverified" {
		t.Fatalf("zero inclusion below 1: %q", got)
	}
	if got := fault.CodeOf(zero.Checkpoint().CosignedNear(time.Time{}, time.Hour)); got != "receipt_unverified" {
		t.Fatalf("zero checkpoint near any time: %q", got)
	}
}

func TestBelow(t *testing.T) {
	log, leaves := filed(t, 5)
	i, err := log.Policy().VerifyReceipt(log.Receipt(2, at(t, noon)), leaves[2])
	if err != nil {
		t.Fatal(err)
	}
	if err := i.Below(3); err != nil {
		t.Fatal(err)
	}
	if got := fault.CodeOf(i.Below(2)); got != "receipt_above_log_size" {
		t.Fatalf("index 2 below size 2: %q", got)
	}
}

// edit changes bytes the way a forger without keys can: one byte, a gap, a repeated or moved piece.
func edit(t *rapid.T, data []byte) []byte {
	from := rapid.IntRange(0, len(data)-1).Draw(t, "from")
	to := rapid.IntRange(from, len(data)).Draw(t, "to")
	head, piece, tail := data[:from], data[from:to], data[to:]
	switch rapid.SampledFrom([]string{"replace", "insert", "cut", "repeat", "rotate"}).Draw(t, "edit") {
	case "replace":
		out := slices.Clone(data)
		out[from] = rapid.Byte().Draw(t, "byte")
		return out
	case "insert":
		return slices.Concat(head, []byte{rapid.Byte().Draw(t, "byte")}, data[from:])
	case "cut":
		return slices.Concat(head, tail)
	case "repeat":
		return slices.Concat(head, piece, piece, tail)
	default:
		return slices.Concat(piece, head, tail)
	}
}

func TestAnyMutationOfAReceiptIsRefused(t *testing.T) {
	log := recordtest.New(origin, "operator", 2, "association", "bank") // none to spare
	var leaves [][]byte
	for i := range 9 {
		leaves = append(leaves, leafOf(t, fmt.Append(nil, "event ", i)).Bytes())
		log.Add(leaves[i])
	}
	p, receipts := log.Policy(), [][]byte{}
	for i := range leaves {
		receipts = append(receipts, log.Receipt(uint64(i), at(t, noon)))
	}
	verifier := record.NewVerifier(p)
	rapid.Check(t, func(t *rapid.T) {
		i := rapid.IntRange(0, len(leaves)-1).Draw(t, "leaf")
		receipt, leaf := receipts[i], leaves[i]
		if rapid.Bool().Draw(t, "in the leaf") {
			leaf = edit(t, leaf)
		} else {
			receipt = edit(t, receipt)
		}
		if bytes.Equal(receipt, receipts[i]) && bytes.Equal(leaf, leaves[i]) {
			return // nothing changed
		}
		if _, err := p.VerifyReceipt(receipt, leaf); err == nil {
			t.Fatalf("passes:\n%s\n%s", receipt, leaf)
		}
		if _, err := verifier.VerifyReceipt(receipt, leaf); err == nil {
			t.Fatalf("passes a verifier:\n%s\n%s", receipt, leaf)
		}
	})
}

func TestVerifierVerifiesEachCheckpointOnce(t *testing.T) {
	log, leaves := filed(t, 8)
	v := record.NewVerifier(log.Policy())
	var wg sync.WaitGroup
	for index, leaf := range leaves {
		wg.Go(func() {
			for range 3 {
				if _, err := v.VerifyReceipt(log.Receipt(uint64(index), at(t, noon)), leaf); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if got := v.Remembered(); got != 1 {
		t.Fatalf("%d checkpoints remembered, want 1", got)
	}
	wrong := log.CheckpointBy(8, at(t, noon), log.Witnesses()[0])
	for range 2 {
		if _, err := v.VerifyCheckpoint(wrong); fault.CodeOf(err) != "receipt_quorum_missing" {
			t.Fatalf("remembered as good: %v", err)
		}
	}
	if got := v.Remembered(); got != 1 {
		t.Fatalf("%d checkpoints remembered after a refusal, want 1", got)
	}
}

func TestVerifierForgetsRatherThanGrows(t *testing.T) {
	log, _ := filed(t, 1)
	v := record.NewVerifier(log.Policy())
	for i := range record.MemoBound + 1 {
		if _, err := v.VerifyCheckpoint(log.Checkpoint(1, at(t, noon).Add(time.Duration(i)*time.Second))); err != nil {
			t.Fatal(err)
		}
	}
	if got := v.Remembered(); got != 1 {
		t.Fatalf("%d remembered, want 1", got)
	}
}

// TestOtherImplementationsAgree reads our receipt with transparency-dev's parser and tlog's
// checker, and lets our policy read a checkpoint signed by theirs.
func TestOtherImplementationsAgree(t *testing.T) {
	log, leaves := filed(t, 7)
	receipt := log.Receipt(4, at(t, noon))
	var theirs proof.TLogProof
	if err := theirs.Unmarshal(receipt); err != nil || theirs.Index != 4 {
		t.Fatalf("transparency-dev reads %+v, %v", theirs, err)
	}
	if !bytes.Equal(theirs.Marshal(), receipt) {
		t.Fatal("transparency-dev writes this receipt otherwise")
	}
	var hashes tlog.RecordProof
	for _, h := range theirs.Hashes {
		hashes = append(hashes, h)
	}
	if err := tlog.CheckRecord(hashes, 7, log.Head(7).Root, 4, tlog.RecordHash(leaves[4])); err != nil {
		t.Fatal(err)
	}

	logSecret, logKey, err := note.GenerateKey(nil, origin)
	if err != nil {
		t.Fatal(err)
	}
	witnessSecret, witnessKey, err := note.GenerateKey(nil, "witness.example/bank")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := note.NewSigner(logSecret)
	if err != nil {
		t.Fatal(err)
	}
	cosigner, err := f_note.NewSignerForCosignatureV1(witnessSecret)
	if err != nil {
		t.Fatal(err)
	}
	if witnessKey, err = f_note.VKeyToCosignatureV1(witnessKey); err != nil {
		t.Fatal(err)
	}
	p, err := record.NewPolicy(record.PolicyConfig{Origin: origin, Operator: "operator", LogKey: logKey, Quorum: 1,
		Witnesses: []record.Witness{{Party: "bank", VKey: witnessKey}}})
	if err != nil {
		t.Fatal(err)
	}
	root := log.Head(7).Root
	text := f_log.Checkpoint{Origin: origin, Size: 7, Hash: root[:]}.Marshal()
	signed, err := note.Sign(&note.Note{Text: string(text)}, signer, cosigner)
	if err != nil {
		t.Fatal(err)
	}
	i, err := p.VerifyReceipt(record.FormatReceipt(4, log.Inclusion(7, 4), signed), leaves[4])
	if err != nil || i.Index() != 4 {
		t.Fatalf("%+v, %v", i, err)
	}
}

func FuzzVerifyReceipt(f *testing.F) {
	log, leaves := filed(f, 3)
	p := log.Policy()
	moment := at(f, noon)
	for i := range leaves {
		f.Add(log.Receipt(uint64(i), moment), leaves[i])
	}
	f.Fuzz(func(t *testing.T, receipt, leaf []byte) {
		i, err := p.VerifyReceipt(receipt, leaf)
		if (err == nil) != i.OK() {
			t.Fatal("OK disagrees with the error")
		}
		if err == nil && !bytes.Equal(leaf, leaves[i.Index()]) {
			t.Fatalf("%q passes at %d", leaf, i.Index())
		}
	})
}

func BenchmarkVerifyReceipt(b *testing.B) {
	log, leaves := filed(b, 300)
	receipt := log.Receipt(123, at(b, noon))
	b.Run("policy", func(b *testing.B) {
		p := log.Policy()
		for b.Loop() {
			if _, err := p.VerifyReceipt(receipt, leaves[123]); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("verifier", func(b *testing.B) {
		v := record.NewVerifier(log.Policy())
		for b.Loop() {
			if _, err := v.VerifyReceipt(receipt, leaves[123]); err != nil {
				b.Fatal(err)
			}
		}
	})
}
