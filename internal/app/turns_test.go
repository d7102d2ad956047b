package app

import (
	"context"
	"sync"
	"testing"

	"github.com/menshen-project/menshen/internal/fault"
)

func TestOneWriterOfAStreamAtATime(t *testing.T) {
	var streams turns
	var all sync.WaitGroup
	within, most := 0, 0 // only ever touched by whoever has the turn: the race detector says if not
	for range 50 {
		all.Go(func() {
			leave, err := streams.take(t.Context(), "organisation/acq")
			if err != nil {
				t.Error(err)
				return
			}
			defer leave()
			within++
			most = max(most, within)
			within--
		})
	}
	other, err := streams.take(t.Context(), "organisation/other")
	if err != nil {
		t.Fatal(err)
	}
	all.Wait()
	other()
	if most != 1 {
		t.Errorf("%d wrote at once", most)
	}
	if len(streams.busy) != 0 {
		t.Errorf("%d streams are remembered for nobody", len(streams.busy))
	}
}

func TestNobodyWaitsForATurnThatNobodyWants(t *testing.T) {
	var streams turns
	leave, err := streams.take(t.Context(), "visit/v1")
	if err != nil {
		t.Fatal(err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := streams.take(gone, "visit/v1"); fault.CodeOf(err) != "stream_wait_ended" {
		t.Errorf("%v", err)
	}
	leave()
	if len(streams.busy) != 0 {
		t.Error("the stream is remembered for nobody")
	}
}
