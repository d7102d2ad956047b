package menshen_test

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"reflect"
	"testing"

	"github.com/menshen-project/menshen/internal/credential"
	"github.com/menshen-project/menshen/internal/statement"
)

// codeVector is one proof of a one-time code, step by step, for whoever writes the page's side.
type codeVector struct {
	Name      string               `json:"name"`
	Typed     string               `json:"typed"`
	Code      string               `json:"code"`
	Enrolling credential.Enrolling `json:"enrolling"`
	Salt      string               `json:"salt_hex"`
	Rounds    int                  `json:"rounds"`
	CodeKey   string               `json:"code_key_hex"`
	Message   string               `json:"message"`
	Proof     string               `json:"proof"`
	Digits    string               `json:"digits"`
}

// again computes a vector from what was typed and what is asked for.
func (v codeVector) again(t *testing.T) codeVector {
	t.Helper()
	c, err := credential.ParseCode(v.Typed)
	if err != nil {
		t.Fatal(v.Name, err)
	}
	e := v.Enrolling
	message, err := statement.Canonical(e)
	if err != nil {
		t.Fatal(v.Name, err)
	}
	key := c.Key(e.Organisation, e.Holder, e.Role)
	proof := key.Proof(e)
	v.Code, v.Rounds = c.Printed(), 100_000
	v.Salt = hex.EncodeToString([]byte("menshen-code-v1\x00" + e.Organisation + "\x00" + e.Holder + "\x00" + e.Role))
	v.CodeKey, v.Message = hex.EncodeToString(key[:]), "menshen-enrol-v1\n"+string(message)
	v.Proof, v.Digits = base64.StdEncoding.EncodeToString(proof), credential.ProofDigits(proof)
	return v
}

func TestCodeVectors(t *testing.T) {
	var vectors []codeVector
	if err := statement.Decode(example(t, "enrolment_codes.json"), &vectors); err != nil {
		t.Fatal(err)
	}
	if len(vectors) < 4 {
		t.Fatalf("%d vectors", len(vectors))
	}
	for i, v := range vectors {
		want := v.again(t)
		if !reflect.DeepEqual(v, want) {
			line, _ := json.MarshalIndent(want, "  ", "  ")
			t.Errorf("vector %d is\n  %s", i, line)
		}
	}
}
