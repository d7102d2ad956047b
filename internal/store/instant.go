package store

import "time"

// Instant is a moment in unix milliseconds; 0 = not set. It is a column's type on both engines,
// so that rows compare and sort alike; what is signed carries RFC 3339 text of its own.
type Instant int64

// At gives t's instant, cut to the millisecond; the zero time is 0.
func At(t time.Time) Instant {
	if t.IsZero() {
		return 0
	}
	return Instant(t.UnixMilli())
}

// Time gives the instant in UTC; 0 is the zero time.
func (i Instant) Time() time.Time {
	if i == 0 {
		return time.Time{}
	}
	return time.UnixMilli(int64(i)).UTC()
}
