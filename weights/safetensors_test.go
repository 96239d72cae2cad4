package weights

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// encode returns the safetensors bytes of ts.
func encode(t testing.TB, ts []Tensor, meta map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := WriteSafetensors(&b, ts, meta); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// decode reads safetensors bytes.
func decode(b []byte) (File, error) {
	return readSafetensors(bytes.NewReader(b), int64(len(b)), "m.safetensors")
}

// raw puts a header in front of data bytes.
func raw(header string, data int) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(b, header...), make([]byte, data)...)
}

func TestSafetensorsRoundTrip(t *testing.T) {
	f, err := decode(encode(t, sample(3), map[string]string{"arch": "x<y"}))
	if err != nil {
		t.Fatal(err)
	}
	want, err := sortedByName(sample(3))
	if err != nil {
		t.Fatal(err)
	}
	if err := sameTensors(f.Tensors, want); err != nil {
		t.Error(err)
	}
	if len(f.Meta) != 2 || f.Meta["arch"] != "x<y" || f.Meta["format"] != "pt" {
		t.Error(f.Meta)
	}
	// More than a chunk, of both types, and NaN keeps its bits.
	big := []Tensor{{Name: "f", Shape: []int{2*chunkElems + 3}}, {Name: "i", Shape: []int{chunkElems + 1}}}
	for i := range 2*chunkElems + 3 {
		big[0].F32 = append(big[0].F32, math.Float32frombits(0x7fc00000|uint32(i)))
	}
	for i := range chunkElems + 1 {
		big[1].I64 = append(big[1].I64, int64(i)*0x100000001)
	}
	if f, err = decode(encode(t, big, nil)); err != nil {
		t.Fatal(err)
	}
	if err := sameTensors(f.Tensors, big); err != nil {
		t.Error(err)
	}
	if f, err = decode(encode(t, nil, nil)); err != nil || len(f.Tensors) != 0 {
		t.Error(f, err)
	}
}

// The layout is spelled out once, byte for byte.
func TestSafetensorsBytes(t *testing.T) {
	ts := []Tensor{{Name: "b", I64: []int64{-2}}, {Name: "a", Shape: []int{1, 2}, F32: []float32{1, -2}}}
	header := `{"__metadata__":{"arch":"<","format":"pt"},` +
		`"a":{"dtype":"F32","shape":[1,2],"data_offsets":[8,16]},` +
		`"b":{"dtype":"I64","shape":[],"data_offsets":[0,8]}}` + " "
	want := raw(header, 0)
	want = append(want, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff) // b: 8-byte elements first
	want = append(want, 0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0)                // a
	got := encode(t, ts, map[string]string{"arch": "<"})
	if !bytes.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if len(header)%8 != 0 {
		t.Errorf("header of %d bytes", len(header))
	}
	slices.Reverse(ts)
	if !bytes.Equal(encode(t, ts, map[string]string{"arch": "<"}), want) {
		t.Error("the order of the tensors shows")
	}
}

