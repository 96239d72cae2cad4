package supernet

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"

	"oneshot/data"
	"oneshot/internal/rng"
	"oneshot/ops"
	"oneshot/supernet/engine"
)

// TestEngine and TestCUDAEngine are the suite that every engine passes: training
// and scoring through the interface, on a small network with all that a retraining
// has.
func TestEngine(t *testing.T)     { testEngine(t, newRuntime(t, 2)) }
func TestCUDAEngine(t *testing.T) { testEngine(t, newDevice(t, false)) }

func testEngine(t *testing.T, rt *Runtime) {
	for _, x := range []struct {
		name string
		test func(t *testing.T, rt *Runtime)
	}{
		{"micro-batches", testMeanGradient},
		{"update", testUpdate},
		{"spared", testSpared},
		{"slots", testSlots},
		{"bad numbers", testBadNumbers},
		{"steps under way", testStepsUnderWay},
		{"not started", testNotStarted},
		{"own batches", testOwnBatches},
		{"distributions", testDistributions},
		{"measure", testMeasure},
		{"bad statistics", testBadStatistics},
	} {
		t.Run(x.name, func(t *testing.T) { x.test(t, rt) })
	}
}

// subject is a network and a trainer of it through the interface.
type subject struct {
	*testing.T
	net  *Net
	spec engine.TrainSpec
	tr   engine.Trainer
	g    *engine.Graph
}

const suiteBatch = 8

// newSubject trains a network with auxiliary head, masks, averages and clipping; edit
// changes what else the training is.
func newSubject(t *testing.T, rt *Runtime, edit func(*engine.TrainSpec)) *subject {
	t.Helper()
	cfg := smallNet(t, "lanas")
	cfg.Aux, cfg.AuxChannels = true, [2]int{6, 10}
	n, err := NewArch(cfg, cfg.Space.Sample(rng.New(3, "test")), 1, rt)
	if err != nil {
		t.Fatal(err)
	}
	avg := n.clone()
	s := &subject{T: t, net: n, spec: engine.TrainSpec{
		Graph: engine.Spec{Batch: suiteBatch, Train: true, Smoothing: 0.1, AuxWeight: 0.4, DropPath: true, DecayAll: true},
		Batch: suiteBatch, Masks: n.full.Masks(), Clip: 5, Fixed: true,
		Optimizer: ops.SGD{Momentum: 0.9}, WeightDecay: 0.01,
		Average: &engine.Values{Params: avg.params, State: avg.state},
	}}
	edit(&s.spec)
	for range s.spec.Optimizer.Slots() {
		s.spec.Slots = append(s.spec.Slots, make([]float32, len(n.params)))
	}
	if s.tr, err = rt.eng.Train(n.model(n.state), s.spec); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.tr.Close)
	if s.g, err = s.tr.Compile(n.path(n.arch)); err != nil {
		t.Fatal(err)
	}
	return s
}

// step describes step k of a training that drops paths from the start. Its batch
// is b.
func (s *subject) step(k int, b *data.Batch) engine.Step {
	c := DefaultTrain()
	c.Steps, c.Batch, c.MicroBatch, c.DropPath = 10, s.spec.Batch, s.spec.Graph.Batch, 0.6
	masks := make([]float32, s.g.Masks*c.Batch)
	c.drawMasks(5+k, s.g.Masks, masks)
	return engine.Step{Number: k, LR: 0.1, Decay: 0.75, Masks: masks, Batch: b}
}

func (s *subject) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// take takes a step and returns what it did and the gradients that it left.
func (s *subject) take(st engine.Step) (engine.Outcome, []float32) {
	s.Helper()
	s.must(s.tr.Issue(s.Context(), s.g, st))
	o, err := s.tr.Finish()
	s.must(err)
	return o, left(s.T, s.tr, s.g, ops.Mem{Region: ops.Grad, Len: len(s.net.params)})
}

// values are the host's, after a Pull.
func (s *subject) values() [][]float32 {
	s.Helper()
	s.must(s.tr.Pull())
	var vs [][]float32
	for _, v := range s.arrays() {
		vs = append(vs, slices.Clone(v))
	}
	return vs
}

