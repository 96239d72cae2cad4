package data

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// layout describes the official binary version of a CIFAR set
// (https://www.cs.toronto.edu/~kriz/cifar.html): files of equally long records,
// a label byte (CIFAR-100: coarse, then fine) and 32x32 bytes each of red, green
// and blue, row by row.
type layout struct {
	title       string
	folder      string // where the official archive unpacks to
	archive     string
	archiveMD5  string // empty: not on record
	prefix      string // of the folders and archives of every version
	train, test []string
	perTrain    int      // records per training file
	perTest     int      // records per test file
	labels      []string // names of the label bytes; the last is the class
	limits      []int    // number of values of each label byte
	classes     []string
	mean, std   [3]float32
	known       map[string]string // sha256 of all files, in order -> provenance
	knownLabels string            // sha256 of the official class labels, in order, or empty
}

const cifarSide = 32

func (l layout) trainImages() int { return l.perTrain * len(l.train) }
func (l layout) testImages() int  { return l.perTest * len(l.test) }
func (l layout) record() int      { return len(l.labels) + 3*cifarSide*cifarSide }

// obtain tells how to get the files.
func (l layout) obtain() string {
	s := "download https://www.cs.toronto.edu/~kriz/" + l.archive
	if l.archiveMD5 != "" {
		s += " (md5 " + l.archiveMD5 + ")"
	}
	return s + " and unpack it with: tar xzf " + l.archive
}

// open reads all files below c.Dir, checks them and keeps the configured part.
func (l layout) open(c Config) (*Dataset, error) {
	dir, err := l.find(c.Dir)
	if err != nil {
		return nil, err
	}
	sum, labelSum := sha256.New(), sha256.New()
	read := func(names []string, per, keep int) (*images, error) {
		out := newImages(keep, cifarSide)
		for f, name := range names {
			path := filepath.Join(dir, name)
			raw, err := l.readFile(path, per)
			if err != nil {
				return nil, err
			}
			sum.Write(raw)
			if err := l.decode(path, raw, out, f*per); err != nil {
				return nil, err
			}
			for r := len(l.labels) - 1; r < len(raw); r += l.record() {
				labelSum.Write(raw[r : r+1])
			}
		}
		return out, nil
	}
	train, err := read(l.train, l.perTrain, c.TrainSize)
	if err != nil {
		return nil, err
	}
	test, err := read(l.test, l.perTest, c.TestSize)
	if err != nil {
		return nil, err
	}
	d := build(c, l.classes, train, test, l.mean, l.std)
	d.SHA256 = hex.EncodeToString(sum.Sum(nil))
	d.Provenance = l.provenance(d.SHA256, hex.EncodeToString(labelSum.Sum(nil)))
	return d, nil
}

// provenance names the bytes as far as they are known. No checksums of the
// single official binary files are on record here, only the archive's, which the
// unpacked folder cannot show; so official files are recognised by their labels.
func (l layout) provenance(sum, labels string) string {
	if p, ok := l.known[sum]; ok {
		return p
	}
	if l.knownLabels != "" && labels == l.knownLabels {
		return l.title + " labels in official order, pixels not on record, sha256 " + sum[:12]
	}
	return "unrecognised bytes, sha256 " + sum[:12]
}

// find returns the folder with the files: dir itself or the official folder in
// it. Where it finds another version of the set it says how to get this one.
func (l layout) find(dir string) (string, error) {
	first := l.train[0]
	for _, d := range []string{dir, filepath.Join(dir, l.folder)} {
		if exists(filepath.Join(d, first)) {
			return d, nil
		}
	}
	e := &FormatError{File: filepath.Join(dir, first), Field: "file", Got: "missing", Err: fs.ErrNotExist, Hint: l.obtain()}
	// One of the other files is here: the folder is right, the first file is gone.
	for _, name := range append(append([]string(nil), l.train[1:]...), l.test...) {
		if exists(filepath.Join(dir, name)) {
			return "", e
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		e.File, e.Got, e.Err = dir, "", err
		return "", e
	}
	for _, entry := range entries {
		if l.isPython(entry.Name()) {
			e.File, e.Got, e.Want, e.Err = filepath.Join(dir, entry.Name()), "the Python (pickle) version", "the binary version", nil
			e.Hint = "pickle files can run code and are not read; " + l.obtain()
		}
	}
	if packed := filepath.Join(dir, l.archive); exists(packed) {
		e.File, e.Got, e.Want, e.Err = packed, "the packed archive", "the unpacked folder "+l.folder, nil
		e.Hint = "unpack it: tar xzf " + packed + " -C " + dir
	}
	return "", e
}

// isPython tells whether a name belongs to the Python version of the set: its
// folder, its archive, or a file in its folder.
func (l layout) isPython(name string) bool {
	switch name {
	case "data_batch_1", "batches.meta", "meta":
		return true
	}
	return strings.HasPrefix(name, l.prefix) && (strings.Contains(name, "python") || strings.HasSuffix(name, "-py"))
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// readFile returns a file of exactly per records.
func (l layout) readFile(path string, per int) ([]byte, error) {
	fail := func(off int64, field, got string, err error) error {
		e := &FormatError{File: path, Offset: off, Field: field, Got: got, Err: err}
		if field == "size" {
			e.Want = fmt.Sprintf("%d bytes (%d records of %d)", per*l.record(), per, l.record())
			e.Hint = "the file is damaged or not of the binary version; " + l.obtain()
		}
		if errors.Is(err, fs.ErrNotExist) {
			e.Got, e.Hint = "missing", "the folder is incomplete; "+l.obtain()
		}
		return e
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fail(0, "file", "", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fail(0, "file", "", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fail(0, "file", "not a regular file", nil)
	}
	want := int64(per) * int64(l.record())
	if info.Size() != want {
		return nil, fail(min(info.Size(), want), "size", fmt.Sprintf("%d bytes", info.Size()), nil)
	}
	raw := make([]byte, want)
	if n, err := io.ReadFull(f, raw); err != nil {
		return nil, fail(int64(n), "file", "", err)
	}
	return raw, nil
}

// decode checks every record of raw and writes those that fit to out, from image
// base on. Only the class label is kept.
func (l layout) decode(path string, raw []byte, out *images, base int) error {
	size, plane := l.record(), cifarSide*cifarSide
	if len(raw)%size != 0 {
		return &FormatError{File: path, Offset: int64(len(raw) - len(raw)%size), Field: "size",
			Got: fmt.Sprintf("%d bytes", len(raw)), Want: fmt.Sprintf("a multiple of %d", size)}
	}
	for r := 0; r*size < len(raw); r++ {
		rec := raw[r*size : (r+1)*size]
		for k, name := range l.labels {
			if int(rec[k]) >= l.limits[k] {
				return &FormatError{File: path, Offset: int64(r*size + k), Field: name,
					Got: fmt.Sprint(rec[k]), Want: fmt.Sprintf("0 to %d", l.limits[k]-1),
					Hint: fmt.Sprintf("record %d is damaged; %s", r, l.obtain())}
			}
		}
		if base+r >= out.len() {
			continue
		}
		out.y[base+r] = int32(rec[len(l.labels)-1])
		px := rec[len(l.labels):]
		red, green, blue := px[:plane], px[plane:2*plane], px[2*plane:3*plane]
		dst := out.at(base + r)
		for i := range red {
			dst[3*i], dst[3*i+1], dst[3*i+2] = red[i], green[i], blue[i]
		}
	}
	return nil
}
