package scenario

import (
	"fmt"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/httpapi"
	"github.com/menshen-project/menshen/internal/visit"
)

// BenchmarkWholeVisits plays installations one after the other, over the API of a whole deployment in this
// process: server, host, witnesses and everybody's signatures. Its CPU profile says where a visit's time
// goes (docs/figures.md); `menshen bench` gives the rate with processes of their own.
func BenchmarkWholeVisits(b *testing.B) {
	fast := httpapi.Rate{PerSecond: 1e6, Burst: 1e6}
	d, err := NewDeployment(b.Context(), DeploymentConfig{Dir: b.TempDir(), Now: time.Now, API: httpapi.Config{PerToken: fast, PerAddress: fast}})
	if err != nil {
		b.Fatal(err)
	}
	if err := d.Play(visit.Install, 1, "city", "00005704280117028119", "W1489724").OpenCity(b.Context()); err != nil {
		b.Fatal(err)
	}
	n := 0
	for b.Loop() {
		n++
		cast := *d.Cast
		cast.Merchant = NewActor(fmt.Sprintf("owner-%d", n), cast.Acquirer.ID, visit.RoleMerchant)
		p := d.Play(visit.Install, 1, fmt.Sprintf("v%d", n), fmt.Sprintf("0000570428%010d", n), fmt.Sprintf("A%07d", n))
		p.Cast, p.Shop = &cast, CornerShop(cast.Merchant.ID)
		p.Shop.Terminal, p.Shop.MerchantCode, p.Shop.Principal = fmt.Sprintf("A%07d", n), fmt.Sprintf("9013059%08d", n), fmt.Sprintf("demonstration-%d", n)
		p.NewOrder(visit.Install, 1)
		if err := p.Enrol(b.Context(), cast.Merchant); err != nil {
			b.Fatal(err)
		}
		if err := Run(b.Context(), p.Install()); err != nil {
			b.Fatal(err)
		}
	}
	b.StopTimer()
	if err := d.Close(); err != nil {
		b.Fatal(err)
	}
}
