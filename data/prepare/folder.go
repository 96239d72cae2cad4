package prepare

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"oneshot/data/source"
	"oneshot/internal/atomicfile"
)

// unfinished ends the name of a file that is not to be read yet. A dot stands before the
// name too, so that it is hidden.
const unfinished = ".unfinished"

// folder is what is being written. Files have other names until all are whole.
type folder struct {
	fs    atomicfile.FS
	dir   string
	made  bool     // the folder was not there before
	files []string // base names, in the order of their making
	named int      // of files, how many have their own name
}

// apart refuses a folder inside the collection that is read, where its files would become
// part of it. Links are followed.
func apart(dir, collection string) error {
	read, err := os.Stat(collection)
	if err != nil {
		return nil // a pattern: there is no folder to be in
	}
	at, err := filepath.Abs(dir)
	if err != nil {
		return fmt.Errorf("prepare: %w", err)
	}
	for at != filepath.Dir(at) { // up to the first folder that is there
		if real, err := filepath.EvalSymlinks(at); err == nil {
			at = real
			break
		}
		at = filepath.Dir(at)
	}
	for ; ; at = filepath.Dir(at) {
		if there, err := os.Stat(at); err == nil && os.SameFile(there, read) {
			return &OutputError{Dir: dir, Msg: "lies inside the images that are read, " + source.Shown(collection),
				Hint: "name another folder, outside of it"}
		}
		if at == filepath.Dir(at) {
			return nil
		}
	}
}

// openFolder makes dir, or takes it where it is empty.
func openFolder(fsys atomicfile.FS, dir string) (*folder, error) {
	f := &folder{fs: fsys, dir: dir}
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		err := os.MkdirAll(filepath.Dir(dir), 0o777)
		if err == nil {
			err = fsys.Mkdir(dir, 0o777)
		}
		if err != nil {
			return nil, unwritable(dir, err)
		}
		f.made = true
	case err != nil:
		return nil, unwritable(dir, err)
	case len(entries) > 0:
		hint := "name another folder"
		for _, e := range entries {
			if filepath.Ext(e.Name()) == unfinished {
				hint = "it holds what an earlier run could not finish (hidden files *" + unfinished + "); name another folder"
			}
		}
		return nil, &OutputError{Dir: dir, Msg: "is not empty", Hint: hint}
	}
	return f, nil
}

// OutputError says why a folder is not written to.
type OutputError struct {
	Dir, Msg, Hint string
	Err            error // of the disk; nil where none is the reason
}

func (e *OutputError) Error() string { return "prepare: " + source.Shown(e.Dir) + ": " + e.Msg }
func (e *OutputError) Unwrap() error { return e.Err }

// unwritable is err as an OutputError where the folder may not be written to, or is none; else the disk's.
func unwritable(dir string, err error) error {
	for _, why := range []error{fs.ErrPermission, fs.ErrNotExist, syscall.EROFS, syscall.ENOTDIR, syscall.ELOOP, syscall.ENAMETOOLONG} {
		if errors.Is(err, why) {
			return &OutputError{Dir: dir, Msg: "cannot be written to: " + err.Error(), Hint: "name a folder that can be written to with --out", Err: err}
		}
	}
	return fmt.Errorf("prepare: %w", err)
}

func (f *folder) temporary(name string) string {
	return filepath.Join(f.dir, "."+name+unfinished)
}

// write writes a file of which nothing can be seen yet.
func (f *folder) write(name string, write func(io.Writer) error) error {
	if err := atomicfile.CreateNamed(f.fs, f.temporary(name), filepath.Join(f.dir, name), 0o666, write); err != nil {
		var out *OutputError
		if refused := unwritable(f.dir, err); errors.As(refused, &out) {
			return refused
		}
		return err
	}
	f.files = append(f.files, name)
	return nil
}

// finish gives the files their names, in order.
func (f *folder) finish() error {
	for _, name := range f.files {
		if err := f.fs.Rename(f.temporary(name), filepath.Join(f.dir, name)); err != nil {
			return fmt.Errorf("prepare: %w", err)
		}
		f.named++
	}
	if err := f.fs.SyncDir(f.dir); err != nil || !f.made {
		return err
	}
	return f.fs.SyncDir(filepath.Dir(f.dir))
}

// abandon removes what was written, and the folder where it is ours.
func (f *folder) abandon() error {
	var errs []error
	for i := len(f.files) - 1; i >= 0; i-- {
		path := f.temporary(f.files[i])
		if i < f.named {
			path = filepath.Join(f.dir, f.files[i])
		}
		errs = append(errs, f.fs.Remove(path))
	}
	if f.made {
		errs = append(errs, f.fs.Remove(f.dir))
	}
	return errors.Join(errs...)
}
