package supernet

import (
	"bytes"
	"errors"
	"math"
	"strings"
	"testing"

	"oneshot/data"
	"oneshot/internal/rng"
	"oneshot/supernet/space"
	"oneshot/weights"
)

// pupil is a training of a network with a teacher that was trained on smaller images,
// normalised otherwise, on mixed ones.
func pupil(t testing.TB, rt *Runtime, edit func(*NetConfig, *TrainConfig)) (*Net, TrainConfig) {
	t.Helper()
	cfg := smallNet(t, "lanas")
	teacher := cfg
	teacher.Image, teacher.Channels = 24, 6
	arch := cfg.Space.Sample(rng.New(3, "test"))
	tn, err := NewArch(teacher, arch, 8, rt)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Aux, cfg.AuxChannels = true, [2]int{6, 10}
	c := smallTrain(5)
	c.Smoothing, c.EMA, c.DropPath, c.Mixup, c.CutMix, c.WarmupSteps = 0.1, 0.9, 0.3, 0.2, 1, 0
	c.DistillRatio, c.DistillTemperature = 0.6, 2
	c.Mean, c.Std = [3]float32{0.5, 0.5, 0.5}, [3]float32{0.25, 0.25, 0.25}
	c.Teacher = &Teacher{Net: tn, Mean: [3]float32{0.4, 0.5, 0.6}, Std: [3]float32{0.2, 0.3, 0.25}}
	edit(&cfg, &c)
	n, err := NewArch(cfg, cfg.Space.Sample(rng.New(3, "test")), 1, rt)
	if err != nil {
		t.Fatal(err)
	}
	return n, c
}

// taught trains a pupil up to a step, and returns its steps and its checkpoint.
func taught(t *testing.T, rt *Runtime, resume *weights.Checkpoint, stop int, edit func(*NetConfig, *TrainConfig)) ([]StepStats, weights.Checkpoint) {
	t.Helper()
	n, c := pupil(t, rt, edit)
	before := encode(t, weights.Checkpoint{Tensors: c.Teacher.Net.Tensors()})
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
	var all []StepStats
	for tr.StepNumber() < stop {
		tr.Hold(tr.StepNumber() == stop-1)
		st, err := tr.Step(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, st)
		tr.Hold(stop-tr.StepNumber() <= 2) // as those who make checkpoints do
	}
	for tr.Ahead() > 0 {
		t.Fatal("steps are under way")
	}
	point, err := tr.Checkpoint()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(before, encode(t, weights.Checkpoint{Tensors: c.Teacher.Net.Tensors()})) {
		t.Error("the teacher has changed")
	}
	return all, point
}

func same(*NetConfig, *TrainConfig) {}

// everything is what else a training may have at once: candidates of two operations and
// standardised weights in an odd number of channels, micro-batches, a policy, and partners
// from anywhere.
func everything(n *NetConfig, c *TrainConfig) {
	n.Space, _ = space.Named{Ops: "nasnet", Nodes: 2, WeightStandard: true}.Open()
	n.Channels = 3
	c.MicroBatch, c.Workers, c.Policy, c.MixAny, c.MixTimes = 4, 3, "autoaugment-lanet", true, 2
}

// TestTaughtStopAndResume and TestCUDATaughtStopAndResume: with mixed images and a teacher
// too, stopped and resumed is never stopped. The twin has learnt from another temperature.
func TestTaughtStopAndResume(t *testing.T)     { taughtStopAndResume(t, newRuntime(t, 2), same) }
func TestCUDATaughtStopAndResume(t *testing.T) { taughtStopAndResume(t, newDevice(t, false), same) }
func TestEverythingStopsAndResumes(t *testing.T) {
	taughtStopAndResume(t, newRuntime(t, 2), everything)
}

func taughtStopAndResume(t *testing.T, rt *Runtime, edit func(*NetConfig, *TrainConfig)) {
	_, whole := taught(t, rt, nil, 5, edit)
	want := encode(t, whole)
	_, half := taught(t, rt, nil, 2, edit)
	if _, got := taught(t, rt, &half, 5, edit); !bytes.Equal(encode(t, got), want) {
		t.Error("other bytes than never stopped")
	}
	colder := func(n *NetConfig, c *TrainConfig) {
		edit(n, c)
		c.DistillTemperature = 1
	}
	if _, got := taught(t, rt, &half, 5, colder); bytes.Equal(encode(t, got), want) {
		t.Error("another temperature gives the same bytes: the test is blind")
	}
}

