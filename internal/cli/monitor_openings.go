package cli

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"path/filepath"
	"strconv"
	"time"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/record"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/transparency"
	"github.com/menshen-project/menshen/internal/visit"
)

var (
	errNotLogged    = fault.New(fault.Refused, "event_not_in_log", "这个事件不在它说的日志位置上。", "This event is not where in the log it says it is.")
	errEnrolStrange = fault.New(fault.Refused, "enrolment_not_ordered", "这份登记以本机构名义签发，本机构没有签过。", "This enrolment was issued in the organisation's name, and the organisation did not order it.")
	errBadgeStrange = fault.New(fault.Refused, "badge_not_ordered", "这张工牌以本机构名义签发，本机构没有签过。", "This badge was issued in the organisation's name, and the organisation did not order it.")
	errThawed       = fault.New(fault.Refused, "release_after_freeze", "已经冻结、没有解除，主机仍然装了密钥。", "The visit was frozen and not resumed, and the host loaded keys all the same.")
)

// opened is an event as an export has it.
type opened struct {
	Kind      string `json:"stream_kind"`
	ID        string `json:"stream_id"`
	Number    int64  `json:"number"`
	Verb      string `json:"verb"`
	Statement string `json:"statement_digest"`
	Bytes     struct {
		Bytes []byte `json:"b64"`
	} `json:"bytes"`
	Salt struct {
		Bytes []byte `json:"b64"`
	} `json:"salt"`
	Day      string `json:"day"`
	Province string `json:"province"`
	Index    *int64 `json:"leaf_index"`
}

func (e opened) where() string { return e.Kind + "/" + e.ID + " " + strconv.FormatInt(e.Number, 10) }

// compare reads every opening in its stream's order and compares it with the proven leaves.
func (m monitoring) compare(ctx context.Context, reader *transparency.Reader, w *watchedLog) error {
	var leaves [][32]byte
	if _, err := reader.Leaves(ctx, func(_ uint64, leaf []byte) error {
		leaves = append(leaves, sha256.Sum256(leaf))
		return nil
	}); err != nil {
		return err
	}
	envelopes := map[string][]byte{}
	err := lines(filepath.Join(m.openings, "tables", "statements.jsonl"), func(l []byte) error {
		var s struct {
			Digest string `json:"digest"`
			Bytes  struct {
				Bytes []byte `json:"b64"`
			} `json:"bytes"`
		}
		if err := json.Unmarshal(l, &s); err != nil || statement.Digest(s.Bytes.Bytes) != s.Digest {
			return errOpenings.At("statements").Because(err)
		}
		envelopes[s.Digest] = s.Bytes.Bytes
		return nil
	})
	if err != nil {
		return err
	}
	j := &judging{watchedLog: w, leaves: leaves, envelopes: envelopes, organisation: m.organisation, frozen: map[string]time.Time{}}
	if m.ordered != "" {
		if j.ordered, err = orderedBy(m.ordered); err != nil {
			return err
		}
	}
	return lines(filepath.Join(m.openings, "tables", "events.jsonl"), func(l []byte) error {
		var e opened
		if err := json.Unmarshal(l, &e); err != nil {
			return errOpenings.At("events").Because(err)
		}
		return j.judge(e)
	})
}

// judging is what a monitor knows while it reads openings.
type judging struct {
	*watchedLog
	leaves       [][32]byte
	envelopes    map[string][]byte
	organisation string
	ordered      map[string]bool      // nil: nobody said
	frozen       map[string]time.Time // visit → since when
}

func (j *judging) judge(e opened) error {
	if e.Index == nil {
		return nil // it waits for the log
	}
	if len(e.Salt.Bytes) != 16 {
		return errOpenings.At(e.where())
	}
	parsed, err := record.ParseEvent(e.Bytes.Bytes)
	if err != nil {
		return errOpenings.At(e.where()).Because(err)
	}
	leaf, err := record.LeafFor(e.Bytes.Bytes, [16]byte(e.Salt.Bytes), e.Day, e.Province)
	if err != nil {
		return errOpenings.At(e.where()).Because(err)
	}
	if at := *e.Index; at < 0 || at < int64(len(j.leaves)) && j.leaves[at] != sha256.Sum256(leaf.Bytes()) {
		j.raise(errNotLogged, e.where())
		return nil
	}
	j.Opened++
	envelope, ok := j.envelopes[parsed.Statement]
	if !ok {
		return errOpenings.At(e.where())
	}
	claims, err := statement.Parse(envelope)
	if err != nil {
		return errOpenings.At(e.where()).Because(err)
	}
	j.strange(e, parsed, claims)
	return j.thawed(e, parsed, claims)
}

// strange raises what was issued in the organisation's name and is not on its own list.
func (j *judging) strange(e opened, parsed record.Event, claims statement.Claims) {
	if j.ordered == nil || claims.Header.Organisation != j.organisation || j.ordered[parsed.Statement] {
		return
	}
	switch parsed.Verb {
	case visit.Enrol:
		j.raise(errEnrolStrange, e.where())
	case visit.IssueBadge:
		j.raise(errBadgeStrange, e.where())
	}
}

// thawed raises keys that a host says it loaded after a freeze that nobody lifted. An outcome that was only
// received late is dated before the freeze.
func (j *judging) thawed(e opened, parsed record.Event, claims statement.Claims) error {
	switch {
	case parsed.Verb == visit.Freeze:
		at, err := parsed.ReceivedAt.Parse()
		if err != nil {
			return errOpenings.At(e.where()).Because(err)
		}
		if j.frozen[parsed.Stream].IsZero() {
			j.frozen[parsed.Stream] = at
		}
	case parsed.Verb == visit.Resume:
		delete(j.frozen, parsed.Stream)
	case claims.Type == visit.TypeOutcome && !j.frozen[parsed.Stream].IsZero():
		var o visit.Outcome
		if err := claims.UntrustedBody(&o); err != nil {
			return errOpenings.At(e.where()).Because(err)
		}
		acted, err := claims.Header.At.Parse()
		if err != nil {
			return errOpenings.At(e.where()).Because(err)
		}
		if o.Outcome == visit.Loaded && acted.After(j.frozen[parsed.Stream]) {
			j.raise(errThawed, e.where())
		}
	}
	return nil
}
