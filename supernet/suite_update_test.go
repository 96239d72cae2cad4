package supernet

import (
	"math"
	"testing"

	"oneshot/ops"
	"oneshot/supernet/engine"
)

func testUpdate(t *testing.T, rt *Runtime) {
	for _, micro := range []int{suiteBatch, suiteBatch / 4} {
		s := newSubject(t, rt, func(c *engine.TrainSpec) { c.Graph.Batch, c.Clip = micro, 0.5 })
		for i := range s.spec.Slots[0] {
			s.spec.Slots[0][i] = float32(i%7) * 1e-3
		}
		s.must(s.tr.Push())
		before := s.values()
		st := s.step(0, firstBatch(t, suiteBatch))
		o, grad := s.take(st)
		scale := s.spec.Clip / (o.GradNorm + 1e-6) / float64(s.spec.Parts())
		if !(o.GradNorm > s.spec.Clip) {
			t.Fatalf("a gradient of norm %g is not clipped: the test is blind", o.GradNorm)
		}
		after := s.values()
		d := float64(st.Decay)
		moved := 0
		near := func(what string, k int, got float32, want float64) {
			t.Helper()
			if !(math.Abs(float64(got)-want) <= 1e-5*(1e-2+math.Abs(want))) {
				t.Fatalf("micro-batch %d: %s %d is %g, want %g", micro, what, k, got, want)
			}
		}
		for k, w := range before[0] {
			v := 0.9*float64(before[2][k]) + scale*float64(grad[k]) + s.spec.WeightDecay*float64(w)
			want := float64(w) - st.LR*v
			near("momentum", k, after[2][k], v)
			near("parameter", k, after[0][k], want)
			near("averaged parameter", k, after[3][k], d*float64(before[3][k])+(1-d)*float64(after[0][k]))
			if after[0][k] != w {
				moved++
			}
		}
		for k := range before[1] {
			near("averaged statistic", k, after[4][k], d*float64(before[4][k])+(1-d)*float64(after[1][k]))
		}
		if moved < len(before[0])/2 || sameBits(before[1], after[1]) {
			t.Errorf("%d of %d parameters moved", moved, len(before[0]))
		}
	}
}

func testSpared(t *testing.T, rt *Runtime) {
	after := func(decay float64) (*subject, []float32) {
		s := newSubject(t, rt, func(c *engine.TrainSpec) { c.Graph.DecayAll, c.WeightDecay = false, decay })
		s.take(s.step(0, firstBatch(t, suiteBatch)))
		return s, s.values()[0]
	}
	_, none := after(0)
	s, got := after(0.5)
	vectors, others := 0, 0
	for _, p := range s.net.layout.Params {
		part := func(v []float32) []float32 { return v[p.Mem.Off : p.Mem.Off+p.Mem.Len] }
		same := sameBits(part(none), part(got))
		if vector := len(p.File) == 1; vector {
			vectors++
			if !same {
				t.Errorf("%s decayed", p.Name)
			}
		} else {
			others++
			if same {
				t.Errorf("%s did not decay", p.Name)
			}
		}
	}
	if vectors == 0 || others == 0 {
		t.Errorf("%d vectors and %d others", vectors, others)
	}
}

func testSlots(t *testing.T, rt *Runtime) {
	s := newSubject(t, rt, func(c *engine.TrainSpec) { c.Optimizer = ops.AdamW{Beta1: 0.9, Beta2: 0.99, Eps: 1e-8} })
	for i, slot := range s.spec.Slots {
		for k := range slot {
			slot[k] = float32(1 + i + k%5)
		}
	}
	s.must(s.tr.Push())
	o, grad := s.take(s.step(0, firstBatch(t, suiteBatch)))
	s.must(s.tr.Pull())
	scale := min(1, s.spec.Clip/(o.GradNorm+1e-6))
	near := func(slot string, k int, got float32, want float64) {
		t.Helper()
		if !(math.Abs(float64(got)-want) <= 1e-5*(1+math.Abs(want))) {
			t.Fatalf("%s %d is %g, want %g", slot, k, got, want)
		}
	}
	for k := range grad {
		was, g := float64(k%5), scale*float64(grad[k])
		near("exp_avg", k, s.spec.Slots[0][k], 0.9*(1+was)+0.1*g)
		near("exp_avg_sq", k, s.spec.Slots[1][k], 0.99*(2+was)+0.01*g*g)
		near("step", k, s.spec.Slots[2][k], 3+was+1)
	}
}

func testBadNumbers(t *testing.T, rt *Runtime) {
	b := firstBatch(t, suiteBatch)
	for _, x := range []struct {
		what  string
		spoil func(s *subject)
	}{
		{"a weight that is not a number", func(s *subject) { s.net.params[len(s.net.params)-1] = float32(math.NaN()) }},
		{"an infinite running statistic", func(s *subject) { s.net.state[0] = float32(math.Inf(1)) }},
	} {
		s := newSubject(t, rt, func(*engine.TrainSpec) {})
		if o, _ := s.take(s.step(0, b)); o.Bad {
			t.Fatalf("a sound step is bad: %+v", o)
		}
		s.must(s.tr.Pull())
		x.spoil(s)
		s.must(s.tr.Push())
		before := s.values()
		if o, _ := s.take(s.step(1, b)); !o.Bad {
			t.Errorf("%s: %+v is not bad", x.what, o)
		}
		after := s.values()
		for _, i := range []int{0, 2, 3, 4} {
			if !sameBits(before[i], after[i]) {
				t.Errorf("%s: values %d changed", x.what, i)
			}
		}
	}
}
