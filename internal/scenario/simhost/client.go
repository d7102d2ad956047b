package simhost

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/menshen-project/menshen/internal/acquirer"
	"github.com/menshen-project/menshen/internal/agreement"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/scenario/iso8583"
	"github.com/menshen-project/menshen/internal/service"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// A hostile host loses answers; whoever needs one asks again.
const (
	clientTimeout  = 10 * time.Second
	clientAttempts = 3
	maxAnswer      = statement.MaxBytes
)

var errStrange = fault.New(fault.Internal, "host_answer_strange", "主机的回答读不懂。", "The simulated host answered in a way that its own client does not read.")

// Client is the acquirer's own side in a play: its desk, its tester, and the line on which simulated
// devices reach the host. It is the scenario.SimulatedHost and scenario.Line of a host that is a
// process.
type Client struct {
	Habits scenario.Habits // of the devices that run the script; the zero value is honest
	base   string
	token  string
	http   *http.Client

	mu      sync.Mutex
	entered error // why an order is not in the books
}

var (
	_ scenario.SimulatedHost = (*Client)(nil)
	_ scenario.Line          = (*Client)(nil)
)

// NewClient reaches a host with the desk's token; pin as acquirer.Config has it, "" on loopback.
func NewClient(baseURL, pin, deskToken string) (*Client, error) {
	h, base, err := acquirer.HTTP(baseURL, pin)
	if err != nil {
		return nil, err
	}
	return &Client{base: base, token: deskToken, http: h}, nil
}

// Enter writes an order into the acquirer's own books, as its desk does when it books. A failure is
// told when a device comes to be loaded.
func (c *Client) Enter(o visit.Order) {
	err := c.PutRecord(context.Background(), o.Order, scenario.RowOf(o))
	c.mu.Lock()
	defer c.mu.Unlock()
	c.entered = errors.Join(c.entered, err)
}

// OpenSession lets a device prove its key to the host.
func (c *Client) OpenSession(ctx context.Context, d *scenario.Device) error {
	c.mu.Lock()
	err := c.entered
	c.mu.Unlock()
	if err != nil {
		return err
	}
	_, err = scenario.OpenSession(ctx, c, d)
	return err
}

// RunAcceptance runs the script between device and host, message by message, and fetches the report.
func (c *Client) RunAcceptance(ctx context.Context, p *scenario.Play, _ string) ([]byte, error) {
	if err := scenario.RunScript(ctx, c, p.Device, c.Habits); err != nil {
		return nil, err
	}
	return c.Acceptance(ctx, p.ID, p.Order.Name)
}

// ListCharges fetches the list for a visit without a script.
func (c *Client) ListCharges(ctx context.Context, p *scenario.Play) ([]byte, error) {
	q := url.Values{"order": {p.Order.Order}, "serial": {p.Device.Serial}, "since": {string(p.Order.WindowFrom)}}
	return c.ask(ctx, http.MethodGet, "/visits/"+p.ID+"/charges?"+q.Encode(), nil)
}

// TerminalState fetches the host's word about a terminal.
func (c *Client) TerminalState(ctx context.Context, p *scenario.Play, serial string) ([]byte, error) {
	q := url.Values{"order": {p.Order.Order}, "serial": {serial}}
	return c.ask(ctx, http.MethodGet, "/visits/"+p.ID+"/terminal?"+q.Encode(), nil)
}

// MarkDead has the desk note that a terminal does not answer any more.
func (c *Client) MarkDead(serial string) error {
	_, err := c.ask(context.Background(), http.MethodPost, "/terminals/"+url.PathEscape(serial)+"/dead", nil)
	return err
}

// EndKeys has the desk end a terminal's keys, which needs nobody's permit.
func (c *Client) EndKeys(ctx context.Context, serial string) error {
	_, err := c.ask(ctx, http.MethodDelete, "/terminals/"+url.PathEscape(serial), nil)
	return err
}

// Acceptance fetches the signed report of a visit's last trial.
func (c *Client) Acceptance(ctx context.Context, visitID, merchantName string) ([]byte, error) {
	return c.ask(ctx, http.MethodPost, "/visits/"+visitID+"/acceptance", acceptanceBody{MerchantName: merchantName})
}

// PutRecord writes an order into the acquirer's own books.
func (c *Client) PutRecord(ctx context.Context, order string, row scenario.HostRow) error {
	_, err := c.ask(ctx, http.MethodPut, "/records/"+url.PathEscape(order), row)
	return err
}

