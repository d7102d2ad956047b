package scenario

import (
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/httpapi"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// restartUnder stops the server, has the publisher's new trust file put in its place, at the host's too, and starts it
// again on the same store. From then on these witnesses cosign.
func (d *Deployment) restartUnder(t *testing.T, c DeploymentConfig, trusted []evidence.WitnessTrust, quorum int, cosign ...*LogKey) {
	t.Helper()
	d.Venue.Client.CloseIdleConnections()
	if err := d.server.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	d.stop()
	d.ended.Wait()
	file := d.Trust.File()
	file.Witnesses, file.Quorum = trusted, quorum
	data, err := statement.Canonical(file)
	if err != nil {
		t.Fatal(err)
	}
	if d.Trust, err = evidence.ParseTrust(data); err != nil {
		t.Fatal(err)
	}
	trust := d.Trust
	d.Host.Trust, d.Host.reader = trust, sync.OnceValue(func() *evidence.Reader { return evidence.NewReader(trust) })
	d.Log.Witnesses, d.Log.latest = cosign, nil
	c.Now, c.Server, c.Log = d.Now, d.Now, slog.New(slog.DiscardHandler)
	if err := d.wire(c); err != nil {
		t.Fatal(err)
	}
}

// trustedAs is how a trust file names witnesses' keys.
func trustedAs(keys ...*LogKey) (list []evidence.WitnessTrust) {
	for _, k := range keys {
		list = append(list, evidence.WitnessTrust{Party: k.Party, Key: k.VKey()})
	}
	return list
}

// halfAnInstallation is a shop whose terminal is on trial.
func halfAnInstallation(t *testing.T, c DeploymentConfig) (*Deployment, *Play) {
	t.Helper()
	d := newDeployment(t, c)
	p := d.Play(visit.Install, 1, "v1", "00005704280117028119", "W1489724")
	if err := p.OpenCity(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := Run(t.Context(), Until(p.Install(), "attest again")); err != nil {
		t.Fatal(err)
	}
	return d, p
}

var unhurried = DeploymentConfig{Now: time.Now, Patience: 10 * time.Second,
	API: httpapi.Config{PerToken: httpapi.Rate{PerSecond: 1e6, Burst: 1e6}, PerAddress: httpapi.Rate{PerSecond: 1e6, Burst: 1e6}}}

// One of two witnesses loses its key for good, with the quorum at two. Its party makes a new key, and the publisher puts
// it beside the lost one: what the lost one had cosigned goes on counting, and the visit under way ends well.
func TestALostWitnessGetsANewKeyBesideTheOld(t *testing.T) {
	d, p := halfAnInstallation(t, unhurried)
	lost, stays := d.Log.Witnesses[1], d.Log.Witnesses[0]
	fresh := NewLogKey("witness-b-2", lost.Party)
	d.restartUnder(t, unhurried, trustedAs(stays, lost, fresh), 2, stays, fresh)
	p.Venue, p.Trust = d.Venue, d.Trust
	if err := Run(t.Context(), From(p.Install(), "attest again")); err != nil {
		t.Fatal("the visit under way: ", err)
	}
	if r := verified(t, d, p, d.Cast.Merchant); !r.Accepted() {
		t.Fatal("its bundle: ", r.Refusal)
	}
	next := p.Next(visit.Inspection, "v2", p.Device.Serial, "W1489724")
	next.Venue = d.Venue
	if err := Run(t.Context(), next.InspectAgain()); err != nil {
		t.Fatal("the next visit: ", err)
	}
}

// The same with a key that was stolen: the publisher says at which size of the log it ended. What it had cosigned before
// still counts beside the other's word, also after that; ended too early, it takes its receipts away.
func TestAStolenWitnessKeyEndsAndItsReceiptsStay(t *testing.T) {
	d, p := halfAnInstallation(t, unhurried)
	stolen, stays := d.Log.Witnesses[1], d.Log.Witnesses[0]
	fresh := NewLogKey("witness-b-2", stolen.Party)
	ended := func(size int64) []evidence.WitnessTrust {
		list := trustedAs(stays, stolen, fresh)
		list[1].UntilSize = size
		return list
	}
	d.restartUnder(t, unhurried, ended(1), 2, stays, fresh)
	p.Venue, p.Trust = d.Venue, d.Trust
	if err := Run(t.Context(), From(p.Install(), "attest again")); err == nil || !strings.Contains(err.Error(), "receipt_quorum_missing") {
		t.Fatal("ended before anything was cosigned: ", err)
	}
	d.restartUnder(t, unhurried, ended(d.Log.Size()), 2, stays, fresh)
	p.Venue, p.Trust = d.Venue, d.Trust
	if err := Run(t.Context(), From(p.Install(), "attest again")); err != nil {
		t.Fatal("the visit under way: ", err)
	}
	if r := verified(t, d, p, d.Cast.Merchant); !r.Accepted() {
		t.Fatal("its bundle: ", r.Refusal)
	}
}

// The same, but the new key takes the lost one's place: no receipt from before counts any more, and nothing that needs
// one is granted.
func TestALostWitnessWhoseKeyIsReplacedTakesItsReceiptsAway(t *testing.T) {
	d, p := halfAnInstallation(t, unhurried)
	lost, stays := d.Log.Witnesses[1], d.Log.Witnesses[0]
	fresh := NewLogKey("witness-b-2", lost.Party)
	d.restartUnder(t, unhurried, trustedAs(stays, fresh), 2, stays, fresh)
	p.Venue, p.Trust = d.Venue, d.Trust
	err := Run(t.Context(), From(p.Install(), "attest again"))
	if err == nil || !strings.Contains(err.Error(), "receipt_unknown_signature") {
		t.Fatal("the visit under way: ", err)
	}
}
