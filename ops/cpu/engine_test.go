package cpu

import (
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
			k.dwAhead = func(g dwShape, rows, n, ch int, y []float32, yrow, ypx int, x []float32, xrow int, w, ahead []float32) {
				*used++
				w = append([]float32(nil), w...)
				clear(w[len(w)-ch:])
				good.dwAhead(g, rows, n, ch, y, yrow, ypx, x, xrow, w, ahead)
			}
		},
		"dwGrad without its last pixel": func(k *rowKernels[float32], used *int) {
			k.dwGrad = func(g dwShape, rows, n, ch int, dw, x []float32, xrow int, dy []float32, dyrow int) {
				*used++
				good.dwGrad(g, rows, n-1, ch, dw, x, xrow, dy, dyrow)
			}
		},
		"gemm without its last column of a": func(k *rowKernels[float32], used *int) {
			k.gemm = func(m, kk, n int, a []float32, lda int, b []float32, ldb int, c []float32, ldc int) {
				*used++
				good.gemm(m, kk-1, n, a, lda, b, ldb, c, ldc)
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
			k.bnGrad = func(n, ch int, dx []float32, dpx int, x, dy []float32, spx int, mean, a, b, slope []float32) {
				*used++
				good.bnGrad(n, ch, dx, dpx, x, dy, spx, mean, a, b, make([]float32, len(slope)))
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
	logits, targets, labels := l.random(40*7), l.random(40*7), make([]int32, 40)
	params := []Param[float32]{}
	for _, n := range []int{9, 1000} {
		params = append(params, Param[float32]{W: l.random(n), G: l.random(n), S: [3][]float32{1: l.random(n)}})
	}
	rule := &descent[float32]{1e-3}
	grads := [][]float32{params[0].G, params[1].G}
	for name, f := range map[string]func(){
		"SoftmaxXent": func() { e.SoftmaxXent(40, 7, logits, labels, 0.1, logits) },
		"SoftXent":    func() { e.SoftXent(40, 7, logits, targets, 1, 2, logits) },
		"Update":      func() { e.Update(params, rule) },
		"SumSquares":  func() { e.SumSquares(grads) },
	} {
		if n := testing.AllocsPerRun(5, f); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}
