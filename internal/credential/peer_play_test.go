//go:build openapi

// The tests that need what npm and the Go module proxy gave (make test does): two implementations of SD-JWT
// that we did not write. @sd-jwt 0.19.0 lives in testdata/sdjwt, irmago 1.3.0 in testdata/irmago, a module
// of its own.

package credential

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/statement"
)

// npm asks @sd-jwt.
func npm(t testing.TB, question map[string]any, answer any) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "node", "peer.mjs")
	cmd.Dir = "testdata/sdjwt"
	put(t, cmd, question, answer)
}

// irmago asks irmago.
func irmago(t testing.TB, question map[string]any, answer any) {
	t.Helper()
	program, err := irmagoBuilt()
	if err != nil {
		t.Fatal(err)
	}
	put(t, exec.CommandContext(t.Context(), program), question, answer)
}

// irmagoFolder holds the built program; it outlives the test that asked first.
var irmagoFolder string

// irmagoBuilt builds the other module once.
var irmagoBuilt = sync.OnceValues(func() (string, error) {
	var err error
	if irmagoFolder, err = os.MkdirTemp("", "menshen-irmago-"); err != nil {
		return "", err
	}
	program := filepath.Join(irmagoFolder, "irmago-peer")
	if out, err := exec.Command("go", "build", "-C", "testdata/irmago", "-o", program, ".").CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return program, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	_ = os.RemoveAll(irmagoFolder) // "" is none; what cannot be removed is a file in the system's temporary folder
	os.Exit(code)
}

func put(t testing.TB, cmd *exec.Cmd, question map[string]any, answer any) {
	t.Helper()
	in, err := json.Marshal(question)
	if err != nil {
		t.Fatal(err)
	}
	var complaint bytes.Buffer
	cmd.Stdin, cmd.Stderr = bytes.NewReader(in), &complaint
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, complaint.String())
	}
	if err := json.Unmarshal(out, answer); err != nil {
		t.Fatal(err)
	}
}

// said is what another implementation says of one token.
type said struct {
	OK       bool     `json:"ok"`
	Error    string   `json:"error"`
	Person   []string `json:"person"`
	Aud      string   `json:"aud"`
	Statuses []any    `json:"statuses"`
}

// dialect is how a badge is written so that a reader can read it. Ours and @sd-jwt's are told the issuer's
// key. irmago takes it from the token, which we refuse: for irmago the same badge, with the same fault,
// names its issuer by did:jwk. Everything beside that is the same.
type dialect struct {
	testing.TB
	did bool
}

// forged is lan's badge in this dialect after spoil had its way with it.
func (d dialect) forged(spoil func(*draft)) []byte {
	d.Helper()
	return forged(d, func(x *draft) {
		spoil(x)
		if d.did && x.payload.Iss == lanClaims().Issuer {
			x.payload.Iss = didOf(x.signer.PublicKey)
		}
		if d.did {
			x.header = strings.Replace(x.header, "{", `{"kid":"#0",`, 1)
		}
	})
}

// badge is lan's badge with nothing wrong.
func (d dialect) badge() []byte { return d.forged(func(*draft) {}) }

// with is lan's answer, changed, to an honest badge.
func (d dialect) with(change func(*Binding)) []byte {
	a := lanAnswer()
	change(&a)
	return present(d, d.badge(), a)
}

// answered is lan's honest answer to a badge.
func (d dialect) answered(badge []byte) []byte { return present(d, badge, lanAnswer()) }

// spoiled is lan's honest answer to a spoiled badge.
func (d dialect) spoiled(spoil func(*draft)) []byte { return d.answered(d.forged(spoil)) }

// asked is the question about presentations that both are asked.
func asked(ask string, presentations ...string) map[string]any {
	a := lanAnswer()
	return map[string]any{"ask": ask, "issuer": pub(providerKey), "nonce": a.Nonce, "audience": a.Audience, "now": noon.Add(5 * time.Second).Unix(), "presentations": presentations}
}

// claimed is lan's badge as another implementation is to issue it.
func claimed() map[string]any {
	c, a := lanClaims(), lanAnswer()
	return map[string]any{"ask": "issues", "nonce": a.Nonce, "audience": a.Audience, "now": a.At.Unix(),
		"claims": map[string]any{"iss": c.Issuer, "vct": BadgeType, "iat": c.IssuedAt.Unix(), "exp": c.ExpiresAt.Unix(),
			"status": map[string]any{"status_list": map[string]any{"idx": c.StatusIndex, "uri": c.StatusURI}}},
		"person":  []string{c.StaffNumber, shorter(c.NameCommitment), shorter(c.PhotoCommitment)},
		"binding": map[string]any{"iat": a.At.Unix(), "aud": a.Audience, "nonce": a.Nonce, "position": shorter(a.Position), "order": a.Order}}
}

// issued is what another implementation made of claimed.
type issued struct {
	Issuer       statement.Key `json:"issuer"`
	Presentation string        `json:"presentation"`
	Own          string        `json:"own"` // with the binding as its own wallet makes it
}
