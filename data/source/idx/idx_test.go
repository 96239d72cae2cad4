package idx

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"oneshot/data/source"
	"oneshot/data/source/sourcetest"
)

// file returns an IDX file of unsigned bytes.
func file(dims []int, values []byte) []byte {
	b := []byte{0, 0, 8, byte(len(dims))}
	for _, d := range dims {
		b = binary.BigEndian.AppendUint32(b, uint32(d))
	}
	return append(b, values...)
}

// pixels are the values of n images of size bytes, from image first on.
func pixels(first, n, size int) []byte {
	b := make([]byte, n*size)
	for i := range b {
		k := first*size + i
		b[i] = byte(k*7 + k/size*3)
	}
	return b
}

func gz(t testing.TB, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// mnist is a set of five training images and two test images of 3x4 pixels.
func mnist() map[string][]byte {
	return map[string][]byte{
		"train-images-idx3-ubyte": file([]int{5, 3, 4}, pixels(0, 5, 12)),
		"train-labels-idx1-ubyte": file([]int{5}, []byte{3, 0, 2, 1, 0}),
		"t10k-images-idx3-ubyte":  file([]int{2, 3, 4}, pixels(5, 2, 12)),
		"t10k-labels-idx1-ubyte":  file([]int{2}, []byte{4, 1}),
	}
}

func write(t testing.TB, dir string, files map[string][]byte) {
	t.Helper()
	for name, b := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// renamed returns the files under other names.
func renamed(files map[string][]byte, name func(string) string) map[string][]byte {
	out := map[string][]byte{}
	for k, b := range files {
		out[name(k)] = b
	}
	return out
}

func open(t *testing.T, path string) source.Source {
	t.Helper()
	s, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestSource(t *testing.T) {
	plain, zipped := t.TempDir(), t.TempDir()
	write(t, plain, mnist())
	for name, b := range mnist() {
		write(t, zipped, map[string][]byte{name + ".gz": gz(t, b)})
	}
	for _, dir := range []string{plain, zipped} {
		sourcetest.Run(t, func() (source.Source, error) { return Open(dir) })
	}
}

// TestPlaces opens the set where people have it, and wants every value and label.
func TestPlaces(t *testing.T) {
	zipped := map[string][]byte{}
	for name, b := range mnist() {
		zipped[name+".gz"] = gz(t, b)
	}
	both := mnist()
	for name := range mnist() {
		both[name+".gz"] = []byte("not read")
	}
	under := func(dir string) map[string][]byte {
		return renamed(mnist(), func(n string) string { return filepath.Join(dir, n) })
	}
	for _, c := range []struct {
		title string
		files map[string][]byte
		path  string
	}{
		{"folder", mnist(), ""},
		{"a file", mnist(), "t10k-labels-idx1-ubyte"},
		{"dots", renamed(mnist(), func(n string) string { return strings.Replace(n, "-idx", ".idx", 1) }), ""},
		{"gzipped", zipped, ""},
		{"both", both, ""},
		{"torchvision", under("MNIST/raw"), ""},
		{"torchvision's folder", under("raw"), ""},
		{"EMNIST", renamed(mnist(), func(n string) string {
			return "EMNIST/raw/emnist-letters-" + strings.Replace(n, "t10k", "test", 1)
		}), ""},
		{"one of several", func() map[string][]byte {
			all := renamed(mnist(), func(n string) string { return "emnist-letters-" + n })
			for name, b := range mnist() {
				all["emnist-digits-"+name] = b[:1]
			}
			return all
		}(), "emnist-letters-train-images-idx3-ubyte"},
	} {
		t.Run(c.title, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, c.files)
			path := filepath.Join(dir, c.path)
			if got := Detect(path); got != "IDX files" {
				t.Errorf("detected %q", got)
			}
			s := open(t, path)
			in := s.Info()
			if in.Format != "mnist" || !reflect.DeepEqual(in.Raw, &source.Raw{Height: 3, Width: 4, Channels: 1}) ||
				!slices.Equal(in.Classes, []string{"0", "1", "2", "3", "4"}) || in.Named || len(in.Splits) != 2 || len(in.Notes) != 0 {
				t.Errorf("%+v", in)
			}
			k := 0
			for i, want := range []source.Split{
				{Name: "train", Labels: []int32{3, 0, 2, 1, 0}, Sizes: []int64{12, 12, 12, 12, 12}},
				{Name: "test", Labels: []int32{4, 1}, Sizes: []int64{12, 12}},
			} {
				if !reflect.DeepEqual(in.Splits[i], want) {
					t.Errorf("split %+v, want %+v", in.Splits[i], want)
				}
				for r := range want.Labels {
					got, err := s.Read(i, r, nil)
					if err != nil || !bytes.Equal(got, pixels(k, 1, 12)) {
						t.Errorf("%s image %d: %v, %v", want.Name, r, got, err)
					}
					if at := s.Where(i, r); at.Offset != int64(16+12*r) || !strings.Contains(at.File, "images") {
						t.Errorf("image %d lies at %v %d", r, at, at.Offset)
					}
					k++
				}
			}
		})
	}
}

func TestColour(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string][]byte{
		"train-images-idx4-ubyte": file([]int{2, 2, 2, 3}, pixels(0, 2, 12)),
		"train-labels-idx1-ubyte": file([]int{2}, []byte{0, 1}),
		"classes.txt":             []byte("cat\nblack dog\r\nfox\n"),
	})
	s := open(t, dir)
	in := s.Info()
	if !reflect.DeepEqual(in.Raw, &source.Raw{Height: 2, Width: 2, Channels: 3}) || !in.Named ||
		!slices.Equal(in.Classes, []string{"cat", "black dog", "fox"}) {
		t.Errorf("%+v", in)
	}
	if len(in.Splits) != 1 || len(in.Notes) != 1 || !strings.Contains(in.Notes[0], "t10k-images-idx3-ubyte is missing") {
		t.Errorf("splits %v, notes %q", in.Splits, in.Notes)
	}
	if got, err := s.Read(0, 1, make([]byte, 0, 100)); err != nil || !bytes.Equal(got, pixels(1, 1, 12)) {
		t.Errorf("%v, %v", got, err)
	}
}

