package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/visit"
)

// newPlay is a visit at the running server, with a device fresh from the maker. n tells devices
// apart; 0 is for a play that brings its own.
func (w *world) newPlay(s *story, cast *scenario.Cast, id, kind string, risk, n int) *scenario.Play {
	p := &scenario.Play{Cast: cast, Now: time.Now, ID: id, Trust: w.trust, Foundry: w.foundry, Host: w.atHost}
	p.Venue = w.venue(cast)
	if s != nil {
		p.Tell = s.tell
		p.Venue = &watched{Venue: p.Venue, story: s, green: map[string]bool{}, kind: kind}
	}
	p.Shop = w.city.Shops[cast.Merchant.ID]
	if p.Shop.ID == "" {
		p.Shop = w.city.CornerShop(cast, n)
	}
	p.Device = w.city.Fit(w.foundry.Make(w.city.Serial(n), time.Now()))
	p.NewOrder(kind, risk)
	return p
}

// overAPI says whether an attack is played against the running server.
func overAPI(a scenario.Attack) bool { return !a.Liar && !a.Waits && !a.Alone && a.Trust == nil }

// playInMemory plays what is not played over the API, one after the other, and gives each attack's
// end when it is there; the channel of one that goes over the API is closed from the start.
func playInMemory(ctx context.Context, table []scenario.Attack) []<-chan scenario.Ran {
	out := make([]<-chan scenario.Ran, len(table))
	ends := make([]chan scenario.Ran, len(table))
	for i := range table {
		ends[i] = make(chan scenario.Ran, 1)
		out[i] = ends[i]
		if overAPI(table[i]) {
			close(ends[i])
		}
	}
	go func() {
		for i, a := range table {
			if !overAPI(a) {
				ends[i] <- a.InMemory(ctx, time.Now().UTC().Truncate(time.Second))
			}
		}
	}()
	return out
}

// attack plays one attack over the API, with people of its own.
func (w *world) attack(ctx context.Context, a scenario.Attack) scenario.Ran {
	w.played++
	n := 1000 + w.played
	cast := w.city.Fresh(fmt.Sprintf("a%d", n))
	w.city.Begin(cast, time.Now())
	kind := a.Kind
	if kind == "" {
		kind = visit.Install
	}
	p := w.newPlay(nil, cast, fmt.Sprintf("attack-%d", n), kind, a.Risk, n)
	p.Apart = w.city.ApartFrom(p.ID, n)
	return a.At(ctx, p)
}

// links gives everybody who looks at pages a link.
func (w *world) link(ctx context.Context, a *app.App) error {
	w.links = map[*scenario.Actor]string{}
	for _, g := range w.guests() {
		_, secret, err := a.IssueToken(ctx, app.TokenGrant{Kind: store.TokenLink, Person: g.actor.ID, Organisation: g.actor.Organisation, Role: g.actor.Role,
			Label: "demonstration", Until: time.Now().Add(7 * 24 * time.Hour)})
		if err != nil {
			return err
		}
		w.links[g.actor] = secret
	}
	return nil
}
