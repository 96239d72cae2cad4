package cifar

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"oneshot/data/source"
)

// TestDamage breaks one thing at a time and wants file, offset and trouble named.
func TestDamage(t *testing.T) {
	change := func(edit func([]byte) []byte) func(string) error {
		return func(path string) error {
			raw, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			return os.WriteFile(path, edit(raw), 0o644)
		}
	}
	poke := func(at int, v byte) func(string) error {
		return change(func(b []byte) []byte { b[at] = v; return b })
	}
	swap := func(old, repl string) func(string) error {
		return change(func(b []byte) []byte { return bytes.Replace(b, []byte(old), []byte(repl), 1) })
	}
	cut := func(n int) func(string) error { return change(func(b []byte) []byte { return b[:n] }) }
	folder := func(path string) error { return errors.Join(os.Remove(path), os.Mkdir(path, 0o755)) }
	for _, c := range []struct {
		title, version, file string
		damage               func(path string) error
		offset               int64
		message, hint        string
	}{
		{"coarse label", "bin", "train.bin", poke(3074, 20), 3074, "coarse label is 20, want 0 to 19: record 1", "download"},
		{"fine label", "bin", "test.bin", poke(1, 100), 1, "fine label is 100, want 0 to 99: record 0", "download"},
		{"one byte short", "bin", "train.bin", cut(6147), 3074, "size is 6147 bytes, want a multiple of 3074", "damaged"},
		{"empty", "bin", "test.bin", cut(0), 0, "size is 0 bytes", "damaged"},
		{"test missing", "bin", "test.bin", os.Remove, 0, "file is missing", "incomplete"},
		{"train missing", "bin", "train.bin", os.Remove, 0, "file is missing", "incomplete"},
		{"a folder", "bin", "test.bin", folder, 0, "not a regular file", ""},
		{"names", "bin", "fine_label_names.txt", cut(16), 0, "file names 2 classes, want 100", ""},
		{"cut in the data", "py2", "train", cut(5000), 264, "ends after 5000 bytes", "python version"},
		{"cut in the frame", "p5", "test", cut(100), 2, "a frame has", "python version"},
		{"no pickle", "p5", "test", cut(0), 0, "ends after 0 bytes", "python version"},
		{"fine label", "py2", "train", swap("K\x63K\x2a", "K\x64K\x2a"), 0, "fine label is 100, want 0 to 99: record 0", "md5 eb9058c3a382ffc7106e4002c42a8d85"},
		{"negative label", "py2text", "train", swap("I42\n", "I-1\n"), 0, "fine label is -1", "download"},
		{"labels short", "py2", "train", swap("K\x63K\x2a", "K\x63"), 0, "fine_labels holds 1 labels, data 2 images", "damaged"},
		{"labels are text", "py2", "train", swap("K\x63K\x2a", "K\x63U\x001"), 0, "", "damaged"},
		{"another dtype", "py2", "train", swap("U\x02u1", "U\x02i1"), 0, "dtype i1, want u1", "damaged"},
		{"another shape", "py2", "train", swap("(K\x01M\x02\x00M\x00\x0c", "(K\x01M\x02\x00M\x00\x08"), 0, "data is not of shape (n, 3072)", "damaged"},
		{"no data", "py2", "train", swap("U\x04data", "U\x04date"), 0, "data is no numpy array", "damaged"},
		{"no fine names", "p5", "meta", swap("fine_label_names", "file_label_names"), 0, "fine_label_names is no list", "damaged"},
	} {
		t.Run(c.version+" "+c.title, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS(filepath.Join("testdata/golden", c.version))); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(dir, c.file)
			before, _ := os.ReadFile(path)
			if err := c.damage(path); err != nil {
				t.Fatal(err)
			}
			if after, err := os.ReadFile(path); err == nil && bytes.Equal(before, after) {
				t.Fatal("nothing was damaged")
			}
			_, err := Open(dir, Options{Format: "cifar100"})
			var f *source.FileError
			if !errors.As(err, &f) {
				t.Fatalf("got %v, want a *source.FileError", err)
			}
			if f.File != path || c.message != "" && (f.Offset != c.offset || !strings.Contains(f.Msg, c.message)) {
				t.Errorf("got %v at %d", err, f.Offset)
			}
			if (f.Hint != "") != (c.hint != "") || !strings.Contains(f.Hint, c.hint) {
				t.Errorf("hint of %v", err)
			}
			if missing := strings.Contains(c.title, "missing"); errors.Is(err, fs.ErrNotExist) != missing {
				t.Errorf("errors.Is(err, fs.ErrNotExist) = %v", !missing)
			}
		})
	}
}

// TestOtherThings offers what people have on disk instead of the unpacked files.
func TestOtherThings(t *testing.T) {
	for _, c := range []struct{ format, path, message, hint string }{
		{"cifar10", "cifar-10-python.tar.gz", "want the unpacked folder cifar-10-batches-py", "tar xzf"},
		{"cifar10", "cifar-10-binary.tar.gz", "want the unpacked folder cifar-10-batches-bin", "tar xzf"},
		{"cifar100", "cifar-100-binary.tar.gz", "want the unpacked folder cifar-100-binary", "tar xzf"},
		{"cifar10", "readme.html", "file is missing", "md5 c32a1d4ab5d03f1284b67883e8d87530"},
		{"cifar10", "data_batch_4", "file is missing", "incomplete; download https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"},
	} {
		dir := t.TempDir()
		p := filepath.Join(dir, c.path)
		if err := os.WriteFile(p, []byte("x"), 0o644); err != nil {
			t.Fatal(err)
		}
		if got := Detect(dir); got != "" {
			t.Errorf("%s is %q", c.path, got)
		}
		_, err := Open(dir, Options{Format: c.format})
		var f *source.FileError
		if !errors.As(err, &f) || !strings.Contains(f.Hint, c.hint) || !strings.Contains(err.Error(), c.message) {
			t.Errorf("%s with %s: %+v", c.format, c.path, err)
		}
	}
	if _, err := Open(filepath.Join(t.TempDir(), "nowhere"), Options{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing folder: %v", err)
	}
	if _, err := Open(t.TempDir(), Options{Format: "cifar11"}); err == nil {
		t.Error("an unknown format is opened")
	}
}
