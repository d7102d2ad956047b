package acquirer

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/identifier"
	"github.com/menshen-project/menshen/internal/statement"
)

// Bounds on one call.
const (
	DefaultTimeout = 20 * time.Second
	maxTimeout     = 2 * time.Minute
	minTokenBytes  = 16
)

var (
	errConfigURL     = fault.New(fault.Invalid, "host_url", "收单主机的地址写得不对。", "A host's address is https://name[:port], or http:// to this machine.")
	errConfigClear   = fault.New(fault.Refused, "host_url_in_clear", "只有本机可以不加密连接收单主机。", "Only a host on this machine may be called without TLS.")
	errConfigPin     = fault.New(fault.Invalid, "host_pin", "收单主机的公钥指纹写得不对。", "The host's pin is the SHA-256 of a public key (SPKI), 64 lower-case hex digits; https needs one.")
	errConfigToken   = fault.New(fault.Invalid, "host_token", "和收单主机约定的口令太短，或者有不能用的字符。", "The bearer token is at least 16 visible ASCII characters.")
	errConfigTimeout = fault.New(fault.Invalid, "host_timeout", "等收单主机回答的时间写得不对。", "The timeout is between nothing and two minutes.")
	errPermit        = fault.New(fault.Invalid, "host_permit_malformed", "许可的编号格式不对。", "A permit is named by its statement's digest.")
	errBundleLarge   = fault.New(fault.TooLarge, "host_bundle_too_large", "证据包太大，主机不会收。", "The bundle is over the size that a host takes.")
)

// Config is how one host is reached.
type Config struct {
	BaseURL string        // https://host[:port] without a path, or http:// and a loopback address
	Token   string        // bearer token agreed with the host
	Pin     string        // SHA-256 of the SPKI of the host's key or of its issuer's, lower-case hex; needed for https
	Timeout time.Duration // for one call, 0 for DefaultTimeout
}

// Client calls one acquirer's host. It is safe for concurrent use.
type Client struct {
	base    string
	token   string
	timeout time.Duration
	http    *http.Client
}

// New checks a configuration; nothing is called yet. Faults: host_url, host_url_in_clear, host_pin,
// host_token, host_timeout.
func New(cfg Config) (*Client, error) {
	if !Visible(cfg.Token) {
		return nil, errConfigToken
	}
	if cfg.Timeout < 0 || cfg.Timeout > maxTimeout {
		return nil, errConfigTimeout
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = DefaultTimeout
	}
	client, base, err := HTTP(cfg.BaseURL, cfg.Pin)
	if err != nil {
		return nil, err
	}
	return &Client{base: base, token: cfg.Token, timeout: cfg.Timeout, http: client}, nil
}

// HTTP makes a client that talks to nobody but the host at this address: pinned, or on this machine;
// without redirects, proxies or cookies. base is the address without a slash at its end. Faults:
// host_url, host_url_in_clear, host_pin.
func HTTP(baseURL, pin string) (client *http.Client, base string, err error) {
	u, err := url.Parse(baseURL)
	if err != nil || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || (u.Path != "" && u.Path != "/") {
		return nil, "", errConfigURL // url.Error would echo the address, which may hold a password
	}
	t, err := transport(u, pin)
	if err != nil {
		return nil, "", err
	}
	return &http.Client{Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
		u.Scheme + "://" + u.Host, nil
}

// Visible says whether a bearer token can be used: at least 16 visible ASCII characters.
func Visible(token string) bool {
	for i := range len(token) {
		if token[i] <= ' ' || token[i] > '~' {
			return false
		}
	}
	return len(token) >= minTokenBytes
}

// Release hands a permit's bundle to the host and gives the host's signed outcome over this permit,
// whatever it says. The same permit may be released again at any time: a host answers it once.
// See Unknown for errors.
func (c *Client) Release(ctx context.Context, permit string, bundle []byte) ([]byte, error) {
	if !statement.IsDigest(permit) {
		return nil, errPermit
	}
	if len(bundle) > evidence.MaxBundle {
		return nil, errBundleLarge
	}
	answer, err := c.call(ctx, http.MethodPost, "/permits/"+permit, bundle)
	if err != nil {
		return nil, err
	}
	return answerIf(answer, checkOutcome(answer, permit, ""))
}

// Cancel asks the host to take a permit's power away. The answer is the signed outcome: cancelled, or
// what the host had already done.
func (c *Client) Cancel(ctx context.Context, permit, visitID string) ([]byte, error) {
	if !statement.IsDigest(permit) {
		return nil, errPermit
	}
	if err := identifier.CheckID(visitID); err != nil {
		return nil, fault.At(err, "visit")
	}
	body, err := json.Marshal(struct {
		Visit string `json:"visit"`
	}{visitID})
	if err != nil {
		return nil, err
	}
	answer, err := c.call(ctx, http.MethodPost, "/permits/"+permit+"/cancel", body)
	if err != nil {
		return nil, err
	}
	return answerIf(answer, checkOutcome(answer, permit, visitID))
}

// Query is what a list of charges is asked for.
type Query struct {
	Visit  string
	Order  string
	Serial string
	Since  statement.Time
}

// Charges fetches the host's signed list of everything charged since a time on an order's terminal,
// for visits that have no acceptance report.
func (c *Client) Charges(ctx context.Context, q Query) ([]byte, error) {
	if err := errors.Join(fault.At(identifier.CheckID(q.Visit), "visit"), fault.At(identifier.CheckID(q.Order), "order")); err != nil {
		return nil, err
	}
	if _, err := identifier.ParseSerial(q.Serial); err != nil {
		return nil, err
	}
	if _, err := q.Since.Parse(); err != nil {
		return nil, fault.At(err, "since")
	}
	values := url.Values{"order": {q.Order}, "serial": {q.Serial}, "since": {string(q.Since)}}
	answer, err := c.call(ctx, http.MethodGet, "/visits/"+q.Visit+"/charges?"+values.Encode(), nil)
	if err != nil {
		return nil, err
	}
	return answerIf(answer, checkCharges(answer, q))
}

// answerIf keeps an answer that failed its check from being used by mistake.
func answerIf(answer []byte, err error) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	return answer, nil
}

// call makes one request and gives the body of a 200. It is not repeated here: whoever asked knows
// whether to. (The transport itself tries another connection only when nothing was written to the
// first.)
func (c *Client) call(ctx context.Context, method, path string, body []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	var sent atomic.Bool // the transport writes from a goroutine of its own
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteHeaders: func() { sent.Store(true) }})
	r, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Authorization", "Bearer "+c.token)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json, application/problem+json")
	resp, err := c.http.Do(r)
	if err != nil {
		return nil, notAnswered(err, sent.Load())
	}
	defer resp.Body.Close()
	return read(resp)
}

// notAnswered tells a request that reached nobody from one that may have been carried out.
func notAnswered(err error, sent bool) error {
	var own *fault.Fault
	if errors.As(err, &own) { // our own refusal to talk to this peer, while connecting
		return own
	}
	if !sent {
		return errUnreachable.Because(err)
	}
	return errUnknown.Because(err)
}
