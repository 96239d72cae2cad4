package data

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// ten is a CIFAR-10 of few images in three containers: the binary version, the python
// version and folders of PNG files.
type ten struct {
	labels [6][]byte   // by batch; the last is the test
	planes [6][][]byte // (3,32,32) each
}

// newTen has images in order of class over all of the training batches, as folders have.
func newTen() *ten {
	x := new(ten)
	r := rand.New(rand.NewPCG(7, 7))
	for k := range x.labels {
		for i := range 10 {
			y := (k*10 + i) / 5
			if k == 5 {
				y = i
			}
			p := make([]byte, 3072)
			for j := range p {
				p[j] = byte(r.Uint32())
			}
			x.labels[k], x.planes[k] = append(x.labels[k], byte(y)), append(x.planes[k], p)
		}
	}
	return x
}

func batchName(k int) string {
	if k == 5 {
		return "test_batch"
	}
	return fmt.Sprint("data_batch_", k+1)
}

// bytes are those of the binary version, all files in a row.
func (x *ten) bytes(k int) []byte {
	var b []byte
	for i, y := range x.labels[k] {
		b = append(append(b, y), x.planes[k][i]...)
	}
	return b
}

func (x *ten) binary(t testing.TB) string {
	dir := t.TempDir()
	for k := range x.labels {
		writeFile(t, x.bytes(k), dir, batchName(k)+".bin")
	}
	return dir
}

// python writes batches as Python 2 pickled them: an array of bytes (n,3072) and labels.
func (x *ten) python(t testing.TB) string {
	dir := t.TempDir()
	for k, labels := range x.labels {
		var b bytes.Buffer
		b.WriteString("\x80\x02}(U\x04datacnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R(K\x01K")
		b.WriteByte(byte(len(labels)))
		b.WriteString("M\x00\x0c\x86cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89T")
		binary.Write(&b, binary.LittleEndian, uint32(3072*len(labels)))
		b.Write(bytes.Join(x.planes[k], nil))
		b.WriteString("tbU\x06labels](")
		for _, y := range labels {
			b.Write([]byte{'K', y})
		}
		b.WriteString("eu.")
		writeFile(t, b.Bytes(), dir, batchName(k))
	}
	return dir
}

func (x *ten) folders(t testing.TB) string {
	dir := t.TempDir()
	for k, labels := range x.labels {
		split := "train"
		if k == 5 {
			split = "test"
		}
		for i, y := range labels {
			m, p := image.NewRGBA(image.Rect(0, 0, 32, 32)), x.planes[k][i]
			for j := range 1024 {
				m.SetRGBA(j%32, j/32, color.RGBA{p[j], p[1024+j], p[2048+j], 255})
			}
			writeFile(t, encoded(t, "png", m), dir, split, knownSets["cifar10"].Classes[y], fmt.Sprintf("%d-%02d.png", k, i))
		}
	}
	return dir
}

// sha256 is that of the files of the binary version.
func (x *ten) sha256() string {
	h := sha256.New()
	for k := range x.labels {
		h.Write(x.bytes(k))
	}
	return fmt.Sprintf("%x", h.Sum(nil))
}

