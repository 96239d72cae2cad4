package decode

import (
	"archive/tar"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// photographs are the JPEG files of the collection of photographs, at most n.
func photographs(t testing.TB, n int) [][]byte {
	t.Helper()
	f, err := os.Open(filepath.Join("..", "..", "..", "shared", "data", "clothing-small.tar"))
	if err != nil {
		t.Skipf("no photographs: %v", err)
	}
	defer f.Close()
	var files [][]byte
	for r := tar.NewReader(f); len(files) < n; {
		h, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(h.Name, ".jpg") {
			continue
		}
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, b)
	}
	if len(files) == 0 {
		t.Fatalf("%s has no JPEG files", f.Name())
	}
	return files
}

func BenchmarkDecode(b *testing.B) {
	files := photographs(b, 400)
	for _, name := range []string{Turbo, Go} {
		for _, rgb := range []bool{false, true} {
			b.Run(name+map[bool]string{false: "/planes", true: "/rgb"}[rgb], func(b *testing.B) {
				d := newDecoder(b, name)
				var out []uint8
				for i := 0; b.Loop(); i++ {
					m, err := d.Decode(files[i%len(files)])
					if err != nil {
						b.Fatal(err)
					}
					if rgb {
						out = m.RGB(out)
					}
				}
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "images/s")
			})
		}
	}
}

// newDecoder makes a decoder, or skips where the library is absent.
func newDecoder(t testing.TB, name string) *Decoder {
	t.Helper()
	d, err := New(name)
	if err != nil {
		if name == Turbo {
			t.Skip(err)
		}
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return d
}
