package evidence_test

import (
	"testing"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

func TestEdgesOfATrustFile(t *testing.T) {
	file := upTo(t, visit.Install, 0, "").Trust.File()
	honest, err := statement.Canonical(file)
	if err != nil {
		t.Fatal(err)
	}
	trust, err := evidence.ParseTrust(honest)
	if err != nil || !trust.OK() || trust.Fingerprint() != statement.Digest(honest) {
		t.Fatalf("%v %q", err, trust.Fingerprint())
	}
	_, err = evidence.ParseTrust(append([]byte(" "), honest...))
	isFault(t, "a second form", err, "json_not_canonical", "trust file")
	for _, c := range []struct {
		name, code, where string
		edit              func(*evidence.TrustFile)
	}{
		{"format", "trust_file_format", "", func(f *evidence.TrustFile) { f.Format = "menshen-trust-v0" }},
		{"publisher", "trust_file_format", "", func(f *evidence.TrustFile) { f.Publisher = "" }},
		{"publisher who is no id", "trust_file_format", "", func(f *evidence.TrustFile) { f.Publisher = "assoc " }},
		{"name", "trust_file_format", "", func(f *evidence.TrustFile) { f.Name = "" }},
		{"time", "time_malformed", "published_at", func(f *evidence.TrustFile) { f.PublishedAt = "today" }},
		{"key", "key_malformed", "trust_list_key", func(f *evidence.TrustFile) { f.TrustListKey.X = "" }},
		{"log", "policy_origin", "log", func(f *evidence.TrustFile) { f.Log.Origin = "" }},
		{"root", "base64_malformed", "device_roots", func(f *evidence.TrustFile) { f.DeviceRoots[0].Certificate = "?" }},
	} {
		f := upTo(t, visit.Install, 0, "").Trust.File()
		c.edit(&f)
		data, err := statement.Canonical(f)
		if err != nil {
			t.Fatal(err)
		}
		got, err := evidence.ParseTrust(data)
		isFault(t, c.name, err, c.code, c.where)
		if got.OK() || got.Fingerprint() != "" {
			t.Errorf("%s: trusted all the same", c.name)
		}
	}
}
