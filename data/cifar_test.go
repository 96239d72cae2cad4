package data

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// tiny returns a CIFAR layout of a few records per file, for tests. Open keeps
// to the official sizes; these tests call the layout's open.
func tiny(name string, perTrain, perTest int) layout {
	l := layouts[name]
	l.perTrain, l.perTest = perTrain, perTest
	return l
}

// write makes the files of a layout in dir: labels cycle, pixels are random.
func (l layout) write(t testing.TB, dir string) {
	t.Helper()
	r := rand.New(rand.NewPCG(7, 7))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	files := func(names []string, per int) {
		for f, name := range names {
			var raw []byte
			for i := range per {
				for _, limit := range l.limits {
					raw = append(raw, byte((f*per+i)%limit))
				}
				for range 3 * cifarSide * cifarSide {
					raw = append(raw, byte(r.Uint32()))
				}
			}
			if err := os.WriteFile(filepath.Join(dir, name), raw, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	files(l.train, l.perTrain)
	files(l.test, l.perTest)
}

func (l layout) config(name, dir string) Config {
	return Config{Name: name, Dir: dir, SearchSize: len(l.classes) * 2, Seed: 1, TrainSize: l.trainImages(), TestSize: l.testImages()}
}

// TestCIFARPixelsAndLabels compares every value that comes out with the bytes
// that went in, by the formula of the layout.
func TestCIFARPixelsAndLabels(t *testing.T) {
	for name, l := range map[string]layout{"cifar10": tiny("cifar10", 20, 30), "cifar100": tiny("cifar100", 300, 130)} {
		for _, inParent := range []bool{false, true} {
			dir := t.TempDir()
			c := l.config(name, dir)
			if inParent {
				dir = filepath.Join(dir, l.folder)
			}
			l.write(t, dir)
			d, err := l.open(c)
			if err != nil {
				t.Fatal(err)
			}
			if got, want := d.Train.Len()+d.Search.Len(), l.trainImages(); got != want {
				t.Errorf("%s: %d training images, want %d", name, got, want)
			}
			if d.Image != 32 || len(d.Classes) != len(l.classes) || !strings.HasPrefix(d.Provenance, "unrecognised bytes, sha256 "+d.SHA256[:12]) {
				t.Errorf("%s: image %d, %d classes, provenance %q", name, d.Image, len(d.Classes), d.Provenance)
			}
			raw, err := os.ReadFile(filepath.Join(dir, l.test[0]))
			if err != nil {
				t.Fatal(err)
			}
			i := 0
			for b := range d.Test.Batches(7) {
				for k := range b.N {
					rec := raw[i*l.record() : (i+1)*l.record()]
					if want := int32(rec[len(l.labels)-1]); b.Y[k] != want {
						t.Fatalf("%s: image %d: label %d, want %d", name, i, b.Y[k], want)
					}
					for y := range 32 {
						for x := range 32 {
							for ch := range 3 {
								v := float64(rec[len(l.labels)+ch*1024+y*32+x])
								want := (v/255 - float64(l.mean[ch])) / float64(l.std[ch])
								got := float64(b.X[((k*32+y)*32+x)*3+ch])
								if diff := max(got-want, want-got); !(diff <= 1e-6) {
									t.Fatalf("%s: image %d (%d,%d) channel %d: %g, want %g", name, i, y, x, ch, got, want)
								}
							}
						}
					}
					i++
				}
			}
			if i != l.testImages() {
				t.Errorf("%s: %d test images, want %d", name, i, l.testImages())
			}
		}
	}
}

// TestCIFARDamage breaks one thing at a time and wants it named.
func TestCIFARDamage(t *testing.T) {
	l10, l100 := tiny("cifar10", 20, 30), tiny("cifar100", 300, 130)
	poke := func(file string, off int64, v byte) func(string) error {
		return func(dir string) error {
			f, err := os.OpenFile(filepath.Join(dir, file), os.O_WRONLY, 0)
			if err != nil {
				return err
			}
			defer f.Close()
			_, err = f.WriteAt([]byte{v}, off)
			return err
		}
	}
	truncate := func(file string, n int64) func(string) error {
		return func(dir string) error { return os.Truncate(filepath.Join(dir, file), n) }
	}
	remove := func(file string) func(string) error {
		return func(dir string) error { return os.Remove(filepath.Join(dir, file)) }
	}
	for _, c := range []struct {
		title  string
		name   string
		l      layout
		damage func(dir string) error
		file   string
		offset int64
		field  string
		hint   string
	}{
		{"label 10", "cifar10", l10, poke("data_batch_3.bin", 5*3073, 10), "data_batch_3.bin", 5 * 3073, "label", "record 5"},
		{"label 255 in test", "cifar10", l10, poke("test_batch.bin", 29*3073, 255), "test_batch.bin", 29 * 3073, "label", "record 29"},
		{"coarse label", "cifar100", l100, poke("train.bin", 3*3074, 20), "train.bin", 3 * 3074, "coarse label", "record 3"},
		{"fine label", "cifar100", l100, poke("test.bin", 3*3074+1, 100), "test.bin", 3*3074 + 1, "fine label", "record 3"},
		{"one byte short", "cifar10", l10, truncate("data_batch_5.bin", 20*3073-1), "data_batch_5.bin", 20*3073 - 1, "size", "damaged"},
		{"one byte long", "cifar10", l10, truncate("data_batch_5.bin", 20*3073+1), "data_batch_5.bin", 20 * 3073, "size", "damaged"},
		{"one record short", "cifar10", l10, truncate("test_batch.bin", 29*3073), "test_batch.bin", 29 * 3073, "size", "damaged"},
		{"empty", "cifar100", l100, truncate("test.bin", 0), "test.bin", 0, "size", "damaged"},
		{"first missing", "cifar10", l10, remove("data_batch_1.bin"), "data_batch_1.bin", 0, "file", "cifar-10-binary.tar.gz"},
		{"middle missing", "cifar10", l10, remove("data_batch_4.bin"), "data_batch_4.bin", 0, "file", "incomplete"},
		{"test missing", "cifar100", l100, remove("test.bin"), "test.bin", 0, "file", "incomplete"},
		{"a folder", "cifar10", l10, func(dir string) error {
			p := filepath.Join(dir, "test_batch.bin")
			return errors.Join(os.Remove(p), os.Mkdir(p, 0o755))
		}, "test_batch.bin", 0, "file", ""},
	} {
		t.Run(c.title, func(t *testing.T) {
			dir := t.TempDir()
			c.l.write(t, dir)
			if _, err := c.l.open(c.l.config(c.name, dir)); err != nil {
				t.Fatalf("before the damage: %v", err)
			}
			if err := c.damage(dir); err != nil {
				t.Fatal(err)
			}
			_, err := c.l.open(c.l.config(c.name, dir))
			var fe *FormatError
			if !errors.As(err, &fe) {
				t.Fatalf("got %v, want a *FormatError", err)
			}
			if fe.File != filepath.Join(dir, c.file) || fe.Offset != c.offset || fe.Field != c.field || !strings.Contains(fe.Hint, c.hint) {
				t.Errorf("got %+v", *fe)
			}
			for _, part := range []string{c.file, fmt.Sprint(c.offset), c.field} {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("message %q lacks %q", err, part)
				}
			}
			if missing := strings.Contains(c.title, "missing"); errors.Is(err, fs.ErrNotExist) != missing {
				t.Errorf("errors.Is(err, fs.ErrNotExist) = %v", !missing)
			}
		})
	}
}

// TestCIFAROtherVersions offers what people have on disk instead of the binary
// version.
func TestCIFAROtherVersions(t *testing.T) {
	for _, c := range []struct {
		name, path string
		hint       string
	}{
		{"cifar10", "cifar-10-batches-py/data_batch_1", "pickle"},
		{"cifar10", "data_batch_1", "pickle"},
		{"cifar10", "cifar-10-python.tar.gz", "pickle"},
		{"cifar10", "cifar-10-binary.tar.gz", "tar xzf"},
		{"cifar100", "cifar-100-python/train", "pickle"},
		{"cifar100", "cifar-100-binary.tar.gz", "tar xzf"},
		{"cifar10", "readme.html", "download"},
	} {
		dir := t.TempDir()
		p := filepath.Join(dir, c.path)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte("x"), 0o644); err != nil {
			t.Fatal(err)
		}
		_, err := Open(Config{Name: c.name, Dir: dir})
		var fe *FormatError
		if !errors.As(err, &fe) || !strings.Contains(fe.Hint, c.hint) || !strings.Contains(fe.Hint, layouts[c.name].archive) {
			t.Errorf("%s with %s: %+v", c.name, c.path, err)
		}
	}
	_, err := Open(Config{Name: "cifar10", Dir: filepath.Join(t.TempDir(), "nowhere")})
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing folder: %v", err)
	}
}