// Files as the reference implementation lays them out: by falling alignment,
// then name, in header and data, with or without metadata; older releases
// sorted by name alone.
func TestSafetensorsOfTheReference(t *testing.T) {
	accepted := []string{
		`{"n":{"dtype":"I64","shape":[],"data_offsets":[0,8]},"w":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}}`,
		`{"__metadata__":{"format":"pt"},"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"x":{"dtype":"I64","shape":[1],"data_offsets":[8,16]}}     `,
		`{"x":{"data_offsets":[8,16],"shape":[1],"dtype":"I64"},"w":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]}}`,
		`{"e":{"dtype":"F32","shape":[4,0],"data_offsets":[8,8]},"x":{"dtype":"I64","shape":[1],"data_offsets":[8,16]},"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}`,
	}
	for _, header := range accepted {
		if _, err := decode(raw(header, 16)); err != nil {
			t.Errorf("%s: %v", header, err)
		}
	}
	if f, err := decode(raw("{}      ", 0)); err != nil || f.Meta != nil || len(f.Tensors) != 0 {
		t.Error(f, err)
	}
	for dtype, bits := range dtypeBits {
		if dtype == "F32" || dtype == "I64" {
			continue
		}
		header := fmt.Sprintf(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"enc.w":{"dtype":%q,"shape":[8],"data_offsets":[4,%d]}}`, dtype, 4+bits)
		_, err := decode(raw(header, int(4+bits)))
		var fault *FormatError
		if !errors.As(err, &fault) || !errors.Is(err, ErrDType) || errors.Is(err, ErrCorrupt) ||
			fault.Field != `tensor "enc.w" dtype` || !strings.Contains(err.Error(), dtype+" is not supported") {
			t.Errorf("%s: %v", dtype, err)
		}
	}
}

func TestSafetensorsFaults(t *testing.T) {
	f32 := func(shape, offsets string) string {
		return `{"w":{"dtype":"F32","shape":` + shape + `,"data_offsets":` + offsets + `}}`
	}
	const w = `"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}`
	cases := []struct{ header, want string }{
		{``, "does not begin with {"},
		{` {}`, "does not begin with {"},
		{`[]`, "does not begin with {"},
		{`{`, "is not JSON"},
		{`{} {}`, "is not JSON"},
		{"{\"\xff\":1}", "is not JSON"},
		{`{` + w + `,}`, "is not JSON"},
		{`{` + w + `,` + w + `}`, `has the key "w" twice`},
		{`{` + w + `,"\u0077":{"dtype":"F32","shape":[0],"data_offsets":[8,8]}}`, `has the key "w" twice`},
		{`{"w":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}}`, `has the key "dtype" twice`},
		{`{"__metadata__":{"a":"1","a":"1"},` + w + `}`, `has the key "a" twice`},
		{`{"__metadata__":{},"__metadata__":{},` + w + `}`, "twice"},
		{`{"__metadata__":{"a":1},` + w + `}`, "is not a string"},
		{`{"__metadata__":null,` + w + `}`, "is not an object"},
		{`{"":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}`, "no name"},
		{`{"w":[]}`, "is not an object"},
		{`{"w":{"dtype":"F32","shape":[2]}}`, "lacks"},
		{`{"w":{}}`, "lacks"},
		{`{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"x":1}}`, "is not a field"},
		{`{"w":{"Dtype":"F32","shape":[2],"data_offsets":[0,8]}}`, "is not a field"},
		{`{"w":{"dtype":7,"shape":[2],"data_offsets":[0,8]}}`, "is not a string"},
		{`{"w":{"dtype":"f32","shape":[2],"data_offsets":[0,8]}}`, `"f32" is unknown`},
		{`{"w":{"dtype":"F4","shape":[3],"data_offsets":[0,1]}}`, "is not the size"},
		{f32(`2`, `[0,8]`), "is not an array"},
		{f32(`["2"]`, `[0,8]`), "no number"},
		{f32(`[null]`, `[0,8]`), "no number"},
		{f32(`[[2]]`, `[0,8]`), "no number"},
		{f32(`[-2]`, `[0,8]`), "not a whole number"},
		{f32(`[2.0]`, `[0,8]`), "not a whole number"},
		{f32(`[2e0]`, `[0,8]`), "not a whole number"},
		{f32(`[9223372036854775808]`, `[0,8]`), "not a whole number"},
		{f32(`[4294967296,4294967296]`, `[0,8]`), "overflows"},
		{f32(`[4294967296,4294967296,0]`, `[0,0]`), "overflows"},
		{f32(`[4611686018427387904]`, `[0,0]`), "overflows"}, // times 4 bytes is 0 modulo 2^64
		{f32(`[2]`, `[0,8,8]`), "has 3 numbers"},
		{f32(`[2]`, `[]`), "has 0 numbers"},
		{f32(`[2]`, `[8,0]`), "leaves a hole"},
		{f32(`[2]`, `[0,4]`), "is not the size"},
		{f32(`[3]`, `[0,8]`), "is not the size"},
		{f32(`[3]`, `[0,12]`), "ends after the file's 8 bytes"},
		{f32(`[1]`, `[0,4]`), "4 bytes follow"},
		{f32(`[1]`, `[4,8]`), "leaves a hole"},
		{`{}`, "8 bytes follow"},
		{`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},` + w + `}`, "overlaps"},
		{`{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]},` + w + `}`, "overlaps"},
		{`{"w":` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + `}`, "is not an object"},
	}
	for _, c := range cases {
		_, err := decode(raw(c.header, 8))
		var fault *FormatError
		if !errors.As(err, &fault) || !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), c.want) || fault.File != "m.safetensors" {
			t.Errorf("%.80s: got %v, want %q", c.header, err, c.want)
			continue
		}
		if fault.Offset < 0 || fault.Offset > int64(lengthBytes+len(c.header)+8) {
			t.Errorf("%.80s: offset %d", c.header, fault.Offset)
		}
	}
	for _, n := range []uint64{maxHeader + 1, 17, math.MaxUint64, 1 << 63} {
		b := raw("{}      ", 8)
		binary.LittleEndian.PutUint64(b, n)
		if _, err := decode(b); !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), "header length") {
			t.Errorf("%d: %v", n, err)
		}
	}
}

