package cpu

import (
	"fmt"
	"testing"
)

// benchNorm is a normalisation of c channels with memory of its own.
func benchNorm(c int) Norm[float32] {
	ch := func() []float32 { return make([]float32, c) }
	return Norm[float32]{Gamma: fillNoise(ch()), Beta: ch(), Scale: ch(), Shift: ch(), Mean: ch(), Inv: ch(), RunMean: ch(), RunVar: ch(),
		Batch: true, Momentum: 0.1, DGamma: ch(), DBeta: ch()}
}

// benchAct is an activation of n pixels whose normalisation is deferred.
func benchAct(n, c int) Act[float32] {
	ch := func() []float32 { return fillNoise(make([]float32, c)) }
	return Act[float32]{X: fillNoise(Huge[float32](n * c)), Scale: ch(), Shift: ch()}
}

// benchBoth times a pass forward and backward on one thread: adds are the multiply-adds
// forward, moved the floats of both that memory sees at least.
func benchBoth(b *testing.B, name string, adds, fwdMoved, bwdMoved int, forward, backward func(e *Engine[float32])) {
	p := NewPool(1)
	defer p.Close()
	e := NewEngine[float32](p)
	forward(e) // touches the memory
	backward(e)
	for _, dir := range []struct {
		name        string
		adds, moved int
		run         func(e *Engine[float32])
	}{{"fwd", adds, fwdMoved, forward}, {"bwd", 2 * adds, bwdMoved, backward}} {
		b.Run(name+"/"+dir.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				dir.run(e)
			}
			s := b.Elapsed().Seconds() / float64(b.N)
			b.ReportMetric(2e-9*float64(dir.adds)/s, "GFLOP/s")
			b.ReportMetric(4e-9*float64(dir.moved)/s, "GB/s")
		})
	}
}

// BenchmarkDepthwise has the sizes of NAS-Bench-Macro.
func BenchmarkDepthwise(b *testing.B) {
	for _, s := range []struct{ side, c, k, stride int }{
		{32, 96, 3, 2}, {32, 192, 5, 2}, {16, 192, 3, 1}, {16, 384, 5, 1}, {16, 384, 5, 2},
		{8, 384, 3, 1}, {8, 768, 5, 1}, {8, 768, 5, 2}, {4, 768, 3, 1}, {4, 1536, 5, 1},
	} {
		o := Depthwise[float32]{N: 16 * 32 / s.side, H: s.side, W: s.side, C: s.c, K: s.k, Stride: s.stride, F: ReLU, Norm: benchNorm(s.c)}
		ho, wo := o.out()
		x, z := o.N*s.side*s.side, o.N*ho*wo
		o.X, o.Z = benchAct(x, s.c), Huge[float32](z*s.c)
		o.Weights, o.DWeights = fillNoise(make([]float32, s.k*s.k*s.c)), make([]float32, s.k*s.k*s.c)
		o.DX.DX = Huge[float32](x * s.c)
		dy := fillNoise(Huge[float32](z * s.c))
		benchBoth(b, fmt.Sprintf("%dx%d/%d/%dx%d/s%d", s.side, s.side, s.c, s.k, s.k, s.stride), z*s.c*s.k*s.k, (x+z)*s.c, (2*x+2*z)*s.c,
			func(e *Engine[float32]) { e.DepthwiseForward(&o) }, func(e *Engine[float32]) { e.DepthwiseBackward(&o, dy) })
	}
}

// BenchmarkConv1x1 has the sizes of NAS-Bench-Macro, its head, and NAS-Bench-201.
func BenchmarkConv1x1(b *testing.B) {
	for _, s := range []struct{ side, cin, cout int }{
		{32, 32, 192}, {16, 192, 64}, {16, 64, 384}, {16, 384, 64}, {8, 384, 128}, {8, 128, 768}, {8, 768, 128},
		{4, 768, 256}, {4, 256, 1536}, {4, 1536, 256}, {4, 256, 1280}, {32, 16, 16}, {16, 32, 32}, {8, 64, 64},
	} {
		o := Conv[float32]{N: 16 * 32 / s.side, Px: s.side * s.side, Cin: s.cin, Cout: s.cout, F: ReLU, Norm: benchNorm(s.cout)}
		px := o.N * o.Px
		o.Parts, o.Z = []Act[float32]{benchAct(px, s.cin)}, Huge[float32](px*s.cout)
		o.W, o.DW = fillNoise(make([]float32, s.cin*s.cout)), make([]float32, s.cin*s.cout)
		o.DParts = []Out[float32]{{DX: Huge[float32](px * s.cin)}}
		dy := fillNoise(Huge[float32](px * s.cout))
		benchBoth(b, fmt.Sprintf("%dx%d/%d-%d", s.side, s.side, s.cin, s.cout), px*s.cin*s.cout, px*(s.cin+s.cout), 2*px*(s.cin+s.cout),
			func(e *Engine[float32]) { e.ConvForward(&o) }, func(e *Engine[float32]) { e.ConvBackward(&o, dy) })
	}
}
