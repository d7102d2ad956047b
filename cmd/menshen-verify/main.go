// Command menshen-verify checks a visit's bundle offline: no network, no server code, no trust in
// menshen. It runs the same evidence package as the server and the acquirer's host.
package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"unicode"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/fault"
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
		complain(errs, err)
		fmt.Fprintf(errs, "\n%s", usage)
		return exitUnusable
	case o.help:
		fmt.Fprint(out, usage)
		return exitAccepted
	}
	trust, bundle, err := load(o)
	if err != nil {
		complain(errs, err)
		return exitUnusable
	}
	r := report{Result: evidence.Verify(bundle, trust), trust: trust}
	if err := r.draw(o.audit); err != nil {
		complain(errs, err)
		return exitUnusable
	}
	if err := write(out, o, r); err != nil {
		complain(errs, errOut.Because(err))
		return exitUnusable
	}
	if !r.Accepted() || r.undrawn != nil {
		return exitRefused
	}
	return exitAccepted
}

// complain says what is wrong with the input, in both languages. A fault's cause is left out: it may hold
// anything of the input.
func complain(w io.Writer, err error) {
	f := fault.Of(err)
	where := ""
	if f.Where != "" {
		where = " (" + printable(f.Where) + ")"
	}
	fmt.Fprintf(w, "menshen-verify: %s%s：%s\nmenshen-verify: %s%s: %s\n", f.Code, where, f.Text.Zh, f.Code, where, f.Text.En)
}

// printable is a name as a terminal may show it: short, and nothing in it that moves or turns the line.
func printable(s string) string {
	runes := []rune(strings.ToValidUTF8(s, "�"))
	if len(runes) > 200 {
		runes = append(runes[:200], '…')
	}
	for i, r := range runes {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			runes[i] = '�'
		}
	}
	return string(runes)
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

var (
	errFile = fault.New(fault.NotFound, "file_unreadable", "读不了这个文件：没有、没有权限，或者是个文件夹。", "The file cannot be read: it is not there, not permitted, or a folder.")
	errHuge = fault.New(fault.TooLarge, "file_too_large", "这个文件太大，不是这里要的那一种。", "The file is larger than any of its kind may be.")
	errOut  = fault.New(fault.Unavailable, "report_not_written", "结果写不出来。", "The report cannot be written.")
)

// readBounded reads a file whole, or standard input for "-", and refuses more than max bytes.
func readBounded(name string, max int64) ([]byte, error) {
	in := io.Reader(os.Stdin)
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, errFile.At(name).Because(err)
		}
		defer f.Close()
		in = f
	}
	data, err := io.ReadAll(io.LimitReader(in, max+1))
	if err != nil {
		return nil, errFile.At(name).Because(err)
	}
	if int64(len(data)) > max {
		return nil, errHuge.At(name)
	}
	return data, nil
}
