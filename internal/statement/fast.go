package statement

import (
	"bytes"
	"encoding"
	"encoding/json"
	"reflect"
	"slices"
	"sync"
	"unicode/utf8"
)

// fast reads documents that are in order, which is nearly all of them, in one pass. It takes a part of
// what the strict walk takes, and reads it to the same value; whatever it does not like it leaves to
// the walk, which then says what is wrong. It never refuses anything by itself.
// FuzzFastReadsTheSame holds the two together.
type fast struct {
	data []byte
	pos  int
}

// plan is how a type is read. The zero kind is left to the walk.
type plan struct {
	kind   reflect.Kind
	fields []planned
	needed uint64 // bit by field: its name must be there
	elem   *plan  // of lists and pointers
}

type planned struct {
	name  string
	index int
	plan  *plan
}

// free is the kind of a json.RawMessage: any shape, as strict as the rest.
const free = reflect.Interface

var plans sync.Map // reflect.Type → *plan

// planOf gives a type's plan. Types that contain themselves are not used here.
func planOf(t reflect.Type) *plan {
	if p, ok := plans.Load(t); ok {
		return p.(*plan)
	}
	p, _ := plans.LoadOrStore(t, newPlan(t))
	return p.(*plan)
}

var unmarshalers = []reflect.Type{reflect.TypeFor[json.Unmarshaler](), reflect.TypeFor[encoding.TextUnmarshaler]()}

func newPlan(t reflect.Type) *plan {
	if t == rawMessage {
		return &plan{kind: free}
	}
	if slices.ContainsFunc(unmarshalers, reflect.PointerTo(t).Implements) {
		return &plan{}
	}
	switch kind := t.Kind(); kind {
	case reflect.String, reflect.Bool:
		return &plan{kind: kind}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return &plan{kind: reflect.Int64}
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return &plan{kind: reflect.Uint64}
	case reflect.Pointer:
		return &plan{kind: kind, elem: planOf(t.Elem())}
	case reflect.Slice:
		if t.Elem().Kind() != reflect.Uint8 {
			return &plan{kind: kind, elem: planOf(t.Elem())}
		}
	case reflect.Struct:
		return structPlan(t)
	}
	return &plan{}
}

func structPlan(t reflect.Type) *plan {
	p := &plan{kind: reflect.Struct}
	for i, f := range fieldsOf(t) {
		if f.name == "" || f.name == "-" || !t.Field(i).IsExported() || i == 64 {
			return &plan{}
		}
		if f.required {
			p.needed |= 1 << i
		}
		p.fields = append(p.fields, planned{name: f.name, index: i, plan: planOf(f.typ)})
	}
	return p
}

// document reads all of the data into v, false if it is left to the walk.
func (f *fast) document(v reflect.Value) bool {
	if !f.value(planOf(v.Type()), v, 0) {
		return false
	}
	f.space()
	return f.pos == len(f.data)
}

func (f *fast) space() {
	for f.pos < len(f.data) {
		switch f.data[f.pos] {
		case ' ', '\t', '\n', '\r':
			f.pos++
		default:
			return
		}
	}
}

// take skips white space and then one byte, if it is c.
func (f *fast) take(c byte) bool {
	f.space()
	if f.pos < len(f.data) && f.data[f.pos] == c {
		f.pos++
		return true
	}
	return false
}

func (f *fast) word(w string) bool {
	if !bytes.HasPrefix(f.data[f.pos:], []byte(w)) {
		return false
	}
	f.pos += len(w)
	return true
}

func (f *fast) value(p *plan, v reflect.Value, depth int) bool {
	if depth > maxDepth {
		return false
	}
	f.space()
	switch p.kind {
	case reflect.String:
		s, ok := f.text()
		v.SetString(string(s))
		return ok
	case reflect.Bool:
		yes := f.word("true")
		v.SetBool(yes)
		return yes || f.word("false")
	case reflect.Int64:
		n, ok := f.integer()
		v.SetInt(n)
		return ok && !v.OverflowInt(n)
	case reflect.Uint64:
		n, ok := f.integer()
		v.SetUint(uint64(n))
		return ok && n >= 0 && !v.OverflowUint(uint64(n))
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		return f.value(p.elem, v.Elem(), depth)
	case reflect.Slice:
		return f.list(p, v, depth)
	case reflect.Struct:
		return f.object(p, v, depth)
	case free:
		start := f.pos
		ok := f.skip(depth)
		v.SetBytes(slices.Clone(f.data[start:f.pos]))
		return ok
	}
	return false
}

