//go:build processes

package cli

import (
	"context"
	"math/rand/v2"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/visit"
)

// TestKilledBetweenLoadAndOutcome kills the server when the host has loaded keys and nobody has
// recorded it. Started again, it finishes by itself: the keys are loaded once, the outcome is there
// once, and the visit goes on to its end.
func TestKilledBetweenLoadAndOutcome(t *testing.T) {
	t.Parallel()
	line := &between{}
	proxy := httptest.NewServer(line)
	defer proxy.Close()
	s := newStage(t, staging{between: func(host string) string { line.host = host; return proxy.Listener.Addr().String() }})
	p := s.play()
	scenes := p.Install()
	s.must(scenario.Run(t.Context(), scenario.Until(scenes, "release trial")))

	acted, gone := make(chan struct{}), make(chan struct{})
	line.keep(sync.OnceFunc(func() { close(acted); <-gone }))
	s.must(p.Host.OpenSession(t.Context(), p.Device))
	asking, giveUp := context.WithCancel(t.Context())
	asked := make(chan struct{})
	go func() {
		defer close(asked)
		_, _ = p.Venue.Release(asking, p.Cast.Technician, p.ID) // nobody is left to answer it
	}()
	<-acted
	permit := s.permit(p)
	if n := s.loads(permit.PermitDigest); n != 1 || permit.State == store.PermitAnswered {
		t.Fatalf("before the kill: %d loads, permit %s", n, permit.State)
	}
	s.kill("server")
	giveUp() // the phone is put away: nobody asks again
	<-asked
	close(gone)
	line.keep(nil)

	s.again("server")
	s.until("the outcome recorded without being asked for", func(tx *store.Tx) (bool, error) {
		got, err := tx.Permit(t.Context(), permit.PermitDigest)
		return got.State == store.PermitAnswered, err
	})
	s.until("trial", func(tx *store.Tx) (bool, error) {
		v, err := tx.Visit(t.Context(), p.ID)
		return v.State == string(visit.Trial), err
	})
	s.must(scenario.Run(t.Context(), scenario.From(scenes, "acceptance")))
	b := s.closed(p)
	if n := s.loads(permit.PermitDigest); n != 1 {
		t.Errorf("loaded %d times", n)
	}
	if n := outcomes(t, b, permit.PermitDigest); n != 1 {
		t.Errorf("%d outcomes recorded", n)
	}
}

// outcomes counts the statements in the visit's stream that say what the host did on a permit.
func outcomes(t *testing.T, b *evidence.Bundle, permit string) (n int) {
	t.Helper()
	for _, e := range b.Entries {
		envelope, err := statement.Base64(e.Statement)
		if err != nil {
			t.Fatal(err)
		}
		claims, err := statement.Parse(envelope)
		if err != nil {
			t.Fatal(err)
		}
		var o visit.Outcome
		if claims.Type == visit.TypeOutcome && claims.UntrustedBody(&o) == nil && o.Permit == permit {
			n++
		}
	}
	return n
}

// kills is how often the server dies in TestKilledAtRandom.
const kills = 5

// requestsAtLeast is how many requests an installation takes.
const requestsAtLeast = 30

// TestKilledAtRandom kills the server at five moments of an installation, wherever it happens to be.
// The people ask again until somebody answers. Nothing that was acknowledged is lost or there twice.
func TestKilledAtRandom(t *testing.T) {
	t.Parallel()
	s := newStage(t, staging{})
	p := s.play()
	moments := rand.Perm(requestsAtLeast)[:kills]
	t.Log("killed at requests", moments)
	requests, killing := 0, sync.WaitGroup{}
	s.acked.sending = func() {
		killing.Wait() // one death at a time
		if slices.Contains(moments, requests) {
			killing.Go(func() {
				// Where in the request it dies is left to chance: a filing takes milliseconds, a release half a second.
				time.Sleep(rand.N(5 * time.Millisecond << rand.N(8)))
				s.kill("server")
				if err := s.run(t.Context(), "server"); err != nil {
					t.Error(err)
				}
			})
		}
		requests++
	}
	s.must(scenario.Run(t.Context(), p.Install()))
	s.acked.sending = nil
	killing.Wait()
	if requests < requestsAtLeast {
		t.Fatalf("only %d requests: the moments are too late", requests)
	}
	digests := visitStream(t, s.closed(p))
	if len(s.acked.streams) < requestsAtLeast {
		t.Fatalf("only %d statements were acknowledged", len(s.acked.streams))
	}
	for digest, stream := range s.acked.streams {
		if stream == "" || stream == visit.StreamVisit+"/"+p.ID {
			if n := count(digests, digest); n != 1 {
				t.Errorf("%s of the visit was acknowledged and is there %d times", digest, n)
			}
			continue
		}
		if n := s.known(stream, digest); n != 1 {
			t.Errorf("%s of %s was acknowledged and is there %d times", digest, stream, n)
		}
	}
	for _, d := range digests {
		if n := count(digests, d); n != 1 {
			t.Errorf("%s is in the visit %d times", d, n)
		}
	}
	if permit := s.permit(p); s.loads(permit.PermitDigest) != 1 {
		t.Errorf("live keys were loaded %d times", s.loads(permit.PermitDigest))
	}
}

func count(list []string, want string) (n int) {
	for _, s := range list {
		if s == want {
			n++
		}
	}
	return n
}

// known counts the events of a stream that record a statement.
func (s *stage) known(stream, digest string) (n int) {
	s.t.Helper()
	s.must(s.office.store.Read(s.t.Context(), func(tx *store.Tx) error {
		events, err := tx.EventsByStatement(s.t.Context(), digest)
		for _, e := range events {
			if e.Stream().String() == stream {
				n++
			}
		}
		return err
	}))
	return n
}
