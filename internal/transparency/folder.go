package transparency

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"syscall"

	"github.com/menshen-project/menshen/internal/fault"
)

const lockName = ".menshen-lock"

var (
	errFolder = fault.New(fault.Unavailable, "log_folder", "日志或见证的文件夹不能使用。", "The log's or witness's folder cannot be used.")
	errLocked = fault.New(fault.Conflict, "log_folder_in_use", "已有另一个程序在用这个文件夹。", "Another process uses this folder.")
)

// lockFolder makes the folder and takes it for this process, so that no two servers sequence one
// log or answer for one witness. The kernel lets go of it when the process dies.
func lockFolder(dir string) (unlock func() error, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, errFolder.Because(err)
	}
	f, err := os.OpenFile(filepath.Join(dir, lockName), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, errFolder.Because(err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(errLocked.Because(err), f.Close())
	}
	return f.Close, nil
}

// replaceFile writes a file so that after a crash it holds the old bytes or the new ones, and after
// a return without error the new ones.
func replaceFile(name string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(name), ".new-*")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return syncFolder(filepath.Dir(name))
}

func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// temporary are the names that Tessera's posix storage writes before it renames: a final name with
// a random number behind it. Final names in tile folders are three digits, or 1 to 255 below ".p".
var temporary = []*regexp.Regexp{
	regexp.MustCompile(`^checkpoint\d+$`),
	regexp.MustCompile(`^\.state/(treeState|gcState|version)\d+$`),
	regexp.MustCompile(`^tile/.*/\d{4,}$`),
	regexp.MustCompile(`^tile/[^/]+/\d{4,}$`),
	regexp.MustCompile(`^\.new-\d+$`),
}

// sweep removes what a crash left half-written. Nothing else may run on the folder meanwhile.
func sweep(dir string) error {
	root := os.DirFS(dir)
	return fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		for _, pattern := range temporary {
			if pattern.MatchString(name) {
				return os.Remove(filepath.Join(dir, name))
			}
		}
		return nil
	})
}

func sweepFolder(dir string) error {
	err := sweep(dir)
	if err == nil {
		err = sweepCollected(dir)
	}
	if err != nil {
		return errFolder.Because(fmt.Errorf("sweep: %w", err))
	}
	return nil
}

// sweepCollected removes a damaged note of how far Tessera has collected old partial tiles; it begins anew then.
func sweepCollected(dir string) error {
	data, err := os.ReadFile(filepath.Join(dir, gcStateName))
	if err != nil || json.Valid(data) {
		return nil
	}
	return os.Remove(filepath.Join(dir, gcStateName))
}
