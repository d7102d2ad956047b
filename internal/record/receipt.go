package record

import (
	"bytes"
	"strconv"
	"strings"
	"time"

	fnote "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/statement"
)

// ReceiptHeader is the first line of a C2SP tlog-proof. https://c2sp.org/tlog-proof
const ReceiptHeader = "c2sp.org/tlog-proof@v1"

// MaxReceipt bounds a receipt in bytes: 63 hashes and a checkpoint with a dozen cosignatures.
const MaxReceipt = 16 << 10

var (
	errReceipt      = fault.New(fault.Invalid, "receipt_malformed", "日志回执的格式不对。", "The log receipt is malformed.")
	errCheckpoint   = fault.New(fault.Invalid, "checkpoint_malformed", "日志检查点的格式不对。", "The log checkpoint is malformed.")
	errOtherLog     = fault.New(fault.Refused, "receipt_other_log", "回执来自另一个日志。", "The receipt comes from another log.")
	errLogSignature = fault.New(fault.Refused, "receipt_log_signature", "检查点没有日志的签名，或者签名不对。", "The checkpoint lacks the log's signature, or a signature on it is wrong.")
	errUnknownLine  = fault.New(fault.Refused, "receipt_spare_signature", "检查点上有多余的签名。", "The checkpoint carries a signature of somebody unknown, or one twice.")
	errQuorum       = fault.New(fault.Refused, "receipt_quorum_missing", "公证的人数不够。", "Too few distinct parties cosigned the checkpoint.")
	errNotIncluded  = fault.New(fault.Refused, "receipt_not_included", "这条记录不在日志里。", "The leaf is not in the log that the checkpoint describes.")
	errPolicy       = fault.New(fault.Invalid, "log_policy_malformed", "日志或公证人的密钥写得不对。", "The log or a witness key of the policy is malformed.")
	errPolicyKeys   = fault.New(fault.Refused, "witness_counted_twice", "公证人的密钥或机构重复，不能算两份。", "A witness key or party appears twice, or is the log operator's own.")
	errPolicyQuorum = fault.New(fault.Refused, "quorum_impossible", "公证人数的要求不合理。", "The quorum is zero or more than there are witnesses.")
)

// Witness is one party's cosigning key.
type Witness struct {
	Party string
	VKey  string // C2SP cosignature/v1 verifier key, Ed25519
}

// PolicyConfig is what a policy is made from.
type PolicyConfig struct {
	Origin    string
	LogKey    string // C2SP signed-note verifier key
	Operator  string // party that runs the log
	Witnesses []Witness
	Quorum    int
}

// Policy says when a checkpoint counts. The zero value accepts none.
type Policy struct {
	origin    string
	log       note.Verifier
	verifiers note.Verifiers
	party     map[signer]string
	quorum    int
}

// NewPolicy refuses a quorum that one party could meet alone: distinct keys of distinct parties,
// none of them the log's operator (design §6).
func NewPolicy(c PolicyConfig) (Policy, error) {
	logKey, err := note.NewVerifier(c.LogKey)
	if err != nil || c.Origin == "" || c.Operator == "" || logKey.Name() != c.Origin {
		return Policy{}, errPolicy.At("log").Because(err)
	}
	p := Policy{origin: c.Origin, log: logKey, party: map[signer]string{}, quorum: c.Quorum}
	all := []note.Verifier{logKey}
	keys, parties := map[string]bool{keyPart(c.LogKey): true}, map[string]bool{c.Operator: true}
	for _, w := range c.Witnesses {
		v, err := fnote.NewVerifierForCosignatureV1(w.VKey)
		if err != nil || w.Party == "" {
			return Policy{}, errPolicy.At("witnesses").Because(err)
		}
		if keys[keyPart(w.VKey)] || parties[w.Party] {
			return Policy{}, errPolicyKeys.At(w.Party)
		}
		keys[keyPart(w.VKey)], parties[w.Party] = true, true
		p.party[signer{v.Name(), v.KeyHash()}] = w.Party
		all = append(all, v)
	}
	if c.Quorum < 1 || c.Quorum > len(c.Witnesses) {
		return Policy{}, errPolicyQuorum
	}
	p.verifiers = note.VerifierList(all...)
	return p, nil
}

// keyPart is the key material of a verifier key without its algorithm byte, so that one Ed25519 key
// under two names or as log and witness key is still one key.
func keyPart(vkey string) string {
	i := strings.LastIndexByte(vkey, '+')
	raw, err := statement.Base64(vkey[i+1:])
	if err != nil || len(raw) < 2 {
		return vkey
	}
	return string(raw[1:])
}

// signer names a key as signature lines do.
type signer struct {
	name string
	hash uint32
}

// Cosignature is one witness's word on a checkpoint.
type Cosignature struct {
	Party string
	Time  time.Time
}

// Checkpoint is a tree head that met a policy. The zero value describes no tree.
type Checkpoint struct {
	size     int64
	root     tlog.Hash
	cosigned []Cosignature
	digest   string
}

// Size is the number of leaves.
func (c Checkpoint) Size() int64 { return c.size }

// Digest names the checkpoint's bytes.
func (c Checkpoint) Digest() string { return c.digest }

// Cosigned lists the witnesses that signed, with their times.
func (c Checkpoint) Cosigned() []Cosignature { return c.cosigned }

