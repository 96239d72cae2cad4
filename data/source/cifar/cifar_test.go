package cifar

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"oneshot/data/source"
	"oneshot/data/source/sourcetest"
)

const python3 = "/usr/bin/python3"

// written returns a folder with the sets that the script in testdata writes, and skips the
// test where Python cannot.
func written(t *testing.T, versions ...string) string {
	t.Helper()
	if exec.Command(python3, "-c", "import numpy").Run() != nil {
		t.Skip("no " + python3 + " with numpy")
	}
	dir := t.TempDir()
	args := append([]string{"testdata/batches.py", dir}, versions...)
	if out, err := exec.Command(python3, args...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return dir
}

func open(t *testing.T, path string, opts Options) *Set {
	t.Helper()
	s, err := Open(path, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s.(*Set)
}

// content returns everything a source tells of its records, as text.
func content(t *testing.T, s source.Source) string {
	t.Helper()
	var b strings.Builder
	fmt.Fprintln(&b, s.Info().Format, s.Info().Classes)
	for k, split := range s.Info().Splits {
		for r, y := range split.Labels {
			px, err := s.Read(k, r, nil)
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&b, "%s %d %d %d %x\n", split.Name, r, y, split.Sizes[r], px)
		}
	}
	return b.String()
}

// pixel is the formula of testdata/batches.py for byte i of image n.
func pixel(n, i int) byte {
	i += n * planes
	return byte(i*7 + i/32*3 + i/1024*31 + i/planes*11)
}

// TestVersionsAgree is the promise of the package: the same images, whichever way they
// are stored. The expected bytes come from the formula, not from the binary version.
func TestVersionsAgree(t *testing.T) {
	for _, v := range []string{"bin", "py2", "py2text", "p2", "p5"} {
		t.Run(v, func(t *testing.T) { wantGolden(t, filepath.Join("testdata/golden", v)) })
	}
	t.Run("written now", func(t *testing.T) {
		versions := []string{"bin", "py2", "py2text", "p0", "p1", "p2", "p3", "p4", "p5", "columns", "numpy2"}
		dir := written(t, versions...)
		ten := content(t, open(t, filepath.Join(dir, "bin-10"), Options{}))
		for _, v := range versions {
			wantGolden(t, filepath.Join(dir, v))
			if got := content(t, open(t, filepath.Join(dir, v+"-10"), Options{})); got != ten {
				t.Errorf("%s: CIFAR-10 differs from the binary version", v)
			}
		}
		if !strings.Contains(ten, "train 4 3 3072") || !strings.Contains(ten, "test 0 6 3072") {
			t.Errorf("CIFAR-10: %.200s", ten)
		}
	})
}

func wantGolden(t *testing.T, dir string) {
	t.Helper()
	s := open(t, dir, Options{})
	in := s.Info()
	if in.Format != "cifar100" || !in.Named || in.Classes[42] != "class42" || len(in.Notes) != 2 {
		t.Errorf("%s: %+v", dir, in)
	}
	for k, want := range [][]int32{{99, 42}, {0}} {
		if got := in.Splits[k].Labels; !slices.Equal(got, want) {
			t.Fatalf("%s: labels %v, want %v", dir, got, want)
		}
		for r := range want {
			px, err := s.Read(k, r, nil)
			if err != nil {
				t.Fatal(err)
			}
			for i, v := range px {
				if v != pixel(2*k+r, i) {
					t.Fatalf("%s: %s image %d: byte %d is %d, want %d", dir, in.Splits[k].Name, r, i, v, pixel(2*k+r, i))
				}
			}
			raw, err := os.ReadFile(s.Where(k, r).File)
			if at := s.Where(k, r).Offset; err != nil || at != 0 && !bytes.Equal(raw[at:at+planes], px) {
				t.Errorf("%s: image %d does not lie at %d: %v", dir, r, at, err)
			}
		}
	}
}

// TestSource: in a text pickle images have no place of their own, so that it is left out.
func TestSource(t *testing.T) {
	for _, v := range []string{"bin", "p5"} {
		sourcetest.Run(t, func() (source.Source, error) { return Open(filepath.Join("testdata/golden", v), Options{}) })
	}
}

// TestNames: the names of classes are checked, and one that is there twice is told apart.
func TestNames(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("testdata/golden/bin")); err != nil {
		t.Fatal(err)
	}
	names := make([]string, 100)
	for i := range names {
		names[i] = fmt.Sprint("c", i)
	}
	for _, c := range []struct{ name, want string }{{"c3", "c3 (7)"}, {"a\x1b[2J", ""}, {"\xff", ""}, {"", ""}} {
		names[7] = c.name
		if err := os.WriteFile(filepath.Join(dir, "fine_label_names.txt"), []byte(strings.Join(names, "\n")), 0o644); err != nil {
			t.Fatal(err)
		}
		s, err := Open(dir, Options{})
		if c.want == "" {
			if err == nil || !strings.Contains(err.Error(), "name 8 of a class is") {
				t.Errorf("%q: %v", c.name, err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if in := s.Info(); in.Classes[7] != c.want || !strings.Contains(in.Notes[0], "class 7 is called c3 as another is") {
			t.Errorf("class %q, notes %q", in.Classes[7], in.Notes)
		}
		s.Close()
	}
}

// TestGoldenIsWhatTheScriptWrites keeps the script and its output together.
func TestGoldenIsWhatTheScriptWrites(t *testing.T) {
	dir, n := written(t), 0
	err := filepath.WalkDir("testdata/golden", func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		n++
		rel, _ := filepath.Rel("testdata/golden", path)
		want, err1 := os.ReadFile(filepath.Join(dir, rel))
		got, err2 := os.ReadFile(path)
		if err1 != nil || err2 != nil || !bytes.Equal(got, want) {
			t.Errorf("%s differs from what the script writes (%v, %v)", path, err1, err2)
		}
		return nil
	})
	if err != nil || n != 15 {
		t.Errorf("%d files, %v", n, err)
	}
}

func TestReadsAtOnce(t *testing.T) {
	for _, v := range []string{"bin", "p2", "p5"} {
		s := open(t, filepath.Join("testdata/golden", v), Options{})
		var wg sync.WaitGroup
		for g := range 8 {
			wg.Add(1)
			go func() {
				defer wg.Done()
				var buf []byte
				for i := range 200 {
					var err error
					r := (g + i) % 2
					if buf, err = s.Read(0, r, buf); err != nil || buf[5] != pixel(r, 5) || buf[planes-1] != pixel(r, planes-1) {
						t.Errorf("image %d: %v", r, err)
						return
					}
				}
			}()
		}
		wg.Wait()
	}
}

// TestFind tries the places where people have the files.
func TestFind(t *testing.T) {
	copyTo := func(t *testing.T, version, to string) {
		t.Helper()
		if err := os.CopyFS(to, os.DirFS(filepath.Join("testdata/golden", version))); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ version, folder, path, want string }{
		{"bin", "", "", "CIFAR-100, binary version"},
		{"bin", "cifar-100-binary", "", "CIFAR-100, binary version"},
		{"bin", "", "test.bin", "CIFAR-100, binary version"},
		{"p5", "", "", "CIFAR-100, python version"},
		{"p5", "cifar-100-python", "", "CIFAR-100, python version"},
		{"p5", "cifar-100-python", "cifar-100-python/train", "CIFAR-100, python version"},
		{"bin", "elsewhere", "", ""},
	} {
		dir := t.TempDir()
		copyTo(t, c.version, filepath.Join(dir, c.folder))
		path := filepath.Join(dir, c.path)
		if got := Detect(path); got != c.want {
			t.Errorf("%+v: detected %q", c, got)
		}
		if c.want != "" {
			if got := open(t, path, Options{Format: "cifar100"}).Info().About; got != c.want {
				t.Errorf("%+v: opened %q", c, got)
			}
			if _, err := Open(path, Options{Format: "cifar10"}); err == nil || !strings.Contains(err.Error(), path) {
				t.Errorf("%+v opens as CIFAR-10: %v", c, err)
			}
		}
	}
	// Both versions: the binary one is read.
	dir := t.TempDir()
	copyTo(t, "bin", filepath.Join(dir, "cifar-100-binary"))
	copyTo(t, "p5", filepath.Join(dir, "cifar-100-python"))
	if got := open(t, dir, Options{}).Info().About; got != "CIFAR-100, binary version" {
		t.Errorf("opened %q", got)
	}
	// Two folders called train and test are no CIFAR-100.
	dir = t.TempDir()
	for _, name := range []string{"train", "test"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if got := Detect(dir); got != "" {
		t.Errorf("folders are %q", got)
	}
}

func TestStrictWantsOfficialCounts(t *testing.T) {
	_, err := Open("testdata/golden/bin", Options{Strict: true})
	if err == nil || !strings.Contains(err.Error(), "train.bin: offset 6148: size is 6148 bytes, want 153700000 bytes (50000 records of 3074)") {
		t.Errorf("binary: %v", err)
	}
	_, err = Open("testdata/golden/p5", Options{Strict: true})
	if err == nil || !strings.Contains(err.Error(), "data holds 2 images, want 50000") {
		t.Errorf("python: %v", err)
	}
}

func TestKnownSets(t *testing.T) {
	for i, k := range KnownSets() {
		l := layouts()[i]
		seen := map[string]bool{}
		for _, c := range k.Classes {
			seen[c] = true
		}
		if len(seen) != len(k.Classes) || len(seen) != l.labels[len(l.labels)-1].limit {
			t.Errorf("%s: %d distinct of %d names", k.Format, len(seen), len(k.Classes))
		}
		if !reflect.DeepEqual(l.Known, k) {
			t.Errorf("layout %d is not of %s", i, k.Format)
		}
	}
}
