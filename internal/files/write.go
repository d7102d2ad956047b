package files

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/menshen-project/menshen/internal/fault"
)

var (
	errThere    = fault.New(fault.Invalid, "path_taken", "这个名字已经有了，不会覆盖：换一个新的名字。", "Something of this name is there, and nothing is written over: give a new name.")
	errNotMade  = fault.New(fault.Unavailable, "path_not_made", "这里建不了：看看上一级文件夹在不在、有没有权限、磁盘满不满。", "This cannot be made: see whether the folder above is there and may be written, and whether the disk is full.")
	errNotWhole = fault.New(fault.Unavailable, "path_not_written", "没有写完，写了一半的已经清掉：看看磁盘。", "It was not written to its end, and what there was is removed: see to the disk.")
)

// NewFolder has fill write a folder beside dir and gives it its name when it is whole. When fill fails nothing
// is left; after a crash what is left is called dir.part-… and can be deleted.
// Faults: path_taken, path_not_made, path_not_written, those of fill.
func NewFolder(dir string, fill func(work string) error) error {
	if err := vacant(dir); err != nil {
		return err
	}
	work, err := os.MkdirTemp(filepath.Dir(dir), filepath.Base(dir)+".part-") // 0700
	if err != nil {
		return errNotMade.At(dir).Because(err)
	}
	if err := fill(work); err != nil {
		return errors.Join(err, os.RemoveAll(work))
	}
	if err := named(work, dir); err != nil {
		return errors.Join(err, os.RemoveAll(work))
	}
	return nil
}

// NewFile has fill write a file beside path, for its owner alone, and gives it its name when it is whole and
// on the disk. Faults: as NewFolder.
func NewFile(path string, fill func(io.Writer) error) error {
	if err := vacant(path); err != nil {
		return err
	}
	return whole(path, fill)
}

// Replace writes a file in the place of another: whoever reads it has the old one or the new one.
// Faults: path_not_made, path_not_written.
func Replace(path string, data []byte) error {
	return whole(path, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

func whole(path string, fill func(io.Writer) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".part-") // 0600
	if err != nil {
		return errNotMade.At(path).Because(err)
	}
	err = fill(f)
	var told *fault.Fault
	if err != nil && !errors.As(err, &told) {
		err = errNotWhole.At(path).Because(err)
	}
	if end := errors.Join(f.Sync(), f.Close()); err == nil && end != nil {
		err = errNotWhole.At(path).Because(end)
	}
	if err == nil {
		err = named(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// named gives what was written its name, also for whoever looks after a power cut.
func named(work, path string) error {
	if err := os.Rename(work, path); err != nil {
		return errNotWhole.At(path).Because(err)
	}
	above, err := os.Open(filepath.Dir(path))
	if err != nil {
		return nil // it may be written and not listed; then the system decides when
	}
	defer above.Close()
	_ = above.Sync() // not every file system can
	return nil
}

func vacant(path string) error {
	switch _, err := os.Lstat(path); {
	case err == nil:
		return errThere.At(path)
	case !errors.Is(err, fs.ErrNotExist):
		return errNotMade.At(path).Because(err)
	}
	return nil
}

// Copy copies a plain file to a new one that only its owner reads, a piece at a time.
// Faults: those of Open, path_taken, path_not_made, path_not_written.
func Copy(from, to string) error {
	in, err := Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return errThere.At(to)
	}
	if err != nil {
		return errNotMade.At(to).Because(err)
	}
	_, err = io.Copy(out, in)
	if err := errors.Join(err, out.Sync(), out.Close()); err != nil {
		return errNotWhole.At(to).Because(err)
	}
	return nil
}
