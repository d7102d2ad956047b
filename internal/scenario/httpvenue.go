package scenario

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/menshen-project/menshen/internal/attest"
	"github.com/menshen-project/menshen/internal/httpapi"
	"github.com/menshen-project/menshen/internal/record"
	"github.com/menshen-project/menshen/internal/visit"
)

// HTTPVenue is a Venue at a server: every act is a request of the actor's own, with his own token. An
// answer that is lost on the way is asked for again under the same idempotency key.
type HTTPVenue struct {
	URL        string // without a slash at the end
	Client     *http.Client
	Technician *Actor                                               // brings devices' answers to nonces of unknown origin
	Token      func(ctx context.Context, by *Actor) (string, error) // signs an actor in
}

// attempts is how often a request is sent before its answer counts as lost for good.
const attempts = 4

// File posts a statement under its verb.
func (v *HTTPVenue) File(ctx context.Context, by *Actor, f Filing) error {
	kind, id, err := record.SplitStream(f.Stream)
	if err != nil {
		return err
	}
	body := httpapi.Filing{Statement: base64.StdEncoding.EncodeToString(f.Envelope), Openings: f.Openings}
	return v.post(ctx, by, httpapi.PathOf(kind, id, f.Verb), body, &httpapi.Accepted{})
}

// Challenge asks for a nonce.
func (v *HTTPVenue) Challenge(ctx context.Context, by *Actor, visitID, purpose string) (Challenge, error) {
	var c httpapi.Challenge
	err := v.post(ctx, by, httpapi.PathOf(visit.StreamVisit, visitID, visit.ChallengeVerb), httpapi.ChallengeRequest{Purpose: purpose}, &c)
	return Challenge{Digest: c.Statement, Nonce: c.Nonce, asker: by}, err
}

// Attest brings a device's answer, through the phone that asked for the nonce.
func (v *HTTPVenue) Attest(ctx context.Context, visitID string, d *Device, c Challenge) error {
	by := c.asker
	if by == nil {
		by = v.Technician
	}
	return v.AttestAs(ctx, by, visitID, d.Attestation(c.Digest, visit.PurposeDevice, c.Nonce))
}

// AttestAs brings an attestation in somebody's name.
func (v *HTTPVenue) AttestAs(ctx context.Context, by *Actor, visitID string, a attest.Attestation) error {
	return v.post(ctx, by, httpapi.PathOf(visit.StreamVisit, visitID, visit.AttestDevice), httpapi.AttestRequest(a), &httpapi.Accepted{})
}

// Ask puts an ask to the gate.
func (v *HTTPVenue) Ask(ctx context.Context, by *Actor, visitID, ask string) (Answer, error) {
	var got httpapi.AskAnswer
	if err := v.post(ctx, by, httpapi.PathOf(visit.StreamVisit, visitID, "asks"), httpapi.AskRequest{Ask: ask}, &got); err != nil {
		return Answer{}, err
	}
	return answerOf(got), nil
}

// answerOf condenses the API's answer as AnswerOf does a report.
func answerOf(got httpapi.AskAnswer) Answer {
	a := Answer{Granted: got.Granted, Decision: got.Decision, Failing: map[string]string{}, Holding: map[string]string{}, Took: time.Duration(got.TookMS) * time.Millisecond}
	if got.Refusal != nil {
		a.Code = got.Refusal.Code
	}
	for _, c := range got.Conditions {
		if c.Verdict == "holds" {
			a.Holding[c.Name] = c.Basis
			continue
		}
		a.Failing[c.Name] = c.Code
		if a.Code == "" && c.Blocks {
			a.Code, a.By = c.Code, c.Name
		}
	}
	return a
}

// Release has the host act on the last permit.
func (v *HTTPVenue) Release(ctx context.Context, by *Actor, visitID string) (string, error) {
	var o httpapi.Outcome
	if err := v.post(ctx, by, httpapi.PathOf(visit.StreamVisit, visitID, visit.ReleasePermit), httpapi.ReleaseRequest{}, &o); err != nil {
		return "", err
	}
	if o.Outcome == visit.OutcomeRefused {
		return o.Outcome + ": " + o.Reason, nil
	}
	return o.Outcome, nil
}

// Bundle downloads a visit's bundle.
func (v *HTTPVenue) Bundle(ctx context.Context, by *Actor, visitID string) ([]byte, error) {
	return v.get(ctx, by, "/v1/visits/"+visitID+"/bundle")
}

// Read gets what is at a path of the API into a value.
func (v *HTTPVenue) Read(ctx context.Context, by *Actor, path string, into any) error {
	data, err := v.get(ctx, by, path)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, into)
}

func (v *HTTPVenue) get(ctx context.Context, by *Actor, path string) ([]byte, error) {
	return v.send(ctx, by, http.MethodGet, path, "", nil)
}

func (v *HTTPVenue) post(ctx context.Context, by *Actor, path string, body, into any) error {
	data, err := json.Marshal(body)
	if err != nil {
		return err
	}
	answer, err := v.send(ctx, by, http.MethodPost, path, rand.Text(), data)
	if err != nil {
		return err
	}
	return json.Unmarshal(answer, into)
}

// send makes the request until it is answered for good.
func (v *HTTPVenue) send(ctx context.Context, by *Actor, method, path, key string, body []byte) ([]byte, error) {
	token, err := v.Token(ctx, by)
	if err != nil {
		return nil, err
	}
	for try := 1; ; try++ {
		data, wait, err := v.once(ctx, method, path, key, token, body)
		if wait < 0 || try == attempts {
			return data, err
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// once sends the request once. wait is how long to wait before the next try, negative for none.
func (v *HTTPVenue) once(ctx context.Context, method, path, key, token string, body []byte) (data []byte, wait time.Duration, err error) {
	req, err := http.NewRequestWithContext(ctx, method, v.URL+path, bytes.NewReader(body))
	if err != nil {
		return nil, -1, err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	if key != "" {
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Idempotency-Key", key)
	}
	res, err := v.Client.Do(req)
	if err != nil {
		return nil, 100 * time.Millisecond, err
	}
	defer res.Body.Close()
	data, err = io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	switch {
	case err != nil:
		return nil, 100 * time.Millisecond, err
	case res.StatusCode < 300:
		return data, -1, nil
	}
	return nil, again(res), problemIn(res, data)
}

const maxAnswer = 32 << 20

// again says how long to wait after a refusal that may pass: too many requests, or something that
// menshen needs does not answer.
func again(res *http.Response) time.Duration {
	if seconds, err := strconv.Atoi(res.Header.Get("Retry-After")); err == nil && res.StatusCode == http.StatusTooManyRequests {
		return time.Duration(seconds) * time.Second
	}
	if res.StatusCode == http.StatusServiceUnavailable || res.StatusCode == http.StatusBadGateway {
		return 200 * time.Millisecond
	}
	return -1
}

// problemIn reads the fault out of a problem.
func problemIn(res *http.Response, data []byte) error {
	var p httpapi.Problem
	if res.Header.Get("Content-Type") != "application/problem+json" || json.Unmarshal(data, &p) != nil || p.Code == "" {
		return fmt.Errorf("the server answered %s without saying why", res.Status)
	}
	return p.Fault()
}
