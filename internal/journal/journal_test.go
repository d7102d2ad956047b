package journal

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/menshen-project/menshen/internal/fault"
)

const (
	header = "menshen-test-journal-v1"
	plenty = 1 << 20
)

// kept writes a journal of three changes and gives its bytes.
func kept(t *testing.T, dir string) []byte {
	t.Helper()
	j, changes, err := Open(dir, header, plenty)
	if err != nil || len(changes) != 0 {
		t.Fatalf("%d changes, %v", len(changes), err)
	}
	for _, c := range []string{`{"a":1}`, `{"b":2}`, `{"c":3}`} {
		if err := j.Append([]byte(c)); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(dir, Name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func reopen(t *testing.T, dir string) ([][]byte, error) {
	t.Helper()
	j, changes, err := Open(dir, header, plenty)
	if err == nil {
		t.Cleanup(func() { j.Close() })
	}
	return changes, err
}

func TestAJournalIsReadAsItWasWritten(t *testing.T) {
	dir := t.TempDir()
	kept(t, dir)
	changes, err := reopen(t, dir)
	if err != nil || len(changes) != 3 || string(changes[2]) != `{"c":3}` {
		t.Errorf("%q, %v", changes, err)
	}
}

// Power can go at any byte of the last line: what was answered before is there, and writing goes on.
func TestATornLastLineIsCutOff(t *testing.T) {
	whole := kept(t, t.TempDir())
	last := bytes.LastIndexByte(whole[:len(whole)-1], '\n') + 1
	for cut := last; cut < len(whole); cut++ {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, Name), whole[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		j, changes, err := Open(dir, header, plenty)
		if err != nil || len(changes) != 2 {
			t.Fatalf("cut at %d: %d changes, %v", cut, len(changes), err)
		}
		if err := j.Append([]byte(`{"d":4}`)); err != nil {
			t.Fatal(err)
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		if changes, err = reopen(t, dir); err != nil || len(changes) != 3 || string(changes[2]) != `{"d":4}` {
			t.Fatalf("cut at %d, then written: %q, %v", cut, changes, err)
		}
	}
}

func TestATornHeaderIsAnEmptyJournal(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, Name), []byte((header + "\n")[:5]), 0o600); err != nil {
		t.Fatal(err)
	}
	if changes, err := reopen(t, dir); err != nil || len(changes) != 0 {
		t.Errorf("%q, %v", changes, err)
	}
}

func TestADamagedJournalIsNotGoneOnFrom(t *testing.T) {
	whole := string(kept(t, t.TempDir()))
	lines := strings.SplitAfter(whole, "\n")
	for name, data := range map[string]string{
		"header":          "menshen-test-journal-v2\n" + strings.Join(lines[1:], ""),
		"no header":       strings.Join(lines[1:], ""),
		"a changed byte":  strings.Replace(whole, `"b":2`, `"b":3`, 1),
		"the last line":   strings.Replace(whole, `"c":3`, `"c":4`, 1),
		"a dropped line":  lines[0] + lines[1] + lines[3],
		"moved lines":     lines[0] + lines[2] + lines[1] + lines[3],
		"a line twice":    whole + lines[3],
		"no hash":         whole + `{"d":4}` + "\n",
		"an empty line":   whole + "\n",
		"a foreign chain": whole + next("", []byte("{}")) + " {}\n",
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, Name), []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
		if changes, err := reopen(t, dir); fault.CodeOf(err) != "journal_damaged" || changes != nil {
			t.Errorf("%s: %q, %v", name, changes, err)
		}
	}
}

func TestOneFolderServesOneHost(t *testing.T) {
	dir := t.TempDir()
	if _, err := reopen(t, dir); err != nil {
		t.Fatal(err)
	}
	if _, err := reopen(t, dir); fault.CodeOf(err) != "journal_in_use" {
		t.Errorf("a second host: %v", err)
	}
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := reopen(t, filepath.Join(file, "below")); fault.CodeOf(err) != "journal_folder" {
		t.Errorf("no folder: %v", err)
	}
	if err := os.Mkdir(filepath.Join(dir, "other"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "other", Name), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := reopen(t, filepath.Join(dir, "other")); fault.CodeOf(err) != "journal_folder" {
		t.Errorf("no file: %v", err)
	}
}

func TestAJournalIsBounded(t *testing.T) {
	dir := t.TempDir()
	j, _, err := Open(dir, header, 200)
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Append([]byte(`{"a":1}`)); err != nil {
		t.Fatal(err)
	}
	if err := j.Append(bytes.Repeat([]byte("x"), 200)); fault.CodeOf(err) != "journal_full" {
		t.Errorf("over the bound: %v", err)
	}
	if err := j.Append([]byte(`{"b":2}`)); err != nil {
		t.Errorf("what still fits: %v", err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Open(dir, header, 100); fault.CodeOf(err) != "journal_full" {
		t.Errorf("opened over its bound: %v", err)
	}
}

func TestAfterAFailedWriteNothingIsTaken(t *testing.T) {
	j, _, err := Open(t.TempDir(), header, plenty)
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Append([]byte("two\nlines")); fault.CodeOf(err) != "journal_failed" || j.failed {
		t.Errorf("two lines: %v", err)
	}
	if err := j.file.Close(); err != nil { // the disk goes away
		t.Fatal(err)
	}
	for range 2 {
		if err := j.Append([]byte("{}")); fault.CodeOf(err) != "journal_failed" || !j.failed {
			t.Errorf("%v", err)
		}
	}
}

// tiny mounts a disk of its own, of that many bytes.
func tiny(t *testing.T, size int) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("menshen-test", dir, "tmpfs", 0, fmt.Sprintf("size=%d", size)); err != nil {
		t.Fatalf("a disk of its own cannot be mounted: %v; run the tests as root or under unshare -Urm", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// A full disk takes half a line. What was answered before is there, the half is not, and with room it goes on without
// a restart; a restart reads the same.
func TestAFullDiskLosesNothingAndIsGoneOnFrom(t *testing.T) {
	disk := tiny(t, 64<<10)
	j, _, err := Open(filepath.Join(disk, "service"), header, plenty)
	if err != nil {
		t.Fatal(err)
	}
	filler := filepath.Join(disk, "filler")
	if err := os.WriteFile(filler, make([]byte, 32<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	kept := 0
	line := func() []byte { return fmt.Appendf(nil, `{"n":%d,"x":"%s"}`, kept, strings.Repeat("x", 3000)) }
	for err == nil {
		if err = j.Append(line()); err == nil {
			kept++
		}
	}
	if fault.CodeOf(err) != "journal_failed" || kept == 0 {
		t.Fatalf("after %d changes: %v", kept, err)
	}
	if err := j.Append(line()); fault.CodeOf(err) != "journal_failed" {
		t.Fatalf("while the disk is full: %v", err)
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	if err := j.Append(line()); err != nil {
		t.Fatalf("with room: %v", err)
	}
	kept++
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	changes, err := reopen(t, filepath.Join(disk, "service"))
	if err != nil || len(changes) != kept {
		t.Fatalf("%d of %d changes, %v", len(changes), kept, err)
	}
	for i, c := range changes {
		if !strings.HasPrefix(string(c), fmt.Sprintf(`{"n":%d,`, i)) {
			t.Errorf("change %d is %.20s", i, c)
		}
	}
}

// A folder that can only be read is refused by its name, and read again when it can be written.
func TestAFolderThatCanOnlyBeRead(t *testing.T) {
	disk := tiny(t, 64<<10)
	kept(t, disk)
	remount := func(flags uintptr) {
		t.Helper()
		if err := syscall.Mount("menshen-test", disk, "", syscall.MS_REMOUNT|flags, ""); err != nil {
			t.Fatal(err)
		}
	}
	remount(syscall.MS_RDONLY)
	if _, err := reopen(t, disk); fault.CodeOf(err) != "journal_folder" {
		t.Errorf("%v", err)
	}
	remount(0)
	if changes, err := reopen(t, disk); err != nil || len(changes) != 3 {
		t.Errorf("%d changes, %v", len(changes), err)
	}
}

// Each change is told as it is read, with its line; one that does not fit, or that cannot be told, ends the reading, and
// the folder is free again.
func TestAJournalIsToldLineByLine(t *testing.T) {
	dir := t.TempDir()
	data := kept(t, dir)
	var told []string
	tell := func(line int, change []byte) error {
		told = append(told, fmt.Sprintf("%d %s", line, change))
		return nil
	}
	j, err := OpenEach(dir, header, plenty, tell)
	if want := []string{`2 {"a":1}`, `3 {"b":2}`, `4 {"c":3}`}; err != nil || !slices.Equal(told, want) {
		t.Fatalf("%q, %v", told, err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	bad := fault.New(fault.Invalid, "not_understood", "看不懂。", "Not understood.")
	_, err = OpenEach(dir, header, plenty, func(line int, _ []byte) error {
		if line == 3 {
			return bad
		}
		return nil
	})
	if fault.CodeOf(err) != "not_understood" {
		t.Errorf("a change that cannot be told: %v", err)
	}
	if after, err := os.ReadFile(filepath.Join(dir, Name)); err != nil || string(after) != string(data) {
		t.Errorf("what could not be told was touched: %v", err)
	}
	told = nil
	torn := append(slices.Clone(data), []byte(strings.Repeat("0", 64)+` {"d"`)...)
	if err := os.WriteFile(filepath.Join(dir, Name), torn, 0o600); err != nil {
		t.Fatal(err)
	}
	j, err = OpenEach(dir, header, plenty, tell)
	if err != nil || len(told) != 3 || j.Size() != int64(len(data)) {
		t.Fatalf("a torn last line: %q, %v", told, err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	told = nil
	damaged := strings.Replace(string(data), `{"c":3}`, `{"c":4}`, 1)
	if err := os.WriteFile(filepath.Join(dir, Name), []byte(damaged), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenEach(dir, header, plenty, tell); fault.CodeOf(err) != "journal_damaged" || len(told) != 2 {
		t.Errorf("a damaged last line: told %q, %v", told, err)
	}
}
