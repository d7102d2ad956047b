package credential

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/statement"
)

func TestACodeIsReadAsPeopleTypeIt(t *testing.T) {
	c := NewCode()
	printed := c.Printed()
	if len(printed) != 14 || strings.ContainsAny(printed, "01ILO") || NewCode() == c {
		t.Fatal(len(printed))
	}
	wide := strings.Map(func(r rune) rune { return r + ('！' - '!') }, printed)
	for name, typed := range map[string]string{
		"as printed": printed, "small": strings.ToLower(printed), "without hyphens": strings.ReplaceAll(printed, "-", ""),
		"spaces": " " + strings.ReplaceAll(printed, "-", "　") + "\t", "full width": wide, "a dash": strings.ReplaceAll(printed, "-", "—"),
	} {
		if got, err := ParseCode(typed); err != nil || got != c {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Every single slip of the finger and every swap of neighbours is found on the phone, before a try is
// spent.
func TestAMistypedCodeIsNoCode(t *testing.T) {
	c := NewCode()
	refused := func(name, typed string) {
		t.Helper()
		if got, err := ParseCode(typed); fault.CodeOf(err) != "code_mistyped" || got != (Code{}) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for i := range codeLength {
		for _, r := range codeAlphabet + "01ILO码" {
			if byte(r) != c.text[i] {
				refused("one character", c.text[:i]+string(r)+c.text[i+1:])
			}
		}
		if i > 0 && c.text[i] != c.text[i-1] {
			refused("two swapped", c.text[:i-1]+c.text[i:i+1]+c.text[i-1:i]+c.text[i+1:])
		}
	}
	refused("nothing", "")
	refused("too long", c.text+"2")
	refused("very long", strings.Repeat("-", 201))
}

func enrolling(t *testing.T) Enrolling {
	t.Helper()
	return Enrolling{Organisation: "jianghe", Holder: "wei", Role: "merchant", Key: statement.KeyOf(&newKey().PublicKey), HeldBy: statement.HeldByHolder}
}

// A proof serves one code and one enrolment: whoever carries it can change nothing.
func TestAProofServesOneEnrolment(t *testing.T) {
	c, e := NewCode(), enrolling(t)
	k := c.Key(e.Organisation, e.Holder, e.Role)
	proof := k.Proof(e)
	if !k.Proves(e, proof) {
		t.Fatal("the honest proof is refused")
	}
	for name, change := range map[string]func(*Enrolling){
		"organisation": func(e *Enrolling) { e.Organisation = "linjiang" },
		"holder":       func(e *Enrolling) { e.Holder = "bo" },
		"role":         func(e *Enrolling) { e.Role = "approver" },
		"key":          func(e *Enrolling) { e.Key = statement.KeyOf(&newKey().PublicKey) },
		"kind":         func(e *Enrolling) { e.Key.Kind = statement.WebAuthn },
		"site":         func(e *Enrolling) { e.Key.RPID, e.Key.Origins = "evil.example", []string{"https://evil.example"} },
		"held by":      func(e *Enrolling) { e.HeldBy = statement.HeldByOperator },
	} {
		other := e
		change(&other)
		if k.Proves(other, proof) {
			t.Errorf("another %s is taken", name)
		}
	}
	for name, other := range map[string]CodeKey{
		"another code":                  NewCode().Key(e.Organisation, e.Holder, e.Role),
		"the code for another holder":   c.Key(e.Organisation, "bo", e.Role),
		"the code for another role":     c.Key(e.Organisation, e.Holder, "clerk"),
		"the code at another":           c.Key("linjiang", e.Holder, e.Role),
		"ids that run into one another": c.Key(e.Organisation+"w", "ei", e.Role),
		"no code":                       Code{}.Key(e.Organisation, e.Holder, e.Role),
	} {
		if other.Proves(e, proof) {
			t.Errorf("%s is taken", name)
		}
	}
	if (CodeKey{}).Proves(e, CodeKey{}.Proof(e)) || (Code{}).Printed() != "" || k.Proves(e, nil) {
		t.Error("the zero value proves something")
	}
}

// The numbers of docs/formats.md; the page computes the same with WebCrypto.
func TestAProofIsMadeByteForByte(t *testing.T) {
	c, err := ParseCode("7KQM-4XTR-9WHJ")
	if err != nil {
		t.Fatal(err)
	}
	e := Enrolling{Organisation: "jianghe", Holder: "wei", Role: "merchant", HeldBy: statement.HeldByHolder,
		Key: statement.Key{Kind: statement.ES256, X: "axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY", Y: "T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU"}}
	proof := c.Key(e.Organisation, e.Holder, e.Role).Proof(e)
	if got := base64.StdEncoding.EncodeToString(proof); got != "e5SQDBp+gEUzYvI5N7ijDOI+MzDb94avlVyOlMDOXPc=" || ProofDigits(proof) != "8191" {
		t.Errorf("%s, digits %s", got, ProofDigits(proof))
	}
}
