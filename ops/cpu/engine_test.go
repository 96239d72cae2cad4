package cpu

import (
	"fmt"
	"math"
	"testing"
)

// passes is how many shapes of a pass go through a test.
const passes = 60

// The passes agree in float32, with the fastest primitives of this machine, and
// in float64; see disagree.
func TestEngine(t *testing.T) {
	for _, m := range makers(t) {
		t.Run(m.name, func(t *testing.T) {
			e := NewEngine[float32](nil)
			for seed := range uint64(passes) {
				if err := m.disagree(seed, e); err != nil {
					t.Errorf("seed %d: %v", seed, err)
				}
			}
		})
	}
}

// TestBrokenPrimitiveWouldShow: each primitive has broken twins that TestEngine
// must see.
func TestBrokenPrimitiveWouldShow(t *testing.T) {
	good := *rowsOf[float32]()
	for name, breaks := range map[string]func(k *rowKernels[float32], used *int){
		"affine without its shift": func(k *rowKernels[float32], used *int) {
			k.affine = func(rows, n, ch int, dst []float32, drow, dpx int, src []float32, srow, spx int, a, b []float32, relu bool) {
				if b != nil {
					*used++
					b = make([]float32, len(b))
				}
				good.affine(rows, n, ch, dst, drow, dpx, src, srow, spx, a, b, relu)
			}
		},
		"dw without its last tap": func(k *rowKernels[float32], used *int) {
			k.dw = func(g dwShape, rows, n, ch int, y []float32, yrow int, x []float32, xrow int, w []float32) {
				*used++
				w = append([]float32(nil), w...)
				clear(w[len(w)-ch:])
				good.dw(g, rows, n, ch, y, yrow, x, xrow, w)
			}
			dw := k.dw
			k.dwAhead = func(g dwShape, rows, n, ch int, y []float32, yrow int, x []float32, xrow int, w, _ []float32) {
				dw(g, rows, n, ch, y, yrow, x, xrow, w)
			}
		},
		"dwGrad without its last pixel": func(k *rowKernels[float32], used *int) {
			k.dwGrad = func(g dwShape, rows, n, ch int, dw, x []float32, xrow int, dy []float32, dyrow int) {
				*used++
				good.dwGrad(g, rows, n-1, ch, dw, x, xrow, dy, dyrow)
			}
		},
		"gemm without its last column of a": func(k *rowKernels[float32], used *int) {
			k.gemm = func(m, kk, n int, a []float32, lda int, b []float32, ldb int, c []float32, ldc int, acc bool) {
				*used++
				good.gemm(m, kk-1, n, a, lda, b, ldb, c, ldc, acc)
			}
		},
		"gemmAT without its last row": func(k *rowKernels[float32], used *int) {
			k.gemmAT = func(m, kk, n int, a []float32, lda int, b []float32, ldb int, c []float32, ldc int) {
				*used++
				good.gemmAT(m-1, kk, n, a, lda, b, ldb, c, ldc)
			}
		},
		"gradSum without its last pixel": func(k *rowKernels[float32], used *int) {
			k.gradSum = func(n, ch int, x, dy, mean, s1, s2 []float32) {
				*used++
				good.gradSum(n-1, ch, x, dy, mean, s1, s2)
			}
		},
		"maskSum without its last pixel": func(k *rowKernels[float32], used *int) {
			k.maskSum = func(n, ch int, dst, dy, x, a, b, mean, s1, s2 []float32) {
				*used++
				good.maskSum(n-1, ch, dst, dy, x, a, b, mean, s1, s2)
			}
		},
		"bnGrad without its slope": func(k *rowKernels[float32], used *int) {
			k.bnGrad = func(n, ch int, dx, x, dy, mean, a, b, slope []float32) {
				*used++
				good.bnGrad(n, ch, dx, x, dy, mean, a, b, make([]float32, len(slope)))
			}
		},
		"maskAdd without its mask": func(k *rowKernels[float32], used *int) {
			k.maskAdd = func(n, ch int, dst, dy, add, x, a, b []float32) {
				if x != nil {
					*used++
				}
				good.maskAdd(n, ch, dst, dy, add, nil, nil, nil)
			}
		},
		"combine without its second operand": func(k *rowKernels[float32], used *int) {
			k.combine = func(n, ch int, dst, x, ax, bx, y, ay, by []float32) {
				*used++
				good.combine(n, ch, dst, x, ax, bx, nil, nil, nil)
			}
		},
		"maxPool of two rows": func(k *rowKernels[float32], used *int) {
			k.maxPool = func(stride, n, ch int, y []float32, idx []uint8, x []float32, xrow int) {
				*used++
				good.maxPool(stride, n, ch, y, idx, append(x[:2*xrow:2*xrow], x[:xrow]...), xrow)
			}
		},
		"maxPoolGrad without a tap": func(k *rowKernels[float32], used *int) {
			k.maxPoolGrad = func(n, ch int, dx []float32, dpx int, dy []float32, idx []uint8, tap uint8) {
				*used++
				if tap != 8 {
					good.maxPoolGrad(n, ch, dx, dpx, dy, idx, tap)
				}
			}
		},
	} {
		k, used, seen := good, 0, 0
		breaks(&k, &used)
		e := NewEngine[float32](nil)
		e.k = &k
		for _, m := range makers(t) {
			for seed := range uint64(12) {
				if m.disagree(seed, e) != nil {
					seen++
				}
			}
		}
		if used == 0 || seen == 0 {
			t.Errorf("%s: used %d times, seen in %d passes", name, used, seen)
		}
	}
}

