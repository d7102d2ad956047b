package acquirer

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"slices"
	"strconv"

	"github.com/menshen-project/menshen/internal/agreement"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// maxProblem bounds a refusal's body in bytes.
const maxProblem = 16 << 10

var (
	errDeclined    = fault.New(fault.Refused, "host_declined", "收单主机没有受理这个请求。", "The host declined the request before it acted on it.")
	errBusy        = fault.New(fault.TooMany, "host_busy", "收单主机太忙，请稍后再试。", "The host is busy and did nothing; try again later.")
	errUnreachable = fault.New(fault.Unavailable, "host_unreachable", "连不上收单主机。", "The host could not be reached; it was not asked.")

	errUnknown     = fault.New(fault.Unavailable, "host_outcome_unknown", "不知道收单主机做了没有：要再问一次，或者撤回许可。", "It is unknown whether the host acted: ask again with the same permit, or cancel it.")
	errFailed      = fault.New(fault.Unavailable, "host_failed", "收单主机出错了，不知道它做了没有。", "The host failed; it is unknown whether it acted.")
	errRedirected  = fault.New(fault.Unavailable, "host_redirected", "收单主机叫我们去别处问，门神不去。", "The host sent us elsewhere; menshen does not follow.")
	errAnswerLarge = fault.New(fault.Unavailable, "host_answer_too_large", "收单主机的回答太大。", "The host's answer is over its size bound.")
	errAnswerForm  = fault.New(fault.Unavailable, "host_answer_malformed", "收单主机的回答读不懂。", "The host's answer is no signed answer of the kind asked for.")
	errAnswerOther = fault.New(fault.Unavailable, "host_answer_other", "收单主机答的是另一件事。", "The host answered about something else than it was asked.")
)

// unknown are the failures after which nobody here can say whether the host acted.
var unknown = []*fault.Fault{errUnknown, errFailed, errRedirected, errAnswerLarge, errAnswerForm, errAnswerOther}

// Unknown says whether, after this error, the host may have acted all the same. The caller then asks
// again with the same permit, or cancels it; it never takes the error for a no.
//
// An error that is not unknown tells that this call did nothing. It tells nothing about an earlier
// call over the same permit.
func Unknown(err error) bool {
	return slices.ContainsFunc(unknown, func(f *fault.Fault) bool { return errors.Is(err, f) })
}

// read takes a response apart. Only a complete 200 is an answer; only a problem (RFC 9457) among the
// client errors is a refusal that came before the host acted.
func read(resp *http.Response) ([]byte, error) {
	switch {
	case resp.StatusCode == http.StatusOK:
		return bounded(resp.Body, statement.MaxBytes)
	case resp.StatusCode >= 300 && resp.StatusCode < 400:
		return nil, errRedirected.At(strconv.Itoa(resp.StatusCode))
	case resp.StatusCode < 400 || resp.StatusCode >= 500 || resp.StatusCode == http.StatusRequestTimeout:
		return nil, errFailed.At(strconv.Itoa(resp.StatusCode))
	}
	return nil, declined(resp)
}

func bounded(r io.Reader, limit int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	switch {
	case err != nil:
		return nil, errUnknown.Because(err) // cut off in the middle
	case int64(len(data)) > limit:
		return nil, errAnswerLarge
	}
	return data, nil
}

// problem is the part of a host's refusal that menshen reads.
type problem struct {
	Code string `json:"code"`
}

// declined reads a refusal. A client error that is no problem document came from something between
// us and the host, and proves nothing.
func declined(resp *http.Response) error {
	kind, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if err != nil || kind != "application/problem+json" {
		return errFailed.At(strconv.Itoa(resp.StatusCode))
	}
	data, err := bounded(resp.Body, maxProblem)
	if err != nil {
		return err
	}
	var p problem
	// Not strict: by RFC 9457 §3.2 there may be members that we do not know.
	if err := json.Unmarshal(data, &p); err != nil || !isCode(p.Code) {
		return errFailed.At(strconv.Itoa(resp.StatusCode))
	}
	if resp.StatusCode == http.StatusTooManyRequests {
		return errBusy.At(p.Code)
	}
	return errDeclined.At(p.Code)
}

// isCode keeps a foreign word out of our errors unless it looks like one of our codes.
func isCode(s string) bool {
	for i := range len(s) {
		if c := s[i]; c != '_' && (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return s != "" && len(s) <= 64
}

// checkOutcome holds an answer to the question: a well-formed outcome statement about this permit,
// and about this visit where one was named. Its signature is not checked here.
func checkOutcome(answer []byte, permit, visitID string) error {
	c, err := statement.Parse(answer)
	var o visit.Outcome
	if err == nil && c.Type == visit.TypeOutcome {
		err = c.UntrustedBody(&o)
	}
	known := slices.Contains([]string{visit.Loaded, visit.KeysEnded, visit.OutcomeRefused, visit.OutcomeCanceled}, o.Outcome)
	if err != nil || !known {
		return errAnswerForm.Because(err)
	}
	if o.Permit != permit || (visitID != "" && o.Visit != visitID) || c.Subject != visit.StreamVisit+"/"+o.Visit {
		return errAnswerOther
	}
	return nil
}

func checkCharges(answer []byte, q Query) error {
	c, err := statement.Parse(answer)
	var l agreement.ChargeList
	if err == nil && c.Type != agreement.TypeChargeList {
		return errAnswerForm
	}
	if err == nil {
		err = c.UntrustedBody(&l)
	}
	if err != nil {
		return errAnswerForm.Because(err)
	}
	if l.Visit != q.Visit || l.Serial != q.Serial || l.Since != q.Since || c.Subject != visit.StreamVisit+"/"+q.Visit {
		return errAnswerOther
	}
	return nil
}
