package cpu

import (
	"math"
	"testing"
)

func testSoftXent[T Float](t *testing.T) {
	const weight = 0.7
	for i, s := range [][2]int{{1, 1}, {1, 2}, {3, 10}, {200, 100}, {3000, 7}} {
		n, k := s[0], s[1]
		for _, temperature := range []float64{0.5, 1, 20} {
			for _, size := range []float64{1, 50, 1e4} {
				l := newLab[T](t, uint64(i))
				logits, targets, grad, loss := l.random(n*k), l.random(n*k), l.blank(n*k), l.blank(1)
				for j := range logits {
					logits[j] *= T(size)
					targets[j] = T(math.Abs(float64(targets[j])) / float64(k)) // of any sum
				}
				l.sameAtAnyThreads(loss, func(p *Pool) {
					loss[0] = NewEngine[T](p).SoftXent(n, k, logits, targets, weight, temperature, nil)
				})
				l.sameAtAnyThreads(grad, func(p *Pool) {
					loss[0] = NewEngine[T](p).SoftXent(n, k, logits, targets, weight, temperature, grad)
				})
				var want exact
				for r := range n {
					row := logits[r*k:][:k]
					top := float64(row[0])
					for _, v := range row {
						top = math.Max(top, float64(v))
					}
					var z, mass float64
					for j, v := range row {
						z += math.Exp((float64(v) - top) / temperature)
						mass += float64(targets[r*k+j])
					}
					for j, v := range row {
						q := float64(targets[r*k+j])
						logp := (float64(v)-top)/temperature - math.Log(z)
						share := weight * temperature * temperature * q / float64(n)
						want.add(-share * logp)
						want.abs += share // log(1+x) has the precision of 1
						step := weight * temperature / float64(n)
						near(t, exact{step * (mass*math.Exp(logp) - q), step * (mass + 1), 1}, grad[r*k+j], 16, "%v at %v: gradient %d", s, size, r*k+j)
					}
				}
				near(t, want, loss[0], 8, "%v at %v: loss", s, size)
				l.ok()
			}
		}
	}
}

func TestSoftXent(t *testing.T) { bothTypes(t, testSoftXent[float32], testSoftXent[float64]) }

func TestSoftXentNotFinite(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for _, tc := range []struct {
		logits, targets []float64
		loss            float64
	}{
		{[]float64{1, nan, 2}, []float64{1, 0, 0}, nan},
		{[]float64{1, inf, 2}, []float64{0, 1, 0}, nan},
		{[]float64{1, nan, 2}, []float64{0, 0, 0}, nan},
		{[]float64{1, 1, 2}, []float64{0, nan, 0}, nan},
		{[]float64{0, -inf, 0}, []float64{1, 0, 0}, math.Ln2},
		{[]float64{0, -inf, 0}, []float64{0.5, 0.5, 0}, inf},
		{[]float64{-inf, -inf}, []float64{0, 1}, nan},
		{[]float64{1, 2}, []float64{0, 0}, 0},
		{[]float64{1e300, 0}, []float64{0, 1}, 1e300},
	} {
		grad := make([]float64, len(tc.logits))
		got := NewEngine[float64](nil).SoftXent(1, len(tc.logits), tc.logits, tc.targets, 1, 1, grad)
		if !(same(got, tc.loss) || math.Abs(got-tc.loss) <= 1e-15*tc.loss) {
			t.Errorf("%v, targets %v: loss %v, want %v", tc.logits, tc.targets, got, tc.loss)
		}
		bad := false
		for _, g := range grad {
			bad = bad || math.IsNaN(g)
		}
		if bad != math.IsNaN(tc.loss) {
			t.Errorf("%v, targets %v: gradient %v of loss %v", tc.logits, tc.targets, grad, got)
		}
	}
	x := make([]float64, 2)
	for _, temperature := range []float64{0, -1, nan} {
		panicsWith(t, badTemperature, func() { NewEngine[float64](nil).SoftXent(1, 2, x, x, 1, temperature, nil) })
	}
}
