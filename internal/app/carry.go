package app

import (
	"context"

	"github.com/menshen-project/menshen/internal/access"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/visit"
)

// MaxCarried is how many statements one request carries; a phone's longest day is a few hundred.
const MaxCarried = 100

// refCarried finds the events that a dispatcher brought for somebody else: carrier → event.
const refCarried = "carried"

var (
	errCarrier    = fault.New(fault.Forbidden, "carrier_not_dispatcher", "只有服务商的调度可以代交手机导出的文件。", "Only a provider's dispatcher hands in what a phone exported.")
	errCarryMany  = fault.New(fault.TooLarge, "carried_too_many", "一次最多代交 100 份，请分几次。", "At most 100 statements at once; hand them in in several parts.")
	errCarryOther = fault.New(fault.Forbidden, "carried_of_another", "只能代交本机构上门人员签的文件。", "A dispatcher carries only what technicians of the same organisation signed.")
)

// Carried is what became of one statement.
type Carried struct {
	Statement string // digest, "" where the envelope cannot be read
	Accepted  Accepted
	Fault     error // nil when it is recorded
}

// Carry files what a phone exported, each statement in the name of its signer and by his rights, never
// by the carrier's (decision 0019). What is refused stands beside its reason; the rest goes on, since
// a person looks at each. Faults: carrier_not_dispatcher, carried_too_many.
func (a *App) Carry(ctx context.Context, carrier Actor, list []Submission) ([]Carried, error) {
	if access.Role(carrier.Role) != access.Dispatcher {
		return nil, errCarrier
	}
	if len(list) > MaxCarried {
		return nil, errCarryMany
	}
	out := make([]Carried, 0, len(list))
	for _, in := range list {
		out = append(out, a.carry(ctx, carrier, in))
	}
	return out, nil
}

func (a *App) carry(ctx context.Context, carrier Actor, in Submission) Carried {
	claims, err := statement.Parse(in.Envelope)
	if err != nil {
		return Carried{Fault: err}
	}
	h := claims.Header
	if h.Organisation != carrier.Organisation || h.Role != visit.RoleTechnician {
		return Carried{Statement: claims.Digest(), Fault: errCarryOther}
	}
	in.carrier = carrier.Person
	signer := Actor{Person: h.Signer, Organisation: h.Organisation, Role: h.Role}
	done, err := a.record(ctx, &signer, in, claims)
	return Carried{Statement: claims.Digest(), Accepted: done, Fault: err}
}

// carriedBy notes who brought a statement that its signer did not bring himself.
func (w *writing) carriedBy(ctx context.Context, tx *store.Tx) error {
	if w.in.carrier == "" {
		return nil
	}
	return w.ref(ctx, tx, refCarried, w.in.carrier, int64(w.entry.ReceivedAt))
}