func TestReadsAtOnce(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, mnist())
	s := open(t, dir)
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			var buf []byte
			for i := range 500 {
				var err error
				if buf, err = s.Read(0, (g+i)%5, buf); err != nil || !bytes.Equal(buf, pixels((g+i)%5, 1, 12)) {
					t.Errorf("image %d: %v", (g+i)%5, err)
					return
				}
			}
		}()
	}
	wg.Wait()
}

// TestDamage breaks one file and wants it and the trouble named.
func TestDamage(t *testing.T) {
	long := file([]int{5, 3, 4}, pixels(0, 5, 12))
	for _, c := range []struct {
		name    string // of the file that is replaced
		content []byte // nil: removed
		offset  int64
		message string
	}{
		{"train-images-idx3-ubyte", long[:75], 75, "size is 75 bytes, want 76 for the lengths [5 3 4]"},
		{"train-images-idx3-ubyte", append(slices.Clone(long), 0), 76, "size is 77 bytes, want 76"},
		{"train-images-idx3-ubyte", long[:10], 10, "ends within the header"},
		{"train-images-idx3-ubyte", nil, 0, "file is missing"},
		{"train-labels-idx1-ubyte", nil, 0, "file is missing"},
		{"t10k-images-idx3-ubyte", nil, 0, "file is missing"},
		{"t10k-labels-idx1-ubyte", nil, 0, "file is missing"},
		{"train-labels-idx1-ubyte", []byte{0, 0}, 2, "ends within the header"},
		{"train-labels-idx1-ubyte", file([]int{4}, []byte{3, 0, 2, 1}), 4, "file holds 4 labels, there are 5 images"},
		{"train-labels-idx1-ubyte", long, 3, "labels have 3 dimensions, want 1"},
		{"train-images-idx3-ubyte", file([]int{5}, []byte{3, 0, 2, 1, 0}), 3, "the array has 1 dimensions, want 3 or 4"},
		{"t10k-images-idx3-ubyte", file([]int{2, 4, 3}, pixels(5, 2, 12)), 4, "images are 4x3x1, those of the first file 3x4x1"},
		{"train-images-idx3-ubyte", append([]byte{0, 0, 0x0D, 3}, long[4:]...), 2, "type 32-bit float, want unsigned byte"},
		{"train-images-idx3-ubyte", append([]byte{0, 0, 7, 3}, long[4:]...), 0, "magic number is 00000703"},
		{"train-images-idx3-ubyte", append([]byte{0, 0, 8, 5}, long[4:]...), 3, "5 dimensions"},
		{"train-images-idx3-ubyte", []byte("\x89PNG\r\n\x1a\n"), 0, "magic number"},
		{"train-images-idx3-ubyte", file([]int{0, 3, 4}, nil), 4, "no images"},
		{"train-images-idx3-ubyte", file([]int{5, 0, 4}, nil), 8, "0x4 pixels"},
		{"train-images-idx3-ubyte", file([]int{1, 1, 1, 2}, []byte{1, 2}), 16, "2 channels"},
		{"train-images-idx3-ubyte", file([]int{-1, -1, -1}, nil), 4, "the header claims lengths"},
		{"classes.txt", []byte("one\ntwo\n"), 0, "file names 2 classes, the labels need 5"},
		{"train-images-idx3-ubyte.gz", gz(t, long[:75]), 75, "ends after 75 bytes, want 76"},
		{"train-images-idx3-ubyte.gz", gz(t, append(slices.Clone(long), 0)), 76, "does not end after 76 bytes"},
		{"train-images-idx3-ubyte.gz", long, 0, "not gzipped"},
		{"train-images-idx3-ubyte.gz", gz(t, file([]int{60000, 28, 28}, nil)), 4, "the header claims 47040000 bytes"},
		{"train-images-idx3-ubyte.gz", func() []byte { b := gz(t, long); b[len(b)-6] ^= 1; return b }(), 76, "checksum"},
	} {
		t.Run(c.message, func(t *testing.T) {
			dir, files := t.TempDir(), mnist()
			delete(files, strings.TrimSuffix(c.name, ".gz"))
			if c.content != nil {
				files[c.name] = c.content
			} else if c.name == "train-images-idx3-ubyte" {
				files["train-images-idx3-ubyte"+"x"] = nil // another name is not taken for it
			}
			write(t, dir, files)
			_, err := Open(dir)
			var f *source.FileError
			if !errors.As(err, &f) || f.File != filepath.Join(dir, c.name) || f.Offset != c.offset || !strings.Contains(err.Error(), c.message) {
				t.Errorf("got %v at %+v", err, f)
			}
			if missing := c.content == nil; errors.Is(err, fs.ErrNotExist) != missing {
				t.Errorf("errors.Is(err, fs.ErrNotExist) = %v", !missing)
			}
		})
	}
	dir := t.TempDir()
	write(t, dir, renamed(mnist(), func(n string) string { return "a-" + n }))
	write(t, dir, renamed(mnist(), func(n string) string { return "b-" + n }))
	if _, err := Open(dir); err == nil || !strings.Contains(err.Error(), "holds 2 sets") || !strings.Contains(err.Error(), "b-train-images-idx3-ubyte") {
		t.Errorf("two sets: %v", err)
	}
	if _, err := Open(filepath.Join(dir, "nowhere")); !errors.Is(err, fs.ErrNotExist) || Detect(filepath.Join(dir, "nowhere")) != "" {
		t.Errorf("missing folder: %v", err)
	}
}

