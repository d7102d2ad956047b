package registry

import "time"

// Span is a half-open period. The zero value holds no moment.
type Span struct{ from, until time.Time }

// Holds says whether t lies in the span: from inclusive, until exclusive.
func (s Span) Holds(t time.Time) bool { return !t.Before(s.from) && t.Before(s.until) }

// Until is the first moment after the span.
func (s Span) Until() time.Time { return s.until }
