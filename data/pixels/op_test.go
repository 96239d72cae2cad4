package pixels

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestIdentityMagnitudesChangeNothing(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	img := scene(r, 11, 7)
	var s Scratch
	for _, d := range []Drawn{
		{Identity, 3}, {ShearX, 0}, {ShearY, 0}, {TranslateX, 0}, {TranslateX, -0.9}, {TranslateY, 0.9}, {Rotate, 0},
		{Rotate, -360}, {CubicShearX, 0}, {CubicShearY, 0}, {CubicTranslateX, 0}, {CubicTranslateY, 0}, {CubicRotate, 0}, {Brightness, 0}, {Color, 0}, {Contrast, 0}, {Sharpness, 0}, {Posterize, 8}, {Solarize, 256},
	} {
		got := slices.Clone(img)
		Apply(got, 11, 7, []Drawn{d}, &s)
		if diff := difference(got, img); diff != "" {
			t.Errorf("%v: %s", d, diff)
		}
	}
	// Inverted, so that black which comes in at a side shows at the end.
	square := scene(r, 9, 9)
	got := slices.Clone(square)
	Apply(got, 9, 9, []Drawn{{Invert, 0}, {Rotate, 90}, {Rotate, 180}, {Rotate, 90}, {Invert, 0}}, &s)
	if diff := difference(got, square); diff != "" {
		t.Errorf("a whole turn in parts: %s", diff)
	}
}

// Whatever the magnitude and the size, Apply writes inside its image alone and ends.
func TestApplyStaysInside(t *testing.T) {
	magnitudes := []float64{0, 1, -1, 0.3, 7.5, -300, 1e9, -1e300, math.Inf(1), math.Inf(-1), math.NaN(), 5e-324}
	var s Scratch
	for _, size := range [][2]int{{0, 0}, {0, 4}, {1, 1}, {1, 4}, {4, 1}, {2, 3}, {3, 2}, {3, 3}, {5, 3}} {
		for o := range numOps + 2 {
			for _, m := range magnitudes {
				applyGuarded(t, size[0], size[1], []Drawn{{o, m}}, &s)
			}
		}
	}
}

func TestMagnitudesAreLimited(t *testing.T) {
	img := scene(rand.New(rand.NewPCG(1, 3)), 8, 8)
	var s Scratch
	for o := range numOps {
		for _, c := range [][2]float64{{math.Inf(1), 1 << 20}, {1e300, 1 << 20}, {-1e9, -1 << 20}, {math.Inf(-1), -1 << 20}} {
			got, want := slices.Clone(img), slices.Clone(img)
			Apply(got, 8, 8, []Drawn{{o, c[0]}}, &s)
			Apply(want, 8, 8, []Drawn{{o, c[1]}}, &s)
			if d := difference(got, want); d != "" {
				t.Errorf("%v by %v: %s", o, c[0], d)
			}
		}
		got := slices.Clone(img)
		Apply(got, 8, 8, []Drawn{{o, math.NaN()}}, &s)
		if d := difference(got, img); d != "" {
			t.Errorf("%v by NaN: %s", o, d)
		}
	}
	got := slices.Clone(img)
	Apply(got, 8, 8, []Drawn{{Brightness, math.Inf(1)}}, &s)
	for i, v := range got {
		if v != 255 {
			t.Fatalf("byte %d is %d in infinite brightness", i, v)
		}
	}
}

// applyGuarded works ops on an image (h,w,3) with other memory around it.
func applyGuarded(t *testing.T, h, w int, ops []Drawn, s *Scratch) {
	t.Helper()
	const guard = 64
	n := h * w * 3
	memory := make([]uint8, guard+n+guard)
	for i := range memory {
		memory[i] = uint8(i*37 + i*i)
	}
	before := slices.Clone(memory)
	Apply(memory[guard:guard+n], h, w, ops, s)
	if !slices.Equal(memory[:guard], before[:guard]) || !slices.Equal(memory[guard+n:], before[guard+n:]) {
		t.Fatalf("%v on %dx%d wrote outside the image", ops, h, w)
	}
	// The same again, in fresh scratch memory: nothing may be left over from other images.
	again := slices.Clone(before)
	Apply(again[guard:guard+n], h, w, ops, new(Scratch))
	if !slices.Equal(again, memory) {
		t.Fatalf("%v on %dx%d depends on what scratch memory held", ops, h, w)
	}
}

func FuzzApply(f *testing.F) {
	f.Add(uint8(4), uint8(5), uint8(Rotate), 30.0, uint8(Sharpness), -0.9)
	f.Add(uint8(1), uint8(9), uint8(ShearY), 0.3, uint8(Equalize), 0.0)
	f.Add(uint8(6), uint8(2), uint8(Hue), -0.5, uint8(Solarize), 99.0)
	f.Add(uint8(2), uint8(7), uint8(CubicRotate), -17.0, uint8(CubicTranslateX), 2.5)
	f.Fuzz(func(t *testing.T, h, w, o1 uint8, m1 float64, o2 uint8, m2 float64) {
		var s Scratch
		applyGuarded(t, int(h%40), int(w%40), []Drawn{{Op(o1), m1}, {Op(o2), m2}}, &s)
	})
}

func TestApplyAllocatesNothing(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	img := scene(r, 16, 16)
	var s Scratch
	ops := make([]Drawn, 0, 8)
	erase := Erase{P: 1}
	policies := []Policy{autoAugmentCIFAR10, autoAugmentImageNet, laNetAugment(autoAugmentCIFAR10), RandAugment{3, 30}, Jitter{1, 1, 1, 0.5}}
	once := func() {
		for _, p := range policies {
			ops = p.Draw(r, ops[:0], 16, 16)
			Apply(img, 16, 16, ops, &s)
		}
		erase.Draw(r, 16, 16)
	}
	Apply(img, 16, 16, []Drawn{{Sharpness, 1}, {CubicRotate, 1}}, &s)
	if n := testing.AllocsPerRun(200, once); n != 0 {
		t.Errorf("%v allocations an image", n)
	}
}
