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
	result := evidence.Verify(bundle, trust)
	if err := write(out, o, trust, result); err != nil {
		fmt.Fprintf(errs, "menshen-verify: %v\n", err)
		return exitUnusable
	}
	if !result.Accepted() {
		return exitRefused
	}
	return exitAccepted
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
