package files

import (
	"bytes"
	"encoding/json"
	"fmt"

	"gopkg.in/yaml.v3"

	"github.com/menshen-project/menshen/internal/fault"
)

var errYAMLForm = fault.New(fault.Invalid, "yaml_form", "这里只能写文字、整数、true 或 false、列表、名字和值；别用锚点、标签、小数。", "Only texts, whole numbers, true or false, lists, and names with values may stand here; no anchors, tags or fractions.")

// maxYAMLDepth is deeper than any statement's body.
const maxYAMLDepth = 16

// JSON gives one YAML document as JSON. Whole numbers, true and false stay what they are; everything else,
// times too, becomes the text that stands there. So a body of a statement can be written as YAML and is then
// read by the statements' own strict reader. Refused, by line: what YAML refuses, anchors, tags of one's own,
// fractions, null.
func JSON(data []byte) ([]byte, error) {
	var doc yaml.Node
	if err := YAML(data, &doc); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := writeJSON(&out, &doc, 0); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func writeJSON(out *bytes.Buffer, n *yaml.Node, depth int) error {
	wrong := errYAMLForm.Atf("line %d", n.Line)
	if depth > maxYAMLDepth || n.Anchor != "" {
		return wrong
	}
	switch n.Kind {
	case yaml.DocumentNode:
		return writeJSON(out, n.Content[0], depth+1)
	case yaml.MappingNode:
		return writeMapping(out, n, depth)
	case yaml.SequenceNode:
		out.WriteByte('[')
		for i, c := range n.Content {
			if i > 0 {
				out.WriteByte(',')
			}
			if err := writeJSON(out, c, depth+1); err != nil {
				return err
			}
		}
		out.WriteByte(']')
		return nil
	case yaml.ScalarNode:
		return writeScalar(out, n)
	}
	return wrong
}

func writeMapping(out *bytes.Buffer, n *yaml.Node, depth int) error {
	line := map[string]int{}
	out.WriteByte('{')
	for i := 0; i < len(n.Content); i += 2 {
		name := n.Content[i]
		if name.Kind != yaml.ScalarNode || name.ShortTag() != "!!str" || name.Anchor != "" {
			return errYAMLForm.Atf("line %d", name.Line)
		}
		if before, twice := line[name.Value]; twice {
			return errYAML.At(fmt.Sprintf("line %d: this name is there already, in line %d", name.Line, before))
		}
		line[name.Value] = name.Line
		if i > 0 {
			out.WriteByte(',')
		}
		writeText(out, name.Value)
		out.WriteByte(':')
		if err := writeJSON(out, n.Content[i+1], depth+1); err != nil {
			return err
		}
	}
	out.WriteByte('}')
	return nil
}

func writeScalar(out *bytes.Buffer, n *yaml.Node) error {
	switch n.ShortTag() {
	case "!!str", "!!timestamp":
		writeText(out, n.Value)
		return nil
	case "!!int":
		var i int64
		if err := n.Decode(&i); err != nil {
			return errYAMLForm.Atf("line %d", n.Line)
		}
		fmt.Fprint(out, i)
		return nil
	case "!!bool":
		var b bool
		if err := n.Decode(&b); err != nil {
			return errYAMLForm.Atf("line %d", n.Line)
		}
		fmt.Fprint(out, b)
		return nil
	}
	return errYAMLForm.Atf("line %d", n.Line)
}

func writeText(out *bytes.Buffer, s string) {
	text, err := json.Marshal(s)
	if err != nil {
		panic(err) // a string that YAML gave is UTF-8
	}
	out.Write(text)
}
