package cpu

import (
	"fmt"
	"math"
	"testing"
)

// bnShapes are rows and channels; {rows, 0} and {0, ch} are empty.
var bnShapes = [][2]int{
	{1, 1}, {1, 5}, {2, 3}, {3, 4}, {7, 8}, {31, 9}, {32, 16}, {33, 17}, {64, 20}, {255, 12}, {256, 4}, {257, 7},
	{1000, 1}, {1000, 33}, {4096, 16}, {5000, 80}, {300, 300}, {0, 4}, {4, 0},
}

// kahan is a sum whose error does not grow with the number of its terms.
type kahan struct{ sum, low float64 }

func (k *kahan) add(x float64) {
	x -= k.low
	s := k.sum + x
	k.low = (s - k.sum) - x
	k.sum = s
}

// columnMoments returns mean and variance of column c of x (rows,ch). The mean
// is refined once, so that it does not suffer from an odd first row.
func columnMoments[T Float](rows, ch, c int, x []T) (mean, variance float64) {
	mean = float64(x[c])
	for range 2 {
		var s kahan
		for r := range rows {
			s.add(float64(x[r*ch+c]) - mean)
		}
		mean += s.sum / float64(rows)
	}
	var s kahan
	for r := range rows {
		d := float64(x[r*ch+c]) - mean
		s.add(d * d)
	}
	return mean, s.sum / float64(rows)
}

func testBNSums[T Float](t *testing.T) {
	for i, s := range bnShapes {
		rows, ch := s[0], s[1]
		for _, at := range []struct{ mean, std float64 }{{0, 1}, {1e3, 1e-2}, {-1e3, 1}, {1e-3, 1e3}, {5, 0}, {0, 1e-15}} {
			l := newLab[T](t, uint64(i))
			x := l.random(rows * ch)
			for j := range x {
				x[j] = T(at.mean + at.std*float64(x[j]))
			}
			if rows > 0 && i%2 == 1 {
				for c := range ch { // the worst first row: an outlier
					x[c] = T(at.mean + 1e3*at.std)
				}
			}
			mean, variance, scratch := l.blank(ch), l.blank(ch), l.blank(BNScratch(rows, ch))
			l.sameAtAnyThreads(mean, func(p *Pool) { BNSums(p, rows, ch, x, mean, variance, scratch) })
			l.sameAtAnyThreads(variance, func(p *Pool) { BNSums(p, rows, ch, x, mean, variance, scratch) })
			for c := range ch {
				m, v := 0.0, 0.0
				if rows > 0 {
					m, v = columnMoments(rows, ch, c, x)
				}
				// Every term of a block rounds at most once for each row and is
				// relative to the first of them.
				eps, size := roundoff[T]()+0x1p-50, bnBlock(ch)
				var sum, cross, squares float64
				for r := range rows {
					shift := float64(x[r/size*size*ch+c])
					d := float64(x[r*ch+c]) - shift
					sum += math.Abs(d) / float64(rows)
					cross += math.Abs(d*(shift-m)) / float64(rows)
					squares += d * d / float64(rows)
				}
				n := float64(min(rows, size) + 4)
				tolM := n*eps*sum + 2*eps*math.Abs(m)
				tolV := n*eps*(squares+2*cross) + 2*eps*v
				if !(math.Abs(float64(mean[c])-m) <= tolM) || !(math.Abs(float64(variance[c])-v) <= tolV) {
					t.Fatalf("%v at %v: column %d: mean %v, variance %v, want %v, %v (within %.3g, %.3g)",
						s, at, c, mean[c], variance[c], m, v, tolM, tolV)
				}
			}
			l.ok()
		}
	}
}

func TestBNSums(t *testing.T) { bothTypes(t, testBNSums[float32], testBNSums[float64]) }

