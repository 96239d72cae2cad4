package parquet

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	pq "github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"

	"oneshot/data/source"
)

func golden(t testing.TB, name string) []byte {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata/golden", name+".parquet"))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// withFooter returns a file with other metadata.
func withFooter(raw, meta []byte) []byte {
	n := len(raw) - 8 - int(binary.LittleEndian.Uint32(raw[len(raw)-8:]))
	out := append(slices.Clone(raw[:n]), meta...)
	out = binary.LittleEndian.AppendUint32(out, uint32(len(meta)))
	return append(out, "PAR1"...)
}

// edited returns a file whose metadata were changed.
func edited(t *testing.T, raw []byte, edit func(*format.FileMetaData)) []byte {
	t.Helper()
	meta, _, err := footer(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		t.Fatal(err)
	}
	edit(meta)
	b, err := thrift.Marshal(&thrift.CompactProtocol{}, meta)
	if err != nil {
		t.Fatal(err)
	}
	return withFooter(raw, b)
}

// readAll reads everything in a source. It returns the first error.
func readAll(s source.Source) error {
	for k, split := range s.Info().Splits {
		for r := range split.Labels {
			if _, err := s.Read(k, r, nil); err != nil {
				return err
			}
		}
	}
	return nil
}

// readFile opens a file and reads everything in it.
func readFile(path string) error {
	s, err := Open(path, Options{})
	if err != nil {
		return err
	}
	defer s.Close()
	return readAll(s)
}

// TestDamage wants the trouble of each damaged file named, and little memory taken for it.
func TestDamage(t *testing.T) {
	raw := golden(t, "uncompressed")
	column := func(m *format.FileMetaData, i int) *format.ColumnMetaData { return &m.RowGroups[0].Columns[i].MetaData }
	meta := func(edit func(*format.FileMetaData)) []byte { return edited(t, raw, edit) }
	list := func(head ...byte) []byte { return withFooter(raw, append(head, 0xFF, 0xFF, 0xFF, 0xFF, 0x07)) }
	start := int(binary.LittleEndian.Uint32(raw[len(raw)-8:]))
	poke := func(name string, at int, v byte) []byte { b := golden(t, name); b[at] ^= v; return b }
	for _, c := range []struct {
		title   string
		content []byte
		message string
	}{
		{"empty", nil, "file has 0 bytes"},
		{"text", []byte("this is a text and no parquet file"), `starts with "this"`},
		{"cut", raw[:len(raw)-20], "it is not complete"},
		{"encrypted", append(slices.Clone(raw[:len(raw)-1]), 'E'), "encrypted"},
		{"metadata longer than the file", append(slices.Clone(raw[:len(raw)-8]), 0xFF, 0xFF, 0xFF, 0xFF, 'P', 'A', 'R', '1'), "metadata claims 4294967295 bytes"},
		{"metadata cut", withFooter(raw, raw[len(raw)-8-start:len(raw)-20]), "data ends in the middle"},
		{"no metadata", withFooter(raw, []byte{0}), "missing required field"},
		{"long list", list(0x29, 0xFC), "a list claims 2147483647 elements"},
		{"long text", list(0x68), "data ends in the middle"},
		{"many structures", withFooter(raw, append([]byte{0x49, 0xFC, 0xE0, 0xD4, 0x03}, make([]byte, 60001)...)), "more structures than"},
		{"deep", withFooter(raw, bytes.Repeat([]byte{0x1C}, 1<<20)), "nested more than"},
		{"deep lists", withFooter(raw, append([]byte{0x19}, bytes.Repeat([]byte{0x19}, 1<<20)...)), "nested more than"},
		{"many rows", meta(func(m *format.FileMetaData) { m.RowGroups[0].NumRows = 1 << 40 }), "has 1099511627776 rows"},
		{"negative rows", meta(func(m *format.FileMetaData) { m.RowGroups[0].NumRows = -1 }), "has -1 rows"},
		{"a row more", meta(func(m *format.FileMetaData) { m.RowGroups[0].NumRows++ }), "column has 24 values, its row group 25 rows"},
		{"a row less", meta(func(m *format.FileMetaData) { m.RowGroups[0].NumRows-- }), "column has 24 values, its row group 23 rows"},
		{"column beyond the end", meta(func(m *format.FileMetaData) { column(m, 0).TotalCompressedSize = math.MaxInt64 }), "column lies at 4 and has 9223372036854775807 bytes"},
		{"column before the start", meta(func(m *format.FileMetaData) { column(m, 0).DataPageOffset = -9 }), "column lies at -9"},
		{"column elsewhere", meta(func(m *format.FileMetaData) { m.RowGroups[0].Columns[2].FilePath = "/etc/passwd" }), `lies in another file, "/etc/passwd"`},
		{"column of another type", meta(func(m *format.FileMetaData) { column(m, 2).Type = format.Double }), "of another type"},
		{"a column less", meta(func(m *format.FileMetaData) { m.RowGroups[0].Columns = m.RowGroups[0].Columns[:2] }), "has 2 columns, the schema 3"},
		{"unknown codec", meta(func(m *format.FileMetaData) { column(m, 0).Codec = format.LZO }), "compressed by LZO, which is not read"},
		{"schema cut", meta(func(m *format.FileMetaData) { m.Schema = m.Schema[:4] }), "schema ends in the middle"},
		{"wrong codec", meta(func(m *format.FileMetaData) { column(m, 0).Codec = format.Snappy }), "its page is damaged"},
		{"wrong codec of labels", meta(func(m *format.FileMetaData) { column(m, 2).Codec = format.Zstd }), "column label, row group 0: page cannot be unpacked"},
		{"wrong codec, LZ4", meta(func(m *format.FileMetaData) { column(m, 0).Codec = format.Lz4Raw }), "its page is damaged"},
		{"wrong codec, Brotli", meta(func(m *format.FileMetaData) { column(m, 0).Codec = format.Brotli }), "its page is damaged"},
		{"wrong codec, gzip", meta(func(m *format.FileMetaData) { column(m, 0).Codec = format.Gzip }), "its page is damaged"},
		{"page header", poke("uncompressed", 4, 0xFF), "page header"},
		{"stored gzip", poke("gzip", 300, 0xFF), "page"},
	} {
		t.Run(c.title, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "x.parquet")
			if err := os.WriteFile(path, c.content, 0o644); err != nil {
				t.Fatal(err)
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			err := readFile(path)
			runtime.ReadMemStats(&after)
			f := placeOf(err)
			if f.File != path || f.Offset < 0 || f.Offset > int64(len(c.content)) || !strings.Contains(err.Error(), c.message) {
				t.Errorf("got %v", err)
			}
			if took := after.TotalAlloc - before.TotalAlloc; took > 16<<20 {
				t.Errorf("%d bytes were reserved for a file of %d", took, len(c.content))
			}
		})
	}
}

