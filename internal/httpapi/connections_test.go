package httpapi

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"time"
)

// small is a server that keeps three connections, and tells when a request has come in.
func small(t *testing.T, h http.Handler) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := Server(h)
	s.ConnState = newConnections(3).changed
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

func dial(t *testing.T, address, say string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() }) // the server may have been first
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, say); err != nil {
		t.Fatal(err)
	}
	return conn
}

const whole = "GET / HTTP/1.1\r\nHost: menshen\r\n\r\n"

// answeredBy reads one answer; "" when the server hung up.
func answeredBy(conn net.Conn) string {
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return ""
	}
	defer res.Body.Close()
	return res.Status
}

// Hundreds who open a connection and say nothing, or half a request, keep nobody out: they push out each other.
func TestWhoSaysNothingGoesFirst(t *testing.T) {
	address := small(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "here") }))
	silent := make([]net.Conn, 0, 200)
	for i := range cap(silent) {
		silent = append(silent, dial(t, address, []string{"", "GET / HTTP/1.1\r\nHost: men"}[i%2]))
		if i%20 == 19 {
			if got := answeredBy(dial(t, address, whole)); got != "200 OK" {
				t.Errorf("after %d silent ones: %q", i+1, got)
			}
		}
	}
	for i, conn := range silent[:190] {
		if _, err := conn.Read(make([]byte, 1)); err == nil {
			t.Fatalf("the silent connection %d was answered", i)
		} else if wait, ok := err.(net.Error); ok && wait.Timeout() {
			t.Fatalf("the silent connection %d is still open", i)
		}
	}
}

// Whose request is being answered keeps his connection; the one too many is the one that goes.
func TestWhoIsBeingAnsweredStays(t *testing.T) {
	begun, goOn := make(chan bool, 3), make(chan bool)
	address := small(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		begun <- true
		<-goOn
		fmt.Fprint(w, "here")
	}))
	var busy []net.Conn
	for range 3 {
		busy = append(busy, dial(t, address, whole))
		<-begun
	}
	if got := answeredBy(dial(t, address, whole)); got != "" {
		t.Errorf("the fourth: %q", got)
	}
	close(goOn)
	for i, conn := range busy {
		if got := answeredBy(conn); got != "200 OK" {
			t.Errorf("%d: %q", i, got)
		}
	}
}
