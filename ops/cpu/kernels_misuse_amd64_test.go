//go:build !noasm

package cpu

import (
	"math/rand/v2"
	"sync"
	"testing"
)

// stripCalls are one call of every primitive of isa, with its slices from row
// and lengths that fit exactly.
func stripCalls(isa stripISA, n, ch int, row func(n int) []float32) map[string]func() {
	p := n * ch
	return map[string]func(){
		"affine":       func() { isa.affine(1, n, ch, row(p), p, ch, row(p), p, ch, row(ch), row(ch), true) },
		"affine plain": func() { isa.affine(n, 1, ch, row(p), ch, 1, row(p), ch, 1, nil, nil, false) },
		"gemm":         func() { isa.gemm(n, 5, ch, row(5*n), 5, row(5*ch), ch, row(p), ch) },
		"gemm 16":      func() { isa.gemm(n, 16, ch, row(16*n), 16, row(16*ch), ch, row(p), ch) },
		"gemmTaps":     func() { isa.gemmTaps(n, 3, 5, ch, row(5*n+2*7), 5, 7, row(15*ch), ch, row(p), ch) },
		"gemmAT":       func() { isa.gemmAT(n, 5, ch, row(5*n), 5, row(p), ch, row(5*ch), ch) },
		"sum":          func() { isa.sum(n, ch, row(p), row(ch), row(ch), row(ch)) },
		"gradSum":      func() { isa.gradSum(n, ch, row(p), row(p), row(ch), row(ch), row(ch)) },
		"bnGrad":       func() { isa.bnGrad(n, ch, row(p), ch, row(p), row(p), ch, row(ch), row(ch), row(ch), row(ch)) },
		"maskSum": func() {
			isa.maskSum(n, ch, row(p), row(p), row(p), row(ch), row(ch), row(ch), row(ch), row(ch))
		},
		"maskAdd":     func() { isa.maskAdd(n, ch, row(p), row(p), row(p), row(p), row(ch), row(ch)) },
		"mask":        func() { isa.maskAdd(n, ch, row(p), row(p), nil, row(p), nil, nil) },
		"add":         func() { isa.maskAdd(n, ch, row(p), row(p), row(p), nil, nil, nil) },
		"combine":     func() { isa.combine(n, ch, row(p), row(p), row(ch), row(ch), row(p), row(ch), row(ch)) },
		"combine one": func() { isa.combine(n, ch, row(p), row(p), row(ch), row(ch), nil, nil, nil) },
	}
}

// TestStripMisuse: whichever slice is an element short, the assembly does not
// run.
func TestStripMisuse(t *testing.T) {
	short := func(isa stripISA, name string, n, ch int) (slices int) {
		for at := 0; ; at++ {
			count := 0
			f := stripCalls(isa, n, ch, func(n int) []float32 {
				if count++; count-1 == at {
					n--
				}
				return make([]float32, n, n+64)
			})[name]
			var got any
			func() {
				defer func() { got = recover() }()
				f()
			}()
			if at == count {
				if got != nil {
					t.Errorf("%s: %s, n %d, ch %d: panic %v", isa.name, name, n, ch, got)
				}
				return count
			}
			if got != shortRows {
				t.Errorf("%s: %s, n %d, ch %d: slice %d short: %v", isa.name, name, n, ch, at, got)
			}
		}
	}
	for _, isa := range stripISAs()[1:] {
		for name := range stripCalls(isa, 1, 1, nil) {
			for _, s := range [][2]int{{1, 1}, {3, 16}, {9, 20}, {2, 130}} {
				if short(isa, name, s[0], s[1]) < 2 {
					t.Errorf("%s: too few slices", name)
				}
			}
		}
		s := make([]float32, 64)
		for name, f := range map[string]func(){
			"huge pixel stride": func() { isa.affine(1, 5, 4, s, 20, 1<<62, s, 20, 4, nil, nil, true) },
			"huge row stride":   func() { isa.affine(5, 1, 4, s, 4, 4, s, 1<<62, 4, nil, nil, true) },
			"negative stride":   func() { isa.affine(2, 2, 4, s, -8, 4, s, 8, 4, nil, nil, true) },
			"many pixels":       func() { isa.sum(1<<62, 4, s, s, s, s) },
			"gemm huge lda":     func() { isa.gemm(5, 2, 2, s, 1<<62, s, 2, s, 2) },
			"gemmTaps huge tap": func() { isa.gemmTaps(5, 5, 2, 2, s, 2, 1<<62, s, 2, s, 2) },
			"negative tap":      func() { isa.gemmTaps(5, 2, 2, 2, s[32:], 2, -1, s, 2, s, 2) },
			"many taps":         func() { isa.gemmTaps(5, 1<<62, 4, 2, s, 2, 0, s, 2, s, 2) },
			"gemmAT huge ldb":   func() { isa.gemmAT(5, 2, 2, s, 2, s, 1<<62, s, 2) },
		} {
			if !panics(f) {
				t.Errorf("%s: %s: no panic", isa.name, name)
			}
		}
		// Nothing to do needs no slices.
		isa.affine(0, 3, 4, nil, 0, 0, nil, 0, 0, nil, nil, true)
		isa.sum(0, 4, nil, nil, nil, nil)
		isa.gradSum(3, 0, nil, nil, nil, nil, nil)
		isa.bnGrad(-1, 4, nil, 4, nil, nil, 4, nil, nil, nil, nil)
		isa.maskSum(0, 4, nil, nil, nil, nil, nil, nil, nil, nil)
		isa.maskAdd(0, 4, nil, nil, nil, nil, nil, nil)
		isa.combine(0, 4, nil, nil, nil, nil, nil, nil, nil)
	}
}

