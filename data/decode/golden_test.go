package decode

import (
	"archive/zip"
	"encoding/binary"
	"io"
	"path"
	"path/filepath"
	"sort"
	"strings"
	"testing"
)

// golden is testdata/golden.zip, which golden.py wrote: files and what PIL makes of them.
type golden struct {
	files map[string][]byte
	names []string // of image files, sorted
}

func readGolden(t testing.TB) *golden {
	t.Helper()
	z, err := zip.OpenReader(filepath.Join("testdata", "golden.zip"))
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	g := &golden{files: map[string][]byte{}}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		g.files[f.Name] = b
		if path.Ext(f.Name) != ".rgb" {
			g.names = append(g.names, f.Name)
		}
	}
	sort.Strings(g.names)
	return g
}

// pixels are those of a file, nil where it is not read.
func (g *golden) pixels(name string) (w, h int, rgb []byte) {
	b := g.files[strings.TrimSuffix(name, path.Ext(name))+".rgb"]
	if len(b) == 0 {
		return 0, 0, nil
	}
	return int(binary.LittleEndian.Uint32(b)), int(binary.LittleEndian.Uint32(b[4:])), b[8:]
}

// tolerance is how many levels a value may be off PIL's. The transforms of turbo and PIL are the same,
// Go's is off by a level, which colour conversion takes times 1.8.
func tolerance(name, decoder string) int {
	switch {
	case strings.HasPrefix(name, "webp_lossy"), strings.HasPrefix(name, "webp_1"), strings.HasPrefix(name, "webp_2"):
		return 2 // libwebp rounds chroma twice
	case !strings.HasPrefix(name, "jpeg"):
		return 0
	case strings.HasPrefix(name, "jpeg_cmyk"), strings.HasPrefix(name, "jpeg_ycck"):
		return 1 + 2*map[string]int{Go: 1}[decoder]
	case decoder == Go:
		return 3
	}
	return 0
}

func TestPixelsArePILs(t *testing.T) {
	g := readGolden(t)
	for _, decoder := range []string{Go, Turbo} {
		t.Run(decoder, func(t *testing.T) {
			d := newDecoder(t, decoder)
			var out []byte
			for _, name := range g.names {
				w, h, want := g.pixels(name)
				m, err := d.Decode(g.files[name])
				if want == nil {
					if e, ok := err.(*Error); !ok || !e.Unsupported {
						t.Errorf("%s: error %v, want that it is not read", name, err)
					}
					continue
				}
				if err != nil {
					t.Errorf("%s: %v", name, err)
					continue
				}
				if m.W != w || m.H != h {
					t.Errorf("%s is %dx%d, want %dx%d", name, m.W, m.H, w, h)
					continue
				}
				out = m.RGB(out)
				most, at := 0, 0
				for i, v := range out {
					if d := max(int(v)-int(want[i]), int(want[i])-int(v)); d > most {
						most, at = d, i
					}
				}
				if most > tolerance(name, decoder) {
					t.Errorf("%s: off by %d at y %d, x %d, value %d: is %d, want %d", name, most, at/3/w, at/3%w, at%3, out[at], want[at])
				}
			}
		})
	}
}
