// Package memo remembers what was proven, so that it need not be proven again. It is for what depends on
// its key alone and is true for ever, such as that a signature holds over given bytes; never for what
// time, a list or a register could change. Refusals are not remembered.
package memo

import "sync"

// Memo remembers values by key. It is safe for concurrent use; the zero value is empty and ready. What it
// gives is shared: nobody may write to it.
type Memo[K comparable, V any] struct {
	mu    sync.Mutex
	known map[K]V
}

// Get gives what is remembered, or makes it and remembers it unless that failed. Callers that meet over one
// key may each make it.
func (m *Memo[K, V]) Get(key K, bound int, make func() (V, error)) (V, error) {
	if v, ok := m.Find(key); ok {
		return v, nil
	}
	v, err := make()
	if err == nil {
		m.Keep(key, v, bound)
	}
	return v, err
}

// Find gives what is remembered.
func (m *Memo[K, V]) Find(key K) (V, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	v, ok := m.known[key]
	return v, ok
}

// Keep remembers v. With bound entries it begins anew rather than grow.
func (m *Memo[K, V]) Keep(key K, v V, bound int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.known == nil || len(m.known) >= bound {
		m.known = map[K]V{}
	}
	m.known[key] = v
}

// Len is how many entries are remembered.
func (m *Memo[K, V]) Len() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.known)
}
