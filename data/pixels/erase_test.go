package pixels

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestEraseDrawsInsideTheImage(t *testing.T) {
	r := rand.New(rand.NewPCG(15, 16))
	for _, size := range [][2]int{{1, 1}, {1, 9}, {2, 3}, {32, 32}, {20, 300}} {
		h, w := size[0], size[1]
		for range 2000 {
			c := Erase{P: 1}.Draw(r, h, w)
			if c == (Rect{}) {
				continue
			}
			if c.Y0 < 0 || c.X0 < 0 || c.Y1 < c.Y0 || c.X1 < c.X0 || c.Y1 > h || c.X1 > w || c.Y1-c.Y0 >= h || c.X1-c.X0 >= w {
				t.Fatalf("%+v in %dx%d", c, h, w)
			}
		}
	}
}

// Areas, ratios and places follow algorithm 1 of the paper, with torchvision's ranges.
func TestEraseKeepsItsDistribution(t *testing.T) {
	const side, n = 400, 4000
	r := rand.New(rand.NewPCG(17, 18))
	var drawn, tall, left, area float64
	for range n {
		c := Erase{P: 0.25}.Draw(r, side, side)
		if c == (Rect{}) {
			continue
		}
		drawn++
		h, w := float64(c.Y1-c.Y0), float64(c.X1-c.X0)
		part, ratio := h*w/(side*side), h/w
		// Sides are whole pixels, at least 22 of them.
		if !(part > 0.019 && part < 0.34 && ratio > 0.28 && ratio < 3.5) {
			t.Fatalf("%+v covers %.3f at a ratio of %.2f", c, part, ratio)
		}
		area += part
		if ratio > 1 {
			tall++
		}
		if c.X0+c.X1 < side {
			left++
		}
	}
	if !(math.Abs(drawn/n-0.25) < 0.035) {
		t.Errorf("erased %.3f of the images, want 0.25", drawn/n)
	}
	if !(math.Abs(tall/drawn-0.5) < 0.08) || !(math.Abs(left/drawn-0.5) < 0.08) {
		t.Errorf("%.2f are tall and %.2f in the left half, want 0.5", tall/drawn, left/drawn)
	}
	// The mean of 0.02..0.33; the largest are drawn again a little more often.
	if !(math.Abs(area/drawn-0.175) < 0.015) {
		t.Errorf("mean area %.3f, want 0.175", area/drawn)
	}
}

func TestEraseProbability(t *testing.T) {
	r := rand.New(rand.NewPCG(19, 20))
	for range 100 {
		if c := (Erase{}).Draw(r, 32, 32); c != (Rect{}) {
			t.Fatalf("probability 0 erased %+v", c)
		}
	}
}
