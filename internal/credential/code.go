package credential

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/statement"
)

// codeAlphabet leaves out 0, 1, I, L and O. It has 31 characters, a prime, so that the check character
// finds every single wrong character and every swap of two neighbours.
const codeAlphabet = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"

const (
	codeLength = 12 // eleven random characters (54 bits) and the check character
	codeGroup  = 4

	// codeRounds is PBKDF2's count: about 0.1 s on a slow phone. The code is random, not chosen, so the
	// rounds only add 17 bits to its 54 against whoever has seen a proof.
	codeRounds = 100_000
	codeSalt   = "menshen-code-v1"
	enrolProof = "menshen-enrol-v1\n"
	clerkCheck = "menshen-digits-v1\n"
)

var errCodeTyped = fault.New(fault.Invalid, "code_mistyped", "开通码输错了，请照着纸上再输一遍。", "The code is mistyped; type it again as it is printed.")

// Code is a one-time code: made by an organisation's own service, handed over outside menshen, typed
// into the new phone, and never sent. The zero value is no code and refuses.
type Code struct{ text string }

// NewCode makes a random code of 54 bits.
func NewCode() Code {
	var text [codeLength]byte
	for i := 0; i < codeLength-1; {
		var b [1]byte
		rand.Read(b[:])       // never fails (Go 1.24)
		if int(b[0]) < 8*31 { // the rest would make some characters likelier
			text[i] = codeAlphabet[b[0]%31]
			i++
		}
	}
	text[codeLength-1] = checkCharacter(string(text[:codeLength-1]))
	return Code{string(text[:])}
}

// checkCharacter is the sum of place × value, from place 1, modulo 31.
func checkCharacter(text string) byte {
	sum := 0
	for i := range len(text) {
		sum += (i + 1) * strings.IndexByte(codeAlphabet, text[i])
	}
	return codeAlphabet[sum%31]
}

// ParseCode reads a code as people type it: letter case, spaces, hyphens and full-width characters do
// not matter. Fault: code_mistyped.
func ParseCode(typed string) (Code, error) {
	if len(typed) > 200 {
		return Code{}, errCodeTyped
	}
	text := strings.Map(func(r rune) rune {
		if r >= '！' && r <= '～' { // full-width forms of ASCII, as Chinese keyboards give them
			r -= '！' - '!'
		}
		switch {
		case r == ' ' || r == '-' || r == '　' || r == '–' || r == '—' || r == '\t':
			return -1
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		}
		return r
	}, typed)
	if len(text) != codeLength || strings.Trim(text, codeAlphabet) != "" || text[codeLength-1] != checkCharacter(text[:codeLength-1]) {
		return Code{}, errCodeTyped
	}
	return Code{text}, nil
}

// Printed is the code as it stands on paper: XXXX-XXXX-XXXX, "" for the zero value. It is shown once;
// nothing keeps it.
func (c Code) Printed() string {
	if c.text == "" {
		return ""
	}
	return c.text[:codeGroup] + "-" + c.text[codeGroup:2*codeGroup] + "-" + c.text[2*codeGroup:]
}

// Enrolling is what a code is good for and what its holder asks to have signed: the whole key, so
// that whoever carries the request can change nothing of it.
type Enrolling struct {
	Organisation string        `json:"organisation"`
	Holder       string        `json:"holder"`
	Role         string        `json:"role"`
	Key          statement.Key `json:"key"`
	HeldBy       string        `json:"held_by"`
}

// CodeKey is what is kept of a code: enough to check a proof. It is PBKDF2-HMAC-SHA-256 over the code,
// salted with whom it is for, so that it serves no other holder or role.
type CodeKey [sha256.Size]byte

// Key derives what checks a proof for one holder and role of one organisation. The zero code gives the
// zero key, which checks nothing.
func (c Code) Key(organisation, holder, role string) CodeKey {
	if c.text == "" {
		return CodeKey{}
	}
	salt := codeSalt + "\x00" + organisation + "\x00" + holder + "\x00" + role
	derived, _ := pbkdf2.Key(sha256.New, c.text, []byte(salt), codeRounds, sha256.Size) // the length is a known one
	var k CodeKey
	copy(k[:], derived)
	return k
}

// Proof is HMAC-SHA-256 under the code's key over "menshen-enrol-v1", a line feed and the canonical
// JSON of e. Whoever does not know the code can neither make it nor move it to another key.
func (k CodeKey) Proof(e Enrolling) []byte {
	data, _ := statement.Canonical(e) // strings
	mac := hmac.New(sha256.New, k[:])
	mac.Write([]byte(enrolProof))
	mac.Write(data)
	return mac.Sum(nil)
}

// Proves says whether the proof was made with this code for exactly this enrolment.
func (k CodeKey) Proves(e Enrolling, proof []byte) bool {
	return k != CodeKey{} && hmac.Equal(k.Proof(e), proof)
}

// ProofDigits are the four digits that the owner's page and a clerk's phone both show. They come from the
// proof, which only those two can make; comparing them tells one clerk's phone from another's.
func ProofDigits(proof []byte) string {
	sum := sha256.Sum256(append([]byte(clerkCheck), proof...))
	return fmt.Sprintf("%04d", binary.BigEndian.Uint32(sum[:4])%10000)
}
