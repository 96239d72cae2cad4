package parquet

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	pq "github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress"
	"github.com/parquet-go/parquet-go/format"

	"oneshot/data/source"
	"oneshot/data/source/index"
	"oneshot/data/source/sourcetest"
)

// imageBytes is what the tests store as image i: of different lengths, some empty.
func imageBytes(i int) []byte {
	r := rand.New(rand.NewPCG(uint64(i), 1))
	b := make([]byte, r.IntN(300))
	for k := range b {
		b[k] = byte(r.Uint32())
	}
	return b
}

func labelOf(i int) int64 { return int64(i*i%7) % 5 }

type file struct {
	Bytes []byte `parquet:"bytes,optional"`
	Path  string `parquet:"path,optional"`
}

// row is a record as the datasets library writes it.
type row struct {
	Image *file  `parquet:"image,optional"`
	Label *int64 `parquet:"label,optional"`
}

func record(i int) row {
	y := labelOf(i)
	return row{&file{imageBytes(i), fmt.Sprintf("%d.png", i)}, &y}
}

const notes = `{"info": {"features": {"image": {"_type": "Image"}, "label": {"names": ["a", "b", "c", "d", "e"], "_type": "ClassLabel"}}}}`

func write[T any](t testing.TB, path string, rows []T, options ...pq.WriterOption) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w := pq.NewGenericWriter[T](f, options...)
	if _, err := w.Write(rows); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
}

// records makes n records from number first on.
func records(first, n int) []row {
	var rows []row
	for i := range n {
		rows = append(rows, record(first+i))
	}
	return rows
}

