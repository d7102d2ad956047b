package simhost

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"net/http"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/agreement"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/identifier"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/scenario/iso8583"
	"github.com/menshen-project/menshen/internal/service"
	"github.com/menshen-project/menshen/internal/statement"
)

// maxBundle bounds a permit's bundle in bytes.
const maxBundle = evidence.MaxBundle

var (
	errToken = fault.New(fault.Unauthenticated, "host_token_wrong", "没有带上主机认识的口令。", "The request carries no token that this host knows.")
	errSide  = fault.New(fault.Forbidden, "host_token_other_side", "这个口令不能用来做这件事。", "This token belongs to the other side and opens this address not.")
)

// envelopeType is the media type of a DSSE envelope.
const envelopeType = "application/vnd.dsse.envelope.v1+json"

// Who may ask.
type side int

const (
	anybody side = iota
	menshen      // its token or the desk's
	desk         // the acquirer's own: books, tester, and the line that terminals dial in on
)

// Bodies of requests and answers. Byte strings are standard base64.
type (
	cancelBody struct {
		Visit string `json:"visit"`
	}
	serialBody struct {
		Serial string `json:"serial"`
	}
	nonceBody struct {
		Nonce string `json:"nonce"`
	}
	sessionBody struct {
		Key statement.Key `json:"key"`
		Sig string        `json:"sig"`
	}
	collectBody struct {
		Point string `json:"point"`
		Sig   string `json:"sig"`
	}
	handoverBody struct {
		Permit       string `json:"permit"`
		Visit        string `json:"visit"`
		Terminal     string `json:"terminal"`
		MerchantCode string `json:"merchant_code"`
		Point        string `json:"point"`
	}
	trialBody struct {
		Permit string                     `json:"permit"`
		Word   string                     `json:"word"`
		Over   bool                       `json:"over"`
		Steps  []agreement.AcceptanceStep `json:"steps"`
	}
	acceptanceBody struct {
		MerchantName string `json:"merchant_name"` // the commitment that the slip's print matches
	}
	chargeBody struct {
		Order  string           `json:"order"`
		Charge agreement.Charge `json:"charge"`
	}
	standingBody struct {
		Loads   int    `json:"loads"`
		Outcome string `json:"outcome"` // base64 of the signed envelope, "" for none yet
	}
)

// route is one address: who may ask, and whether the host mistreats the request.
type route struct {
	pattern string
	side    side
	hostile bool
	serve   func(http.ResponseWriter, *http.Request) error
}

// routes lists every address of the host.
func (s *Server) routes() []route {
	return []route{
		{"GET /healthz", anybody, false, s.health},
		{"POST /permits/{digest}", menshen, true, s.release},
		{"POST /permits/{digest}/cancel", menshen, true, s.cancel},
		{"GET /visits/{id}/charges", menshen, true, s.listCharges},
		{"POST /visits/{id}/acceptance", desk, true, s.acceptance},
		{"GET /permits/{digest}", desk, false, s.standing},
		{"GET /visits/{id}/trial", desk, false, s.trial},
		{"POST /visits/{id}/charges", desk, false, s.charge},
		{"PUT /records/{order}", desk, false, s.record},
		{"POST /sessions", desk, false, s.nonce},
		{"POST /sessions/{serial}", desk, false, s.session},
		{"POST /loads/{serial}", desk, false, s.collect},
		{"POST /terminals/{serial}/messages", desk, false, s.message},
		{"GET /visits/{id}/terminal", desk, true, s.terminal},
		{"POST /terminals/{serial}/dead", desk, false, s.dead},
		{"DELETE /terminals/{serial}", desk, false, s.end},
	}
}

// Handler is the whole API.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	for _, r := range s.routes() {
		inner := http.Handler(service.Answering(r.serve))
		switch {
		case r.hostile:
			inner = s.mischief.on(inner)
		case r.side == desk:
			inner = s.mischief.slow(inner)
		}
		mux.Handle(r.pattern, s.only(r.side, inner))
	}
	return service.Routed(mux)
}

// only lets one side in. Tokens are compared by their digests, so that time tells nothing.
func (s *Server) only(who side, inner http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		given := sha256.Sum256([]byte(service.Bearer(r)))
		isDesk := subtle.ConstantTimeCompare(given[:], s.deskToken[:]) == 1
		isMenshen := subtle.ConstantTimeCompare(given[:], s.menshenToken[:]) == 1
		switch {
		case who == anybody, isDesk, isMenshen && who == menshen:
			inner.ServeHTTP(w, r)
		case isMenshen:
			service.WriteProblem(w, errSide)
		default:
			w.Header().Set("WWW-Authenticate", "Bearer")
			service.WriteProblem(w, errToken)
		}
	})
}

func (s *Server) health(w http.ResponseWriter, _ *http.Request) error {
	return service.Write(w, "text/plain; charset=utf-8", []byte("ok\n"))
}

func (s *Server) release(w http.ResponseWriter, r *http.Request) error {
	bundle, err := service.ReadBody(r, maxBundle)
	if err != nil {
		return err
	}
	return signed(w)(s.Core.Release(bundle, r.PathValue("digest")))
}

