package transparency_test

import (
	"strings"
	"testing"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/transparency"
	f_note "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"
)

func TestKeys(t *testing.T) {
	secret, vkey, err := transparency.GenerateLogKey(origin)
	if err != nil {
		t.Fatal(err)
	}
	signer, again, err := transparency.ParseLogSigner(secret)
	if err != nil || again != vkey {
		t.Fatalf("%q, %v, want %q", again, err, vkey)
	}
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := note.Sign(&note.Note{Text: "text\n"}, signer)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := note.Open(signed, note.VerifierList(verifier)); err != nil {
		t.Fatal(err)
	}

	secret, vkey, err = transparency.GenerateWitnessKey("witness.example/bank")
	if err != nil {
		t.Fatal(err)
	}
	cosigner, again, err := transparency.ParseWitnessSigner(secret)
	if err != nil || again != vkey {
		t.Fatalf("%q, %v, want %q", again, err, vkey)
	}
	verifier, err = f_note.NewVerifierForCosignatureV1(vkey)
	if err != nil || verifier.KeyHash() != cosigner.KeyHash() {
		t.Fatalf("key id %08x, %v, want %08x", verifier.KeyHash(), err, cosigner.KeyHash())
	}
}

func TestSecretsAreForOneUse(t *testing.T) {
	log, _, _ := transparency.GenerateLogKey(origin)
	witness, _, _ := transparency.GenerateWitnessKey(origin)
	for name, c := range map[string]struct{ secret, code string }{
		"witness's secret as a log's": {witness, "signer_key_malformed"},
		"nothing":                     {"", "signer_key_malformed"},
		"cut":                         {log[:len(log)-4], "signer_key_malformed"},
		"newline behind":              {log + "\n", "signer_key_malformed"},
		"other name":                  {strings.Replace(log, origin, "menshen.example/other", 1), "signer_key_malformed"},
		"name with a space":           {strings.Replace(log, origin, "a b", 1), "signer_key_malformed"},
	} {
		s, vkey, err := transparency.ParseLogSigner(c.secret)
		if fault.CodeOf(err) != c.code || s != nil || vkey != "" {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil && c.secret != "" && strings.Contains(err.Error(), c.secret[len(c.secret)-20:]) {
			t.Errorf("%s: the fault shows the secret", name)
		}
	}
	for name, secret := range map[string]string{
		"other name":     strings.Replace(witness, origin, "menshen.example/other", 1),
		"without prefix": strings.TrimPrefix(witness, "PRIVATE+KEY+"),
	} {
		if s, _, err := transparency.ParseWitnessSigner(secret); fault.CodeOf(err) != "signer_key_malformed" || s != nil {
			t.Errorf("witness's secret, %s: %v", name, err)
		}
	}
	if s, _, err := transparency.ParseWitnessSigner(log); fault.CodeOf(err) != "signer_key_malformed" || s != nil {
		t.Errorf("a log's secret as a witness's: %v", err)
	}
	for _, name := range []string{"", "a b", "a+b", "门神"} {
		if _, _, err := transparency.GenerateLogKey(name); fault.CodeOf(err) != "key_name_malformed" {
			t.Errorf("log key named %q: %v", name, err)
		}
		if _, _, err := transparency.GenerateWitnessKey(name); fault.CodeOf(err) != "key_name_malformed" {
			t.Errorf("witness key named %q: %v", name, err)
		}
	}
}

func FuzzParseSecrets(f *testing.F) {
	log, _, _ := transparency.GenerateLogKey(origin)
	witness, _, _ := transparency.GenerateWitnessKey(origin)
	f.Add(log)
	f.Add(witness)
	f.Fuzz(func(t *testing.T, secret string) {
		_, _, asLog := transparency.ParseLogSigner(secret)
		_, _, asWitness := transparency.ParseWitnessSigner(secret)
		if asLog == nil && asWitness == nil {
			t.Fatalf("%q is both", secret)
		}
	})
}
