package app

import (
	"github.com/menshen-project/menshen/internal/agreement"
	"github.com/menshen-project/menshen/internal/attest"
	"github.com/menshen-project/menshen/internal/credential"
	"github.com/menshen-project/menshen/internal/custody"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/registry"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// bodies reads the body of every type that can be recorded, as strictly as whoever judges it.
var bodies = map[string]func(statement.Claims) error{
	credential.TypeTrustList:   bodyAs[credential.TrustList],
	registry.TypeParameters:    bodyAs[registry.Parameters],
	registry.TypeMandate:       bodyAs[registry.Mandate],
	registry.TypeStatusList:    bodyAs[registry.StatusList],
	registry.TypeCertificate:   bodyAs[registry.Certificate],
	registry.TypeCourse:        bodyAs[registry.Course],
	registry.TypeAttempt:       bodyAs[registry.Attempt],
	registry.TypeBadgeIssued:   bodyAs[registry.BadgeIssued],
	registry.TypeBadgeRevoked:  bodyAs[registry.BadgeRevoked],
	registry.TypeExtract:       bodyAs[registry.Extract],
	statement.TypeEnrolment:    bodyAs[statement.Enrolment],
	statement.TypeEnrolmentEnd: bodyAs[statement.EnrolmentEnd],
	custody.TypeTransfer:       bodyAs[custody.Transfer],
	custody.TypeArrival:        bodyAs[custody.Arrival],
	attest.TypeAttestation:     bodyAs[attest.Attestation],
	agreement.TypeAgreement:    bodyAs[agreement.Agreement],
	agreement.TypeAcceptance:   bodyAs[agreement.Acceptance],
	agreement.TypeChargeList:   bodyAs[agreement.ChargeList],
	visit.TypeOrder:            bodyAs[visit.Order],
	visit.TypeOpened:           bodyAs[visit.Opened],
	visit.TypeDispatch:         bodyAs[visit.Dispatch],
	visit.TypeChallenge:        bodyAs[visit.Challenge],
	visit.TypeAdmission:        bodyAs[visit.Admission],
	visit.TypeRefusal:          bodyAs[visit.Refusal],
	visit.TypeStep:             bodyAs[visit.Step],
	visit.TypeBackup:           bodyAs[visit.Backup],
	visit.TypeNothingToKeep:    bodyAs[visit.NothingToKeep],
	visit.TypeSignOff:          bodyAs[visit.SignOff],
	visit.TypeConfirmation:     bodyAs[visit.Confirmation],
	visit.TypeDecision:         bodyAs[visit.Decision],
	visit.TypeIntent:           bodyAs[visit.Intent],
	visit.TypeOutcome:          bodyAs[visit.Outcome],
	visit.TypeBrake:            bodyAs[visit.Brake],
	visit.TypeIncident:         bodyAs[visit.Incident],
	visit.TypeResumption:       bodyAs[visit.Resumption],
	visit.TypeRuling:           bodyAs[visit.Ruling],
	visit.TypeReview:           bodyAs[visit.Review],
	visit.TypeSuspension:       bodyAs[visit.Suspension],
	visit.TypeReinstatement:    bodyAs[visit.Reinstatement],
	visit.TypeDeviceWork:       bodyAs[visit.DeviceWork],
	visit.TypeTerminalState:    bodyAs[visit.TerminalState],
	visit.TypeEndConsent:       bodyAs[visit.EndConsent],
	visit.TypeOutageAccepted:   bodyAs[visit.OutageAccepted],
}

func bodyAs[B any](c statement.Claims) error {
	var body B
	return c.UntrustedBody(&body)
}

// readable refuses a body that nobody can read. The gate refuses it too, but who signed it learns so now and can
// sign another; and one that was recorded would stand in everybody's lists, which read what is recorded.
// Faults: those of statement.Decode, at the type and the member.
func readable(c statement.Claims) error {
	read, known := bodies[c.Type]
	if !known {
		return errBodyUnknown.At(c.Type)
	}
	return read(c)
}

var errBodyUnknown = fault.New(fault.Invalid, "statement_type_unknown", "没有这种文件。", "There is no such type of statement.")
