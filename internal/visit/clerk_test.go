package visit_test

import (
	"testing"

	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

func TestAClerksIDNamesTheMerchant(t *testing.T) {
	for holder, want := range map[string]string{"wei.anna": "wei", "wei.x.anna": "wei.x", "wei": "", ".anna": "", "wei.": "", "": ""} {
		if got := visit.ClerkOf(holder); got != want {
			t.Errorf("%q is %q's, want %q's", holder, got, want)
		}
	}
}

func doorChallenge(nonce string) visit.Challenge {
	return visit.Challenge{Visit: visitID, Purpose: visit.PurposeDoor, Nonce: nonce, Until: statement.At(noon)}
}

func transcript(nonce string) *visit.Transcript {
	return &visit.Transcript{Nonce: nonce, MadeAt: statement.At(noon), AnsweredAt: statement.At(noon), TrustList: 1, TrustListAt: statement.At(noon), StatusListAt: statement.At(noon)}
}

// A page without signal makes its own nonce, which counts once in a visit, beside the server's.
func TestAnOfflineNonceCountsOnce(t *testing.T) {
	s := at(t, visit.Dispatched)
	s.must(platform, visit.ChallengeVerb, visit.TypeChallenge, doorChallenge("of the server"))
	offline := func(nonce string) visit.Admission {
		return visit.Admission{Mode: visit.ModeOffline, Offline: transcript(nonce)}
	}
	s.must(anna, visit.Admit, visit.TypeAdmission, offline("of the page"))
	wantCode(t, s.try(wei, visit.Admit, visit.TypeAdmission, offline("of the page")), "challenge_nonce_reused")
	wantCode(t, s.try(wei, visit.Admit, visit.TypeAdmission, offline("of the server")), "challenge_nonce_reused")
	wantCode(t, s.try(platform, visit.ChallengeVerb, visit.TypeChallenge, doorChallenge("of the page")), "challenge_nonce_reused")
	s.must(wei, visit.Admit, visit.TypeAdmission, offline("another of the page"))
}

func TestATranscriptGoesWithACheckWithoutSignal(t *testing.T) {
	s := at(t, visit.Dispatched)
	digest := statement.Digest(nil)
	for name, a := range map[string]visit.Admission{
		"offline without transcript":  {Mode: visit.ModeOffline},
		"offline with a challenge":    {Mode: visit.ModeOffline, Challenge: digest, Offline: transcript("n")},
		"online with a transcript":    {Mode: visit.ModeOnline, Challenge: digest, Offline: transcript("n")},
		"online without a challenge":  {Mode: visit.ModeOnline},
		"a transcript with no mode":   {Offline: transcript("n")},
		"weak, with a transcript too": {Mode: "weak", Offline: transcript("n")},
	} {
		if err := s.try(wei, visit.Admit, visit.TypeAdmission, a); err == nil {
			t.Errorf("%s is recorded", name)
		} else {
			wantCode(t, err, "admission_transcript")
		}
	}
}
