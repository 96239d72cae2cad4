package pixels

import (
	"encoding/json"
	"os"
	"testing"

	"oneshot/data/decode"
)

// resizeGolden is what Pillow and torchvision computed: testdata/resize_golden.py.
type resizeGolden struct {
	Resizes []struct {
		H, W, Channels int
		Seed           uint32
		Box            [4]int
		OutH, OutW     int
		Pixels         []byte
	}
	Centers []struct {
		H, W, Side            int
		Crop                  float64
		OutH, OutW, Top, Left int
	}
	Boxes []struct {
		H, W     int
		Draws    [][2]float64
		Fallback bool
		Box      [4]int
	}
}

func readResizeGolden(t *testing.T) (g resizeGolden) {
	t.Helper()
	text, err := os.ReadFile("testdata/resize_golden.json")
	if err == nil {
		err = json.Unmarshal(text, &g)
	}
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// goldenPixels are those of the script: noise over edges and plains.
func goldenPixels(n int, seed uint32) []uint8 {
	out := make([]uint8, n)
	for i := range out {
		seed = seed*1664525 + 1013904223
		switch v := seed >> 24; {
		case v > 191:
			out[i] = 255
		case v >= 64:
			out[i] = uint8(v)
		}
	}
	return out
}

func TestResizeEqualsPillow(t *testing.T) {
	cases := readResizeGolden(t).Resizes
	if len(cases) < 25 {
		t.Fatalf("%d cases, want 25 at least", len(cases))
	}
	forEachISA(t, func(t *testing.T) {
		var r Resampler
		for _, c := range cases {
			src := decode.Image{H: c.H, W: c.W, Pix: goldenPixels(c.H*c.W*c.Channels, c.Seed), Grey: c.Channels == 1}
			got := make([]uint8, c.OutH*c.OutW*3)
			box := Rect{c.Box[0], c.Box[1], c.Box[2], c.Box[3]}
			r.Resize(got, &src, box, c.OutH, c.OutW, Rect{0, 0, c.OutH, c.OutW})
			bad := 0
			for i, v := range got {
				if v != c.Pixels[i*c.Channels/3] {
					bad++
				}
			}
			if bad > 0 {
				t.Errorf("%dx%dx%d, box %v to %dx%d: %d of %d bytes differ", c.H, c.W, c.Channels, box, c.OutH, c.OutW, bad, len(got))
			}
		}
	})
}

func TestShorterCenterEqualsTorchvision(t *testing.T) {
	cases := readResizeGolden(t).Centers
	if len(cases) == 0 {
		t.Fatal("no cases")
	}
	for _, c := range cases {
		h, w, window := ShorterCenter(c.H, c.W, c.Side, c.Crop)
		want := Rect{c.Top, c.Left, c.Top + c.Side, c.Left + c.Side}
		if h != c.OutH || w != c.OutW || window != want {
			t.Errorf("%dx%d to %d, %g: %dx%d, %v; want %dx%d, %v", c.H, c.W, c.Side, c.Crop, h, w, window, c.OutH, c.OutW, want)
		}
	}
}

func TestBoxEqualsTorchvision(t *testing.T) {
	fallbacks := 0
	for _, c := range readResizeGolden(t).Boxes {
		want := Rect{c.Box[0], c.Box[1], c.Box[2], c.Box[3]}
		if c.Fallback {
			fallbacks++
			if got := centralBox(c.H, c.W, 3./4, 4./3); got != want {
				t.Errorf("%dx%d: central box %v, want %v", c.H, c.W, got, want)
			}
		}
		for i, d := range c.Draws {
			h, w := boxSides(c.H, c.W, d[0], d[1])
			fits := 0 < h && h <= c.H && 0 < w && w <= c.W
			last := i == len(c.Draws)-1 && !c.Fallback
			if fits != last || last && (h != want.H() || w != want.W()) {
				t.Errorf("%dx%d: draw %d of %d, %v, is %dx%d; want %v", c.H, c.W, i, len(c.Draws), d, h, w, want)
			}
		}
	}
	if fallbacks == 0 {
		t.Error("no case of the fallback")
	}
}
