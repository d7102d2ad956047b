//go:build processes

package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/visit"
)

var rounds = flag.Int("rounds", 6, "how many processes TestACityUnderKills kills")

// shops is how many visits run at the same time in TestACityUnderKills.
const shops = 4

// TestACityUnderKills kills server, host and witnesses one after the other, each at a moment left to chance,
// while visits of different kinds run, one after the other in every shop. In the end nothing acknowledged is
// lost or there twice, every permit loaded once at most, every visit closed and verifies offline, and database
// and log agree.
func TestACityUnderKills(t *testing.T) {
	t.Parallel()
	s := newStage(t, staging{patience: 60})
	ctx, over := context.WithCancel(t.Context())
	defer over()
	var busy sync.WaitGroup
	histories := make([][]*scenario.Play, shops)
	for i := range shops {
		busy.Go(func() {
			for n := i; n == i || ctx.Err() == nil; n += shops { // one shop after the other, as long as processes die
				histories[i] = append(histories[i], s.shop(ctx, n)...)
			}
		})
	}
	s.killAtRandom(*rounds)
	over() // whoever is in a visit finishes it, and begins no other
	busy.Wait()
	var visits int
	for _, h := range histories {
		for _, p := range h {
			visits++
			s.keptWhole(p)
		}
	}
	if visits < shops {
		t.Fatalf("only %d visits", visits)
	}
	s.until("receipts for everything", func(tx *store.Tx) (bool, error) {
		list, err := tx.Unreceipted(t.Context(), 1)
		return len(list) == 0, err
	})
	s.children.stop()
	said := runs(t, 0, s.program, "verify-store", "--config", s.config)
	t.Logf("%d processes killed, %d visits played, %d statements acknowledged\n%s", *rounds, visits, len(s.acked.streams), said)
}

// shop opens a shop with people of its own and lets it live.
func (s *stage) shop(ctx context.Context, n int) []*scenario.Play {
	s.opening.Lock() // the cast of the city is not made for two at once
	cast := s.city.Fresh(fmt.Sprintf("k%d", n))
	s.city.Begin(cast, time.Now())
	p := s.newPlay(nil, cast, fmt.Sprintf("kill-%d", n), visit.Install, n%3, 1000+10*n)
	s.opening.Unlock()
	p.Venue.(*scenario.HTTPVenue).Client = &http.Client{Transport: s.acked}
	if err := scenario.Run(context.WithoutCancel(ctx), s.patient(p, []scenario.Scene{{Name: "city", Run: p.OpenCity}})); err != nil {
		s.t.Errorf("%s: %v", p.ID, err)
		return nil
	}
	return s.history(ctx, p, n)
}

// history is a shop's life: an installation, then visits of the other kinds, until nobody wants more.
func (s *stage) history(ctx context.Context, p *scenario.Play, n int) []*scenario.Play {
	done := []*scenario.Play{p}
	// A visit under way is finished whatever happens: its context does not end.
	if err := scenario.Run(context.WithoutCancel(ctx), s.patient(p, append(p.Install(), scenario.Scene{Name: "settle", Run: p.Settle}))); err != nil {
		s.t.Errorf("%s: %v", p.ID, err)
		return nil
	}
	kinds := []struct {
		kind   string
		scenes func(*scenario.Play) []scenario.Scene
	}{{visit.Inspection, (*scenario.Play).InspectAgain}, {visit.Swap, (*scenario.Play).Swap}}
	for i := 0; (ctx.Err() == nil || i == 0) && i < len(kinds); i++ { // two visits at least
		k := kinds[(i+n)%len(kinds)]
		if done[len(done)-1].Order.Kind == visit.Swap {
			break // the new device is not handed over in that script
		}
		q := p.Next(k.kind, fmt.Sprintf("%s-%d", p.ID, i), s.city.Serial(1001+10*n+i), fmt.Sprintf("K%03d%04d", n, i))
		enter := scenario.Scene{Name: "the host's books", Run: func(ctx context.Context) error {
			return s.atHost.(*desk).PutRecord(ctx, q.Order.Order, scenario.RowOf(q.Order))
		}}
		if err := scenario.Run(context.WithoutCancel(ctx), s.patient(q, append([]scenario.Scene{enter}, k.scenes(q)...))); err != nil {
			s.t.Errorf("%s (%s): %v", q.ID, k.kind, err)
			return done
		}
		done = append(done, q)
	}
	return done
}

