package record

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/identifier"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/transparency-dev/merkle/rfc6962"
)

const (
	leafHeader = "menshen-leaf/v1"
	leafDomain = "menshen-leaf-v1" // first bytes of what a leaf's hash covers
	leafLines  = 5                 // four lines and the empty rest after the last newline
)

var (
	errLeaf     = fault.New(fault.Invalid, "leaf_malformed", "日志里的一行格式不对。", "The log leaf is not in its one canonical form.")
	errLeafDay  = fault.New(fault.Invalid, "leaf_day_malformed", "日志里的日期要写成 2026-11-22 这样。", "A leaf's day is written like 2026-11-22.")
	errLeafSalt = fault.New(fault.Invalid, "leaf_salt_missing", "日志的随机数没有生成。", "A leaf's salt was never drawn: all its bytes are zero.")
)

// Leaf is what the public log shows of one event: no more than that something happened, on a day,
// in a province. The salt stays beside the event, so nobody can guess what the hash stands for.
type Leaf struct {
	Hash     string // hex SHA-256("menshen-leaf-v1" ‖ salt ‖ event bytes)
	Day      string // 2026-11-22
	Province string // two digits of GB/T 2260
}

// LeafFor makes the leaf of an event's bytes. Faults: leaf_salt_missing for a salt of zeros,
// leaf_day_malformed, province_unknown.
func LeafFor(event []byte, salt [16]byte, day, province string) (Leaf, error) {
	if salt == [16]byte{} {
		return Leaf{}, errLeafSalt
	}
	h := sha256.New()
	h.Write([]byte(leafDomain))
	h.Write(salt[:])
	h.Write(event)
	l := Leaf{Hash: hex.EncodeToString(h.Sum(nil)), Day: day, Province: province}
	if err := l.check(); err != nil {
		return Leaf{}, err
	}
	return l, nil
}

// ParseLeaf reads leaf bytes. Faults: leaf_malformed, leaf_day_malformed, province_unknown.
func ParseLeaf(data []byte) (Leaf, error) {
	lines := strings.Split(string(data), "\n")
	if len(lines) != leafLines || lines[0] != leafHeader || lines[4] != "" || !statement.IsDigest(lines[1]) {
		return Leaf{}, errLeaf
	}
	l := Leaf{Hash: lines[1], Day: lines[2], Province: lines[3]}
	if err := l.check(); err != nil {
		return Leaf{}, err
	}
	return l, nil
}

func (l Leaf) check() error {
	if _, err := time.Parse(time.DateOnly, l.Day); err != nil {
		return errLeafDay
	}
	return identifier.CheckProvince(l.Province)
}

// Bytes is the leaf as it is put into the log. It has meaning only for a leaf that LeafFor or
// ParseLeaf made.
func (l Leaf) Bytes() []byte {
	return []byte(leafHeader + "\n" + l.Hash + "\n" + l.Day + "\n" + l.Province + "\n")
}

// LeafHash is the Merkle tree's hash of leaf bytes, SHA-256(0x00 ‖ leaf) (RFC 6962 §2.1).
func LeafHash(leaf []byte) [32]byte {
	var room [1 + len(leafHeader) + 1 + 64 + 1 + 10 + 1 + 2 + 1]byte // every leaf fits, and nothing is allocated
	return sha256.Sum256(append(append(room[:0], rfc6962.RFC6962LeafHashPrefix), leaf...))
}