// TestOpenWantsOfficialSizes: the small files of the tests above are refused by
// the public function.
func TestOpenWantsOfficialSizes(t *testing.T) {
	dir := t.TempDir()
	tiny("cifar10", 20, 30).write(t, dir)
	_, err := Open(Config{Name: "cifar10", Dir: dir})
	var fe *FormatError
	if !errors.As(err, &fe) || fe.Field != "size" || !strings.Contains(fe.Want, "30730000 bytes") {
		t.Errorf("got %v", err)
	}
}

// TestCIFARSubset: smaller sizes keep the first images of the files.
func TestCIFARSubset(t *testing.T) {
	l, dir := tiny("cifar10", 20, 30), t.TempDir()
	l.write(t, dir)
	whole, err := l.open(l.config("cifar10", dir))
	if err != nil {
		t.Fatal(err)
	}
	c := l.config("cifar10", dir)
	c.TrainSize, c.TestSize = 50, 10
	part, err := l.open(c)
	if err != nil {
		t.Fatal(err)
	}
	if part.Train.Len()+part.Search.Len() != 50 || part.Test.Len() != 10 {
		t.Errorf("%d + %d + %d images", part.Train.Len(), part.Search.Len(), part.Test.Len())
	}
	if !bytes.Equal(part.Train.train.img.pix, whole.Train.train.img.pix[:50*3072]) {
		t.Error("not the first images")
	}
	if part.SHA256 != whole.SHA256 {
		t.Error("the hash is of the files, whatever part is used")
	}
}

