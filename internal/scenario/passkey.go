package scenario

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"time"

	"github.com/menshen-project/menshen/internal/agreement"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// Site is where the cast's passkeys belong.
const Site = "menshen.example"

// Assertion is what an authenticator and a browser put together (WebAuthn Level 3 §5.8.1, §6.1); an
// attack changes a member before it is signed.
type Assertion struct {
	Challenge []byte
	Origin    string
	Flags     byte // 0x01 user present, 0x04 user verified
}

// sign asserts with a passkey's private key.
func (a Assertion) sign(priv *ecdsa.PrivateKey) []byte {
	client, err := statement.Canonical(struct {
		Type        string `json:"type"`
		Challenge   string `json:"challenge"`
		Origin      string `json:"origin"`
		CrossOrigin bool   `json:"crossOrigin"`
	}{"webauthn.get", base64.RawURLEncoding.EncodeToString(a.Challenge), a.Origin, false})
	must(err)
	rp, hash := sha256.Sum256([]byte(Site)), sha256.Sum256(client)
	auth := binary.BigEndian.AppendUint32(append(rp[:], a.Flags), 1)
	sum := sha256.Sum256(append(bytes.Clone(auth), hash[:]...))
	der, err := ecdsa.SignASN1(rand.Reader, priv, sum[:])
	must(err)
	out, err := statement.Canonical(statement.Assertion{AuthenticatorData: b64(auth), ClientDataJSON: b64(client), Signature: b64(der)})
	must(err)
	return out
}

// passkey writes the actor's key down as a passkey of the cast's site.
func (a *Actor) passkey() statement.Key {
	key := statement.KeyOf(&a.Key.PublicKey)
	key.Kind, key.RPID, key.Origins = statement.WebAuthn, Site, []string{"https://" + Site}
	return key
}

// assert signs a draft with a passkey, honestly but for edit.
func (a *Actor) assert(d Draft, previous string, edit func(*Assertion)) []byte {
	key := a.passkey()
	h := a.header(d.At)
	h.Previous, h.Answers = previous, d.Answers
	if d.As != "" {
		h.Role = d.As
	}
	payload, err := statement.Unsigned{Type: d.Type, Subject: d.Stream, Header: h, Body: d.Body}.Payload(key)
	must(err)
	challenge := statement.AssertionChallenge(statement.PAE(statement.PayloadType, payload))
	as := Assertion{Challenge: challenge[:], Origin: key.Origins[0], Flags: 0x05}
	if edit != nil {
		edit(&as)
	}
	envelope, err := statement.Seal(payload, key, as.sign(a.Key))
	must(err)
	return envelope
}

func (a *Actor) header(at time.Time) statement.Header {
	return statement.Header{Signer: a.ID, Organisation: a.Organisation, Role: a.Role, At: statement.At(at)}
}

// withPasskey plays the visit of a merchant who signs with a passkey; edit changes the assertion
// under the price sheet.
func (p *Play) withPasskey(ctx context.Context, edit func(*Assertion)) error {
	wei := NewActor("wei-2", p.Cast.Acquirer.ID, visit.RoleMerchant)
	wei.Passkey = true
	p.Cast.Merchant, p.Order.Merchant = wei, wei.ID
	if err := p.enrol(ctx, p.Cast.Acquirer, wei, p.Now()); err != nil {
		return err
	}
	return p.instead(ctx, "agree", func(ctx context.Context) error {
		d := Draft{Stream: p.OrderStream(), Type: agreement.TypeAgreement, At: p.Now(),
			Body: agreement.Accept(p.Order.Order, p.Sheet, nil, agreement.None, p.Cast.Acquirer.ID)}
		envelope := wei.assert(d, "", edit)
		return p.Venue.File(ctx, wei, Filing{Stream: d.Stream, Verb: visit.Agree, Envelope: envelope})
	})
}
