package cifar

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"oneshot/data/source"
)

// found is where a set lies, and as what.
type found struct {
	layout layout
	ver    *version // layout.binary or layout.python
	dir    string
}

func (f *found) python() bool { return f.ver.title == f.layout.python.title }

// Detect says whether path is a folder with CIFAR-10 or CIFAR-100, the parent of one,
// or one of its files. It returns what it found, "CIFAR-10, binary version", or "".
func Detect(path string) string {
	for _, l := range layouts() {
		if f, ok := look(l, path); ok {
			return l.Title + ", " + f.ver.title
		}
	}
	return ""
}

// look searches path for one set, the binary version first.
func look(l layout, path string) (found, bool) {
	for _, v := range []*version{&l.binary, &l.python} {
		dirs := []string{path, filepath.Join(path, v.folder)}
		if slices.Contains(v.files(), filepath.Base(path)) && regular(path) {
			dirs = []string{filepath.Dir(path)}
		}
		for _, dir := range dirs {
			if f := (found{l, v, dir}); f.here() {
				return f, true
			}
		}
	}
	return found{}, false
}

// here tells whether the first file is in the folder. "train" is what many a file could
// be called, so that one must be in the official folder, or beside the other files of the set.
func (f *found) here() bool {
	name := f.ver.train[0]
	if !regular(filepath.Join(f.dir, name)) {
		return false
	}
	if name != "train" || filepath.Base(f.dir) == f.ver.folder {
		return true
	}
	return regular(filepath.Join(f.dir, f.ver.test[0])) && regular(filepath.Join(f.dir, f.ver.meta))
}

func regular(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// find returns where the set of the given format is, or any set for "". Where there is
// none it says what is there instead and how to get the files.
func find(path, format string) (found, error) {
	var wanted []layout
	for _, l := range layouts() {
		if format == "" || format == l.Format {
			wanted = append(wanted, l)
		}
	}
	if len(wanted) == 0 {
		return found{}, errors.New("data: cifar: unknown format " + format)
	}
	for _, l := range wanted {
		if f, ok := look(l, path); ok {
			return f, nil
		}
	}
	return found{}, missing(wanted[0], path)
}

// missing explains why path holds no set.
func missing(l layout, path string) error {
	first := filepath.Join(path, l.binary.train[0])
	for _, v := range []*version{&l.binary, &l.python} {
		if packed := path; filepath.Base(path) == v.archive && regular(packed) {
			return source.Wrong(packed, 0, "unpack it: tar xzf "+packed, nil, "file is the packed archive, want the unpacked folder %s", v.folder)
		}
		if packed := filepath.Join(path, v.archive); regular(packed) {
			return source.Wrong(packed, 0, "unpack it: tar xzf "+packed+" -C "+path, nil, "file is the packed archive, want the unpacked folder %s", v.folder)
		}
		// One of the other files is here: the folder is right, the first file is gone.
		for _, dir := range []string{path, filepath.Join(path, v.folder)} {
			for _, name := range v.files() {
				if name != "test" && regular(filepath.Join(dir, name)) {
					return source.Wrong(filepath.Join(dir, v.train[0]), 0, "the folder is incomplete; "+v.obtain(), fs.ErrNotExist, "file is missing")
				}
			}
		}
	}
	if _, err := os.ReadDir(path); err != nil {
		return source.Wrong(path, 0, "", err, "no folder to read")
	}
	return source.Wrong(first, 0, l.binary.obtain(), fs.ErrNotExist, "file is missing")
}
