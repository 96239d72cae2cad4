package ilsvrc

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"math"
	"os"
	"reflect"
	"strings"
	"testing"
	"unicode/utf16"
)

// The files that scipy wrote, compressed and not; testdata/meta.py has the same rows.
func TestSynsets(t *testing.T) {
	want := []synset{
		{1, "n02119789", "kit fox, Vulpes macrotis", 0}, {2, "n02100735", "English setter", 0}, {3, "n01440764", "tench, Tinca tinca", 0},
		{4, "n00001740", "entity", 2}, {5, "n02084071", "dog, domestic dog, Café", 1},
	}
	for _, name := range []string{"meta.mat", "meta_compressed.mat"} {
		b, err := os.ReadFile("testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		got, err := readSynsets(b)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, %v\nwant %v", name, got, err, want)
		}
	}
	// As MATLAB writes: text of 16 bits, small elements; and the other byte order.
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		w := matWriter{order: order}
		got, err := readSynsets(w.file(want))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%v: %v, %v\nwant %v", order, got, err, want)
		}
	}
}

// Every cut and every changed byte is an error or a list, and no panic; those that break the
// structure are told apart.
func TestSynsetsDamaged(t *testing.T) {
	for _, name := range []string{"meta.mat", "meta_compressed.mat"} {
		whole := []byte(meta(t, name))
		refused := 0
		for i := range whole {
			if _, err := readSynsets(whole[:i]); err == nil {
				// Only the padding at the end may be missing.
				if i < len(whole)-8 {
					t.Errorf("%s cut to %d of %d bytes: accepted", name, i, len(whole))
				}
			} else {
				refused++
			}
			for _, x := range []byte{0x01, 0x80, 0xff} {
				c := bytes.Clone(whole)
				c[i] ^= x
				if _, err := readSynsets(c); err != nil {
					refused++
				}
			}
		}
		if refused < 2*len(whole) {
			t.Errorf("%s: %d of %d changes were refused", name, refused, 4*len(whole))
		}
	}
}

