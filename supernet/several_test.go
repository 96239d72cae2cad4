package supernet

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"oneshot/data"
	"oneshot/ops"
	"oneshot/supernet/engine"
	"oneshot/supernet/space"
	"oneshot/weights"
)

// TestSeveralPaths and TestCUDASeveralPaths: what a step on several paths makes of the gradients that its paths have
// by themselves.
func TestSeveralPaths(t *testing.T)     { testSeveral(t, newRuntime(t, 2)) }
func TestCUDASeveralPaths(t *testing.T) { testSeveral(t, newDevice(t, false)) }

// several trains the network of a chain along paths, at rate 0.
type several struct {
	*testing.T
	net *Net
	rt  *Runtime
}

func (s several) trainer(edit func(*engine.TrainSpec)) engine.Trainer {
	s.Helper()
	spec := engine.TrainSpec{Graph: engine.Spec{Batch: suiteBatch, Train: true, Smoothing: 0.1, DecayAll: true}, Batch: suiteBatch,
		Optimizer: ops.SGD{}, Slots: engine.Slots{make([]float32, len(s.net.params))}}
	edit(&spec)
	tr, err := s.rt.eng.Train(s.net.model(s.net.state), spec)
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(tr.Close)
	return tr
}

// step takes a step on paths, and returns the gradients of the parameters that they use, and the logits of a single one.
func (s several) step(tr engine.Trainer, st engine.Step, as ...space.Arch) (engine.Outcome, []float32, []float32) {
	s.Helper()
	var ps []engine.Path
	for _, a := range as {
		ps = append(ps, s.net.path(a))
	}
	g, err := tr.Compile(ps[0], ps[1:]...)
	if err == nil { // on a device the running means, by which sums are shifted, are those of the start
		err = tr.Push()
	}
	if err == nil {
		err = tr.Issue(s.Context(), g, st)
	}
	if err != nil {
		s.Fatal(err)
	}
	o, err := tr.Finish()
	if err != nil {
		s.Fatal(err)
	}
	all := left(s.T, tr, g, ops.Mem{Region: ops.Grad, Len: len(s.net.params)})
	grads, used := make([]float32, len(all)), g.Grads
	if g.Union != nil {
		used = g.Union.Grads
	}
	for _, m := range used {
		copy(grads[m.Off:m.Off+m.Len], all[m.Off:])
	}
	var logits []float32
	if len(as) == 1 {
		logits = left(s.T, tr, g, g.Logits)
	}
	return o, grads, logits
}

// near wants got/divisor to be the sum of the gradients, each with its weight.
func (s several) near(what string, got []float32, divisor float64, grads [][]float32, of ...float64) {
	s.Helper()
	var norm, off, plain float64
	for i, v := range got {
		var want, sum float64
		for k, g := range grads {
			want += of[k] * float64(g[i])
			sum += float64(g[i])
		}
		norm += want * want
		off = max(off, math.Abs(float64(v)/divisor-want))
		plain = max(plain, math.Abs(float64(grads[0][i])-want))
	}
	if norm = math.Sqrt(norm); !(off <= 1e-5*norm) || !(plain > 1e-2*norm) {
		s.Errorf("%s: gradient off by %g at norm %g; the first path's alone by %g", what, off, norm, plain)
	}
}

