// Command menshen-verify checks a visit's bundle offline: no network, no server code, no trust in
// menshen. It runs the same evidence package as the server and the acquirer's host.
package main

import (
	"fmt"
	"io"
	"os"

	"github.com/menshen-project/menshen/evidence"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// Exit codes, as --help promises.
const (
	exitAccepted = 0
	exitRefused  = 1
	exitUnusable = 2
)

// maxTrust bounds a trust file in bytes.
const maxTrust = 1 << 20

// maxCheckpoint bounds a checkpoint in bytes.
const maxCheckpoint = 16 << 10

func run(args []string, out, errs io.Writer) int {
	o, err := parseOptions(args)
	switch {
	case err != nil:
		fmt.Fprintf(errs, "menshen-verify: %v\n\n%s", err, usage)
		return exitUnusable
	case o.help:
		fmt.Fprint(out, usage)
		return exitAccepted
	}
	trust, bundle, err := load(o)
	if err != nil {
		fmt.Fprintf(errs, "menshen-verify: %v\n", err)
		return exitUnusable
	}
	r := report{Result: evidence.Verify(bundle, trust), trust: trust}
	if err := r.draw(o.audit); err != nil {
		fmt.Fprintf(errs, "menshen-verify: %v\n", err)
		return exitUnusable
	}
	if err := write(out, o, r); err != nil {
		fmt.Fprintf(errs, "menshen-verify: %v\n", err)
		return exitUnusable
	}
	if !r.Accepted() || r.undrawn != nil {
		return exitRefused
	}
	return exitAccepted
}

// report is a bundle's verification and, where a checkpoint was given, its draw.
type report struct {
	evidence.Result
	trust   evidence.Trust
	audit   *evidence.Audit
	undrawn error // why the checkpoint draws nothing
}

// draw asks a checkpoint whether the visit is audited. A refused bundle is not asked.
func (r *report) draw(file string) error {
	if file == "" || !r.Accepted() {
		return nil
	}
	checkpoint, err := readBounded(file, maxCheckpoint)
	if err != nil {
		return err
	}
	a, err := r.Audit(checkpoint, r.trust)
	if err != nil {
		r.undrawn = err
		return nil
	}
	r.audit = &a
	return nil
}

func load(o options) (evidence.Trust, *evidence.Bundle, error) {
	raw, err := readBounded(o.trust, maxTrust)
	if err != nil {
		return evidence.Trust{}, nil, err
	}
	trust, err := evidence.ParseTrust(raw)
	if err != nil {
		return evidence.Trust{}, nil, err
	}
	data, err := readBounded(o.bundle, evidence.MaxBundle)
	if err != nil {
		return evidence.Trust{}, nil, err
	}
	bundle, err := evidence.Open(data)
	return trust, bundle, err
}

// readBounded reads a file whole, or standard input for "-", and refuses more than max bytes.
func readBounded(name string, max int64) ([]byte, error) {
	in := io.Reader(os.Stdin)
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	data, err := io.ReadAll(io.LimitReader(in, max+1))
	if err == nil && int64(len(data)) > max {
		err = fmt.Errorf("%s: over %d bytes", name, max)
	}
	return data, err
}
