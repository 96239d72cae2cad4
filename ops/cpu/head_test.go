package cpu

import (
	"math"
	"testing"
)

func testXent[T Float](t *testing.T) {
	for i, s := range [][2]int{{1, 1}, {1, 2}, {3, 10}, {64, 10}, {200, 100}, {3000, 7}} {
		n, k := s[0], s[1]
		for _, smoothing := range []float64{0, 0.1, 1} {
			for _, size := range []float64{1, 50, 1e4} {
				l := newLab[T](t, uint64(i))
				logits, grad, loss := l.random(n*k), l.blank(n*k), l.blank(1)
				labels := make([]int32, n)
				for j := range labels {
					labels[j] = int32(l.r.IntN(k))
				}
				for j := range logits {
					logits[j] *= T(size)
				}
				l.sameAtAnyThreads(loss, func(p *Pool) { loss[0] = NewEngine[T](p).SoftmaxXent(n, k, logits, labels, smoothing, nil) })
				l.sameAtAnyThreads(grad, func(p *Pool) { loss[0] = NewEngine[T](p).SoftmaxXent(n, k, logits, labels, smoothing, grad) })
				var want exact
				for r := range n {
					row := logits[r*k:][:k]
					top := float64(row[0])
					for _, v := range row {
						top = math.Max(top, float64(v))
					}
					var z float64
					for _, v := range row {
						z += math.Exp(float64(v) - top)
					}
					for j, v := range row {
						target := smoothing / float64(k)
						if j == int(labels[r]) {
							target += 1 - smoothing
						}
						logp := float64(v) - top - math.Log(z)
						want.add(-target * logp / float64(n))
						want.abs += target / float64(n) // log(1+x) has the precision of 1
						e := (math.Exp(logp) - target) / float64(n)
						near(t, exact{e, 1 / float64(n), 1}, grad[r*k+j], 12, "%v at %v: gradient %d", s, size, r*k+j)
					}
				}
				near(t, want, loss[0], 8, "%v at %v: loss", s, size)
				l.ok()
			}
		}
	}
}

func TestSoftmaxXent(t *testing.T) { bothTypes(t, testXent[float32], testXent[float64]) }

func TestSoftmaxXentNotFinite(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for _, tc := range []struct {
		logits    []float64
		label     int32
		smoothing float64
		loss      float64
	}{
		{[]float64{1, nan, 2}, 0, 0, nan},
		{[]float64{1, inf, 2}, 0, 0, nan},
		{[]float64{1, inf, 2}, 1, 0, nan},
		{[]float64{0, -inf, 0}, 0, 0, math.Ln2},
		{[]float64{0, -inf, 0}, 1, 0, inf},
		{[]float64{0, -inf, 0}, 0, 0.1, inf},
		{[]float64{0, -inf, 0}, 1, 1, inf},
		{[]float64{-inf, -inf}, 1, 0, nan},
		{[]float64{0, 0}, 0, 1, math.Ln2},
		{[]float64{1e300, 0}, 1, 0, 1e300},
	} {
		grad := make([]float64, len(tc.logits))
		got := NewEngine[float64](nil).SoftmaxXent(1, len(tc.logits), tc.logits, []int32{tc.label}, tc.smoothing, grad)
		if !(same(got, tc.loss) || math.Abs(got-tc.loss) <= 1e-15*tc.loss) {
			t.Errorf("%v, label %d: loss %v, want %v", tc.logits, tc.label, got, tc.loss)
		}
		for _, g := range grad {
			if math.IsNaN(g) != math.IsNaN(tc.loss) {
				t.Errorf("%v, label %d: gradient %v of loss %v", tc.logits, tc.label, grad, got)
			}
		}
	}
	x := make([]float64, 2)
	panicsWith(t, badLabel, func() { NewEngine[float64](nil).SoftmaxXent(1, 2, x, []int32{2}, 0, nil) })
	panicsWith(t, badLabel, func() { NewEngine[float64](nil).SoftmaxXent(1, 2, x, []int32{-1}, 0, nil) })
	panicsWith(t, badSmoothing, func() { NewEngine[float64](nil).SoftmaxXent(1, 2, x, []int32{1}, nan, nil) })
}

func TestCorrect(t *testing.T) {
	nan := math.NaN()
	logits := []float64{
		1, 2, 3, // the last
		3, 3, 1, // the first of two
		3, 3, 1,
		1, nan, 0, // never
		nan, 1, 0,
		0, 1, 0,
	}
	labels := []int32{2, 0, 1, 0, 0, 1}
	if n := Correct(6, 3, logits, labels); n != 3 {
		t.Errorf("%d correct, want 3", n)
	}
}
