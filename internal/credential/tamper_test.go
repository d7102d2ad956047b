package credential

import (
	"encoding/json"
	"flag"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/statement"
	"pgregory.net/rapid"
)

// vector is a presentation and a status list that were made once and kept: whoever changes the
// format notices here.
type vector struct {
	Issuer       statement.Key `json:"issuer"`
	AskedAt      string        `json:"asked_at"`
	Presentation string        `json:"presentation"`
	StatusList   string        `json:"status_list"`
}

func keptVector(t testing.TB) (vector, Expectation, StatusExpectation) {
	t.Helper()
	raw, err := os.ReadFile("testdata/presentation_and_list_valid.json")
	if err != nil {
		t.Fatal(err)
	}
	var v vector
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	asked, err := time.Parse(time.RFC3339, v.AskedAt)
	if err != nil {
		t.Fatal(err)
	}
	want := wanted()
	want.Issuer, want.AskedAt, want.AnsweredAt = v.Issuer, asked, asked.Add(5*time.Second)
	list := wantedList()
	list.Issuer, list.Now = v.Issuer, asked
	return v, want, list
}

// remake makes the kept vector anew, with keys that are then forgotten:
//
//	go test ./internal/credential -run TestKeptVectorIsStillRead -remake
var remake = flag.Bool("remake", false, "make the kept vector anew")

func remakeVector(t testing.TB) {
	t.Helper()
	v := vector{Issuer: pub(providerKey), AskedAt: noon.Format(time.RFC3339), Presentation: string(present(t, lanBadge(t), lanAnswer()))}
	list, err := BuildStatusList(providerKey, lanStatuses())
	if err != nil {
		t.Fatal(err)
	}
	v.StatusList = string(list)
	raw, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("testdata/presentation_and_list_valid.json", append(raw, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestKeptVectorIsStillRead(t *testing.T) {
	if *remake {
		remakeVector(t)
	}
	v, want, list := keptVector(t)
	p, err := VerifyPresentation([]byte(v.Presentation), want)
	if err != nil {
		t.Fatal(err)
	}
	l, err := VerifyStatusList([]byte(v.StatusList), list)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Admits(p.Badge()); err != nil {
		t.Error(err)
	}
	if p.Badge().StaffNumber() != "staff-17" || p.Order() != "order-1" {
		t.Error("the vector reads otherwise")
	}
}

// everyChange refuses every string that differs from s by one byte: each byte as each of the 255 others,
// dropped, and doubled. Nothing is left out, so the places are shared out over the cores.
func everyChange(t *testing.T, s string, accepts func(bad []byte) bool) {
	t.Helper()
	const shares = 4
	for share := range shares {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			for i := share; i < len(s); i += shares {
				bad := []byte(s)
				for c := range 256 {
					if bad[i] = byte(c); bad[i] != s[i] && accepts(bad) {
						t.Errorf("accepted with byte %d as %q", i, bad[i])
					}
				}
				if accepts([]byte(s[:i]+s[i+1:])) || accepts([]byte(s[:i]+s[i:i+1]+s[i:])) {
					t.Errorf("accepted with byte %d dropped or doubled", i)
				}
			}
		})
	}
}

func TestEveryTamperedPresentationIsRefused(t *testing.T) {
	v, want, _ := keptVector(t)
	everyChange(t, v.Presentation, func(bad []byte) bool {
		p, err := VerifyPresentation(bad, want)
		return err == nil || p.OK()
	})
}

// The badge by itself, as issuer's server and holder's app read it.
func TestEveryTamperedBadgeIsRefused(t *testing.T) {
	v, want, _ := keptVector(t)
	everyChange(t, v.Presentation[:strings.LastIndex(v.Presentation, "~")+1], func(bad []byte) bool {
		b, err := VerifyBadge(bad, want.Issuer, want.IssuerID, want.AnsweredAt)
		return err == nil || b.OK()
	})
}

func TestEveryTamperedStatusListIsRefused(t *testing.T) {
	v, _, list := keptVector(t)
	everyChange(t, v.StatusList, func(bad []byte) bool {
		l, err := VerifyStatusList(bad, list)
		return err == nil || l.OK()
	})
}

func TestAnyOtherBytesAreRefused(t *testing.T) {
	v, want, list := keptVector(t)
	rapid.Check(t, func(t *rapid.T) {
		for _, one := range []struct {
			good   string
			verify func([]byte) error
		}{
			{v.Presentation, func(b []byte) error { _, err := VerifyPresentation(b, want); return err }},
			{v.StatusList, func(b []byte) error { _, err := VerifyStatusList(b, list); return err }},
		} {
			from := rapid.IntRange(0, len(one.good)).Draw(t, "from")
			to := rapid.IntRange(from, len(one.good)).Draw(t, "to")
			with := rapid.StringMatching(`[A-Za-z0-9_.~-]{0,8}`).Draw(t, "with")
			bad := one.good[:from] + with + one.good[to:]
			if bad != one.good && one.verify([]byte(bad)) == nil {
				t.Fatalf("accepted %q", bad)
			}
		}
	})
}

// Whatever claims Issue accepts, verification gives back; it never gives back anything else.
func TestWhatIsIssuedIsRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := lanClaims()
		c.Issuer = rapid.StringMatching(`[A-Za-z0-9][A-Za-z0-9._-]{0,63}`).Draw(t, "issuer")
		c.StaffNumber = rapid.StringMatching(`[A-Za-z0-9][A-Za-z0-9._-]{0,63}`).Draw(t, "staff")
		c.StatusIndex = rapid.IntRange(0, maxStatusIndex).Draw(t, "index")
		c.ExpiresAt = c.IssuedAt.Add(time.Duration(rapid.IntRange(1, 86400).Draw(t, "life")) * time.Second)
		badge, err := Issue(providerKey, c)
		if err != nil {
			t.Fatal(err)
		}
		b, err := VerifyBadge(badge, pub(providerKey), c.Issuer, c.ExpiresAt.Add(-time.Second))
		if err != nil {
			t.Fatal(err)
		}
		if b.StaffNumber() != c.StaffNumber || b.StatusIndex() != c.StatusIndex || !b.ExpiresAt().Equal(c.ExpiresAt) {
			t.Fatalf("read %+v", b)
		}
	})
}

func TestWhatIsPackedIsRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		bits := rapid.SampledFrom([]int{2, 4, 8}).Draw(t, "bits")
		statuses := rapid.SliceOf(rapid.SampledFrom([]Status{Valid, Invalid, Suspended})).Draw(t, "statuses")
		data, err := pack(statuses, bits)
		if err != nil {
			t.Fatal(err)
		}
		out, err := inflate(deflate(data))
		if err != nil {
			t.Fatal(err)
		}
		l := StatusList{ok: true, bits: bits, data: out}
		for i, want := range statuses {
			if got, err := l.At(i); err != nil || got != want {
				t.Fatalf("index %d: %d, %v", i, got, err)
			}
		}
		if s, err := l.At(len(statuses)); err == nil && s == Valid {
			t.Fatal("an index that nobody has is valid")
		}
	})
}
