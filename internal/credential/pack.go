package credential

import (
	"encoding/binary"
	"strings"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/statement"
)

// A badge with its answer has about 1,200 characters, nearly all of them base64url: as it is, a QR
// code of it has up to 125 modules a side, and a scratched camera gives up. Packed, the same
// presentation is raw bytes in base45 (RFC 9285), which a QR code holds in its alphanumeric mode
// almost without loss: about 1,400 characters that need less room than the 1,200 did. Unpacking
// gives the very same bytes, since their digest is what the merchant signs.

// AnswerPrefix begins every packed answer. It is no URL, and its characters are alphanumeric ones of
// a QR code.
const AnswerPrefix = "MSA1*"

// Sizes of a packed answer.
const (
	// MaxAnswerText is what version 25, level L, holds: 117 modules a side (ISO/IEC 18004 table 7).
	MaxAnswerText = 1853
	maxPacked     = (MaxAnswerText - len(AnswerPrefix)) / 3 * 2
	sigBytes      = 64
)

// The headers as every token of ours has them; packed, the first two are left out.
var (
	badgeHead   = encode([]byte(`{"alg":"ES256","typ":"dc+sd-jwt"}`))
	bindingHead = encode([]byte(`{"alg":"ES256","typ":"kb+jwt"}`))
	statusHead  = encode([]byte(`{"alg":"ES256","typ":"statuslist+jwt"}`))
)

var (
	errPackOther  = fault.New(fault.Invalid, "answer_not_packable", "这份回答不是规定的写法，放不进二维码。", "The answer is not of the one form that a QR code carries.")
	errTextOther  = fault.New(fault.Refused, "answer_text_foreign", "这不是工作证的二维码。", "This is not the QR code of a badge.")
	errTextTooBig = fault.New(fault.TooLarge, "answer_text_too_large", "二维码里的内容太长。", "The text is longer than any QR code of a badge.")
	errTextCut    = fault.New(fault.Invalid, "answer_text_cut", "二维码没有扫全，请再扫一次。", "The text ends too early; scan the code again.")
	errTextShape  = fault.New(fault.Invalid, "answer_text_malformed", "二维码的内容不对，请再扫一次。", "The text is damaged; scan the code again.")
)

// PackAnswer writes a presentation as the text of a QR code:
//
//	"MSA1*" ‖ base45( len ‖ badge payload ‖ badge signature ‖ n ‖ n × (len ‖ disclosure) ‖ len ‖ binding payload ‖ binding signature )
//
// with each part decoded from base64url, len two bytes, big-endian, n one byte, signatures 64 bytes.
// Only presentations with the two usual headers have such a text; others refuse with
// answer_not_packable.
func PackAnswer(presentation []byte) (string, error) {
	_, jwt, disclosures, binding, err := split(presentation)
	if err != nil {
		return "", err
	}
	var out []byte
	ok := len(disclosures) <= maxDisclosures
	out, ok = packToken(out, ok, jwt, badgeHead)
	out = append(out, byte(len(disclosures)))
	for _, d := range disclosures {
		out, ok = packPart(out, ok, d)
	}
	out, ok = packToken(out, ok, binding, bindingHead)
	if !ok || len(out) > maxPacked {
		return "", errPackOther
	}
	return AnswerPrefix + base45(out), nil
}

func packToken(out []byte, ok bool, token, head string) ([]byte, bool) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 || parts[0] != head {
		return out, false
	}
	out, ok = packPart(out, ok, parts[1])
	sig, err := statement.Base64URL(parts[2])
	return append(out, sig...), ok && err == nil && len(sig) == sigBytes
}

func packPart(out []byte, ok bool, encoded string) ([]byte, bool) {
	raw, err := statement.Base64URL(encoded)
	return append(binary.BigEndian.AppendUint16(out, uint16(len(raw))), raw...), ok && err == nil
}

// UnpackAnswer gives back the presentation behind a QR code's text, byte for byte; nothing in it is
// checked yet. Every text has one presentation and every presentation one text. Faults:
// answer_text_foreign, answer_text_too_large, answer_text_cut, answer_text_malformed.
func UnpackAnswer(text string) ([]byte, error) {
	packed, isOurs := strings.CutPrefix(text, AnswerPrefix)
	switch {
	case !isOurs:
		return nil, errTextOther
	case len(text) > MaxAnswerText:
		return nil, errTextTooBig
	}
	raw, err := unbase45(packed)
	if err != nil {
		return nil, err
	}
	u := unpacking{rest: raw}
	var b strings.Builder
	u.token(&b, badgeHead)
	b.WriteByte('~')
	n := u.take(1)
	if len(n) == 1 && n[0] > maxDisclosures {
		return nil, errTextShape.At("disclosures")
	}
	for i := 0; len(n) == 1 && i < int(n[0]); i++ {
		b.WriteString(encode(u.part()) + "~")
	}
	u.token(&b, bindingHead)
	switch {
	case u.short:
		return nil, errTextCut
	case len(u.rest) != 0:
		return nil, errTextShape.At("trailing bytes")
	}
	return []byte(b.String()), nil
}

// unpacking reads parts off the front; once short, it gives nothing more.
type unpacking struct {
	rest  []byte
	short bool
}

func (u *unpacking) take(n int) []byte {
	if u.short = u.short || len(u.rest) < n; u.short {
		return nil
	}
	out := u.rest[:n]
	u.rest = u.rest[n:]
	return out
}

func (u *unpacking) part() []byte {
	size := u.take(2)
	if u.short {
		return nil
	}
	return u.take(int(binary.BigEndian.Uint16(size)))
}

func (u *unpacking) token(b *strings.Builder, head string) {
	b.WriteString(head + "." + encode(u.part()) + "." + encode(u.take(sigBytes)))
}

// alphabet45 is RFC 9285 §4.1: the characters of a QR code's alphanumeric mode.
const alphabet45 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"

// base45 is RFC 9285 §4: two bytes are three characters, a last single one two.
func base45(raw []byte) string {
	var b strings.Builder
	for ; len(raw) >= 2; raw = raw[2:] {
		n := int(raw[0])<<8 | int(raw[1])
		b.Write([]byte{alphabet45[n%45], alphabet45[n/45%45], alphabet45[n/2025]})
	}
	if len(raw) == 1 {
		b.Write([]byte{alphabet45[raw[0]%45], alphabet45[raw[0]/45]})
	}
	return b.String()
}

// unbase45 undoes base45. Groups above 65535 or 255 are refused (RFC 9285 §6), so that no two texts
// have the same bytes.
func unbase45(s string) ([]byte, error) {
	out := make([]byte, 0, len(s)/3*2+1)
	for ; len(s) >= 3; s = s[3:] {
		n, ok := digits45(s[:3])
		if !ok || n > 0xffff {
			return nil, errTextShape
		}
		out = append(out, byte(n>>8), byte(n))
	}
	switch len(s) {
	case 1:
		return nil, errTextCut
	case 2:
		n, ok := digits45(s)
		if !ok || n > 0xff {
			return nil, errTextShape
		}
		out = append(out, byte(n))
	}
	return out, nil
}

// digits45 reads digits, the lowest first.
func digits45(s string) (int, bool) {
	n, scale := 0, 1
	for i := range len(s) {
		at := strings.IndexByte(alphabet45, s[i])
		if at < 0 {
			return 0, false
		}
		n += at * scale
		scale *= 45
	}
	return n, true
}
