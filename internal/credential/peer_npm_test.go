//go:build openapi

// The tests that need what npm installed (make test does): here @sd-jwt/core 0.19.0 in
// testdata/sdjwt, an SD-JWT library that we did not write.

package credential

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/statement"
)

// peer asks the other implementation.
func peer(t testing.TB, question map[string]any, answer any) {
	t.Helper()
	in, err := json.Marshal(question)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "node", "peer.mjs")
	cmd.Dir, cmd.Stdin = "testdata/sdjwt", bytes.NewReader(in)
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, complaint.String())
	}
	if err := json.Unmarshal(out, answer); err != nil {
		t.Fatal(err)
	}
}

func asked(ask string, presentations ...string) map[string]any {
	return map[string]any{"ask": ask, "issuer": pub(providerKey), "nonce": lanAnswer().Nonce, "now": noon.Add(5 * time.Second).Unix(), "presentations": presentations}
}

// Our badges are read by it, and what it refuses we refuse too. Where it accepts what we refuse, the
// gap is its own, and is noted here: a new version that closes one is noticed.
func TestAnotherImplementationReadsOurBadges(t *testing.T) {
	badge := lanBadge(t)
	good := string(present(t, badge, lanAnswer()))
	with := func(change func(*Binding)) string {
		a := lanAnswer()
		change(&a)
		return string(present(t, badge, a))
	}
	forgery := func(spoil func(*draft)) string { return string(present(t, forged(t, spoil), lanAnswer())) }
	rows := []struct {
		name, presentation, code string
		theirs                   bool // accepted by the other
	}{
		{"honest", good, "", true},
		{"signature changed", strings.Replace(good, "~", "A~", 1), "badge_signature", false},
		{"gap: disclosure unreferenced", string(present(t, append(slices.Clone(badge), newDisclosure("admin", "1")+"~"...), lanAnswer())), "badge_disclosure_unreferenced", true},
		{"another nonce", with(func(b *Binding) { b.Nonce = "AAAAAAAAAAAAAAAAAAAAAA==" }), "kb_nonce", false},
		{"expired", forgery(func(d *draft) { d.payload.Exp = noon.Unix() }), "badge_expired", false},
		{"gap: another audience", with(func(b *Binding) { b.Audience = "menshen-door/elsewhere" }), "kb_audience", true},
		{"gap: answer of thirty days ago", with(func(b *Binding) { b.At = noon.AddDate(0, 0, -30) }), "kb_too_old", true},
		{"gap: another credential type", forgery(func(d *draft) { d.payload.Vct = "urn:other" }), "badge_credential_type", true},
		{"gap: badge of a year", forgery(func(d *draft) { d.payload.Exp = d.payload.Iat + 365*86400 }), "badge_too_long", true},
		{"gap: a header that brings a key", forgery(func(d *draft) { d.header = `{"alg":"ES256","typ":"dc+sd-jwt","jwk":{}}` }), "badge_self_vouched", true},
		{"gap: no status", forgery(func(d *draft) { d.payload.Status = nil }), "badge_status_missing", true},
	}
	var all []string
	for _, r := range rows {
		all = append(all, r.presentation)
	}
	var got []struct {
		OK     bool     `json:"ok"`
		Error  string   `json:"error"`
		Person []string `json:"person"`
		Aud    string   `json:"aud"`
	}
	peer(t, asked("reads", all...), &got)
	for i, r := range rows {
		_, err := VerifyPresentation([]byte(r.presentation), wanted())
		wantCode(t, err, r.code)
		if got[i].OK != r.theirs {
			t.Errorf("%s: the other says %v %s", r.name, got[i].OK, got[i].Error)
		}
	}
	if got[0].Aud != lanAnswer().Audience || len(got[0].Person) != 3 || got[0].Person[0] != "staff-17" {
		t.Errorf("it reads %+v", got[0])
	}
}

// What it issues by our profile, we read.
func TestWeReadBadgesOfAnotherImplementation(t *testing.T) {
	c, a := lanClaims(), lanAnswer()
	var got struct {
		Issuer       statement.Key `json:"issuer"`
		Presentation string        `json:"presentation"`
	}
	peer(t, map[string]any{"ask": "issues",
		"claims": map[string]any{"iss": c.Issuer, "vct": BadgeType, "iat": c.IssuedAt.Unix(), "exp": c.ExpiresAt.Unix(),
			"status": map[string]any{"status_list": map[string]any{"idx": c.StatusIndex, "uri": c.StatusURI}},
			"person": []string{c.StaffNumber, shorter(c.NameCommitment), shorter(c.PhotoCommitment)}},
		"binding": map[string]any{"iat": a.At.Unix(), "aud": a.Audience, "nonce": a.Nonce, "position": shorter(a.Position), "order": a.Order}}, &got)
	want := wanted()
	want.Issuer = got.Issuer
	p, err := VerifyPresentation([]byte(got.Presentation), want)
	if err != nil {
		t.Fatal(err)
	}
	if p.Badge().StaffNumber() != c.StaffNumber || p.Badge().PhotoCommitment() != c.PhotoCommitment || p.Position() != a.Position {
		t.Error("it reads otherwise")
	}
}

// BenchmarkBesideAnotherImplementation prints how many times as long the other takes, in one run.
func BenchmarkBesideAnotherImplementation(b *testing.B) {
	data := present(b, lanBadge(b), lanAnswer())
	var theirs struct {
		MedianNS float64 `json:"median_ns"`
	}
	peer(b, asked("times", string(data)), &theirs)
	want := wanted()
	var took []time.Duration
	for b.Loop() {
		began := time.Now()
		if _, err := VerifyPresentation(data, want); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	ours := float64(took[len(took)/2]) // medians on both sides: a busy machine is busy for both
	b.ReportMetric(ours, "ours-ns")
	b.ReportMetric(theirs.MedianNS, "theirs-ns")
	b.ReportMetric(theirs.MedianNS/ours, "times")
}