// placeOf is where an error of a file or of a record says that the trouble is.
func placeOf(err error) source.Place {
	var record *source.Fault
	if errors.As(err, &record) {
		return record.Place
	}
	var file *source.FileError
	if errors.As(err, &file) {
		return source.Place{File: file.File, Offset: file.Offset}
	}
	return source.Place{}
}

// TestChecksum: a bit that flips in a page with a checksum is noticed.
func TestChecksum(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.parquet")
	write(t, path, records(0, 50))
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	s := open(t, path, Options{})
	at := s.(*Set).shards[0].groups[0].image.pages[0].at
	raw[at+1000] ^= 1
	if err := os.WriteFile(path, raw, 0o644); err != nil {
		t.Fatal(err)
	}
	var f *source.Fault
	if err := readFile(path); !errors.As(err, &f) || f.Offset != at || !strings.Contains(err.Error(), "does not match its checksum") {
		t.Errorf("got %v", err)
	}
}

// pack compresses b.
func pack(t *testing.T, codec format.CompressionCodec, b []byte) []byte {
	t.Helper()
	out, err := pq.LookupCompressionCodec(codec).Encode(nil, b)
	if err != nil {
		t.Fatal(err)
	}
	return slices.Clone(out)
}

// TestUnpackBounds offers pages that would unpack to more than they say.
func TestUnpackBounds(t *testing.T) {
	big := make([]byte, 64<<20)
	for _, codec := range []format.CompressionCodec{format.Snappy, format.Gzip, format.Brotli, format.Zstd, format.Lz4Raw} {
		packed := pack(t, codec, big)
		for _, size := range []int{0, 1, 1000, len(big) - 1} {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := unpack(codec, packed, size)
			runtime.ReadMemStats(&after)
			if took := after.TotalAlloc - before.TotalAlloc; err == nil || took > uint64(size)+(20<<20) {
				t.Errorf("%s to %d bytes: %v, %d bytes reserved", codec, size, err, took)
			}
		}
		if out, err := unpack(codec, packed, len(big)); len(packed) > len(big)/maxRatio && (err != nil || !bytes.Equal(out, big)) {
			t.Errorf("%s: %v", codec, err)
		}
		if _, err := unpack(codec, packed[:len(packed)-1], len(big)); err == nil {
			t.Errorf("%s: a cut page is unpacked", codec)
		}
		if _, err := unpack(codec, packed, len(big)+1); err == nil {
			t.Errorf("%s: a byte too many is promised", codec)
		}
	}
	if _, err := unpack(format.Zstd, []byte{1, 2, 3}, math.MaxInt32); err == nil || !strings.Contains(err.Error(), "claims to unpack") {
		t.Errorf("2 GB from 3 bytes: %v", err)
	}
}

