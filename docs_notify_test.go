package menshen_test

import (
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/notify"
)

// The web hook that operations.md shows is one that is really sent: a receiver that follows the page checks it.
func TestTheWebHookInOperationsIsTheOneThatIsSent(t *testing.T) {
	const secret = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3"
	page := read(t, "docs/operations.md")
	if !strings.Contains(page, "`"+secret+"`") {
		t.Fatal("the page shows another secret")
	}
	var got strings.Builder
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		for _, name := range []string{"Content-Type", "Webhook-Id", "Webhook-Timestamp", "Webhook-Signature"} {
			got.WriteString(name + ": " + r.Header.Get(name) + "\n")
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		got.WriteString("\n" + string(body) + "\n")
	}))
	defer server.Close()
	at := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	h, err := notify.NewHook(notify.HookConfig{URL: server.URL + "/menshen", Secret: secret, Now: func() time.Time { return at }})
	if err != nil {
		t.Fatal(err)
	}
	n := notify.Notice{ID: "n-0123456789abcdef0123456789abcdef", Kind: notify.VisitStopped, At: "2026-11-22T12:00:00Z", Organisation: "svc-anzhuang", About: "visit/v1", Code: "freeze"}
	if err := h.Send(notify.Message{Notice: n, To: "13800138000"}); err != nil {
		t.Fatal(err)
	}
	for _, b := range docBlocks(t) {
		if b.lang != "http" {
			continue
		}
		if b.text != got.String() {
			t.Errorf("%s shows\n%s\nand is sent\n%s", b, b.text, got.String())
		}
		head, body, _ := strings.Cut(b.text, "\n\n")
		header := func(name string) string {
			_, rest, _ := strings.Cut(head, name+": ")
			value, _, _ := strings.Cut(rest, "\n")
			return value
		}
		key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
		if err != nil {
			t.Fatal(err)
		}
		sum := notify.MAC(key, header("Webhook-Id"), header("Webhook-Timestamp"), []byte(strings.TrimSuffix(body, "\n")))
		if header("Webhook-Signature") != "v1,"+base64.StdEncoding.EncodeToString(sum) {
			t.Errorf("%s: the signature does not check", b)
		}
		return
	}
	t.Error("no web hook on the page")
}
