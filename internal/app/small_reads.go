package app

import (
	"context"
	"time"

	"github.com/menshen-project/menshen/internal/access"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/transparency"
	"github.com/menshen-project/menshen/internal/visit"
)

// Previous gives the digest of the last statement that a key signed in a visit, "" for none: what the
// next one must name as previous.
func (a *App) Previous(ctx context.Context, actor Actor, visitID, key string) (string, error) {
	if err := a.maySee(ctx, actor, visitID, access.ReadVisit); err != nil {
		return "", err
	}
	s, err := a.visitStanding(ctx, visitID)
	return s.state.LastBy(key), err
}

// Ready says whether the node can serve: its store answers. The log and its witnesses may be down
// meanwhile; visits go on and queue.
func (a *App) Ready(ctx context.Context) error {
	return a.Store.Read(ctx, func(tx *store.Tx) error {
		_, err := tx.Head(ctx, store.Stream{Kind: visit.StreamOrganisation, ID: a.Operator})
		return err
	})
}

// LogTrouble says why the log takes nothing, or nil: what transparency.Log.Trouble says. What is recorded waits in
// the outbox meanwhile.
func (a *App) LogTrouble() error {
	if l, ok := a.Log.(interface{ Trouble() error }); ok {
		return l.Trouble()
	}
	return nil
}

// LogStanding is how the log does, for whoever watches the server.
type LogStanding struct {
	Why       string            // code of why nothing is sequenced or receipted; "" when all is well
	Witnesses map[string]string // party → code of why its last answer did not count

	State       string    // "" where this node runs no log
	Behind      uint64    // leaves that no witnessed checkpoint covers yet
	WitnessedAt time.Time // when the latest was seen, zero for never
}

// LogStanding says how the log does.
func (a *App) LogStanding() LogStanding {
	l, ok := a.Log.(interface{ Status() transparency.Status })
	if !ok {
		return LogStanding{}
	}
	status := l.Status()
	s := LogStanding{Why: fault.CodeOf(a.LogTrouble()), Witnesses: map[string]string{}, State: string(status.State), Behind: status.Size - min(status.Witnessed, status.Size), WitnessedAt: status.WitnessedAt}
	if s.Why == "" && status.State != transparency.StateOK {
		s.Why = errNotReady.Code
	}
	for _, w := range status.Witnesses {
		if !w.OK && w.Why != "" {
			s.Witnesses[w.Party] = w.Why
		}
	}
	return s
}
