package cpu

import (
	"fmt"
	"math"
	"testing"
)

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