// Checkpoint verifies a checkpoint: the log's signature, nothing unknown, the quorum.
func (p Policy) Checkpoint(data []byte) (Checkpoint, error) {
	if p.log == nil {
		return Checkpoint{}, errPolicy
	}
	n, err := note.Open(data, p.verifiers)
	if err != nil {
		return Checkpoint{}, errLogSignature.Because(err)
	}
	size, root, err := p.body(n.Text)
	if err != nil {
		return Checkpoint{}, err
	}
	again, err := note.Sign(n)
	if err != nil || !bytes.Equal(again, data) || len(n.UnverifiedSigs) > 0 {
		return Checkpoint{}, errUnknownLine
	}
	c := Checkpoint{size: size, root: root, digest: statement.Digest(data)}
	if err := p.count(&c, n.Sigs); err != nil {
		return Checkpoint{}, err
	}
	return c, nil
}

// body reads a C2SP tlog-checkpoint without extension lines.
func (p Policy) body(text string) (int64, tlog.Hash, error) {
	lines := strings.Split(text, "\n")
	if len(lines) != 4 || lines[3] != "" {
		return 0, tlog.Hash{}, errCheckpoint
	}
	if lines[0] != p.origin {
		return 0, tlog.Hash{}, errOtherLog
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 1 || strconv.FormatInt(size, 10) != lines[1] {
		return 0, tlog.Hash{}, errCheckpoint.At("size")
	}
	root, err := statement.Base64(lines[2])
	if err != nil || len(root) != tlog.HashSize {
		return 0, tlog.Hash{}, errCheckpoint.At("root")
	}
	return size, tlog.Hash(root), nil
}

// count holds the signatures to the quorum. note.Open verified each and dropped none twice: a
// doubled line would have changed the note's bytes.
func (p Policy) count(c *Checkpoint, sigs []note.Signature) error {
	byLog := false
	parties := map[string]bool{}
	for _, s := range sigs {
		if s.Hash == p.log.KeyHash() && s.Name == p.log.Name() {
			byLog = true
			continue
		}
		at, err := fnote.CoSigV1Timestamp(s)
		if err != nil {
			return errCheckpoint.At("cosignature").Because(err)
		}
		party := p.party[signer{s.Name, s.Hash}]
		parties[party] = true
		c.cosigned = append(c.cosigned, Cosignature{Party: party, Time: at})
	}
	if !byLog {
		return errLogSignature
	}
	if len(parties) < p.quorum {
		return errQuorum
	}
	return nil
}

// Inclusion is a verified receipt. Only VerifyReceipt makes one; the zero value proves nothing.
type Inclusion struct {
	index      int64
	checkpoint Checkpoint
	ok         bool
}

// OK is false for the zero value.
func (i Inclusion) OK() bool { return i.ok }

// Index is the leaf's place in the log, from 0.
func (i Inclusion) Index() int64 { return i.index }

// Size is the log's size at the checkpoint that the receipt was made for.
func (i Inclusion) Size() int64 { return i.checkpoint.size }

// Cosigned lists the cosignatures of that checkpoint.
func (i Inclusion) Cosigned() []Cosignature { return i.checkpoint.cosigned }

// Verifier verifies receipts under one policy. Receipts of one second share a checkpoint; each
// distinct one is verified once.
type Verifier struct {
	policy Policy
	known  map[string]Checkpoint
}

// NewVerifier makes a verifier; it is not safe for concurrent use.
func NewVerifier(p Policy) *Verifier { return &Verifier{policy: p, known: map[string]Checkpoint{}} }

// VerifyReceipt checks a C2SP tlog-proof for a leaf, in its one form.
func (v *Verifier) VerifyReceipt(receipt, leaf []byte) (Inclusion, error) {
	index, proof, raw, err := parseReceipt(receipt)
	if err != nil {
		return Inclusion{}, err
	}
	c, ok := v.known[string(raw)]
	if !ok {
		if c, err = v.policy.Checkpoint(raw); err != nil {
			return Inclusion{}, err
		}
		v.known[string(raw)] = c
	}
	if index >= c.size || tlog.CheckRecord(proof, c.size, c.root, index, tlog.RecordHash(leaf)) != nil {
		return Inclusion{}, errNotIncluded
	}
	return Inclusion{index: index, checkpoint: c, ok: true}, nil
}

func parseReceipt(data []byte) (int64, tlog.RecordProof, []byte, error) {
	fail := func(at string) (int64, tlog.RecordProof, []byte, error) { return 0, nil, nil, errReceipt.At(at) }
	if len(data) > MaxReceipt {
		return fail("size")
	}
	head, checkpoint, ok := strings.Cut(string(data), "\n\n")
	lines := strings.Split(head, "\n")
	if !ok || len(lines) < 2 || lines[0] != ReceiptHeader {
		return fail("header")
	}
	text, ok := strings.CutPrefix(lines[1], "index ")
	index, err := strconv.ParseInt(text, 10, 64)
	if !ok || err != nil || index < 0 || strconv.FormatInt(index, 10) != text {
		return fail("index")
	}
	if len(lines)-2 > 63 {
		return fail("hashes")
	}
	var proof tlog.RecordProof
	for _, l := range lines[2:] {
		h, err := statement.Base64(l)
		if err != nil || len(h) != tlog.HashSize {
			return fail("hashes")
		}
		proof = append(proof, tlog.Hash(h))
	}
	return index, proof, []byte(checkpoint), nil
}

// FormatReceipt writes a receipt down.
func FormatReceipt(index int64, proof tlog.RecordProof, checkpoint []byte) []byte {
	var b bytes.Buffer
	b.WriteString(ReceiptHeader + "\nindex " + strconv.FormatInt(index, 10) + "\n")
	for _, h := range proof {
		b.WriteString(h.String() + "\n")
	}
	b.WriteString("\n")
	b.Write(checkpoint)
	return b.Bytes()
}
