package parquet

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/parquet-go/parquet-go/format"

	"oneshot/data/source"
)

// goldenBytes is image i of testdata/write.mjs.
func goldenBytes(i int) []byte {
	b := make([]byte, i*37%64)
	for k := range b {
		b[k] = byte(i*31 + k*k)
	}
	return b
}

// TestWrittenByHyparquet reads what a second implementation writes.
func TestWrittenByHyparquet(t *testing.T) {
	paths, err := filepath.Glob("testdata/golden/*.parquet")
	if err != nil || len(paths) != 14 {
		t.Fatalf("%d files, %v", len(paths), err)
	}
	seen := map[format.Encoding]int{}
	pages := 0
	for _, path := range paths {
		name := filepath.Base(path)
		s := open(t, path, Options{})
		in := s.Info()
		if !slices.Equal(in.Classes, []string{"ant", "bee", "cat", "dog", "eel", "fox", "gnu"}) {
			t.Errorf("%s: classes %v", name, in.Classes)
		}
		record := 0
		for i := range 24 {
			of := i
			if name == "repeated.parquet" {
				of = i % 3
			}
			nulls := name == "nulls.parquet"
			if nulls && i%8 == 3 {
				continue
			}
			got, err := s.Read(0, record, nil)
			if nulls && (i%6 == 1 || i%6 == 4) {
				var f *source.Fault
				if !errors.As(err, &f) || f.Msg != "has no bytes in the file" {
					t.Errorf("%s: image %d: %v", name, i, err)
				}
			} else if err != nil || !bytes.Equal(got, goldenBytes(of)) {
				t.Errorf("%s: image %d: %d bytes, %v", name, i, len(got), err)
			}
			if y := in.Splits[0].Labels[record]; int(y) != of*5%7 {
				t.Errorf("%s: image %d has label %d", name, i, y)
			}
			record++
		}
		if len(in.Splits) != 1 || len(in.Splits[0].Labels) != record {
			t.Errorf("%s: %d splits of %d records", name, len(in.Splits), len(in.Splits[0].Labels))
		}
		for _, g := range s.(*Set).shards[0].groups {
			pages += len(g.image.pages)
			for _, p := range append(g.image.pages, g.label.pages...) {
				seen[p.encoding]++
			}
		}
	}
	if len(seen) != 6 || pages < 40 {
		t.Errorf("encodings %v in %d pages of images", seen, pages)
	}
}

// TestGoldenIsWhatTheScriptWrites keeps the script and its output together, where node and
// the package are installed.
func TestGoldenIsWhatTheScriptWrites(t *testing.T) {
	if _, err := os.Stat("testdata/node_modules/hyparquet-writer"); err != nil {
		t.Skip("no hyparquet-writer: run npm install in testdata")
	}
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("no node")
	}
	dir := t.TempDir()
	if out, err := exec.Command("node", "testdata/write.mjs", dir).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	paths, err := filepath.Glob("testdata/golden/*.parquet")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		got, err1 := os.ReadFile(path)
		want, err2 := os.ReadFile(filepath.Join(dir, filepath.Base(path)))
		// The bytes of gzip and Brotli depend on node's libraries.
		if name := filepath.Base(path); err1 != nil || err2 != nil || name != "gzip.parquet" && name != "brotli.parquet" && !bytes.Equal(got, want) {
			t.Errorf("%s differs from what the script writes (%v, %v)", path, err1, err2)
		}
	}
}