func open(t testing.TB, path string, opts Options) source.Source {
	t.Helper()
	s, err := Open(path, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// want reads every record of a split, in an order that jumps, and compares it with the formulas.
func want(t *testing.T, s source.Source, split, first, n int) {
	t.Helper()
	labels := s.Info().Splits[split].Labels
	if len(labels) != n || len(s.Info().Splits[split].Sizes) != n {
		t.Fatalf("%d labels and %d sizes, want %d", len(labels), len(s.Info().Splits[split].Sizes), n)
	}
	var buf []byte
	for k := range n {
		r := k
		if n > 3 {
			r = k * 7919 % n
		}
		var err error
		if buf, err = s.Read(split, r, buf); err != nil {
			t.Fatalf("record %d: %v", r, err)
		}
		if !bytes.Equal(buf, imageBytes(first+r)) || int64(labels[r]) != labelOf(first+r) {
			t.Fatalf("record %d: %d bytes with label %d, want %d with %d", r, len(buf), labels[r], len(imageBytes(first+r)), labelOf(first+r))
		}
	}
}

// TestWrittenByParquetGo reads what another implementation writes: every codec, both kinds
// of pages, one and many pages and row groups.
func TestWrittenByParquetGo(t *testing.T) {
	codecs := []compress.Codec{&pq.Uncompressed, &pq.Snappy, &pq.Gzip, &pq.Brotli, &pq.Zstd, &pq.Lz4Raw}
	for _, codec := range codecs {
		for _, version := range []int{1, 2} {
			for _, pageSize := range []int{500, 1 << 20} {
				for _, group := range []int64{97, 1 << 20} {
					name := fmt.Sprintf("%s v%d page %d group %d", codec, version, pageSize, group)
					t.Run(name, func(t *testing.T) {
						path := filepath.Join(t.TempDir(), "x.parquet")
						write(t, path, records(0, 400), pq.Compression(codec), pq.DataPageVersion(version),
							pq.PageBufferSize(pageSize), pq.MaxRowsPerRowGroup(group), pq.KeyValueMetadata("huggingface", notes))
						s := open(t, path, Options{})
						want(t, s, 0, 0, 400)
						in := s.Info()
						if in.Format != "parquet" || !in.Named || !slices.Equal(in.Classes, []string{"a", "b", "c", "d", "e"}) || len(in.Notes) != 0 || in.Raw != nil {
							t.Errorf("%+v", in)
						}
						if p := s.Where(0, 123); p.File != path || p.Member != "row 123" || p.Offset < 4 {
							t.Errorf("record lies at %+v", p)
						}
						var stored, told int64
						for i, size := range in.Splits[0].Sizes {
							stored += int64(len(imageBytes(i)))
							told += size
						}
						if !(told > stored*9/10 && told < stored*11/10) {
							t.Errorf("sizes sum up to %d, want about %d", told, stored)
						}
					})
				}
			}
		}
	}
}

// TestEncodings reads columns in each encoding, required and optional ones.
func TestEncodings(t *testing.T) {
	type plain struct {
		Img   []byte `parquet:"img,plain"`
		Label int32  `parquet:"label,plain"`
	}
	type dict struct {
		Img   []byte `parquet:"img,dict"`
		Label int64  `parquet:"fine_label,dict"`
		Other int64  `parquet:"coarse_label"`
	}
	type delta struct {
		Img   []byte `parquet:"img,delta"`
		Label int64  `parquet:"labels,delta"`
	}
	type split struct {
		Img   []byte `parquet:"picture,optional,delta"`
		Label *int32 `parquet:"class,optional,split"`
		Text  string `parquet:"text"`
	}
	n := 300
	var a []plain
	var b []dict
	var c []delta
	var d []split
	for i := range n {
		img, y := imageBytes(i), int32(labelOf(i))
		a = append(a, plain{img, y})
		b = append(b, dict{img, int64(y), 0})
		c = append(c, delta{img, int64(y)})
		d = append(d, split{img, &y, "a text"})
	}
	dir, seen := t.TempDir(), map[format.Encoding]int{}
	for _, version := range []int{1, 2} {
		opts := []pq.WriterOption{pq.DataPageVersion(version), pq.PageBufferSize(1000)}
		write(t, filepath.Join(dir, "a.parquet"), a, opts...)
		write(t, filepath.Join(dir, "b.parquet"), b, opts...)
		write(t, filepath.Join(dir, "c.parquet"), c, opts...)
		write(t, filepath.Join(dir, "d.parquet"), d, opts...)
		for _, name := range []string{"a", "b", "c", "d"} {
			s := open(t, filepath.Join(dir, name+".parquet"), Options{})
			want(t, s, 0, 0, n)
			for _, g := range s.(*Set).shards[0].groups {
				for _, p := range append(g.image.pages, g.label.pages...) {
					seen[p.encoding]++
				}
			}
			if in := s.Info(); in.Named || !slices.Equal(in.Classes, []string{"0", "1", "2", "3", "4"}) {
				t.Errorf("%s: classes %v", name, in.Classes)
			}
		}
	}
	if len(seen) != 5 { // the sixth, delta length, is in testdata
		t.Errorf("encodings tried: %v, want 5", seen)
	}
}

// TestSmallCache reads with a cache that holds one page, from several goroutines.
func TestSmallCache(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.parquet")
	write(t, path, records(0, 500), pq.PageBufferSize(2000), pq.MaxRowsPerRowGroup(100), pq.Compression(&pq.Snappy))
	for _, limit := range []int64{1, 5000, 1 << 30} {
		s := open(t, path, Options{Cache: limit})
		var wg sync.WaitGroup
		for g := range 8 {
			wg.Add(1)
			go func() {
				defer wg.Done()
				r := rand.New(rand.NewPCG(uint64(g), 2))
				var buf []byte
				for range 500 {
					i := r.IntN(500)
					var err error
					if buf, err = s.Read(0, i, buf); err != nil || !bytes.Equal(buf, imageBytes(i)) {
						t.Errorf("record %d: %v", i, err)
						return
					}
				}
			}()
		}
		wg.Wait()
		c := s.(*Set).cache
		var sum int64
		for _, e := range c.pages {
			sum += e.Value.(*decoded).size
		}
		if sum != c.size || c.size > limit && c.recent.Len() > 1 || c.recent.Len() != len(c.pages) {
			t.Errorf("limit %d: %d pages of %d bytes, counted %d", limit, c.recent.Len(), sum, c.size)
		}
	}
}

// TestSource: of images of one length in a page, the listed sizes are right.
func TestSource(t *testing.T) {
	type plain struct {
		Image []byte `parquet:"image,plain"`
		Label int64  `parquet:"label"`
	}
	var rows []plain
	for i := range 40 {
		rows = append(rows, plain{bytes.Repeat([]byte{byte(i)}, 64), labelOf(i)})
	}
	dir := t.TempDir()
	write(t, filepath.Join(dir, "train-00000-of-00002.parquet"), rows, pq.PageBufferSize(700), pq.MaxRowsPerRowGroup(20))
	write(t, filepath.Join(dir, "train-00001-of-00002.parquet"), rows)
	write(t, filepath.Join(dir, "test-00000-of-00001.parquet"), rows)
	sourcetest.Run(t, func() (source.Source, error) { return Open(dir, Options{}) })
}

// TestManyShards: more shards than files may be open are read, each opened when it is needed.
func TestManyShards(t *testing.T) {
	dir := t.TempDir()
	const n = index.MaxOpen + 6
	for i := range n {
		write(t, filepath.Join(dir, fmt.Sprintf("train-%05d-of-%05d.parquet", i, n)), records(2*i, 2))
	}
	s := open(t, dir, Options{Cache: 1})
	for range 2 {
		want(t, s, 0, 0, 2*n)
	}
	// After the others were opened the first is closed: what takes its place is noticed.
	s = open(t, dir, Options{Cache: 1})
	write(t, filepath.Join(dir, fmt.Sprintf("train-%05d-of-%05d.parquet", 0, n)), records(0, 3))
	_, err := s.Read(0, 0, nil)
	var changed *index.ChangedError
	if !errors.As(err, &changed) {
		t.Errorf("a replaced file: %v", err)
	}
}

// TestTwice: a file is not read twice, nor two versions of one set.
func TestTwice(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	write(t, at("train-00000-of-00002-aa.parquet"), records(0, 2))
	write(t, at("train-00000-of-00002-bb.parquet"), records(0, 2))
	if _, err := Open(dir, Options{}); err == nil || !strings.Contains(err.Error(), "-aa.parquet") || !strings.Contains(err.Error(), "-bb.parquet") {
		t.Errorf("one number twice: %v", err)
	}
	if err := errors.Join(os.Remove(at("train-00000-of-00002-bb.parquet")), os.Symlink(at("train-00000-of-00002-aa.parquet"), at("test.parquet"))); err != nil {
		t.Fatal(err)
	}
	var e *source.FileError
	if _, err := Open(dir, Options{}); !errors.As(err, &e) || e.File != at("test.parquet") || !strings.Contains(e.Msg, "-aa.parquet again") {
		t.Errorf("a link: %v", err)
	}
}

// TestLayouts opens folders as the hub has them.
func TestLayouts(t *testing.T) {
	for _, c := range []struct {
		title string
		names []string // a name per file, each of ten records, in the order of the records
		path  string
		split []string
		per   []int
		note  string
		err   string
	}{
		{"shards", []string{"train-00000-of-00002.parquet", "train-00001-of-00002-1a2b3c.parquet", "test-00000-of-00001.parquet"}, "", []string{"train", "test"}, []int{20, 10}, "", ""},
		{"the set's name before the split", []string{"cifar10-train-00000-of-00001.parquet", "cifar10-test-00000-of-00001.parquet"}, "", []string{"train", "test"}, []int{10, 10}, "", ""},
		{"other words", []string{"Train.parquet", "eval/0000.parquet", "unlabelled-00000-of-00001.parquet"}, "", []string{"Train", "eval", "unlabelled"}, []int{10, 10, 10}, "", ""},
		{"numbers are not octal", []string{"train-00008-of-00010.parquet", "train-00010-of-00010.parquet"}, "", []string{"train"}, []int{20}, "2 of 10 files of split \"train\" are here", ""},
		{"in data", []string{"data/train-00000-of-00001.parquet", "data/validation-00000-of-00001.parquet"}, "", []string{"train", "validation"}, []int{10, 10}, "", ""},
		{"one configuration", []string{"plain_text/train-00000-of-00001.parquet", "plain_text/test-00000-of-00001.parquet"}, "", []string{"train", "test"}, []int{10, 10}, "", ""},
		{"converted", []string{"default/train/0000.parquet", "default/train/0001.parquet", "default/test/0000.parquet"}, "", []string{"train", "test"}, []int{20, 10}, "", ""},
		{"split folders", []string{"train/0000.parquet", "test/0000.parquet"}, "", []string{"train", "test"}, []int{10, 10}, "", ""},
		{"two configurations", []string{"large/train/0000.parquet", "small/train/0000.parquet"}, "", nil, nil, "", "holds 2 sets, name the folder of one: large, small"},
		{"one of two", []string{"large/train/0000.parquet", "small/train/0000.parquet"}, "large", []string{"train"}, []int{10}, "", ""},
		{"beside one", []string{"x.parquet", "small/train/0000.parquet"}, "", nil, nil, "", "small, the folder itself"},
		{"plain names", []string{"train.parquet", "test.parquet"}, "", []string{"train", "test"}, []int{10, 10}, "", ""},
		{"by number", []string{"part9.parquet", "part10.parquet"}, "", []string{""}, []int{20}, "", ""},
		{"a file", []string{"cifar_train.parquet", "cifar_test.parquet"}, "cifar_train.parquet", []string{"train"}, []int{10}, "", ""},
		{"incomplete", []string{"train-00003-of-00005.parquet"}, "", []string{"train"}, []int{10}, "1 of 5 files of split \"train\" are here", ""},
		{"other files", []string{"train.parquet", ".git/x.parquet"}, "", []string{"train"}, []int{10}, "", ""},
		{"none", nil, "", nil, nil, "", "no parquet files"},
	} {
		t.Run(c.title, func(t *testing.T) {
			dir := t.TempDir()
			for i, name := range c.names {
				write(t, filepath.Join(dir, name), records(10*i, 10))
			}
			path := filepath.Join(dir, c.path)
			s, err := Open(path, Options{})
			if c.err != "" {
				var f *source.FileError
				if !errors.As(err, &f) || !strings.Contains(err.Error(), c.err) {
					t.Errorf("got %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			first := 0
			var names []string
			for i, split := range s.Info().Splits {
				names = append(names, split.Name)
				want(t, s, i, first, c.per[i])
				first += c.per[i]
			}
			if !slices.Equal(names, c.split) || strings.Join(s.Info().Notes, "") != c.note {
				t.Errorf("splits %v, notes %v", names, s.Info().Notes)
			}
			if Detect(path) != s.Info().About {
				t.Errorf("detected %q, opened %q", Detect(path), s.Info().About)
			}
		})
	}
	if _, err := Open(filepath.Join(t.TempDir(), "nowhere"), Options{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing folder: %v", err)
	}
}