// eachPass calls f for passes of a type.
func eachPass[T Float](t *testing.T, seeds uint64, f func(name string, p *pass[T])) {
	for _, m := range makers(t) {
		for seed := range seeds {
			var p any
			if _, ok := any(T(0)).(float32); ok {
				p = m.f32(seed)
			} else {
				p = m.f64(seed)
			}
			f(m.name, p.(*pass[T]))
		}
	}
}

// run runs both directions and returns all they compute.
func (p *pass[T]) run(e *Engine[T]) []T {
	p.forward(e)
	p.backward(e)
	return p.all()
}

func testEngineThreads[T Float](t *testing.T) {
	eachPass(t, 8, func(name string, p *pass[T]) {
		out := make([]T, len(p.all()))
		p.sameAtAnyThreads(out, func(pool *Pool) { copy(out, p.run(NewEngine[T](pool))) })
		p.ok()
	})
}

func TestEngineThreads(t *testing.T) {
	bothTypes(t, testEngineThreads[float32], testEngineThreads[float64])
}

const poisoned = 1 << 19

// poison makes all scratch memory of an engine NaN, and there is more of it than
// any pass here needs.
func (e *Engine[T]) poison() {
	dirty := func(s []T) []T {
		if len(s) < poisoned {
			s = make([]T, poisoned)
		}
		fill(s, T(math.NaN()))
		return s
	}
	for i := range e.worker {
		e.worker[i] = dirty(e.worker[i])
	}
	e.partial, e.coef = dirty(e.partial), dirty(e.coef)
}

// What scratch memory holds before a pass, and what other passes leave in it,
// changes no bit.
func testEngineScratch[T Float](t *testing.T) {
	pool := NewPool(2)
	defer pool.Close()
	e := NewEngine[T](pool)
	eachPass(t, 8, func(name string, p *pass[T]) {
		want := p.run(NewEngine[T](nil))
		after := p.run(e)
		e.poison()
		p.forward(e)
		e.poison()
		p.backward(e)
		for i, v := range p.all() {
			if v != want[i] || after[i] != want[i] {
				t.Fatalf("%s, %s: result %d is %v after a NaN, %v after other passes, want %v", name, p.what, i, v, after[i], want[i])
			}
		}
		if len(e.worker[0]) != poisoned || len(e.partial) != poisoned {
			t.Fatalf("%s, %s: the scratch memory was too small for the test", name, p.what)
		}
	})
}

func TestEngineScratch(t *testing.T) {
	bothTypes(t, testEngineScratch[float32], testEngineScratch[float64])
}

