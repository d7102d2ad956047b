package orgapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/menshen-project/menshen/internal/acquirer"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/statement"
)

// Bounds on one call.
const (
	callTime  = 15 * time.Second
	maxWait   = 25 * time.Second
	maxAnswer = 8 << 20 // bytes: a hundred statements, some of them lists
	maxProb   = 16 << 10
	maxRoll   = 64 << 20
)

var (
	errAway     = fault.New(fault.Unavailable, "organisation_unreachable", "暂时连不上机构的服务。什么都没有丢，请过几分钟再试。", "The organisation's service does not answer. Nothing is lost; try again in a few minutes.")
	errAnswer   = fault.New(fault.Unavailable, "organisation_answer_malformed", "机构的服务回答得不对，请稍后再试。", "The organisation's service gave an answer that cannot be used; try again later.")
	errDeclined = fault.New(fault.Refused, "organisation_declined", "机构没有同意这个申请，请联系机构。", "The organisation declined the request; ask the organisation.")
	errToken    = fault.New(fault.Invalid, "organisation_token", "和机构约定的口令太短，或者有不能用的字符。", "The token agreed with an organisation is at least 16 visible ASCII characters.")
)

// Config is how an organisation's service is reached.
type Config struct {
	BaseURL string // https://host[:port] without a path, or http:// and a loopback address
	Token   string // what the organisation gave menshen's operator
	Pin     string // SHA-256 of the SPKI of its key or its issuer's, lower-case hex; needed for https
}

// Client asks one organisation's service. It is safe for concurrent use. Every call may be repeated.
type Client struct {
	base, token string
	http        *http.Client
}

// NewClient checks a configuration; nothing is called yet. Faults: organisation_token, and those of
// acquirer.HTTP.
func NewClient(c Config) (*Client, error) {
	if !acquirer.Visible(c.Token) {
		return nil, errToken
	}
	client, base, err := acquirer.HTTP(c.BaseURL, c.Pin)
	if err != nil {
		return nil, err
	}
	return &Client{base: base, token: c.Token, http: client}, nil
}

// Enrol asks to vouch for a phone's key. Faults: those of faults.go, organisation_unreachable,
// organisation_answer_malformed, organisation_declined; so with every call.
func (c *Client) Enrol(ctx context.Context, ask EnrolmentAsk) (Answer, error) {
	return c.ask(ctx, "/enrolments", ask)
}

// Badge asks for the day's badge.
func (c *Client) Badge(ctx context.Context, ask BadgeAsk) (Answer, error) {
	return c.ask(ctx, "/badges", ask)
}

// EndBadges asks to take a person's badges back.
func (c *Client) EndBadges(ctx context.Context, end BadgeEnd) (Answer, error) {
	return c.ask(ctx, "/badges/end", end)
}

// EndKey asks to end an enrolment.
func (c *Client) EndKey(ctx context.Context, end KeyEnd) (Answer, error) {
	return c.ask(ctx, "/enrolments/end", end)
}

// Statements takes away what was signed after a number, and waits a while if there is nothing.
func (c *Client) Statements(ctx context.Context, after int64, wait time.Duration) (Answer, error) {
	var a Answer
	seconds := int(min(wait, maxWait) / time.Second)
	err := c.call(ctx, http.MethodGet, fmt.Sprintf("/statements?after=%d&wait=%d", after, seconds), nil, callTime+wait, maxAnswer, &a)
	return a, err
}

// People gives the organisation's roll.
func (c *Client) People(ctx context.Context) (People, error) {
	var p People
	err := c.call(ctx, http.MethodGet, "/people", nil, callTime, maxRoll, &p)
	return p, err
}

func (c *Client) ask(ctx context.Context, path string, body any) (Answer, error) {
	var a Answer
	err := c.post(ctx, path, body, &a)
	return a, err
}

func (c *Client) call(ctx context.Context, method, path string, body []byte, most time.Duration, limit int64, out any) error {
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+c.token)
	r.Header.Set("Content-Type", "application/json")
	resp, err := c.http.Do(r)
	if err != nil {
		return errAway.Because(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return refusal(resp)
	}
	data, err := bounded(resp.Body, limit)
	if err != nil {
		return err
	}
	if err := statement.DecodeCanonicalWithin(data, out, int(limit)); err != nil {
		return errAnswer.Because(err)
	}
	return nil
}

func bounded(r io.Reader, limit int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	switch {
	case err != nil:
		return nil, errAway.Because(err)
	case int64(len(data)) > limit:
		return nil, errAnswer.At("size")
	}
	return data, nil
}

// refusal reads a problem. Only its code is believed, and only one that we have words for; a server error
// is no answer.
func refusal(resp *http.Response) error {
	data, err := bounded(resp.Body, maxProb)
	if err != nil {
		return err
	}
	var p struct {
		Code string `json:"code"`
	}
	// Not strict: by RFC 9457 §3.2 there may be members that we do not know.
	if err := json.Unmarshal(data, &p); err != nil || resp.StatusCode >= 500 || resp.StatusCode < 400 {
		return errAway.Atf("status %d", resp.StatusCode).Because(err)
	}
	for _, f := range told {
		if f.Code == p.Code {
			return f
		}
	}
	return errDeclined.Because(errors.New(resp.Status))
}
