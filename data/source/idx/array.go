package idx

import (
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"strings"

	"oneshot/data/source"
)

// array is an opened IDX file of unsigned bytes.
type array struct {
	path  string
	dims  []int64
	start int64    // of the values, after the header
	file  *os.File // nil where the values are in memory
	data  []byte   // (dims), where file is nil
}

// types are the types of values by their code in the header.
var types = map[byte]string{0x08: "unsigned byte", 0x09: "signed byte", 0x0B: "16-bit integer",
	0x0C: "32-bit integer", 0x0D: "32-bit float", 0x0E: "64-bit float"}

const (
	maxDims = 4
	// maxValues bounds what a header may claim, so that products of lengths do not overflow.
	maxValues = 1 << 40
	// maxUnpacked is the most that a gzipped file may unpack to: four times EMNIST's largest.
	maxUnpacked = 2 << 30
	// maxRatio is what deflate can compress at best (zlib's technical details: 1032:1).
	maxRatio = 1032
)

// openArray opens a file and checks its header against its size. A name that ends in
// .gz is unpacked.
func openArray(path string) (*array, error) {
	file, size, err := source.OpenFile(path)
	if err != nil {
		return nil, err
	}
	a := &array{path: path}
	if strings.HasSuffix(path, ".gz") {
		err = a.unpack(file, size)
	} else if err = a.header(file); err == nil {
		a.file = file
		if size != a.start+a.count() {
			err = source.Wrong(path, min(size, a.start+a.count()), "", nil, "size is %d bytes, want %d for the lengths %d in the header", size, a.start+a.count(), a.dims)
		}
	}
	if err != nil || a.file == nil {
		file.Close()
	}
	if err != nil {
		return nil, err
	}
	return a, nil
}

// unpack reads a gzipped file of size bytes into memory.
func (a *array) unpack(file io.Reader, size int64) error {
	z, err := gzip.NewReader(file)
	if err != nil {
		return source.Wrong(a.path, 0, "", err, "file is not gzipped")
	}
	if err := a.header(z); err != nil {
		return err
	}
	n := a.count()
	if n > maxUnpacked || n > maxRatio*size {
		return source.Wrong(a.path, 4, "", nil, "the header claims %d bytes; %d bytes gzipped unpack to at most %d", n, size, min(maxUnpacked, maxRatio*size))
	}
	a.data = make([]byte, n)
	if k, err := io.ReadFull(z, a.data); err != nil {
		return source.Wrong(a.path, a.start+int64(k), "", err, "unpacked, the file ends after %d bytes, want %d for the lengths %d in the header", a.start+int64(k), a.start+n, a.dims)
	}
	// The end also checks the checksum.
	var more [1]byte
	if k, err := io.ReadFull(z, more[:]); k > 0 || err != io.EOF {
		return source.Wrong(a.path, a.start+n, "", err, "unpacked, the file does not end after %d bytes", a.start+n)
	}
	return nil
}

// header reads the header: two zero bytes, the type, the number of lengths, and the lengths.
func (a *array) header(r io.Reader) error {
	var magic [4]byte
	if n, err := io.ReadFull(r, magic[:]); err != nil {
		return source.Wrong(a.path, int64(n), "", err, "file ends within the header")
	}
	name, known := types[magic[2]]
	switch {
	case magic[0] != 0 || magic[1] != 0 || !known:
		return source.Wrong(a.path, 0, "", nil, "magic number is %x, want 0000 and a type", magic)
	case magic[2] != 0x08:
		return source.Wrong(a.path, 2, "", nil, "values are of type %s, want unsigned byte", name)
	case magic[3] == 0 || magic[3] > maxDims:
		return source.Wrong(a.path, 3, "", nil, "the array has %d dimensions, want 1 to %d", magic[3], maxDims)
	}
	a.start = 4 + 4*int64(magic[3])
	total := uint64(1)
	for i := range int(magic[3]) {
		var b [4]byte
		if n, err := io.ReadFull(r, b[:]); err != nil {
			return source.Wrong(a.path, 4+4*int64(i)+int64(n), "", err, "file ends within the header")
		}
		d := uint64(binary.BigEndian.Uint32(b[:]))
		a.dims = append(a.dims, int64(d))
		if d > 0 && total > maxValues/d {
			return source.Wrong(a.path, 4, "", nil, "the header claims lengths of %d, more than %d values", a.dims, int64(maxValues))
		}
		total *= d
	}
	return nil
}

// count returns the number of values.
func (a *array) count() int64 {
	n := int64(1)
	for _, d := range a.dims {
		n *= d
	}
	return n
}

// readAt reads len(b) values from value i on.
func (a *array) readAt(b []byte, i int64) error {
	if a.file == nil {
		copy(b, a.data[i:])
		return nil
	}
	if _, err := a.file.ReadAt(b, a.start+i); err != nil {
		return fmt.Errorf("data: read %s: %w", a.path, err)
	}
	return nil
}

func (a *array) Close() error {
	if a.file == nil {
		return nil
	}
	return a.file.Close()
}
