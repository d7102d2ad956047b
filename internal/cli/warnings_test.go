package cli

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
)

// A library that tells each second that it waits is not heard; what it warns of is.
func TestALibrarysLinesAreWarningsOnly(t *testing.T) {
	var said bytes.Buffer
	log := slog.New(onlyWarnings{slog.NewJSONHandler(&said, nil)}).With("library", "tessera").WithGroup("witness")
	log.Info("waits for a quorum", "round", 7)
	if said.Len() > 0 {
		t.Errorf("it says %s", &said)
	}
	log.Warn("cannot write", "round", 8)
	if got := said.String(); !strings.Contains(got, "cannot write") || !strings.Contains(got, "tessera") || !strings.Contains(got, `"witness":{"round":8}`) {
		t.Errorf("it says %s", got)
	}
}
