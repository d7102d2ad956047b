package fault

import (
	"errors"
	"fmt"
	"io"
	"testing"
)

var (
	errSheet = New(Refused, "sheet_unsigned", "价格单没有签字。", "The price sheet is not signed.")
	errOther = New(Refused, "sheet_changed", "价格单改过。", "The price sheet was changed.")
)

func TestErrorNamesCodePlaceSentenceAndCause(t *testing.T) {
	for _, r := range []struct {
		name string
		err  error
		want string
	}{
		{"template", errSheet, "sheet_unsigned: The price sheet is not signed."},
		{"place", errSheet.At("order"), "sheet_unsigned at order: The price sheet is not signed."},
		{"places nest from the outside in", errSheet.At("fee 2").Atf("entry %d", 3), "sheet_unsigned at entry 3: fee 2: The price sheet is not signed."},
		{"cause", errSheet.Because(io.EOF), "sheet_unsigned: The price sheet is not signed.: EOF"},
		{"place and cause", errSheet.At("order").Because(io.EOF), "sheet_unsigned at order: The price sheet is not signed.: EOF"},
	} {
		if got := r.err.Error(); got != r.want {
			t.Errorf("%s: %q, want %q", r.name, got, r.want)
		}
	}
}

func TestNewKeepsEveryPart(t *testing.T) {
	want := Fault{Kind: Refused, Code: "sheet_unsigned", Text: Text{Zh: "价格单没有签字。", En: "The price sheet is not signed."}}
	if *errSheet != want {
		t.Errorf("%+v, want %+v", *errSheet, want)
	}
}

func TestNarrowingCopiesAndLeavesTheTemplate(t *testing.T) {
	before := *errSheet
	placed, caused := errSheet.At("order"), errSheet.Because(io.EOF)
	if *errSheet != before {
		t.Error("the template changed")
	}
	if placed == errSheet || caused == errSheet {
		t.Error("a narrowed fault is the template itself")
	}
	if caused.At("order").Unwrap() != io.EOF {
		t.Error("At lost the cause")
	}
	if placed.Because(io.EOF).Where != "order" {
		t.Error("Because lost the place")
	}
}

func TestIsFindsTemplateAndCause(t *testing.T) {
	err := fmt.Errorf("submit: %w", errSheet.At("order").Because(io.EOF))
	for _, r := range []struct {
		name   string
		target error
		want   bool
	}{
		{"its template", errSheet, true},
		{"another copy of its template", errSheet.At("elsewhere"), true},
		{"its cause", io.EOF, true},
		{"another rule of the same kind", errOther, false},
		{"another cause", io.ErrUnexpectedEOF, false},
	} {
		if got := errors.Is(err, r.target); got != r.want {
			t.Errorf("%s: %v", r.name, got)
		}
	}
	if errSheet.Unwrap() != nil {
		t.Error("a template has a cause")
	}
}

func TestOfFindsTheFaultOrMakesItInternal(t *testing.T) {
	if Of(nil) != nil {
		t.Error("Of(nil) is a fault")
	}
	placed := errSheet.At("order")
	if got := Of(fmt.Errorf("submit: %w", placed)); got != placed {
		t.Errorf("Of lost the fault: %v", got)
	}
	got := Of(io.EOF)
	if got.Kind != Internal || got.Code != "internal" || got.Text.Zh == "" || got.Text.En == "" {
		t.Errorf("a foreign error became %+v", got)
	}
	if !errors.Is(got, io.EOF) {
		t.Error("a foreign error is no longer the cause")
	}
	if got.Text != unexpected.Text || unexpected.cause != nil {
		t.Error("a foreign error's words reached the sentence, or the template")
	}
}

func TestCodeAndKind(t *testing.T) {
	for _, r := range []struct {
		name string
		err  error
		code string
		kind Kind
	}{
		{"nothing", nil, "", ""},
		{"a fault", errSheet, "sheet_unsigned", Refused},
		{"a wrapped fault", fmt.Errorf("submit: %w", errSheet), "sheet_unsigned", Refused},
		{"a foreign error", io.EOF, "internal", Internal},
	} {
		if code, kind := CodeOf(r.err), KindOf(r.err); code != r.code || kind != r.kind {
			t.Errorf("%s: %q, %q, want %q, %q", r.name, code, kind, r.code, r.kind)
		}
	}
}

func TestAtPlacesAnyError(t *testing.T) {
	if err := At(nil, "order"); err != nil {
		t.Errorf("At(nil) is %v", err)
	}
	if got := Of(At(errSheet, "order")); got.Where != "order" || got.Code != "sheet_unsigned" {
		t.Errorf("a fault became %+v", got)
	}
	if got := Of(At(io.EOF, "order")); got.Where != "order" || got.Code != "internal" || !errors.Is(got, io.EOF) {
		t.Errorf("a foreign error became %+v", got)
	}
}