// TestStripParallel: the primitives share nothing, and allocate nothing.
func TestStripParallel(t *testing.T) {
	for _, isa := range stripISAs()[1:] {
		s := make([]float32, 1<<12)
		for name, f := range stripCalls(isa, 20, 37, func(n int) []float32 { return s[:n] }) {
			if n := testing.AllocsPerRun(3, f); n != 0 {
				t.Errorf("%s: %s: %v allocations", isa.name, name, n)
			}
		}
		var wg sync.WaitGroup
		for i := range 4 {
			wg.Go(func() {
				r := rand.New(rand.NewPCG(15, uint64(i)))
				for range 30 {
					checkStrip(t, r, isa, newStripCase(r, r.IntN(40), 1+r.IntN(70), ranged(r)))
				}
			})
		}
		wg.Wait()
	}
}

func FuzzStrip(f *testing.F) {
	for _, s := range [][2]uint8{{0, 0}, {9, 15}, {4, 19}, {30, 99}, {7, 12}} {
		f.Add(uint64(s[0]), s[0], s[1])
	}
	f.Fuzz(func(t *testing.T, seed uint64, n, ch uint8) {
		r := rand.New(rand.NewPCG(seed, 0))
		for _, isa := range stripISAs() {
			checkStrip(t, r, isa, newStripCase(r, int(n), 1+int(ch), ranged(r)))
		}
	})
}

func FuzzStripAffine(f *testing.F) {
	for _, s := range [][3]uint8{{0, 0, 0}, {1, 9, 15}, {5, 4, 19}, {2, 30, 99}} {
		f.Add(uint64(s[1]), s[0], s[1], s[2])
	}
	f.Fuzz(func(t *testing.T, seed uint64, rows, n, ch uint8) {
		r := rand.New(rand.NewPCG(seed, 0))
		for _, isa := range stripISAs() {
			checkAffine(t, r, isa, int(rows%16), int(n), 1+int(ch), ranged(r))
		}
	})
}

func FuzzStripGemm(f *testing.F) {
	for _, s := range [][3]uint8{{0, 0, 0}, {8, 16, 16}, {25, 9, 48}, {13, 5, 81}, {200, 36, 36}} {
		f.Add(uint64(s[0]), s[0], s[1], s[2])
	}
	f.Fuzz(func(t *testing.T, seed uint64, m, k, n uint8) {
		r := rand.New(rand.NewPCG(seed, 0))
		for _, isa := range stripISAs() {
			checkGemm(t, isa.gemm, r, int(m), int(k), int(n), bits32(r))
			checkGemmAT(t, isa.gemmAT, r, int(m), int(k), int(n), bits32(r))
			checkGemmTaps(t, isa, r, int(m%40), int(m%5), int(k%20), 1+int(n%100), ranged(r))
		}
	})
}
