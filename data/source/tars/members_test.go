package tars

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"oneshot/data/source"
)

func TestRefused(t *testing.T) {
	root := t.TempDir()
	sample := "a.jpg=A a.cls=0"
	files(t, root, map[string]string{
		"mixed/x.tar":           `a.jpg a.cls=0 b.jpg b.json={"label":"cat"}`,
		"some/in-train-000.tar": sample, "some/extra-000.tar": sample,
		"flat.tar":     "a.jpg b.jpg",
		"nothing.tar":  "a.txt",
		"nolabels.tar": "a.cls=0",
		"text.tar":     "x", "zero.tar": "", "empty/x": "",
		"lines/x.tar": sample, "lines/classes.txt": "a\n\nb",
		"many/a.tar": "a.jpg", "many/b.tar": "b.jpg",
		"both/val/x.tar": sample, "both/valid/x.tar": sample,
	})
	write := func(name string, b []byte) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(root, name), b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("text.tar", bytes.Repeat([]byte("no tar "), 200))
	write("zero.tar", nil)
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	whole := pack(t, "a.jpg=A a.cls=0 b.jpg="+strings.Repeat("B", 5000)+" b.cls=1", tar.FormatUnknown)
	if _, err := w.Write(whole); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	write("x.tar.gz", z.Bytes())
	write("cut.tar", whole[:5*512])
	write("cutheader.tar", whole[:4*512+100])
	damaged := bytes.Clone(whole)
	damaged[4*512+3] ^= 0x40
	write("damaged.tar", damaged)
	write("sparse.tar", sparse())

	for _, c := range []struct {
		path, want, hint string
		offset           int64
	}{
		{"mixed", "member b.json names its class, but member a.cls of x.tar numbers it", "classes.txt", 7 * 512},
		{"some", "extra-000.tar: says no split", "train, val or test", 0},
		{"flat.tar", "holds 2 files and no class folders", "0001.cls", 0},
		{"nothing.tar", "holds no images with labels", "0001.cls", 0},
		{"nolabels.tar", "the first of 1 samples: has no image beside it", "", 0},
		{"text.tar", "is no tar file", "", 0},
		{"zero.tar", "is empty", "", 0},
		{"empty", "holds no tar files", "", 0},
		{"lines", `name 2 of a class is ""`, "", 0},
		{"many", "holds images without labels", "one for each split", 0},
		{"both", "holds val and valid", "", 0},
		{"x.tar.gz", "is compressed", "unpack it: gunzip ", 0},
		{"cut.tar", "member b.jpg has 5000 bytes by its header, and 0 are left", "again", 5 * 512},
		{"cutheader.tar", "is cut short within a header", "again", 4*512 + 100},
		{"damaged.tar", "holds no tar header where one is due", "again", 4 * 512},
		{"sparse.tar", "member a.jpg is sparse", "--sparse", 512},
		{"none", "cannot be opened", "", 0},
		{"x-{0..3}.tar", "x-0.tar: is one of the 4 files", "", 0},
		{"x-{0..999999999}.tar", "names more than 100000 files", "{000000..000146}", 0},
		{"x-{3..1}.tar", "counts down", "", 0},
		{"x-{1.tar", "has { without }", "", 0},
		{"x-{1}.tar", "neither a range nor a list", "", 0},
	} {
		_, err := Open(filepath.Join(root, c.path), "")
		var e *source.FileError
		if !errors.As(err, &e) || !strings.Contains(err.Error(), c.want) || !strings.Contains(e.Hint, c.hint) || e.Offset != c.offset {
			t.Errorf("%s: %v (%#v), want %q at offset %d", c.path, err, e, c.want, c.offset)
		}
	}
}

// sparse is a tar file with a sparse member, which archive/tar cannot write: an old GNU
// header whose type is S.
func sparse() []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	_ = w.WriteHeader(&tar.Header{Name: "a.jpg", Typeflag: tar.TypeReg, Size: 512, Format: tar.FormatGNU})
	_, _ = w.Write(make([]byte, 512))
	_ = w.Close()
	h := b.Bytes()
	h[156] = 'S'
	copy(h[386:], "00000000000\x0000000001000\x00")
	copy(h[483:], "00000001000\x00")
	resum(h)
	return h
}

// resum makes the sum of the header h right.
func resum(h []byte) {
	sum := 0
	copy(h[148:156], "        ")
	for _, c := range h[:block] {
		sum += int(c)
	}
	copy(h[148:], fmt.Sprintf("%06o\x00 ", sum))
}

// Names and sizes as the formats write them.
func TestTarFormats(t *testing.T) {
	long := strings.Repeat("d/", 60) + strings.Repeat("n", 300)
	for _, f := range []tar.Format{tar.FormatUSTAR, tar.FormatPAX, tar.FormatGNU} {
		root := t.TempDir()
		words := "é.jpg=A é.cls=0 " + long + ".jpg=B " + long + ".cls=1"
		if f == tar.FormatUSTAR {
			words = "e.jpg=A e.cls=0 " + strings.Repeat("d/", 60) + strings.Repeat("n", 80) + ".jpg=B " + strings.Repeat("d/", 60) + strings.Repeat("n", 80) + ".cls=1"
		}
		p := filepath.Join(root, "x.tar")
		if err := os.WriteFile(p, pack(t, words, f), 0o644); err != nil {
			t.Fatal(err)
		}
		if got, _ := show(t, p); got != "[] 0:A 1:B" {
			t.Errorf("%v: %s", f, got)
		}
	}
}

func FuzzTars(f *testing.F) {
	f.Add(pack(f, `a.jpg=A a.cls=1 b.jpg=B b.json={"label":"cat"}`, tar.FormatPAX))
	f.Add(pack(f, "set/ set/train/cat/1.jpg=A set/val/dog/2.jpg l->x "+strings.Repeat("n", 120), tar.FormatGNU))
	f.Add(sparse())
	p := filepath.Join(f.TempDir(), "x.tar") // one for all: a folder for each input takes longer than the rest
	f.Fuzz(func(t *testing.T, b []byte) {
		b = bytes.Clone(b)
		for at := 0; at+block <= len(b); at += block { // or else hardly an input would pass the first header
			if bytes.Equal(b[at+257:at+262], []byte("ustar")) {
				resum(b[at:])
			}
		}
		if err := os.WriteFile(p, b, 0o644); err != nil {
			t.Fatal(err)
		}
		for m, err := range Members(bytes.NewReader(b), int64(len(b)), "x.tar") {
			var e *source.FileError
			if err != nil && !errors.As(err, &e) {
				t.Fatalf("%v is no FileError", err)
			}
			if err == nil && (m.Offset < 0 || m.Size < 0 || m.Offset+m.Size > int64(len(b))) {
				t.Fatalf("member %+v in %d bytes", m, len(b))
			}
		}
		s, err := Open(p, "")
		if err != nil {
			return
		}
		defer s.Close()
		for split := range s.Info().Splits {
			for i, size := range s.Info().Splits[split].Sizes {
				var fault *source.Fault
				got, err := s.Read(split, i, nil)
				if err != nil && !errors.As(err, &fault) || err == nil && int64(len(got)) != size {
					t.Fatalf("record %d: %d bytes, %v", i, len(got), err)
				}
			}
		}
	})
}
