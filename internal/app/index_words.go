package app

import (
	"encoding/base64"
	"strings"

	"github.com/menshen-project/menshen/internal/store"
)

// serialWord comes before a device's last six digits among the words of a visit's row.
const serialWord = " serial."

// LastSix gives the last six digits of the serial that a visit's row is about, "" for none yet.
func LastSix(v store.Visit) string {
	_, rest, _ := strings.Cut(v.Search, serialWord)
	six, _, _ := strings.Cut(rest, " ")
	return six
}

func lastSix(serial string) string {
	if len(serial) <= 6 {
		return serial
	}
	return serial[len(serial)-6:]
}

// deviceWord is the word by which a visit that names a device is found.
func deviceWord(serial string) string { return strings.TrimSpace(serialWord) + lastSix(serial) }

func b64(raw []byte) string { return base64.StdEncoding.EncodeToString(raw) }

// supervisorWord makes a supervisor findable by the one word that names him.
func supervisorWord(id string) string {
	if id == "" {
		return ""
	}
	return " supervisor." + id
}
