package credential

import (
	"encoding/json"
	"flag"
	"os"
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

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

// tampered calls try with every string that differs from s by one character: every character as every
// other of base64url, as each separator and as a few that belong nowhere; dropped; doubled.
func tampered(s string, try func(bad string)) {
	for i := range s {
		for _, c := range []byte(alphabet + ".~= \x00+/") {
			if c != s[i] {
				try(s[:i] + string(rune(c)) + s[i+1:])
			}
		}
		try(s[:i] + s[i+1:])
		try(s[:i] + s[i:i+1] + s[i:])
	}
}

func TestEveryTamperedPresentationIsRefused(t *testing.T) {
	v, want, _ := keptVector(t)
	n := 0
	tampered(v.Presentation, func(bad string) {
		n++
		if p, err := VerifyPresentation([]byte(bad), want); err == nil || p.OK() {
			t.Fatalf("accepted %q", bad)
		}
	})
	if n < 70*len(v.Presentation) {
		t.Errorf("only %d changes tried", n)
	}
}

func TestEveryTamperedStatusListIsRefused(t *testing.T) {
	v, _, list := keptVector(t)
	n := 0
	tampered(v.StatusList, func(bad string) {
		n++
		if l, err := VerifyStatusList([]byte(bad), list); err == nil || l.OK() {
			t.Fatalf("accepted %q", bad)
		}
	})
	if n < 70*len(v.StatusList) {
		t.Errorf("only %d changes tried", n)
	}
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
