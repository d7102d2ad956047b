package organisation

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"crypto/rand"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/credential"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/transparency"
)

// draft is an honest one, with a maker's root beside it.
func (s *stage) draft() string {
	s.Helper()
	_, logKey, err := transparency.GenerateLogKey("log.menshen.example")
	if err != nil {
		s.Fatal(err)
	}
	_, witness, err := transparency.GenerateWitnessKey("witness.assoc")
	if err != nil {
		s.Fatal(err)
	}
	root := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "tieshan root"}, NotBefore: s.time, NotAfter: s.time.AddDate(10, 0, 0), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, root, root, &s.keys.Own.PublicKey, s.keys.Own)
	if err != nil {
		s.Fatal(err)
	}
	s.file("root.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	s.file("root.der", string(der))
	return `name: 示例协会的信任文件
demonstration: false
log: {origin: log.menshen.example, key: ` + logKey + `, operator: menshen}
witnesses: [{party: assoc, key: ` + witness + `}]
quorum: 1
device_roots: [{maker: tieshan, file: root.pem}, {maker: luyu, file: root.der}]
revocations: {number: 1, days: 35, serials: ["a1"]}
`
}

func (s *stage) file(name, text string) string {
	s.Helper()
	path := filepath.Join(s.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		s.Fatal(err)
	}
	return path
}

// The publisher's file believes the publisher's own key, and everybody reads it.
func TestThePublisherWritesTheTrustFile(t *testing.T) {
	s := opened(t, "assoc", credential.KindRegulator)
	data, fingerprint, err := TrustFile(s.conf, s.file("trust.yaml", s.draft()), s.time)
	if err != nil {
		t.Fatal(err)
	}
	trust, err := evidence.ParseTrust(data)
	if err != nil || trust.Fingerprint() != fingerprint {
		t.Fatalf("%s, %v", fingerprint, err)
	}
	f := trust.File()
	if f.Publisher != "assoc" || f.TrustListKey.Thumbprint() != statement.KeyOf(&s.keys.Own.PublicKey).Thumbprint() || f.PublishedAt != statement.At(s.time) ||
		len(f.DeviceRoots) != 2 || f.DeviceRoots[0].Certificate != f.DeviceRoots[1].Certificate || f.Revocations.NextAt != statement.At(s.time.Add(35*24*time.Hour)) || f.Demonstration {
		t.Errorf("%+v", f)
	}
}

func TestADraftThatIsWrongMakesNoTrustFile(t *testing.T) {
	s := opened(t, "assoc", credential.KindRegulator)
	honest := s.draft()
	s.file("notes.txt", "no certificate")
	for _, r := range []struct{ name, old, new, code string }{
		{"an unknown name", "quorum: 1", "quorum: 1\ncolour: red", "trust_draft_invalid"},
		{"a name twice", "quorum: 1", "quorum: 1\nquorum: 2", "trust_draft_invalid"},
		{"no name", "name: 示例协会的信任文件", "name: ''", "trust_file_format"},
		{"more than all witnesses", "quorum: 1", "quorum: 2", "policy_quorum_unreachable"},
		{"no quorum", "quorum: 1", "quorum: 0", "policy_quorum_zero"},
		{"the operator as witness", "party: assoc", "party: menshen", "policy_operator_witnesses"},
		{"another log's key", "origin: log.menshen.example", "origin: other.example", "policy_origin"},
		{"a root that is absent", "root.pem", "nowhere.pem", "trust_certificate_unreadable"},
		{"a root that is no certificate", "root.pem", "notes.txt", "trust_certificate_unreadable"},
		{"revocations for ever", "days: 35", "days: 36", "attest_revocation_span"},
		{"revocations that end at once", "days: 35", "days: 0", "attest_revocation_stale"},
		{"a serial number that nothing will match", `["a1"]`, `["A1"]`, "attest_revocation_malformed"},
	} {
		t.Run(r.name, func(t *testing.T) {
			text := strings.Replace(honest, r.old, r.new, 1)
			if text == honest {
				t.Fatal("nothing was changed")
			}
			data, _, err := TrustFile(s.conf, s.file("trust.yaml", text), s.time)
			if fault.CodeOf(err) != r.code {
				t.Errorf("got %s, %v, want %s", data, err, r.code)
			}
		})
	}
	acquirer := acquirerStage(t)
	if _, _, err := TrustFile(acquirer.conf, s.file("trust.yaml", honest), s.time); fault.CodeOf(err) != "trust_file_not_its" {
		t.Errorf("an acquirer: %v", err)
	}
	if _, _, err := TrustFile(s.conf, filepath.Join(s.dir, "nowhere.yaml"), s.time); fault.CodeOf(err) != "trust_draft_invalid" {
		t.Errorf("no draft: %v", err)
	}
}