func TestSafetensorsTruncatedOrExtended(t *testing.T) {
	b := encode(t, sample(1), nil)
	for n := range b {
		var fault *FormatError
		if _, err := decode(b[:n]); !errors.As(err, &fault) || !errors.Is(err, ErrCorrupt) {
			t.Errorf("%d of %d bytes: %v", n, len(b), err)
		}
		// The same where the file shrinks after its size was taken.
		if _, err := readSafetensors(bytes.NewReader(b[:n]), int64(len(b)), "m"); !errors.Is(err, ErrCorrupt) {
			t.Errorf("%d of %d bytes, late: %v", n, len(b), err)
		}
	}
	if _, err := decode(append(b, 0)); !errors.Is(err, ErrCorrupt) {
		t.Error(err)
	}
}

func TestReadSafetensorsPath(t *testing.T) {
	dir := t.TempDir()
	if _, err := ReadSafetensors(filepath.Join(dir, "missing")); !errors.Is(err, os.ErrNotExist) || errors.Is(err, ErrCorrupt) {
		t.Error(err)
	}
	if _, err := ReadSafetensors(dir); err == nil {
		t.Error("a directory is read")
	}
	path := writeFile(t, []byte("PK\x03\x04 this is a zip file, with more than eight bytes"), dir, "model.pt")
	_, err := ReadSafetensors(path)
	if !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "is this a safetensors file?") {
		t.Error(err)
	}
	done := make(chan error, 1)
	go func() {
		_, err := ReadSafetensors("/dev/zero")
		done <- err
	}()
	select {
	case err := <-done:
		if err == nil {
			t.Error("a device is read")
		}
	case <-time.After(10 * time.Second):
		t.Error("reading a device does not end")
	}
}

func TestWriteSafetensorsRefuses(t *testing.T) {
	one := []float32{1}
	bad := map[string]Tensor{
		"no data":          {Name: "a"},
		"both":             {Name: "a", F32: one, I64: []int64{1}},
		"no name":          {F32: one},
		"reserved name":    {Name: "__metadata__", F32: one},
		"name not UTF-8":   {Name: "\xff", F32: one},
		"shape too large":  {Name: "a", Shape: []int{2}, F32: one},
		"negative":         {Name: "a", Shape: []int{-1, -1}, F32: one},
		"shape overflows":  {Name: "a", Shape: []int{1 << 32, 1 << 32, 0}, F32: []float32{}},
		"same name":        {Name: "ok", F32: one},
		"scalar with none": {Name: "a", F32: []float32{}},
	}
	for name, b := range bad {
		if err := WriteSafetensors(io.Discard, []Tensor{{Name: "ok", F32: one}, b}, nil); err == nil {
			t.Errorf("%s: written", name)
		}
	}
	for _, meta := range []map[string]string{{"format": "tf"}, {"a": "\xff"}, {"\xff": "a"}} {
		if err := WriteSafetensors(io.Discard, nil, meta); err == nil {
			t.Errorf("%v: written", meta)
		}
	}
	if err := WriteSafetensors(failingWriter{}, sample(1), nil); !errors.Is(err, io.ErrShortBuffer) {
		t.Error(err)
	}
}

type failingWriter struct{}

func (failingWriter) Write([]byte) (int, error) { return 0, io.ErrShortBuffer }
