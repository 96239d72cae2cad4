//go:build !noasm

package cpu

import (
	"math"
	"testing"
)

// TestWindowMisuse takes one element off each slice in turn, and strides that
// point elsewhere, and expects a panic instead of a touch.
func TestWindowMisuse(t *testing.T) {
	s := func(n, short int) []float32 { return make([]float32, n-short) }
	// cut is the slice that is one element short, -1 for none.
	at := func(i, cut int) int {
		if i == cut {
			return 1
		}
		return 0
	}
	for _, ch := range []int{5, 19} {
		const rows, n = 3, 9
		for _, g := range append(ownWindows, otherWindows...) {
			xrow := g.span(n) * ch
			xs, ys, ws := g.span(rows)*xrow, rows*n*ch, g.k*g.k*ch
			for _, k := range dwRowsImpls {
				apart := func(cut, yrow, ypx, xrow int) bool {
					return panics(func() {
						k.fn(g, rows, n, ch, s(ys, at(0, cut)), yrow, ypx, s(xs, at(1, cut)), xrow, s(ws, at(2, cut)), nil)
					})
				}
				call := func(cut, yrow, xrow int) bool { return apart(cut, yrow, ch, xrow) }
				if !apart(-1, n*ch, ch+1, xrow) || k.name != "ref" && (!apart(-1, n*ch, -1, xrow) || !apart(-1, n*ch, math.MaxInt/2+1, xrow)) {
					t.Errorf("dw %s %v, ch %d: distances of pixels", k.name, g, ch)
				}
				if call(-1, n*ch, xrow) || !call(0, n*ch, xrow) || !call(1, n*ch, xrow) || !call(2, n*ch, xrow) ||
					k.name != "ref" && (!call(-1, -1, xrow) || !call(-1, n*ch, -1) || !call(-1, math.MinInt, xrow) || !call(-1, n*ch, math.MaxInt/2+1)) {
					t.Errorf("dw %s %v, ch %d", k.name, g, ch)
				}
			}
			for _, k := range dwGradRowsImpls {
				call := func(cut, yrow, xrow int) bool {
					return panics(func() {
						k.fn(g, rows, n, ch, s(ws, at(2, cut)), s(xs, at(1, cut)), xrow, s(ys, at(0, cut)), yrow)
					})
				}
				if call(-1, n*ch, xrow) || !call(0, n*ch, xrow) || !call(1, n*ch, xrow) || !call(2, n*ch, xrow) ||
					k.name != "ref" && (!call(-1, -1, xrow) || !call(-1, n*ch, -1)) {
					t.Errorf("dwGrad %s %v, ch %d", k.name, g, ch)
				}
			}
		}
		for _, k := range maxPoolImpls {
			call := func(cut, stride, xrow int) bool {
				return panics(func() {
					k.fn(stride, n, ch, s(n*ch, at(0, cut)), make([]uint8, n*ch-at(1, cut)), s(3*(2*n+1)*ch, at(2, cut)), xrow)
				})
			}
			if call(-1, 2, (2*n+1)*ch) || !call(0, 2, (2*n+1)*ch) || !call(1, 2, (2*n+1)*ch) || !call(2, 2, (2*n+1)*ch) ||
				!call(-1, 3, (2*n+1)*ch*2) || !call(-1, -2, (2*n+1)*ch) || !call(-1, math.MaxInt/2, 1) {
				t.Errorf("maxPool %s, ch %d", k.name, ch)
			}
		}
		for _, k := range maxPoolValuesImpls {
			call := func(cut, stride, xrow int) bool {
				return panics(func() { k.fn(stride, n, ch, s(n*ch, at(0, cut)), s(3*(2*n+1)*ch, at(2, cut)), xrow) })
			}
			if call(-1, 2, (2*n+1)*ch) || !call(0, 2, (2*n+1)*ch) || !call(2, 2, (2*n+1)*ch) ||
				!call(-1, 3, (2*n+1)*ch*2) || !call(-1, -2, (2*n+1)*ch) || !call(-1, math.MaxInt/2, 1) {
				t.Errorf("maxPoolValues %s, ch %d", k.name, ch)
			}
		}
		for _, k := range maxPoolGradImpls {
			call := func(cut, dpx int) bool {
				return panics(func() {
					k.fn(n, ch, s((n-1)*30+ch, at(0, cut)), dpx, s(n*ch, at(1, cut)), make([]uint8, n*ch-at(2, cut)), 0)
				})
			}
			if call(-1, 30) || !call(0, 30) || !call(1, 30) || !call(2, 30) || !call(-1, 31) || !call(-1, -1) {
				t.Errorf("maxPoolGrad %s, ch %d", k.name, ch)
			}
		}
	}
}

func TestWindowAllocatesNothing(t *testing.T) {
	const rows, n, ch = 2, 5, 21
	s := func(n int) []float32 { return make([]float32, n) }
	x, y, w, idx := s(40*40*ch), s(rows*n*ch), s(81*ch), make([]uint8, n*ch)
	for _, g := range append(ownWindows, otherWindows...) {
		if g.k*g.k > maxTaps {
			continue
		}
		for _, k := range dwRowsImpls {
			if a := testing.AllocsPerRun(2, func() { k.fn(g, rows, n, ch, y, n*ch, ch, x, 40*ch, w, nil) }); a != 0 {
				t.Errorf("dw %s %v: %v allocations", k.name, g, a)
			}
		}
		for _, k := range dwGradRowsImpls {
			if a := testing.AllocsPerRun(2, func() { k.fn(g, rows, n, ch, w, x, 40*ch, y, n*ch) }); a != 0 {
				t.Errorf("dwGrad %s %v: %v allocations", k.name, g, a)
			}
		}
	}
	for _, k := range maxPoolImpls {
		if a := testing.AllocsPerRun(2, func() { k.fn(2, n, ch, y, idx, x, 40*ch) }); a != 0 {
			t.Errorf("maxPool %s: %v allocations", k.name, a)
		}
	}
	for _, k := range maxPoolGradImpls {
		if a := testing.AllocsPerRun(2, func() { k.fn(n, ch, x, 2*ch, y, idx, 3) }); a != 0 {
			t.Errorf("maxPoolGrad %s: %v allocations", k.name, a)
		}
	}
}
