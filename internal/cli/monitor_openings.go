package cli

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/credential"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/record"
	"github.com/menshen-project/menshen/internal/registry"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/transparency"
	"github.com/menshen-project/menshen/internal/visit"
)

var (
	errNotLogged    = fault.New(fault.Refused, "event_not_in_log", "这个事件不在它说的日志位置上。", "This event is not where in the log it says it is.")
	errLeafClosed   = fault.New(fault.Refused, "leaf_not_opened", "日志里有这条记录，运营方没有交出原文。", "The log has this leaf, and the operator did not open it.")
	errEnrolStrange = fault.New(fault.Refused, "enrolment_not_ordered", "这份登记以本机构名义签发，本机构没有签过。", "This enrolment was issued in the organisation's name, and the organisation did not order it.")
	errBadgeStrange = fault.New(fault.Refused, "badge_not_ordered", "这张工作证以本机构名义签发，本机构没有签过。", "This badge was issued in the organisation's name, and the organisation did not order it.")
	errThawed       = fault.New(fault.Refused, "release_after_freeze", "已经冻结、没有解除，主机仍然装了密钥。", "The visit was frozen and not resumed, and the host loaded keys all the same.")
	errListOld      = fault.New(fault.Refused, "list_used_after_newer", "做决定时日志里已有更新的名单，用的还是旧的。", "A decision used a list though a newer one lay below its log size.")
	errDecisionBad  = fault.New(fault.Refused, "decision_not_verified", "这次上门的一个决定，按证据重新判断对不上。", "A decision of this visit does not come out again when its evidence is judged.")
)

// opened is an event as a monitor has it: proven to be the leaf at its index.
type opened struct {
	line   feedLine
	event  record.Event
	claims statement.Claims
	digest string // of the event
}

func (e opened) where() string { return e.event.Stream + " " + strconv.Itoa(e.event.Number) }

// compare opens every leaf that we were given, in its stream's order, and says what is wrong with them.
func (m monitoring) compare(ctx context.Context, reader *transparency.Reader, trust evidence.Trust, w *watchedLog) error {
	var leaves [][32]byte
	if _, err := reader.Leaves(ctx, func(_ uint64, leaf []byte) error {
		leaves = append(leaves, sha256.Sum256(leaf))
		return nil
	}); err != nil {
		return err
	}
	j := &judging{watchedLog: w, leaves: leaves, organisation: m.organisation, trust: trust}
	if m.ordered != "" {
		var err error
		if j.ordered, err = orderedBy(m.ordered); err != nil {
			return err
		}
	}
	if err := openedLeaves(m.openings, j.take); err != nil {
		return err
	}
	return j.tell(m.whole)
}

// exportedLeaves reads the events of a whole export (docs/export.md).
func exportedLeaves(dir string, each func(feedLine) error) error {
	type cell struct {
		Bytes []byte `json:"b64"`
	}
	envelopes := map[string][]byte{}
	err := lines(filepath.Join(dir, "tables", "statements.jsonl"), func(l []byte) error {
		var s struct {
			Digest string `json:"digest"`
			Bytes  cell   `json:"bytes"`
		}
		if err := json.Unmarshal(l, &s); err != nil || statement.Digest(s.Bytes.Bytes) != s.Digest {
			return errOpenings.Because(err)
		}
		envelopes[s.Digest] = s.Bytes.Bytes
		return nil
	})
	if err != nil {
		return err
	}
	return lines(filepath.Join(dir, "tables", "events.jsonl"), func(l []byte) error {
		var e struct {
			Bytes     cell   `json:"bytes"`
			Statement string `json:"statement_digest"`
			Salt      cell   `json:"salt"`
			Day       string `json:"day"`
			Province  string `json:"province"`
			Receipt   string `json:"receipt"`
			Index     *int64 `json:"leaf_index"`
		}
		if err := json.Unmarshal(l, &e); err != nil || len(e.Salt.Bytes) != 16 {
			return errOpenings.Because(err)
		}
		if e.Index == nil {
			return nil // it waits for the log
		}
		return each(feedLine{Index: *e.Index, Entry: evidence.EntryOf(e.Bytes.Bytes, envelopes[e.Statement], [16]byte(e.Salt.Bytes), e.Day, e.Province, e.Receipt)})
	})
}

