package pipeline

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"oneshot/internal/atomicfile"
)

// killTwins are programs that break one promise about the order of changes; a sweep of kills, of which
// number, must find them. All work as long as nothing happens.
var killTwins = map[string]struct {
	of int
	fs func(atomicfile.FS) atomicfile.FS
}{
	"written in place":         {0, func(f atomicfile.FS) atomicfile.FS { return inPlace{f} }},
	"replaced removed at once": {1, func(f atomicfile.FS) atomicfile.FS { return noReplaced{f} }},
	"no copy of what goes on":  {2, func(f atomicfile.FS) atomicfile.FS { return noCopy{f} }},
}

// inPlace writes over a file instead of renaming a new one to it.
type inPlace struct{ atomicfile.FS }

func (f inPlace) Rename(from, to string) error {
	if !strings.Contains(filepath.Base(from), ".tmp-") {
		return f.FS.Rename(from, to)
	}
	b, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := f.FS.Remove(to); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	w, err := f.FS.Create(to, 0o644)
	if err != nil {
		return err
	}
	_, err = w.Write(b)
	return errors.Join(err, w.Sync(), w.Close(), f.FS.Remove(from))
}

// noReplaced removes what it should keep.
type noReplaced struct{ atomicfile.FS }

func (f noReplaced) Rename(from, to string) error {
	if filepath.Base(filepath.Dir(to)) == replacedFolder && filepath.Base(filepath.Dir(from)) != replacedFolder {
		return atomicfile.RemoveTree(f.FS, from)
	}
	return f.FS.Rename(from, to)
}

// noCopy does not keep the copy of a training that goes on.
type noCopy struct{ atomicfile.FS }

func (f noCopy) Rename(from, to string) error {
	if filepath.Base(from) == ".copy" {
		return atomicfile.RemoveTree(f.FS, from)
	}
	return f.FS.Rename(from, to)
}

// deaf says that what was written is written, whatever the disk says.
type deaf struct{ atomicfile.FS }

func (f deaf) Create(path string, perm fs.FileMode) (atomicfile.File, error) {
	w, err := f.FS.Create(path, perm)
	if err != nil {
		return nil, err
	}
	return deafFile{w}, nil
}

type deafFile struct{ atomicfile.File }

func (w deafFile) Write(b []byte) (int, error) {
	w.File.Write(b)
	return len(b), nil
}

// untidy leaves its temporary files.
type untidy struct{ atomicfile.FS }

func (f untidy) Remove(path string) error {
	if strings.Contains(filepath.Base(path), ".tmp-") {
		return nil
	}
	return f.FS.Remove(path)
}

// unnamed never makes a name last.
type unnamed struct{ atomicfile.FS }

func (unnamed) SyncDir(string) error { return nil }

// unsynced never waits for what is written.
type unsynced struct{ atomicfile.FS }

func (f unsynced) Create(path string, perm fs.FileMode) (atomicfile.File, error) {
	w, err := f.FS.Create(path, perm)
	if err != nil {
		return nil, err
	}
	return quickFile{w}, nil
}

func (f unsynced) Append(path string, perm fs.FileMode) (atomicfile.Growing, error) {
	w, err := f.FS.Append(path, perm)
	if err != nil {
		return nil, err
	}
	return quickGrowing{w}, nil
}

// keeps removes no results that were replaced.
type keeps struct{ atomicfile.FS }

func (f keeps) Remove(path string) error {
	if strings.Contains(filepath.ToSlash(path), "/"+replacedFolder) {
		return nil
	}
	return f.FS.Remove(path)
}
