package jobs

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/fault"
)

// An organisation's service is away over a weekend. The server asks it each second, and its log says so when it begins,
// when something else is wrong, each ten minutes, and when it is over.
func TestALongFailureIsToldSeldom(t *testing.T) {
	away := fault.New(fault.Unavailable, "organisation_unreachable", "机构的服务没有应答。", "The organisation's service does not answer.")
	other := fault.New(fault.Refused, "organisation_journal_older", "记录更旧。", "The journal is older.")
	var out bytes.Buffer
	tell := &teller{log: slog.New(slog.NewJSONHandler(&out, nil))}
	now := time.Date(2026, 11, 28, 0, 0, 0, 0, time.UTC)
	passes := func(n int, err error) {
		for range n {
			tell.passed(err, now)
			now = now.Add(time.Second)
		}
	}
	passes(5, nil)
	passes(2*24*60*60, away.Because(errors.New("connection refused")))
	passes(3, other)
	passes(5, nil)
	passes(1, away)
	passes(1, nil)

	var got []string
	weekend := 0
	for dec := json.NewDecoder(&out); dec.More(); {
		var line struct {
			Msg, Code string
			Passes    int `json:"failed_passes"`
		}
		if err := dec.Decode(&line); err != nil {
			t.Fatal(err)
		}
		if line.Msg == "pass failed" && line.Code == "organisation_unreachable" && line.Passes > 1 {
			weekend++
			continue
		}
		got = append(got, line.Msg+" "+line.Code)
	}
	if want := 2*24*6 - 1; weekend != want {
		t.Errorf("told %d times that it still fails, want %d", weekend, want)
	}
	want := []string{"pass failed organisation_unreachable", "pass failed organisation_journal_older", "pass goes on organisation_journal_older",
		"pass failed organisation_unreachable", "pass goes on organisation_unreachable"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
