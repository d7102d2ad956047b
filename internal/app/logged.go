package app

import (
	"sync"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/store"
)

// loggedEvent is an event that is in the log, with its statement as every gathering of evidence wants it.
// What is logged is never changed, so it may be remembered; it is proven again whoever judges it.
type loggedEvent struct {
	event  store.Event
	entry  evidence.Entry // without its receipt, which comes later than the place in the log
	claims statement.Claims
}

// maxLogged bounds each half of the memory, in bytes of entries.
const maxLogged = 16 << 20

// loggedEvents remembers events by their digest: the lists, enrolments and courses that every visit rests on,
// and a visit's own from one ask to the next. Only what the log has is kept: an event that is not sequenced may
// still be rolled back and come again with another salt. It holds two halves; when the newer one is full, the
// older one is forgotten, so that what is used stays. The zero value is empty and ready.
type loggedEvents struct {
	mu           sync.Mutex
	newer, older map[string]loggedEvent
	bytes        int // of newer
}

func (l *loggedEvents) get(digest string) (loggedEvent, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if k, ok := l.newer[digest]; ok {
		return k, true
	}
	k, ok := l.older[digest]
	if ok {
		l.put(digest, k)
	}
	return k, ok
}

func (l *loggedEvents) keep(k loggedEvent) {
	if !k.event.LeafIndex.Valid {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.put(k.event.Digest, k)
}

// put adds under the lock.
func (l *loggedEvents) put(digest string, k loggedEvent) {
	if l.newer == nil || l.bytes > maxLogged {
		l.newer, l.older, l.bytes = map[string]loggedEvent{}, l.newer, 0
	}
	if _, known := l.newer[digest]; !known {
		l.bytes += len(k.entry.Event) + len(k.entry.Statement) + len(k.event.Bytes) + len(k.event.Receipt) + len(k.claims.Payload())
	}
	l.newer[digest] = k
}