// TestTaughtSameBytesAtAnyThreadCount: also with a teacher.
func TestTaughtSameBytesAtAnyThreadCount(t *testing.T) {
	_, one := taught(t, newRuntime(t, 1), nil, 2, same)
	if _, three := taught(t, newRuntime(t, 3), nil, 2, same); !bytes.Equal(encode(t, one), encode(t, three)) {
		t.Error("3 threads give other bytes than 1")
	}
}

// TestCUDATeachesLikeTheProcessor: the same losses, with several steps under way and with
// micro-batches.
func TestCUDATeachesLikeTheProcessor(t *testing.T) {
	for _, micro := range []int{0, 8} {
		edit := func(_ *NetConfig, c *TrainConfig) { c.MicroBatch = micro }
		want, _ := taught(t, newRuntime(t, 2), nil, 4, edit)
		got, _ := taught(t, newDevice(t, false), nil, 4, edit)
		for i, w := range want {
			tol := 1e-2
			if i > 0 {
				tol = 0.2 // of equal pixels a rounding decides which is the largest, and that grows
			}
			if g := got[i]; !(math.Abs(g.Loss-w.Loss) <= 1e-3*w.Loss) || !(math.Abs(g.GradNorm-w.GradNorm) <= tol*w.GradNorm) {
				t.Errorf("micro-batch %d, step %d: %+v, on the processor %+v", micro, i, g, w)
			}
		}
	}
}

// TestTaughtStepAllocatesNothing: as a step without a teacher.
func TestTaughtStepAllocatesNothing(t *testing.T) {
	n, c := pupil(t, newRuntime(t, 1), same) // of several threads each allocates in the first step that it takes part in
	c.DropPath, c.EMA = 0, 0                 // whose masks and averages allocate a little
	tr := bare(t, n, c)
	defer tr.Close()
	p, err := tr.build(n.arch)
	if err != nil {
		t.Fatal(err)
	}
	b := firstBatch(t, c.Batch)
	b.T = make([]float32, c.Batch*n.cfg.Classes)
	for i, y := range b.Y {
		b.T[i*n.cfg.Classes+int(y)] = 1
	}
	allocs := testing.AllocsPerRun(10, func() {
		if _, err := tr.take(p, b); err != nil {
			t.Fatal(err)
		}
	})
	if !(allocs < 1) {
		t.Errorf("%v allocations a step", allocs)
	}
}

// TestTeacherRefused: what cannot teach is refused before anything is computed.
func TestTeacherRefused(t *testing.T) {
	rt := newRuntime(t, 1)
	super, err := New(smallNet(t, "lanas"), 1, rt)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		edit func(*NetConfig, *TrainConfig)
		want string
	}{
		{same, ""},
		{func(n *NetConfig, c *TrainConfig) { n.Classes = 9 }, "supernet: the teacher has 10 classes, its student 9"},
		{func(n *NetConfig, c *TrainConfig) { c.Teacher.Net = super }, "supernet: the teacher is a supernet"},
		{func(n *NetConfig, c *TrainConfig) { c.Teacher.Net = nil }, "supernet: a teacher without a network"},
		{func(n *NetConfig, c *TrainConfig) { c.Std[1] = 0 }, "supernet: the images have mean 0.5 and deviation 0 in channel 1"},
		{func(n *NetConfig, c *TrainConfig) { c.Teacher.Mean[2] = float32(math.NaN()) }, "supernet: the teacher's images have mean NaN"},
		{func(n *NetConfig, c *TrainConfig) { c.DistillRatio = 0 }, "distill_ratio is 0"},
	} {
		n, c := pupil(t, rt, x.edit)
		tr, err := NewTrainerOn(n, func(int) *data.Batch { return nil }, c)
		if err == nil {
			if _, err := tr.Step(t.Context()); err == nil {
				t.Error("a step without a batch was taken")
			}
			tr.Close()
		}
		if (err == nil) != (x.want == "") || err != nil && !strings.Contains(err.Error(), x.want) {
			t.Errorf("%v, want %q", err, x.want)
		}
		if c.Check() != nil {
			continue
		}
		if _, err := Estimate(n.cfg, n.arch, c, 2); (err == nil) != (x.want == "") {
			t.Errorf("the estimate: %v, want %q", err, x.want)
		}
	}
	n, c := pupil(t, rt, same)
	c.Teacher.Net = n
	if _, err := NewTrainerOn(n, nil, c); err == nil || !strings.Contains(err.Error(), "its own teacher") {
		t.Errorf("its own teacher: %v", err)
	}
}