// arrays are the host's: parameters, statistics, slot 0, averages of the first two, and
// the other slots.
func (s *subject) arrays() [][]float32 {
	vs := [][]float32{s.net.params, s.net.state, s.spec.Slots[0], s.spec.Average.Params, s.spec.Average.State}
	return append(vs, s.spec.Slots[1:]...)
}

// set is the other way round.
func (s *subject) set(vs [][]float32) {
	s.Helper()
	for i, v := range s.arrays() {
		copy(v, vs[i])
	}
	s.must(s.tr.Push())
}

// sameBits compares values, also those that are no numbers.
func sameBits(a, b []float32) bool {
	return slices.EqualFunc(a, b, func(x, y float32) bool { return math.Float32bits(x) == math.Float32bits(y) })
}

// testMeanGradient: a step's gradient is the mean of those of its micro-batches,
// which another trainer computes one by one, and so are loss and statistics.
func testMeanGradient(t *testing.T, rt *Runtime) {
	const micro, parts = 2, 4
	b := firstBatch(t, suiteBatch)
	whole := newSubject(t, rt, func(*engine.TrainSpec) {})
	tr := newSubject(t, rt, func(c *engine.TrainSpec) { c.Graph.Batch = micro })
	single := newSubject(t, rt, func(c *engine.TrainSpec) { c.Graph.Batch, c.Batch = micro, micro })
	still := func(s engine.Step) engine.Step { s.LR = 0; return s }
	st := still(tr.step(0, b))
	if tr.g.Masks == 0 || !slices.Contains(st.Masks, 0) || slices.Max(st.Masks) <= 1 {
		t.Fatalf("masks %v drop nothing or scale nothing", st.Masks)
	}
	got, grad := tr.take(st)
	mean := make([]float64, len(grad))
	var loss float64
	right := 0
	size, masks := len(b.X)/suiteBatch, tr.g.Masks*micro
	for i := range parts {
		part := &data.Batch{N: micro, X: b.X[i*micro*size : (i+1)*micro*size], Y: b.Y[i*micro : (i+1)*micro]}
		s := still(single.step(0, part))
		s.Masks = st.Masks[i*masks : (i+1)*masks]
		o, g := single.take(s)
		loss += o.Loss / parts
		right += o.Right
		for k, v := range g {
			mean[k] += float64(v) / parts
		}
	}
	all, apart := whole.take(still(whole.step(0, b)))
	var norm, off, far float64
	for k, v := range mean {
		norm += v * v
		off = max(off, math.Abs(float64(grad[k])/parts-v))
		far = max(far, math.Abs(float64(apart[k])-v))
	}
	norm = math.Sqrt(norm)
	// Three float32 additions of values below 4*largest.
	if !(off <= 1e-6*norm) {
		t.Errorf("the mean gradient is off by %g at norm %g", off, norm)
	}
	if !(far > 1e-3*norm) || all.Loss == got.Loss {
		t.Error("the whole batch has the same gradient: the test compares nothing")
	}
	if !(math.Abs(got.Loss-loss) <= 1e-5*loss) || !(math.Abs(got.GradNorm-norm) <= 1e-5*norm) || got.Right != right || got.Bad {
		t.Errorf("%+v, want loss %g, %d right and gradient norm %g", got, loss, right, norm)
	}
	gv, sv := tr.values(), single.values()
	if !sameBits(gv[1], sv[1]) {
		t.Error("running statistics differ from those of four batches")
	}
	if !sameBits(gv[0], sv[0]) {
		t.Error("a step at rate 0 changed the parameters")
	}
}

