package evidence_test

import (
	"slices"
	"testing"

	"github.com/menshen-project/menshen/internal/agreement"
	"github.com/menshen-project/menshen/internal/attest"
	"github.com/menshen-project/menshen/internal/credential"
	"github.com/menshen-project/menshen/internal/custody"
	"github.com/menshen-project/menshen/internal/registry"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// The verb table names the types of its peer packages as words, because peers do not import each other.
// Here all of them meet.
func TestTheVerbTableNamesTheTypesOfItsPeers(t *testing.T) {
	for _, want := range []struct{ stream, verb, kind string }{
		{visit.StreamOrder, visit.Agree, agreement.TypeAgreement},
		{visit.StreamVisit, visit.ReportAcceptance, agreement.TypeAcceptance},
		{visit.StreamVisit, visit.ReportAcceptance, agreement.TypeChargeList},
		{visit.StreamVisit, visit.RecordStep, custody.TypeArrival},
		{visit.StreamDevice, visit.Transfer, custody.TypeTransfer},
		{visit.StreamVisit, visit.AttestDevice, attest.TypeAttestation},
		{visit.StreamOrganisation, visit.Publish, credential.TypeTrustList},
	} {
		if _, ok := visit.Find(want.stream, want.verb, want.kind); !ok {
			t.Errorf("no row for %s %s %s", want.stream, want.verb, want.kind)
		}
	}
	known := []string{
		agreement.TypeAgreement, agreement.TypeAcceptance, agreement.TypeChargeList, custody.TypeArrival, custody.TypeTransfer,
		attest.TypeAttestation, credential.TypeTrustList, statement.TypeEnrolment, statement.TypeEnrolmentEnd,
		registry.TypeParameters, registry.TypeMandate, registry.TypeCertificate, registry.TypeBadgeIssued, registry.TypeBadgeRevoked,
		registry.TypeStatusList, registry.TypeExtract, registry.TypeCourse, registry.TypeAttempt,
		visit.TypeOrder, visit.TypeOpened, visit.TypeDispatch, visit.TypeChallenge, visit.TypeAdmission, visit.TypeRefusal, visit.TypeStep,
		visit.TypeBackup, visit.TypeNothingToKeep, visit.TypeSignOff, visit.TypeConfirmation, visit.TypeDecision, visit.TypeIntent,
		visit.TypeOutcome, visit.TypeBrake, visit.TypeIncident, visit.TypeResumption, visit.TypeRuling, visit.TypeReview, visit.TypeSuspension, visit.TypeReinstatement,
		visit.TypeDeviceWork, visit.TypeTerminalState, visit.TypeEndConsent, visit.TypeOutageAccepted,
	}
	used := map[string]bool{}
	for _, row := range visit.Table() {
		used[row.Type] = true
		if !slices.Contains(known, row.Type) {
			t.Errorf("%s %s takes %q, which no package defines", row.Stream, row.Verb, row.Type)
		}
	}
	for _, kind := range known {
		if !used[kind] {
			t.Errorf("no verb takes a %q", kind)
		}
	}
}

// The roles of the verb table are those that peers check for themselves.
func TestRolesOfPeersAreTheVerbTables(t *testing.T) {
	if custody.RoleMaker != visit.RoleMaker || credential.KindMaker != visit.RoleMaker || credential.KindPlatform != visit.RolePlatform ||
		credential.KindRegulator != visit.RoleRegulator || credential.KindCourseIssuer != visit.RoleCourseIssuer || credential.KindSupervisor != visit.RoleSupervisor {
		t.Error("a role or kind is spelt in two ways")
	}
}
