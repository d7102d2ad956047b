package statement

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"strings"
	"unicode/utf8"

	"github.com/menshen-project/menshen/internal/fault"
)

// Bounds on any JSON that comes from outside.
const (
	MaxBytes = 1 << 20 // one envelope, statement or list
	maxDepth = 24
)

var (
	errTooLarge      = fault.New(fault.TooLarge, "json_too_large", "数据太大了。", "The data is over the size bound.")
	errSyntax        = fault.New(fault.Invalid, "json_syntax", "不是完整的 JSON。", "This is not complete, valid JSON.")
	errUTF8          = fault.New(fault.Invalid, "json_encoding", "文字编码不是 UTF-8。", "The text is not valid UTF-8.")
	errDepth         = fault.New(fault.TooLarge, "json_too_deep", "数据嵌套太深。", "The data is nested too deeply.")
	errDuplicateName = fault.New(fault.Invalid, "json_duplicate_name", "同一个字段出现了两次。", "A name appears twice in one object.")
	errUnknownName   = fault.New(fault.Invalid, "json_unknown_name", "有不认识的字段。", "There is a name this form does not have.")
	errCaseVariant   = fault.New(fault.Invalid, "json_case_variant", "字段名的大小写不对。", "A name differs from the form's only in letter case.")
	errMissingName   = fault.New(fault.Invalid, "json_missing_name", "缺少必填的字段。", "A required name is missing.")
	errNotInteger    = fault.New(fault.Invalid, "json_not_integer", "数字只能是整数。", "Numbers must be plain integers.")
	errWrongType     = fault.New(fault.Invalid, "json_wrong_type", "字段的类型不对。", "A value has the wrong type.")
	errNotCanonical  = fault.New(fault.Invalid, "json_not_canonical", "写法不是规定的唯一形式。", "The bytes are not the one canonical form.")
)

// Decode reads strict JSON into the struct v points to. Refused: duplicate, unknown and
// case-variant names, a missing name whose field has no omitempty, null, numbers that are not
// plain integers, invalid UTF-8, trailing bytes, anything over MaxBytes or nested too deeply.
// encoding/json alone accepts the first three, and takes "Amount_Fen" for "amount_fen".
func Decode(data []byte, v any) error {
	if len(data) > MaxBytes {
		return errTooLarge
	}
	return decode(data, v)
}

func decode(data []byte, v any) error {
	if !utf8.Valid(data) {
		return errUTF8
	}
	// Into a fresh value: what the document leaves out must not keep an old value, and a refusal
	// must leave nothing behind.
	fresh := reflect.New(reflect.TypeOf(v).Elem())
	if f := (fast{data: data}); f.document(fresh.Elem()) {
		reflect.ValueOf(v).Elem().Set(fresh.Elem())
		return nil
	}
	return decodeSlowly(data, v)
}

// decodeSlowly walks the document and says what is wrong with it, or reads it where fast would not.
func decodeSlowly(data []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	if err := walk(dec, reflect.TypeOf(v).Elem(), "", 0); err != nil {
		return err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errSyntax
	}
	fresh := reflect.New(reflect.TypeOf(v).Elem())
	if err := json.Unmarshal(data, fresh.Interface()); err != nil {
		return errWrongType.Because(err)
	}
	reflect.ValueOf(v).Elem().Set(fresh.Elem())
	return nil
}

// DecodeCanonical is Decode, and the bytes must be exactly what Canonical makes of the value.
func DecodeCanonical(data []byte, v any) error {
	if err := Decode(data, v); err != nil {
		return err
	}
	return sameForm(data, v)
}

// DecodeCanonicalWithin is DecodeCanonical for documents with a bound of their own, in bytes.
func DecodeCanonicalWithin(data []byte, v any, maxBytes int) error {
	if len(data) > maxBytes {
		return errTooLarge
	}
	if err := decode(data, v); err != nil {
		return err
	}
	return sameForm(data, v)
}

// former makes its own canonical form faster than Canonical does, and the same.
type former interface{ CanonicalBytes() ([]byte, error) }

func sameForm(data []byte, v any) error {
	make := Canonical
	if own, ok := v.(former); ok {
		make = func(any) ([]byte, error) { return own.CanonicalBytes() }
	}
	again, err := make(v)
	if err != nil || !bytes.Equal(again, data) {
		return errNotCanonical.Because(err)
	}
	return nil
}

