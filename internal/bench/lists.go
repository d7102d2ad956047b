package bench

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/visit"
)

// listLimit is the aim for a page of a list (issue 3, "Figures").
const listLimit = 50 // ms

var states = []visit.Stage{visit.Booked, visit.Dispatched, visit.Admitted, visit.Trial, visit.Live, visit.Closed}

var kinds = []string{visit.Install, visit.Swap, visit.Repair, visit.Removal, visit.Relocation, visit.Inspection}

// Fill puts visits into a store, in commits of two thousand; done is told how many are there.
func Fill(ctx context.Context, s *store.Store, n int, done func(int)) error {
	const step = 2000
	now := time.Now()
	for first := 0; first < n; first += step {
		err := s.Write(ctx, func(tx *store.Tx) error {
			for i := first; i < min(first+step, n); i++ {
				if err := tx.PutVisit(ctx, made(i, now)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		done(min(first+step, n))
	}
	return nil
}

// made is the i-th visit: organisations, kinds and states are skewed, as they are in a country.
func made(i int, now time.Time) store.Visit {
	r := rand.New(rand.NewPCG(1, uint64(i)))
	skewed := func(n int) int { return int(float64(n) * r.Float64() * r.Float64() * r.Float64()) }
	opened := now.Add(-time.Duration(i) * time.Second)
	return store.Visit{
		Org: fmt.Sprint("bank", skewed(4)), ID: fmt.Sprintf("filled-%07d", i), OrderID: fmt.Sprintf("o-filled-%07d", i), Provider: fmt.Sprint("provider", skewed(6)),
		Merchant: fmt.Sprint("merchant", r.IntN(20_000)), Shop: fmt.Sprint("shop", r.IntN(30_000)), Technician: fmt.Sprint("tech", r.IntN(1000)),
		Kind: kinds[skewed(len(kinds))], State: string(states[(len(states)-1+skewed(len(states)))%len(states)]), Head: int64(1 + r.IntN(30)),
		OpenedAt: store.At(opened), UpdatedAt: store.At(opened.Add(time.Hour)), Search: fmt.Sprintf("SN-%05d 门神饭店%d city%d", i, r.IntN(50), skewed(3)),
	}
}

// Listing reads first and deep pages of 50 by many filters from a filled store and gives the slowest:
// the best of three rounds of each, so that what the disk reads for the first time does not count.
func Listing(ctx context.Context, s *store.Store, n int) ([]Figure, error) {
	deep := fmt.Sprintf("%d.filled-%07d", store.At(time.Now().Add(-time.Duration(n/2)*time.Second)), n/2)
	slowest, which := time.Duration(0), ""
	for _, f := range filters() {
		for _, cursor := range []string{"", deep} {
			best, err := page(ctx, s, f, cursor)
			if err != nil {
				return nil, err
			}
			if best > slowest {
				slowest, which = best, fmt.Sprintf("%+v", f)
			}
		}
	}
	return []Figure{
		figure("filled_visits", "库里的上门数", "visits in the database", float64(n), ""),
		figure("list_page", "最慢的一页列表", "the slowest page of a list, of 130 filters, first and deep: "+which, milli(slowest), "ms").Aimed(Aim{Bound: listLimit}),
	}, nil
}

func page(ctx context.Context, s *store.Store, f store.VisitFilter, cursor string) (time.Duration, error) {
	best := time.Hour
	for range 3 {
		began := time.Now()
		err := s.Read(ctx, func(tx *store.Tx) error {
			_, _, err := tx.ListVisits(ctx, f, cursor, 50)
			return err
		})
		if err = errors.Join(err, ctx.Err()); err != nil {
			return 0, err
		}
		best = min(best, time.Since(began))
	}
	return best, nil
}

// filters are all combinations of what a list can be asked for, and words that nothing holds.
func filters() []store.VisitFilter {
	var out []store.VisitFilter
	for bits := range 1 << 7 {
		f := store.VisitFilter{}
		for bit, set := range []struct {
			field *string
			value string
		}{{&f.Org, "bank0"}, {&f.Provider, "provider1"}, {&f.Merchant, "merchant7"}, {&f.Technician, "tech7"}, {&f.State, string(visit.Closed)},
			{&f.Kind, visit.Swap}, {&f.Query, "饭店 city0"}} {
			if bits&(1<<bit) != 0 {
				*set.field = set.value
			}
		}
		out = append(out, f)
	}
	return append(out, store.VisitFilter{Query: "神仙"}, store.VisitFilter{Provider: "nobody"})
}
