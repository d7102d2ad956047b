package app

import (
	"context"
	"crypto/sha256"
	"slices"
	"strings"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/record"
	"github.com/menshen-project/menshen/internal/store"
)

// Found is one row that is not as the server left it: which, and what is wrong. No personal value is
// in it, for no key is one.
type Found struct {
	Table string     `json:"table"`
	Key   string     `json:"key"`
	Code  string     `json:"code"`
	Text  fault.Text `json:"text"`
	Why   string     `json:"why,omitempty"` // of an event: the code with which the rules refuse it today
}

// StoreReport is what VerifyStore found.
type StoreReport struct {
	Found     []Found          `json:"found"` // at most maxFound
	More      int              `json:"more"`  // found and not listed
	Rows      map[string]int64 `json:"rows"`  // looked at, by table
	Events    int64            `json:"events"`
	Leaves    uint64           `json:"leaves"`    // of the witnessed log
	Unchecked []string         `json:"unchecked"` // tables that nothing here speaks for
	Skipped   []string         `json:"skipped"`   // tables not recomputed, because events themselves are wrong
}

// OK says whether nothing was found.
func (r StoreReport) OK() bool { return len(r.Found) == 0 }

// maxFound bounds the list: after so many nobody reads on.
const maxFound = 1000

// LeafReader reads the log that the store should agree with, as its witnesses have seen it.
type LeafReader interface {
	// Size is how many leaves the witnesses have seen.
	Size(ctx context.Context) (uint64, error)
	// Leaves gives every witnessed leaf in order, proven against the checkpoint, and their number.
	Leaves(ctx context.Context, each func(index uint64, leaf []byte) error) (size uint64, err error)
}

var (
	errRowBytes      = fault.New(fault.Refused, "row_bytes_changed", "内容和它的摘要不符：这一行被改过。", "The bytes are not those of their digest: the row was changed.")
	errRowStray      = fault.New(fault.Refused, "row_added", "没有任何签名记录说明这一行：它是另外加进去的。", "No signed record speaks for this row: somebody added it.")
	errRowGone       = fault.New(fault.Refused, "row_removed", "按签名记录这里应有一行：它被删掉了。", "By the signed records there should be a row here: somebody removed it.")
	errRowDiffers    = fault.New(fault.Refused, "row_changed", "这一行和签名记录算出来的不一样：它被改过。", "The row is not what the signed records give: somebody changed it.")
	errRowSeal       = fault.New(fault.Refused, "row_seal_broken", "这一行和它的封记不符：行或封记被改过。", "The row does not fit its seal: row or seal was changed.")
	errRowUnsealed   = fault.New(fault.Refused, "row_unsealed", "这一行没有封记：它是绕过系统加进去的。", "The row has no seal: it was added behind the server's back.")
	errRowOrphan     = fault.New(fault.Refused, "row_removed_seal_left", "封记还在，行没有了：它被删掉了。", "The seal is there and the row is not: somebody removed it.")
	errEventChain    = fault.New(fault.Refused, "event_chain_broken", "事件接不上前一个：缺了一行，或者被改过。", "The event does not follow the one before it: a row is missing or was changed.")
	errEventReceipt  = fault.New(fault.Refused, "event_receipt_wrong", "回执证明不了这个事件：行、随机数或回执被改过。", "The receipt does not prove this event: row, salt or receipt was changed.")
	errEventWitness  = fault.New(fault.Refused, "event_receipt_witnesses", "回执上的见证方，信任文件里没有，或不够数：是不是有见证方的钥匙从信任文件里拿掉了？", "The receipt's witnesses are not those of the trust file, or too few: was a witness's key taken out of the trust file?")
	errEventProof    = fault.New(fault.Refused, "event_not_provable", "这个事件按规则再收一次收不进去：它或它依据的记录被改过。", "The event would not be received again by the rules: it, or what it rests on, was changed.")
	errLeafForeign   = fault.New(fault.Refused, "leaf_without_event", "日志里有这一条，库里没有它的事件：事件被删掉了。", "The log has this leaf and the store has no event for it: an event was removed.")
	errLogShort      = fault.New(fault.Refused, "log_shorter_than_receipt", "日志比这个事件的回执证明的要短：日志被换成了旧的。", "The log is shorter than this event's receipt proves: it was replaced by an older one.")
	errLeafOther     = fault.New(fault.Refused, "leaf_differs", "日志里的这一条不是库里的事件。", "The leaf in the log is not this event's.")
	errVaultUnopened = fault.New(fault.Refused, "vault_row_damaged", "密文解不开或和承诺不符：这一行被改过。", "The sealed value does not open or does not fit its commitment: the row was changed.")
	errRowShape      = fault.New(fault.Refused, "row_malformed", "这一行不可能由系统写成。", "The server cannot have written this row.")
)

