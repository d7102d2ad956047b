package transparency

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/menshen-project/menshen/internal/fault"
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
	logger    *slog.Logger
	endpoints map[string]note.Verifier // by address of add-checkpoint
	judges    map[string]*judge        // by the same address

	mu      sync.Mutex
	answers map[string]*WitnessStatus // likewise
}

// WitnessStatus is how a witness answered last.
type WitnessStatus struct {
	Party      string    `json:"party"`
	URL        string    `json:"url"`
	OK         bool      `json:"ok"`          // its last answer was a cosignature that counts
	Why        string    `json:"why"`         // the code of why not; empty before its first answer
	CosignedAt time.Time `json:"cosigned_at"` // when it last gave one; zero for never
}

// newGateway wants exactly one address for each witness of the policy whose key stands.
func newGateway(p record.Policy, endpoints []WitnessEndpoint, timeout time.Duration, logger *slog.Logger) (*gateway, error) {
	parties := map[string]string{} // of keys that have no address yet
	for _, w := range p.Config().Witnesses {
		if w.UntilSize == 0 {
			parties[w.VKey] = w.Party
		}
	}
	g := &gateway{policy: p, logger: logger, endpoints: map[string]note.Verifier{}, judges: map[string]*judge{}, answers: map[string]*WitnessStatus{}}
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
		if g.judges[address], err = newJudge(p.Config(), e.VKey, verifier); err != nil {
			return nil, err
		}
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

// RoundTrip bounds what a witness may answer, which Tessera reads whole, and notes whether it counts.
func (g *gateway) RoundTrip(r *http.Request) (*http.Response, error) {
	address := r.URL.String()
	asked, err := checkpointOf(r)
	if err != nil {
		return nil, err
	}
	answer, data, err := g.exchange(r)
	if err != nil {
		// Once the quorum is reached, Tessera hangs up on the rest: not their fault.
		if !errors.Is(err, context.Canceled) {
			g.note(r.Context(), address, errWitnessSilent.Because(err))
		}
		return nil, err
	}
	if verdict := g.judges[address].judge(asked, answer, data); !errors.Is(verdict, errNextRound) {
		g.note(r.Context(), address, verdict)
	}
	return answer, nil
}

// exchange reads an answer as far as it may go, and gives it with those bytes as its body.
func (g *gateway) exchange(r *http.Request) (*http.Response, []byte, error) {
	answer, err := g.transport.RoundTrip(r)
	if err != nil {
		return nil, nil, err
	}
	data, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswerBytes+1))
	if err = errors.Join(err, answer.Body.Close()); err != nil {
		return nil, nil, err
	}
	answer.Body = io.NopCloser(bytes.NewReader(data[:min(len(data), maxAnswerBytes)]))
	return answer, data, nil
}

// note keeps how a witness answered, and tells of it when that changed: once, not at every checkpoint.
func (g *gateway) note(ctx context.Context, address string, verdict error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	s := g.answers[address] // Tessera knows no other address, and redirects are not followed
	before := s.Why
	s.OK, s.Why = verdict == nil, fault.CodeOf(verdict)
	if s.OK {
		s.CosignedAt = time.Now()
	}
	switch {
	case s.Why == before:
	case s.OK:
		g.logger.InfoContext(ctx, "witness counts again", "party", s.Party, "url", s.URL, "was", before)
	default:
		f := fault.Of(verdict)
		g.logger.WarnContext(ctx, "witness is not counted", "party", s.Party, "url", s.URL, "code", f.Code, "zh", f.Text.Zh, "en", f.Text.En, "cause", verdict)
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
