package statement

import (
	"strings"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/fault"
	"pgregory.net/rapid"
)

func TestTimeHasOneForm(t *testing.T) {
	got, err := Time("2026-11-22T12:00:00Z").Parse()
	if err != nil || !got.Equal(time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)) || got.Location() != time.UTC {
		t.Errorf("got %v, %v", got, err)
	}
	shanghai := time.FixedZone("UTC+8", 8*3600)
	if got := At(time.Date(2026, 11, 22, 20, 0, 0, 999, shanghai)); got != "2026-11-22T12:00:00Z" {
		t.Errorf("got %s", got)
	}
	for _, bad := range []Time{"", "2026-11-22", "2026-11-22T12:00:00", "2026-11-22t12:00:00z", "2026-11-22 12:00:00Z",
		"2026-11-22T12:00:00.0Z", "2026-11-22T12:00:00,5Z", "2026-11-22T12:00:00+00:00", "2026-11-22T20:00:00+08:00", "2026-11-22T24:00:00Z",
		"2026-11-22T23:59:60Z", "2026-02-29T12:00:00Z", "2026-13-01T12:00:00Z", "2026-11-22T9:00:00Z", " 2026-11-22T12:00:00Z", "12026-11-22T12:00:00Z"} {
		if _, err := bad.Parse(); fault.CodeOf(err) != "time_malformed" {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestTimeRoundTrip(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		want := time.Unix(rapid.Int64Range(0, 253402300799).Draw(r, "seconds"), 0)
		got, err := At(want).Parse()
		if err != nil || !got.Equal(want) {
			r.Fatalf("%v became %v, %v", want, got, err)
		}
	})
}

// The value comes from an independent computation:
// printf 'phone\0\1\2\3\4\5\6\7\10\11\12\13\14\15\16\17\02013800000000' | sha256sum
func TestCommitIsWhatTheDesignSays(t *testing.T) {
	salt := [16]byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}
	const want = "bc44ee2eabe1e376c59072d4a8869241464c9ca0141f0406f284ae74dbf21674"
	if got := Commit("phone", salt, []byte("13800000000")); got != want {
		t.Errorf("got %s", got)
	}
	o := NewOpening("phone", salt, "13800000000")
	if o.Salt != "AQIDBAUGBwgJCgsMDQ4PEA==" {
		t.Errorf("salt written as %s", o.Salt)
	}
	if got, err := o.Commitment(); err != nil || got != want {
		t.Errorf("got %s, %v", got, err)
	}
}

func TestOpeningRefuses(t *testing.T) {
	good := NewOpening("name", [16]byte{}, "门神")
	tests := []struct {
		name  string
		spoil func(*Opening)
	}{
		{"zero value", func(o *Opening) { *o = Opening{} }},
		{"no kind", func(o *Opening) { o.Kind = "" }},
		{"kind in capitals", func(o *Opening) { o.Kind = "Name" }},
		{"kind with a zero byte", func(o *Opening) { o.Kind = "name\x00" }},
		{"kind too long", func(o *Opening) { o.Kind = strings.Repeat("a", 41) }},
		{"salt not in base64", func(o *Opening) { o.Salt = "*" }},
		{"salt too short", func(o *Opening) { o.Salt = "AAAAAAAAAAAAAAAAAAAA" }},
		{"salt with spare bits", func(o *Opening) { o.Salt = "AAAAAAAAAAAAAAAAAAAAAB==" }},
		{"no salt", func(o *Opening) { o.Salt = "" }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			o := good
			test.spoil(&o)
			if got, err := o.Commitment(); fault.CodeOf(err) != "opening_malformed" || got != "" {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
	if _, err := (Opening{Kind: strings.Repeat("a", 40), Salt: good.Salt}).Commitment(); err != nil {
		t.Errorf("longest kind: %v", err)
	}
}

// Another kind, salt or value opens to another commitment.
func TestCommitmentsDiffer(t *testing.T) {
	opening := rapid.Custom(func(r *rapid.T) Opening {
		salt := [16]byte(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(r, "salt"))
		return NewOpening(rapid.StringMatching(`[a-z_]{1,3}`).Draw(r, "kind"), salt, rapid.String().Draw(r, "value"))
	})
	rapid.Check(t, func(r *rapid.T) {
		a, b := opening.Draw(r, "a"), opening.Draw(r, "b")
		ca, errA := a.Commitment()
		cb, errB := b.Commitment()
		if errA != nil || errB != nil || (ca == cb) != (a == b) || !IsDigest(ca) {
			r.Fatalf("%v %v", errA, errB)
		}
	})
}

func TestBase64HasOneForm(t *testing.T) {
	if got, err := Base64("//8="); err != nil || string(got) != "\xff\xff" {
		t.Errorf("got %x, %v", got, err)
	}
	if got, err := Base64URL("__8"); err != nil || string(got) != "\xff\xff" {
		t.Errorf("got %x, %v", got, err)
	}
	for _, bad := range []string{"//8", "__8=", "//9=", "//8=\n", "/\r\n/8=", " //8=", "//8==", "*"} {
		if _, err := Base64(bad); fault.CodeOf(err) != "base64_malformed" {
			t.Errorf("Base64 %q: %v", bad, err)
		}
	}
	for _, bad := range []string{"__8=", "//8", "__9", "__8\n", "_"} {
		if _, err := Base64URL(bad); fault.CodeOf(err) != "base64_malformed" {
			t.Errorf("Base64URL %q: %v", bad, err)
		}
	}
}

func TestDigestAndItsShape(t *testing.T) {
	const empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" // FIPS 180-4 of no bytes
	if got := Digest(nil); got != empty || !IsDigest(got) {
		t.Errorf("got %s", got)
	}
	for _, bad := range []string{"", empty[1:], empty + "0", strings.ToUpper(empty), "g" + empty[1:], "/" + empty[1:], ":" + empty[1:], "门" + empty[3:]} {
		if IsDigest(bad) {
			t.Errorf("%q passes for a digest", bad)
		}
	}
}
