package pixels

import (
	"math"
	"math/rand/v2"
	"testing"
)

// Boxes have torchvision's shares and ratios, and lie everywhere.
func TestRandomBoxDistribution(t *testing.T) {
	const h, w, n = 1000, 1200, 20000
	r := rand.New(rand.NewPCG(1, 2))
	var share, ratio, wide, top, bottom float64
	for range n {
		b := RandomBox(r, h, w, 0.08)
		if !b.inside(h, w) {
			t.Fatalf("box %v", b)
		}
		a, q := float64(b.H()*b.W())/(h*w), float64(b.W())/float64(b.H())
		if !(a > 0.079 && a <= 1 && q > 0.745 && q < 1.34) {
			t.Fatalf("box %v: share %.3f, ratio %.3f", b, a, q)
		}
		share += a / n
		ratio += math.Log(q) / n
		if q > 1 {
			wide += 1. / n
		}
		if b.Y0 == 0 {
			top += 1. / n
		}
		if b.Y1 == h {
			bottom += 1. / n
		}
	}
	// What torchvision 0.14 makes of 20,000 draws, within four standard errors of both.
	if !(math.Abs(share-0.461) < 0.01) || !(math.Abs(ratio-0.025) < 0.008) || !(math.Abs(wide-0.566) < 0.02) {
		t.Errorf("mean share %.3f, mean log ratio %.3f, wide %.3f", share, ratio, wide)
	}
	if !(top > 0 && math.Abs(top-bottom) < 0.01) {
		t.Errorf("%.4f at the top, %.4f at the bottom", top, bottom)
	}
}

// An image too narrow for any box gives the central one.
func TestRandomBoxFallsBack(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	if got, want := RandomBox(r, 300, 30, 0.5), (Rect{130, 0, 170, 30}); got != want {
		t.Errorf("box %v, want %v", got, want)
	}
	if got, want := RandomBox(r, 1, 1, 0.08), (Rect{0, 0, 1, 1}); got != want {
		t.Errorf("box %v, want %v", got, want)
	}
}

func TestShorter(t *testing.T) {
	for _, c := range [][5]int{{533, 400, 256, 341, 256}, {400, 533, 256, 256, 341}, {7, 7, 3, 3, 3}, {1, 9, 5, 5, 45}} {
		if h, w := Shorter(c[0], c[1], c[2]); h != c[3] || w != c[4] {
			t.Errorf("%dx%d to %d: %dx%d, want %dx%d", c[0], c[1], c[2], h, w, c[3], c[4])
		}
	}
}

func FuzzRandomBox(f *testing.F) {
	f.Add(uint64(1), 533, 400, 0.08)
	f.Add(uint64(2), 1, 1, 1.0)
	f.Fuzz(func(t *testing.T, seed uint64, h, w int, minArea float64) {
		if h < 1 || w < 1 || h > 1<<20 || w > 1<<20 || !(minArea > 0 && minArea <= 1) {
			t.Skip()
		}
		if b := RandomBox(rand.New(rand.NewPCG(seed, 0)), h, w, minArea); !b.inside(h, w) {
			t.Errorf("%dx%d: box %v", h, w, b)
		}
	})
}
