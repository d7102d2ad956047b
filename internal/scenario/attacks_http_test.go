//go:build attacks

package scenario

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/gate"
	"github.com/menshen-project/menshen/internal/httpapi"
	"github.com/menshen-project/menshen/internal/visit"
)

// sooner are attacks that a server refuses before the judge gets to see them, or for which an honest
// server takes the permit back before the host can refuse it.
var sooner = map[string]Refusal{
	"agreement-by-another-merchant":    {"order_not_found", ByIntake},
	"amount-in-another-spelling":       {"json_case_variant", ByIntake},
	"attempt-in-anothers-name":         {"access_denied", ByIntake},
	"clerk-confirms":                   {"access_denied", ByIntake},
	"clerk-let-in-elsewhere":           {"access_denied", ByIntake},
	"clerk-of-another-shop":            {"visit_not_found", ByIntake},
	"clerk-signs-the-price":            {"access_denied", ByIntake},
	"course-by-the-employer":           {"actor_not_signer", ByIntake},
	"course-by-the-employer-published": {"actor_not_signer", ByIntake},
	"dead-by-the-technicians-word":     {"access_denied", ByIntake},
	"dispatched-by-a-rival":            {"visit_not_found", ByIntake},
	"frozen-before-release":            {visit.OutcomeCanceled, ByHost},
	"marked-to-sell-a-swap":            {"access_denied", ByIntake},
	"mark-lifted-by-a-struck-acquirer": {"access_denied", ByIntake},
	"mark-lifted-by-another-acquirer":  {"access_denied", ByIntake},
	"mark-lifted-by-its-marker":        {"device_mark_lifted_by_marker", ByIntake},
	"mark-lifted-by-the-holder":        {"access_denied", ByIntake},
	"opened-by-another-acquirer":       {"access_denied", ByIntake},
	"order-by-another-acquirer":        {"order_of_other_acquirer", ByIntake},
	"permit-expired":                   {visit.OutcomeCanceled, ByHost},
	"platform-enrols-a-host":           {"token_malformed", ByIntake}, // nobody signs in as the platform
	"resumed-by-another-acquirer":      {"visit_not_found", ByIntake},
	"resumed-by-the-technician":        {"access_denied", ByIntake},
	"ruled-on-by-another-acquirer":     {"visit_not_found", ByIntake},
	"ruled-on-by-another-provider":     {"visit_not_found", ByIntake},
	"ruled-on-by-the-technician":       {"access_denied", ByIntake},
	"trust-list-by-the-platform":       {"token_malformed", ByIntake},
	"work-by-somebody-else":            {"visit_not_found", ByIntake},
}

// frozenForIt says whether the server froze the visit over a contradiction, which a ledger in memory does not do,
// and the attack's own reason stands beside that among the conditions that fail.
func (r Ran) frozenForIt() bool {
	var denied *Denied
	if r.Refusal != (Refusal{"visit_frozen", gate.NothingOpen}) || !errors.As(r.Err, &denied) {
		return false
	}
	return slices.ContainsFunc(r.Attack.Refused, func(want Refusal) bool { return denied.Answer.Failing[want.By] == want.Code })
}

// overHTTP runs an attack against a deployment of its own, whose clock the play moves.
func (a Attack) overHTTP(ctx context.Context, dir string) (Ran, error) {
	w := NewWatch(time.Now())
	fast := httpapi.Rate{PerSecond: 1e6, Burst: 1e6}
	d, err := NewDeployment(ctx, DeploymentConfig{Dir: dir, Now: w.Now, API: httpapi.Config{PerToken: fast, PerAddress: fast}})
	if err != nil {
		return Ran{}, err
	}
	kind := a.Kind
	if kind == "" {
		kind = visit.Install
	}
	p := d.Play(kind, a.Risk, "v1", "00005704280117028119", "W1489724")
	p.Wait = w.Advance
	ran := a.At(ctx, p)
	return ran, d.Close()
}

// Every attack of the table that does not need a lying server, against the server as it ships.
func TestEveryAttackOverHTTPIsRefusedForItsOwnReason(t *testing.T) {
	attacks := slices.DeleteFunc(Attacks(), func(a Attack) bool { return a.Liar || a.Trust != nil })
	ran, errs := make([]Ran, len(attacks)), make([]error, len(attacks))
	var wg sync.WaitGroup
	line := make(chan struct{}, 8) // each waits for the log most of the time
	for i, a := range attacks {
		dir := t.TempDir()
		wg.Go(func() {
			line <- struct{}{}
			defer func() { <-line }()
			ran[i], errs[i] = a.overHTTP(t.Context(), dir)
		})
	}
	wg.Wait()
	for i, a := range attacks {
		t.Run(a.Name, func(t *testing.T) {
			if errs[i] != nil {
				t.Fatal(errs[i])
			}
			if want, is := sooner[a.Name]; (is && ran[i].Refusal != want) || (!is && !ran[i].AsExpected() && !ran[i].frozenForIt()) {
				t.Errorf("%s\n got %q by %q\nwant %v or sooner %v\n%v", a.En, ran[i].Refusal.Code, ran[i].Refusal.By, a.Refused, want, ran[i].Err)
			}
		})
	}
	for name := range sooner {
		if !slices.ContainsFunc(attacks, func(a Attack) bool { return a.Name == name }) {
			t.Errorf("%s is no attack that was played", name)
		}
	}
}
