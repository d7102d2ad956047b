// Package iso8583 writes and reads the messages that a simulated terminal exchanges with a simulated
// acquirer's host. The layout is UnionPay-like and is not the real one: message types and field
// numbers are those that terminals in China use (ISO 8583:1987, one bitmap), but numbers travel as
// text instead of BCD, no field for a card number or a PIN exists at all, and field 64 is a truncated
// HMAC-SHA-256 under a key that was made for one demonstration load and opens nothing.
package iso8583

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"strconv"

	"github.com/menshen-project/menshen/internal/fault"
)

// MaxBytes bounds one message.
const MaxBytes = 1024

var (
	errTooLong    = fault.New(fault.TooLarge, "message_too_long", "报文太长。", "The message is over its size bound.")
	errShort      = fault.New(fault.Invalid, "message_cut_short", "报文不完整。", "The message ends before its fields do.")
	errRest       = fault.New(fault.Invalid, "message_trailing_bytes", "报文后面多了内容。", "Bytes follow the last field.")
	errType       = fault.New(fault.Invalid, "message_type_unknown", "不认识的报文类型。", "This type of message is not known.")
	errField      = fault.New(fault.Invalid, "message_field_unknown", "报文里有不认识的域。", "The message has a field that the layout does not have.")
	errValue      = fault.New(fault.Invalid, "message_field_malformed", "报文里有一个域写得不对。", "A field is not written as the layout asks.")
	errNoMAC      = fault.New(fault.Invalid, "message_mac_absent", "报文没有校验码。", "The message carries no MAC.")
	errMAC        = fault.New(fault.Refused, "message_mac_wrong", "报文的校验码不对。", "The message's MAC does not fit its bytes and this key.")
	errKeyMissing = fault.New(fault.Refused, "message_key_absent", "没有校验用的密钥。", "There is no key to make or check a MAC with.")
)

// Message is one message without its MAC.
type Message struct {
	Type   string
	Fields map[int]string
}

// Seal writes the message and its MAC under key.
func (m Message) Seal(key []byte) ([]byte, error) {
	if !types[m.Type] {
		return nil, errType
	}
	bitmap := uint64(1) // the last bit is field 64
	var body []byte
	for n := 1; n < mac; n++ {
		value, ok := m.Fields[n]
		if !ok {
			continue
		}
		f, known := forms[n]
		if !known {
			return nil, errField.At(strconv.Itoa(n))
		}
		if !f.takes(value) {
			return nil, errValue.At(strconv.Itoa(n))
		}
		bitmap |= bit(n)
		if f.variable {
			body = append(body, threeDigits(len(value))...)
		}
		body = append(body, value...)
	}
	out := binary.BigEndian.AppendUint64([]byte(m.Type), bitmap)
	out = append(out, body...)
	sum, err := sumOf(key, out)
	return append(out, sum...), err
}

// Parse reads a message strictly; its one form is what Seal writes. The MAC is not checked: what it
// returns is untrusted.
func Parse(data []byte) (Message, error) {
	if len(data) > MaxBytes {
		return Message{}, errTooLong
	}
	if len(data) < 4+8 {
		return Message{}, errShort
	}
	m := Message{Type: string(data[:4]), Fields: map[int]string{}}
	if !types[m.Type] {
		return Message{}, errType
	}
	bitmap, rest := binary.BigEndian.Uint64(data[4:]), data[12:]
	if bitmap&1 == 0 {
		return Message{}, errNoMAC
	}
	for n := 1; n < mac; n++ {
		if bitmap&bit(n) == 0 {
			continue
		}
		value, after, err := take(n, rest)
		if err != nil {
			return Message{}, err
		}
		m.Fields[n], rest = value, after
	}
	switch {
	case len(rest) < macBytes:
		return Message{}, errShort.At(strconv.Itoa(mac))
	case len(rest) > macBytes:
		return Message{}, errRest
	}
	return m, nil
}

// Open is Parse, and the MAC must fit key.
func Open(data, key []byte) (Message, error) {
	m, err := Parse(data)
	if err != nil {
		return Message{}, err
	}
	sum, err := sumOf(key, data[:len(data)-macBytes])
	if err != nil {
		return Message{}, err
	}
	if !hmac.Equal(sum, data[len(data)-macBytes:]) {
		return Message{}, errMAC
	}
	return m, nil
}

// take reads field n from the front of rest.
func take(n int, rest []byte) (value string, after []byte, err error) {
	f, known := forms[n]
	if !known {
		return "", nil, errField.At(strconv.Itoa(n))
	}
	size := f.size
	if f.variable {
		if len(rest) < 3 {
			return "", nil, errShort.At(strconv.Itoa(n))
		}
		if size, err = strconv.Atoi(string(rest[:3])); err != nil || size > f.size || threeDigits(max(0, size)) != string(rest[:3]) {
			return "", nil, errValue.At(strconv.Itoa(n))
		}
		rest = rest[3:]
	}
	if len(rest) < size {
		return "", nil, errShort.At(strconv.Itoa(n))
	}
	if value = string(rest[:size]); !f.takes(value) {
		return "", nil, errValue.At(strconv.Itoa(n))
	}
	return value, rest[size:], nil
}

// takes says whether value may stand in the field: printable ASCII or digits, of the right length.
func (f form) takes(value string) bool {
	if len(value) > f.size || (!f.variable && len(value) != f.size) {
		return false
	}
	for i := range len(value) {
		c := value[i]
		if c < 0x20 || c > 0x7e || (f.digits && (c < '0' || c > '9')) {
			return false
		}
	}
	return true
}

func bit(n int) uint64 { return 1 << (64 - n) }

func threeDigits(n int) string {
	s := strconv.Itoa(1000 + n)
	return s[len(s)-3:]
}

func sumOf(key, data []byte) ([]byte, error) {
	if len(key) == 0 {
		return nil, errKeyMissing
	}
	h := hmac.New(sha256.New, key)
	h.Write(data) // a hash never fails
	return h.Sum(nil)[:macBytes], nil
}