// Canonical gives the one form of v: compact JSON, names in struct order, nothing escaped that
// JSON does not require.
func Canonical(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, errWrongType.Because(err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

var rawMessage = reflect.TypeFor[json.RawMessage]()

// walk checks one value against t. A nil t means "any shape": still no duplicates, no null, only
// integers.
func walk(dec *json.Decoder, t reflect.Type, path string, depth int) error {
	if depth > maxDepth {
		return errDepth.At(path)
	}
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t == rawMessage {
		t = nil
	}
	tok, err := dec.Token()
	if err != nil {
		return errSyntax.At(path).Because(err)
	}
	switch x := tok.(type) {
	case json.Delim:
		if x == '{' {
			return walkObject(dec, t, path, depth)
		}
		return walkArray(dec, t, path, depth)
	case json.Number:
		return checkNumber(x, t, path)
	case string:
		// Go turns unpaired surrogates into U+FFFD without a word; two inputs must not read alike.
		if strings.ContainsRune(x, utf8.RuneError) {
			return errUTF8.At(path)
		}
		return wantKind(t, path, reflect.String)
	case bool:
		return wantKind(t, path, reflect.Bool)
	default: // null: an absent value has one form, the absent name
		return errWrongType.At(path)
	}
}

func wantKind(t reflect.Type, path string, kind reflect.Kind) error {
	if t != nil && t.Kind() != kind {
		return errWrongType.At(path)
	}
	return nil
}

func checkNumber(n json.Number, t reflect.Type, path string) error {
	s := n.String()
	if strings.ContainsAny(s, ".eE") || s == "-0" {
		return errNotInteger.At(path)
	}
	if t != nil && !(t.Kind() >= reflect.Int && t.Kind() <= reflect.Uint64) {
		return errWrongType.At(path)
	}
	return nil
}

func walkArray(dec *json.Decoder, t reflect.Type, path string, depth int) error {
	var elem reflect.Type
	if t != nil {
		if t.Kind() != reflect.Slice || t.Elem().Kind() == reflect.Uint8 {
			return errWrongType.At(path)
		}
		elem = t.Elem()
	}
	for dec.More() {
		if err := walk(dec, elem, path+"[]", depth+1); err != nil {
			return err
		}
	}
	return closing(dec, path)
}

func closing(dec *json.Decoder, path string) error {
	if _, err := dec.Token(); err != nil {
		return errSyntax.At(path).Because(err)
	}
	return nil
}

func walkObject(dec *json.Decoder, t reflect.Type, path string, depth int) error {
	if t != nil && t.Kind() != reflect.Struct {
		return errWrongType.At(path)
	}
	names := fieldsOf(t)
	seen := map[string]bool{}
	for dec.More() {
		tok, err := dec.Token()
		if err != nil {
			return errSyntax.At(path).Because(err)
		}
		name, _ := tok.(string) // the decoder itself refuses names that are no strings
		if strings.ContainsRune(name, utf8.RuneError) {
			return errUTF8.At(path)
		}
		at := strings.TrimPrefix(path+"."+plainName(name), ".")
		if seen[name] {
			return errDuplicateName.At(at)
		}
		seen[name] = true
		elem, err := fieldType(t, names, name, at)
		if err != nil {
			return err
		}
		if err := walk(dec, elem, at, depth+1); err != nil {
			return err
		}
	}
	if err := closing(dec, path); err != nil {
		return err
	}
	for _, f := range names {
		if f.required && !seen[f.name] {
			return errMissingName.At(strings.TrimPrefix(path+"."+f.name, "."))
		}
	}
	return nil
}

// plainName keeps an error from echoing bytes that an attacker, or a person's data, put in a name.
func plainName(name string) string {
	if len(name) > 40 {
		return "…"
	}
	for _, r := range name {
		if r != '_' && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') {
			return "…"
		}
	}
	return name
}

func fieldType(t reflect.Type, names []field, name, at string) (reflect.Type, error) {
	if t == nil {
		return nil, nil
	}
	for _, f := range names {
		if f.name == name {
			return f.typ, nil
		}
	}
	for _, f := range names {
		if strings.EqualFold(f.name, name) {
			return nil, errCaseVariant.At(at)
		}
	}
	return nil, errUnknownName.At(at)
}

type field struct {
	name     string
	typ      reflect.Type
	required bool
}

// fieldsOf lists the JSON names of a struct type; types with embedded structs are not used here.
func fieldsOf(t reflect.Type) []field {
	if t == nil {
		return nil
	}
	out := make([]field, 0, t.NumField())
	for i := range t.NumField() {
		f := t.Field(i)
		name, opts, _ := strings.Cut(f.Tag.Get("json"), ",")
		out = append(out, field{name: name, typ: f.Type, required: opts != "omitempty"})
	}
	return out
}
