//go:build !noasm

package cpu

import (
	"math/rand/v2"
	"runtime/debug"
	"testing"
)

// TestWindowReadsNoFurther: see TestAVX2ReadsNoFurther.
func TestWindowReadsNoFurther(t *testing.T) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	r := rand.New(rand.NewPCG(7, 7))
	for _, g := range ownWindows {
		// Every block of pixels, as the first and as the second of two rows.
		for i, n := range []int{1, 1, 3, 4, 4, 5, 8, 8, 11} {
			t.Run("", func(t *testing.T) {
				rows, ch := 1+i%2, 1+r.IntN(15)
				if r.IntN(3) == 0 {
					ch += 16
				}
				in, out := g.span(n)*ch, n*ch
				row := func(n int) []float32 { return fenced(t, n) }
				for _, k := range dwRowsImpls {
					if panics(func() { k.fn(g, rows, n, ch, row(rows*out), out, ch, row(g.span(rows)*in), in, row(g.k*g.k*ch), nil) }) {
						t.Errorf("dw %s %v: rows %d, n %d, ch %d", k.name, g, rows, n, ch)
					}
				}
				for _, k := range dwGradRowsImpls {
					if panics(func() { k.fn(g, rows, n, ch, row(g.k*g.k*ch), row(g.span(rows)*in), in, row(rows*out), out) }) {
						t.Errorf("dwGrad %s %v: rows %d, n %d, ch %d", k.name, g, rows, n, ch)
					}
				}
				in = (dwShape{3, g.stride, 1}).span(n) * ch
				for _, k := range maxPoolImpls {
					if panics(func() { k.fn(g.stride, n, ch, row(out), make([]uint8, out), row(3*in), in) }) {
						t.Errorf("maxPool %s: stride %d, n %d, ch %d", k.name, g.stride, n, ch)
					}
				}
				for _, k := range maxPoolValuesImpls {
					if panics(func() { k.fn(g.stride, n, ch, row(out), row(3*in), in) }) {
						t.Errorf("maxPoolValues %s: stride %d, n %d, ch %d", k.name, g.stride, n, ch)
					}
				}
				for _, k := range maxPoolGradImpls {
					if panics(func() {
						k.fn(n, ch, row(out), ch, row(out), make([]uint8, out), 0)
						k.fn(n, ch, row((n-1)*(ch+3)+ch), ch+3, row(out), make([]uint8, out), 0)
					}) {
						t.Errorf("maxPoolGrad %s: n %d, ch %d", k.name, n, ch)
					}
				}
			})
		}
	}
}
