// Package fault is the one error type that crosses package borders: a kind for machines, a safe
// sentence for people in Chinese and English, and a cause that only the operator's log sees.
//
// A fault's sentence and place never hold a personal value: they name the field, the rule and the
// next act. The cause may hold anything and must not be shown.
package fault

import (
	"errors"
	"fmt"
)

// Kind says what sort of failure it is; HTTP status and exit code follow from it.
type Kind string

const (
	Invalid         Kind = "invalid"         // the input breaks a format or a bound
	Refused         Kind = "refused"         // well formed, but a rule says no
	Conflict        Kind = "conflict"        // contradicts accepted state, or another writer was first
	NotFound        Kind = "not_found"       // no such thing, or none the asker may see
	Forbidden       Kind = "forbidden"       // this role may not do this here
	Unauthenticated Kind = "unauthenticated" // nobody we know
	TooLarge        Kind = "too_large"       // over a bound on size or count
	TooMany         Kind = "too_many"        // over a bound on rate
	Unavailable     Kind = "unavailable"     // something we need does not answer; try again
	Internal        Kind = "internal"        // our own defect
)

// Text is one sentence in both languages, without personal values.
type Text struct {
	Zh string `json:"zh"`
	En string `json:"en"`
}

// Fault is an error with a stable code. Make it with New and narrow it with At and Because.
type Fault struct {
	Kind  Kind
	Code  string // stable, snake_case, unique to its rule; tests and attack tables name it
	Where string // field, entry or file the fault is about; "" when it is about the whole
	Text  Text
	cause error
}

// New makes a fault for a rule. Package-level faults are templates; At and Because copy.
func New(kind Kind, code, zh, en string) *Fault {
	return &Fault{Kind: kind, Code: code, Text: Text{Zh: zh, En: en}}
}

// Error gives the English sentence with code and place, and the cause for the operator.
func (f *Fault) Error() string {
	s := f.Code
	if f.Where != "" {
		s += " at " + f.Where
	}
	s += ": " + f.Text.En
	if f.cause != nil {
		s += ": " + f.cause.Error()
	}
	return s
}

// Unwrap gives the cause, so that errors.Is finds a sentinel below.
func (f *Fault) Unwrap() error { return f.cause }

// Is makes errors.Is(err, template) true for every copy of a template.
func (f *Fault) Is(target error) bool {
	t, ok := target.(*Fault)
	return ok && t.Code == f.Code
}

// At gives a copy that names the place. Places nest from the outside in: a.At("x").At("entry 3")
// reads "entry 3: x".
func (f *Fault) At(where string) *Fault {
	c := *f
	if c.Where == "" {
		c.Where = where
	} else {
		c.Where = where + ": " + c.Where
	}
	return &c
}

// Atf is At with a format.
func (f *Fault) Atf(format string, args ...any) *Fault { return f.At(fmt.Sprintf(format, args...)) }

// Because gives a copy that carries the cause for the operator's log.
func (f *Fault) Because(cause error) *Fault {
	c := *f
	c.cause = cause
	return &c
}

var unexpected = New(Internal, "internal", "系统出错了，请稍后再试。", "Something went wrong on our side; try again later.")

// Of finds the fault in err's chain. An error that is no fault is internal: its text is a cause,
// never shown. Of(nil) is nil.
func Of(err error) *Fault {
	if err == nil {
		return nil
	}
	var f *Fault
	if errors.As(err, &f) {
		return f
	}
	return unexpected.Because(err)
}

// CodeOf gives the stable code of err, "" for nil.
func CodeOf(err error) string {
	if err == nil {
		return ""
	}
	return Of(err).Code
}

// KindOf gives the kind of err, "" for nil.
func KindOf(err error) Kind {
	if err == nil {
		return ""
	}
	return Of(err).Kind
}

// At adds a place to any error: to a fault's own, or to the internal fault it becomes.
func At(err error, where string) error {
	if err == nil {
		return nil
	}
	return Of(err).At(where)
}