// checker is one run over one snapshot.
type checker struct {
	app     *App
	ctx     context.Context
	tx      *store.Tx
	tables  map[string]store.Table
	report  StoreReport
	scratch *App
	clock   *clock
	policy  *record.Verifier
	before  uint64   // leaves of the log when the check began
	refused []string // what the events are about, and their digests, that the rules refuse today
	lost    bool     // so many of them, or so far apart, that the tables say nothing
	tell    func(step string)
}

// VerifyStore compares every table with the log, the signed records and the vault, on one snapshot
// while the server goes on. dir takes a scratch copy; tell hears of each step. It changes nothing.
func (a *App) VerifyStore(ctx context.Context, dir string, log LeafReader, tell func(step string)) (StoreReport, error) {
	k := &checker{app: a, ctx: ctx, tell: tell, tables: map[string]store.Table{}, report: StoreReport{Found: []Found{}, Rows: map[string]int64{}, Unchecked: []string{}, Skipped: []string{}}}
	var err error
	if k.policy, err = a.logVerifier(); err != nil {
		return k.report, err
	}
	if k.before, err = log.Size(ctx); err != nil { // before the snapshot: of these, the store has the events
		return k.report, err
	}
	closeScratch, err := k.openScratch(dir)
	if err != nil {
		return k.report, err
	}
	err = a.Store.Snapshot(ctx, func(tx *store.Tx) error { return k.run(tx, log) })
	return k.report, firstError(err, closeScratch())
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func (k *checker) run(tx *store.Tx, log LeafReader) error {
	k.tx = tx
	list, err := tx.Tables(k.ctx) // the snapshot begins here
	if err != nil {
		return err
	}
	var leaves [][32]byte // read after it began: the log has what its receipts prove
	if k.report.Leaves, err = log.Leaves(k.ctx, func(_ uint64, leaf []byte) error {
		leaves = append(leaves, sha256.Sum256(leaf))
		return nil
	}); err != nil {
		return err
	}
	for _, t := range list {
		k.tables[t.Name] = t
		if !slices.Contains(checkedTables, t.Name) {
			k.report.Unchecked = append(k.report.Unchecked, t.Name)
		}
	}
	for _, step := range []struct {
		name string
		do   func() error
	}{{"statements", k.statements}, {"events", k.events}, {"streams", k.streams}, {"outbox", k.outbox}, {"log", func() error { return k.log(leaves) }}, {"seals", k.seals},
		{"vault", k.vault}, {"service", k.service}, {"projections", k.projections}} {
		k.tell(step.name)
		if err := step.do(); err != nil {
			return err
		}
	}
	return nil
}

// checkedTables are those that a step of run speaks for.
var checkedTables = append([]string{"statements", "streams", "events", "outbox", "row_seals", "identities", "jobs", "answers", "event_refs", "open_matters",
	"visits", "visit_terms", "challenges", "bindings", "photos", "permits"}, store.Sealed...)

func (k *checker) found(table, key string, err error) {
	if len(k.report.Found) >= maxFound {
		k.report.More++
		return
	}
	f := fault.Of(err)
	k.report.Found = append(k.report.Found, Found{Table: table, Key: key, Code: f.Code, Text: f.Text, Why: fault.CodeOf(f.Unwrap())})
}

// rows gives every row of a table and counts it.
func (k *checker) rows(table string, each func(store.RawRow) error) error {
	return k.tx.EachRow(k.ctx, k.tables[table], func(r store.RawRow) error {
		k.report.Rows[table]++
		return each(r)
	})
}

// has says whether a table has a row with a value in a column.
func (k *checker) has(table, column string, value any) (bool, error) {
	list, err := k.tx.Where(k.ctx, k.tables[table], []string{column}, value)
	return len(list) > 0, err
}

// logVerifier makes the policy of the trust file's log.
func (a *App) logVerifier() (*record.Verifier, error) {
	file := a.Trust.File()
	c := record.PolicyConfig{Origin: file.Log.Origin, Operator: file.Log.Operator, LogKey: file.Log.Key, Quorum: file.Quorum}
	for _, w := range file.Witnesses {
		c.Witnesses = append(c.Witnesses, w.InPolicy())
	}
	policy, err := record.NewPolicy(c)
	return record.NewVerifier(policy), err
}

// AdoptSeals seals every row of a sealed table that has no seal: once, after an upgrade from a version
// without seals, by an operator who has looked. It says how many.
func (a *App) AdoptSeals(ctx context.Context) (int, error) {
	adopted := 0
	err := a.Store.Write(ctx, func(tx *store.Tx) error {
		adopted = 0
		list, err := tx.Tables(ctx)
		if err != nil {
			return err
		}
		for _, t := range list {
			if !slices.Contains(store.Sealed, t.Name) {
				continue
			}
			err := tx.EachRow(ctx, t, func(r store.RawRow) error {
				seal, err := tx.Seal(ctx, t.Name, r.Key())
				if err != nil || seal != "" {
					return err
				}
				adopted++
				return tx.SealRow(ctx, r)
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	return adopted, err
}

// eventKey names an event's row for a report.
func eventKey(r store.RawRow) string { return strings.TrimPrefix(r.Key(), r.Text("org")+"|") }