// Noise of 1e-2 on a mean of 1e3 leaves seven bits of float32: its variance must
// come out to 1e-4 of the value of those bits, where a plain sum of squares has
// no digit right.
func TestBNSumsAtLargeMean(t *testing.T) {
	const rows, ch = 65536, 3
	l := newLab[float32](t, 1)
	x := l.random(rows * ch)
	for j := range x {
		x[j] = 1e3 + 1e-2*x[j]
	}
	mean, variance := l.blank(ch), l.blank(ch)
	BNSums(nil, rows, ch, x, mean, variance, l.blank(BNScratch(rows, ch)))
	for c := range ch {
		m, v := columnMoments(rows, ch, c, x)
		if !(math.Abs(float64(mean[c])-m) <= 1e3*0x1p-24) || !(math.Abs(float64(variance[c])/v-1) <= 1e-4) {
			t.Errorf("mean %v, variance %v, want %v, %v", mean[c], variance[c], m, v)
		}
	}
}

func TestBNSumsNotFinite(t *testing.T) {
	const rows, ch = 600, 4
	for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		for _, row := range []int{0, 1, 299, 512, rows - 1} {
			l := newLab[float32](t, 1)
			x := l.random(rows * ch)
			x[row*ch+2] = float32(bad)
			mean, variance := l.blank(ch), l.blank(ch)
			BNSums(nil, rows, ch, x, mean, variance, l.blank(BNScratch(rows, ch)))
			for c := range ch {
				m, v := float64(mean[c]), float64(variance[c])
				if c == 2 != math.IsNaN(v) || c == 2 != (math.IsNaN(m) || math.IsInf(m, 0)) {
					t.Errorf("%v in row %d of column 2: column %d has mean %v, variance %v", bad, row, c, m, v)
				}
			}
		}
	}
}

func testBNApply[T Float](t *testing.T) {
	for i, s := range bnShapes {
		rows, ch := s[0], s[1]
		l := newLab[T](t, uint64(i))
		l.spikes = i%3 == 1
		x, mean, invstd, gamma, beta := l.random(rows*ch), l.random(ch), l.random(ch), l.random(ch), l.random(ch)
		ldy := ch + i%4
		y := l.blank(rows * ldy)
		for variant := range 4 {
			g, b := gamma, beta
			if variant&1 == 0 {
				g = nil
			}
			if variant&2 == 0 {
				b = nil
			}
			l.sameAtAnyThreads(y, func(p *Pool) { BNApply(p, rows, ch, x, mean, invstd, g, b, y, ldy) })
			for r := range rows {
				for c := range ldy {
					got := y[r*ldy+c]
					if c >= ch {
						if got == got {
							t.Fatalf("%v: wrote to column %d", s, c)
						}
						continue
					}
					d, f := float64(x[r*ch+c])-float64(mean[c]), float64(invstd[c])
					var e exact
					if g != nil {
						f *= float64(g[c])
					}
					e.add(d * f)
					if b != nil {
						e.add(float64(b[c]))
					}
					near(t, e, got, 4, "%v: y[%d,%d]", s, r, c)
				}
			}
		}
		l.ok()
	}
}

func TestBNApply(t *testing.T) { bothTypes(t, testBNApply[float32], testBNApply[float64]) }

func testBNBackward[T Float](t *testing.T) {
	for i, s := range bnShapes {
		rows, ch := s[0], s[1]
		l := newLab[T](t, uint64(i))
		x, dy, mean, invstd, gamma := l.random(rows*ch), l.random(rows*ch), l.random(ch), l.random(ch), l.random(ch)
		dx, dgamma, dbeta, scratch := l.blank(rows*ch), l.blank(ch), l.blank(ch), l.blank(BNScratch(rows, ch))
		g := gamma
		if i%2 == 0 {
			g = nil
		}
		kernel := func(p *Pool) { BNBackward(p, rows, ch, x, dy, mean, invstd, g, dx, dgamma, dbeta, scratch) }
		l.sameAtAnyThreads(dgamma, kernel)
		l.sameAtAnyThreads(dbeta, kernel)
		l.sameAtAnyThreads(dx, kernel)
		for c := range ch {
			var s1, s2 exact
			is, n, f := float64(invstd[c]), float64(rows), float64(invstd[c])
			if g != nil {
				f *= float64(g[c])
			}
			for r := range rows {
				s1.add(float64(dy[r*ch+c]))
				s2.add(float64(dy[r*ch+c]) * (float64(x[r*ch+c]) - float64(mean[c])))
			}
			gamma2 := exact{s2.v * is, s2.abs * math.Abs(is), s2.n}
			near(t, gamma2, dgamma[c], 4, "%v: dgamma[%d]", s, c)
			near(t, s1, dbeta[c], 1, "%v: dbeta[%d]", s, c)
			for r := range rows {
				d := (float64(x[r*ch+c]) - float64(mean[c])) * is * is
				var e exact
				e.add(f * float64(dy[r*ch+c]))
				e.add(-f * s1.v / n)
				e.add(-f * d * s2.v / n)
				e.abs += math.Abs(f)*s1.abs/n + math.Abs(f*d)*s2.abs/n
				e.n += min(rows, bnBlock(ch))
				near(t, e, dx[r*ch+c], 8, "%v: dx[%d,%d]", s, r, c)
			}
		}
		// In place, and without dgamma and dbeta, the result is the same.
		for _, to := range [][]T{append([]T{}, x...), append([]T{}, dy...)} {
			xs, dys := x, dy
			if len(x) > 0 && to[0] == x[0] {
				xs = to
			} else {
				dys = to
			}
			BNBackward(nil, rows, ch, xs, dys, mean, invstd, g, to, nil, nil, scratch)
			for j := range to {
				if to[j] != dx[j] {
					t.Fatalf("%v: in place: dx[%d] = %v, want %v", s, j, to[j], dx[j])
				}
			}
		}
		l.ok()
	}
}

