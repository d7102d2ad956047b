package organisation

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/menshen-project/menshen/internal/acquirer"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/files"
	"github.com/menshen-project/menshen/internal/orgapi"
	"github.com/menshen-project/menshen/internal/service"
	"github.com/menshen-project/menshen/internal/statement"
)

var errDesk = fault.New(fault.Unavailable, "organisation_not_answering", "机构的服务没有回答。", "The organisation's service does not answer.")

// Desk is the organisation's own hand: it asks the service that runs on its folder or, where none runs,
// opens the folder itself.
type Desk struct {
	base  string
	token string
	http  *http.Client
	close func() error
}

// OpenDesk finds out which of the two it is.
func OpenDesk(dir string) (*Desk, error) {
	c, err := Load(dir)
	if err != nil {
		return nil, err
	}
	token, err := c.DeskToken()
	if err != nil {
		return nil, err
	}
	own, err := Open(c, time.Now, slog.New(slog.DiscardHandler))
	if fault.CodeOf(err) == "journal_in_use" {
		return c.remoteDesk(token)
	}
	if err != nil {
		return nil, err
	}
	server, err := NewServer(own)
	if err != nil {
		return nil, err
	}
	return &Desk{base: "http://desk", token: token, http: &http.Client{Transport: within{server.Handler()}}, close: own.Close}, nil
}

func (c Config) remoteDesk(token string) (*Desk, error) {
	base, pin := "http://"+c.Listen, ""
	if c.CertFile != "" {
		data, err := files.Read(c.Path(c.CertFile), files.MaxSmall)
		if err != nil {
			return nil, errKeyFile.At(c.CertFile).Because(err)
		}
		block, _ := pem.Decode(data)
		if block == nil {
			return nil, errKeyFile.At(c.CertFile)
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, errKeyFile.At(c.CertFile).Because(err)
		}
		base, pin = "https://"+c.Listen, acquirer.PinOf(cert)
	}
	client, base, err := acquirer.HTTP(base, pin)
	return &Desk{base: base, token: token, http: client, close: func() error { return nil }}, err
}

// within serves a request in this process.
type within struct{ http.Handler }

func (w within) RoundTrip(r *http.Request) (*http.Response, error) {
	a := &held{header: http.Header{}, status: http.StatusOK}
	w.ServeHTTP(a, r)
	return &http.Response{StatusCode: a.status, Header: a.header, Body: io.NopCloser(&a.body), Request: r}, nil
}

type held struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (h *held) Header() http.Header            { return h.header }
func (h *held) WriteHeader(status int)         { h.status = status }
func (h *held) Write(data []byte) (int, error) { return h.body.Write(data) }

// Close lets go of the folder.
func (d *Desk) Close() error { return d.close() }

// Code makes a one-time code.
func (d *Desk) Code(ctx context.Context, holder, role, reason string) (DeskCode, error) {
	var out DeskCode
	err := d.ask(ctx, http.MethodPost, "/desk/codes", DeskAsk{Holder: holder, Role: role, Reason: reason}, &out)
	return out, err
}

// Do asks for one of /desk/people, /desk/people/leave, /desk/codes/revoke, /desk/keys/end, /desk/badges/end.
func (d *Desk) Do(ctx context.Context, path string, a DeskAsk) (orgapi.Answer, error) {
	var out orgapi.Answer
	err := d.ask(ctx, http.MethodPost, path, a, &out)
	return out, err
}

// Course publishes a course, or says with a dry run whether it would.
func (d *Desk) Course(ctx context.Context, f CourseFile, dry bool) (CourseDone, error) {
	var out CourseDone
	err := d.ask(ctx, http.MethodPost, "/desk/courses", CourseAsk{File: f, DryRun: dry}, &out)
	return out, err
}

// Publish signs and publishes a list, or says with a dry run whether it would be taken.
func (d *Desk) Publish(ctx context.Context, a PublishAsk) (Published, error) {
	var out Published
	err := d.ask(ctx, http.MethodPost, "/desk/lists", a, &out)
	return out, err
}

// Lists gives what is published, and until when it holds.
func (d *Desk) Lists(ctx context.Context) (Lists, error) {
	var out Lists
	err := d.ask(ctx, http.MethodGet, "/desk/lists", nil, &out)
	return out, err
}

// Results lists every graded attempt.
func (d *Desk) Results(ctx context.Context) (Results, error) {
	var out Results
	err := d.ask(ctx, http.MethodGet, "/desk/results", nil, &out)
	return out, err
}

// People lists the roll.
func (d *Desk) People(ctx context.Context) (orgapi.People, error) {
	var out orgapi.People
	err := d.ask(ctx, http.MethodGet, "/desk/people", nil, &out)
	return out, err
}

func (d *Desk) ask(ctx context.Context, method, path string, body, out any) error {
	data, err := statement.Canonical(body)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, d.base+path, bytes.NewReader(data))
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+d.token)
	r.Header.Set("Content-Type", "application/json")
	resp, err := d.http.Do(r)
	if err != nil {
		return errDesk.Because(err)
	}
	defer resp.Body.Close()
	data, err = io.ReadAll(io.LimitReader(resp.Body, 64<<20))
	if err != nil {
		return errDesk.Because(err)
	}
	if resp.StatusCode != http.StatusOK {
		var p service.Problem
		if err := json.Unmarshal(data, &p); err != nil {
			return errDesk.Because(err)
		}
		return p.Fault()
	}
	return json.Unmarshal(data, out)
}
