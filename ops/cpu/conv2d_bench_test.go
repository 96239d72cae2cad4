package cpu

import (
	"fmt"
	"testing"
	"time"
)

// BenchmarkConv2D is a convolution forward and backward, with its normalisation. floor
// is the time that its multiply-adds would take at the rate of a product of matrices in
// the first level cache, as a share of the time it takes.
func BenchmarkConv2D(b *testing.B) {
	peak := gemmRate()
	for _, c := range []struct {
		name string
		o    Conv2D[float32]
	}{
		{"stem1", Conv2D[float32]{H: 224, W: 224, Cin: 3, Cout: 24, R: 3, S: 3, StrideH: 2, StrideW: 2}},
		{"stem2", Conv2D[float32]{H: 112, W: 112, Cin: 24, Cout: 48, R: 3, S: 3, StrideH: 2, StrideW: 2, F: ReLU}},
		{"stem3", Conv2D[float32]{H: 56, W: 56, Cin: 48, Cout: 48, R: 3, S: 3, StrideH: 2, StrideW: 2, F: ReLU}},
		{"1x7", Conv2D[float32]{H: 28, W: 28, Cin: 48, Cout: 48, R: 1, S: 7, StrideH: 1, StrideW: 1, F: ReLU, NoNorm: true}},
		{"7x1", Conv2D[float32]{H: 28, W: 28, Cin: 48, Cout: 48, R: 7, S: 1, StrideH: 1, StrideW: 1}},
		{"1x7/s2", Conv2D[float32]{H: 28, W: 28, Cin: 96, Cout: 96, R: 1, S: 7, StrideH: 1, StrideW: 2, F: ReLU, NoNorm: true}},
		{"7x1/s2", Conv2D[float32]{H: 28, W: 14, Cin: 96, Cout: 96, R: 7, S: 1, StrideH: 2, StrideW: 1}},
		{"1x7/c192", Conv2D[float32]{H: 7, W: 7, Cin: 192, Cout: 192, R: 1, S: 7, StrideH: 1, StrideW: 1, F: ReLU, NoNorm: true}},
		{"7x1/c192", Conv2D[float32]{H: 7, W: 7, Cin: 192, Cout: 192, R: 7, S: 1, StrideH: 1, StrideW: 1}},
		{"7x1/c16", Conv2D[float32]{H: 32, W: 32, Cin: 16, Cout: 16, R: 7, S: 1, StrideH: 1, StrideW: 1}},
	} {
		o := c.o
		o.N = 8
		ho, wo := o.out()
		zeros := func(n int) []float32 { return make([]float32, n) }
		o.X = Act[float32]{X: fillNoise(zeros(o.N * o.H * o.W * o.Cin))}
		if o.F == ReLU {
			o.X.Scale, o.X.Shift = fillNoise(zeros(o.Cin)), fillNoise(zeros(o.Cin))
		}
		o.Weights, o.DWeights = fillNoise(zeros(o.depth()*o.Cout)), zeros(o.depth()*o.Cout)
		o.Z = zeros(o.N * ho * wo * o.Cout)
		dy := fillNoise(zeros(len(o.Z)))
		ch := func() []float32 { return zeros(o.Cout) }
		o.Norm = Norm[float32]{Gamma: ch(), Beta: ch(), Scale: ch(), Shift: ch(), Mean: ch(), Inv: ch(), RunMean: ch(), RunVar: ch(), Batch: true, Momentum: 0.1, DGamma: ch(), DBeta: ch()}
		adds := float64(len(o.Z)) * float64(o.depth())
		for _, dir := range []string{"fwd", "dw", "dw+dx"} {
			work := adds
			if dir == "dw+dx" {
				if o.Cin == 3 {
					continue
				}
				o.DX.DX, work = zeros(len(o.X.X)), 2*adds
			}
			p := NewPool(1)
			e := NewEngine[float32](p)
			e.Conv2DForward(&o)
			b.Run(fmt.Sprintf("%s/%s", c.name, dir), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if dir == "fwd" {
						e.Conv2DForward(&o)
					} else {
						e.Conv2DBackward(&o, dy)
					}
				}
				rate := work * float64(b.N) / b.Elapsed().Seconds()
				b.ReportMetric(2e-9*rate, "GFLOP/s")
				b.ReportMetric(rate/peak, "floor")
			})
			p.Close()
		}
	}
}

// gemmRate is the multiply-adds a second of a product that the first level cache holds.
func gemmRate() float64 {
	const m, k, n = 48, 96, 32
	x, w, y := fillNoise(make([]float32, m*k)), fillNoise(make([]float32, k*n)), make([]float32, m*n)
	best := 0.0
	for range 20 {
		const times = 1000
		start := time.Now()
		for range times {
			rows32.gemm(m, k, n, x, k, w, n, y, n)
		}
		best = max(best, times*m*k*n/time.Since(start).Seconds())
	}
	return best
}