// judging is what a monitor knows while it reads openings.
type judging struct {
	*watchedLog
	trust        evidence.Trust
	leaves       [][32]byte
	organisation string
	ordered      map[string]bool // nil: nobody said
	events       map[int64]opened
}

// take proves one opening against the leaf at its place.
func (j *judging) take(line feedLine) error {
	event, err := statement.Base64(line.Entry.Event)
	if err != nil {
		return errOpenings.At("event").Because(err)
	}
	parsed, err := record.ParseEvent(event)
	if err != nil {
		return errOpenings.At("event").Because(err)
	}
	e := opened{line: line, event: parsed, digest: statement.Digest(event)}
	salt, err := statement.Base64(line.Entry.Salt)
	if err != nil || len(salt) != 16 {
		return errOpenings.At(e.where()).Because(err)
	}
	leaf, err := record.LeafFor(event, [16]byte(salt), line.Entry.Day, line.Entry.Province)
	if err != nil {
		return errOpenings.At(e.where()).Because(err)
	}
	if at := line.Index; at < 0 || at < int64(len(j.leaves)) && j.leaves[at] != sha256.Sum256(leaf.Bytes()) {
		j.raise(errNotLogged, e.where())
		return nil
	}
	envelope, err := statement.Base64(line.Entry.Statement)
	if err != nil || statement.Digest(envelope) != parsed.Statement {
		return errOpenings.At(e.where()).Because(err)
	}
	if e.claims, err = statement.Parse(envelope); err != nil {
		return errOpenings.At(e.where()).Because(err)
	}
	if j.events == nil {
		j.events = map[int64]opened{}
	}
	j.events[line.Index] = e
	return nil
}

// tell goes through everything that was opened, stream by stream.
func (j *judging) tell(whole bool) error {
	all := make([]opened, 0, len(j.events))
	last := int64(-1)
	for at, e := range j.events {
		all, last = append(all, e), max(last, at)
	}
	j.Opened = len(all)
	slices.SortFunc(all, func(a, b opened) int {
		return cmp.Or(cmp.Compare(a.event.Stream, b.event.Stream), cmp.Compare(a.event.Number, b.event.Number))
	})
	frozen := map[string]time.Time{}
	for _, e := range all {
		j.strange(e)
		if err := j.thawed(e, frozen); err != nil {
			return err
		}
	}
	for at := int64(0); whole && at < min(last, int64(len(j.leaves))); at++ {
		if _, known := j.events[at]; !known {
			j.raise(errLeafClosed, "leaf "+strconv.FormatInt(at, 10))
		}
	}
	return j.decisions(all)
}

// strange raises what was issued in the organisation's name and is not on its own list.
func (j *judging) strange(e opened) {
	if j.ordered == nil || e.claims.Header.Organisation != j.organisation || j.ordered[e.event.Statement] {
		return
	}
	switch e.event.Verb {
	case visit.Enrol:
		j.raise(errEnrolStrange, e.where())
	case visit.IssueBadge:
		j.raise(errBadgeStrange, e.where())
	}
}

// thawed raises keys that a host says it loaded after a freeze that nobody lifted. An outcome that was only
// received late is dated before the freeze.
func (j *judging) thawed(e opened, frozen map[string]time.Time) error {
	stream := e.event.Stream
	switch {
	case e.event.Verb == visit.Freeze:
		at, err := e.event.ReceivedAt.Parse()
		if err != nil {
			return errOpenings.At(e.where()).Because(err)
		}
		if frozen[stream].IsZero() {
			frozen[stream] = at
		}
	case e.event.Verb == visit.Resume:
		delete(frozen, stream)
	case e.claims.Type == visit.TypeOutcome && !frozen[stream].IsZero():
		var o visit.Outcome
		if err := e.claims.UntrustedBody(&o); err != nil {
			return errOpenings.At(e.where()).Because(err)
		}
		acted, err := e.claims.Header.At.Parse()
		if err != nil {
			return errOpenings.At(e.where()).Because(err)
		}
		if o.Outcome == visit.Loaded && acted.After(frozen[stream]) {
			j.raise(errThawed, e.where())
		}
	}
	return nil
}