func (f *fast) list(p *plan, v reflect.Value, depth int) bool {
	if !f.take('[') {
		return false
	}
	v.Set(reflect.MakeSlice(v.Type(), 0, 0))
	if f.take(']') {
		return true
	}
	for {
		n := v.Len()
		v.Grow(1)
		v.SetLen(n + 1)
		if !f.value(p.elem, v.Index(n), depth+1) {
			return false
		}
		if !f.take(',') {
			return f.take(']')
		}
	}
}

func (f *fast) object(p *plan, v reflect.Value, depth int) bool {
	if !f.take('{') {
		return false
	}
	var seen uint64
	if f.take('}') {
		return p.needed == 0
	}
	for next := 0; ; next++ {
		i := f.field(p, next)
		if i < 0 || seen&(1<<i) != 0 || !f.take(':') {
			return false
		}
		seen |= 1 << i
		next = i
		if !f.value(p.fields[i].plan, v.Field(p.fields[i].index), depth+1) {
			return false
		}
		if !f.take(',') {
			return f.take('}') && p.needed&^seen == 0
		}
	}
}

// field reads a name and finds its field, looking first where the struct's order has it; -1 if it has
// none.
func (f *fast) field(p *plan, expected int) int {
	f.space()
	name, ok := f.text()
	if !ok {
		return -1
	}
	if expected < len(p.fields) && p.fields[expected].name == string(name) {
		return expected
	}
	return slices.IndexFunc(p.fields, func(x planned) bool { return x.name == string(name) })
}

// text reads a string. Escapes by number are left to the walk, which knows about surrogates.
func (f *fast) text() ([]byte, bool) {
	if f.pos >= len(f.data) || f.data[f.pos] != '"' {
		return nil, false
	}
	f.pos++
	start, foreign := f.pos, false
	var out []byte // what lies before start, once an escape was met
	for ; f.pos < len(f.data); f.pos++ {
		switch c := f.data[f.pos]; {
		case c == '"':
			text := f.data[start:f.pos]
			if out != nil {
				text = append(out, text...)
			}
			f.pos++
			return text, !foreign || !bytes.ContainsRune(text, utf8.RuneError)
		case c < ' ':
			return nil, false
		case c == '\\':
			out = append(out, f.data[start:f.pos]...)
			if f.pos++; f.pos == len(f.data) {
				return nil, false
			}
			plain, known := escapes[f.data[f.pos]]
			if !known {
				return nil, false
			}
			out, start = append(out, plain), f.pos+1
		case c >= utf8.RuneSelf:
			foreign = true
		}
	}
	return nil, false
}

var escapes = map[byte]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// integer reads a plain integer; fractions, exponents, minus zero and leading zeros are not.
func (f *fast) integer() (int64, bool) {
	start := f.pos
	negative := f.pos < len(f.data) && f.data[f.pos] == '-'
	if negative {
		f.pos++
	}
	digits := f.pos
	var n int64
	for ; f.pos < len(f.data) && f.data[f.pos] >= '0' && f.data[f.pos] <= '9'; f.pos++ {
		n = n*10 + int64(f.data[f.pos]-'0') // may wrap past eighteen digits, which are not taken
	}
	length := f.pos - digits
	if length == 0 || length > 18 || (f.data[digits] == '0' && f.pos-start > 1) {
		return 0, false // over eighteen digits may be over int64; the walk counts
	}
	if negative {
		return -n, true
	}
	return n, true
}

// skip reads a value of any shape: still no name twice, no null, only integers.
func (f *fast) skip(depth int) bool {
	if depth > maxDepth {
		return false
	}
	f.space()
	if f.pos == len(f.data) {
		return false
	}
	switch f.data[f.pos] {
	case '{':
		return f.skipObject(depth)
	case '[':
		return f.skipList(depth)
	case '"':
		_, ok := f.text()
		return ok
	case 't', 'f':
		return f.word("true") || f.word("false")
	}
	_, ok := f.integer()
	return ok
}

func (f *fast) skipList(depth int) bool {
	f.pos++
	if f.take(']') {
		return true
	}
	for {
		if !f.skip(depth + 1) {
			return false
		}
		if !f.take(',') {
			return f.take(']')
		}
	}
}

func (f *fast) skipObject(depth int) bool {
	f.pos++
	if f.take('}') {
		return true
	}
	seen := map[string]bool{}
	for {
		f.space()
		name, ok := f.text()
		if !ok || seen[string(name)] || !f.take(':') {
			return false
		}
		seen[string(name)] = true
		if !f.skip(depth + 1) {
			return false
		}
		if !f.take(',') {
			return f.take('}')
		}
	}
}