func TestMatlabRefused(t *testing.T) {
	le := func(rows []synset, change func(b []byte)) []byte {
		b := encodeSynsets(rows)
		change(b)
		return b
	}
	row := []synset{{1, "n01", "x", 0}}
	for _, c := range []struct {
		name string
		b    []byte
		want string
	}{
		{"empty", nil, "has 0 bytes, want a MATLAB file"},
		{"hdf5", []byte("\x89HDF\r\n"), "version 7.3"},
		{"order", le(row, func(b []byte) { b[126] = 'X' }), "is no MATLAB file of version 5"},
		{"other array", le(row, func(b []byte) { b[bytes.Index(b, []byte("synsets"))] = 'S' }), "holds no array called synsets"},
		{"no ids", le(row, func(b []byte) { b[bytes.Index(b, []byte("ILSVRC"))] = 'X' }), "has synsets without ILSVRC2012_ID, but with XLSVRC2012_ID, WNID"},
		{"id 0", encodeSynsets([]synset{{0, "n01", "x", 0}}), "has synset 1 with ILSVRC2012_ID 0"},
		{"id one half", le(row, func(b []byte) {
			at := bytes.Index(b, math2bytes(1))
			copy(b[at:], math2bytes(0.5))
		}), "ILSVRC2012_ID -1"},
		{"no name", encodeSynsets([]synset{{1, "", "x", 0}}), `WNID ""`},
		{"no structs", encodeSynsets(nil), "holds no structs"},
	} {
		if _, err := readSynsets(c.b); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
	b := le(row, func(b []byte) { binary.LittleEndian.PutUint32(b[132:], 1<<31) })
	var at *matError
	if _, err := readSynsets(b); !errors.As(err, &at) || at.offset != 128 || !strings.Contains(err.Error(), "2147483648 bytes where") {
		t.Errorf("a size beyond the file: %v", err)
	}
	bomb := zlibElement(make([]byte, maxInflated+1))
	if _, err := readSynsets(append(encodeSynsets(row)[:matHeader:matHeader], bomb...)); err == nil || !strings.Contains(err.Error(), "when decompressed") {
		t.Errorf("a bomb of %d bytes: %v", len(bomb), err)
	}
}

func math2bytes(v float64) []byte {
	return binary.LittleEndian.AppendUint64(nil, math.Float64bits(v))
}

// matWriter writes what MATLAB does, as far as meta.mat needs it.
type matWriter struct {
	order binary.ByteOrder
	b     []byte
}

func encodeSynsets(rows []synset) []byte {
	w := matWriter{order: binary.LittleEndian}
	return w.file(rows)
}

func (w *matWriter) u32(v int) { w.b = append(w.b, w.pack(uint32(v))...) }

func (w *matWriter) pack(v uint32) []byte {
	b := make([]byte, 4)
	w.order.PutUint32(b, v)
	return b
}

// element writes a tag and data, small where MATLAB would.
func (w *matWriter) element(kind int, data []byte) {
	if n := len(data); n > 0 && n <= 4 {
		w.u32(n<<16 | kind)
		w.b = append(w.b, append(bytes.Clone(data), make([]byte, 4-n)...)...)
		return
	}
	w.u32(kind)
	w.u32(len(data))
	w.b = append(w.b, data...)
	for len(w.b)%8 != 0 {
		w.b = append(w.b, 0)
	}
}

// array writes a miMATRIX whose parts body writes.
func (w *matWriter) array(class int, name string, rows, columns int, body func(w *matWriter)) {
	in := &matWriter{order: w.order}
	in.element(miUint32, append(in.pack(uint32(class)), in.pack(0)...))
	in.element(miInt32, append(in.pack(uint32(rows)), in.pack(uint32(columns))...))
	in.element(miInt8, []byte(name))
	body(in)
	w.element(miMatrix, in.b)
}

func (w *matWriter) text(s string) {
	units := utf16.Encode([]rune(s))
	w.array(mxChar, "", min(1, len(units)), len(units), func(w *matWriter) {
		var b []byte
		for _, u := range units {
			v := make([]byte, 2)
			w.order.PutUint16(v, u)
			b = append(b, v...)
		}
		w.element(miUint16, b)
	})
}

func (w *matWriter) number(v float64) {
	w.array(mxDouble, "", 1, 1, func(w *matWriter) {
		b := make([]byte, 8)
		w.order.PutUint64(b, math.Float64bits(v))
		w.element(miDouble, b)
	})
}

func (w *matWriter) file(rows []synset) []byte {
	const length = 32
	w.b = append([]byte("MATLAB 5.0 MAT-file, Platform: GLNXA64"), bytes.Repeat([]byte(" "), 124-38)...)
	v := make([]byte, 4)
	w.order.PutUint16(v, 0x0100)
	w.order.PutUint16(v[2:], 'M'<<8|'I')
	w.b = append(w.b, v...)
	w.array(mxStruct, "synsets", len(rows), 1, func(w *matWriter) {
		w.element(miInt32, w.pack(length))
		var names []byte
		for _, f := range []string{"ILSVRC2012_ID", "WNID", "words", "num_children"} {
			names = append(names, append([]byte(f), make([]byte, length-len(f))...)...)
		}
		w.element(miInt8, names)
		for _, s := range rows {
			w.number(float64(s.id))
			w.text(s.wnid)
			w.text(s.words)
			w.number(float64(s.children))
		}
	})
	return w.b
}

func FuzzMat(f *testing.F) {
	for _, name := range []string{"meta.mat", "meta_compressed.mat"} {
		f.Add([]byte(meta(f, name)))
	}
	w := matWriter{order: binary.BigEndian}
	f.Add(w.file([]synset{{1, "n01", "x", 0}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		rows, err := readSynsets(b)
		for _, s := range rows {
			if s.id < 1 || s.wnid == "" {
				t.Fatalf("synset %+v was accepted", s)
			}
		}
		if err == nil && len(rows) == 0 {
			t.Fatal("no synsets and no error")
		}
	})
}

// zlibElement is a compressed element.
func zlibElement(data []byte) []byte {
	var z bytes.Buffer
	c := zlib.NewWriter(&z)
	_, _ = c.Write(data)
	_ = c.Close()
	w := matWriter{order: binary.LittleEndian}
	w.u32(miCompressed)
	w.u32(z.Len())
	return append(w.b, z.Bytes()...)
}
