package cli

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/transparency"
)

// What a monitor remembers comes back as it was; a damaged memory is told with what helps, and is never taken for
// none: that would forget every rollback.
func TestAMonitorsStateIsWholeOrRefused(t *testing.T) {
	dir := t.TempDir()
	m := monitoring{state: filepath.Join(dir, "state.json")}
	if s, first, err := m.seen(); err != nil || !first || s.Size != 0 || s.Hashes != nil {
		t.Errorf("before the first look: %+v, first %v, %v", s, first, err)
	}
	for _, want := range []transparency.Seen{{}, {Size: 3, Hashes: [][]byte{make([]byte, 32), []byte(strings.Repeat("h", 32))}}} {
		if err := m.keep(want); err != nil {
			t.Fatal(err)
		}
		if got, first, err := m.seen(); err != nil || first || !reflect.DeepEqual(got, want) {
			t.Errorf("%+v, first %v, %v, want %+v", got, first, err, want)
		}
	}
	whole, err := os.ReadFile(m.state)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"empty": "", "cut": string(whole[:len(whole)-5]), "twice": string(whole) + string(whole), "null": "null", "a list": "[]",
		"size twice": strings.Replace(string(whole), `"size":3`, `"size":3,"size":0`, 1), "other case": strings.Replace(string(whole), "size", "Size", 1),
		"more beside": strings.Replace(string(whole), "{", `{"more":1,`, 1), "no hashes": `{"size":3}`, "below zero": `{"size":-1,"hashes":[]}`,
		"another hash": strings.Replace(string(whole), "AAAA", "AAAB", 1), "another size": strings.Replace(string(whole), `"size":3`, `"size":2`, 1),
		"not base64": `{"size":1,"hashes":["%"]}`, "over the bound": strings.Repeat(" ", 2<<20), "not text": "\xff\x00",
	} {
		put(t, m.state, text)
		if _, _, err := m.seen(); fault.CodeOf(err) != "monitor_state_damaged" || fault.Of(err).Where != m.state {
			t.Errorf("%s: %v", name, err)
		}
	}
	put(t, m.state, `{"size":0,"hashes":[]}`) // as it was kept before it had a check
	if _, first, err := m.seen(); err != nil || first {
		t.Errorf("a file of before: first %v, %v", first, err)
	}
	m.state = dir
	if _, _, err := m.seen(); fault.CodeOf(err) != "monitor_state_damaged" {
		t.Error(err)
	}
	m.state = filepath.Join(dir, "none", "state.json")
	if err := m.keep(transparency.Seen{}); fault.CodeOf(err) != "monitor_state_not_kept" {
		t.Error(err)
	}
}

// A monitor's own copy of the feed goes on after a line that a crash cut off, and not after one that somebody changed.
func TestAMonitorsFeedGoesOnAfterItsLastWholeLine(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, feedName)
	line := func(index string, named string) string {
		return `{"index":` + index + `,"named":` + named + `,"entry":{}}` + "\n"
	}
	for _, r := range []struct {
		name, text string
		after      int64
		left       string
	}{
		{"empty", "", -1, ""},
		{"whole", line("4", "false") + line("9", "true"), 4, line("4", "false") + line("9", "true")},
		{"cut", line("4", "false") + `{"index":9`, 4, line("4", "false")},
		{"only a cut one", `{"index":9`, -1, ""},
	} {
		put(t, path, r.text)
		f, after, err := openFeed(dir)
		if err != nil || after != r.after {
			t.Errorf("%s: after %d, %v", r.name, after, err)
			continue
		}
		if data, err := os.ReadFile(path); err != nil || string(data) != r.left {
			t.Errorf("%s: left %q, %v", r.name, data, err)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
	put(t, path, line("4", "false")+"hunter2\n")
	if _, _, err := openFeed(dir); fault.CodeOf(err) != "monitor_openings_unreadable" || !strings.HasSuffix(fault.Of(err).Where, "feed.jsonl line 2") {
		t.Error(err)
	}
}

// The digests that an organisation signed are digests, or monitor would alarm for all of them.
func TestOrderedDigestsAreDigests(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ordered")
	digest := strings.Repeat("0a", 32)
	put(t, path, digest+"\r\n\n "+digest+"\n")
	if known, err := orderedBy(path); err != nil || len(known) != 1 || !known[digest] {
		t.Errorf("%v, %v", known, err)
	}
	for _, text := range []string{"hunter2", strings.ToUpper(digest), digest + digest, digest[1:], "\x00", "sha256:" + digest} {
		put(t, path, digest+"\n"+text+"\n")
		if _, err := orderedBy(path); fault.CodeOf(err) != "monitor_ordered_unreadable" || !strings.HasSuffix(fault.Of(err).Where, "line 2") {
			t.Errorf("%q: %v", text, err)
		}
	}
	if _, err := orderedBy("/dev/zero"); fault.CodeOf(err) != "monitor_ordered_unreadable" {
		t.Error(err)
	}
}
