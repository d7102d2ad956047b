package app

import (
	"database/sql"
	"fmt"
	"testing"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/store"
)

func logged(digest string, size int) loggedEvent {
	return loggedEvent{event: store.Event{Digest: digest, LeafIndex: sql.NullInt64{Valid: true}}, entry: evidence.Entry{Statement: string(make([]byte, size))}}
}

// An event that the log does not have may be rolled back and come again with another salt: it is read anew.
func TestOnlyWhatIsLoggedIsRemembered(t *testing.T) {
	var l loggedEvents
	fresh := logged("fresh", 1)
	fresh.event.LeafIndex.Valid = false
	l.keep(fresh)
	if _, ok := l.get("fresh"); ok {
		t.Error("an event that is not in the log is remembered")
	}
	l.keep(logged("old", 1))
	if k, ok := l.get("old"); !ok || k.event.Digest != "old" {
		t.Error("a logged event is forgotten")
	}
}

// The memory stays within its bound, and what is asked for again and again stays in it.
func TestTheMemoryOfLoggedEventsIsBounded(t *testing.T) {
	var l loggedEvents
	l.keep(logged("in use", 1))
	const size = maxLogged / 64
	for i := range 64 * 8 {
		l.keep(logged(fmt.Sprint(i), size))
		if _, ok := l.get("in use"); !ok {
			t.Fatalf("what is in use is forgotten after %d", i)
		}
	}
	if kept := len(l.newer) + len(l.older); kept > 2*66+2 {
		t.Errorf("%d of %d bytes each are kept", kept, size)
	}
	if _, ok := l.get("0"); ok {
		t.Error("the first is still there")
	}
}
