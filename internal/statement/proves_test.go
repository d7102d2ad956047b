package statement

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"testing"

	"github.com/menshen-project/menshen/internal/fault"
)

// A signature over something else than a statement counts for that alone.
func TestAKeyProvesWhatIsNoStatement(t *testing.T) {
	priv, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key := KeyOf(&priv.PublicKey)
	sign := func(payloadType string) []byte {
		sig, err := SignES256(priv, PAE(payloadType, []byte("hello")))
		if err != nil {
			t.Fatal(err)
		}
		return sig
	}
	const answer = "application/vnd.menshen.answer+json"
	if err := key.Proves(answer, []byte("hello"), sign(answer)); err != nil {
		t.Error(err)
	}
	for _, c := range []struct {
		name string
		err  error
		code string
	}{
		{"a statement's type", key.Proves(PayloadType, []byte("hello"), sign(PayloadType)), errPayload.Code},
		{"signed as a statement", key.Proves(answer, []byte("hello"), sign(PayloadType)), errSignature.Code},
		{"another message", key.Proves(answer, []byte("hullo"), sign(answer)), errSignature.Code},
		{"no key", Key{Kind: "es256"}.Proves(answer, nil, nil), errKeyMalformed.Code},
		{"a passkey's form", Key{Kind: WebAuthn, X: key.X, Y: key.Y, RPID: "localhost", Origins: []string{"http://localhost"}}.Proves(answer, []byte("hello"), sign(answer)), errAssertion.Code},
	} {
		if got := fault.CodeOf(c.err); got != c.code {
			t.Errorf("%s: %s, want %s", c.name, got, c.code)
		}
	}
}
