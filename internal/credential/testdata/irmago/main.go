// Irmago is privacybydesign/irmago 1.3.0 as a second implementation of SD-JWT VC and status lists, for
// tests only: a module of its own, so that the 30 modules behind it stay out of menshen's. It reads a
// question as JSON from standard input and writes what the library says; the verdict stays ours
// (peer_*_test.go).
package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"

	"github.com/lestrrat-go/jwx/v3/jwk"
	"github.com/privacybydesign/irmago/eudi/credentials/sdjwtvc"
	"github.com/privacybydesign/irmago/eudi/credentials/statuslist"
	eudijwt "github.com/privacybydesign/irmago/eudi/jwt"
	"github.com/privacybydesign/irmago/eudi/sdjwt"
)

// question is what the test asks; each ask reads the members that it needs.
type question struct {
	Ask           string         `json:"ask"`
	Now           int64          `json:"now"`
	Nonce         string         `json:"nonce"`
	Audience      string         `json:"audience"`
	Presentations []string       `json:"presentations"`
	Claims        map[string]any `json:"claims"`
	Person        []string       `json:"person"`
	Binding       map[string]any `json:"binding"`
	URI           string         `json:"uri"`
	Indexes       []uint64       `json:"indexes"`
	Lists         []string       `json:"lists"`
}

// answer is what it says of one token.
type answer struct {
	OK       bool     `json:"ok"`
	Error    string   `json:"error,omitempty"`
	Person   []any    `json:"person,omitempty"`
	Audience string   `json:"aud,omitempty"`
	Statuses []string `json:"statuses,omitempty"`
}

func main() {
	log.SetFlags(0)
	var q question
	if err := json.NewDecoder(os.Stdin).Decode(&q); err != nil {
		log.Fatal(err)
	}
	out, err := q.answer()
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(out)
	}
	if err != nil {
		log.Fatal(err)
	}
}

func (q question) answer() (any, error) {
	switch q.Ask {
	case "reads":
		return each(q.Presentations, q.reads), nil
	case "lists":
		return each(q.Lists, q.list), nil
	case "issues":
		return q.issues()
	}
	return nil, fmt.Errorf("no such question: %s", q.Ask)
}

func each(tokens []string, read func(string) (answer, error)) []answer {
	var out []answer
	for _, token := range tokens {
		a, err := read(token)
		if a.OK = err == nil; err != nil {
			a.Error = err.Error()
		}
		out = append(out, a)
	}
	return out
}

// reads runs its verifier as a shop that it serves would: with the nonce and audience that it expects. It
// finds the issuer's key in the token itself (did:jwk), because it takes no key from its caller.
func (q question) reads(presentation string) (answer, error) {
	verifier := sdjwtvc.NewVerifierVerificationProcessor(true, sdjwtvc.SdJwtVcVerificationContext{
		Clock: &eudijwt.StaticClock{CurrentTime: q.Now}, JwtVerifier: sdjwt.NewJwxJwtVerifier(), ExpectedNonce: q.Nonce, ExpectedAudience: q.Audience,
	})
	got, err := verifier.ParseAndVerifySdJwtVc(sdjwtvc.SdJwtVcKb(presentation))
	if err != nil {
		return answer{}, err
	}
	person, _ := got.ProcessedSdJwtPayload["person"].([]any)
	return answer{Person: person, Audience: got.KeyBindingJwt.Audience}, nil
}

// list reads entries of a status list token with its checker, which believes it fetched the token.
func (q question) list(token string) (answer, error) {
	checker := statuslist.NewChecker(statuslist.VerificationContext{Clock: &eudijwt.StaticClock{CurrentTime: q.Now},
		HTTPClient: &http.Client{Transport: served(token)}}, nil)
	var out answer
	for _, i := range q.Indexes {
		s, err := checker.Check(context.Background(), statuslist.Reference{Index: i, URI: q.URI})
		if err != nil {
			return answer{}, err
		}
		out.Statuses = append(out.Statuses, s.String())
	}
	return out, nil
}