func TestBNBackward(t *testing.T) { bothTypes(t, testBNBackward[float32], testBNBackward[float64]) }

// The formula of BNBackward against finite differences of BNSums and BNApply.
func TestBNGradient(t *testing.T) {
	const rows, ch, eps, h = 7, 3, 1e-5, 1e-6
	l := newLab[float64](t, 3)
	x, w, gamma, beta := l.random(rows*ch), l.random(rows*ch), l.random(ch), l.random(ch)
	mean, invstd, y, scratch := l.blank(ch), l.blank(ch), l.blank(rows*ch), l.blank(BNScratch(rows, ch))
	loss := func() (s float64) {
		BNSums(nil, rows, ch, x, mean, invstd, scratch)
		for c, v := range invstd {
			invstd[c] = 1 / math.Sqrt(v+eps)
		}
		BNApply(nil, rows, ch, x, mean, invstd, gamma, beta, y, ch)
		for i, v := range y {
			s += v * w[i]
		}
		return s
	}
	loss()
	dx, dgamma, dbeta := l.blank(rows*ch), l.blank(ch), l.blank(ch)
	BNBackward(nil, rows, ch, x, w, mean, invstd, gamma, dx, dgamma, dbeta, scratch)
	for name, pair := range map[string][2][]float64{"x": {x, dx}, "gamma": {gamma, dgamma}, "beta": {beta, dbeta}} {
		for i := range pair[0] {
			was := pair[0][i]
			pair[0][i] = was + h
			up := loss()
			pair[0][i] = was - h
			down := loss()
			pair[0][i] = was
			if num := (up - down) / (2 * h); !(math.Abs(num-pair[1][i]) <= 1e-6*(1+math.Abs(num))) {
				t.Errorf("d%s[%d] = %v, finite difference %v", name, i, pair[1][i], num)
			}
		}
	}
}

func BenchmarkBN(b *testing.B) {
	for _, s := range [][2]int{{65536, 16}, {4096, 64}} {
		rows, ch := s[0], s[1]
		x, dy, dx, c := make([]float32, rows*ch), make([]float32, rows*ch), make([]float32, rows*ch), make([]float32, 4*ch)
		scratch := make([]float32, BNScratch(rows, ch))
		mean, variance, gamma, beta := c[:ch], c[ch:2*ch], c[2*ch:3*ch], c[3*ch:]
		bench := func(name string, tensors int, f func(p *Pool)) {
			benchBytes(b, fmt.Sprintf("%s/%dx%d", name, rows, ch), float64(4*tensors*rows*ch), f)
		}
		bench("sums", 1, func(p *Pool) { BNSums(p, rows, ch, x, mean, variance, scratch) })
		bench("apply", 2, func(p *Pool) { BNApply(p, rows, ch, x, mean, variance, gamma, beta, dx, ch) })
		bench("backward", 5, func(p *Pool) { BNBackward(p, rows, ch, x, dy, mean, variance, gamma, dx, gamma, beta, scratch) })
	}
}