func testSeveral(t *testing.T, rt *Runtime) {
	n, err := New(chainNet(t), 1, rt)
	if err != nil {
		t.Fatal(err)
	}
	s, b := several{t, n, rt}, firstBatch(t, suiteBatch)
	as := []space.Arch{{1, 2, 1}, {0, 0, 0}, {1, 1, 0}}
	st := engine.Step{Batch: b}
	for _, micro := range []int{suiteBatch, suiteBatch / 2} {
		parts := float64(suiteBatch / micro)
		alone := s.trainer(func(c *engine.TrainSpec) { c.Graph.Batch = micro })
		var grads [][]float32
		var losses []float64
		right := 0
		for _, a := range as {
			o, g, _ := s.step(alone, st, a)
			for i := range g {
				g[i] /= float32(parts)
			}
			grads, losses, right = append(grads, g), append(losses, o.Loss), right+o.Right
		}
		mean := (losses[0] + losses[1] + losses[2]) / 3
		check := func(what string, o engine.Outcome) {
			t.Helper()
			if !(math.Abs(o.Loss-mean) <= 1e-5*mean) || o.Right != right || o.Bad {
				t.Errorf("%s, %d at a time: %+v, want loss %g and %d right", what, micro, o, mean, right)
			}
		}
		for _, sum := range []bool{false, true} {
			tr := s.trainer(func(c *engine.TrainSpec) { c.Graph.Batch, c.Paths, c.Sum, c.Rank = micro, 3, sum, true })
			divisor, each := 3*parts, 1./3
			if sum {
				divisor, each = parts, 1
			}
			o, g, _ := s.step(tr, st, as...)
			check("several", o)
			s.near(fmt.Sprintf("sum=%v", sum), g, divisor, grads, each, each, each)
			var norm float64
			for _, v := range g {
				norm += float64(v) / divisor * float64(v) / divisor
			}
			if norm = math.Sqrt(norm); !(math.Abs(o.GradNorm-norm) <= 1e-5*norm) {
				t.Errorf("sum=%v: norm %g, want %g", sum, o.GradNorm, norm)
			}
			// The pair in the wrong order, in the right one, and wrong by less than the margin.
			wrong := st
			wrong.Pairs, wrong.Weight = []engine.Pair{{At: 1, First: losses[1] > losses[2]}}, 0.5
			lower, other := 1, 2
			if !wrong.Pairs[0].First {
				lower, other = 2, 1
			}
			of := []float64{each, each, each}
			of[lower], of[other] = 1.5*each, 0.5*each
			o, ranked, _ := s.step(tr, wrong, as...)
			check("ranked", o)
			s.near("ranked", ranked, divisor, grads, of...)
			_, plain, _ := s.step(tr, st, as...)
			for _, how := range []string{"right", "margin"} {
				p := wrong
				if how == "right" {
					p.Pairs = []engine.Pair{{At: 1, First: !wrong.Pairs[0].First}}
				} else {
					p.Margin = 2 * math.Abs(losses[1]-losses[2])
				}
				if _, g, _ := s.step(tr, p, as...); !sameBits(g, plain) {
					t.Errorf("%s: a pair in order changes the gradient", how)
				}
			}
			if _, g, _ := s.step(tr, wrong, as...); !sameBits(g, ranked) {
				t.Error("the gradient of a pair depends on what was held before")
			}
		}
		// In place: the largest learns from the labels, the others from its outputs.
		tr := s.trainer(func(c *engine.TrainSpec) { c.Graph.Batch, c.Paths, c.Sum, c.InPlace = micro, 3, true, true })
		o, g, _ := s.step(tr, st, as...)
		taught := *b
		var outputs []float32
		one := s.trainer(func(c *engine.TrainSpec) { c.Graph.Batch, c.Batch = micro, micro })
		image, classes := n.cfg.Image*n.cfg.Image*3, n.cfg.Classes
		for lo := 0; lo < suiteBatch; lo += micro {
			part := &data.Batch{N: micro, X: b.X[lo*image : (lo+micro)*image], Y: b.Y[lo : lo+micro]}
			_, _, logits := s.step(one, engine.Step{Batch: part}, as[0])
			outputs = append(outputs, logits...)
		}
		taught.T = make([]float32, len(outputs))
		for i := 0; i < len(outputs); i += classes {
			engine.Softmax(taught.T[i:i+classes], outputs[i:i+classes], 1)
		}
		soft := s.trainer(func(c *engine.TrainSpec) { c.Graph.Batch, c.Graph.Soft, c.Graph.Smoothing = micro, true, 0 })
		loss, learnt := losses[0], [][]float32{grads[0]}
		for _, a := range as[1:] {
			o, g, _ := s.step(soft, engine.Step{Batch: &taught}, a)
			for i := range g {
				g[i] /= float32(parts)
			}
			loss, learnt = loss+o.Loss, append(learnt, g)
		}
		s.near("in place", g, parts, learnt, 1, 1, 1)
		if !(math.Abs(o.Loss-loss/3) <= 1e-5*loss) {
			t.Errorf("in place: loss %g, want %g", o.Loss, loss/3)
		}
	}
}

