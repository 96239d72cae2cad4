package supernet

import (
	"bytes"
	"context"
	"errors"
	"iter"
	"math"
	"math/rand/v2"
	"os/exec"
	"reflect"
	"strings"
	"testing"

	"oneshot/data"
	"oneshot/internal/rng"
	"oneshot/supernet/engine"
	"oneshot/supernet/space"
	"oneshot/weights"
)

// smallData is a few hundred drawn images.
func smallData(t testing.TB) *data.Dataset {
	t.Helper()
	d, err := data.Open(data.Config{Name: "shapes10", Seed: 5, TrainSize: 400, SearchSize: 100, TestSize: 100})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// smallNet has every kind of cell and candidate at the least cost.
func smallNet(t testing.TB, opSet string) NetConfig {
	t.Helper()
	s, err := space.New(opSet, 2)
	if err != nil {
		t.Fatal(err)
	}
	c := DefaultNet()
	c.Space, c.Layers, c.Channels, c.StemMultiplier = s, 3, 4, 1
	return c
}

func smallTrain(steps int) TrainConfig {
	c := DefaultTrain()
	c.Steps, c.Batch, c.Seed, c.WarmupSteps = steps, 16, 9, steps/3
	return c
}

// train runs steps [from, to) of a run and returns the bytes of its checkpoint.
func train(t *testing.T, threads int, retrain bool, resume *weights.Checkpoint, stop int) (weights.Checkpoint, []byte) {
	t.Helper()
	return trainMicro(t, threads, 0, retrain, resume, stop)
}

// trainMicro is train with micro-batches.
func trainMicro(t *testing.T, threads, micro int, retrain bool, resume *weights.Checkpoint, stop int) (weights.Checkpoint, []byte) {
	t.Helper()
	cfg, tc := smallNet(t, "lanas"), smallTrain(6)
	tc.MicroBatch = micro
	rt := newRuntime(t, threads)
	n, err := New(cfg, 1, rt)
	if retrain {
		cfg.Aux, cfg.AuxChannels = true, [2]int{6, 10}
		tc.DropPath, tc.EMA, tc.Smoothing, tc.Augment.Cutout = 0.3, 0.9, 0.1, 8
		n, err = NewArch(cfg, cfg.Space.Sample(rng.New(3, "test")), 1, rt)
	}
	if err != nil {
		t.Fatal(err)
	}
	tr, err := NewTrainer(n, smallData(t).Train, tc)
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
		if _, err := tr.Step(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if stop == tc.Steps {
		if _, err := tr.Step(t.Context()); !errors.Is(err, ErrDone) {
			t.Fatalf("step after the last: %v, want ErrDone", err)
		}
	}
	c, err := tr.Checkpoint()
	if err != nil {
		t.Fatal(err)
	}
	return c, encode(t, c)
}

func encode(t testing.TB, c weights.Checkpoint) []byte {
	t.Helper()
	var buf bytes.Buffer
	if err := weights.WriteSafetensors(&buf, c.Tensors, map[string]string{"state": string(c.State)}); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// TestSameBytesAtAnyThreadCount is invariant I1.
func TestSameBytesAtAnyThreadCount(t *testing.T) {
	for _, retrain := range []bool{false, true} {
		_, want := train(t, 1, retrain, nil, 6)
		for _, threads := range []int{2, 4} {
			if _, got := train(t, threads, retrain, nil, 6); !bytes.Equal(got, want) {
				t.Errorf("retrain=%v: %d threads give other bytes than 1", retrain, threads)
			}
		}
	}
}

// TestStopAndResumeEqualsNeverStopped is invariant I2. The twin that forgets
// the momentum must differ, or the test compares nothing.
func TestStopAndResumeEqualsNeverStopped(t *testing.T) {
	for _, retrain := range []bool{false, true} {
		_, want := train(t, 2, retrain, nil, 6)
		for _, at := range []int{1, 1 + rand.IntN(4), 5} {
			c, _ := train(t, 2, retrain, nil, at)
			if _, got := train(t, 2, retrain, &c, 6); !bytes.Equal(got, want) {
				t.Errorf("retrain=%v: stopped after step %d and resumed: other bytes than never stopped", retrain, at)
			}
			for i := range c.Tensors {
				if strings.HasPrefix(c.Tensors[i].Name, slotPrefix("momentum")) {
					c.Tensors[i].F32 = make([]float32, len(c.Tensors[i].F32))
				}
			}
			if _, got := train(t, 2, retrain, &c, 6); bytes.Equal(got, want) {
				t.Errorf("retrain=%v: a checkpoint without momentum gives the same bytes: the test is blind", retrain)
			}
		}
	}
}

// TestSearchCannotSeeTest is invariant I3: handing the test split to a scorer
// does not compile, by types, not by a flag.
func TestSearchCannotSeeTest(t *testing.T) {
	search, test := reflect.TypeFor[*data.Search](), reflect.TypeFor[*data.Test]()
	if test.ConvertibleTo(search) || test.AssignableTo(search) {
		t.Error("the test split converts to the search split")
	}
	if out, err := exec.Command("go", "vet", "./testdata/splits/search").CombinedOutput(); err != nil {
		t.Fatalf("scoring on the search split does not compile: %v\n%s", err, out)
	}
	out, err := exec.Command("go", "vet", "./testdata/splits/test").CombinedOutput()
	if err == nil {
		t.Fatal("scoring on the test split compiles")
	}
	if !strings.Contains(string(out), "cannot use d.Test") {
		t.Fatalf("scoring on the test split fails for another reason:\n%s", out)
	}
}

// TestScoringChangesNothing is invariant I4, and scores do not depend on what
// was scored before.
func TestScoringChangesNothing(t *testing.T) {
	d, cfg := smallData(t), smallNet(t, "darts")
	n, err := New(cfg, 1, newRuntime(t, 2))
	if err != nil {
		t.Fatal(err)
	}
	sum := func() []byte { return encode(t, weights.Checkpoint{Tensors: n.Tensors()}) }
	before := sum()
	sc := ScoreConfig{RecalImages: 64, RecalBatch: 16, Batch: 30}
	s, err := NewScorer(n, d.Train, d.Search, sc)
	if err != nil {
		t.Fatal(err)
	}
	r := rng.New(1, "test")
	archs := []space.Arch{cfg.Space.Sample(r), cfg.Space.Sample(r), cfg.Space.Sample(r)}
	first := map[int]Result{}
	for _, i := range []int{0, 1, 2, 1, 0} {
		got, err := s.Score(t.Context(), archs[i])
		if err != nil {
			t.Fatal(err)
		}
		if got.Images != d.Search.Len() || !(got.Loss > 0) {
			t.Errorf("score %+v: want %d images and a positive loss", got, d.Search.Len())
		}
		if w, ok := first[i]; ok && w != got {
			t.Errorf("arch %d scores %+v, then %+v", i, w, got)
		}
		first[i] = got
	}
	if !bytes.Equal(before, sum()) {
		t.Error("scoring changed the supernet")
	}
	if first[0] == first[1] && first[1] == first[2] {
		t.Error("three architectures score exactly alike: the path is ignored")
	}
	// The mutant: a measurer that works on the network's own statistics.
	e, err := n.rt.eng.Measure(n.model(n.state))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Score(t.Context(), n.path(archs[0]), s.recal, s.search); err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(before, sum()) {
		t.Error("a scorer that writes to the supernet goes unnoticed: the test is blind")
	}
}

// TestRecalibrationAveragesBatches: the statistics after k batches are the
// means of theirs, not a moving average.
func TestRecalibrationAveragesBatches(t *testing.T) {
	d, cfg := smallData(t), smallNet(t, "lanas")
	n, err := New(cfg, 1, newRuntime(t, 1))
	if err != nil {
		t.Fatal(err)
	}
	arch := cfg.Space.Sample(rng.New(1, "test"))
	search := &engine.Images{Batch: 10, Batches: func() iter.Seq[*data.Batch] { return d.Search.Part(10).Batches(10) }}
	stats := func(batches func() iter.Seq[*data.Batch]) []float32 {
		state := make([]float32, len(n.state))
		e, err := n.rt.eng.Measure(n.model(state))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := e.Score(t.Context(), n.path(arch), &engine.Images{Batch: 16, Batches: batches}, search); err != nil {
			t.Fatal(err)
		}
		return state
	}
	// Stem only: its input does not depend on statistics.
	first := func(n int) func() iter.Seq[*data.Batch] {
		return func() iter.Seq[*data.Batch] { return d.Train.Calib(0, n, 16) }
	}
	one, two := stats(first(16)), stats(first(32))
	second := stats(func() iter.Seq[*data.Batch] {
		return func(yield func(*data.Batch) bool) {
			k := 0
			for b := range d.Train.Calib(0, 32, 16) {
				if k++; k == 2 {
					yield(b)
				}
			}
		}
	})
	stem := n.layout.Norms[normOf(t, n, "stem.bn")].State
	for i := range stem.Len {
		want := (one[stem.Off+i] + second[stem.Off+i]) / 2
		if !(math.Abs(float64(two[stem.Off+i]-want)) <= 1e-5*(1+math.Abs(float64(want)))) {
			t.Fatalf("statistic %d after two batches is %g, want the mean %g", i, two[stem.Off+i], want)
		}
	}
}

func TestDivergenceStopsBeforeTheUpdate(t *testing.T) {
	cfg, tc := smallNet(t, "lanas"), smallTrain(3)
	n, err := New(cfg, 1, newRuntime(t, 1))
	if err != nil {
		t.Fatal(err)
	}
	tr, err := NewTrainer(n, smallData(t).Train, tc)
	if err != nil {
		t.Fatal(err)
	}
	defer tr.Close()
	if _, err := tr.Step(t.Context()); err != nil {
		t.Fatal(err)
	}
	i, ok := n.layout.Param("classifier.weight")
	if !ok {
		t.Fatal("no classifier")
	}
	p := n.layout.Params[i]
	n.param(p)[3] = float32(math.NaN())
	before := append([]float32(nil), n.params...)
	_, err = tr.Step(t.Context())
	var div *DivergedError
	if !errors.As(err, &div) || div.Step != 2 {
		t.Fatalf("NaN weight gave %v, want a DivergedError at step 2", err)
	}
	for i, v := range before {
		if math.Float32bits(v) != math.Float32bits(n.params[i]) {
			t.Fatal("a diverged step changed the parameters")
		}
	}
	if tr.StepNumber() != 1 {
		t.Errorf("%d steps done, want 1", tr.StepNumber())
	}
}

func TestCancelledStepIsNotTaken(t *testing.T) {
	n, err := New(smallNet(t, "lanas"), 1, newRuntime(t, 1))
	if err != nil {
		t.Fatal(err)
	}
	tr, err := NewTrainer(n, smallData(t).Train, smallTrain(3))
	if err != nil {
		t.Fatal(err)
	}
	defer tr.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := tr.Step(ctx); !errors.Is(err, context.Canceled) || tr.StepNumber() != 0 {
		t.Errorf("cancelled step: %v after %d steps", err, tr.StepNumber())
	}
}

// TestOnlyTheActivePathChanges: weight decay and momentum touch nothing else.
func TestOnlyTheActivePathChanges(t *testing.T) {
	cfg := smallNet(t, "lanas")
	n, err := New(cfg, 1, newRuntime(t, 1))
	if err != nil {
		t.Fatal(err)
	}
	tr, err := NewTrainer(n, smallData(t).Train, smallTrain(1))
	if err != nil {
		t.Fatal(err)
	}
	defer tr.Close()
	before := append([]float32(nil), n.params...)
	st, err := tr.Step(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	path, err := n.layers(st.Arch)
	if err != nil {
		t.Fatal(err)
	}
	active := map[string]bool{}
	for _, l := range path.Layers {
		for _, p := range l.Op.Params() {
			active[l.Name+"."+p.Name] = true
		}
	}
	changed, still := 0, 0
	for _, p := range n.layout.Params {
		want := active[p.Name]
		got := false
		for i, v := range n.param(p) {
			got = got || v != before[p.Mem.Off+i]
		}
		if got != want {
			t.Errorf("%s changed=%v, on the path=%v", p.Name, got, want)
		}
		if got {
			changed++
		} else {
			still++
		}
	}
	if changed == 0 || still == 0 {
		t.Errorf("%d parameters changed, %d did not: the test compares nothing", changed, still)
	}
}

// TestCostAgreesWithTheNetwork: what is counted is exactly what exists.
func TestCostAgreesWithTheNetwork(t *testing.T) {
	r := rng.New(4, "test")
	for _, set := range []string{"lanas", "darts", "full", "nasnet"} {
		cfg := smallNet(t, set)
		for range 20 {
			a := cfg.Space.Sample(r)
			n, err := NewArch(cfg, a, 1, newRuntime(t, 1))
			if err != nil {
				t.Fatal(err)
			}
			if params, _, err := cfg.Cost(a); err != nil || params != n.Params() {
				t.Errorf("%s: Cost says %d parameters, the network has %d", cfg.Space.Format(a), params, n.Params())
			}
		}
	}
}
