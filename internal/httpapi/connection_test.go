package httpapi_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/httpapi"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/visit"
)

// stubborn is a log that gives no receipts while it is told not to.
type stubborn struct {
	app.Log
	mute atomic.Bool
}

func (s *stubborn) Receipt(ctx context.Context, index uint64) ([]byte, error) {
	if s.mute.Load() {
		return nil, fault.New(fault.Unavailable, "no_receipt_now", "现在没有回执。", "There is no receipt now.")
	}
	return s.Log.Receipt(ctx, index)
}

// hasty serves the world's API once more, with a server that has little time.
func hasty(t *testing.T, w *world, read time.Duration) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := httpapi.Server(w.API)
	s.ReadTimeout = read
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(l) }()
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		<-ended
	})
	return l.Addr().String()
}

// A log that is slow must not look like a client that is: neither waiting to read a bundle nor waiting
// for an ask is ended by the bound on how long a request may take to arrive.
func TestWaitingForTheLogIsNotCutShort(t *testing.T) {
	log := &stubborn{}
	w := newWorld(t, func(c *scenario.DeploymentConfig) {
		c.Outbox = func(l app.Log) app.Log { log.Log = l; return log }
	})
	if err := scenario.Run(t.Context(), scenario.Until(w.play.Install()[1:], "badge")); err != nil {
		t.Fatal(err)
	}
	address := hasty(t, w, 150*time.Millisecond)
	w.Venue.URL = "http://" + address
	log.mute.Store(true)
	if _, err := w.Venue.Challenge(t.Context(), w.Cast.Technician, "v1", visit.PurposeDevice); err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(600*time.Millisecond, func() { log.mute.Store(false) })
	for _, q := range []request{
		{method: http.MethodGet, path: "/v1/visits/v1/bundle", by: w.Cast.Merchant},
		{path: "/v1/visits/v1/asks", by: w.Cast.Technician, body: `{"ask":"close"}`},
	} {
		began := time.Now()
		if got := w.do(t, q); got.status != http.StatusOK {
			t.Errorf("%s: %d %s after %v", q.path, got.status, got.body, time.Since(began))
		}
		log.mute.Store(true)
		time.AfterFunc(600*time.Millisecond, func() { log.mute.Store(false) })
	}
}

func TestALogThatStaysSilentIsSaid(t *testing.T) {
	log := &stubborn{}
	w := newWorld(t, func(c *scenario.DeploymentConfig) {
		c.Patience = 100 * time.Millisecond
		c.Outbox = func(l app.Log) app.Log { log.Log = l; return log }
	})
	log.mute.Store(true)
	if err := w.play.Assign(t.Context()); err != nil {
		t.Fatal("visits go on without the log: ", err)
	}
	q := request{path: "/v1/visits/v1/asks", by: w.Cast.Technician, key: "patience", body: `{"ask":"trial"}`}
	w.do(t, q).want(t, http.StatusServiceUnavailable, "log_not_witnessed")
	log.mute.Store(false)
	deadline := time.Now().Add(5 * time.Second)
	got := w.do(t, q)
	for got.status == http.StatusServiceUnavailable && time.Now().Before(deadline) {
		got = w.do(t, q)
	}
	if got.status != http.StatusOK || got.header.Get("Idempotent-Replayed") != "" {
		t.Errorf("the same key does not ask again: %d %s", got.status, got.body)
	}
}

// raw sends bytes and gives what comes back.
func raw(t *testing.T, address, text string) (*http.Response, string) {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(body)
}

func TestABodyThatDoesNotArrive(t *testing.T) {
	w := newWorld(t, nil)
	address := hasty(t, w, 200*time.Millisecond)
	token, err := w.Token(t.Context(), w.Cast.Merchant)
	if err != nil {
		t.Fatal(err)
	}
	head := "POST /v1/visits/v1/confirm HTTP/1.1\r\nHost: menshen\r\nAuthorization: Bearer " + token + "\r\nContent-Type: application/json\r\nIdempotency-Key: k\r\n"
	res, body := raw(t, address, head+"Content-Length: 100\r\n\r\n{\"statement\":")
	if res.StatusCode != http.StatusRequestTimeout || !strings.Contains(body, "body_too_slow") {
		t.Errorf("%d %s", res.StatusCode, body)
	}
	res, body = raw(t, address, head+"Content-Length: 100000000\r\n\r\n"+strings.Repeat(" ", 1<<20+1))
	if res.StatusCode != http.StatusRequestEntityTooLarge || !strings.Contains(body, "body_too_large") {
		t.Errorf("%d %s", res.StatusCode, body)
	}
	res, _ = raw(t, address, fmt.Sprintf("GET /healthz HTTP/1.1\r\nHost: menshen\r\nX-Long: %s\r\n\r\n", strings.Repeat("x", 64<<10)))
	if res.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("a header of 64 kB: %d", res.StatusCode)
	}
}