// After the first use of a shape a pass allocates nothing.
func testEngineAllocates[T Float](t *testing.T) {
	pool := NewPool(2)
	defer pool.Close()
	e := NewEngine[T](pool)
	eachPass(t, 3, func(name string, p *pass[T]) {
		for dir, f := range map[string]func(e *Engine[T]){"forward": p.forward, "backward": p.backward} {
			if dir == "backward" {
				p.forward(e)
			}
			if n := testing.AllocsPerRun(3, func() { f(e) }); n != 0 {
				t.Errorf("%s %s, %s: %v allocations", name, dir, p.what, n)
			}
		}
	})
}

func TestEngineAllocatesNothing(t *testing.T) {
	bothTypes(t, testEngineAllocates[float32], testEngineAllocates[float64])
}

// So do the loss and the optimizer.
func TestStepAllocatesNothing(t *testing.T) {
	pool := NewPool(2)
	defer pool.Close()
	e, l := NewEngine[float32](pool), newLab[float32](t, 1)
	logits, labels := l.random(40*7), make([]int32, 40)
	params := []Param[float32]{}
	for _, n := range []int{9, 1000} {
		params = append(params, Param[float32]{W: l.random(n), G: l.random(n), S: [3][]float32{1: l.random(n)}})
	}
	rule := &descent[float32]{1e-3}
	grads := [][]float32{params[0].G, params[1].G}
	for name, f := range map[string]func(){
		"SoftmaxXent": func() { e.SoftmaxXent(40, 7, logits, labels, 0.1, logits) },
		"Update":      func() { e.Update(params, rule) },
		"SumSquares":  func() { e.SumSquares(grads) },
	} {
		if n := testing.AllocsPerRun(5, f); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

// The statistics of a pass are those of its output. Each chunk's sums are
// relative to its first pixel.
func testEngineStatistics[T Float](t *testing.T) {
	checked := 0
	eachPass(t, passes/2, func(name string, p *pass[T]) {
		if p.norm == nil || !p.norm.Batch {
			return
		}
		checked++
		p.forward(NewEngine[T](nil))
		checkStatistics(t, fmt.Sprintf("%s, %s", name, p.what), p.norm, p.c, p.z)
	})
	if checked == 0 {
		t.Error("no pass had statistics")
	}
}

// checkStatistics compares the mean and the deviation that nm holds with those
// of z (px,c).
func checkStatistics[T Float](t *testing.T, what string, nm *Norm[T], c int, z []T) {
	t.Helper()
	px := len(z) / c
	for i := range c {
		mean, variance, spread := columnMoments(px, c, i, z)
		// A term is rounded once for each pixel at most, relative to a pixel that
		// is no further from the mean than spread.
		n := float64(px+4) * (roundoff[T]() + 0x1p-50)
		tolM := 2*n*spread + 2*roundoff[T]()*math.Abs(mean)
		tolV := 8 * n * spread * spread
		inv := float64(nm.Inv[i])
		got := 1/(inv*inv) - bnEps
		tolV += 8 * roundoff[T]() * (variance + bnEps)
		if diff := math.Abs(float64(nm.Mean[i]) - mean); !(diff <= tolM) {
			t.Fatalf("%s: channel %d: mean %v, want %v ± %.3g", what, i, nm.Mean[i], mean, tolM)
		}
		if !(math.Abs(got-variance) <= tolV) {
			t.Fatalf("%s: channel %d: variance %v, want %v ± %.3g", what, i, got, variance, tolV)
		}
	}
}

// columnMoments returns mean and variance of column c of x (rows,ch), summed so
// that rounding does not count, and the largest distance from the mean.
func columnMoments[T Float](rows, ch, c int, x []T) (mean, variance, spread float64) {
	mean = float64(x[c])
	for range 2 {
		var s float64
		for r := range rows {
			s += float64(x[r*ch+c]) - mean
		}
		mean += s / float64(rows)
	}
	for r := range rows {
		d := float64(x[r*ch+c]) - mean
		variance += d * d / float64(rows)
		spread = max(spread, math.Abs(d))
	}
	return mean, variance, spread
}

func TestEngineStatistics(t *testing.T) {
	bothTypes(t, testEngineStatistics[float32], testEngineStatistics[float64])
}

// identity is a 1x1 convolution that copies x (n,px,c).
func identity[T Float](n, px, c int, x []T) *Conv[T] {
	w := make([]T, c*c)
	for i := range c {
		w[i*c+i] = 1
	}
	s := func() []T { return make([]T, c) }
	return &Conv[T]{N: n, Px: px, Cin: c, Cout: c, Parts: []Act[T]{{X: x}}, W: w, Z: make([]T, len(x)),
		Norm: Norm[T]{Batch: true, RunMean: s(), RunVar: s(), Scale: s(), Shift: s(), Mean: s(), Inv: s(), Momentum: 1}}
}

// A mean of 1e4 deviations costs the variance no digit: where a plain sum of
// squares has none right, this one has what the input has. An outlier as the
// first pixel is the worst shift.
func TestStatisticsAtLargeMean(t *testing.T) {
	const n, px, c = 33, 60, 5
	for _, at := range []struct{ mean, std float64 }{{1e4, 1}, {-1e4, 1}, {1e3, 1e-1}, {1e-3, 1e3}, {5, 0}, {0, 1e-15}} {
		for _, outlier := range []float64{0, 100} {
			l := newLab[float32](t, 1)
			x := l.random(n * px * c)
			for i, v := range x {
				x[i] = float32(at.mean + at.std*float64(v))
			}
			for i := range c {
				x[i] += float32(outlier * at.std)
			}
			o := identity(n, px, c, x)
			NewEngine[float32](nil).ConvForward(o)
			for i := range c {
				mean, variance, spread := columnMoments(n*px, c, i, x)
				if outlier == 0 {
					// Relative to a pixel of the bulk, some dozen roundings.
					if got := float64(o.Norm.RunVar[i]); !(math.Abs(got-variance*n*px/(n*px-1)) <= 1e-5*variance) {
						t.Errorf("mean %v, deviation %v: variance %v, want %v", at.mean, at.std, got, variance)
					}
				}
				tol := float64(n*px)*unit32*spread*2 + 2*unit32*math.Abs(mean)
				if got := float64(o.Norm.Mean[i]); !(math.Abs(got-mean) <= tol) {
					t.Errorf("mean %v, deviation %v: mean %v, want %v ± %.2g", at.mean, at.std, got, mean, tol)
				}
			}
			checkStatistics(t, fmt.Sprintf("mean %v, deviation %v, outlier %v", at.mean, at.std, outlier), &o.Norm, c, x)
		}
	}
}

const unit32 = 0x1p-24

// A NaN or an infinity in the output makes the coefficients of its channel NaN,
// and only those.
func TestStatisticsNotFinite(t *testing.T) {
	bad := 0
	for _, v := range []float32{float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1))} {
		eachPass(t, 10, func(name string, p *pass[float32]) {
			if p.norm == nil || !p.norm.Batch {
				return
			}
			x := p.x[p.r.IntN(len(p.x))]
			for _, i := range []int{0, len(x) - 1, p.r.IntN(len(x))} {
				was := x[i]
				x[i] = v
				p.forward(NewEngine[float32](nil))
				x[i] = was
				finite := make([]bool, p.c)
				fill(finite, true)
				for j, z := range p.z {
					if z-z != 0 {
						finite[j%p.c] = false
						bad++
					}
				}
				for c, ok := range finite {
					s, b := p.norm.Scale[c], p.norm.Shift[c]
					if ok == (s != s) || ok == (b != b) || ok == (p.norm.RunVar[c] != p.norm.RunVar[c]) {
						t.Fatalf("%s, %s: %v in the input: channel %d, finite %v: scale %v, shift %v, running variance %v",
							name, p.what, v, c, ok, s, b, p.norm.RunVar[c])
					}
				}
			}
		})
	}
	if bad < 100 {
		t.Errorf("only %d results were not finite", bad)
	}
}
