package supernet

import (
	"context"
	"errors"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"oneshot/data"
	"oneshot/internal/rng"
	"oneshot/ops/cuda"
	"oneshot/ops/cuda/emu"
	"oneshot/supernet/space"
)

// newDevice is a runtime on the emulated GPU, or on the machine's where
// ONESHOT_CUDA_TEST is "real".
func newDevice(t testing.TB, half bool) *Runtime {
	t.Helper()
	e, err := cuda.Open(emu.Options(t))
	if err != nil {
		t.Fatal(err)
	}
	rt, err := NewCUDARuntime(e, half, 2)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(rt.Close)
	return rt
}

// TestCUDAParityWithPyTorch: TestParityWithPyTorch on the device, in float32.
func TestCUDAParityWithPyTorch(t *testing.T) {
	p := loadParity(t, "parity")
	rt := newDevice(t, false)
	p.runOn(t, rt, false)
}

// losses are those of the first steps of a training on its own batches, and the
// checkpoint after them.
func deviceLosses(t *testing.T, rt *Runtime, c TrainConfig, steps int) []StepStats {
	t.Helper()
	n, err := New(smallNet(t, "lanas"), 1, rt)
	if err != nil {
		t.Fatal(err)
	}
	tr, err := NewTrainer(n, smallData(t).Train, c)
	if err != nil {
		t.Fatal(err)
	}
	defer tr.Close()
	var out []StepStats
	for range steps {
		st, err := tr.Step(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, st)
	}
	return out
}

// TestCUDATrainsLikeTheProcessor: the same paths, batches and losses, with
// everything a training has.
func TestCUDATrainsLikeTheProcessor(t *testing.T) {
	c := smallTrain(6)
	c.Augment = data.Augment{Crop: 4, Flip: true, Cutout: 8}
	c.EMA, c.Clip, c.WeightDecay = 0.9, 0.5, 0.1
	for _, micro := range []int{0, c.Batch / 4} {
		c.MicroBatch = micro
		want := deviceLosses(t, newRuntime(t, 2), c, 4)
		got := deviceLosses(t, newDevice(t, false), c, 4)
		for i, w := range want {
			g, tol := got[i], 1e-2
			if i > 1 {
				tol = 5e-2 // roundings grow from step to step
			}
			if !(math.Abs(g.Loss-w.Loss) <= 1e-3*w.Loss) || !(math.Abs(g.GradNorm-w.GradNorm) <= tol*w.GradNorm) || g.Step != w.Step || g.LR != w.LR {
				t.Errorf("micro-batch %d, step %d: %+v, on the processor %+v", micro, i, g, w)
			}
		}
	}
}

