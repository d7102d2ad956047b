package app

import (
	"sync"
	"time"

	"github.com/menshen-project/menshen/internal/fault"
)

// maxWaits is how many questions of one person may wait for something new at once: a phone, a desk and what a
// browser has not yet let go of.
const maxWaits = 12

var errWaits = fault.New(fault.TooMany, "waits_too_many", "这个人同时开着的页面太多了，关掉几个再试。", "Too many pages of this person wait at once; close some and try again.")

// waits counts questions that wait, by who asks. It holds nobody who waits for nothing.
type waits struct {
	mu   sync.Mutex
	held map[string]int
}

// enter takes one of a person's turns to wait; leave gives it back. What does not wait needs none. Fault:
// waits_too_many.
func (w *waits) enter(by Actor, wait time.Duration) (leave func(), err error) {
	if wait <= 0 {
		return func() {}, nil
	}
	who := by.Person + " " + by.Organisation + " " + by.Role
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.held[who] >= maxWaits {
		return nil, errWaits
	}
	if w.held == nil {
		w.held = map[string]int{}
	}
	w.held[who]++
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.held[who]--; w.held[who] == 0 {
			delete(w.held, who)
		}
	}, nil
}
