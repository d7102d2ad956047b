// Package registry holds the plain, signed documents about institutions, people, shops, devices and
// rules that a decision reads: parameters, mandates, certificates, badge issuances, status lists,
// and register extracts for what the signatures of one visit cannot prove.
//
// The types here say what a document must contain; whether its signer was entitled to it is asked
// where keys are resolved (package evidence).
package registry

import (
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/statement"
)

// Statement types of this package.
const (
	TypeParameters   = "parameters"
	TypeMandate      = "mandate"
	TypeCertificate  = "certificate"
	TypeBadgeIssued  = "badge_issued"
	TypeBadgeRevoked = "badge_revoked"
	TypeStatusList   = "status_list"
	TypeExtract      = "extract"
)

var (
	errPeriod = fault.New(fault.Invalid, "period_malformed", "起止时间不对。", "The period's start and end are malformed or reversed.")
)

// Mandate is an acquirer's word that a provider works for it. There is one hop at most: a mandate
// that a provider signs mandates nobody (外包不得转包).
type Mandate struct {
	Provider string         `json:"provider"`
	From     statement.Time `json:"from"`
	Until    statement.Time `json:"until"`
}

// Certificate says that a person passed a course. Version and Attempt are those of a course with a test,
// absent where its issuer publishes none.
type Certificate struct {
	Holder  string         `json:"holder"`
	Course  string         `json:"course"`
	From    statement.Time `json:"from"`
	Until   statement.Time `json:"until"`
	Version int            `json:"version,omitempty"` // of the course
	Attempt string         `json:"attempt,omitempty"` // digest of the statement that the holder signed
}

// BadgeIssued is the employer's record that a badge exists, so that one which nobody ordered shows.
type BadgeIssued struct {
	Holder      string         `json:"holder"`
	Key         string         `json:"key"`   // thumbprint of the badge's holder key
	Badge       string         `json:"badge"` // digest of the issued token
	StatusURI   string         `json:"status_uri"`
	StatusIndex int            `json:"status_index"`
	From        statement.Time `json:"from"`
	Until       statement.Time `json:"until"`
}

// BadgeRevoked takes a badge's power away at once, before the next status list says so.
type BadgeRevoked struct {
	Holder      string         `json:"holder"`
	StatusURI   string         `json:"status_uri"`
	StatusIndex int            `json:"status_index"`
	Reason      string         `json:"reason"` // a code: left, lost, suspended, fraud
	From        statement.Time `json:"from"`
}

// StatusList carries an issuer's Token Status List with a number, so that an older one shows.
type StatusList struct {
	URI    string `json:"uri"`
	Number int    `json:"number"`
	Token  string `json:"token"` // statuslist+jwt
}

// Period parses a half-open period and refuses one that is reversed or empty.
func Period(from, until statement.Time) (Span, error) {
	f, errF := from.Parse()
	u, errU := until.Parse()
	if errF != nil || errU != nil || !f.Before(u) {
		return Span{}, errPeriod
	}
	return Span{from: f, until: u}, nil
}