// served answers every request with a status list token.
type served string

func (s served) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Status: "200 OK", Request: r, Body: io.NopCloser(bytes.NewReader([]byte(s))),
		Header: http.Header{"Content-Type": {statuslist.StatusListTokenContentType}}}, nil
}

// plain is its own signer without the "x5c": null that its builder writes when there is no chain.
type plain struct{ sdjwt.JwtCreator }

func (p plain) CreateSignedJwt(header map[string]any, payload string) (string, error) {
	delete(header, "x5c")
	return p.JwtCreator.CreateSignedJwt(header, payload)
}

// issues makes a badge and a key binding with its builder and its key binder. "own" ends with the binding
// as its wallet makes it; "presentation" with the same and the two claims of our profile.
func (q question) issues() (any, error) {
	issuer, holder := newKey(), newKey()
	badge, err := q.badge(issuer, holder)
	if err != nil {
		return nil, err
	}
	storage := sdjwt.NewInMemoryKeyBindingStorage()
	if err := storage.StorePrivateKeys([]*ecdsa.PrivateKey{holder}); err != nil {
		return nil, err
	}
	own, err := sdjwt.CreateKbJwt(badge, sdjwt.NewDefaultKeyBinder(storage), q.Nonce, q.Audience)
	if err != nil {
		return nil, err
	}
	_, bound, err := sdjwt.DecodeJwtWithoutCheckingSignature(string(own))
	if err != nil {
		return nil, err
	}
	bound["iat"] = q.Now
	for name, value := range q.Binding {
		bound[name] = value
	}
	payload, err := json.Marshal(bound)
	if err != nil {
		return nil, err
	}
	ours, err := sdjwt.NewJwtCreator(holder).CreateSignedJwt(map[string]any{"typ": sdjwt.KbJwtTyp}, string(payload))
	k := written(issuer)
	return map[string]any{"issuer": map[string]string{"kind": "es256", "x": k["x"], "y": k["y"]}, "own": string(badge) + string(own),
		"presentation": string(badge) + ours}, err
}

func (q question) badge(issuer, holder *ecdsa.PrivateKey) (sdjwt.SdJwt, error) {
	key, err := jwk.Import(&holder.PublicKey)
	if err != nil {
		return "", err
	}
	cnf, err := sdjwt.HolderKeyClaim(key)
	if err != nil {
		return "", err
	}
	claims := []*sdjwt.ClaimElement{cnf}
	for name, value := range q.Claims {
		claim, err := claimOf(name, value)
		if err != nil {
			return "", err
		}
		claims = append(claims, claim)
	}
	var person []*sdjwt.ClaimElement
	for _, value := range q.Person {
		person = append(person, sdjwt.Item(value))
	}
	claims = append(claims, sdjwt.SdArray("person", person...))
	return sdjwt.NewBuilder().WithPayload(claims...).WithTyp(sdjwtvc.SdJwtVcTyp).Build(plain{sdjwt.NewJwtCreator(issuer)})
}

func claimOf(name string, value any) (*sdjwt.ClaimElement, error) {
	switch v := value.(type) {
	case string:
		return sdjwt.Claim(name, v), nil
	case float64:
		return sdjwt.Claim(name, int64(v)), nil
	case map[string]any:
		var inside []*sdjwt.ClaimElement
		for n, x := range v {
			c, err := claimOf(n, x)
			if err != nil {
				return nil, err
			}
			inside = append(inside, c)
		}
		return sdjwt.Object(name, inside...), nil
	}
	return nil, fmt.Errorf("%s is of a kind that badges do not have", name)
}

func newKey() *ecdsa.PrivateKey {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		log.Fatal(err)
	}
	return k
}

// written is a public key's coordinates in base64url.
func written(k *ecdsa.PrivateKey) map[string]string {
	raw, err := k.PublicKey.Bytes()
	if err != nil {
		log.Fatal(err)
	}
	enc := base64.RawURLEncoding.EncodeToString
	return map[string]string{"x": enc(raw[1:33]), "y": enc(raw[33:])}
}
