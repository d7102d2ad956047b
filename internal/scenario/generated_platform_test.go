//go:build attacks

package scenario

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"strings"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// platformLie is one value of one statement that the platform signs otherwise.
type platformLie struct {
	nth  int
	at   string
	name string
}

// lying has the platform change the value at a place of the nth statement that it signs, and sign that; nth 0 changes
// nothing. seen is told of each.
func lying(l *Ledger, nth int, at string, seen func(nth int, typ string, paths []string)) {
	signed := 0
	l.Lie = func(d Draft) Draft {
		signed++
		data, err := statement.Canonical(d.Body)
		must(err)
		dec := json.NewDecoder(strings.NewReader(string(data)))
		dec.UseNumber()
		var body any
		must(dec.Decode(&body))
		if seen != nil {
			typ := d.Type
			if m, ok := body.(map[string]any); ok && m["ask"] != nil { // each ask reads other things
				typ += fmt.Sprintf("(%s)", m["ask"])
			}
			seen(signed, typ, leavesOf(body, ""))
		}
		if signed == nth {
			raw, err := json.Marshal(changedAt(body, "", at))
			must(err)
			d.Body = json.RawMessage(raw)
		}
		return d
	}
}

// closesAndVerifies plays a visit, exports it for its merchant and reads it as a verifier does.
func closesAndVerifies(t *testing.T, p *Play, l *Ledger, scenes []Scene) (played, read error) {
	t.Helper()
	if err := Run(t.Context(), scenes); err != nil {
		return err, nil
	}
	bundle, err := l.Bundle(t.Context(), p.Cast.Merchant, p.ID)
	if err == nil {
		_, err = Check(bundle, p.Trust)
	}
	return nil, err
}

// platformAlone are visits in which the platform itself reports, or stops: a device that does not prove itself at an
// inspection is an incident, and a swap that is not live when its time is over goes back to the old terminal.
var platformAlone = []struct {
	kind   string
	scenes func(p *Play, l *Ledger) []Scene
}{
	{visit.Inspection, func(p *Play, _ *Ledger) []Scene { return Without(p.Inspect(), "attest") }},
	{visit.Swap, func(p *Play, l *Ledger) []Scene {
		return append(Until(p.Swap(), "attest again"), Scene{"timer", func(ctx context.Context) error {
			p.Wait(3 * time.Hour)
			due, err := l.RollBackDue(ctx, p.ID)
			if err == nil && !due {
				err = errors.New("the timer did not ring")
			}
			return err
		}})
	}},
}

// withPlatformAlone is a visit of a kind, or one of those after them.
func withPlatformAlone(t *testing.T, kind int) (*Play, *Ledger, []Scene) {
	if kind < len(kindsAfter) {
		return ofKind(t, kind)
	}
	alone := platformAlone[kind-len(kindsAfter)]
	p, l := settled(t, 1)
	q := p.Next(alone.kind, "v2", secondSerial, secondTerminal)
	return q, l, alone.scenes(q, l)
}

// TestBodiesChangedByThePlatform: whoever runs menshen lies in its name. For every type that the platform signs and every
// value in its body, a visit of every kind is played with that value changed and signed by the platform's own key. Somebody
// else refuses it for a reason of its own: the state machine, the host, or whoever reads the bundle. testdata/resigned_platform.txt
// names each that nobody can refuse, and says why: menshen's word about what only it knows (design §16), or about nothing.
func TestBodiesChangedByThePlatform(t *testing.T) {
	done, types, codes := map[string]bool{}, map[string]bool{}, map[string]int{}
	tried, let := 0, []string{}
	for kind := -1; kind < len(kindsAfter)+len(platformAlone); kind++ {
		var lies []platformLie
		p, l, scenes := withPlatformAlone(t, kind)
		lying(l, 0, "", func(nth int, typ string, paths []string) {
			types[strings.Split(typ, "(")[0]] = true
			for _, at := range paths {
				if name := typ + at; !done[name] {
					done[name] = true
					lies = append(lies, platformLie{nth, at, name})
				}
			}
		})
		if played, read := closesAndVerifies(t, p, l, scenes); played != nil || read != nil {
			t.Fatalf("the honest visit: %v, %v", played, read)
		}
		for i, lie := range lies {
			if !*full && i%12 != 0 && kind < len(kindsAfter) {
				continue
			}
			tried++
			p, l, scenes := withPlatformAlone(t, kind)
			lying(l, lie.nth, lie.at, nil)
			played, read := closesAndVerifies(t, p, l, scenes)
			switch {
			case played == nil && read == nil:
				let = append(let, lie.name)
			case played != nil:
				codes[RefusalOf(played).Code]++
			default:
				codes[RefusalOf(read).Code]++
			}
		}
	}
	if n := codes[""] + codes["internal"]; n > 0 {
		t.Errorf("%d were refused without a reason: %v", n, codes)
	}
	excused, used := reasons(t, "resigned_platform.txt"), map[string]bool{}
	for _, name := range let {
		found := false
		for pattern, why := range excused {
			if ok, err := path.Match(pattern, strings.NewReplacer("[", "{", "]", "}").Replace(name)); err == nil && ok && why != "" {
				found, used[pattern] = true, true
			}
		}
		if !found {
			t.Errorf("%s, changed by the platform, is let through, and testdata/resigned_platform.txt does not say why", name)
		}
	}
	if *full {
		for pattern := range excused {
			if !used[pattern] {
				t.Errorf("%s is refused now: testdata/resigned_platform.txt need not excuse it", pattern)
			}
		}
	}
	for _, typ := range []string{visit.TypeChallenge, visit.TypeDecision, visit.TypeIntent, visit.TypeIncident, visit.TypeBrake, "extract", "attestation", "closing"} {
		if !types[typ] {
			t.Errorf("the platform signed no %s: %v", typ, types)
		}
	}
	t.Logf("%d values of %d types changed by the platform: %d let through by name; reasons %v", tried, len(types), len(let), codes)
}
