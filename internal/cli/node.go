package cli

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"time"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/acquirer"
	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/orgapi"
	"github.com/menshen-project/menshen/internal/record"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/transparency"
	"github.com/menshen-project/menshen/internal/vault"
)

// node is everything of one deployment's process but its listener.
type node struct {
	app   *app.App
	store *store.Store
	log   *transparency.Log // nil for commands that do not run the log
}

// openNode opens store, vault and hosts. With a logger it also runs the transparency log; without,
// what is recorded waits in the outbox for the server.
func openNode(ctx context.Context, c Config, logger *slog.Logger) (*node, error) {
	trust, err := c.trust()
	if err != nil {
		return nil, err
	}
	platform, err := readECKey(c.path(c.PlatformKey))
	if err != nil {
		return nil, err
	}
	kek, err := readHexKey(c.path(c.VaultKey))
	if err != nil {
		return nil, err
	}
	safe, err := vault.New(kek)
	if err != nil {
		return nil, err
	}
	hosts, err := c.hosts()
	if err != nil {
		return nil, err
	}
	services, err := c.services()
	if err != nil {
		return nil, err
	}
	receivers, err := c.receivers()
	if err != nil {
		return nil, err
	}
	n := &node{}
	if n.store, err = store.Open(ctx, c.database()); err != nil {
		return nil, err
	}
	if logger != nil {
		if n.log, err = c.openLog(ctx, n.store, logger); err != nil {
			return nil, errors.Join(err, n.store.Close())
		}
	}
	var leaves app.Log // a nil *Log in it would not be nil
	if n.log != nil {
		leaves = n.log
	}
	n.app = app.New(app.Config{Store: n.store, Vault: safe, Log: leaves, Hosts: hosts, Organisations: services, Receivers: receivers, Site: c.PublicURL, Platform: platform, Operator: c.Operator,
		Province: c.Province, Trust: trust, Now: time.Now, Patience: c.patience()})
	return n, nil
}

func (n *node) close() error {
	var err error
	if n.log != nil {
		err = n.log.Close()
	}
	return errors.Join(err, n.store.Close())
}

func (c Config) hosts() (map[string]app.Host, error) {
	out := map[string]app.Host{}
	for _, h := range c.Hosts {
		token, err := readToken(c.path(h.TokenFile))
		if err != nil {
			return nil, err
		}
		client, err := acquirer.New(acquirer.Config{BaseURL: h.URL, Token: token, Pin: h.PinSHA256})
		if err != nil {
			return nil, err
		}
		out[h.Acquirer] = client
	}
	return out, nil
}

// logPolicy is which log and witnesses a trust file names.
func logPolicy(trust evidence.Trust) record.PolicyConfig {
	file := trust.File()
	policy := record.PolicyConfig{Origin: file.Log.Origin, Operator: file.Log.Operator, LogKey: file.Log.Key, Quorum: file.Quorum}
	for _, w := range file.Witnesses {
		policy.Witnesses = append(policy.Witnesses, w.InPolicy())
	}
	return policy
}

// services are the clients of the organisations' own signing services.
func (c Config) services() (map[string]app.Organisation, error) {
	out := map[string]app.Organisation{}
	for _, o := range c.Organisations {
		token, err := readToken(c.path(o.TokenFile))
		if err != nil {
			return nil, err
		}
		client, err := orgapi.NewClient(orgapi.Config{BaseURL: o.URL, Token: token, Pin: o.PinSHA256})
		if err != nil {
			return nil, fault.At(err, o.Organisation)
		}
		out[o.Organisation] = client
	}
	return out, nil
}

// openLog starts the log under the policy that the trust file's readers will hold it to.
func (c Config) openLog(ctx context.Context, s *store.Store, logger *slog.Logger) (*transparency.Log, error) {
	trust, err := c.trust()
	if err != nil {
		return nil, err
	}
	secret, err := readKeyLine(c.path(c.Log.Key))
	if err != nil {
		return nil, err
	}
	signer, vkey, err := transparency.ParseLogSigner(secret)
	if err != nil {
		return nil, err
	}
	policy := logPolicy(trust)
	policy.LogKey = vkey
	conf := transparency.Config{Dir: c.path(c.Log.Dir), Signer: signer, Policy: policy, Interval: time.Duration(c.Log.IntervalMS) * time.Millisecond, Logger: logger}
	if conf.Known, err = lastLeaf(ctx, s); err != nil {
		return nil, err
	}
	for _, w := range c.Log.Witnesses {
		conf.Witnesses = append(conf.Witnesses, transparency.WitnessEndpoint{VKey: w.Key, URL: w.URL})
	}
	return transparency.Open(ctx, conf)
}

// lastLeaf is the last leaf whose place in the log the database knows: a folder without it is not this log's.
func lastLeaf(ctx context.Context, s *store.Store) (last *transparency.KnownLeaf, err error) {
	err = s.Read(ctx, func(tx *store.Tx) error {
		at, err := tx.HighestLeafBelow(ctx, math.MaxInt64)
		if err != nil || at < 0 {
			return err
		}
		events, err := tx.EventsByLeaf(ctx, at-1, 1)
		if err != nil {
			return err
		}
		list, err := knownLeaves(events)
		if len(list) > 0 {
			last = &list[0]
		}
		return err
	})
	return last, err
}

// knownLeaves makes the leaves of events that are in the log.
func knownLeaves(events []store.Event) ([]transparency.KnownLeaf, error) {
	list := make([]transparency.KnownLeaf, 0, len(events))
	for _, e := range events {
		leaf, err := record.LeafFor(e.Bytes, [16]byte(e.Salt), e.Day, e.Province)
		if err != nil {
			return nil, err
		}
		list = append(list, transparency.KnownLeaf{Index: uint64(e.LeafIndex.Int64), Leaf: leaf.Bytes()})
	}
	return list, nil
}
