package door

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/statement"
)

const (
	prefix      = "MSD1"
	markOnline  = "N"
	markOffline = "F"

	// MaxText bounds a challenge's text, in bytes.
	MaxText     = 160
	nonceBytes  = 16
	macBytes    = 16
	secretBytes = 32
	maxID       = 64
)

var (
	errForeign   = fault.New(fault.Refused, "challenge_text_foreign", "这不是店家核对用的二维码。", "This is not the QR code of a door check.")
	errTooLong   = fault.New(fault.TooLarge, "challenge_text_too_large", "二维码里的内容太长。", "The text is longer than any challenge.")
	errCut       = fault.New(fault.Invalid, "challenge_text_cut", "二维码没有扫全，请再扫一次。", "The text ends too early; scan the code again.")
	errMalformed = fault.New(fault.Invalid, "challenge_text_malformed", "二维码的内容不对，请再扫一次。", "The challenge is malformed; scan the code again.")
	errMAC       = fault.New(fault.Refused, "challenge_mac", "这个码不属于您的这一单。", "The challenge does not belong to this order.")
	errNoMAC     = fault.New(fault.Refused, "challenge_mac_absent", "这个码是联网核对用的，没有信号时不能用。", "The challenge is one for a check with signal.")
	errSecret    = fault.New(fault.Internal, "order_secret_malformed", "订单的密码不对。", "The order's secret is malformed.")
)

// Challenge is what a merchant's page asks with. The zero value is none.
type Challenge struct {
	Visit string
	Nonce string    // strict base64, 16 bytes: as the challenge statement has it
	Asked time.Time // when it was made, cut to whole seconds: by the server's clock, offline by the page's
	MAC   string    // offline only: base64url, 16 bytes
}

// Offline says whether the merchant's page made the nonce.
func (c Challenge) Offline() bool { return c.MAC != "" }

// Text is what the QR code says:
//
//	MSD1~N~visit~nonce~asked          made by the server
//	MSD1~F~visit~nonce~asked~mac      made by the page without signal
//
// asked is Unix seconds. Nothing of it is a URL, so that a phone's own camera opens nothing.
func (c Challenge) Text() string {
	mark := markOnline
	if c.Offline() {
		mark = markOffline
	}
	text := c.unsealed(mark)
	if c.Offline() {
		text += "~" + c.MAC
	}
	return text
}

func (c Challenge) unsealed(mark string) string {
	return strings.Join([]string{prefix, mark, c.Visit, c.Nonce, strconv.FormatInt(c.Asked.Unix(), 10)}, "~")
}

// Seal makes an offline challenge of c: the MAC is the first 16 bytes of HMAC-SHA-256 under the order's
// secret over the text before it. It tells the technician's phone that the challenge is of this order,
// and proves nothing to anybody else: both sides hold the secret.
func (c Challenge) Seal(secret []byte) (Challenge, error) {
	mac, err := c.mac(secret)
	c.MAC = mac
	return c, err
}

func (c Challenge) mac(secret []byte) (string, error) {
	if len(secret) != secretBytes {
		return "", errSecret
	}
	h := hmac.New(sha256.New, secret)
	h.Write([]byte(c.unsealed(markOffline)))
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:macBytes]), nil
}

// Sealed says whether an offline challenge was made with this order's secret: nil, challenge_mac, or
// challenge_mac_absent for one that needs the server.
func (c Challenge) Sealed(secret []byte) error {
	if !c.Offline() {
		return errNoMAC
	}
	want, err := c.mac(secret)
	if err != nil {
		return err
	}
	if !hmac.Equal([]byte(want), []byte(c.MAC)) {
		return errMAC
	}
	return nil
}

// Parse reads a challenge's text. Whether its MAC is right is asked of Sealed, whether its nonce is
// known of the server. Faults: challenge_text_*.
func Parse(text string) (Challenge, error) {
	if len(text) > MaxText {
		return Challenge{}, errTooLong
	}
	parts := strings.Split(text, "~")
	if parts[0] != prefix {
		return Challenge{}, errForeign
	}
	want, known := map[string]int{markOnline: 5, markOffline: 6}[append(parts, "")[1]]
	switch {
	case len(parts) < 5 || (known && len(parts) < want):
		return Challenge{}, errCut
	case len(parts) != want:
		return Challenge{}, errMalformed
	}
	asked, err := strconv.ParseInt(parts[4], 10, 64)
	if err != nil {
		return Challenge{}, errMalformed.At("asked")
	}
	c := Challenge{Visit: parts[2], Nonce: parts[3], Asked: time.Unix(asked, 0).UTC()}
	if parts[1] == markOffline {
		c.MAC = parts[5]
		if raw, err := statement.Base64URL(c.MAC); err != nil || len(raw) != macBytes {
			return Challenge{}, errMalformed.At("mac")
		}
	}
	if !id(c.Visit) || c.Text() != text {
		return Challenge{}, errMalformed
	}
	return c, NonceOK(c.Nonce)
}

// NonceOK says whether a nonce is strict base64 of 16 bytes; challenge_text_malformed if not.
func NonceOK(nonce string) error {
	if raw, err := statement.Base64(nonce); err != nil || len(raw) != nonceBytes {
		return errMalformed.At("nonce")
	}
	return nil
}

// id says whether s can be a visit's id inside a text: it has no separator.
func id(s string) bool {
	for _, r := range s {
		letter := (r >= 'A' && r <= 'Z') || (r >= 'a' && r <= 'z') || (r >= '0' && r <= '9')
		if !letter && r != '.' && r != '_' && r != '-' {
			return false
		}
	}
	return s != "" && len(s) <= maxID
}
