package record

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/identifier"
)

const maxWitnesses = 32

var (
	errPolicyMissing     = fault.New(fault.Refused, "policy_missing", "没有说明信任哪个日志和哪些见证方。", "No policy says which log and which witnesses to trust.")
	errPolicyLogKey      = fault.New(fault.Invalid, "policy_log_key", "日志的公钥不对。", "The log's key is not an Ed25519 verifier key.")
	errPolicyOrigin      = fault.New(fault.Invalid, "policy_origin", "日志的名称和它公钥上的名称不同。", "The log's origin is not the name on its key.")
	errPolicyParty       = fault.New(fault.Invalid, "policy_party", "没有写明日志由谁运营，或见证方是谁。", "The log's operator or a witness's party is not an id.")
	errPolicyWitnessKey  = fault.New(fault.Invalid, "policy_witness_key", "见证方的公钥不对。", "A witness's key is not an Ed25519 cosignature/v1 verifier key.")
	errPolicyEnd         = fault.New(fault.Invalid, "policy_witness_end", "见证方钥匙停用时的日志长度不对。", "The size at which a witness's key ended is below zero.")
	errPolicyKeyTwice    = fault.New(fault.Refused, "policy_key_repeated", "两个见证方用了同一把公钥。", "Two witnesses have one key.")
	errPolicyLogWitness  = fault.New(fault.Refused, "policy_log_key_witnesses", "日志的公钥不能又当见证方的公钥。", "The log's own key cannot be a witness's key.")
	errPolicyOwnWitness  = fault.New(fault.Refused, "policy_operator_witnesses", "日志的运营方不能见证自己。", "The log's operator cannot witness its own log.")
	errPolicyManyWitness = fault.New(fault.TooLarge, "policy_too_many_witnesses", "见证方太多。", "There are more witnesses than a policy may hold.")
	errPolicyQuorumZero  = fault.New(fault.Refused, "policy_quorum_zero", "至少要有一个见证方。", "A quorum is at least one witness.")
	errPolicyQuorumHigh  = fault.New(fault.Refused, "policy_quorum_unreachable", "要求的见证方，比钥匙还在用的见证单位还多。", "The quorum is larger than the number of different parties whose keys stand.")
)

// Witness is a cosigner and the party that answers for it.
type Witness struct {
	Party string `json:"party"` // id
	VKey  string `json:"vkey"`  // type 0x04, https://c2sp.org/tlog-cosignature

	// UntilSize ends the key: it counts under checkpoints of at most so many leaves, and only beside a cosignature of a key
	// that stands. 0: it stands. Whoever stole it dates a cosignature as he likes, so no time says when it ended; a standing
	// witness signs no smaller tree and no other one than it has seen, so its cosignature says that this one is of before.
	UntilSize int64 `json:"until_size,omitempty"`
}

// PolicyConfig is which log and which witnesses somebody trusts, as a trust file writes it.
type PolicyConfig struct {
	Origin    string    `json:"origin"`   // the log's name, also on its key
	Operator  string    `json:"operator"` // id of the party that runs the log
	LogKey    string    `json:"log_key"`  // vkey, type 0x01
	Witnesses []Witness `json:"witnesses"`
	Quorum    int       `json:"quorum"` // different parties that must have cosigned
}

// Policy decides which checkpoints count. Only NewPolicy makes one; the zero Policy refuses.
type Policy struct {
	config    PolicyConfig
	log       key
	witnesses []witness
}

type witness struct {
	key
	party string
	until uint64 // 0: stands
}

// NewPolicy checks the configuration: a quorum counts distinct keys of distinct parties, none of
// them the log's operator (design §6). Two witnesses of one party are allowed and count once.
// Faults: policy_*.
func NewPolicy(c PolicyConfig) (Policy, error) {
	c.Witnesses = slices.Clone(c.Witnesses)
	p := Policy{config: c}
	var ok bool
	if p.log, ok = parseKey(c.LogKey, typeEd25519); !ok {
		return Policy{}, errPolicyLogKey
	}
	if p.log.name != c.Origin {
		return Policy{}, errPolicyOrigin
	}
	if identifier.CheckID(c.Operator) != nil {
		return Policy{}, errPolicyParty.At("operator")
	}
	if len(c.Witnesses) > maxWitnesses {
		return Policy{}, errPolicyManyWitness
	}
	parties := map[string]bool{}
	for i, w := range c.Witnesses {
		if err := p.add(w); err != nil {
			return Policy{}, fault.At(err, fmt.Sprintf("witness %d", i+1))
		}
		if w.UntilSize == 0 { // whoever ended cosigns nothing new
			parties[w.Party] = true
		}
	}
	if c.Quorum < 1 {
		return Policy{}, errPolicyQuorumZero
	}
	if c.Quorum > len(parties) {
		return Policy{}, errPolicyQuorumHigh
	}
	return p, nil
}

func (p *Policy) add(w Witness) error {
	k, ok := parseKey(w.VKey, typeCosignatureV1)
	if !ok {
		return errPolicyWitnessKey
	}
	if identifier.CheckID(w.Party) != nil {
		return errPolicyParty
	}
	if w.Party == p.config.Operator {
		return errPolicyOwnWitness
	}
	if bytes.Equal(k.public, p.log.public) {
		return errPolicyLogWitness
	}
	for _, other := range p.witnesses {
		if bytes.Equal(k.public, other.public) || k.name == other.name && k.id == other.id {
			return errPolicyKeyTwice
		}
	}
	if w.UntilSize < 0 {
		return errPolicyEnd
	}
	p.witnesses = append(p.witnesses, witness{k, w.Party, uint64(w.UntilSize)})
	return nil
}

// Config gives back what the policy was made of.
func (p Policy) Config() PolicyConfig {
	c := p.config
	c.Witnesses = slices.Clone(c.Witnesses)
	return c
}

// OK says whether the policy is more than the zero value.
func (p Policy) OK() bool { return p.config.Quorum > 0 }
