package transparency

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/menshen-project/menshen/internal/record"
	f_note "github.com/transparency-dev/formats/note"
	"github.com/transparency-dev/tessera"
	"golang.org/x/mod/sumdb/note"
)

const maxAnswerBytes = 16 << 10

// gateway is the log's side of its witnesses. Tessera speaks the protocol; the gateway decides when
// it has heard enough, which is when the verifiers' own policy is satisfied, and remembers who
// answered.
type gateway struct {
	policy    record.Policy
	client    *http.Client
	transport *http.Transport
	endpoints map[string]note.Verifier // by address of add-checkpoint

	mu      sync.Mutex
	answers map[string]*WitnessStatus // by the same address
}

// WitnessStatus is how a witness answered last.
type WitnessStatus struct {
	Party      string    `json:"party"`
	URL        string    `json:"url"`
	OK         bool      `json:"ok"`          // its last answer was a cosignature
	CosignedAt time.Time `json:"cosigned_at"` // when it last gave one; zero for never
}

// newGateway wants exactly one address for each witness of the policy.
func newGateway(p record.Policy, endpoints []WitnessEndpoint, timeout time.Duration) (*gateway, error) {
	parties := map[string]string{} // of keys that have no address yet
	for _, w := range p.Config().Witnesses {
		parties[w.VKey] = w.Party
	}
	g := &gateway{policy: p, endpoints: map[string]note.Verifier{}, answers: map[string]*WitnessStatus{}}
	g.transport = &http.Transport{Proxy: http.ProxyFromEnvironment, MaxIdleConnsPerHost: 2, IdleConnTimeout: time.Minute}
	for _, e := range endpoints {
		prefix, err := url.Parse(e.URL)
		if err != nil || prefix.Host == "" || prefix.Scheme != "http" && prefix.Scheme != "https" {
			return nil, errEndpoint.Because(err)
		}
		address := prefix.JoinPath("add-checkpoint").String()
		party, wanted := parties[e.VKey]
		verifier, err := f_note.NewVerifierForCosignatureV1(e.VKey)
		if !wanted || err != nil || g.endpoints[address] != nil {
			return nil, errEndpoints.Because(err)
		}
		delete(parties, e.VKey)
		g.endpoints[address] = verifier
		g.answers[address] = &WitnessStatus{Party: party, URL: prefix.Redacted()}
	}
	if len(parties) > 0 {
		return nil, errEndpoints
	}
	g.client = &http.Client{Transport: g, Timeout: timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return g, nil
}

// group is the witness policy that Tessera asks.
func (g *gateway) group() tessera.WitnessGroup { return tessera.NewWitnessGroup(1, g) }

// Satisfied says whether a checkpoint with the signatures collected so far counts. Counting keys,
// as Tessera's own groups do, would let two witnesses of one party make a quorum, and a witness
// that signs in an odd form make a checkpoint that no verifier takes.
func (g *gateway) Satisfied(checkpoint []byte) bool {
	_, err := g.policy.CanonicalCheckpoint(checkpoint)
	return err == nil
}

// Endpoints is where Tessera sends checkpoints.
func (g *gateway) Endpoints() map[string]note.Verifier { return g.endpoints }

// RoundTrip bounds what a witness may answer, which Tessera reads whole, and notes the outcome.
func (g *gateway) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := g.transport.RoundTrip(r)
	if err != nil {
		// Once the quorum is reached, Tessera hangs up on the rest: not their fault.
		if !errors.Is(err, context.Canceled) {
			g.note(r.URL.String(), false)
		}
		return nil, err
	}
	answer.Body = struct {
		io.Reader
		io.Closer
	}{io.LimitReader(answer.Body, maxAnswerBytes), answer.Body}
	if answer.StatusCode != http.StatusConflict { // which begins the next round of the protocol
		g.note(r.URL.String(), answer.StatusCode == http.StatusOK)
	}
	return answer, nil
}

func (g *gateway) note(address string, ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	s := g.answers[address] // Tessera knows no other address, and redirects are not followed
	if s.OK = ok; ok {
		s.CosignedAt = time.Now()
	}
}

func (g *gateway) status() []WitnessStatus {
	g.mu.Lock()
	defer g.mu.Unlock()
	var all []WitnessStatus
	for _, s := range g.answers {
		all = append(all, *s)
	}
	slices.SortFunc(all, func(a, b WitnessStatus) int {
		return cmp.Or(cmp.Compare(a.Party, b.Party), cmp.Compare(a.URL, b.URL))
	})
	return all
}
