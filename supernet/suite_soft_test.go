package supernet

import (
	"math"
	"testing"

	"oneshot/supernet/engine"
)

// testDistributions: targets that say what labels say, and a teacher that says the same,
// give the loss and the gradient of labels; others do not. Images classified right are
// counted by the labels.
func testDistributions(t *testing.T, rt *Runtime) {
	b := firstBatch(t, suiteBatch)
	hard := newSubject(t, rt, func(c *engine.TrainSpec) { c.Graph.Batch = suiteBatch / 2 })
	k := hard.g.Classes
	still := func(s engine.Step) engine.Step { s.LR = 0; return s }
	want, grad := hard.take(still(hard.step(0, b)))
	mixed := *b
	mixed.T = make([]float32, suiteBatch*k)
	smooth, other := make([]float32, suiteBatch*k), make([]float32, suiteBatch*k)
	for i, y := range b.Y {
		mixed.T[i*k+int(y)] = 1
		other[i*k+(int(y)+1)%k] = 1
	}
	engine.PutTargets(smooth, b.Y, nil, k, hard.spec.Graph.Smoothing)
	turned := mixed
	turned.T = other
	for _, x := range []struct {
		what    string
		distill float64
		batch   *engine.Step
		same    bool
	}{
		{"labels", 0, &engine.Step{Batch: b}, true},
		{"targets", 0, &engine.Step{Batch: &mixed}, true},
		{"other targets", 0, &engine.Step{Batch: &turned}, false},
		{"a teacher", 0.3, &engine.Step{Batch: &mixed, Teacher: smooth}, true},
		{"another teacher", 0.3, &engine.Step{Batch: &mixed, Teacher: other}, false},
	} {
		s := newSubject(t, rt, func(c *engine.TrainSpec) {
			c.Graph.Batch, c.Graph.Soft, c.Graph.Distill, c.Graph.Temperature = suiteBatch/2, true, x.distill, 1
		})
		st := still(s.step(0, x.batch.Batch))
		st.Teacher = x.batch.Teacher
		got, g := s.take(st)
		var off, norm float64
		for i, v := range grad {
			off += math.Pow(float64(v-g[i]), 2)
			norm += float64(v) * float64(v)
		}
		near := math.Sqrt(off) <= 1e-4*math.Sqrt(norm) && math.Abs(got.Loss-want.Loss) <= 1e-5*want.Loss
		if near != x.same || got.Right != want.Right || got.Bad {
			t.Errorf("%s: %+v, with labels %+v; gradients are %g of %g apart", x.what, got, want, math.Sqrt(off), math.Sqrt(norm))
		}
	}
}
