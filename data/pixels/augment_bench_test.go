package pixels

import (
	"math/rand/v2"
	"testing"
)

// scene makes an image (h,w,3) whose pixels are like their neighbours, as a photograph's are.
func scene(r *rand.Rand, h, w int) []uint8 {
	img := make([]uint8, h*w*3)
	for i := range img {
		y, x, c := i/3/w, i/3%w, i%3
		img[i] = uint8(30 + 60*c + 90*x/w + (20-40*c)*y/h + r.IntN(12))
	}
	return img
}

// One operation on an image of CIFAR's size. Most work on their own output, which would soon
// be black or white, so that each time the image is restored first; that is in the figures.
func BenchmarkOp(b *testing.B) {
	for o := range numOps {
		b.Run(o.String(), func(b *testing.B) {
			img := scene(rand.New(rand.NewPCG(1, 1)), 32, 32)
			work := make([]uint8, len(img))
			m := map[Op]float64{ShearX: 0.2, ShearY: 0.2, TranslateX: 5, TranslateY: 5, Rotate: 20, Posterize: 4, Solarize: 128, Hue: 0.1,
				CubicShearX: 0.2, CubicShearY: 0.2, CubicTranslateX: 5.5, CubicTranslateY: 5.5, CubicRotate: 20}[o]
			if m == 0 {
				m = 0.5
			}
			ops := []Drawn{{o, m}}
			var s Scratch
			b.ReportAllocs()
			for b.Loop() {
				copy(work, img)
				Apply(work, 32, 32, ops, &s)
			}
		})
	}
}

// Draw and Apply of a whole policy, an image of CIFAR's size at a time.
func BenchmarkPolicy(b *testing.B) {
	policies := map[string]Policy{"jitter": Jitter{0.4, 0.4, 0.4, 0.1}}
	for _, name := range PolicyNames() {
		policies[name], _ = NewPolicy(name, 2, 9)
	}
	for name, p := range policies {
		b.Run(name, func(b *testing.B) {
			r := rand.New(rand.NewPCG(1, 1))
			img := scene(r, 32, 32)
			work := make([]uint8, len(img))
			var ops []Drawn
			var s Scratch
			b.ReportAllocs()
			for b.Loop() {
				copy(work, img)
				ops = p.Draw(r, ops[:0], 32, 32)
				Apply(work, 32, 32, ops, &s)
			}
		})
	}
}
