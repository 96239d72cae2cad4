package cpu

import (
	"math"
	"testing"
)

func testConcat[T Float](t *testing.T) {
	for i, s := range [][4]int{{1, 1, 1, 0}, {5, 3, 8, 0}, {5, 3, 8, 5}, {7, 8, 20, 7}, {5000, 16, 80, 32}, {0, 3, 5, 1}, {5, 0, 5, 5}} {
		rows, c, width, at := s[0], s[1], s[2], s[3]
		l := newLab[T](t, uint64(i))
		l.spikes = true
		x, y := l.random(rows*c), l.blank(rows*width)
		l.sameAtAnyThreads(y, func(p *Pool) { ConcatC(p, rows, c, width, at, x, y) })
		for r := range rows {
			for j := range width {
				want := math.NaN() // as it was
				if j >= at && j < at+c {
					want = float64(x[r*c+j-at])
				}
				if !same(float64(y[r*width+j]), want) {
					t.Fatalf("%v: y[%d,%d] = %v, want %v", s, r, j, y[r*width+j], want)
				}
			}
		}
		z, back := l.random(rows*c), l.blank(rows*c)
		l.sameAtAnyThreads(back, func(p *Pool) { SplitC(p, rows, c, width, at, y, back, false) })
		for j := range back {
			if !same(float64(back[j]), float64(x[j])) {
				t.Fatalf("%v: split: %d: %v, want %v", s, j, back[j], x[j])
			}
		}
		l.sameAtAnyThreads(back, func(p *Pool) {
			copy(back, z)
			SplitC(p, rows, c, width, at, y, back, true)
		})
		for j := range back {
			if !same(float64(back[j]), float64(x[j]+z[j])) {
				t.Fatalf("%v: split and add: %d: %v, want %v", s, j, back[j], x[j]+z[j])
			}
		}
		l.ok()
	}
	x := make([]T, 12)
	panicsWith(t, badBlock, func() { ConcatC(nil, 3, 2, 4, 3, x[:6], x) })
	panicsWith(t, badBlock, func() { SplitC(nil, 3, 2, 4, -1, x, x[:6], false) })
}

func TestConcat(t *testing.T) { bothTypes(t, testConcat[float32], testConcat[float64]) }

func testSubsample[T Float](t *testing.T) {
	i := 0
	for h := 1; h <= 9; h++ {
		for w := 1; w <= 9; w++ {
			for _, o := range [][2]int{{0, 0}, {1, 1}, {0, 1}, {1, 0}} {
				i++
				n, c := 1+i%3, 1+i%9
				if h == 9 && w == 9 {
					n, c = 40, 33 // several chunks
				}
				l := newLab[T](t, uint64(i))
				P, Q := SubsampleOut(h, w, o[0], o[1])
				x, y := l.random(n*h*w*c), l.blank(n*P*Q*c)
				dy, dx, dx0 := l.random(len(y)), l.blank(len(x)), l.random(len(x))
				l.sameAtAnyThreads(y, func(p *Pool) { Subsample(p, n, h, w, c, o[0], o[1], x, y) })
				l.sameAtAnyThreads(dx, func(p *Pool) {
					copy(dx, dx0)
					SubsampleBackward(p, n, h, w, c, o[0], o[1], dy, dx)
				})
				k := 0 // walks through y in order
				for at, v := range x {
					col, row := at/c%w, at/c/w%h
					want := dx0[at]
					if row%2 == o[0] && col%2 == o[1] {
						if y[k] != v {
							t.Fatalf("%dx%d from %v: y[%d] = %v, want %v", h, w, o, k, y[k], v)
						}
						want += dy[k]
						k++
					}
					if dx[at] != want {
						t.Fatalf("%dx%d from %v: dx[%d] = %v, want %v", h, w, o, at, dx[at], want)
					}
				}
				if k != len(y) {
					t.Fatalf("%dx%d from %v: %d outputs, want %d", h, w, o, len(y), k)
				}
				l.ok()
			}
		}
	}
	panicsWith(t, badOffset, func() { SubsampleOut(4, 4, 2, 0) })
}

func TestSubsample(t *testing.T) { bothTypes(t, testSubsample[float32], testSubsample[float64]) }
