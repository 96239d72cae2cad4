package ilsvrc

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"unicode/utf16"

	"oneshot/data/source"
)

// The MATLAB level 5 file format ("MAT-File Format", The MathWorks, chapter 1): a header of
// 128 bytes, then elements of a tag (type, number of bytes) and data, padded to 8 bytes.

// Types of data elements (table 1-1).
const (
	miInt8       = 1
	miUint8      = 2
	miInt16      = 3
	miUint16     = 4
	miInt32      = 5
	miUint32     = 6
	miSingle     = 7
	miDouble     = 9
	miInt64      = 12
	miUint64     = 13
	miMatrix     = 14
	miCompressed = 15
	miUTF8       = 16
	miUTF16      = 17
)

// Classes of arrays (table 1-3).
const (
	mxStruct = 2
	mxChar   = 4
	mxDouble = 6
	mxUint64 = 15
)

const (
	matHeader   = 128
	maxInflated = 8 << 20 // bytes of all compressed elements; meta.mat has less than 1 MiB
	maxDepth    = 8       // of structs in structs
)

// matrix is an array of the kinds that meta.mat has. Others keep their class only.
type matrix struct {
	class   int
	name    string
	size    int       // elements
	numbers []float64 // of a numeric array
	text    string    // of a char array of one row
	fields  []string  // of a struct array
	values  []matrix  // of a struct array: (size, fields)
}

// matError says at which byte of the file, or of an inflated element, something is wrong.
type matError struct {
	offset int
	msg    string
}

func (e *matError) Error() string { return e.msg }

// matReader takes elements off b.
type matReader struct {
	order binary.ByteOrder
	b     []byte
	at    int // position of b in the file
}

func (r *matReader) wrong(format string, args ...any) error {
	return &matError{r.at, fmt.Sprintf(format, args...)}
}

// element is a tag and its data.
type element struct {
	kind int
	data matReader
}

// next takes an element off.
func (r *matReader) next() (element, error) {
	if len(r.b) < 8 {
		return element{}, r.wrong("ends within the tag of an element")
	}
	first := r.order.Uint32(r.b)
	if n := int(first >> 16); n != 0 { // a small element: size and type in one word, data in the other
		if n > 4 {
			return element{}, r.wrong("has a small element of %d bytes, want at most 4", n)
		}
		e := element{int(first & 0xffff), matReader{r.order, r.b[4 : 4+n], r.at + 4}}
		r.skip(8)
		return e, nil
	}
	size := r.order.Uint32(r.b[4:])
	if uint64(size) > uint64(len(r.b)-8) {
		return element{}, r.wrong("has an element of %d bytes where %d are left", size, len(r.b)-8)
	}
	e := element{int(first), matReader{r.order, r.b[8 : 8+size], r.at + 8}}
	n := 8 + int(size)
	if e.kind != miCompressed {
		n = (n + 7) / 8 * 8
	}
	r.skip(min(n, len(r.b))) // the padding of the last element may be missing
	return e, nil
}

func (r *matReader) skip(n int) { r.b, r.at = r.b[n:], r.at+n }

// readMatrix returns the array called name of a MATLAB file.
func readMatrix(b []byte, name string) (*matrix, error) {
	r := &matReader{at: 0, b: b}
	switch {
	case bytes.HasPrefix(b, []byte("\x89HDF")) || bytes.HasPrefix(b, []byte("MATLAB 7.3")):
		return nil, r.wrong("is a MATLAB file of version 7.3, want version 5")
	case len(b) < matHeader:
		return nil, r.wrong("has %d bytes, want a MATLAB file with a header of %d", len(b), matHeader)
	case string(b[126:128]) == "IM":
		r.order = binary.LittleEndian
	case string(b[126:128]) == "MI":
		r.order = binary.BigEndian
	default:
		return nil, r.wrong("is no MATLAB file of version 5")
	}
	r.skip(matHeader)
	left := int64(maxInflated)
	for len(r.b) > 0 {
		e, err := r.next()
		if err != nil {
			return nil, err
		}
		if e.kind == miCompressed {
			if e, err = e.inflate(&left); err != nil {
				return nil, err
			}
		}
		if e.kind != miMatrix {
			continue
		}
		m, err := e.data.matrix(0, name)
		if err != nil {
			return nil, err
		}
		if m.name == name {
			return m, nil
		}
	}
	return nil, r.wrong("holds no array called %s", name)
}