// mend gives what people do again when the host died while it was at work. Both are told by their own code, and
// neither is an answer that could be asked for once more.
func mend(played []scenario.Scene, code string) (again []scenario.Scene) {
	switch code {
	case "device_session_absent": // between the device's session and its permit: a refused permit stays refused
		return played[len(played)-1:]
	case "acceptance_step_failed": // in the middle of the script: another of the three trials, and what is signed after it
		for _, sc := range played {
			if slices.Contains([]string{"attest", "ask trial", "release trial", "acceptance", "sign off", "attest again", "confirm"}, sc.Name) {
				again = append(again, sc)
			}
		}
	}
	return again
}

// patient has people try a scene again while something that is needed does not answer.
func (s *stage) patient(p *scenario.Play, scenes []scenario.Scene) []scenario.Scene {
	out := make([]scenario.Scene, len(scenes))
	for i, sc := range scenes {
		out[i] = scenario.Scene{Name: sc.Name, Run: func(ctx context.Context) error {
			deadline := time.Now().Add(long)
			for {
				err := sc.Run(ctx)
				var line net.Error
				away := errors.As(err, &line) || fault.KindOf(err) == fault.Unavailable
				if again := mend(out[:i], scenario.RefusalOf(err).Code); len(again) > 0 && time.Now().Before(deadline) {
					if err = scenario.Run(ctx, again); err == nil {
						continue
					}
				}
				if err == nil || !away || time.Now().After(deadline) {
					return err
				}
				time.Sleep(200 * time.Millisecond)
			}
		}}
	}
	return out
}

// killAtRandom ends one process after the other, as a power cut would, and starts it again.
func (s *stage) killAtRandom(n int) {
	names := []string{"server", "host", "witness-" + witnessesOf[0], "server", "witness-" + witnessesOf[1]}
	for i := range n {
		time.Sleep(rand.N(3 * time.Second)) // somewhere in somebody's visit
		name := names[i%len(names)]
		s.kill(name)
		time.Sleep(rand.N(300 * time.Millisecond))
		s.must(s.run(s.t.Context(), name))
	}
}

// keptWhole says that a visit closed, that its bundle holds, and that nothing of it is lost or there twice.
func (s *stage) keptWhole(p *scenario.Play) {
	s.t.Helper()
	b := s.closed(p)
	stream := visitStream(s.t, b)
	s.acked.mu.Lock()
	acked := map[string]string{}
	for digest, of := range s.acked.streams {
		acked[digest] = of
	}
	s.acked.mu.Unlock()
	for digest, of := range acked {
		if of == visit.StreamVisit+"/"+p.ID && count(stream, digest) != 1 && s.known(of, digest) != 1 {
			s.t.Errorf("%s of %s was acknowledged and is there %d times", digest, p.ID, count(stream, digest))
		}
	}
	for _, d := range stream {
		if n := count(stream, d); n != 1 {
			s.t.Errorf("%s is in %s %d times", d, p.ID, n)
		}
	}
	s.loadedOnce(p)
}

func (s *stage) loadedOnce(p *scenario.Play) {
	s.t.Helper()
	var list []store.Permit
	s.must(s.office.store.Read(s.t.Context(), func(tx *store.Tx) (err error) {
		list, err = tx.PermitsOfVisit(s.t.Context(), p.ID)
		return err
	}))
	for _, permit := range list {
		if n := s.loads(permit.PermitDigest); n > 1 {
			s.t.Errorf("keys of %s were loaded %d times on one permit", p.ID, n)
		}
	}
}
