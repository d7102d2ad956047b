package iso8583

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"maps"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/menshen-project/menshen/internal/fault"
)

var key = []byte("one load's key")

func sale() Message {
	return Message{Type: Sale, Fields: map[int]string{Processing: "000000", Amount: "000000000001", Trace: "000002",
		Terminal: "W1489724", Merchant: "531290058120001", Batch: "22000001", Card: "TEST-APPROVE"}}
}

func sealed(t *testing.T, m Message) []byte {
	t.Helper()
	data, err := m.Seal(key)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// testdata/iso_8583.js made these with another implementation.
func TestAnotherImplementationWritesTheSameBytes(t *testing.T) {
	var file struct {
		Key      string
		Messages []struct {
			Name, Message string
			Fields        map[string]string
		}
	}
	data, err := os.ReadFile("testdata/iso_8583_2.6.7.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &file); err != nil || len(file.Messages) != 4 {
		t.Fatalf("%d messages, %v", len(file.Messages), err)
	}
	for _, v := range file.Messages {
		m := Message{Type: v.Fields["0"], Fields: map[int]string{}}
		for n, value := range v.Fields {
			if field, _ := strconv.Atoi(n); field > 0 {
				m.Fields[field] = value
			}
		}
		got, err := m.Seal([]byte(file.Key))
		if err != nil || hex.EncodeToString(got) != v.Message {
			t.Errorf("%s: wrote %x, %v", v.Name, got, err)
		}
		back, err := Open(got, []byte(file.Key))
		if err != nil || back.Type != m.Type || !maps.Equal(back.Fields, m.Fields) {
			t.Errorf("%s: read %v, %v", v.Name, back, err)
		}
	}
}

func TestEveryChangedByteIsRefused(t *testing.T) {
	data := sealed(t, sale())
	for i := range data {
		changed := bytes.Clone(data)
		changed[i] ^= 1
		if _, err := Open(changed, key); err == nil {
			t.Errorf("byte %d can be changed", i)
		}
	}
	if _, err := Open(data, []byte("another load's key")); fault.CodeOf(err) != "message_mac_wrong" {
		t.Errorf("another key: %v", err)
	}
	if _, err := Open(data, nil); fault.CodeOf(err) != "message_key_absent" {
		t.Errorf("no key: %v", err)
	}
	if _, err := sale().Seal(nil); fault.CodeOf(err) != "message_key_absent" {
		t.Errorf("sealed without a key: %v", err)
	}
}

func TestWhatTheLayoutDoesNotHaveIsNotWritten(t *testing.T) {
	for name, c := range map[string]struct {
		edit func(*Message)
		code string
	}{
		"card number":    {func(m *Message) { m.Fields[2] = "6222020000000000" }, "message_field_unknown"},
		"track":          {func(m *Message) { m.Fields[35] = "6222020000000000=2712" }, "message_field_unknown"},
		"pin":            {func(m *Message) { m.Fields[52] = "0123456789abcdef" }, "message_field_unknown"},
		"unknown type":   {func(m *Message) { m.Type = "0300" }, "message_type_unknown"},
		"short amount":   {func(m *Message) { m.Fields[Amount] = "1" }, "message_field_malformed"},
		"letters":        {func(m *Message) { m.Fields[Amount] = "00000000000a" }, "message_field_malformed"},
		"control":        {func(m *Message) { m.Fields[Card] = "a\nb" }, "message_field_malformed"},
		"not ASCII":      {func(m *Message) { m.Fields[Card] = "卡" }, "message_field_malformed"},
		"over its bound": {func(m *Message) { m.Fields[Card] = strings.Repeat("A", 33) }, "message_field_malformed"},
	} {
		m := sale()
		c.edit(&m)
		if _, err := m.Seal(key); fault.CodeOf(err) != c.code {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestMalformedBytesAreRefused(t *testing.T) {
	good := sealed(t, sale())
	edit := func(at int, with string) []byte {
		return append(append(bytes.Clone(good[:at]), with...), good[at+len(with):]...)
	}
	batch := bytes.Index(good, []byte("008"+"22000001"))
	unknown := bytes.Clone(good)
	unknown[4] |= 0x40 // field 2
	bare := bytes.Clone(good)
	bare[11] &^= 1
	for name, c := range map[string]struct {
		data []byte
		code string
	}{
		"empty":             {nil, "message_cut_short"},
		"header only":       {good[:11], "message_cut_short"},
		"cut in a field":    {good[:20], "message_cut_short"},
		"cut in a length":   {good[:batch+2], "message_cut_short"},
		"cut in the MAC":    {good[:len(good)-1], "message_cut_short"},
		"trailing":          {append(bytes.Clone(good), 0), "message_trailing_bytes"},
		"huge":              {make([]byte, MaxBytes+1), "message_too_long"},
		"type":              {edit(0, "0201"), "message_type_unknown"},
		"card number field": {unknown, "message_field_unknown"},
		"no MAC":            {bare, "message_mac_absent"},
		"signed length":     {edit(batch, "+08"), "message_field_malformed"},
		"length of letters": {edit(batch, "0x8"), "message_field_malformed"},
		"length over bound": {edit(batch, "033"), "message_field_malformed"},
		"value of letters":  {edit(12, "00000a"), "message_field_malformed"},
	} {
		if _, err := Parse(c.data); fault.CodeOf(err) != c.code {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := Open(c.data, key); fault.CodeOf(err) != c.code {
			t.Errorf("%s opened: %v", name, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	good, err := sale().Seal(key)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(good[:20])
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := Parse(data)
		if err != nil {
			return
		}
		again, err := m.Seal(key)
		if err != nil {
			t.Fatalf("read but not writable: %v", err)
		}
		if n := len(data) - macBytes; !bytes.Equal(again[:n], data[:n]) {
			t.Fatalf("two forms of one message:\n%x\n%x", data, again)
		}
	})
}
