package opstest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"oneshot/ops"
	"oneshot/ops/cpu"
)

// Gradients checks every gradient of every case on a float64 machine against
// central differences.
func Gradients(t *testing.T, newMachine func() Machine) {
	for _, c := range Cases() {
		if c.Flat || strings.Contains(c.Name, "/c=") {
			continue // the latter are the same operations with more values, each of which would be moved twice
		}
		t.Run(c.Name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(1, 2))
			b := lay(t, newMachine(), c)
			in := c.inputs(r)
			dOut := normal(r, b.size())
			b.forward(t, ops.Train, in, nil)
			got := b.backward(t, dOut)
			loss := func() float64 {
				var s float64
				for i, v := range b.forward(t, ops.Train, in, nil) {
					s += v * dOut[i]
				}
				return s
			}
			for i := range in {
				if !c.diff(i) {
					continue
				}
				for j := range in[i] {
					// 1e-5 balances the truncation error of the central
					// difference, h^2, against rounding, 1e-16/h.
					const h = 1e-5
					v := in[i][j]
					in[i][j] = v + h
					up := loss()
					in[i][j] = v - h
					down := loss()
					in[i][j] = v
					want := (up - down) / (2 * h)
					if i < len(b.norms) { // the gradient is that of the normalised input
						ch := len(b.norms[i]) / ops.NormLen(1)
						want /= b.norms[i][j%ch]
					}
					if !(math.Abs(got[i][j]-want) <= 1e-6*(1+math.Abs(want))) {
						t.Fatalf("d input %d [%d] = %.10g, finite difference %.10g", i, j, got[i][j], want)
					}
				}
			}
		})
	}
}

// Conformance checks a float32 backend against the float64 processor backend:
// outputs in the three modes, running statistics, all gradients. tol is
// relative to the largest value of each tensor.
func Conformance(t *testing.T, newMachine func() Machine, tol float64) {
	conformance(t, newMachine, Cases(), func(t testing.TB, what string, got, want, added []float64) { near(t, what, got, want, tol) })
}

// ConformanceHalf is Conformance for a backend whose activations are bfloat16. The
// tolerances are of the root of the mean square of a tensor, since a value near the
// bend of a ReLU may fall to its other side; that of gradients has to be wide, as
// some are sums that nearly cancel, but a wrong index would be off by more than 1.
func ConformanceHalf(t *testing.T, newMachine func() Machine, outputs, gradients float64) {
	cases := Cases()
	for i := range cases {
		cases[i] = cases[i].times(8) // normalisations of few values make much of a rounding
	}
	conformance(t, newMachine, cases, func(t testing.TB, what string, got, want, added []float64) {
		if strings.HasPrefix(what, "gradient") {
			closeTo(t, what, got, want, added, gradients)
			return
		}
		closeTo(t, what, got, want, added, outputs)
	})
}

func conformance(t *testing.T, newMachine func() Machine, cases []Case, compare func(t testing.TB, what string, got, want, added []float64)) {
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(3, 4))
			pool := cpu.NewPool(1)
			defer pool.Close()
			got, want := lay(t, newMachine(), c), lay(t, CPU[float64](pool), c)
			in, dOut := c.inputs(r), normal(r, want.size())
			if c.Ties {
				for i, v := range in[0] {
					in[0][i] = math.Round(2*v) / 2
				}
			}
			states := make([]float64, want.state)
			for i := range states {
				states[i] = float64(float32(0.5 + r.Float64()))
			}
			for _, mode := range []ops.Mode{ops.Eval, ops.Recalibrate, ops.Train} {
				compare(t, "output", got.forward(t, mode, in, states), want.forward(t, mode, in, states), nil)
				compare(t, "running statistics", got.states(), want.states(), nil)
			}
			g, w := got.backward(t, dOut), want.backward(t, dOut)
			for i := range w {
				compare(t, fmt.Sprintf("gradient of input %d", i), g[i], w[i], want.added[i])
			}
		})
	}
}

// Scratch checks that the processor takes as much memory beside its regions as it says
// before a run, for every case on its own.
func Scratch(t *testing.T) {
	for _, c := range Cases() {
		t.Run(c.Name, func(t *testing.T) {
			m := CPU[float32](nil).(cpuMachine[float32])
			b := lay(t, m, c)
			b.forward(t, ops.Train, c.inputs(rand.New(rand.NewPCG(1, 2))), nil)
			b.backward(t, make([]float64, b.size()))
			want := m.ScratchFor(1, &ops.Program{Instrs: []ops.Instr{{Kind: ops.Forward, Op: c.Op, Call: b.call}}})
			if got := m.ScratchLen(); got != want {
				t.Errorf("%d elements, want %d", got, want)
			}
		})
	}
}

// near fails unless got equals want within tol of want's largest magnitude.
// NaN equals only NaN.
func near(t testing.TB, what string, got, want []float64, tol float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d values, want %d", what, len(got), len(want))
	}
	scale := 0.0
	for _, v := range want {
		scale = math.Max(scale, math.Abs(v))
	}
	for i, v := range want {
		if math.IsNaN(v) && math.IsNaN(got[i]) {
			continue
		}
		if !(math.Abs(got[i]-v) <= tol*scale+1e-30) {
			t.Fatalf("%s[%d] = %g, want %g (largest %g)", what, i, got[i], v, scale)
		}
	}
}

// closeTo fails unless got is within tol of want in the Euclidean norm, relative to
// what the tensor held before added was taken from it.
func closeTo(t testing.TB, what string, got, want, added []float64, tol float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d values, want %d", what, len(got), len(want))
	}
	var diff, size float64
	for i, v := range want {
		diff += (got[i] - v) * (got[i] - v)
		if added != nil {
			v += added[i]
		}
		size += v * v
	}
	if !(math.Sqrt(diff) <= tol*math.Sqrt(size)+1e-30) {
		t.Fatalf("%s: off by %.3g of %.3g", what, math.Sqrt(diff), math.Sqrt(size))
	}
}

func normal(r *rand.Rand, n int) []float64 {
	v := make([]float64, n)
	for i := range v {
		v[i] = float64(float32(r.NormFloat64()))
	}
	return v
}
