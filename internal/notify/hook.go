package notify

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/menshen-project/menshen/internal/acquirer"
	"github.com/menshen-project/menshen/internal/fault"
)

// Bounds of one delivery.
const (
	sendTimeout    = 8 * time.Second
	maxAnswerBytes = 4 << 10 // read and dropped, so that the connection can be used again
	minSecretBytes = 24
	secretPrefix   = "whsec_"
)

var (
	errSecret   = fault.New(fault.Invalid, "notify_secret", "和通知接收方约定的密钥写得不对：whsec_ 后面跟至少 24 字节的 base64。", "A receiver's secret is whsec_ and the base64 of at least 24 bytes.")
	errURL      = fault.New(fault.Invalid, "notify_url", "通知接收方的地址写得不对。", "A receiver's address is https://name[:port]/path, or http:// to this machine.")
	errAway     = fault.New(fault.Unavailable, "notify_unreachable", "连不上通知的接收方，稍后再送。", "A receiver of notices could not be reached; it is tried again.")
	errDeclined = fault.New(fault.Unavailable, "notify_declined", "通知的接收方没有收下，稍后再送。", "A receiver did not take a notice; it is tried again.")
)

// Hook posts notices as signed web hooks (Standard Webhooks 1.0: webhook-id, webhook-timestamp and
// webhook-signature, an HMAC-SHA256 under a secret of the receiver's own).
type Hook struct {
	http   *http.Client
	url    string
	secret []byte
	phones bool
	now    func() time.Time
}

// HookConfig is how a web hook is reached.
type HookConfig struct {
	URL    string // https://name[:port]/path, or http:// and a loopback address
	Secret string // whsec_ and base64, agreed with the receiver
	Pin    string // SHA-256 of the SPKI of its key or its issuer's, lower-case hex; needed for https
	Phones bool   // an SMS gateway
	Now    func() time.Time
}

// NewHook checks a configuration; nothing is called yet. Faults: notify_url, notify_secret, and those of acquirer.HTTP.
func NewHook(c HookConfig) (*Hook, error) {
	secret, err := base64.StdEncoding.Strict().DecodeString(strings.TrimPrefix(c.Secret, secretPrefix))
	if err != nil || !strings.HasPrefix(c.Secret, secretPrefix) || len(secret) < minSecretBytes {
		return nil, errSecret
	}
	u, err := url.Parse(c.URL)
	if err != nil || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return nil, errURL // a secret in the address would reach logs
	}
	client, base, err := acquirer.HTTP((&url.URL{Scheme: u.Scheme, Host: u.Host}).String(), c.Pin)
	if err != nil {
		return nil, err
	}
	client.Timeout = sendTimeout
	return &Hook{http: client, url: base + u.EscapedPath(), secret: secret, phones: c.Phones, now: c.Now}, nil
}

// hookBody is what a receiver reads. To and link are there for an SMS gateway alone.
type hookBody struct {
	Notice
	Zh   string `json:"zh"`
	En   string `json:"en"`
	To   string `json:"to,omitempty"`
	Link string `json:"link,omitempty"`
}

func (h *Hook) body(m Message) ([]byte, error) {
	t := m.Text()
	b := hookBody{Notice: m.Notice, Zh: t.Zh, En: t.En}
	b.By = "" // who had it sent is menshen's to know
	if h.phones {
		b.To, b.Link, b.Zh, b.En = m.To, m.Link, t.Zh+m.Link, t.En+m.Link
	}
	return json.Marshal(b)
}

// Send posts a message once. Only 2xx is taken for an answer; redirects are not followed.
func (h *Hook) Send(m Message) error {
	body, err := h.body(m)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, h.url, bytes.NewReader(body)) // the client's timeout bounds it
	if err != nil {
		return errURL.Because(err)
	}
	at := strconv.FormatInt(h.now().Unix(), 10)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "menshen")
	r.Header.Set("Webhook-Id", m.ID)
	r.Header.Set("Webhook-Timestamp", at)
	r.Header.Set("Webhook-Signature", "v1,"+base64.StdEncoding.EncodeToString(MAC(h.secret, m.ID, at, body)))
	resp, err := h.http.Do(r)
	if err != nil {
		return errAway // its text would hold the address
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, maxAnswerBytes)) // what a receiver says beside its status is not read
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return errDeclined.At(strconv.Itoa(resp.StatusCode))
	}
	return nil
}

// MAC is what a web hook is signed with, and what its receiver computes: HMAC-SHA256(secret, id "." timestamp "." body).
func MAC(secret []byte, id, timestamp string, body []byte) []byte {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(id + "." + timestamp + "."))
	mac.Write(body)
	return mac.Sum(nil)
}
