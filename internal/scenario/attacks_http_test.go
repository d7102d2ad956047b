//go:build attacks

package scenario

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/httpapi"
	"github.com/menshen-project/menshen/internal/visit"
)

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
			if !ran[i].AsExpectedOfServer() {
				t.Errorf("%s\n got %q by %q\nwant %v or sooner %v\n%v", a.En, ran[i].Refusal.Code, ran[i].Refusal.By, a.Refused, sooner[a.Name], ran[i].Err)
			}
		})
	}
	for name := range sooner {
		if !slices.ContainsFunc(attacks, func(a Attack) bool { return a.Name == name }) {
			t.Errorf("%s is no attack that was played", name)
		}
	}
}
