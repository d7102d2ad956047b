package statement

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"
)

// both reads a document in one pass and by the slow walk, and fails if the one pass takes what the walk
// refuses or reads it otherwise. It says whether the one pass took it.
func both[T any](t *testing.T, data string) bool {
	t.Helper()
	var quick, slow T
	f := fast{data: []byte(data)}
	took := f.document(reflect.ValueOf(&quick).Elem())
	err := decodeSlowly([]byte(data), &slow)
	if took && err != nil {
		t.Fatalf("%.200s: taken, but %v", data, err)
	}
	if took && !reflect.DeepEqual(quick, slow) {
		t.Fatalf("%.200s: read %+v, the walk %+v", data, quick, slow)
	}
	return took
}

// kinds has a field of every kind that fast reads.
type kinds struct {
	S  string          `json:"s"`
	B  bool            `json:"b"`
	I  int             `json:"i"`
	I8 int8            `json:"i8"`
	U  uint64          `json:"u"`
	U8 uint8           `json:"u8"`
	P  *line           `json:"p,omitempty"`
	L  [][]string      `json:"l"`
	F  json.RawMessage `json:"f,omitempty"`
	T  Time            `json:"t,omitempty"`
}

const everyKind = `{"s":"刷\n\"\\\/\b\f\r\t","b":false,"i":-5,"i8":127,"u":999999999999999999,"u8":255,"p":{"text":"","fen":0},` +
	`"l":[[],["a"],["b","c"]],"f":{"a":[1,{},[],"x",true,false],"b":0},"t":"x"}`

func TestFastTakesWhatIsInOrder(t *testing.T) {
	for _, data := range []string{everyKind, whole, " {\n\t\"s\" : \"\" , \"b\":true,\"i\":0,\"i8\":-128,\"u\":0,\"u8\":0,\"l\":[ [ \"a\" , \"b\" ] ] } \r\n",
		`{"l":[],"u8":1,"u":1,"i8":1,"i":1,"b":true,"s":"in another order"}`} {
		if !both[kinds](t, data) && !both[sheet](t, data) {
			t.Errorf("left to the walk: %s", data)
		}
	}
	if !both[struct{}](t, ` { } `) || !both[[]string](t, `[]`) || !both[json.RawMessage](t, `"x"`) {
		t.Error("small documents are left to the walk")
	}
}

// Whatever is not plainly in order is left to the walk; most of it is then refused.
func TestFastLeavesTheRestToTheWalk(t *testing.T) {
	in := func(name, value string) string {
		var members map[string]json.RawMessage
		if err := json.Unmarshal([]byte(everyKind), &members); err != nil {
			t.Fatal(err)
		}
		members[name] = json.RawMessage(`"\u0001"`)
		out, _ := json.Marshal(members)
		return strings.Replace(string(out), `"\u0001"`, value, 1)
	}
	for _, data := range []string{
		``, ` `, `{`, `[`, `{"s"`, `{"s":`, `{"s" "x"}`, everyKind + "x", strings.TrimSuffix(everyKind, "}"), `{}`, `{,}`, `{"s":"x",}`,
		in("s", `"\u5237"`), in("s", `"\x"`), in("s", `"a`+"\n"+`"`), in("s", "\"\ufffd\""), in("s", `"open`), in("s", `"\`), in("s", `1`), in("s", `null`), in("s", `[]`),
		in("b", `1`), in("b", `tru`), in("b", `"true"`),
		in("i", `1.0`), in("i", `1e2`), in("i", `-0`), in("i", `01`), in("i", `-01`), in("i", `-`), in("i", `+1`), in("i", `"1"`), in("i", `9999999999999999999`),
		in("i", `1234567890123456789`), in("i8", `128`), in("u", `-1`), in("u8", `256`),
		in("p", `null`), in("p", `{"text":""}`), in("p", `{"fen":1,"text":"","fen":1}`), in("p", `[]`), in("p", `{}`),
		in("l", `{}`), in("l", `[[],]`), in("l", `[["a"]`), in("l", `[1]`), in("l", `[["a"]["b"]]`),
		in("f", `null`), in("f", ``), in("f", `{"a":1,"a":1}`), in("f", `{"a":1,}`), in("f", `{1:2}`), in("f", `{"a" 1}`), in("f", `{"a":null}`), in("f", `{"a":1`),
		in("f", `[1,]`), in("f", `[1`), in("f", `[null]`), in("f", `1.5`), in("f", `tru`), in("f", `"a`), in("f", strings.Repeat("[", 25)+strings.Repeat("]", 25)),
		in("f", strings.Repeat("[", 30)), in("f", strings.Repeat(`{"a":`, 30)), in("S", `"x"`), in("unknown", `"x"`), in("l", strings.Repeat("[", 30)),
	} {
		if both[kinds](t, data) {
			t.Errorf("taken: %s", data)
		}
	}
	if both[kinds](t, `{"s":"\`) || both[kinds](t, `{"s":"open`) {
		t.Error("an escape of nothing was taken")
	}
	deep, data := reflect.TypeFor[string](), `"x"`
	for range maxDepth + 1 {
		deep, data = reflect.SliceOf(deep), "["+data+"]"
	}
	if fastOn(deep, data) || !fastOn(deep.Elem(), data[1:len(data)-1]) {
		t.Error("the bound on depth is not the walk's")
	}
	if both[json.RawMessage](t, ``) || both[json.RawMessage](t, ` `) {
		t.Error("nothing was taken for something")
	}
}

// Types that fast does not know are read by the walk, whatever they are.
func TestFastLeavesUnknownTypesToTheWalk(t *testing.T) {
	type nested struct {
		In *nested2 `json:"in,omitempty"`
	}
	for name, took := range map[string]bool{
		"bytes":        both[[]byte](t, `[1]`),
		"map":          both[map[string]int](t, `{}`),
		"reads itself": both[time.Time](t, `"2026-11-22T12:00:00Z"`),
		"no tag":       both[struct{ A string }](t, `{"A":"x"}`),
		"left out by a tag": both[struct {
			A string `json:"-"`
		}](t, `{"-":"x"}`),
		"too many fields": fastOn(reflect.StructOf(manyFields(65)), `{}`),
		"too deep":        both[nested](t, strings.Repeat(`{"in":`, 30)),
	} {
		if took {
			t.Errorf("taken: %s", name)
		}
	}
	if !fastOn(reflect.StructOf(manyFields(64)), `{}`) {
		t.Error("sixty-four fields fit")
	}
}

type nested2 struct {
	In *nested3 `json:"in,omitempty"`
}

type nested3 struct {
	In []string `json:"in,omitempty"`
}

func fastOn(t reflect.Type, data string) bool {
	f := fast{data: []byte(data)}
	return f.document(reflect.New(t).Elem())
}

func manyFields(n int) []reflect.StructField {
	var out []reflect.StructField
	for i := range n {
		name := "F" + strings.Repeat("x", i)
		out = append(out, reflect.StructField{Name: name, Type: reflect.TypeFor[string](), Tag: reflect.StructTag(`json:"` + name + `,omitempty"`)})
	}
	return out
}

func FuzzFastReadsTheSame(f *testing.F) {
	for _, data := range []string{everyKind, whole, `{"s":"x"}`, `[[1,2],{"a":{"b":[true]}}]`, `"x"`, `-12`, `{"i":1.0}`} {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data string) {
		both[kinds](t, data)
		both[sheet](t, data)
		both[[]line](t, data)
		both[json.RawMessage](t, data)
	})
}
