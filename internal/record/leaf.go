package record

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/identifier"
	"github.com/menshen-project/menshen/internal/statement"
)

const (
	leafDomain = "menshen-leaf-v1"
	leafHeader = "menshen-leaf/v1"
)

var errLeaf = fault.New(fault.Invalid, "leaf_malformed", "日志叶子的格式不对。", "The log leaf is malformed.")

// Leaf is what the public log shows of an event: a salted digest, the day and the province. Without
// the salt nobody can tell which shop it was.
type Leaf struct {
	Hash     string // hex SHA-256("menshen-leaf-v1" ‖ salt ‖ event bytes)
	Day      string // YYYY-MM-DD, UTC
	Province string // GB/T 2260, two digits
}

// LeafFor gives the leaf's bytes for an event.
func LeafFor(event []byte, salt [16]byte, day, province string) ([]byte, error) {
	h := sha256.New()
	h.Write([]byte(leafDomain))
	h.Write(salt[:])
	h.Write(event)
	l := Leaf{Hash: hex.EncodeToString(h.Sum(nil)), Day: day, Province: province}
	if err := l.check(); err != nil {
		return nil, err
	}
	return l.Bytes(), nil
}

// Bytes is the leaf's one form: four lines.
func (l Leaf) Bytes() []byte {
	return []byte(leafHeader + "\n" + l.Hash + "\n" + l.Day + "\n" + l.Province + "\n")
}

// ParseLeaf reads a leaf, as a monitor does.
func ParseLeaf(data []byte) (Leaf, error) {
	lines := strings.Split(string(data), "\n")
	if len(lines) != 5 || lines[0] != leafHeader || lines[4] != "" {
		return Leaf{}, errLeaf
	}
	l := Leaf{Hash: lines[1], Day: lines[2], Province: lines[3]}
	return l, l.check()
}

func (l Leaf) check() error {
	if !statement.IsDigest(l.Hash) {
		return errLeaf.At("hash")
	}
	if day, err := time.Parse(time.DateOnly, l.Day); err != nil || day.Format(time.DateOnly) != l.Day {
		return errLeaf.At("day")
	}
	if identifier.CheckProvince(l.Province) != nil {
		return errLeaf.At("province")
	}
	return nil
}
