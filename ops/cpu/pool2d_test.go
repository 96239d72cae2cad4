package cpu

import (
	"fmt"
	"math"
	"testing"
)

func poolShapes() []Pool2D {
	var ds []Pool2D
	i := 0
	for h := 1; h <= 9; h++ {
		for w := 1; w <= 9; w++ {
			for _, s := range []int{1, 2} {
				i++
				ds = append(ds, Pool2D{1 + i%3, h, w, 1 + i%20, 3, s, 1})
				ds = append(ds, Pool2D{1 + i%2, h, w, 1 + i%9, 5, s + 1, i % 3})
				ds = append(ds, Pool2D{1, h, w, 1 + i%9, 2, s, i % 2})
			}
		}
	}
	return append(ds,
		Pool2D{8, 8, 8, 20, 5, 3, 0},
		Pool2D{8, 16, 16, 33, 3, 1, 1},
		Pool2D{9, 17, 15, 16, 3, 2, 1},
		Pool2D{0, 4, 4, 3, 3, 1, 1},
		Pool2D{2, 4, 4, 0, 3, 1, 1},
		Pool2D{2, 0, 4, 3, 3, 1, 1},
	)
}

func (d Pool2D) asDW() DW { return DW{d.N, d.H, d.W, d.C, d.K, d.Stride, d.Pad, 1} }

func testMaxPool[T Float](t *testing.T) {
	for i, d := range poolShapes() {
		P, Q := d.Out()
		l := newLab[T](t, uint64(i))
		l.spikes = i%3 == 1
		x, y, idx := l.random(d.N*d.H*d.W*d.C), l.blank(d.N*P*Q*d.C), make([]uint8, d.N*P*Q*d.C)
		if i%3 == 2 {
			for j := range x { // many equal values
				x[j] = T(int(4*x[j]) % 2)
			}
		}
		dy, dx := l.random(len(y)), l.blank(len(x))
		l.sameAtAnyThreads(y, func(p *Pool) { MaxPoolForward(p, d, x, y, idx) })
		l.sameAtAnyThreads(dx, func(p *Pool) { MaxPoolBackward(p, d, dy, idx, dx) })

		want, at, from := make([]T, len(y)), make([]uint8, len(y)), make([]int, len(y))
		seen := make([]bool, len(y))
		eachTap(d.asDW(), func(xi, wi, yi int) {
			if v := x[xi]; !seen[yi] || v > want[yi] || v != v {
				want[yi], at[yi], from[yi], seen[yi] = v, uint8(wi/d.C), xi, true
			}
		})
		wantX := make([]exact, len(dx))
		for j := range y {
			if !seen[j] {
				t.Fatalf("%+v: window %d is empty", d, j)
			}
			if math.Float64bits(float64(y[j])) != math.Float64bits(float64(want[j])) || idx[j] != at[j] {
				t.Fatalf("%+v: y[%d] = %v of tap %d, want %v of %d", d, j, y[j], idx[j], want[j], at[j])
			}
			wantX[from[j]].add(float64(dy[j]))
		}
		for j, e := range wantX {
			near(t, e, dx[j], 0, "%+v: dx[%d]", d, j)
		}
		l.ok()
	}
}

func TestMaxPool(t *testing.T) { bothTypes(t, testMaxPool[float32], testMaxPool[float64]) }

func testAvgPool[T Float](t *testing.T) {
	for i, d := range poolShapes() {
		P, Q := d.Out()
		l := newLab[T](t, uint64(i))
		l.spikes = i%3 == 1
		x, y := l.random(d.N*d.H*d.W*d.C), l.blank(d.N*P*Q*d.C)
		dy, dx := l.random(len(y)), l.blank(len(x))
		l.sameAtAnyThreads(y, func(p *Pool) { AvgPoolForward(p, d, x, y) })
		l.sameAtAnyThreads(dx, func(p *Pool) { AvgPoolBackward(p, d, dy, dx) })
		want, wantX := make([]exact, len(y)), make([]exact, len(x))
		eachTap(d.asDW(), func(xi, _, yi int) { want[yi].add(float64(x[xi])) })
		eachTap(d.asDW(), func(xi, _, yi int) { wantX[xi].add(float64(dy[yi]) / float64(want[yi].n)) })
		for j, e := range want {
			e.v /= float64(e.n)
			e.abs /= float64(e.n)
			near(t, e, y[j], 1, "%+v: y[%d]", d, j)
		}
		for j, e := range wantX {
			near(t, e, dx[j], 1, "%+v: dx[%d]", d, j)
		}
		l.ok()
	}
}

func TestAvgPool(t *testing.T) { bothTypes(t, testAvgPool[float32], testAvgPool[float64]) }

func TestPoolMisuse(t *testing.T) {
	x := make([]float32, 16)
	panicsWith(t, badPoolPad, func() { Pool2D{1, 4, 4, 1, 3, 1, 2}.Out() })
	panicsWith(t, badLength, func() { MaxPoolForward(nil, Pool2D{1, 4, 4, 1, 3, 1, 1}, x, x, make([]uint8, 15)) })
}

func BenchmarkPool2D(b *testing.B) {
	for _, d := range []Pool2D{{64, 32, 32, 16, 3, 1, 1}, {64, 8, 8, 64, 3, 1, 1}} {
		P, Q := d.Out()
		x, y, idx := make([]float32, d.N*d.H*d.W*d.C), make([]float32, d.N*P*Q*d.C), make([]uint8, d.N*P*Q*d.C)
		fillNoise(x)
		bytes := float64(4 * (len(x) + len(y)))
		bench := func(name string, f func(p *Pool)) {
			benchBytes(b, fmt.Sprintf("%s/%dx%dx%d", name, d.H, d.W, d.C), bytes, f)
		}
		bench("max", func(p *Pool) { MaxPoolForward(p, d, x, y, idx) })
		bench("maxback", func(p *Pool) { MaxPoolBackward(p, d, y, idx, x) })
		fillNoise(x)
		bench("avg", func(p *Pool) { AvgPoolForward(p, d, x, y) })
		bench("avgback", func(p *Pool) { AvgPoolBackward(p, d, y, x) })
	}
}

// fillNoise fills x with numbers in (-1, 1) that a branch predictor cannot learn.
func fillNoise(x []float32) {
	s := uint32(1)
	for i := range x {
		s = s*1664525 + 1013904223
		x[i] = float32(int32(s)) * 0x1p-31
	}
}

// benchBytes runs f on 1 and 2 threads and reports GB/s.
func benchBytes(b *testing.B, name string, bytes float64, f func(p *Pool)) {
	for _, threads := range []int{1, 2} {
		b.Run(fmt.Sprintf("%s/t%d", name, threads), func(b *testing.B) {
			p := NewPool(threads)
			defer p.Close()
			b.ReportAllocs()
			for b.Loop() {
				f(p)
			}
			b.ReportMetric(bytes*float64(b.N)/b.Elapsed().Seconds()*1e-9, "GB/s")
		})
	}
}