// FuzzOpen feeds both files of a set arbitrary bytes: what opens can be read to the end.
func FuzzOpen(f *testing.F) {
	m := mnist()
	f.Add(false, m["train-images-idx3-ubyte"], m["train-labels-idx1-ubyte"])
	f.Add(true, gz(f, m["train-images-idx3-ubyte"]), m["train-labels-idx1-ubyte"])
	f.Add(false, file([]int{1 << 30, 1 << 30, 1 << 30}, nil), m["train-labels-idx1-ubyte"])
	f.Add(true, gz(f, file([]int{1 << 15, 1 << 15, 1}, nil)), file([]int{1 << 15}, nil))
	f.Fuzz(func(t *testing.T, zipped bool, images, labels []byte) {
		name := "train-images-idx3-ubyte"
		if zipped {
			name += ".gz"
		}
		dir := t.TempDir()
		write(t, dir, map[string][]byte{name: images, "train-labels-idx1-ubyte": labels})
		s, err := Open(dir)
		var fault *source.FileError
		if err != nil {
			if !errors.As(err, &fault) {
				t.Fatalf("error %#v", err)
			}
			return
		}
		defer s.Close()
		for r, y := range s.Info().Splits[0].Labels {
			if int(y) >= len(s.Info().Classes) {
				t.Fatalf("label %d of %d classes", y, len(s.Info().Classes))
			}
			if _, err := s.Read(0, r, nil); err != nil {
				t.Fatal(err)
			}
		}
	})
}