// inflate returns the element within a compressed one, and takes its size off left.
func (e element) inflate(left *int64) (element, error) {
	z, err := zlib.NewReader(bytes.NewReader(e.data.b))
	if err != nil {
		return element{}, e.data.wrong("has a compressed element that is none: %v", err)
	}
	b, err := io.ReadAll(io.LimitReader(z, *left+1))
	if err != nil {
		return element{}, e.data.wrong("has a compressed element that is damaged: %v", err)
	}
	if int64(len(b)) > *left {
		return element{}, e.data.wrong("has more than %d bytes when decompressed", maxInflated)
	}
	*left -= int64(len(b))
	inner := &matReader{e.data.order, b, e.data.at}
	return inner.next()
}

// matrix reads the array in r. An outer array whose name is not the wanted one is not read further.
func (r *matReader) matrix(depth int, wanted string) (*matrix, error) {
	m := new(matrix)
	if len(r.b) == 0 { // an empty array may be stored so
		return m, nil
	}
	if depth > maxDepth {
		return nil, r.wrong("has structs in structs in structs, more than %d deep", maxDepth)
	}
	flags, err := r.want(miUint32, "array flags")
	if err != nil {
		return nil, err
	}
	if len(flags) != 2 {
		return nil, r.wrong("has %d array flags, want 2", len(flags))
	}
	m.class = int(uint32(flags[0]) & 0xff)
	dims, err := r.want(miInt32, "dimensions")
	if err != nil {
		return nil, err
	}
	m.size = 1
	for _, d := range dims {
		if d < 0 || d > float64(maxInflated) {
			return nil, r.wrong("has a dimension of %v", d)
		}
		if m.size *= int(d); m.size > maxInflated {
			return nil, r.wrong("has more than %d elements", maxInflated)
		}
	}
	name, err := r.next()
	if err != nil {
		return nil, err
	}
	m.name = string(name.data.b)
	if depth == 0 && m.name != wanted {
		return m, nil
	}
	switch {
	case m.class == mxStruct:
		return m, r.structs(m, depth)
	case m.class == mxChar:
		return m, r.chars(m, dims)
	case m.class >= mxDouble && m.class <= mxUint64:
		m.numbers, err = r.want(0, "values")
		if err == nil && len(m.numbers) != m.size {
			err = r.wrong("has %d values, want %d", len(m.numbers), m.size)
		}
	}
	return m, err
}

// want takes an element of numbers off, of the given type or, with 0, of any.
func (r *matReader) want(kind int, what string) ([]float64, error) {
	e, err := r.next()
	if err != nil {
		return nil, err
	}
	if kind != 0 && e.kind != kind {
		return nil, e.data.wrong("has an element of type %d, want %s of type %d", e.kind, what, kind)
	}
	v, ok := e.numbers()
	if !ok {
		return nil, e.data.wrong("has %s of type %d and %d bytes, want numbers", what, e.kind, len(e.data.b))
	}
	return v, nil
}

// numbers converts the values of an element.
func (e element) numbers() ([]float64, bool) {
	b, o := e.data.b, e.data.order
	var size int
	var value func(b []byte) float64
	switch e.kind {
	case miInt8:
		size, value = 1, func(b []byte) float64 { return float64(int8(b[0])) }
	case miUint8:
		size, value = 1, func(b []byte) float64 { return float64(b[0]) }
	case miInt16:
		size, value = 2, func(b []byte) float64 { return float64(int16(o.Uint16(b))) }
	case miUint16:
		size, value = 2, func(b []byte) float64 { return float64(o.Uint16(b)) }
	case miInt32:
		size, value = 4, func(b []byte) float64 { return float64(int32(o.Uint32(b))) }
	case miUint32:
		size, value = 4, func(b []byte) float64 { return float64(o.Uint32(b)) }
	case miSingle:
		size, value = 4, func(b []byte) float64 { return float64(math.Float32frombits(o.Uint32(b))) }
	case miDouble:
		size, value = 8, func(b []byte) float64 { return math.Float64frombits(o.Uint64(b)) }
	case miInt64:
		size, value = 8, func(b []byte) float64 { return float64(int64(o.Uint64(b))) }
	case miUint64:
		size, value = 8, func(b []byte) float64 { return float64(o.Uint64(b)) }
	default:
		return nil, false
	}
	if len(b)%size != 0 {
		return nil, false
	}
	v := make([]float64, len(b)/size)
	for i := range v {
		v[i] = value(b[i*size:])
	}
	return v, true
}

