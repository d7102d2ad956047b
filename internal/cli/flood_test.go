//go:build processes

package cli

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/scenario"
)

// mostUnderFlood bounds the server's memory, in MB; a quiet one takes about a fifth.
const mostUnderFlood = 300

// memory is how much of the machine's memory a process holds and held at most, in MB.
func (s *stage) memory(name string) (now, most int) {
	s.t.Helper()
	for _, k := range s.children.all {
		if k.name != name {
			continue
		}
		data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", k.cmd.Process.Pid))
		s.must(err)
		read := func(field string) int {
			_, rest, _ := strings.Cut(string(data), field+":")
			kB, err := strconv.Atoi(strings.Fields(rest)[0])
			s.must(err)
			return kB / 1024
		}
		return read("VmRSS"), read("VmHWM")
	}
	s.t.Fatalf("no %s runs", name)
	return 0, 0
}

// TestAFloodIsBounded floods a running server in every way that needs no sign-in, and with one person's. Each class of
// limit answers 429 and says how long to wait; the server's memory stays under its bound; people from elsewhere, and
// the visit under way, go on.
func TestAFloodIsBounded(t *testing.T) {
	t.Parallel()
	s := newStage(t, staging{})
	p := s.play()
	scenes := p.Install()
	s.must(scenario.Run(t.Context(), scenario.Until(scenes, "arrive")))
	quiet, _ := s.memory("server")
	token, err := s.token(t.Context(), p.Cast.Supervisor)
	s.must(err)

	client := &http.Client{Timeout: time.Minute, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	for _, c := range []struct {
		name, method, path, kind string
		many                     int
		auth                     string
		body                     func(n int) string
	}{
		{"one person's token", "GET", "/v1/verbs", "", 400, "Bearer " + token, nil},
		{"sign-in", "POST", "/sign-in/options", "application/json", 100, "", func(int) string { return "{}" }},
		{"invitations guessed", "POST", "/join/options", "application/json", 100, "", func(n int) string { return fmt.Sprintf(`{"code":"%020d"}`, n) }},
		{"the public page", "POST", "/s", "application/x-www-form-urlencoded", 60, "", func(n int) string { return fmt.Sprintf("code=wei-%d&kind=visit", n) }},
		{"one network, made-up tokens", "GET", "/v1/visits", "", 6000, "Bearer menshen_%d", nil},
		{"one network, huge bodies", "POST", "/v1/tickets", "application/json", 600, "Bearer menshen_%d", func(int) string { return strings.Repeat("[", 4<<20) }},
	} {
		var limited, silent atomic.Int64
		var wg sync.WaitGroup
		work := make(chan int)
		for range 32 {
			wg.Go(func() {
				for n := range work {
					var body io.Reader
					if c.body != nil {
						body = bytes.NewReader([]byte(c.body(n)))
					}
					r, err := http.NewRequestWithContext(t.Context(), c.method, s.base()+c.path, body)
					if err != nil {
						t.Error(err)
						continue
					}
					if c.auth != "" {
						r.Header.Set("Authorization", strings.ReplaceAll(c.auth, "%d", strconv.Itoa(n)))
					}
					if c.kind != "" {
						r.Header.Set("Content-Type", c.kind)
						r.Header.Set("Origin", s.base())
						r.Header.Set("Sec-Fetch-Site", "same-origin")
						r.Header.Set("Idempotency-Key", strconv.Itoa(n))
					}
					res, err := client.Do(r)
					if err != nil {
						continue // hung up on, with its body half sent
					}
					_, _ = io.Copy(io.Discard, res.Body)
					_ = res.Body.Close()
					if res.StatusCode == http.StatusTooManyRequests {
						limited.Add(1)
						if n, err := strconv.Atoi(res.Header.Get("Retry-After")); err != nil || n < 1 {
							silent.Add(1)
						}
					}
				}
			})
		}
		for n := range c.many {
			work <- n
		}
		close(work)
		wg.Wait()
		now, most := s.memory("server")
		t.Logf("%s: %d of %d were told to wait; %d MB, at most %d", c.name, limited.Load(), c.many, now, most)
		if limited.Load() == 0 && !strings.Contains(c.name, "huge") { // they are cut off at the body's bound
			t.Errorf("%s: nobody bounds it", c.name)
		}
		if silent.Load() > 0 {
			t.Errorf("%s: %d were not told how long", c.name, silent.Load())
		}
	}
	var silentOnes []net.Conn
	for range 3000 { // they open connections and say nothing
		conn, err := net.Dial("tcp", s.server)
		if err != nil {
			break
		}
		silentOnes = append(silentOnes, conn)
	}
	_, most := s.memory("server")
	t.Logf("%d silent connections; at most %d MB, quiet %d", len(silentOnes), most, quiet)
	if most > mostUnderFlood {
		t.Errorf("the server took %d MB", most)
	}
	s.must(scenario.Run(t.Context(), scenario.From(scenes, "arrive")))
	s.closed(p)
	for _, conn := range silentOnes {
		_ = conn.Close()
	}
}
