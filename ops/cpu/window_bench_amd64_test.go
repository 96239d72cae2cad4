//go:build !noasm

package cpu

import (
	"fmt"
	"testing"
)

// benchStrips calls f for the strips of the network.
func benchStrips(f func(name string, g dwShape, rows, n, ch int)) {
	for _, g := range ownWindows {
		for _, s := range [][3]int{{8, 32, 16}, {8, 16, 32}, {8, 8, 64}, {4, 32, 16}, {8, 16, 24}, {8, 32, 12}} {
			f(fmt.Sprintf("k%ds%dd%d/%dx%dx%d", g.k, g.stride, g.dil, s[0], s[1], s[2]), g, s[0], s[1], s[2])
		}
	}
}

func BenchmarkWindowDW(b *testing.B) {
	benchStrips(func(name string, g dwShape, rows, n, ch int) {
		xrow := g.span(n) * ch
		x, w, y := make([]float32, g.span(rows)*xrow), make([]float32, g.k*g.k*ch), make([]float32, rows*n*ch)
		for _, k := range dwRowsImpls {
			b.Run(k.name+"/"+name, func(b *testing.B) {
				for b.Loop() {
					k.fn(g, rows, n, ch, y, n*ch, ch, x, xrow, w, nil)
				}
				gflops(b, 2*n*ch*rows*g.k*g.k)
			})
		}
	})
}

func BenchmarkWindowDWGrad(b *testing.B) {
	benchStrips(func(name string, g dwShape, rows, n, ch int) {
		xrow := g.span(n) * ch
		x, dw, dy := make([]float32, g.span(rows)*xrow), make([]float32, g.k*g.k*ch), make([]float32, rows*n*ch)
		for _, k := range dwGradRowsImpls {
			b.Run(k.name+"/"+name, func(b *testing.B) {
				for b.Loop() {
					k.fn(g, rows, n, ch, dw, x, xrow, dy, n*ch)
				}
				gflops(b, 2*n*ch*rows*g.k*g.k)
			})
		}
	})
}

// BenchmarkWindowMaxPool counts nine comparisons an output.
func BenchmarkWindowMaxPool(b *testing.B) {
	for _, s := range [][3]int{{1, 32, 16}, {1, 16, 32}, {2, 16, 32}, {1, 8, 64}, {1, 16, 24}, {1, 32, 12}} {
		stride, n, ch := s[0], s[1], s[2]
		xrow := (n*stride + 2) * ch
		x, y, idx := make([]float32, 3*xrow), make([]float32, n*ch), make([]uint8, n*ch)
		for i := range x {
			x[i] = float32(i * 7 % 1009)
		}
		for _, k := range maxPoolImpls {
			b.Run(fmt.Sprintf("%s/s%d/%dx%d", k.name, stride, n, ch), func(b *testing.B) {
				for b.Loop() {
					k.fn(stride, n, ch, y, idx, x, xrow)
				}
				gflops(b, 9*n*ch)
			})
		}
	}
}

// BenchmarkWindowMaxPoolGrad counts one addition an element.
func BenchmarkWindowMaxPoolGrad(b *testing.B) {
	for _, s := range [][3]int{{32, 16, 16}, {16, 32, 32}, {16, 32, 64}, {32, 12, 12}, {32, 12, 24}} {
		n, ch, dpx := s[0], s[1], s[2]
		dx, dy, idx := make([]float32, n*dpx), make([]float32, n*ch), make([]uint8, n*ch)
		for i := range idx {
			idx[i] = uint8(i * 7 % 9)
		}
		for _, k := range maxPoolGradImpls {
			b.Run(fmt.Sprintf("%s/%dx%d/dpx=%d", k.name, n, ch, dpx), func(b *testing.B) {
				for b.Loop() {
					k.fn(n, ch, dx, dpx, dy, idx, 4)
				}
				gflops(b, n*ch)
			})
		}
	}
}
