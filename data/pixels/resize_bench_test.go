package pixels

import (
	"math/rand/v2"
	"testing"

	"oneshot/data/decode"
)

// BenchmarkResizeLarge is a photograph of 12 million pixels that becomes 256 on its shorter side.
func BenchmarkResizeLarge(b *testing.B) {
	const h, w = 3000, 4000
	noise := func(n int) []uint8 { return goldenPixels(n, 1) }
	for name, src := range map[string]*decode.Image{
		"420": {H: h, W: w, Y: noise(h * w), Cb: noise(h * w / 4), Cr: noise(h * w / 4), YStride: w, CStride: w / 2, SubX: 2, SubY: 2},
		"rgb": {H: h, W: w, Pix: noise(h * w * 3)},
	} {
		b.Run(name, func(b *testing.B) {
			outH, outW := Shorter(h, w, 256)
			dst := make([]uint8, outH*outW*3)
			var s Resampler
			for b.Loop() {
				s.Resize(dst, src, Rect{0, 0, h, w}, outH, outW, Rect{0, 0, outH, outW})
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "images/s")
		})
	}
}

// BenchmarkResize is a random crop of a photograph of 400x533 pixels to 224x224.
func BenchmarkResize(b *testing.B) {
	const h, w, side = 533, 400, 224
	noise := func(n int) []uint8 { return goldenPixels(n, 1) }
	for name, src := range map[string]*decode.Image{
		"420":  {H: h, W: w, Y: noise(h * w), Cb: noise(267 * 200), Cr: noise(267 * 200), YStride: w, CStride: 200, SubX: 2, SubY: 2},
		"444":  {H: h, W: w, Y: noise(h * w), Cb: noise(h * w), Cr: noise(h * w), YStride: w, CStride: w, SubX: 1, SubY: 1},
		"rgb":  {H: h, W: w, Pix: noise(h * w * 3)},
		"grey": {H: h, W: w, Pix: noise(h * w), Grey: true},
	} {
		b.Run(name, func(b *testing.B) {
			r := rand.New(rand.NewPCG(1, 1))
			dst := make([]uint8, side*side*3)
			var s Resampler
			for b.Loop() {
				s.Resize(dst, src, RandomBox(r, h, w, 0.08), side, side, Rect{0, 0, side, side})
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "images/s")
		})
	}
}