// TestSHA256IsTheImages: the same in every container, however they are divided and made
// ready; another for one other pixel, label or order.
func TestSHA256IsTheImages(t *testing.T) {
	x := newTen()
	want := x.sha256()
	for name, dir := range map[string]string{"binary": x.binary(t), "python": x.python(t), "folders": x.folders(t)} {
		for how, edit := range map[string]func(*Config){
			"as they are":     nil,
			"streamed":        func(c *Config) { c.Originals = true },
			"subset":          func(c *Config) { c.TrainSize, c.TestSize = 20, 5 },
			"other search":    func(c *Config) { c.SearchSize, c.Seed = 20, 8 },
			"test from train": func(c *Config) { c.TestFrom = "train" },
			"search on test":  func(c *Config) { c.TestFrom, c.SearchFrom = "train", "test" },
			"other size":      func(c *Config) { c.Image = 24 },
		} {
			if got := opened(t, dir, edit).SHA256; got != want {
				t.Errorf("%s, %s: %.12s, want %.12s", name, how, got, want)
			}
		}
	}
	for what, change := range map[string]func(x *ten){
		"pixel":        func(x *ten) { x.planes[3][4][2999]++ },
		"pixel, test":  func(x *ten) { x.planes[5][9][0]-- },
		"label":        func(x *ten) { x.labels[1][0] = 9 },
		"order":        func(x *ten) { p := x.planes[0]; p[0], p[1] = p[1], p[0] },
		"split":        func(x *ten) { a, b := x.planes[0], x.planes[5]; a[0], b[0] = b[0], a[0] },
		"one image":    func(x *ten) { x.labels[2], x.planes[2] = x.labels[2][1:], x.planes[2][1:] },
		"another test": func(x *ten) { x.labels[5], x.planes[5] = x.labels[5][1:], x.planes[5][1:] },
	} {
		other := newTen()
		change(other)
		d := opened(t, other.binary(t), nil)
		if d.SHA256 == want || d.SHA256 != other.sha256() {
			t.Errorf("another %s: %.12s, want %.12s and not %.12s", what, d.SHA256, other.sha256(), want)
		}
		if what == "one image" { // the python version has no batches of fewer
			continue
		}
		if s := opened(t, other.python(t), nil).SHA256; s != d.SHA256 {
			t.Errorf("another %s: python %.12s, binary %.12s", what, s, d.SHA256)
		}
	}
}

// TestSHA256OfFiles: where images differ in size, the hash is of labels and files.
func TestSHA256OfFiles(t *testing.T) {
	write := func(n int, name string, change func([]byte) []byte) string {
		dir := t.TempDir()
		writeClasses(t, dir, "train", 20, 16, 4, 4)
		writeClasses(t, dir, "val", 16, 20, 2, 2)
		writeClasses(t, dir, "test", 16, 20, 2, 2)
		writeFile(t, change(encoded(t, "jpg", picture(n, 30, 16))), dir, "train", name, "x.jpg")
		return dir
	}
	keep := func(b []byte) []byte { return b }
	hash := func(dir string, edit func(*Config)) string { return opened(t, dir, edit).SHA256 }
	want := hash(write(1, "ant", keep), nil)
	for _, from := range []string{"train", "val", "test"} {
		if got := hash(write(1, "ant", keep), func(c *Config) { c.Originals, c.TestFrom, c.Image = true, from, 16 }); got != want {
			t.Errorf("test_from %s: the same files have another hash when they are used otherwise", from)
		}
	}
	comment := func(c byte) func([]byte) []byte {
		return func(b []byte) []byte { return append([]byte{0xff, 0xd8, 0xff, 0xfe, 0, 3, c}, b[2:]...) }
	}
	if hash(write(1, "ant", comment('x')), nil) == hash(write(1, "ant", comment('y')), nil) {
		t.Error("another byte in a file has the same hash")
	}
	for what, dir := range map[string]string{
		"picture": write(2, "ant", keep), "class": write(1, "bee", keep),
		"comment": write(1, "ant", comment('x')),
	} {
		if hash(dir, nil) == want {
			t.Errorf("another %s has the same hash", what)
		}
	}
}

// TestProvenance: sets on record are known by labels and bytes, in whatever container,
// and by whatever name they are opened.
func TestProvenance(t *testing.T) {
	x := newTen()
	sum := x.sha256()
	official := knownSets["cifar10"]
	record := func(labels, sha256 string) {
		k := official
		k.LabelSHA256, k.SHA256 = labels, map[string]string{sha256: "CIFAR-10 of a test"}
		knownSets["cifar10"] = k
	}
	before := maps.Clone(knownSets)
	t.Cleanup(func() { knownSets = before })
	labels := fmt.Sprintf("%x", sha256.Sum256(slices.Concat(x.labels[:]...)))
	for _, c := range []struct {
		labels, sum string // on record
		want        string
		published   bool // the normalisation is CIFAR-10's
	}{
		{labels, sum, "CIFAR-10 of a test", true},
		{labels, "", "CIFAR-10 labels in official order, pixels not on record, sha256 " + sum[:12], true},
		{"", sum, ", sha256 " + sum[:12], false},
	} {
		record(c.labels, c.sum)
		for name, dir := range map[string]string{"binary": x.binary(t), "python": x.python(t), "folders": x.folders(t)} {
			for _, edit := range []func(*Config){nil, func(c *Config) { c.TrainSize, c.TestSize = 20, 5 }, func(c *Config) { c.Originals = true }} {
				d := opened(t, dir, edit)
				if !strings.HasSuffix(d.Provenance, c.want) || c.published && d.Provenance != c.want {
					t.Errorf("%s: provenance %q, want %q", name, d.Provenance, c.want)
				}
				if got := d.Mean == official.Mean && d.Std == official.Std; got != c.published {
					t.Errorf("%s: mean %v, deviation %v; published %v", name, d.Mean, d.Std, c.published)
				}
				if !slices.Equal(d.Classes, official.Classes) {
					t.Errorf("%s: classes %v", name, d.Classes)
				}
			}
		}
	}
}

