package app

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// Every type that can be recorded is read before it is: its honest example passes, and the same with one
// name in another spelling does not.
func TestABodyThatNobodyCanReadIsNotRecorded(t *testing.T) {
	seen := map[string]bool{}
	files, err := filepath.Glob("../../docs/examples/statements/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	for _, f := range files {
		envelope, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		c, err := statement.Parse(envelope)
		if err != nil {
			t.Fatalf("%s: %v", f, err)
		}
		if _, known := bodies[c.Type]; !known {
			continue // an exported file's, an asking's
		}
		seen[c.Type] = true
		if err := readable(c); err != nil {
			t.Errorf("%s: %v", f, err)
		}
		spoilt, err := statement.Parse(respelled(t, c, envelope))
		if err != nil {
			t.Fatalf("%s: %v", f, err)
		}
		if err := readable(spoilt); fault.CodeOf(err) != "json_case_variant" {
			t.Errorf("%s in another spelling: %v", f, err)
		}
	}
	for _, row := range visit.Table() {
		if !seen[row.Type] {
			t.Errorf("%s can be recorded and was not tried", row.Type)
		}
	}
	if len(seen) != len(bodies) {
		t.Errorf("%d types are read, %d were tried", len(bodies), len(seen))
	}
	if err := readable(statement.Claims{Type: "wish"}); fault.CodeOf(err) != "statement_type_unknown" {
		t.Errorf("an unknown type: %v", err)
	}
}

// respelled is a statement of this type whose body's first name begins with a capital, signed like any other.
func respelled(t *testing.T, c statement.Claims, envelope []byte) []byte {
	t.Helper()
	var dsse struct {
		Payload []byte `json:"payload"`
	}
	if err := json.Unmarshal(envelope, &dsse); err != nil {
		t.Fatal(err)
	}
	_, body, found := strings.Cut(string(dsse.Payload), `"body":{"`)
	if !found {
		t.Fatalf("no body in %s", dsse.Payload)
	}
	body = `{"` + strings.ToUpper(body[:1]) + strings.TrimSuffix(body[1:], "}}")
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	spoilt, err := statement.Sign(key, statement.Unsigned{Type: c.Type, Subject: c.Subject, Header: c.Header, Body: json.RawMessage(body)})
	if err != nil {
		t.Fatal(err)
	}
	return spoilt
}