// TestRankingIsAGradient: what a step on a pair in the wrong order descends along is the slope of both losses and
// weight times their difference, by central differences of the losses.
func TestRankingIsAGradient(t *testing.T) {
	n, err := New(chainNet(t), 1, newRuntime(t, 2))
	if err != nil {
		t.Fatal(err)
	}
	const weight = 0.7
	s, as := several{t, n, n.rt}, []space.Arch{{1, 2, 1}, {0, 1, 0}}
	b := firstBatch(t, suiteBatch)
	alone := s.trainer(func(*engine.TrainSpec) {})
	loss := func(k int) float64 {
		o, _, _ := s.step(alone, engine.Step{Batch: b}, as[k])
		return o.Loss
	}
	pair := engine.Pair{First: loss(0) > loss(1)}
	objective := func() float64 {
		a, b := loss(0), loss(1)
		between := a - b
		if !pair.First {
			between = -between
		}
		return a + b + weight*max(0, between)
	}
	tr := s.trainer(func(c *engine.TrainSpec) { c.Paths, c.Sum, c.Rank = 2, true, true })
	o, grad, _ := s.step(tr, engine.Step{Batch: b, Pairs: []engine.Pair{pair}, Weight: weight}, as...)
	start := slices.Clone(n.params)
	const h = 1e-3
	move := func(by float64) float64 {
		for i, v := range start {
			n.params[i] = v + float32(by*float64(grad[i])/o.GradNorm)
		}
		return objective()
	}
	if slope := (move(h) - move(-h)) / (2 * h); !(math.Abs(slope-o.GradNorm) <= 5e-3*o.GradNorm) {
		t.Errorf("the objective has slope %g along a gradient of norm %g", slope, o.GradNorm)
	}
}