func (s *Server) cancel(w http.ResponseWriter, r *http.Request) error {
	var in cancelBody
	if err := service.Decode(r, &in); err != nil {
		return err
	}
	return signed(w)(s.Core.Cancel(in.Visit, r.PathValue("digest")))
}

// signed writes an envelope, or the refusal to make one.
func signed(w http.ResponseWriter) func([]byte, error) error {
	return func(envelope []byte, err error) error {
		if err != nil {
			return err
		}
		return service.Write(w, envelopeType, envelope)
	}
}

func (s *Server) standing(w http.ResponseWriter, r *http.Request) error {
	permit := r.PathValue("digest")
	outcome, _ := s.Core.Outcome(permit)
	return service.WriteJSON(w, standingBody{Loads: s.Core.Loads(permit), Outcome: base64.StdEncoding.EncodeToString(outcome)})
}

func (s *Server) nonce(w http.ResponseWriter, r *http.Request) error {
	var in serialBody
	if err := service.Decode(r, &in); err != nil {
		return err
	}
	nonce, err := s.Core.Nonce(in.Serial)
	if err != nil {
		return err
	}
	return service.WriteJSON(w, nonceBody{Nonce: nonce})
}

func (s *Server) session(w http.ResponseWriter, r *http.Request) error {
	var in sessionBody
	if err := service.Decode(r, &in); err != nil {
		return err
	}
	sig, err := statement.Base64(in.Sig)
	if err != nil {
		return err
	}
	if err := s.Core.Session(r.PathValue("serial"), in.Key, sig); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (s *Server) collect(w http.ResponseWriter, r *http.Request) error {
	var in collectBody
	if err := service.Decode(r, &in); err != nil {
		return err
	}
	point, errPoint := statement.Base64(in.Point)
	sig, errSig := statement.Base64(in.Sig)
	if err := errors.Join(errPoint, errSig); err != nil {
		return err
	}
	h, err := s.Core.Collect(r.PathValue("serial"), point, sig)
	if err != nil {
		return err
	}
	return service.WriteJSON(w, handoverBody{Permit: h.Permit, Visit: h.Visit, Terminal: h.Terminal, MerchantCode: h.MerchantCode,
		Point: base64.StdEncoding.EncodeToString(h.Point)})
}

// message passes a terminal's message on. Silence is silence: the connection is dropped.
func (s *Server) message(w http.ResponseWriter, r *http.Request) error {
	raw, err := service.ReadBody(r, iso8583.MaxBytes)
	if err != nil {
		return err
	}
	answer, err := s.Core.Send(r.PathValue("serial"), raw)
	if errors.Is(err, scenario.ErrSilence) {
		panic(http.ErrAbortHandler)
	}
	if err != nil {
		return err
	}
	return service.Write(w, "application/octet-stream", answer)
}

func (s *Server) trial(w http.ResponseWriter, r *http.Request) error {
	t, err := s.Core.Trial(r.PathValue("id"))
	if err != nil {
		return err
	}
	return service.WriteJSON(w, trialBody{Permit: t.Permit, Word: t.Word, Over: t.Over, Steps: append([]agreement.AcceptanceStep{}, t.Steps...)})
}

func (s *Server) acceptance(w http.ResponseWriter, r *http.Request) error {
	var in acceptanceBody
	if err := service.Decode(r, &in); err != nil {
		return err
	}
	return signed(w)(s.Core.Acceptance(r.PathValue("id"), in.MerchantName, nil))
}

func (s *Server) listCharges(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	since, err := statement.Time(q.Get("since")).Parse()
	if err != nil {
		return err
	}
	return signed(w)(s.Core.ChargesOf(scenario.Asked{Visit: r.PathValue("id"), Order: q.Get("order"), Serial: q.Get("serial"), Since: since}))
}

// terminal signs what the host's own books say about a terminal.
func (s *Server) terminal(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	if err := identifier.CheckID(r.PathValue("id")); err != nil {
		return err
	}
	if _, err := identifier.ParseSerial(q.Get("serial")); err != nil {
		return err
	}
	return signed(w)(s.Core.TerminalState(r.PathValue("id"), q.Get("order"), q.Get("serial")))
}

func (s *Server) dead(w http.ResponseWriter, r *http.Request) error {
	return noted(w, r, s.Core.MarkDead)
}

func (s *Server) end(w http.ResponseWriter, r *http.Request) error {
	return noted(w, r, s.Core.EndKeys)
}

// noted writes down something about a terminal.
func noted(w http.ResponseWriter, r *http.Request, note func(serial string) error) error {
	serial := r.PathValue("serial")
	if _, err := identifier.ParseSerial(serial); err != nil {
		return err
	}
	if err := note(serial); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (s *Server) charge(w http.ResponseWriter, r *http.Request) error {
	var in chargeBody
	if err := service.Decode(r, &in); err != nil {
		return err
	}
	if err := identifier.CheckID(r.PathValue("id")); err != nil {
		return err
	}
	if err := s.Core.ChargeOrder(in.Order, in.Charge); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (s *Server) record(w http.ResponseWriter, r *http.Request) error {
	var row scenario.HostRow
	if err := service.Decode(r, &row); err != nil {
		return err
	}
	if err := s.Core.PutRecord(r.PathValue("order"), row); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
