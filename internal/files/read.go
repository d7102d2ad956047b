// Package files reads and writes what operators keep on disk: configs, keys, state, folders of a backup.
// Whatever is read is a plain file with a bound, whatever is written appears whole or not at all.
//
// Its faults name the path and what helps, and never what stands in a file. Callers put them under a fault
// of their own, which says what the file was for.
package files

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"runtime"
	"syscall"

	"github.com/menshen-project/menshen/internal/fault"
)

// MaxSmall bounds a config, key, token or state file in bytes.
const MaxSmall = 1 << 20

var (
	errAbsent       = fault.New(fault.NotFound, "file_absent", "没有这个文件：看看路径有没有写错。", "There is no such file; see whether the path is right.")
	errNotPermitted = fault.New(fault.Invalid, "file_not_permitted", "没有权限读这个文件：用它的主人运行，或者改权限（ls -l 看一看）。", "This file may not be read: run as its owner, or change its permissions (see ls -l).")
	errNotPlain     = fault.New(fault.Invalid, "file_not_plain", "这不是普通文件：文件夹、管道和设备都不读，请先存成文件。", "This is no plain file: folders, pipes and devices are not read; save it as a file first.")
	errNotFolder    = fault.New(fault.Invalid, "file_not_folder", "这不是文件夹。", "This is no folder.")
	errTooLong      = fault.New(fault.TooLarge, "file_too_long", "这个文件太大，不是这里要的那一种。", "The file is larger than any of its kind may be; it is another one.")
	errNotRead      = fault.New(fault.Unavailable, "file_not_read", "这个文件读不完：看看磁盘。", "The file cannot be read to its end; see to the disk.")
	errKeyShared    = fault.New(fault.Invalid, "key_file_shared", "这台机器上的任何人都能读或改这个密钥文件：先 chmod o-rwx，再想想有没有人读过它。",
		"Anybody on this machine can read or write this key file: chmod o-rwx, then consider who may have read it.")
)

// Open opens a plain file for reading. A pipe, which could wait for ever, and a device, which need not end,
// are refused, also when they take the file's place at the last moment.
// Faults: file_absent, file_not_permitted, file_not_plain, file_not_read.
func Open(path string) (*os.File, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, why(err).At(path)
	}
	if !info.Mode().IsRegular() {
		return nil, errNotPlain.At(path)
	}
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, why(err).At(path)
	}
	if info, err = f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, errors.Join(errNotPlain.At(path).Because(err), f.Close())
	}
	return f, nil
}

// Read reads a plain file whole and refuses more than max bytes, whatever length the file claims to have.
// Faults: those of Open, file_too_long.
func Read(path string, max int64) ([]byte, error) {
	f, err := Open(path)
	if err != nil {
		return nil, err
	}
	return readAll(f, path, max)
}

func readAll(f *os.File, path string, max int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(f, max+1))
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, errNotRead.At(path).Because(err)
	}
	if int64(len(data)) > max {
		return nil, errTooLong.At(path)
	}
	return data, nil
}

// ReadKey reads a file that holds a private or secret key, and refuses one that others than its owner and
// group can read or write. A group may: containers hand keys to a group (decision 52).
// Faults: those of Read, key_file_shared.
func ReadKey(path string) ([]byte, error) {
	f, err := Open(path)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, errors.Join(errNotRead.At(path).Because(err), f.Close())
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o007 != 0 { // there the bits say nothing
		return nil, errors.Join(errKeyShared.At(path), f.Close())
	}
	return readAll(f, path, MaxSmall)
}

// Folder says whether there is a folder. Faults: file_absent, file_not_permitted, file_not_folder, file_not_read.
func Folder(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return why(err).At(path)
	}
	if !info.IsDir() {
		return errNotFolder.At(path)
	}
	return nil
}

// why tells a system's error to people.
func why(err error) *fault.Fault {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return errAbsent.Because(err)
	case errors.Is(err, fs.ErrPermission):
		return errNotPermitted.Because(err)
	}
	return errNotRead.Because(err)
}
