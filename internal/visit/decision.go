package visit

import "github.com/menshen-project/menshen/internal/statement"

// Decision is the gate's positive answer as the platform signs it. It names exactly what it rests
// on, so that anyone can cut the same dossier and ask again.
type Decision struct {
	Visit      string         `json:"visit"`
	Ask        string         `json:"ask"`
	DecidedAt  statement.Time `json:"decided_at"`
	Rules      string         `json:"rules"`      // version of the rules, RulesVersion
	Parameters string         `json:"parameters"` // digest of the parameters statement
	Heads      []Head         `json:"heads"`      // streams held from event 1 to here
	Evidence   []string       `json:"evidence"`   // digests of single events of other streams, sorted
	LogSize    int64          `json:"log_size"`   // every event above lies below; 0 at dispatch and admit
	Conditions []Held         `json:"conditions"`
	Permit     *Permit        `json:"permit,omitempty"` // at trial, live and end
}

// Head is the last event of a stream that a decision saw.
type Head struct {
	Stream string `json:"stream"`
	Number int    `json:"number"`
	Event  string `json:"event"` // digest of the event
}

// Held is one condition's verdict and basis. A decision exists only when every blocking one holds;
// one that merely reports may say "fails".
type Held struct {
	Condition string `json:"condition"`
	Verdict   string `json:"verdict"`
	Basis     string `json:"basis"`
}

// Permit is what the host may do on this decision, and for whom.
type Permit struct {
	Order     string         `json:"order"`
	Serial    string         `json:"serial"`
	DeviceKey string         `json:"device_key"`
	Terminal  string         `json:"terminal"`
	Items     FiveItems      `json:"items"`
	CapFen    int64          `json:"cap_fen"` // highest single amount; 1 at trial, 0 means none of ours
	Until     statement.Time `json:"until"`   // the host acts before this or not at all
	// RollbackAt is when the old terminal takes over again unless the new one is live; "" without one.
	RollbackAt statement.Time `json:"rollback_at,omitempty"`
}

// RulesVersion names the rules that this code applies. A verifier keeps every published version;
// there is one so far.
const RulesVersion = "menshen-rules-1"