func TestClassNames(t *testing.T) {
	for name, l := range layouts {
		seen := map[string]bool{}
		for _, c := range l.classes {
			seen[c] = true
		}
		if len(seen) != len(l.classes) || len(seen) != l.limits[len(l.limits)-1] {
			t.Errorf("%s: %d distinct of %d class names, %d labels", name, len(seen), len(l.classes), l.limits[len(l.limits)-1])
		}
	}
}

func TestProvenance(t *testing.T) {
	l := layouts["cifar10"]
	for _, c := range []struct{ sum, labels, want string }{
		{cifar10JPEG, cifar10Labels, "CIFAR-10 (JPEG q75)"},
		{"0123456789abcdef", cifar10Labels, "CIFAR-10 labels in official order, pixels not on record, sha256 0123456789ab"},
		{"0123456789abcdef", "", "unrecognised bytes, sha256 0123456789ab"},
	} {
		if got := l.provenance(c.sum, c.labels); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

// FuzzDecode feeds the record reader arbitrary bytes: it must accept exactly
// whole records with labels in range, and keep them.
func FuzzDecode(f *testing.F) {
	for name, l := range layouts {
		rec := make([]byte, l.record())
		f.Add(name == "cifar100", rec)
		f.Add(name == "cifar100", append(bytes.Repeat(rec, 2), 1))
		bad := bytes.Repeat(rec, 3)
		bad[2*l.record()] = 99
		f.Add(name == "cifar100", bad)
	}
	f.Fuzz(func(t *testing.T, hundred bool, raw []byte) {
		l := layouts["cifar10"]
		if hundred {
			l = layouts["cifar100"]
		}
		n, size := len(raw)/l.record(), l.record()
		good := len(raw)%size == 0
		for r := range n {
			for k, limit := range l.limits {
				good = good && int(raw[r*size+k]) < limit
			}
		}
		out := newImages(2, cifarSide) // smaller than many inputs: the rest is checked, not kept
		err := l.decode("f", raw, out, 0)
		if (err == nil) != good {
			t.Fatalf("%d bytes: error %v, good %v", len(raw), err, good)
		}
		var fe *FormatError
		if err != nil && (!errors.As(err, &fe) || fe.Offset < 0 || fe.Offset > int64(len(raw))) {
			t.Fatalf("error %#v", err)
		}
		for r := range min(n, 2) {
			if good && (out.y[r] != int32(raw[r*size+len(l.labels)-1]) || out.at(r)[1] != raw[r*size+len(l.labels)+1024]) {
				t.Fatalf("record %d is changed", r)
			}
		}
	})
}