// TestPixelsOfEveryContainer: what a network sees are the bytes that went in.
func TestPixelsOfEveryContainer(t *testing.T) {
	x := newTen()
	for name, dir := range map[string]string{"binary": x.binary(t), "python": x.python(t), "folders": x.folders(t)} {
		for _, originals := range []bool{false, true} {
			d := opened(t, dir, func(c *Config) { c.Originals = originals })
			if d.Image != 32 || d.CropPct != 1 || d.Train.Len()+d.Search.Len() != 50 {
				t.Errorf("%s: %d pixels, crop_pct %g, %d + %d images", name, d.Image, d.CropPct, d.Train.Len(), d.Search.Len())
			}
			i := 0
			for b := range d.Test.Batches(7) {
				for k := range b.N {
					if b.Y[k] != int32(x.labels[5][i]) {
						t.Fatalf("%s: image %d has label %d", name, i, b.Y[k])
					}
					for j, got := range b.X[k*3072 : (k+1)*3072] {
						v := float64(x.planes[5][i][j%3*1024+j/3])
						want := (v/255 - float64(d.Mean[j%3])) / float64(d.Std[j%3])
						if diff := max(float64(got)-want, want-float64(got)); !(diff <= 1e-6) {
							t.Fatalf("%s: image %d, value %d: %g, want %g", name, i, j, got, want)
						}
					}
					i++
				}
			}
			if i != 10 {
				t.Errorf("%s: %d test images", name, i)
			}
		}
	}
}

// TestNormalisationIsGiven: As is how a network was trained, whatever the images are.
func TestNormalisationIsGiven(t *testing.T) {
	as := Preprocess{Mean: [3]float32{0.1, 0.2, 0.3}, Std: [3]float32{0.5, 0.25, 1}}
	dir := newFake(2, map[string]int{"train": 20, "test": 4}).raw(8).dir(t)
	d := opened(t, dir, func(c *Config) { c.As = &as })
	if d.Mean != as.Mean || d.Std != as.Std {
		t.Errorf("mean %v, deviation %v", d.Mean, d.Std)
	}
	for b := range d.Test.Batches(4) {
		if got := b.X[3*64*2+0]; !(max(got-(2./255-0.1)/0.5, (2./255-0.1)/0.5-got) <= 1e-6) {
			t.Errorf("red of record 2 is %g", got)
		}
	}
}

// TestImageNetByItsClasses: classes that are wnids have ImageNet's normalisation, in any
// container; one other name, and it is computed.
func TestImageNetByItsClasses(t *testing.T) {
	for _, c := range []struct {
		classes   []string
		published bool
	}{{[]string{"n01440764", "n01443537"}, true}, {[]string{"n01440764", "tench"}, false}, {[]string{"n01440764", "n0144353"}, false}} {
		dir := t.TempDir()
		for i := range 12 {
			writeFile(t, encoded(t, "png", picture(i, 16, 16)), dir, "train", c.classes[i%2], fmt.Sprint(i, ".png"))
			writeFile(t, encoded(t, "png", picture(i+12, 16, 16)), dir, "val", c.classes[i%2], fmt.Sprint(i, ".png"))
		}
		d := opened(t, dir, nil)
		if got := d.Mean == imageNet.Mean && d.Std == imageNet.Std; got != c.published {
			t.Errorf("%v: mean %v, deviation %v", c.classes, d.Mean, d.Std)
		}
	}
}