// Charge puts something on the list of an order's terminal, once: an answer that is lost is not asked
// for again.
func (c *Client) Charge(ctx context.Context, visitID, order string, charge agreement.Charge) error {
	body, err := json.Marshal(chargeBody{Order: order, Charge: charge})
	if err != nil {
		return err
	}
	_, err = c.once(ctx, http.MethodPost, "/visits/"+visitID+"/charges", body)
	return err
}

// Standing says how often keys were loaded on a permit, and what was answered.
func (c *Client) Standing(ctx context.Context, permit string) (loads int, outcome []byte, err error) {
	var out standingBody
	if err := c.read(ctx, http.MethodGet, "/permits/"+permit, nil, &out); err != nil {
		return 0, nil, err
	}
	outcome, err = statement.Base64(out.Outcome)
	return out.Loads, outcome, err
}

// Nonce asks for a session.
func (c *Client) Nonce(ctx context.Context, serial string) (string, error) {
	var out nonceBody
	err := c.read(ctx, http.MethodPost, "/sessions", serialBody{Serial: serial}, &out)
	return out.Nonce, err
}

// Session opens it.
func (c *Client) Session(ctx context.Context, serial string, key statement.Key, sig []byte) error {
	_, err := c.ask(ctx, http.MethodPost, "/sessions/"+serial, sessionBody{Key: key, Sig: base64.StdEncoding.EncodeToString(sig)})
	return err
}

// Collect takes over a load.
func (c *Client) Collect(ctx context.Context, serial string, point, sig []byte) (scenario.Handover, error) {
	var out handoverBody
	err := c.read(ctx, http.MethodPost, "/loads/"+serial, collectBody{Point: base64.StdEncoding.EncodeToString(point),
		Sig: base64.StdEncoding.EncodeToString(sig)}, &out)
	if err != nil {
		return scenario.Handover{}, err
	}
	theirs, err := statement.Base64(out.Point)
	return scenario.Handover{Permit: out.Permit, Visit: out.Visit, Terminal: out.Terminal, MerchantCode: out.MerchantCode, Point: theirs}, err
}

// Send sends one message and does not repeat it: a terminal has its own way to deal with silence.
func (c *Client) Send(ctx context.Context, serial string, message []byte) ([]byte, error) {
	answer, err := c.once(ctx, http.MethodPost, "/terminals/"+serial+"/messages", message)
	if err == nil && len(answer) > iso8583.MaxBytes {
		return nil, errStrange
	}
	return answer, err
}

// Trial shows the tester the visit's last trial.
func (c *Client) Trial(ctx context.Context, visitID string) (scenario.TrialView, error) {
	var out trialBody
	err := c.read(ctx, http.MethodGet, "/visits/"+visitID+"/trial", nil, &out)
	return scenario.TrialView{Permit: out.Permit, Word: out.Word, Over: out.Over, Steps: out.Steps}, err
}

func (c *Client) read(ctx context.Context, method, path string, body, into any) error {
	data, err := c.ask(ctx, method, path, body)
	if err != nil {
		return err
	}
	return statement.Decode(data, into)
}

// ask sends a request that may be repeated, and repeats it when no answer comes.
func (c *Client) ask(ctx context.Context, method, path string, body any) ([]byte, error) {
	var data []byte
	if body != nil {
		var err error
		if data, err = json.Marshal(body); err != nil {
			return nil, err
		}
	}
	var answer []byte
	err := error(scenario.ErrSilence)
	for range clientAttempts {
		answer, err = c.once(ctx, method, path, data)
		if fault.CodeOf(err) != scenario.ErrSilence.Code || ctx.Err() != nil {
			break
		}
	}
	return answer, err
}

// once sends a request once. No answer, whatever the reason, is ErrSilence.
func (c *Client) once(ctx context.Context, method, path string, body []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, clientTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return nil, errStrange.Because(err)
	}
	r.Header.Set("Authorization", "Bearer "+c.token)
	resp, err := c.http.Do(r)
	if err != nil {
		return nil, scenario.ErrSilence.Because(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, scenario.ErrSilence.Because(err)
	case len(data) > maxAnswer:
		return nil, errStrange
	case resp.StatusCode == http.StatusOK, resp.StatusCode == http.StatusNoContent:
		return data, nil
	}
	var p service.Problem
	if err := json.Unmarshal(data, &p); err != nil || p.Code == "" {
		return nil, errStrange.At(resp.Status)
	}
	return nil, p.Fault()
}
