package statement

import (
	"time"

	"github.com/menshen-project/menshen/internal/fault"
)

// Who keeps an enrolled private key.
const (
	HeldByHolder   = "holder"
	HeldByOperator = "operator" // menshen's operator keeps it for them; every report says so
)

var (
	errEnrolmentShape  = fault.New(fault.Invalid, "enrolment_malformed", "密钥登记的内容不完整。", "The enrolment is incomplete or malformed.")
	errEnrolmentEarly  = fault.New(fault.Refused, "enrolment_not_yet", "签名时这把密钥还没有生效。", "The key was not yet enrolled at that time.")
	errEnrolmentLapsed = fault.New(fault.Refused, "enrolment_lapsed", "签名时这把密钥已经过期或被停用。", "The key's enrolment had ended at that time.")
)

// TypeEnrolment and TypeEnrolmentEnd are the statement types of this file.
const (
	TypeEnrolment    = "enrolment"
	TypeEnrolmentEnd = "enrolment_end"
)

// Enrolment is the body by which an organisation vouches for a key (design §6). Signed with the
// organisation's own key from the trust list.
type Enrolment struct {
	Holder       string `json:"holder"` // opaque id of the person or host
	Organisation string `json:"organisation"`
	Role         string `json:"role"`
	Key          Key    `json:"key"`
	HeldBy       string `json:"held_by"`
	From         Time   `json:"from"`
	Until        Time   `json:"until"`
}

// EnrolmentEnd ends an enrolment before its time.
type EnrolmentEnd struct {
	Key    string `json:"key"` // thumbprint
	From   Time   `json:"from"`
	Reason string `json:"reason"` // a code: lost, left, replaced, compromised
}

// Check refuses an enrolment that says too little to be relied on.
func (e Enrolment) Check() error {
	if e.Holder == "" || e.Organisation == "" || e.Role == "" {
		return errEnrolmentShape
	}
	if e.HeldBy != HeldByHolder && e.HeldBy != HeldByOperator {
		return errEnrolmentShape.At("held_by")
	}
	if _, err := e.Key.Public(); err != nil {
		return fault.At(err, "key")
	}
	from, errF := e.From.Parse()
	until, errU := e.Until.Parse()
	if errF != nil || errU != nil || !from.Before(until) {
		return errEnrolmentShape.At("until")
	}
	return nil
}

// InForce says whether the key was enrolled at t: from inclusive, until exclusive.
func (e Enrolment) InForce(t time.Time) error {
	if err := e.Check(); err != nil {
		return err
	}
	from, _ := e.From.Parse()
	until, _ := e.Until.Parse()
	if t.Before(from) {
		return errEnrolmentEarly
	}
	if !t.Before(until) {
		return errEnrolmentLapsed
	}
	return nil
}