// TestTeacherOfNoNumbers: a broken teacher is named, and not the training.
func TestTeacherOfNoNumbers(t *testing.T) {
	n, c := pupil(t, newRuntime(t, 1), same)
	teacher := c.Teacher.Net
	teacher.params[len(teacher.params)-1] = float32(math.NaN())
	c.Teacher.Name = "some/teacher.safetensors"
	tr := bare(t, n, c)
	defer tr.Close()
	p, err := tr.build(n.arch)
	if err != nil {
		t.Fatal(err)
	}
	var diverged *DivergedError
	if _, err := tr.take(p, firstBatch(t, c.Batch)); err == nil || errors.As(err, &diverged) || !strings.Contains(err.Error(), "teacher's outputs for image 0") {
		t.Errorf("%v", err)
	} else if none := (*NoNumberError)(nil); !errors.As(err, &none) || !strings.Contains(err.Error(), "step 1: ") || !strings.Contains(err.Error(), c.Teacher.Name) {
		t.Errorf("%v: names neither step nor file, or is no NoNumberError", err)
	}
}

// TestEstimateCountsTheTeacher: its weights, its activations and what it sees.
func TestEstimateCountsTheTeacher(t *testing.T) {
	n, c := pupil(t, newRuntime(t, 1), same)
	with, err := Estimate(n.cfg, n.arch, c, 2)
	if err != nil {
		t.Fatal(err)
	}
	teacher := c.Teacher.Net
	c.Teacher = nil
	alone, err := Estimate(n.cfg, n.arch, c, 2)
	if err != nil {
		t.Fatal(err)
	}
	c.Mixup, c.CutMix = 0, 0
	plain, err := Estimate(n.cfg, n.arch, c, 2)
	if err != nil {
		t.Fatal(err)
	}
	values := int64(len(teacher.params) + len(teacher.state))
	if got := with.Weights - alone.Weights; got != 4*values {
		t.Errorf("%d bytes of weights, want %d", got, 4*values)
	}
	images, distributions := int64(c.Batch*24*24*3), int64(c.Batch*n.cfg.Classes)
	if got := with.Input - alone.Input; got != 4*(images+3*distributions) {
		t.Errorf("%d bytes of input, want %d", got, 4*(images+3*distributions))
	}
	if !(with.Arena > alone.Arena) || alone.Input-plain.Input != 4*distributions || alone.Loader-plain.Loader != 4*distributions*c.loaderBatches() {
		t.Errorf("with a teacher %+v, on mixed images %+v, on others %+v", with, alone, plain)
	}
}

// TestCUDATeachingTakesWhatIsEstimated: the teacher's memory of the device is counted.
func TestCUDATeachingTakesWhatIsEstimated(t *testing.T) {
	rt, meter := metered(t, false)
	n, c := pupil(t, rt, same)
	d := smallData(t).Train
	m, err := rt.TrainMemory(n.cfg, n.arch, d, c)
	if err != nil {
		t.Fatal(err)
	}
	if meter.peak != 0 {
		t.Errorf("the estimate takes %d bytes", meter.peak)
	}
	tr, err := NewTrainer(n, d, c)
	if err != nil {
		t.Fatal(err)
	}
	defer tr.Close()
	for range 2 {
		if _, err := tr.Step(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	e := &estimates{T: t}
	e.check("with a teacher", m, meter.peak)
	c.Teacher = nil
	if alone, err := rt.TrainMemory(n.cfg, n.arch, d, c); err != nil || right(alone, meter.peak) {
		t.Errorf("%v, or the teacher is too small to be noticed", err)
	}
}
