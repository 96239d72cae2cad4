package source

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// OpenFile opens a regular file for reading and returns its size in bytes. Its error is a *FileError;
// that of a missing file is fs.ErrNotExist.
func OpenFile(path string) (*os.File, int64, error) {
	// A pipe must not make this wait for a writer.
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, Wrong(path, 0, "", err, "file is missing")
	}
	if err != nil {
		return nil, 0, Wrong(path, 0, "", err, "file cannot be opened")
	}
	fi, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, 0, Wrong(path, 0, "", err, "file cannot be read")
	}
	if !fi.Mode().IsRegular() {
		f.Close()
		return nil, 0, Wrong(path, 0, "", nil, "file is not a regular file")
	}
	return f, fi.Size(), nil
}

// SameFile returns two positions of paths that are one file, by links or names; ok is false
// where there are none. Files that cannot be asked are passed over: reading them says more.
func SameFile(paths []string) (first, second int, ok bool) {
	type key struct{ size, time int64 }
	type file struct {
		at int
		fi os.FileInfo
	}
	seen := map[key][]file{}
	for i, p := range paths {
		fi, err := os.Stat(p)
		if err != nil {
			continue
		}
		k := key{fi.Size(), fi.ModTime().UnixNano()}
		for _, f := range seen[k] {
			if os.SameFile(f.fi, fi) {
				return f.at, i, true
			}
		}
		seen[k] = append(seen[k], file{i, fi})
	}
	return 0, 0, false
}
