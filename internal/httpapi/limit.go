package httpapi

import (
	"hash/maphash"
	"math"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Rate bounds how often one token or address may ask: Burst at once, PerSecond on average.
type Rate struct {
	PerSecond float64
	Burst     float64
}

// Defaults: a person's phone makes a few dozen requests a visit; behind one address stands a whole
// provider, or an acquirer's programs.
var (
	defaultPerToken   = Rate{PerSecond: 20, Burst: 100}
	defaultPerAddress = Rate{PerSecond: 500, Burst: 1000}
)

const (
	limiterRows    = 2
	limiterColumns = 1 << 14
)

// limiter is a token bucket per key in memory of a fixed size: a sketch of rows × columns, where a
// key has one bucket in every row and is over its rate only if all of them say so. A flood of new
// keys can neither grow it nor push anyone out; that two keys share every bucket is rare and, since
// the hash is keyed, nobody can arrange it.
type limiter struct {
	rate Rate
	now  func() time.Time

	mu   sync.Mutex
	rows [limiterRows]row
}

type row struct {
	seed    maphash.Seed
	buckets []bucket
}

// bucket counts what was used and has not yet run out again; the zero bucket is unused.
type bucket struct {
	used float64
	at   int64 // unix nanoseconds
}

func newLimiter(rate Rate) *limiter {
	l := &limiter{rate: rate, now: time.Now}
	for i := range l.rows {
		l.rows[i] = row{seed: maphash.MakeSeed(), buckets: make([]bucket, limiterColumns)}
	}
	return l
}

// take counts one request of a key. Over the rate, it says how long to wait.
func (l *limiter) take(key string) (wait time.Duration, ok bool) {
	now := l.now().UnixNano()
	l.mu.Lock()
	defer l.mu.Unlock()
	var mine [limiterRows]*bucket
	least := math.Inf(1)
	for i := range l.rows {
		b := &l.rows[i].buckets[maphash.String(l.rows[i].seed, key)%limiterColumns]
		b.used = max(0, b.used-float64(max(0, now-b.at))/1e9*l.rate.PerSecond)
		b.at = max(b.at, now)
		mine[i], least = b, min(least, b.used)
	}
	if least+1 > l.rate.Burst {
		return time.Duration((least + 1 - l.rate.Burst) / l.rate.PerSecond * 1e9), false
	}
	for _, b := range mine {
		b.used++
	}
	return 0, true
}

// retryAfter writes a wait as whole seconds, at least one.
func retryAfter(wait time.Duration) string {
	return strconv.Itoa(max(1, int(math.Ceil(wait.Seconds()))))
}

// clientOf gives the network that a request comes from: an IPv4 address, or the /64 that one IPv6
// subscriber has. What X-Forwarded-For says is believed from the operator's own proxies only.
func clientOf(r *http.Request, proxies []netip.Prefix) string {
	addr := parseAddr(r.RemoteAddr)
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, hop := range slices.Backward(hops) {
		next := parseAddr(strings.TrimSpace(hop))
		if !known(addr, proxies) || !next.IsValid() {
			break
		}
		addr = next
	}
	if addr.Is6() {
		if net64, err := addr.Prefix(64); err == nil {
			return net64.String()
		}
	}
	return addr.String()
}

func known(addr netip.Addr, proxies []netip.Prefix) bool {
	return slices.ContainsFunc(proxies, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// Secure says whether the client came over TLS: to us, or to one of the operator's own proxies, which
// says so in its last X-Forwarded-Proto. From anybody else that header means nothing.
func Secure(r *http.Request, proxies []netip.Prefix) bool {
	if r.TLS != nil {
		return true
	}
	if !known(parseAddr(r.RemoteAddr), proxies) {
		return false
	}
	protos := strings.Split(strings.Join(r.Header.Values("X-Forwarded-Proto"), ","), ",")
	return strings.EqualFold(strings.TrimSpace(protos[len(protos)-1]), "https")
}

// Limit bounds how often one network may do what is dear or guessed at, beside the API's own limits.
func Limit(rate Rate, proxies []netip.Prefix) func(*http.Request) (wait time.Duration, ok bool) {
	l := newLimiter(rate)
	return func(r *http.Request) (time.Duration, bool) { return l.take(clientOf(r, proxies)) }
}

func parseAddr(s string) netip.Addr {
	if host, _, err := net.SplitHostPort(s); err == nil {
		s = host
	}
	addr, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Addr{}
	}
	return addr.Unmap().WithZone("")
}
