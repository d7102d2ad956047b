package evidence_test

import (
	"testing"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/statement"
)

func trustBytes(tb testing.TB, f evidence.TrustFile) []byte {
	tb.Helper()
	data, err := statement.Canonical(f)
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

func TestParseTrust(t *testing.T) {
	honest := install(t).play.Trust
	data := trustBytes(t, honest.File())
	again, err := evidence.ParseTrust(data)
	if err != nil || !again.OK() || again.Fingerprint() != statement.Digest(data) || again.Fingerprint() != honest.Fingerprint() {
		t.Fatalf("%v, fingerprint %s", err, again.Fingerprint())
	}
	copied := again.File()
	copied.Witnesses[0].Key, copied.DeviceRoots[0].Maker, copied.Revocations.Serials = "", "", append(copied.Revocations.Serials, "1")
	if f := again.File(); f.Witnesses[0].Key == "" || f.DeviceRoots[0].Maker == "" || len(f.Revocations.Serials) != 0 {
		t.Error("what was read can be written into")
	}
	for _, test := range []struct {
		name, code string
		edit       func(*evidence.TrustFile)
	}{
		{"another format", "trust_file_format", func(f *evidence.TrustFile) { f.Format = "menshen-trust-v2" }},
		{"without a publisher", "trust_file_format", func(f *evidence.TrustFile) { f.Publisher = "" }},
		{"without a name", "trust_file_format", func(f *evidence.TrustFile) { f.Name = "" }},
		{"published at no time", "time_malformed", func(f *evidence.TrustFile) { f.PublishedAt = "today" }},
		{"a key for lists that is none", "key_malformed", func(f *evidence.TrustFile) { f.TrustListKey.X = "AAAA" }},
		{"no log", "policy_log_key", func(f *evidence.TrustFile) { f.Log.Key = "" }},
		{"a log of another name", "policy_origin", func(f *evidence.TrustFile) { f.Log.Origin = "elsewhere" }},
		{"a device root that is no base64", "base64_malformed", func(f *evidence.TrustFile) { f.DeviceRoots[0].Certificate = "!" }},
	} {
		f := honest.File()
		f.DeviceRoots = append([]evidence.DeviceRoot{}, f.DeviceRoots...)
		test.edit(&f)
		got, err := evidence.ParseTrust(trustBytes(t, f))
		if fault.CodeOf(err) != test.code || got.OK() {
			t.Errorf("%s: %v, want %s", test.name, err, test.code)
		}
	}
	for name, spoiled := range map[string][]byte{"nothing": nil, "a space more": append(data, ' '), "cut short": data[:len(data)-1]} {
		if got, err := evidence.ParseTrust(spoiled); err == nil || got.OK() {
			t.Errorf("%s: taken", name)
		}
	}
}

// A reader whose trust file names other keys believes none of it.
func TestAnotherTrustFileRefusesTheSameBundle(t *testing.T) {
	p, other := install(t), open(t, "install", 0)
	refuses(t, "a stranger's trust file", evidence.Verify(p.opened(t), other.Trust), "receipt_log_signature")
	f := p.play.Trust.File()
	f.TrustListKey = other.Cast.Association.Public()
	mixed, err := evidence.ParseTrust(trustBytes(t, f))
	if err != nil {
		t.Fatal(err)
	}
	refuses(t, "another compiler of lists", evidence.Verify(p.opened(t), mixed), "signer_key_differs")
}
