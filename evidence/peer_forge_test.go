//go:build openapi

package evidence_test

import (
	"encoding/base64"
	"encoding/json"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/record"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// forger writes the whole log of an honest visit anew with one payload changed, signed again by its own signer: every
// digest that follows from it, every signature, leaf, receipt and cosignature, and the closing, is made to fit. So what
// is left to notice is what the changed words mean.
type forger struct {
	t      *testing.T
	p      *played
	leaves []evidence.Entry // in the log's order
	told   map[string]bool  // events of the merchant's bundle, by their bytes
	honest *evidence.Bundle
}

func newForger(t *testing.T, p *played) *forger {
	t.Helper()
	f := &forger{t: t, p: p, honest: p.opened(t), told: map[string]bool{}}
	all := p.ledger.Leaves()
	for i := range int64(len(all)) {
		f.leaves = append(f.leaves, all[i])
	}
	for _, e := range f.honest.Entries {
		f.told[e.Event] = true
	}
	return f
}

// signer is whoever's key signed.
func (f *forger) signer(key string) *scenario.Actor {
	c := f.p.play.Cast
	for _, a := range []*scenario.Actor{c.Association, c.Platform, c.Acquirer, c.Other, c.Provider, c.Rival, c.Unfiled, c.Maker, c.School, c.Watch, c.Approver,
		c.Risk, c.Host, c.Merchant, c.Dispatcher, c.Custodian, c.Technician, c.Stranger, c.Supervisor} {
		if a.Public().Thumbprint() == key {
			return a
		}
	}
	f.t.Fatalf("nobody has the key %s", key)
	return nil
}

func payloadOf(t *testing.T, e evidence.Entry) []byte {
	t.Helper()
	var envelope struct {
		Payload []byte `json:"payload"`
	}
	if err := json.Unmarshal(decoded(t, e.Statement), &envelope); err != nil {
		t.Fatal(err)
	}
	return envelope.Payload
}

// seal signs a payload as it is.
func seal(t *testing.T, a *scenario.Actor, payload []byte) []byte {
	t.Helper()
	sig, err := statement.SignES256(a.Key, statement.PAE("application/vnd.in-toto+json", payload))
	if err != nil {
		t.Fatal(err)
	}
	encode := base64.StdEncoding.EncodeToString
	return []byte(`{"payloadType":"application/vnd.in-toto+json","payload":"` + encode(payload) + `","signatures":[{"keyid":"` + a.Public().Thumbprint() +
		`","sig":"` + encode(sig) + `"}]}`)
}

// sortedEvidence puts a decision's single events in their order, for their digests are others now.
func sortedEvidence(t *testing.T, payload []byte) []byte {
	t.Helper()
	const before = `"evidence":[`
	head, rest, found := strings.Cut(string(payload), before)
	if !found {
		return payload
	}
	list, tail, _ := strings.Cut(rest, `]`)
	digests := strings.Split(list, ",")
	slices.Sort(digests)
	return []byte(head + before + strings.Join(digests, ",") + "]" + tail)
}

// with gives the bundle in which the payload of one leaf is changed; -1 changes none.
func (f *forger) with(at int, changed []byte) []byte {
	f.t.Helper()
	old := f.p.ledger.Log
	now := f.p.play.Now()
	log := &scenario.MemoryLog{Origin: old.Origin, Now: func() time.Time { return now }, Key: old.Key, Witnesses: old.Witnesses}
	b := &evidence.Bundle{Format: evidence.BundleFormat, Visit: f.honest.Visit, Openings: f.honest.Openings}
	anew := []string{} // pairs of digests: as they were, as they are
	made := map[string]evidence.Entry{}
	for i, e := range f.leaves {
		payload := payloadOf(f.t, e)
		claims, err := statement.Parse(decoded(f.t, e.Statement))
		if err != nil {
			f.t.Fatal(err)
		}
		if i == at {
			payload = changed
		}
		payload = []byte(strings.NewReplacer(anew...).Replace(string(payload)))
		if claims.Type == visit.TypeDecision && i != at {
			payload = sortedEvidence(f.t, payload)
		}
		envelope := decoded(f.t, e.Statement)
		if string(payload) != string(payloadOf(f.t, e)) {
			envelope = seal(f.t, f.signer(claims.Header.Key), payload)
		}
		event, err := record.ParseEvent(decoded(f.t, e.Event))
		if err != nil {
			f.t.Fatal(err)
		}
		now, _ = event.ReceivedAt.Parse()
		event.Previous = strings.NewReplacer(anew...).Replace(event.Previous)
		event.Statement = statement.Digest(envelope)
		anew = append(anew, statement.Digest(decoded(f.t, e.Statement)), event.Statement, statement.Digest(decoded(f.t, e.Event)), event.Digest())
		salt := [16]byte(decoded(f.t, e.Salt))
		leaf, err := record.LeafFor(event.Bytes(), salt, e.Day, e.Province)
		if err != nil {
			f.t.Fatal(err)
		}
		receipt := log.Receipt(log.Add(leaf.Bytes()))
		if f.told[e.Event] {
			made[e.Event] = evidence.EntryOf(event.Bytes(), envelope, salt, e.Day, e.Province, receipt)
		}
	}
	for _, e := range f.honest.Entries {
		b.Entries = append(b.Entries, made[e.Event])
	}
	body, err := b.ClosingFor(visit.RoleMerchant, log.Size())
	if err != nil {
		f.t.Fatal(err)
	}
	b.Closing = encoded(f.p.play.Cast.Platform.Forge(closingDraft(f.p, body)))
	data, err := b.Bytes()
	if err != nil {
		f.t.Fatal(err)
	}
	return data
}

// lie is one payload changed in one place.
type lie struct {
	what    string
	at      int
	payload []byte
}

// lies lists every change of every payload in the merchant's bundle.
func (f *forger) lies() []lie {
	f.t.Helper()
	var out []lie
	for i, e := range f.leaves {
		if !f.told[e.Event] {
			continue
		}
		claims, err := statement.Parse(decoded(f.t, e.Statement))
		if err != nil {
			f.t.Fatal(err)
		}
		parseTree(f.t, payloadOf(f.t, e)).spoil(func(where string, data []byte) {
			if strings.HasPrefix(where, "/predicate/key") || strings.HasPrefix(where, "/_type") {
				return // who signs is another question
			}
			out = append(out, lie{claims.Type + where, i, slices.Clone(data)})
		})
	}
	return out
}

// seeded draws from a list, the same at every run.
func seeded[T any](list []T, n int) []T {
	dice := rand.New(rand.NewPCG(79, 1))
	out := slices.Clone(list)
	dice.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out[:min(n, len(out))]
}

// Everybody lies in his own name, about everything; the log, the witnesses and the platform go along.
func TestASecondReaderOfLiesInTheirOwnName(t *testing.T) {
	var files []file
	swap := laterVisit(t, visit.Swap, "", nil, (*scenario.Play).Swap)
	for _, p := range []*played{install(t), {play: swap.Play, ledger: swap.ledger, bundle: fileOf(t, visit.Swap, swap.Play, swap.ID, swap.Cast.Merchant).bundle}} {
		f, trust := newForger(t, p), trustOf(t, p.play)
		same := file{"nothing changed", f.with(-1, nil), trust}
		if _, err := first(same); err != nil {
			t.Fatalf("the log written anew is refused: %v", err)
		}
		files = append(files, same)
		for _, l := range seeded(f.lies(), 100) {
			files = append(files, file{l.what, f.with(l.at, l.payload), trust})
		}
	}
	agree(t, files, 202)
}
