package pixels

import (
	"archive/tar"
	"errors"
	"io"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"oneshot/data/decode"
)

// photographs are the first n JPEG files of the collection of photographs.
func photographs(t testing.TB, n int) (files [][]byte) {
	t.Helper()
	f, err := os.Open(filepath.Join("..", "..", "..", "shared", "data", "clothing-small.tar"))
	if errors.Is(err, fs.ErrNotExist) {
		t.Skipf("no photographs: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for r := tar.NewReader(f); len(files) < n; {
		h, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if filepath.Ext(h.Name) == ".jpg" {
			file, err := io.ReadAll(r)
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, file)
		}
	}
	if len(files) == 0 {
		t.Fatal("no JPEG file among the photographs")
	}
	return files
}

// Resizing planes gives nearly what Pillow does, which converts a whole image to RGB first.
func TestPlanesNearPillow(t *testing.T) {
	d, err := decode.New(decode.Auto)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	const side = 224
	whole := Rect{0, 0, side, side}
	r := rand.New(rand.NewPCG(6, 6))
	var s Resampler
	got, want := make([]uint8, side*side*3), make([]uint8, side*side*3)
	type stat struct {
		sum, n, most float64
		counts       [256]int
	}
	stats := map[string]*stat{"random boxes": {}, "centres": {}, "a fifth of the sides, enlarged": {}}
	for _, file := range photographs(t, 60) {
		img, err := d.Decode(file)
		if err != nil {
			t.Fatal(err)
		}
		if img.Y == nil {
			t.Fatal("a photograph is not in planes")
		}
		rgb := &decode.Image{W: img.W, H: img.H, Pix: img.RGB(nil)}
		for name, st := range stats {
			box, window, h, w := Rect{0, 0, img.H, img.W}, whole, side, side
			switch name {
			case "random boxes":
				box = RandomBox(r, img.H, img.W, 0.08)
			case "centres":
				h, w, window = ShorterCenter(img.H, img.W, side, 0.875)
			default:
				box = Center(img.H, img.W, img.H/5, img.W/5)
			}
			s.Resize(got, img, box, h, w, window)
			s.Resize(want, rgb, box, h, w, window)
			for i, v := range got {
				diff := math.Abs(float64(v) - float64(want[i]))
				st.sum, st.n, st.most = st.sum+diff, st.n+1, max(st.most, diff)
				st.counts[int(diff)]++
			}
		}
	}
	names := make([]string, 0, len(stats))
	for name := range stats {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		st := stats[name]
		over := 0
		for _, n := range st.counts[5:] {
			over += n
		}
		t.Logf("%s: mean %.3f, largest %g, over 4 levels %.3f%%", name, st.sum/st.n, st.most, 100*float64(over)/st.n)
		if !(st.sum/st.n < 0.4) {
			t.Errorf("%s: mean difference %.3f levels, want less than 0.4", name, st.sum/st.n)
		}
	}
}