// trainSeveral is train with a sampling, on the chain.
func trainSeveral(t *testing.T, name string, threads, micro int, resume *weights.Checkpoint, stop int) (weights.Checkpoint, []byte) {
	t.Helper()
	n, err := New(chainNet(t), 1, newRuntime(t, threads))
	if err != nil {
		t.Fatal(err)
	}
	c := smallTrain(4)
	c.MicroBatch = micro
	samplings[name](&c)
	tr, err := NewTrainer(n, smallData(t).Train, c)
	if err != nil {
		t.Fatal(err)
	}
	defer tr.Close()
	if resume != nil {
		if err := tr.Restore(*resume); err != nil {
			t.Fatal(err)
		}
	}
	for tr.StepNumber() < stop {
		st, err := tr.Step(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if st.Images != c.Batch*(1+len(st.Beside)) || len(st.Beside) == 0 {
			t.Fatalf("%s: %d images along %d paths", name, st.Images, 1+len(st.Beside))
		}
	}
	ck, err := tr.Checkpoint()
	if err != nil {
		t.Fatal(err)
	}
	return ck, encode(t, ck)
}

// Invariants I1 and I2 with several paths a step.
func TestSeveralPathsAtAnyThreadCountAndResumed(t *testing.T) {
	seen := map[string]string{}
	for name := range samplings {
		for _, micro := range []int{0, 4} {
			_, want := trainSeveral(t, name, 1, micro, nil, 4)
			for _, threads := range []int{2, 4} {
				if _, got := trainSeveral(t, name, threads, micro, nil, 4); !bytes.Equal(got, want) {
					t.Errorf("%s, micro-batch %d: %d threads give other bytes than 1", name, micro, threads)
				}
			}
			c, _ := trainSeveral(t, name, 2, micro, nil, 2)
			if _, got := trainSeveral(t, name, 2, micro, &c, 4); !bytes.Equal(got, want) {
				t.Errorf("%s, micro-batch %d: stopped and resumed: other bytes than never stopped", name, micro)
			}
			if other, ok := seen[string(want)]; ok {
				t.Errorf("%s and %s train the same: the test is blind", name, other)
			}
			seen[string(want)] = name
		}
	}
}

// TestDivergedNamesThePath of several that has no numbers.
func TestDivergedNamesThePath(t *testing.T) {
	n, err := New(chainNet(t), 1, newRuntime(t, 1))
	if err != nil {
		t.Fatal(err)
	}
	c := smallTrain(3)
	samplings["sandwich"](&c)
	tr := bare(t, n, c)
	p, err := tr.build(space.Arch{0, 0, 0}, space.Arch{0, 0, 1}, space.Arch{0, 2, 0})
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range n.layout.Params {
		if strings.HasPrefix(q.Name, "block1.sep5") {
			n.param(q)[0] = float32(math.NaN())
		}
	}
	_, err = tr.take(p, firstBatch(t, c.Batch))
	var bad *DivergedError
	if !errors.As(err, &bad) || bad.Arch != "chain:[0 2 0]" || !strings.Contains(bad.Where, "block1.sep5") {
		t.Errorf("%v", err)
	}
}

// TestEstimateOfSeveralPaths is what their trainer allocates.
func TestEstimateOfSeveralPaths(t *testing.T) {
	for name, edit := range samplings {
		for _, micro := range []int{0, 4} {
			cfg, c := chainNet(t), smallTrain(6)
			c.MicroBatch = micro
			edit(&c)
			n, err := New(cfg, 1, newRuntime(t, 1))
			if err != nil {
				t.Fatal(err)
			}
			tr := bare(t, n, c)
			a, err := Widest(cfg)
			if err != nil {
				t.Fatal(err)
			}
			var beside []space.Arch
			for range tr.course.number - 1 {
				beside = append(beside, a)
			}
			p, err := tr.build(a, beside...)
			if err != nil {
				t.Fatal(name, err)
			}
			checkEstimate(t, tr, p, 1)
		}
	}
}

// TestCUDASeveralPathsTrainLikeTheProcessor, on batches that the device makes and with micro-batches, and take the
// memory that is estimated.
func TestCUDASeveralPathsTrainLikeTheProcessor(t *testing.T) {
	d, cfg := smallData(t), chainNet(t)
	for name, micro := range map[string]int{"distill": 8, "fair": 0, "ranked": 0} {
		c := smallTrain(3)
		c.MicroBatch, c.Clip = micro, 0.5
		samplings[name](&c)
		var want []StepStats
		for _, device := range []bool{false, true} {
			rt, meter := newRuntime(t, 2), (*meter)(nil)
			if device {
				rt, meter = metered(t, false)
			}
			m, err := rt.TrainMemory(cfg, nil, d.Train, c)
			if err != nil {
				t.Fatal(err)
			}
			n, err := New(cfg, 1, rt)
			if err != nil {
				t.Fatal(err)
			}
			tr, err := NewTrainer(n, d.Train, c)
			if err != nil {
				t.Fatal(err)
			}
			for i := range 3 {
				st, err := tr.Step(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if !device {
					want = append(want, st)
				} else if w := want[i]; !(math.Abs(st.Loss-w.Loss) <= 1e-3*w.Loss) || !(math.Abs(st.GradNorm-w.GradNorm) <= 5e-2*w.GradNorm) || st.Images != w.Images {
					t.Errorf("%s, step %d: %+v, on the processor %+v", name, i, st, w)
				}
			}
			tr.Close()
			if device && (meter.peak > m.Total()*101/100 || meter.peak < m.Total()/2) {
				t.Errorf("%s: %d bytes are estimated, %d used", name, m.Total(), meter.peak)
			}
		}
	}
}
