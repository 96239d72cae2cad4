package data

import (
	"math/rand/v2"
	"testing"

	"oneshot/data/pixels"
)

// renderRef is render as its definition says, one value at a time.
func renderRef(dst []float32, src []uint8, side int, norm *pixels.Normaliser, p placement) {
	for y := range side {
		for x := range side {
			for c := range 3 {
				sy, sx := y+p.dy, x
				if p.flip { // the crop comes first, so the flip mirrors the crop
					sx = side - 1 - x
				}
				sx += p.dx
				v := uint8(0)
				if sy >= 0 && sy < side && sx >= 0 && sx < side {
					v = src[(sy*side+sx)*3+c]
				}
				out := norm.Table()[c][v]
				if y >= p.y0 && y < p.y1 && x >= p.x0 && x < p.x1 {
					out = 0
				}
				dst[(y*side+x)*3+c] = out
			}
		}
	}
}

// TestRenderMatchesReference tries every crop, with and without flip, on a small
// image, and random full placements. The norm table is such that no two bytes
// and no two channels look alike, and black is not zero.
func TestRenderMatchesReference(t *testing.T) {
	const side = 5
	norm := pixels.NewNormaliser([3]float32{0.5, 0.4, 0.3}, [3]float32{0.2, 0.21, 0.22})
	r := rand.New(rand.NewPCG(1, 2))
	src := make([]uint8, side*side*3)
	for i := range src {
		src[i] = uint8(r.Uint32())
	}
	check := func(p placement) {
		t.Helper()
		got, want := make([]float32, len(src)), make([]float32, len(src))
		for i := range got {
			got[i] = 99
		}
		render(got, src, side, norm, p)
		renderRef(want, src, side, norm, p)
		for i := range got {
			if got[i] != want[i] {
				t.Fatalf("%+v: value %d is %g, want %g", p, i, got[i], want[i])
			}
		}
	}
	for dy := -side - 2; dy <= side+2; dy++ { // beyond the image too
		for dx := -side - 2; dx <= side+2; dx++ {
			check(placement{dy: dy, dx: dx})
			check(placement{dy: dy, dx: dx, flip: true})
		}
	}
	for range 2000 {
		check(Augment{Crop: r.IntN(8), Flip: true, Cutout: r.IntN(12)}.draw(r, side))
	}
}

// TestDrawCoversAllPlacements: every offset, both orientations, every cutout
// centre occur, about equally often, and the switches are obeyed.
func TestDrawCoversAllPlacements(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	const n = 90000
	var crops [9][9]int
	flips, full := 0, 0
	for range n {
		p := Augment{Crop: 4, Flip: true, Cutout: 16}.draw(r, 32)
		crops[p.dy+4][p.dx+4]++
		if p.flip {
			flips++
		}
		h, w := p.y1-p.y0, p.x1-p.x0
		if h < 8 || h > 16 || w < 8 || w > 16 || p.y0 < 0 || p.y1 > 32 || p.x0 < 0 || p.x1 > 32 {
			t.Fatalf("cutout %+v", p)
		}
		if h == 16 && w == 16 {
			full++
		}
	}
	for _, row := range crops {
		for _, k := range row {
			if k < n/81*7/10 || k > n/81*13/10 {
				t.Errorf("a crop occurs %d times, want about %d", k, n/81)
			}
		}
	}
	if flips < n*49/100 || flips > n*51/100 {
		t.Errorf("%d flips of %d", flips, n)
	}
	// Centres 8..24 of 32 give a full square: (17/32)^2.
	if want := n * 289 / 1024; full < want*95/100 || full > want*105/100 {
		t.Errorf("%d full squares, want about %d", full, want)
	}
	for range 100 {
		if p := (Augment{}).draw(r, 32); p != (placement{}) {
			t.Fatalf("switched off: %+v", p)
		}
	}
	// The crop does not depend on the cutout.
	a := Augment{Crop: 4, Flip: true}.draw(rand.New(rand.NewPCG(5, 6)), 32)
	b := Augment{Crop: 4, Flip: true, Cutout: 8}.draw(rand.New(rand.NewPCG(5, 6)), 32)
	if a.dy != b.dy || a.dx != b.dx || a.flip != b.flip {
		t.Error("cutout changes the crop")
	}
}
