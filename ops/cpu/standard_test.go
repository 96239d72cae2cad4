package cpu

import (
	"math"
	"math/rand/v2"
	"testing"
)

// standardRef is Standardise in float64, as its comment says it.
func standardRef(cin, cout int, w []float64) (u, sd []float64) {
	u, sd = make([]float64, cin*cout), make([]float64, cout)
	for c := range cout {
		var mean, square float64
		for k := range cin {
			mean += w[k*cout+c] / float64(cin)
		}
		for k := range cin {
			d := w[k*cout+c] - mean
			square += d * d
		}
		if cin > 1 {
			sd[c] = math.Sqrt(square / float64(cin-1))
		}
		for k := range cin {
			u[k*cout+c] = (w[k*cout+c] - mean) / (sd[c] + 1e-5)
		}
	}
	return u, sd
}

// standardGradRef is StandardiseGrad in float64.
func standardGradRef(cin, cout int, u, sd, g []float64) []float64 {
	dw := make([]float64, cin*cout)
	for c := range cout {
		var mean, along float64
		for k := range cin {
			mean += g[k*cout+c] / float64(cin)
			along += g[k*cout+c] * u[k*cout+c]
		}
		slope := 0.0
		if sd[c] != 0 {
			slope = along * (sd[c] + 1e-5) / (float64(cin-1) * sd[c])
		}
		for k := range cin {
			dw[k*cout+c] = (g[k*cout+c] - mean - u[k*cout+c]*slope) / (sd[c] + 1e-5)
		}
	}
	return dw
}

// TestStandardise compares with the references. A value here is about 1, and what is
// added up has cin terms, so an error is at most some cin roundings; the first row, which
// the sums are relative to, lies up to 4 deviations from the mean and costs 4*4 of them.
func TestStandardise(t *testing.T) {
	testStandardise[float64](t, 0x1p-52)
	testStandardise[float32](t, 0x1p-23)
}

func testStandardise[T Float](t *testing.T, eps float64) {
	r := rand.New(rand.NewPCG(1, 2))
	e := NewEngine[T](nil)
	for _, cin := range []int{1, 2, 3, 16, 33, 99, 700} {
		for _, cout := range []int{1, 3, 8, 16, 31, 33, 70} {
			const guard = 3
			piece := func(n int) []T {
				s := make([]T, guard+n+guard)
				fill(s, 7)
				return s
			}
			w := make([]T, cin*cout)
			for i := range w {
				w[i] = T(min(max(r.NormFloat64(), -2), 2) + 2*float64(i%cout)/float64(cout))
			}
			all := [][]T{piece(len(w)), piece(cout), piece(len(w))}
			in := func(i int) []T { s := all[i]; return s[guard : len(s)-guard : len(s)-guard] }
			u, sd, dw := in(0), in(1), in(2)
			e.Standardise(cin, cout, w, u, sd)
			wantU, wantSD := standardRef(cin, cout, toFloat64(w))
			tol := eps * 32 * float64(cin+8)
			if cin <= 3 {
				tol *= 1e3 // a deviation of few values may be small beside them
			}
			for i := range dw {
				dw[i] = T(r.NormFloat64())
			}
			g := toFloat64(dw)
			e.StandardiseGrad(cin, cout, u, sd, dw)
			wantDW := standardGradRef(cin, cout, toFloat64(u), toFloat64(sd), g)
			for _, x := range []struct {
				what      string
				got, want []float64
			}{{"u", toFloat64(u), wantU}, {"sd", toFloat64(sd), wantSD}, {"dw", toFloat64(dw), wantDW}} {
				for i, v := range x.want {
					if !(math.Abs(x.got[i]-v) <= tol*(1+math.Abs(v))) {
						t.Fatalf("%T %d to %d: %s[%d] = %g, want %g", eps, cin, cout, x.what, i, x.got[i], v)
					}
				}
			}
			for k, s := range all {
				for i, v := range s {
					if (i < guard || i >= len(s)-guard) && v != 7 {
						t.Fatalf("%d to %d: written outside result %d", cin, cout, k)
					}
				}
			}
		}
	}
}

func toFloat64[T Float](x []T) []float64 {
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = float64(v)
	}
	return out
}

// TestStandardiseWithoutDeviation: equal weights and a single input give u = 0, and the
// gradients that the comments name; what is tiny or not a number stays what it is.
func TestStandardiseWithoutDeviation(t *testing.T) {
	withoutDeviation[float64](t)
	withoutDeviation[float32](t)
}

func withoutDeviation[T Float](t *testing.T) {
	e := NewEngine[T](nil)
	const cout = 17
	for _, cin := range []int{1, 5, 64} {
		for _, value := range []T{0.1, -3e7, 0} {
			w, u, sd, dw := make([]T, cin*cout), make([]T, cin*cout), make([]T, cout), make([]T, cin*cout)
			fill(w, value)
			e.Standardise(cin, cout, w, u, sd)
			for i, v := range u {
				dw[i] = T(i/cout) - 1
				if v != 0 || sd[i%cout] != 0 {
					t.Fatalf("%d weights of %g: u = %g with deviation %g, want 0", cin, value, v, sd[i%cout])
				}
			}
			e.StandardiseGrad(cin, cout, u, sd, dw)
			for i, v := range dw {
				want := (float64(i/cout) - float64(cin-1)/2) / 1e-5
				if !(math.Abs(float64(v)-want) <= 1e-6*math.Abs(want)) {
					t.Fatalf("%d weights of %g: dw[%d] = %g, want %g", cin, value, i, v, want)
				}
			}
		}
	}
	w, u, sd, dw := []T{1e-38, 0, 2e-38}, make([]T, 3), make([]T, 1), []T{1, 2, 4}
	e.Standardise(3, 1, w, u, sd)
	e.StandardiseGrad(3, 1, u, sd, dw)
	for i := range u {
		if !(math.Abs(float64(u[i])) < 1e-30) || !(math.Abs(float64(dw[i])) < 1e6) {
			t.Errorf("tiny weights: u[%d] = %g, dw = %g", i, u[i], dw[i])
		}
	}
	huge := math.Sqrt(math.MaxFloat64) // its square is the most that a T holds
	if _, short := any(w[0]).(float32); short {
		huge = math.Sqrt(math.MaxFloat32)
	}
	for _, times := range []float64{0.1, 3} {
		w, dw := []T{0, T(times * huge), T(-times * huge)}, []T{1, 2, 4}
		e.Standardise(3, 1, w, u, sd)
		e.StandardiseGrad(3, 1, u, sd, dw)
		want := 1.0 // w[1] in units of the deviation
		if times > 1 {
			want = 0
		}
		if got := float64(u[1]); !(math.Abs(got-want) <= 1e-6) || math.IsInf(float64(sd[0]), 1) != (want == 0) || math.IsNaN(float64(dw[1])) != (want == 0) {
			t.Errorf("%g times %g: u = %g with deviation %g, dw = %g", times, huge, u, sd, dw)
		}
	}
	w[1], dw = T(math.NaN()), []T{1, 2, 4}
	e.Standardise(3, 1, w, u, sd)
	e.StandardiseGrad(3, 1, u, sd, dw)
	for i := range u {
		if !math.IsNaN(float64(u[i])) || !math.IsNaN(float64(dw[i])) {
			t.Errorf("a NaN among the weights: u[%d] = %g, dw = %g", i, u[i], dw[i])
		}
	}
}