// TestCUDARetrains: auxiliary head, drop-path masks and averaged weights.
func TestCUDARetrains(t *testing.T) {
	run := func(rt *Runtime, micro int) (StepStats, []float32, []float32) {
		cfg := smallNet(t, "full")
		cfg.Aux, cfg.AuxChannels = true, [2]int{6, 10}
		n, err := NewArch(cfg, cfg.Space.Sample(rng.New(3, "test")), 1, rt)
		if err != nil {
			t.Fatal(err)
		}
		c := smallTrain(6)
		c.Batch, c.MicroBatch, c.DropPath, c.EMA, c.Smoothing = 16, micro, 0.6, 0.9, 0.1
		tr := bare(t, n, c)
		defer tr.Close()
		var st StepStats
		for range 3 {
			p, err := tr.graph()
			if err != nil {
				t.Fatal(err)
			}
			if st, err = tr.take(p, firstBatch(t, 16)); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := tr.Checkpoint(); err != nil {
			t.Fatal(err)
		}
		return st, n.params, tr.ema.params
	}
	for _, micro := range []int{0, 4} {
		want, wp, we := run(newRuntime(t, 2), micro)
		got, gp, ge := run(newDevice(t, false), micro)
		if !(math.Abs(got.Loss-want.Loss) <= 1e-3*want.Loss) {
			t.Errorf("micro-batch %d: loss %g, on the processor %g", micro, got.Loss, want.Loss)
		}
		closeTo(t, "parameters", gp, wp, 1e-3)
		closeTo(t, "averaged parameters", ge, we, 1e-3)
	}
}

func closeTo(t *testing.T, what string, got, want []float32, tol float64) {
	t.Helper()
	var d, s float64
	for i, w := range want {
		d += math.Pow(float64(got[i])-float64(w), 2)
		s += float64(w) * float64(w)
	}
	if !(math.Sqrt(d) <= tol*math.Sqrt(s)) {
		t.Errorf("%s: off by %.3g of %.3g", what, math.Sqrt(d), math.Sqrt(s))
	}
}

// TestCUDAHalfTrains: bfloat16 loses little in the first steps.
func TestCUDAHalfTrains(t *testing.T) {
	c := smallTrain(6)
	want := deviceLosses(t, newRuntime(t, 2), c, 3)
	got := deviceLosses(t, newDevice(t, true), c, 3)
	for i, w := range want {
		if !(math.Abs(got[i].Loss-w.Loss) <= 5e-2*w.Loss) {
			t.Errorf("step %d: loss %g, in float32 on the processor %g", i, got[i].Loss, w.Loss)
		}
	}
}

// TestCUDAScoresLikeTheProcessor: the same score of the same weights; the network
// stays as it was; and Evaluate and Logits agree too.
func TestCUDAScoresLikeTheProcessor(t *testing.T) {
	d := smallData(t)
	cfg := smallNet(t, "darts")
	arch := cfg.Space.Sample(rng.New(5, "test"))
	type figures struct {
		score, eval Result
		logits      []float32
	}
	measure := func(rt *Runtime) figures {
		n, err := New(cfg, 1, rt)
		if err != nil {
			t.Fatal(err)
		}
		before := slices.Clone(n.params)
		s, err := NewScorer(n, d.Train, d.Search, ScoreConfig{RecalImages: 48, RecalBatch: 16, Batch: 7, Seed: 1})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		var f figures
		for range 2 { // the second time the images are on the device
			if f.score, err = s.Score(t.Context(), arch); err != nil {
				t.Fatal(err)
			}
		}
		f.eval = evaluate(t, n, arch, d.Search)
		for b := range d.Search.Batches(5) {
			if f.logits, err = n.Logits(arch, b.X); err != nil {
				t.Fatal(err)
			}
			break
		}
		if !slices.Equal(before, n.params) {
			t.Error("scoring changed the parameters")
		}
		return f
	}
	want, got := measure(newRuntime(t, 2)), measure(newDevice(t, false))
	near(t, "logits", got.logits, want.logits)
	for _, r := range [][2]Result{{got.score, want.score}, {got.eval, want.eval}} {
		if r[0].Images != r[1].Images || !(math.Abs(r[0].Top1-r[1].Top1) <= 2/float64(r[1].Images)) || !(math.Abs(r[0].Loss-r[1].Loss) <= 1e-3*r[1].Loss) {
			t.Errorf("%+v, on the processor %+v", r[0], r[1])
		}
	}
}

// TestCUDACheckpointsAreInterchangeable: stopped on the processor, continued on the
// device, and the other way round.
func TestCUDACheckpointsAreInterchangeable(t *testing.T) {
	c := smallTrain(6)
	d := smallData(t)
	losses := func(first, second *Runtime) (out []float64) {
		var tr *Trainer
		for i, rt := range []*Runtime{first, second} {
			n, err := New(smallNet(t, "lanas"), 1, rt)
			if err != nil {
				t.Fatal(err)
			}
			next, err := NewTrainer(n, d.Train, c)
			if err != nil {
				t.Fatal(err)
			}
			if i == 1 {
				ck, err := tr.Checkpoint()
				if err != nil {
					t.Fatal(err)
				}
				tr.Close()
				if err := next.Restore(ck); err != nil {
					t.Fatal(err)
				}
			}
			tr = next
			tr.Hold(true)
			for range 2 {
				st, err := tr.Step(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				out = append(out, st.Loss)
			}
		}
		tr.Close()
		return out
	}
	host, dev := newRuntime(t, 2), newDevice(t, false)
	want := losses(host, host)
	for name, got := range map[string][]float64{"to the device": losses(host, dev), "to the processor": losses(dev, host), "on the device": losses(dev, dev)} {
		for i, w := range want {
			if !(math.Abs(got[i]-w) <= 1e-3*w) {
				t.Errorf("%s: loss %d is %g, want %g", name, i, got[i], w)
			}
		}
	}
}

// TestCUDAImagesOfAnotherSizeAreRefused, and on the processor, before a step reads them.
func TestCUDAImagesOfAnotherSizeAreRefused(t *testing.T) {
	for _, rt := range []*Runtime{newRuntime(t, 1), newDevice(t, false)} {
		cfg := smallNet(t, "lanas")
		cfg.Image = 16
		n, err := New(cfg, 1, rt)
		if err != nil {
			t.Fatal(err)
		}
		if tr, err := NewTrainer(n, smallData(t).Train, smallTrain(6)); err == nil || !strings.Contains(err.Error(), "32 pixels a side") {
			t.Errorf("%s: trainer %v, error %v", rt.Device(), tr != nil, err)
		}
	}
}

// endsLate is a context that ends after a number of looks at it.
type endsLate struct {
	context.Context
	looks int
}

func (c *endsLate) Err() error {
	if c.looks--; c.looks < 0 {
		return context.Canceled
	}
	return nil
}

// TestCancelledStepGivesItsPathBack, also TestCUDACancelledStepGivesItsPathBack: when
// the context ends with the path taken from the builders, the next step is still
// along that one.
func TestCancelledStepGivesItsPathBack(t *testing.T)     { cancelledStep(t, newRuntime(t, 2)) }
func TestCUDACancelledStepGivesItsPathBack(t *testing.T) { cancelledStep(t, newDevice(t, false)) }

func cancelledStep(t *testing.T, rt *Runtime) {
	n, err := New(smallNet(t, "lanas"), 1, rt)
	if err != nil {
		t.Fatal(err)
	}
	tr, err := NewTrainer(n, smallData(t).Train, smallTrain(6))
	if err != nil {
		t.Fatal(err)
	}
	defer tr.Close()
	tr.Hold(true)
	for step := range 3 {
		if _, err := tr.Step(&endsLate{t.Context(), 1}); !errors.Is(err, context.Canceled) || tr.StepNumber() != step || tr.Ahead() != 0 {
			t.Fatalf("cancelled step: %v after %d steps, %d under way", err, tr.StepNumber(), tr.Ahead())
		}
		st, err := tr.Step(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if got, want := n.cfg.Space.Format(st.Arch), n.cfg.Space.Format(tr.archOf(step)); got != want {
			t.Errorf("step %d trained %s, want %s", step, got, want)
		}
	}
}

// TestCUDASameBytesInAnyOrder: whichever order the device takes threads, warps and
// blocks in, a training computes the same bits.
func TestCUDASameBytesInAnyOrder(t *testing.T) {
	if os.Getenv("ONESHOT_CUDA_TEST") == "real" {
		t.Skip("a real device chooses its order itself")
	}
	fake := emu.Control(t, emu.Library(t))
	run := func(order string) []StepStats {
		fake.Option(t, "EMU_ORDER", order, "forward")
		return deviceLosses(t, newDevice(t, true), smallTrain(6), 3)
	}
	want := run("forward")
	for _, order := range []string{"reverse", "shuffle"} {
		for i, got := range run(order) {
			if got.Loss != want[i].Loss || got.GradNorm != want[i].GradNorm {
				t.Errorf("order %s, step %d: loss %v, gradient norm %v, want %v and %v", order, i, got.Loss, got.GradNorm, want[i].Loss, want[i].GradNorm)
			}
		}
	}
}

// evaluate measures a network with its running statistics.
func evaluate(t *testing.T, n *Net, arch space.Arch, images *data.Search) Result {
	t.Helper()
	e, err := NewEvaluator(n)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	r, err := e.Evaluate(t.Context(), arch, images.Batches(7), nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}
