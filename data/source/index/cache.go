package index

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"oneshot/data/source"
	"oneshot/internal/atomicfile"
)

// Cache is the folder where lists are kept. The empty Cache keeps none.
type Cache string

// maxFile bounds what is read of an index file.
const maxFile = 4 << 30

// Open returns the listing that scan makes of the source at path, or the stored one where
// it is still true. root is what the listing's files are relative to: path, or the folder
// of the archive at path.
//
// That a list cannot be stored is a note of the listing, no error. Cache may not lie within
// the data: nothing is stored then.
func Open(c Cache, format, path, root string, scan func() (*Listing, error)) (*Listing, error) {
	l, file, err := open(c, format, path, root, scan)
	var twice *twiceError
	if errors.As(err, &twice) {
		twice.File = Join(root, twice.File)
		return nil, twice.FileError
	}
	if err != nil {
		return nil, err
	}
	l.path = file
	for _, f := range l.Info.Faults {
		f.File = source.Shown(Join(root, f.File))
	}
	return l, nil
}

// open is Open before paths are put together. file is where the listing is stored, or "".
func open(c Cache, format, path, root string, scan func() (*Listing, error)) (l *Listing, file string, err error) {
	if c == "" {
		l, err = scan()
		return l, "", err
	}
	real, err := atomicfile.RealPath(path)
	if err != nil {
		l, err = scan() // which says better what is wrong
		return l, "", err
	}
	file = filepath.Join(string(c), name(format, real))
	if l, ok := load(file, format, real, root); ok {
		return l, file, nil
	}
	began, clockErr := c.begin(real)
	l, err = scan()
	if err != nil {
		return nil, "", err
	}
	if clockErr != nil {
		l.Info.Notes = append(l.Info.Notes, fmt.Sprintf("the list of records is not kept: %v", clockErr))
		return l, "", nil
	}
	// What changes while it is listed, or has only just changed, is listed again next time.
	if !settled(l.Stamps, began) || !hold(root, l.Stamps) {
		return l, "", nil
	}
	err = atomicfile.Write(file, 0o644, func(w io.Writer) error { return encode(w, l, format, real) })
	if err != nil {
		l.Info.Notes = append(l.Info.Notes, fmt.Sprintf("the list of records is not kept: %v", err))
		return l, "", nil
	}
	return l, file, nil
}

// begin makes the cache folder ready and returns its file system's time. real is the
// source's path.
func (c Cache) begin(real string) (int64, error) {
	dir, err := atomicfile.RealPath(string(c))
	if err != nil {
		return 0, err
	}
	if within(real, dir) {
		return 0, fmt.Errorf("the cache folder %s lies within the data", c)
	}
	if err := atomicfile.MakeDirs(atomicfile.OS, dir); err != nil {
		return 0, err
	}
	return fileClock(dir)
}

// within says that path is root or lies below it. Both are absolute and clean.
func within(root, path string) bool {
	rest, ok := strings.CutPrefix(path, root)
	return ok && (rest == "" || rest[0] == filepath.Separator || strings.HasSuffix(root, string(filepath.Separator)))
}

// name is the index file of a source.
func name(format, real string) string {
	sum := sha256.Sum256([]byte(format + "\x00" + real))
	return format + "-" + hex.EncodeToString(sum[:8]) + ".index"
}

// load reads an index file. What is damaged, of another version or source, or no longer
// true is not ok.
func load(file, format, real, root string) (*Listing, bool) {
	b, err := atomicfile.ReadAtMost(file, maxFile)
	if err != nil {
		return nil, false
	}
	l, f, p, err := decode(b)
	if err != nil || f != format || p != real || !hold(root, l.Stamps) {
		return nil, false
	}
	return l, true
}
