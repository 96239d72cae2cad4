package ilsvrc

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
	"time"

	"oneshot/data/source"
	"oneshot/data/source/index"
	"oneshot/data/source/sourcetest"
)

// member is a file for pack.
type member struct{ name, content string }

func pack(t testing.TB, members ...member) string {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, m := range members {
		h := &tar.Header{Name: m.name, Typeflag: tar.TypeReg, Mode: 0o644, Size: int64(len(m.content))}
		if strings.HasSuffix(m.name, "/") {
			h.Typeflag = tar.TypeDir
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(m.content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func zip(t testing.TB, s string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(s)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func write(t testing.TB, root string, files map[string]string) {
	t.Helper()
	for name, content := range files {
		p := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func meta(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func image(wnid string, n int) member {
	name := fmt.Sprintf("%s_%d.JPEG", wnid, n)
	return member{name, "image " + name}
}

func valImages(numbers ...int) (all []member) {
	for _, n := range numbers {
		name := fmt.Sprintf("ILSVRC2012_val_%08d.JPEG", n)
		all = append(all, member{name, name})
	}
	return all
}

// miniature is the three classes of testdata/meta.py: IDs 1, 2, 3 are n02119789, n02100735, n01440764.
func miniature(t testing.TB) map[string]string {
	kit := pack(t, member{"ILSVRC2012_devkit_t12/", ""}, member{"ILSVRC2012_devkit_t12/readme.txt", "x"},
		member{"ILSVRC2012_devkit_t12/data/ILSVRC2012_validation_ground_truth.txt", "3\n1\n2\n1\n"},
		member{"ILSVRC2012_devkit_t12/data/meta.mat", meta(t, "meta_compressed.mat")})
	return map[string]string{
		trainFile: pack(t,
			member{"n02119789.tar", pack(t, image("n02119789", 7), image("n02119789", 10))},
			member{"n01440764.tar", pack(t, image("n01440764", 2), image("n01440764", 1))},
			member{"n02100735.tar", pack(t, image("n02100735", 5))}),
		valFile:       pack(t, valImages(2, 1, 4, 3)...),
		devkitArchive: zip(t, kit),
	}
}

func show(t *testing.T, root string) (string, *source.Info) {
	t.Helper()
	s, err := Open(root, "")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var b strings.Builder
	for split, p := range s.Info().Splits {
		fmt.Fprintf(&b, "[%s]", p.Name)
		for i, y := range p.Labels {
			content, err := s.Read(split, i, nil)
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&b, " %d:%s", y, strings.TrimSuffix(strings.TrimPrefix(string(content), "image "), ".JPEG"))
		}
	}
	return b.String(), s.Info()
}

const (
	wantTrain   = "[train] 0:n01440764_1 0:n01440764_2 1:n02100735_5 2:n02119789_10 2:n02119789_7"
	wantVal     = "[val] 0:ILSVRC2012_val_00000001 2:ILSVRC2012_val_00000002 1:ILSVRC2012_val_00000003 2:ILSVRC2012_val_00000004"
	wantClasses = "n01440764 n02100735 n02119789"
)

func TestMiniature(t *testing.T) {
	root := t.TempDir()
	write(t, root, miniature(t))
	check := func(name, want string) {
		t.Helper()
		got, in := show(t, root)
		if got != want || strings.Join(in.Classes, " ") != wantClasses || len(in.Faults) > 0 {
			t.Errorf("%s: got %s\nwant %s\nclasses %v, faults %v", name, got, want, in.Classes, in.Faults)
		}
	}
	check("whole", wantTrain+wantVal)
	if d := Detect(root); d != trainFile+" and "+valFile {
		t.Errorf("detected %q", d)
	}
	sourcetest.Run(t, func() (source.Source, error) { return Open(root, "") })
	cache := index.Cache(t.TempDir())
	for _, f := range []string{".", trainFile, valFile, devkitArchive} {
		if err := os.Chtimes(filepath.Join(root, f), time.Unix(1e9, 0), time.Unix(1e9, 0)); err != nil {
			t.Fatal(err)
		}
	}
	sourcetest.Run(t, func() (source.Source, error) { return Open(root, cache) })
	if kept, err := filepath.Glob(filepath.Join(string(cache), "imagenet-*")); err != nil || len(kept) != 1 {
		t.Errorf("the cache holds %v, %v", kept, err)
	}

	// The devkit unpacked, and meta.mat without compression.
	if err := os.Remove(filepath.Join(root, devkitArchive)); err != nil {
		t.Fatal(err)
	}
	write(t, root, map[string]string{
		"ILSVRC2012_devkit_t12/data/meta.mat":                               meta(t, "meta.mat"),
		"ILSVRC2012_devkit_t12/data/ILSVRC2012_validation_ground_truth.txt": "3\r\n1\r\n2\r\n1\r\n",
	})
	check("unpacked devkit", wantTrain+wantVal)

	// Parts of it.
	if err := os.Remove(filepath.Join(root, trainFile)); err != nil {
		t.Fatal(err)
	}
	check("validation alone", wantVal)
	if err := os.Remove(filepath.Join(root, valFile)); err != nil {
		t.Fatal(err)
	}
	if d := Detect(root); d != "" {
		t.Errorf("detected %q", d)
	}
	write(t, root, map[string]string{trainFile: miniature(t)[trainFile]})
	check("training alone", wantTrain)
}

// What is odd in one place is said, and the rest read.
func TestOdd(t *testing.T) {
	root := t.TempDir()
	files := miniature(t)
	files[trainFile] = pack(t, member{"readme", "x"}, member{"n02119789.tar", pack(t, member{"sub/", ""}, member{"sub/n02119789_1.JPEG", "A"}, member{"._n02119789_2.JPEG", "mac"})},
		member{"n09999999.tar", pack(t)}, member{"train/n01440764.tar", pack(t, member{"n01440764_1.png", "B"}, member{"empty.JPEG", ""})})
	files[valFile] = pack(t, append(valImages(1, 1, 9, 2), member{"val/ILSVRC2012_val_00000003.JPEG", "C"}, member{"note.txt", "x"})...)
	files[testFile] = ""
	write(t, root, files)
	s, err := Open(root, "")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	in := s.Info()
	if got, want := strings.Join(in.Classes, " "), "n01440764 n02100735 n02119789 n09999999"; got != want {
		t.Errorf("classes %s, want %s", got, want)
	}
	if got, want := fmt.Sprint(in.Splits[0].Labels, in.Splits[1].Labels), "[0 0 2] [0 2 1]"; got != want {
		t.Errorf("labels %s, want %s", got, want)
	}
	if got, want := strings.Join(in.Notes, "; "), "validation images of the devkit that are not in ILSVRC2012_img_val.tar: 1 of 4; classes without training images: 2 (n02100735 the first); "+
		testFile+" was left out: its images have no labels; members of other names in the archives, left out: 3"; got != want {
		t.Errorf("notes\n%s want\n%s", got, want)
	}
	if len(in.Faults) != 2 || !strings.Contains(in.Faults[0].Error(), "is validation image 1 once more") || !strings.Contains(in.Faults[1].Error(), "is validation image 9, and the devkit knows 4") {
		t.Errorf("faults %v", in.Faults)
	}
	var fault *source.Fault
	if _, err := s.Read(0, 0, nil); !errors.As(err, &fault) || fault.Member != "n01440764.tar/empty.JPEG" {
		t.Errorf("an empty record: %v", err)
	}
}

func TestRefused(t *testing.T) {
	change := func(f func(files map[string]string)) map[string]string {
		files := miniature(t)
		f(files)
		return files
	}
	kit := func(truth, mat string) func(map[string]string) {
		return func(files map[string]string) {
			files[devkitArchive] = zip(t, pack(t, member{"x/" + truthFile, truth}, member{"x/" + metaFile, mat}))
		}
	}
	whole := meta(t, "meta.mat")
	for _, c := range []struct {
		name       string
		files      map[string]string
		want, hint string
	}{
		{"nothing", nil, "holds neither", ""},
		{"no devkit", change(func(f map[string]string) { delete(f, devkitArchive) }), devkitArchive + ": is missing", devkitMD5},
		{"devkit no gzip", change(func(f map[string]string) { f[devkitArchive] = "x" }), "is no gzip file", devkitMD5},
		{"devkit cut", change(func(f map[string]string) { f[devkitArchive] = f[devkitArchive][:300] }), "is damaged", devkitMD5},
		{"devkit without meta.mat", change(func(f map[string]string) { f[devkitArchive] = zip(t, pack(t, member{"x", "x"})) }), "lacks data/meta.mat", devkitMD5},
		{"truth", change(kit("1\n2\nx\n", whole)), "offset 4: line 3 is \"x\", want an ILSVRC2012_ID", ""},
		{"truth with a gap", change(kit("1\n\n2\n", whole)), "offset 2: line 2 is \"\"", ""},
		{"meta cut", change(kit("1\n", whole[:2000])), "meta.mat: offset ", ""},
		{"meta of version 7.3", change(kit("1\n", "MATLAB 7.3 MAT-file"+whole[19:])), "version 7.3", ""},
		{"train cut", change(func(f map[string]string) { f[trainFile] = f[trainFile][:3000] }), "n02119789.tar has 3072 bytes by its header, and 2488 are left", ""},
		{"class no tar", change(func(f map[string]string) { f[trainFile] = pack(t, member{"n01.tar", strings.Repeat("x", 700)}) }), trainFile + ": n01.tar: offset 512: is no tar file", ""},
		{"class name", change(func(f map[string]string) { f[trainFile] = pack(t, member{"n\n1.tar", pack(t)}) }), "is a class name that", ""},
		{"train unpacked", change(func(f map[string]string) { delete(f, trainFile); f["train/n01/1.JPEG"] = "x" }), "holds a folder train beside", "class folders"},
		{"no images", map[string]string{trainFile: pack(t, member{"x", "x"})}, "without a single image", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			root := t.TempDir()
			write(t, root, c.files)
			_, err := Open(root, "")
			var e *source.FileError
			if !errors.As(err, &e) || !strings.Contains(err.Error(), c.want) || !strings.Contains(e.Hint, c.hint) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

// A thousand classes, whose IDs are not in the order of their names.
func TestThousandClasses(t *testing.T) {
	const classes = 1000
	root := t.TempDir()
	var train, val []member
	var rows []synset
	var truth strings.Builder
	for c := range classes {
		wnid := fmt.Sprintf("n%08d", 7*c%classes)
		rows = append(rows, synset{c + 1, wnid, "word " + wnid, 0})
		train = append(train, member{wnid + ".tar", pack(t, image(wnid, 1), image(wnid, 2))})
		fmt.Fprintln(&truth, c+1)
	}
	for n := 1; n <= classes; n++ {
		val = append(val, valImages(n)...)
	}
	for n := range 860 {
		rows = append(rows, synset{classes + 1 + n, fmt.Sprintf("m%08d", n), "inner", 2})
	}
	write(t, root, map[string]string{
		trainFile: pack(t, train...), valFile: pack(t, val...),
		devkitFolder + "/" + truthFile: truth.String(), devkitFolder + "/" + metaFile: string(encodeSynsets(rows)),
	})
	s, err := Open(root, "")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	in := s.Info()
	if len(in.Classes) != classes || len(in.Splits[0].Labels) != 2*classes || len(in.Splits[1].Labels) != classes || len(in.Notes)+len(in.Faults) > 0 {
		t.Fatalf("%d classes, %d and %d records, notes %v", len(in.Classes), len(in.Splits[0].Labels), len(in.Splits[1].Labels), in.Notes)
	}
	for _, i := range []int{0, 1, 777, 1999} {
		b, err := s.Read(0, i, nil)
		if want := fmt.Sprintf("image n%08d_%d.JPEG", i/2, i%2+1); err != nil || string(b) != want || in.Splits[0].Labels[i] != int32(i/2) {
			t.Errorf("record %d: %q of label %d, want %q, %v", i, b, in.Splits[0].Labels[i], want, err)
		}
	}
	for i, y := range in.Splits[1].Labels {
		if want := int32(7 * i % classes); y != want {
			t.Fatalf("validation image %d has label %d, want %d", i+1, y, want)
		}
	}
}
