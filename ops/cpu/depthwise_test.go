package cpu

import (
	"fmt"
	"testing"
)

// windowShapes are small shapes of every kind, and some of many chunks.
func windowShapes() []DW {
	var ds []DW
	i := 0
	for _, k := range []int{3, 5, 7} {
		for _, stride := range []int{1, 2} {
			for _, dil := range []int{1, 2} {
				for h := 1; h <= 9; h++ {
					for w := 1; w <= 9; w++ {
						i++
						d := DW{N: 1 + i%3, H: h, W: w, C: 1 + i%20, K: k, Stride: stride, Pad: dil * (k / 2), Dil: dil}
						if i%5 == 0 {
							d.Pad = i / 5 % (dil*(k-1) + 3)
						}
						ds = append(ds, d)
					}
				}
			}
		}
	}
	return append(ds,
		DW{8, 16, 16, 20, 5, 1, 2, 1},
		DW{8, 17, 15, 33, 3, 2, 1, 1},
		DW{4, 16, 16, 16, 5, 2, 4, 2},
		DW{4, 16, 13, 17, 7, 1, 3, 1},
		DW{2, 9, 9, 4, 3, 3, 1, 2},
		DW{2, 9, 9, 4, 4, 2, 1, 3},
		DW{2, 5, 9, 4, 1, 1, 0, 1},
		DW{0, 5, 5, 4, 3, 1, 1, 1},
		DW{1, 5, 5, 0, 3, 1, 1, 1},
		DW{1, 0, 5, 4, 3, 1, 1, 1},
	)
}

// eachTap calls f for every tap of d that lies inside the image, with indices
// into x, w and y.
func eachTap(d DW, f func(x, w, y int)) {
	P, Q := d.Out()
	for n := range d.N {
		for p := range P {
			for q := range Q {
				for r := range d.K {
					for s := range d.K {
						h, w := p*d.Stride-d.Pad+r*d.Dil, q*d.Stride-d.Pad+s*d.Dil
						if h < 0 || h >= d.H || w < 0 || w >= d.W {
							continue
						}
						for c := range d.C {
							f(((n*d.H+h)*d.W+w)*d.C+c, (r*d.K+s)*d.C+c, ((n*P+p)*Q+q)*d.C+c)
						}
					}
				}
			}
		}
	}
}

func testDepthwise[T Float](t *testing.T) {
	for i, d := range windowShapes() {
		P, Q := d.Out()
		if want := (d.H+2*d.Pad-d.Dil*(d.K-1)-1)/d.Stride + 1; d.H > 0 && P > 0 && P != want {
			t.Fatalf("%+v: P = %d, want %d", d, P, want)
		}
		l := newLab[T](t, uint64(i))
		l.spikes = i%4 == 1
		x, w, y := l.random(d.N*d.H*d.W*d.C), l.random(d.K*d.K*d.C), l.blank(d.N*P*Q*d.C)
		dy, dx, dw := l.random(len(y)), l.blank(len(x)), l.blank(len(w))
		scratch := l.blank(DepthwiseScratch(d))
		l.sameAtAnyThreads(y, func(p *Pool) { DepthwiseForward(p, d, x, w, y) })
		l.sameAtAnyThreads(dx, func(p *Pool) { DepthwiseBackwardData(p, d, dy, w, dx) })
		l.sameAtAnyThreads(dw, func(p *Pool) { DepthwiseBackwardWeights(p, d, x, dy, dw, scratch) })
		wantY, wantX, wantW := make([]exact, len(y)), make([]exact, len(x)), make([]exact, len(w))
		eachTap(d, func(xi, wi, yi int) {
			wantY[yi].add(float64(x[xi]) * float64(w[wi]))
			wantX[xi].add(float64(dy[yi]) * float64(w[wi]))
			wantW[wi].add(float64(dy[yi]) * float64(x[xi]))
		})
		for j, e := range wantY {
			near(t, e, y[j], 0, "%+v: y[%d]", d, j)
		}
		for j, e := range wantX {
			near(t, e, dx[j], 0, "%+v: dx[%d]", d, j)
		}
		for j, e := range wantW {
			near(t, e, dw[j], 0, "%+v: dw[%d]", d, j)
		}
		l.ok()
	}
}

func TestDepthwise(t *testing.T) { bothTypes(t, testDepthwise[float32], testDepthwise[float64]) }

func TestDepthwiseMisuse(t *testing.T) {
	d := DW{1, 4, 4, 2, 3, 1, 1, 1}
	x, w := make([]float32, 32), make([]float32, 18)
	panicsWith(t, badLength, func() { DepthwiseForward(nil, d, x[1:], w, x) })
	panicsWith(t, badLength, func() { DepthwiseForward(nil, d, x, w[1:], x) })
	panicsWith(t, badLength, func() { DepthwiseBackwardData(nil, d, x, w, x[1:]) })
	big := DW{8, 16, 16, 20, 5, 1, 2, 1}
	image := make([]float32, 8*16*16*20)
	panicsWith(t, badScratch, func() {
		DepthwiseBackwardWeights(nil, big, image, image, make([]float32, 500), make([]float32, DepthwiseScratch(big)-1))
	})
	d.K = 9
	panicsWith(t, badKernel, func() { d.Out() })
	d.K, d.Stride = 3, 0
	panicsWith(t, badWindow, func() { d.Out() })
	d.Stride, d.N = 1, -1
	panicsWith(t, badShape, func() { d.Out() })
}

// dwBenchShapes are layers of the default network at batch 64.
var dwBenchShapes = []DW{
	{64, 32, 32, 16, 3, 1, 1, 1},
	{64, 32, 32, 16, 5, 1, 2, 1},
	{64, 16, 16, 32, 5, 1, 2, 1},
	{64, 8, 8, 64, 3, 1, 1, 1},
	{64, 32, 32, 32, 3, 2, 1, 1},
}

func BenchmarkDepthwise(b *testing.B) {
	for _, d := range dwBenchShapes {
		P, Q := d.Out()
		x, w, y := make([]float32, d.N*d.H*d.W*d.C), make([]float32, d.K*d.K*d.C), make([]float32, d.N*P*Q*d.C)
		scratch := make([]float32, DepthwiseScratch(d))
		flop := 2 * float64(len(y)*d.K*d.K)
		bench := func(name string, f func(p *Pool)) {
			benchThreads(b, fmt.Sprintf("%s/%dx%dx%d,k%d,s%d", name, d.H, d.W, d.C, d.K, d.Stride), flop, f)
		}
		bench("forward", func(p *Pool) { DepthwiseForward(p, d, x, w, y) })
		bench("data", func(p *Pool) { DepthwiseBackwardData(p, d, y, w, x) })
		bench("weights", func(p *Pool) { DepthwiseBackwardWeights(p, d, x, y, w, scratch) })
	}
}

// benchThreads runs f on 1 and 2 threads and reports GFLOP/s.
func benchThreads(b *testing.B, name string, flop float64, f func(p *Pool)) {
	for _, threads := range []int{1, 2} {
		b.Run(fmt.Sprintf("%s/t%d", name, threads), func(b *testing.B) {
			p := NewPool(threads)
			defer p.Close()
			b.ReportAllocs()
			for b.Loop() {
				f(p)
			}
			b.ReportMetric(flop*float64(b.N)/b.Elapsed().Seconds()*1e-9, "GFLOP/s")
		})
	}
}
