package atomicfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// MakeDirs makes a folder and those above it that are missing, each with a name that lasts.
func MakeDirs(fsys FS, path string) error {
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir():
		return nil
	case err == nil:
		return &fs.PathError{Op: "mkdir", Path: path, Err: fs.ErrExist}
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	up := filepath.Dir(path)
	if up != path {
		if err := MakeDirs(fsys, up); err != nil {
			return err
		}
	}
	if err := fsys.Mkdir(path, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return fsys.SyncDir(up)
}

// CopyTree makes a durable copy of a folder with its files; links are copied as what they lead to.
// The name of the copy itself is not durable, see FS.SyncDir. to must not exist.
func CopyTree(fsys FS, from, to string) error {
	entries, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	if err := fsys.Mkdir(to, 0o755); err != nil {
		return err
	}
	for _, e := range entries {
		src, dst := filepath.Join(from, e.Name()), filepath.Join(to, e.Name())
		info, err := os.Stat(src)
		if err != nil {
			return err
		}
		if info.IsDir() {
			err = CopyTree(fsys, src, dst)
		} else {
			err = copyFile(fsys, src, dst)
		}
		if err != nil {
			return err
		}
	}
	return fsys.SyncDir(to)
}

func copyFile(fsys FS, from, to string) error {
	f, _, err := OpenRegular(from)
	if err != nil {
		return err
	}
	defer f.Close()
	return CreateSynced(fsys, to, 0o644, func(w io.Writer) error {
		if _, err := io.Copy(w, f); err != nil {
			return fmt.Errorf("copy %s: %w", from, err)
		}
		return nil
	})
}

// RemoveTree removes path and all below it through fsys; what is missing is no
// error. Symbolic links are removed, not followed.
func RemoveTree(fsys FS, path string) error {
	info, err := os.Lstat(path)
	if err != nil {
		return ignoreMissing(err)
	}
	if info.IsDir() {
		entries, err := os.ReadDir(path)
		if err != nil {
			return err
		}
		for _, e := range entries {
			if err := RemoveTree(fsys, filepath.Join(path, e.Name())); err != nil {
				return err
			}
		}
	}
	return ignoreMissing(fsys.Remove(path))
}