// numbered is a list's name and number: of two with one name, the higher number counts.
func numbered(e opened) (name string, number int) {
	if e.event.Verb != visit.Publish || e.event.Stream != visit.StreamOrganisation+"/"+e.claims.Header.Organisation {
		return "", 0
	}
	var list any
	var parameters registry.Parameters
	var status registry.StatusList
	var trust credential.TrustList
	switch e.claims.Type {
	case credential.TypeTrustList:
		list = &trust
	case registry.TypeParameters:
		list = &parameters
	case registry.TypeStatusList:
		list = &status
	default:
		return "", 0
	}
	if e.claims.UntrustedBody(list) != nil {
		return "", 0 // whoever decides over it refuses it
	}
	return e.event.Stream + " " + e.claims.Type + " " + status.URI, trust.Number + parameters.Number + status.Number // one of the three
}

// decisions judges every decision again, and holds the lists that it names to those that lay below it.
func (j *judging) decisions(all []opened) error {
	byDigest, byStream := map[string]opened{}, map[string][]opened{}
	for _, e := range all {
		byDigest[e.digest] = e
		byStream[e.event.Stream] = append(byStream[e.event.Stream], e)
	}
	visits := map[string]map[int64]opened{} // visit's stream → what its decisions rest on
	for _, e := range all {
		if e.claims.Type != visit.TypeDecision {
			continue
		}
		var d visit.Decision
		if err := e.claims.UntrustedBody(&d); err != nil {
			return errOpenings.At(e.where()).Because(err)
		}
		rests := visits[e.event.Stream]
		if rests == nil {
			rests = map[int64]opened{}
			visits[e.event.Stream] = rests
		}
		for _, own := range byStream[e.event.Stream] {
			rests[own.line.Index] = own
		}
		for _, h := range d.Heads {
			for _, of := range byStream[h.Stream] {
				rests[of.line.Index] = of
			}
		}
		for _, digest := range d.Evidence {
			if of, known := byDigest[digest]; known {
				rests[of.line.Index] = of
			}
		}
		j.lists(e, d, byDigest, byStream)
	}
	for _, stream := range slices.Sorted(maps.Keys(visits)) {
		j.again(stream, visits[stream])
	}
	return nil
}

// lists raises a list that a decision used though a newer one lay below its log size.
func (j *judging) lists(e opened, d visit.Decision, byDigest map[string]opened, byStream map[string][]opened) {
	newest := map[string]int{}
	for _, digest := range d.Evidence {
		if name, number := numbered(byDigest[digest]); name != "" {
			newest[name] = max(newest[name], number)
		}
	}
	for _, digest := range d.Evidence {
		used := byDigest[digest]
		name, number := numbered(used)
		if name == "" || number < newest[name] {
			continue
		}
		for _, other := range byStream[used.event.Stream] {
			if its, n := numbered(other); its == name && n > number && other.line.Index < d.LogSize {
				j.raise(errListOld, e.where())
				break
			}
		}
	}
}

// again judges a visit's decisions.
func (j *judging) again(stream string, rests map[int64]opened) {
	list := make([]opened, 0, len(rests))
	for _, e := range rests {
		list = append(list, e)
	}
	slices.SortFunc(list, func(a, b opened) int {
		return cmp.Or(cmp.Compare(a.event.Stream, b.event.Stream), cmp.Compare(a.event.Number, b.event.Number))
	})
	entries := make([]evidence.Entry, 0, len(list))
	for _, e := range list {
		entries = append(entries, e.line.Entry)
	}
	_, id, err := record.SplitStream(stream)
	if err == nil {
		err = evidence.Decisions(id, entries, j.trust).Refusal
	}
	if err != nil {
		j.raise(errDecisionBad, stream+": "+fault.CodeOf(err))
	}
}
