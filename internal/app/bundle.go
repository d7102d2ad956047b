package app

import (
	"context"
	"errors"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/access"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/visit"
)

// Bundle exports a visit for the actor, with the openings that his role may read.
func (a *App) Bundle(ctx context.Context, actor Actor, visitID string) ([]byte, error) {
	if err := a.maySee(ctx, actor, visitID, access.ReadBundle); err != nil {
		return nil, err
	}
	b, err := a.export(ctx, visitID, actor.Role, true)
	if err != nil {
		return nil, err
	}
	return b.Bytes()
}

// named gathers everything that the visit's decisions name and, where receipts are needed, waits for them.
func (a *App) named(ctx context.Context, visitID string, receipts bool) (evidence.Dossier, error) {
	var d evidence.Dossier
	err := a.awaited(ctx, receipts, func(tx *store.Tx) (*gather, error) {
		g := a.gather(ctx, tx)
		claims, err := g.stream(visit.StreamVisit, visitID)
		if err != nil {
			return nil, err
		}
		if _, err := g.streams(visitID); err != nil {
			return nil, err
		}
		if err := g.named(claims); err != nil {
			return nil, err
		}
		d = evidence.Dossier{Visit: visitID, Entries: g.sorted()}
		d.LogSize, _ = g.logSize()
		return g, nil
	})
	return d, err
}

// export gathers everything that the visit's decisions name, waits for its receipts where they are needed,
// and closes it with the platform's signature.
func (a *App) export(ctx context.Context, visitID, reader string, receipts bool) (*evidence.Bundle, error) {
	d, err := a.named(ctx, visitID, receipts)
	if err != nil {
		return nil, err
	}
	if opensFor[reader] || reader == a.Operator {
		if d.Openings, err = a.positions(ctx, d.Entries, reader); err != nil {
			return nil, err
		}
	}
	stream := visit.StreamVisit + "/" + visitID
	return a.reader.Export(d, reader, d.LogSize, func(c evidence.Closing) ([]byte, error) {
		return a.sign(stream, evidence.TypeClosing, "", c)
	})
}

// opensFor says which roles get the openings that the gate reads: the parties whose own positions
// they are, and the acquirer, whose host decides.
var opensFor = map[string]bool{visit.RoleMerchant: true, visit.RoleHost: true, visit.RoleApprover: true, visit.RoleRisk: true}

// Sequence moves what waits in the outbox into the log, and receipts back: one pass, to be called
// again and again. It says whether there was anything to do.
func (a *App) Sequence(ctx context.Context) (bool, error) {
	moved, errAdd := a.addLeaves(ctx)
	receipted, errReceipt := a.fetchReceipts(ctx)
	if receipted {
		a.news.tell()
	}
	return moved || receipted, errors.Join(errAdd, errReceipt)
}

const sequenceBatch = 256

func (a *App) addLeaves(ctx context.Context) (bool, error) {
	var pending []store.QueuedLeaf
	err := a.Store.Read(ctx, func(tx *store.Tx) error {
		var err error
		pending, err = tx.PendingLeaves(ctx, sequenceBatch)
		return err
	})
	if err != nil || len(pending) == 0 {
		return false, err
	}
	indexes := make([]uint64, len(pending))
	errs := make([]error, len(pending))
	each(len(pending), func(i int) { indexes[i], errs[i] = a.Log.Add(ctx, pending[i].Leaf) })
	err = a.Store.Write(ctx, func(tx *store.Tx) error {
		for i, p := range pending {
			if errs[i] != nil {
				continue
			}
			if err := tx.MarkSequenced(ctx, p.EventDigest, int64(indexes[i])); err != nil {
				return err
			}
		}
		return nil
	})
	return true, errors.Join(append(errs, err)...)
}

func (a *App) fetchReceipts(ctx context.Context) (bool, error) {
	var waiting []store.QueuedLeaf
	err := a.Store.Read(ctx, func(tx *store.Tx) error {
		var err error
		waiting, err = tx.Unreceipted(ctx, sequenceBatch)
		return err
	})
	if err != nil || len(waiting) == 0 {
		return false, err
	}
	receipts := make(map[string]string, len(waiting))
	for _, w := range waiting {
		r, err := a.Log.Receipt(ctx, uint64(w.LeafIndex.Int64))
		if code := fault.CodeOf(err); code == "log_not_witnessed" || code == "log_starting" {
			break // later leaves are not witnessed either
		}
		if err != nil {
			return false, err
		}
		receipts[w.EventDigest] = string(r)
	}
	if len(receipts) == 0 {
		return false, nil
	}
	return true, a.Store.Write(ctx, func(tx *store.Tx) error {
		for _, w := range waiting {
			if r := receipts[w.EventDigest]; r != "" {
				if err := tx.SetReceipt(ctx, w.EventDigest, r); err != nil {
					return err
				}
			}
		}
		return nil
	})
}