// memory is a file in memory.
type memory struct{ *bytes.Reader }

func (memory) Close() error { return nil }

// FuzzOpen: whatever the file, records or an error that is a fault.
func FuzzOpen(f *testing.F) {
	paths, err := filepath.Glob("testdata/golden/*.parquet")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range paths {
		raw, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		sh := &shard{path: "f", file: memory{bytes.NewReader(raw)}}
		s := &Set{cache: newCache(1 << 20), shards: []*shard{sh}}
		err := sh.open(int64(len(raw)), Options{})
		if err == nil {
			err = s.index(&found{path: "f", files: []shardFile{{path: "f"}}})
		}
		if err == nil {
			err = readAll(s)
		}
		var fault *source.Fault
		var file *source.FileError
		if err != nil && !errors.As(err, &fault) && !errors.As(err, &file) {
			t.Fatalf("error %#v", err)
		}
	})
}

// lengths encodes at most 33 numbers as differences of 64 bits, and a byte after them.
func lengths(v ...int64) []byte {
	b := binary.AppendUvarint(nil, 128)
	b = append(b, 4, byte(len(v)))
	b = binary.AppendVarint(b, v[0])
	b = append(b, 0, 64, 0, 0, 0) // the least difference, and the bits of each part
	part := make([]byte, 32*8)
	for i := range v[1:] {
		binary.LittleEndian.PutUint64(part[8*i:], uint64(v[i+1]-v[i]))
	}
	return append(append(b, part...), 'a')
}

// FuzzEncodings feeds the decoders of values arbitrary bytes: as many values as asked for, or an error.
func FuzzEncodings(f *testing.F) {
	f.Add(byte(0), []byte{4, 7, 3, 0x88, 0xC6, 0xFA}, uint16(10))
	f.Add(byte(1), []byte{128, 1, 4, 5, 2, 1, 0, 0, 0, 0}, uint16(5))
	f.Add(byte(2), []byte{1, 0, 0, 0, 'a', 0, 0, 0, 0}, uint16(2))
	f.Add(byte(3), []byte{128, 1, 4, 2, 2, 0, 0, 0, 0, 0, 'a', 'b'}, uint16(2))
	f.Add(byte(4), []byte{128, 1, 4, 1, 0, 128, 1, 4, 1, 2, 'a'}, uint16(1))
	f.Add(byte(3), lengths(1, math.MaxInt64, math.MaxInt64-100), uint16(3)) // their sum overflows
	f.Fuzz(func(t *testing.T, kind byte, b []byte, count uint16) {
		n := int(count)
		got, err := n, error(nil)
		var s spans
		switch kind % 5 {
		case 0:
			var v []uint32
			v, err = hybrid(b, int(kind/5), n)
			got = len(v)
		case 1:
			var v []int64
			v, _, err = deltas(b, n)
			got = len(v)
		case 2:
			s, err = plainSpans(b, n)
			got = s.len()
		case 3:
			s, err = deltaSpans(b, n)
			got = s.len()
		case 4:
			s, err = prefixSpans(b, n)
			got = s.len()
		}
		if err == nil && got != n {
			t.Fatalf("%d values, want %d", got, n)
		}
		for i := range s.len() {
			if _, ok := s.get(i); !ok && err == nil {
				t.Fatalf("value %d is null", i)
			}
		}
	})
}
