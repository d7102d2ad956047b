package app

import (
	"context"
	"encoding/json"
	"io"
	"path/filepath"
	"slices"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/access"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/registry"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/visit"
)

// FeedItem is one event of the log, opened for a monitor: all that its leaf commits to.
type FeedItem struct {
	Index int64          `json:"index"`
	Named bool           `json:"named"` // not the reader's own matter: a decision of his visit rests on it
	Entry evidence.Entry `json:"entry"`
}

// An organisation's own part of the log, as ExportLeaves writes it.
const (
	feedFormat = "menshen-feed/v1"
	feedName   = "feed.jsonl"
	feedBatch  = 500
)

// FeedPage is what lies in the log after an index, oldest first, as far as receipts go.
type FeedPage struct {
	Items []FeedItem
	Next  int64 // ask on after this; the same as asked when there is nothing more yet
}

// OpenedLeaves opens leaves for the monitor of an organisation, or of the regulator, who sees every one (design §10).
// An organisation sees its own streams, orders and visits, whatever anybody signed in its name anywhere, every
// list but others' parameters, and what decisions of its visits rest on. Faults: access_denied.
func (a *App) OpenedLeaves(ctx context.Context, actor Actor, after int64, limit int) (FeedPage, error) {
	whole := actor.Role == visit.RoleRegulator
	relation := access.OwnOrganisation
	if whole {
		relation = access.None
	}
	if err := access.Require(access.Role(actor.Role), access.ReadFeed, relation); err != nil {
		return FeedPage{}, err
	}
	return a.openedLeaves(ctx, actor.Organisation, whole, after, limit)
}

func (a *App) openedLeaves(ctx context.Context, organisation string, whole bool, after int64, limit int) (FeedPage, error) {
	page := FeedPage{Next: after}
	return page, a.Store.Read(ctx, func(tx *store.Tx) error {
		f := &feeding{a: a, tx: tx, ctx: ctx, organisation: organisation, whole: whole, page: &page, said: map[string]bool{}}
		events, err := tx.EventsByLeaf(ctx, after, limit)
		if err != nil {
			return err
		}
		for _, e := range events {
			if e.Receipt == "" {
				return nil // its receipt comes, and then this place
			}
			if err := f.event(e); err != nil {
				return err
			}
			page.Next = e.LeafIndex.Int64
		}
		return nil
	})
}

// feeding is one page under way.
type feeding struct {
	a            *App
	tx           *store.Tx
	ctx          context.Context
	organisation string
	whole        bool
	page         *FeedPage
	said         map[string]bool
}

func (f *feeding) event(e store.Event) error {
	g := &gather{ctx: f.ctx, tx: f.tx, logged: &f.a.logged}
	known, err := g.read(e)
	if err != nil {
		return err
	}
	concerned, err := f.concerned(known)
	if err != nil || !concerned {
		return err
	}
	f.say(known, false)
	if f.whole || known.claims.Type != visit.TypeDecision {
		return nil
	}
	return f.restsOn(g, known.claims)
}

func (f *feeding) say(k loggedEvent, named bool) {
	if f.said[k.event.Digest] {
		return
	}
	f.said[k.event.Digest] = true
	entry := k.entry
	entry.Receipt = k.event.Receipt
	f.page.Items = append(f.page.Items, FeedItem{Index: k.event.LeafIndex.Int64, Named: named, Entry: entry})
}

// concerned says whether an event is the organisation's own matter.
func (f *feeding) concerned(k loggedEvent) (bool, error) {
	e := k.event
	if f.whole || e.Org == f.organisation || k.claims.Header.Organisation == f.organisation {
		return true, nil
	}
	switch e.StreamKind {
	case visit.StreamOrganisation:
		return e.StreamID == f.organisation || e.Verb == visit.Publish && k.claims.Type != registry.TypeParameters, nil
	case visit.StreamVisit:
		v, err := f.tx.Visit(f.ctx, e.StreamID)
		return err == nil && slices.Contains([]string{v.Org, v.Provider}, f.organisation), absent(err)
	case visit.StreamOrder:
		o, err := f.tx.Order(f.ctx, e.StreamID)
		return err == nil && slices.Contains([]string{o.Org, o.Provider}, f.organisation), absent(err)
	}
	return false, nil
}

// absent forgives a row that is not there.
func absent(err error) error {
	if fault.KindOf(err) == fault.NotFound {
		return nil
	}
	return err
}

// restsOn opens what a decision names and the organisation does not see by itself.
func (f *feeding) restsOn(g *gather, decision statement.Claims) error {
	var body visit.Decision
	if err := decision.UntrustedBody(&body); err != nil {
		return err
	}
	for _, digest := range body.Evidence {
		e, err := f.tx.EventByDigest(f.ctx, digest)
		if err == nil {
			err = f.named(g, e)
		}
		if err != nil {
			return err
		}
	}
	for _, h := range body.Heads {
		head, err := f.tx.EventByDigest(f.ctx, h.Event)
		if err != nil {
			return err
		}
		events, err := f.tx.Events(f.ctx, head.Stream(), 1, h.Number)
		if err != nil {
			return err
		}
		for _, e := range events {
			if err := f.named(g, e); err != nil {
				return err
			}
		}
	}
	return nil
}

func (f *feeding) named(g *gather, e store.Event) error {
	k, err := g.read(e)
	if err != nil {
		return err
	}
	own, err := f.concerned(k)
	if err == nil && !own && e.LeafIndex.Valid {
		f.say(k, true)
	}
	return err
}

// ExportLeaves writes what the log opens to one organisation into a new folder: feed.jsonl, a leaf a line, and a
// manifest. It appears whole or not at all. A monitor reads it as it reads the feed (docs/export.md).
func (a *App) ExportLeaves(ctx context.Context, organisation, dir string) (int, error) {
	err := a.Store.Read(ctx, func(tx *store.Tx) error {
		_, err := tx.Organisation(ctx, organisation)
		return err
	})
	if err != nil {
		return 0, err
	}
	leaves := 0
	err = exportFolder(dir, func(work string) error {
		leaves, err = a.writeLeaves(ctx, organisation, work)
		return err
	})
	return leaves, err
}

func (a *App) writeLeaves(ctx context.Context, organisation, work string) (leaves int, err error) {
	sum, err := hashed(filepath.Join(work, feedName), func(w io.Writer) error {
		enc := json.NewEncoder(w)
		for after := int64(-1); ; {
			page, err := a.openedLeaves(ctx, organisation, false, after, feedBatch)
			if err != nil {
				return err
			}
			for _, it := range page.Items {
				leaves++
				if err := enc.Encode(it); err != nil {
					return err
				}
			}
			if page.Next == after {
				return nil
			}
			after = page.Next
		}
	})
	if err != nil {
		return 0, err
	}
	return leaves, writeManifest(work, struct {
		Format       string `json:"format"`
		Organisation string `json:"organisation"`
		Lines        int    `json:"lines"`
		SHA256       string `json:"sha256"`
	}{feedFormat, organisation, leaves, sum})
}