// chars reads the text of a char array.
func (r *matReader) chars(m *matrix, dims []float64) error {
	if len(dims) > 0 && dims[0] > 1 {
		return r.wrong("has a text of %v rows, want 1", dims[0])
	}
	if m.size == 0 && len(r.b) == 0 {
		return nil
	}
	e, err := r.next()
	if err != nil {
		return err
	}
	switch e.kind {
	case miUTF8, miInt8, miUint8:
		m.text = strings.ToValidUTF8(string(e.data.b), "\uFFFD")
	case miUint16, miUTF16:
		units := make([]uint16, len(e.data.b)/2)
		for i := range units {
			units[i] = r.order.Uint16(e.data.b[2*i:])
		}
		m.text = string(utf16.Decode(units))
	default:
		return e.data.wrong("has text of type %d", e.kind)
	}
	return nil
}

// structs reads the fields of a struct array.
func (r *matReader) structs(m *matrix, depth int) error {
	length, err := r.want(miInt32, "length of field names")
	if err != nil {
		return err
	}
	names, err := r.next()
	if err != nil {
		return err
	}
	if len(length) != 1 || length[0] < 1 || int(length[0]) > max(1, len(names.data.b)) || len(names.data.b)%int(length[0]) != 0 {
		return r.wrong("has field names of %d bytes, %v each", len(names.data.b), length)
	}
	for b := names.data.b; len(b) > 0; b = b[int(length[0]):] {
		name, _, _ := bytes.Cut(b[:int(length[0])], []byte{0})
		m.fields = append(m.fields, string(name))
	}
	for range m.size * len(m.fields) {
		e, err := r.next()
		if err != nil {
			return err
		}
		if e.kind != miMatrix {
			return e.data.wrong("has a field of type %d, want an array", e.kind)
		}
		v, err := e.data.matrix(depth+1, "")
		if err != nil {
			return err
		}
		m.values = append(m.values, *v)
	}
	return nil
}

// synset is a row of meta.mat.
type synset struct {
	id       int // ILSVRC2012_ID; the classes are those without children
	wnid     string
	words    string
	children int
}

// readSynsets reads meta.mat: the struct array synsets.
func readSynsets(b []byte) ([]synset, error) {
	m, err := readMatrix(b, "synsets")
	if err != nil {
		return nil, err
	}
	if m.class != mxStruct || m.size == 0 {
		return nil, errors.New("has an array synsets that holds no structs")
	}
	column := map[string]int{}
	for i, f := range m.fields {
		column[f] = i
	}
	for _, f := range []string{"ILSVRC2012_ID", "WNID"} {
		if _, ok := column[f]; !ok {
			return nil, fmt.Errorf("has synsets without %s, but with %s", f, strings.Join(m.fields, ", "))
		}
	}
	field := func(row int, name string) matrix {
		if c, ok := column[name]; ok {
			return m.values[row*len(m.fields)+c]
		}
		return matrix{}
	}
	number := func(row int, name string) int {
		v := field(row, name).numbers
		if len(v) != 1 || v[0] != math.Trunc(v[0]) || !(math.Abs(v[0]) < 1e9) {
			return -1
		}
		return int(v[0])
	}
	list := make([]synset, m.size)
	for i := range list {
		s := synset{number(i, "ILSVRC2012_ID"), field(i, "WNID").text, field(i, "words").text, max(0, number(i, "num_children"))}
		if s.id < 1 || !source.IsClassName(s.wnid) {
			return nil, fmt.Errorf("has synset %d with ILSVRC2012_ID %d and WNID %.40q, want a number from 1 and a name", i+1, s.id, s.wnid)
		}
		list[i] = s
	}
	return list, nil
}
