package cifar

import (
	"bufio"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"oneshot/data/source"
)

// openFile opens a file of the set and returns its size.
func (f *found) openFile(path string) (*os.File, int64, error) {
	file, size, err := source.OpenFile(path)
	var e *source.FileError
	if errors.Is(err, fs.ErrNotExist) && errors.As(err, &e) {
		e.Hint = "the folder is incomplete; " + f.ver.obtain()
	}
	return file, size, err
}

// readBinary checks a file of the binary version and keeps its labels. want is the
// number of records, or 0 for any.
func (f *found) readBinary(file *os.File, size int64, want int, b *batch) error {
	rec := int64(f.layout.record())
	damaged := "the file is damaged or not of the binary version; " + f.ver.obtain()
	if official := int64(want) * rec; want > 0 && size != official {
		return source.Wrong(b.path, min(size, official), damaged, nil, "size is %d bytes, want %d bytes (%d records of %d)", size, official, want, rec)
	}
	if size%rec != 0 || size == 0 {
		return source.Wrong(b.path, size-size%rec, damaged, nil, "size is %d bytes, want a multiple of %d", size, rec)
	}
	labels, err := f.layout.scan(bufio.NewReaderSize(io.NewSectionReader(file, 0, size), 1<<18), b.path, size/rec, f.ver.obtain())
	if err != nil {
		return err
	}
	b.labels, b.file, b.offset, b.stride = labels, file, int64(b.per), rec
	return nil
}

// scan reads n records from r and returns the labels of all of them.
func (l *layout) scan(r *bufio.Reader, path string, n int64, obtain string) ([]byte, error) {
	labels := make([]byte, n*int64(len(l.labels)))
	at := int64(0)
	for i := range n {
		of := labels[i*int64(len(l.labels)):][:len(l.labels)]
		if _, err := io.ReadFull(r, of); err != nil {
			return nil, source.Wrong(path, at, "", err, "file cannot be read")
		}
		for k, y := range of {
			if int(y) >= l.labels[k].limit {
				return nil, l.outOfRange(path, at+int64(k), k, int64(y), i, obtain)
			}
		}
		if _, err := r.Discard(planes); err != nil {
			return nil, source.Wrong(path, at, "", err, "file cannot be read")
		}
		at += int64(l.record())
	}
	return labels, nil
}

// outOfRange is the error for label k of a record.
func (l *layout) outOfRange(path string, at int64, k int, got, record int64, obtain string) error {
	return source.Wrong(path, at, obtain, nil, "%s is %d, want 0 to %d: record %d is damaged", l.labels[k].name, got, l.labels[k].limit-1, record)
}

// maxNames is the most that is read of a file of class names.
const maxNames = 1 << 16

// classes returns the names of the classes as the files give them, or nil where they do not.
func (f *found) classes() (classes, notes []string, err error) {
	path := filepath.Join(f.dir, f.ver.meta)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	file, size, err := f.openFile(path)
	if err != nil {
		return nil, nil, err
	}
	defer file.Close()
	if size > maxNames {
		return nil, nil, source.Wrong(path, maxNames, "", nil, "size is %d bytes, want at most %d", size, maxNames)
	}
	raw := make([]byte, size)
	if _, err := io.ReadFull(file, raw); err != nil {
		return nil, nil, source.Wrong(path, 0, "", err, "file cannot be read")
	}
	names, err := f.names(path, raw)
	if err != nil {
		return nil, nil, err
	}
	if want := len(f.layout.Classes); len(names) != want {
		return nil, nil, source.Wrong(path, 0, "", nil, "file names %d classes, want %d", len(names), want)
	}
	return source.ClassNames(path, names)
}

// names reads the class names: lines in the binary version, a pickled list in the other.
func (f *found) names(path string, raw []byte) ([]string, error) {
	if f.python() {
		return f.pickledNames(path, raw)
	}
	return source.ClassLines(string(raw)), nil
}
