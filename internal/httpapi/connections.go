package httpapi

import (
	"container/list"
	"net"
	"net/http"
	"sync"
)

// maxConnections is how many connections one server keeps open. Each costs some 20 kB, so that a flood of them
// stays below a tenth of a gigabyte.
const maxConnections = 4096

// connections bounds how many are open at once. Over the bound, the one goes that has waited longest without a
// whole request on it: who opens connections and says nothing, or says it a byte a minute, pushes out only his
// like. Where all are at work, the new one goes.
type connections struct {
	max int

	mu      sync.Mutex
	open    map[net.Conn]*list.Element // nil while a request is being answered
	waiting *list.List                 // net.Conn, the longest waiting first
}

func newConnections(bound int) *connections {
	return &connections{max: bound, open: map[net.Conn]*list.Element{}, waiting: list.New()}
}

// changed is an http.Server's ConnState.
func (c *connections) changed(conn net.Conn, state http.ConnState) {
	if spare := c.count(conn, state); spare != nil {
		_ = spare.Close() // its own goroutine finds out, and says so here
	}
}

// count takes note of a connection's state and gives one that has to go, nil for none.
func (c *connections) count(conn net.Conn, state http.ConnState) (spare net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.open[conn]; e != nil {
		c.waiting.Remove(e)
	}
	switch state {
	case http.StateClosed, http.StateHijacked:
		delete(c.open, conn)
	case http.StateActive:
		c.open[conn] = nil
	default:
		c.open[conn] = c.waiting.PushBack(conn)
	}
	if len(c.open) <= c.max || c.waiting.Len() == 0 {
		return nil
	}
	spare, _ = c.waiting.Remove(c.waiting.Front()).(net.Conn)
	delete(c.open, spare)
	return spare
}
