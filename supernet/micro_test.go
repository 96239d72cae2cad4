package supernet

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"oneshot/data"
	"oneshot/internal/rng"
)

// retrainer is a trainer of one architecture with everything a retraining has,
// which has yet to take its fourth step: masks drop something by then.
func retrainer(t *testing.T, batch, micro int) (*Trainer, path) {
	t.Helper()
	cfg := smallNet(t, "lanas")
	cfg.Aux, cfg.AuxChannels = true, [2]int{6, 10}
	n, err := NewArch(cfg, cfg.Space.Sample(rng.New(3, "test")), 1, newRuntime(t, 2))
	if err != nil {
		t.Fatal(err)
	}
	c := smallTrain(6)
	c.Batch, c.MicroBatch, c.DropPath, c.EMA, c.Smoothing = batch, micro, 0.6, 0.9, 0.1
	if err := c.Check(); err != nil {
		t.Fatal(err)
	}
	tr := bare(t, n, c)
	tr.step, tr.issued = 3, 3
	p, err := tr.graph()
	if err != nil {
		t.Fatal(err)
	}
	return tr, p
}

func firstBatch(t *testing.T, n int) *data.Batch {
	t.Helper()
	l, err := smallData(t).Train.Loader(data.LoaderConfig{Batch: n, Seed: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	b, err := l.Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestMasksOfAnImageDoNotDependOnTheMicroBatch, wherever they lie.
func TestMasksOfAnImageDoNotDependOnTheMicroBatch(t *testing.T) {
	const batch, micro, masks = 16, 4, 3
	c := smallTrain(6)
	c.Batch, c.DropPath = batch, 0.6
	whole, parts := make([]float32, masks*batch), make([]float32, masks*batch)
	c.drawMasks(3, masks, whole)
	c.MicroBatch = micro
	c.drawMasks(3, masks, parts)
	for m := range masks {
		for i := range batch {
			if got, want := parts[(i/micro*masks+m)*micro+i%micro], whole[m*batch+i]; got != want {
				t.Fatalf("mask %d of image %d is %g, without micro-batches %g", m, i, got, want)
			}
		}
	}
	if !slices.Contains(whole, 0) || slices.Max(whole) <= 1 {
		t.Fatalf("masks %v drop nothing or scale nothing", whole)
	}
}

// TestStepCountsItsMicroBatches among those that moved the statistics.
func TestStepCountsItsMicroBatches(t *testing.T) {
	tr, p := retrainer(t, 16, 4)
	if _, err := tr.take(p, firstBatch(t, 16)); err != nil {
		t.Fatal(err)
	}
	for _, i := range p.Norms {
		if n := tr.net.tracked[i]; n != 4 {
			t.Errorf("%d batches tracked, want 4", n)
		}
	}
	if len(p.Norms) == 0 || !slices.Equal(tr.net.tracked, tr.ema.tracked) {
		t.Errorf("%d normalisations; counts of the averaged network are others", len(p.Norms))
	}
}

func TestWholeMicroBatchChangesNothing(t *testing.T) {
	for _, retrain := range []bool{false, true} {
		_, want := trainMicro(t, 2, 0, retrain, nil, 6)
		if _, got := trainMicro(t, 2, 16, retrain, nil, 6); !bytes.Equal(got, want) {
			t.Errorf("retrain=%v: micro-batches of the whole batch give other bytes", retrain)
		}
		if _, got := trainMicro(t, 2, 4, retrain, nil, 6); bytes.Equal(got, want) {
			t.Errorf("retrain=%v: micro-batches change nothing: the test is blind", retrain)
		}
	}
}

// Invariants I1 and I2 with micro-batches.
func TestMicroBatchesAtAnyThreadCountAndResumed(t *testing.T) {
	for _, retrain := range []bool{false, true} {
		_, want := trainMicro(t, 1, 4, retrain, nil, 6)
		for _, threads := range []int{2, 4} {
			if _, got := trainMicro(t, threads, 4, retrain, nil, 6); !bytes.Equal(got, want) {
				t.Errorf("retrain=%v: %d threads give other bytes than 1", retrain, threads)
			}
		}
		for _, at := range []int{1, 3, 5} {
			c, _ := trainMicro(t, 2, 4, retrain, nil, at)
			if _, got := trainMicro(t, 2, 4, retrain, &c, 6); !bytes.Equal(got, want) {
				t.Errorf("retrain=%v: stopped after step %d and resumed: other bytes than never stopped", retrain, at)
			}
		}
	}
}

func TestMicroBatchAllocatesNothing(t *testing.T) {
	n, err := New(smallNet(t, "lanas"), 1, newRuntime(t, 2))
	if err != nil {
		t.Fatal(err)
	}
	c := smallTrain(6)
	c.MicroBatch = 4
	tr, b := bare(t, n, c), firstBatch(t, c.Batch)
	p, err := tr.build(tr.archOf(0))
	if err != nil {
		t.Fatal(err)
	}
	allocs := testing.AllocsPerRun(10, func() {
		if _, err := tr.take(p, b); err != nil {
			t.Fatal(err)
		}
	})
	if !(allocs < 1) { // the pool's workers may park and be woken
		t.Errorf("%v allocations a step", allocs)
	}
}

func TestMicroBatchCheck(t *testing.T) {
	for _, c := range []struct {
		batch, micro int
		ok           bool
	}{{64, 0, true}, {64, 64, true}, {64, 32, true}, {64, 2, true}, {6, 3, true},
		{64, 1, false}, {64, -1, false}, {64, 24, false}, {64, 128, false}, {7, 2, false}} {
		tc := DefaultTrain()
		tc.Batch, tc.MicroBatch = c.batch, c.micro
		err := tc.Check()
		if (err == nil) != c.ok {
			t.Errorf("batch %d, micro_batch %d: %v", c.batch, c.micro, err)
		}
		if err != nil && !strings.Contains(err.Error(), "supernet: micro_batch is ") {
			t.Errorf("the error does not name the field: %v", err)
		}
	}
}
