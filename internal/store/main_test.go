package store_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/store/storetest"
)

func TestMain(m *testing.M) {
	if dsn := os.Getenv(crashChildEnv); dsn != "" {
		crashChild(dsn)
		return
	}
	storetest.Main(m)
}

// noon is the moment at which most of these tests happen.
var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// eventAfter gives the next event of a stream, with the statement it was received under.
func eventAfter(org string, s store.Stream, head store.Head, verb string) (store.Event, []byte) {
	envelope := fmt.Appendf(nil, "statement %s of %s after %d", verb, s, head.Number)
	data := fmt.Appendf(nil, "event %s %d after %s", s, head.Number+1, head.Digest)
	return store.Event{
		Org: org, StreamKind: s.Kind, StreamID: s.ID, Number: head.Number + 1, Digest: digest(string(data)),
		Previous: head.Digest, Verb: verb, ReceivedAt: store.At(noon), Bytes: data,
		StatementDigest: digest(string(envelope)), Salt: make([]byte, 16), Day: "2026-11-22", Province: "31",
	}, envelope
}

// receive appends the next event of a stream, as app's Submit does.
func receive(t testing.TB, tx *store.Tx, org string, s store.Stream, verb string) (store.Event, error) {
	ctx := t.Context()
	head, err := tx.Head(ctx, s)
	if err != nil {
		return store.Event{}, err
	}
	e, envelope := eventAfter(org, s, head, verb)
	if err := tx.PutStatement(ctx, e.StatementDigest, envelope); err != nil {
		return store.Event{}, err
	}
	return e, tx.AppendEvent(ctx, e, []byte("leaf of "+e.Digest))
}

// do runs a command that must succeed.
func do(t testing.TB, s *store.Store, command func(tx *store.Tx) error) {
	t.Helper()
	if err := s.Write(t.Context(), command); err != nil {
		t.Fatal(err)
	}
}

// look runs a query that must succeed.
func look(t testing.TB, s *store.Store, query func(tx *store.Tx) error) {
	t.Helper()
	if err := s.Read(t.Context(), query); err != nil {
		t.Fatal(err)
	}
}

// refused runs a command that must fail with a code.
func refused(t testing.TB, s *store.Store, code string, command func(tx *store.Tx) error) {
	t.Helper()
	if got := fault.CodeOf(s.Write(t.Context(), command)); got != code {
		t.Errorf("got fault %q, want %q", got, code)
	}
}
