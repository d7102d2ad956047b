package files_test

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/files"
)

func write(t *testing.T, path, text string, mode os.FileMode) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil { // whatever the umask is
		t.Fatal(err)
	}
	return path
}

// What is no plain file, or a longer one, is refused by its path before anything waits or fills the memory.
func TestOnlyPlainFilesWithinTheirBoundAreRead(t *testing.T) {
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink(pipe, link); err != nil {
		t.Fatal(err)
	}
	loop := filepath.Join(dir, "loop")
	if err := os.Symlink(loop, loop); err != nil {
		t.Fatal(err)
	}
	fits, over := write(t, filepath.Join(dir, "fits"), "12345678", 0o600), write(t, filepath.Join(dir, "over"), "123456789", 0o600)
	for _, r := range []struct{ path, code string }{
		{fits, ""}, {over, "file_too_long"}, {filepath.Join(dir, "none"), "file_absent"}, {"", "file_absent"},
		{dir, "file_not_plain"}, {pipe, "file_not_plain"}, {link, "file_not_plain"}, {"/dev/zero", "file_not_plain"},
		{loop, "file_not_read"}, {filepath.Join(fits, "below"), "file_not_read"}, {"a\x00b", "file_not_read"},
	} {
		data, err := files.Read(r.path, 8)
		if fault.CodeOf(err) != r.code {
			t.Errorf("%q: %v, want %q", r.path, err, r.code)
		}
		if err != nil && (fault.Of(err).Where != r.path || data != nil) {
			t.Errorf("%q: told as %q, with %d bytes", r.path, fault.Of(err).Where, len(data))
		}
	}
	if _, err := files.Read(filepath.Join(dir, "none"), 8); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("callers cannot tell that it is absent: %v", err)
	}
}

// /proc's files say that they are empty, and are not.
func TestTheBoundCountsBytesNotTheLengthClaimed(t *testing.T) {
	const claims = "/proc/self/status"
	if info, err := os.Stat(claims); err != nil || info.Size() != 0 {
		t.Fatalf("%v: this test needs a file that lies about its length", err)
	}
	if _, err := files.Read(claims, 10); fault.CodeOf(err) != "file_too_long" {
		t.Error(err)
	}
}

// A key that anybody on the machine can read is not taken; one that a container hands to a group is.
func TestAKeyIsForItsOwnerAndGroup(t *testing.T) {
	dir := t.TempDir()
	for mode, code := range map[os.FileMode]string{
		0o600: "", 0o400: "", 0o640: "", 0o440: "",
		0o644: "key_file_shared", 0o602: "key_file_shared", 0o444: "key_file_shared", 0o777: "key_file_shared",
	} {
		path := write(t, filepath.Join(dir, mode.String()), "secret", mode)
		data, err := files.ReadKey(path)
		if fault.CodeOf(err) != code {
			t.Errorf("%v: %v, want %q", mode, err, code)
		}
		if code == "" && string(data) != "secret" {
			t.Errorf("%v: read %q", mode, data)
		}
	}
	if _, err := files.ReadKey(dir); fault.CodeOf(err) != "file_not_plain" {
		t.Error(err)
	}
	if _, err := files.ReadKey(write(t, filepath.Join(dir, "huge"), strings.Repeat("x", files.MaxSmall+1), 0o600)); fault.CodeOf(err) != "file_too_long" {
		t.Error(err)
	}
}

var errDisk = errors.New("the disk is full")

// What was not written to its end is not there, under no name at all.
func TestWhatIsWrittenAppearsWholeOrNotAtAll(t *testing.T) {
	dir := t.TempDir()
	folder, file := filepath.Join(dir, "folder"), filepath.Join(dir, "file")
	half := func(work string) error {
		write(t, filepath.Join(work, "first"), "1", 0o600)
		return errDisk
	}
	if err := files.NewFolder(folder, half); !errors.Is(err, errDisk) {
		t.Error(err)
	}
	halfFile := func(w io.Writer) error {
		_, err := io.WriteString(w, "1")
		return errors.Join(err, errDisk)
	}
	if err := files.NewFile(file, halfFile); !errors.Is(err, errDisk) || fault.CodeOf(err) != "path_not_written" {
		t.Error(err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Fatalf("left behind: %v, %v", left, err)
	}
	err := errors.Join(
		files.NewFolder(folder, func(work string) error { write(t, filepath.Join(work, "first"), "1", 0o600); return nil }),
		files.NewFile(file, func(w io.Writer) error { _, err := io.WriteString(w, "2"); return err }),
		files.Replace(file, []byte("3")),
		files.Copy(file, filepath.Join(folder, "copy")))
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{filepath.Join(folder, "first"): "1", file: "3", filepath.Join(folder, "copy"): "3"} {
		if got, err := os.ReadFile(path); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v", path, got, err)
		}
	}
	for path, want := range map[string]os.FileMode{folder: 0o700, file: 0o600, filepath.Join(folder, "copy"): 0o600} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 2 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestNothingIsWrittenOver(t *testing.T) {
	dir := t.TempDir()
	taken := write(t, filepath.Join(dir, "taken"), "kept", 0o600)
	never := func(string) error { t.Error("was asked to fill"); return nil }
	neverFile := func(io.Writer) error { t.Error("was asked to fill"); return nil }
	for what, err := range map[string]error{
		"folder": files.NewFolder(taken, never), "file": files.NewFile(taken, neverFile), "copy": files.Copy(taken, taken),
	} {
		if fault.CodeOf(err) != "path_taken" {
			t.Errorf("%s: %v", what, err)
		}
	}
	nowhere := filepath.Join(dir, "none", "x")
	for what, err := range map[string]error{
		"folder": files.NewFolder(nowhere, never), "file": files.NewFile(nowhere, neverFile), "copy": files.Copy(taken, nowhere),
		"replace": files.Replace(nowhere, nil), "below a file": files.NewFolder(filepath.Join(taken, "x"), never),
	} {
		if fault.CodeOf(err) != "path_not_made" {
			t.Errorf("%s: %v", what, err)
		}
	}
	if data, err := os.ReadFile(taken); err != nil || !bytes.Equal(data, []byte("kept")) {
		t.Errorf("%q, %v", data, err)
	}
}
