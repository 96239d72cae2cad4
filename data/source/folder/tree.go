package folder

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"oneshot/data/source"
	"oneshot/data/source/index"
)

// disk is a folder of the file system as a Tree.
type disk struct {
	root    string // as the user knows it
	real    string // without links
	b       *index.Builder
	stamped map[string]bool
}

func newDisk(root string, b *index.Builder) (*disk, error) {
	real, err := filepath.EvalSymlinks(root)
	if err != nil {
		return nil, missing(root, err)
	}
	fi, err := os.Stat(real)
	if err != nil {
		return nil, missing(root, err)
	}
	if !fi.IsDir() {
		return nil, &source.FileError{File: root, Msg: "is no folder", Hint: Wanted}
	}
	return &disk{root: root, real: real, b: b, stamped: map[string]bool{}}, nil
}

// missing is the error of a folder that cannot be opened.
func missing(root string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return &source.FileError{File: root, Msg: "does not exist", Err: err}
	}
	return &source.FileError{File: root, Msg: "cannot be read", Err: err}
}

// List implements Tree. It stamps each folder before it reads it.
func (d *disk) List(dir string) ([]Entry, error) {
	full := index.Join(d.real, dir)
	if !d.stamped[dir] {
		s, err := index.StampOf(d.real, dir)
		if err != nil {
			return nil, missing(d.Name(dir), err)
		}
		d.stamped[dir] = true
		d.b.Stamp(s)
	}
	entries, err := os.ReadDir(full)
	if err != nil {
		return nil, missing(d.Name(dir), err)
	}
	list := make([]Entry, 0, len(entries))
	for _, de := range entries {
		e := Entry{Name: de.Name(), Dir: de.IsDir()}
		switch t := de.Type(); {
		case e.Dir:
		case t&fs.ModeSymlink != 0:
			d.follow(full, &e)
		case t.IsRegular():
			fi, err := de.Info()
			if errors.Is(err, fs.ErrNotExist) {
				continue // removed since
			}
			if err != nil {
				return nil, missing(index.Join(d.root, path.Join(dir, e.Name)), err)
			}
			e.Size = fi.Size()
		default:
			e.Fault = "is no regular file"
		}
		list = append(list, e)
	}
	return list, nil
}

// Name implements Tree.
func (d *disk) Name(dir string) string { return index.Join(d.root, dir) }

// Add implements Tree.
func (d *disk) Add(split int, label int32, dir string, e Entry) {
	d.b.Add(split, label, index.Record{File: d.b.File(dir), Name: e.Name, Size: e.Size, Link: e.Link})
}

// Fault implements Tree.
func (d *disk) Fault(dir string, e Entry) { d.b.Fault(path.Join(dir, e.Name), "", 0, e.Fault) }

// follow finds out where the link e in the folder full leads.
func (d *disk) follow(full string, e *Entry) {
	real, err := filepath.EvalSymlinks(filepath.Join(full, e.Name))
	if err != nil {
		e.Fault = "is a link that leads nowhere"
		return
	}
	rel, ok := strings.CutPrefix(real, d.real)
	if d.real != string(filepath.Separator) && ok && rel != "" {
		rel, ok = strings.CutPrefix(rel, string(filepath.Separator))
	}
	if !ok {
		e.Fault = fmt.Sprintf("is a link out of the folder, to %s", shown(real))
		return
	}
	fi, err := os.Lstat(real)
	switch {
	case err != nil:
		e.Fault = "is a link that leads nowhere"
	case fi.IsDir():
		e.Dir = true
	case fi.Mode().IsRegular():
		e.Size = fi.Size()
	default:
		e.Fault = "is a link to what is no regular file"
	}
	e.Real = path.Clean(filepath.ToSlash(rel)) // "." for the root
}