// testUpdate: clipped descent with momentum and weight decay along the mean gradient,
// and averages of parameters and statistics. What a step writes comes to the host.
// testSpared: weight decay that spares normalisations and biases moves only what has
// more than one dimension.
// testSlots: all slots of an optimizer go to the engine, are moved by a step and come
// back.
// testBadNumbers: loss, gradient or statistics that are not finite leave parameters,
// slots and averages as they were.
// testStepsUnderWay: as many steps as may be under way give, bit for bit, what
// they give one at a time; Push forgets them.
func testStepsUnderWay(t *testing.T, rt *Runtime) {
	const steps = 3
	for _, fixed := range []bool{true, false} {
		s := newSubject(t, rt, func(c *engine.TrainSpec) { c.Fixed = fixed })
		b := firstBatch(t, suiteBatch)
		start := s.values()
		var want []engine.Outcome
		for k := range steps {
			o, _ := s.take(s.step(k, b))
			want = append(want, o)
		}
		end := s.values()
		s.set(start)
		s.must(s.tr.Issue(t.Context(), s.g, s.step(steps+1, b)))
		s.set(start) // and that step never was
		if _, err := s.tr.Finish(); !errors.Is(err, engine.ErrIdle) {
			t.Errorf("a forgotten step: %v, want ErrIdle", err)
		}
		s.set(start)
		issued := 0
		for k := range steps {
			for ; issued < steps && issued-k < s.tr.Depth(); issued++ {
				s.must(s.tr.Issue(t.Context(), s.g, s.step(issued, b)))
			}
			o, err := s.tr.Finish()
			s.must(err)
			o.Device = want[k].Device // a time
			if o != want[k] {
				t.Errorf("step %d: %+v, one at a time %+v", k, o, want[k])
			}
		}
		for i, v := range s.values() {
			if !sameBits(v, end[i]) {
				t.Errorf("values %d are others than one at a time", i)
			}
		}
		if want[0].Loss == want[1].Loss || sameBits(start[0], end[0]) {
			t.Error("steps change nothing: the test is blind")
		}
	}
}

// testNotStarted: a step that cannot be taken is not started, and the next one is
// what it would have been.
func testNotStarted(t *testing.T, rt *Runtime) {
	s := newSubject(t, rt, func(*engine.TrainSpec) {})
	b := firstBatch(t, suiteBatch)
	start := s.values()
	want, _ := s.take(s.step(0, b))
	s.set(start)
	short := &data.Batch{N: b.N - 1, X: b.X, Y: b.Y}
	few := s.step(0, b)
	few.Masks = few.Masks[1:]
	for what, st := range map[string]engine.Step{"no batch": s.step(0, nil), "a short batch": s.step(0, short), "a mask too few": few} {
		if err := s.tr.Issue(t.Context(), s.g, st); err == nil {
			t.Errorf("%s: the step was started", what)
		}
		if _, err := s.tr.Finish(); !errors.Is(err, engine.ErrIdle) {
			t.Errorf("%s: %v, want ErrIdle", what, err)
		}
	}
	got, _ := s.take(s.step(0, b))
	got.Device = want.Device
	if got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// testOwnBatches: an engine that has the images trains on those that a loader of
// the same settings gives, from whichever step on, and an ended context takes none.
func testOwnBatches(t *testing.T, rt *Runtime) {
	d := smallData(t)
	c := data.LoaderConfig{Batch: suiteBatch, Seed: 9, Augment: data.Augment{Crop: 4, Flip: true}, DropLast: true}
	own := newSubject(t, rt, func(s *engine.TrainSpec) { s.Images, s.Data = d.Train, c })
	given := newSubject(t, rt, func(*engine.TrainSpec) {})
	l, err := d.Train.Loader(c)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var losses []float64
	for k := range 4 {
		b, err := l.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if k == 1 {
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			if err := own.tr.Issue(ctx, own.g, own.step(k, nil)); !errors.Is(err, context.Canceled) {
				t.Errorf("ended context: %v", err)
			}
		}
		want, _ := given.take(given.step(k, b))
		if k == 2 { // a step that is left out: the next one has the batch of its own number
			own.set(given.values())
			continue
		}
		got, _ := own.take(own.step(k, nil))
		if !(math.Abs(got.Loss-want.Loss) <= 1e-6*want.Loss) || got.Right != want.Right {
			t.Errorf("step %d: %+v, on a loader's batch %+v", k, got, want)
		}
		losses = append(losses, want.Loss)
	}
	slices.Sort(losses)
	if len(slices.Compact(losses)) != 3 {
		t.Errorf("losses %v: the test is blind", losses)
	}
}
