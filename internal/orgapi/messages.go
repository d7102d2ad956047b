package orgapi

import (
	"github.com/menshen-project/menshen/internal/credential"
	"github.com/menshen-project/menshen/internal/statement"
)

// EnrolmentAsk is a phone's request to vouch for its key, as menshen carries it.
type EnrolmentAsk struct {
	Organisation string        `json:"organisation"`
	Holder       string        `json:"holder"`
	Role         string        `json:"role"`
	Key          statement.Key `json:"key"`
	HeldBy       string        `json:"held_by"`
	Proof        string        `json:"proof"`      // base64 of credential.CodeKey's proof
	Possession   string        `json:"possession"` // base64 of an enrolment_request signed with the new key
}

// Enrolling is what the proof is made over.
func (a EnrolmentAsk) Enrolling() credential.Enrolling {
	return credential.Enrolling{Organisation: a.Organisation, Holder: a.Holder, Role: a.Role, Key: a.Key, HeldBy: a.HeldBy}
}

// BadgeAsk is a technician's request for the day's badge.
type BadgeAsk struct {
	Holder  string `json:"holder"`
	Request string `json:"request"` // base64 of a badge_request signed with the enrolled key
}

// BadgeEnd asks that every badge of a holder that has not run out is taken back.
type BadgeEnd struct {
	Holder string `json:"holder"`
	Reason string `json:"reason"` // a code: left, lost, suspended, fraud
	By     string `json:"by"`     // id of whoever asked menshen; for the service's own record
}

// KeyEnd asks that an enrolment ends.
type KeyEnd struct {
	Key    string `json:"key"`    // thumbprint
	Reason string `json:"reason"` // a code: lost, left, replaced, compromised
	By     string `json:"by"`
}

// Signed is one statement of the service, with the stream and verb under which it is to be recorded.
// Numbers count from 1 without gaps, in the order in which the service signed.
type Signed struct {
	Number    int64  `json:"number"`
	Stream    string `json:"stream"`
	Verb      string `json:"verb"`
	Statement string `json:"statement"` // base64 of the envelope
}

// Answer is what the service signed for one ask, or what it signed since a number.
type Answer struct {
	Statements []Signed `json:"statements"`
	Badge      string   `json:"badge"` // the badge token, "" where none was asked for
}

// Person is one line of a service's list of its people.
type Person struct {
	Holder    string         `json:"holder"`
	Role      string         `json:"role"`
	State     string         `json:"state"` // active, suspended or left
	Key       string         `json:"key"`   // thumbprint of the key in force, "" for none
	KeyUntil  statement.Time `json:"key_until"`
	CodeUntil statement.Time `json:"code_until"` // of the code that is out, "" for none
	CodeState string         `json:"code_state"` // of the newest code: live, locked, expired, used, revoked, or "" for none
	CodeMade  statement.Time `json:"code_made"`  // when the newest code was made, "" for none
	CodeUsed  statement.Time `json:"code_used"`  // when it enrolled a key, "" while it did not
	Badges    int            `json:"badges"`     // in force now
}

// States of a person.
const (
	Active    = "active"
	Suspended = "suspended"
	Left      = "left"
)

// People is a service's list of its people.
type People struct {
	People []Person `json:"people"`
}
