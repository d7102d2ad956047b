package files

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/menshen-project/menshen/internal/fault"
)

var (
	errYAML      = fault.New(fault.Invalid, "yaml_unreadable", "YAML 写得不对，或者有不认识、写了两次的名字：看写明的那几行。", "The YAML is wrong, or has a name that is unknown or stands there twice; see the lines named.")
	errYAMLMore  = fault.New(fault.Invalid, "yaml_second_document", "只能有一份 YAML 文档：去掉 --- 以后的内容，或者并到一起。", "Only one YAML document may stand here: remove what follows ---, or join the two.")
	errYAMLEmpty = fault.New(fault.Invalid, "yaml_empty", "文件里什么也没有。", "There is nothing in the file.")
)

// YAML reads one document into the struct that v points to. Refused: unknown and doubled names, wrong types, a
// second document, nothing at all. Every place that is wrong is named by line; no value is shown.
func YAML(data []byte, v any) error {
	dec := yaml.NewDecoder(bytes.NewReader(data))
	dec.KnownFields(true)
	switch err := dec.Decode(v); {
	case errors.Is(err, io.EOF):
		return errYAMLEmpty.At("empty")
	case err != nil:
		return errYAML.At(wrongLines(err)).Because(err)
	}
	var more yaml.Node
	switch err := dec.Decode(&more); {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		return errYAML.At(wrongLines(err)).Because(err)
	}
	return errYAMLMore.Atf("line %d: a second document", more.Line)
}

// What yaml.v3 says, and what of it is for people: places and names, neither values nor Go's types.
var yamlSays = []struct {
	said *regexp.Regexp
	tell string
}{
	{regexp.MustCompile(`^line (\d+): field ([\w.-]{1,40}) not found in type `), "line $1: unknown name $2"},
	{regexp.MustCompile(`^line (\d+): (?s:field .*) not found in type `), "line $1: unknown name"},
	{regexp.MustCompile(`^line (\d+): mapping key "([\w.-]{1,40})" already defined at line (\d+)`), "line $1: $2 is there already, in line $3"},
	{regexp.MustCompile(`^line (\d+): (?s:mapping key .*) already defined at line (\d+)`), "line $1: this name is there already, in line $2"},
	{regexp.MustCompile(`^line (\d+): cannot unmarshal `), "line $1: another kind of value is wanted"},
	{regexp.MustCompile(`^yaml: line (\d+): `), "line $1: not YAML"},
}

// mostLines is how many places are named.
const mostLines = 20

func wrongLines(err error) string {
	says := []string{err.Error()}
	var several *yaml.TypeError
	if errors.As(err, &several) {
		says = several.Errors
	}
	var out []string
	for _, s := range says {
		if len(out) == mostLines {
			return strings.Join(append(out, fmt.Sprintf("… %d", len(says)-mostLines)), "; ")
		}
		out = append(out, wrongLine(s))
	}
	return strings.Join(out, "; ")
}

func wrongLine(said string) string {
	for _, y := range yamlSays {
		if m := y.said.FindStringSubmatchIndex(said); m != nil {
			return string(y.said.ExpandString(nil, y.tell, said, m))
		}
	}
	return "not YAML"
}
