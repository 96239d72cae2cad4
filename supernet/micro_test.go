package supernet

import (
	"bytes"
	"math"
	"slices"
	"strings"
	"testing"

	"oneshot/data"
	"oneshot/internal/rng"
)

// retrainer is a trainer of one architecture with everything a retraining has,
// which has yet to take its fourth step: masks drop something by then.
func retrainer(t *testing.T, batch, micro int) (*Trainer, *graph) {
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
	tr.step = 3
	g, err := tr.graph()
	if err != nil {
		t.Fatal(err)
	}
	return tr, g
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

func loss(t *testing.T, tr *Trainer, g *graph, b *data.Batch) StepStats {
	t.Helper()
	st, err := tr.run(g, b)
	if err != nil {
		t.Fatal(err)
	}
	return st
}

// TestMicroBatchesGiveTheMeanGradient: those of a step's micro-batches, computed
// one by one by another trainer.
func TestMicroBatchesGiveTheMeanGradient(t *testing.T) {
	const batch, micro, parts = 16, 4, 4
	b := firstBatch(t, batch)
	whole, wg := retrainer(t, batch, 0)
	tr, g := retrainer(t, batch, micro)
	single, sg := retrainer(t, micro, 0)
	for _, f := range []func() error{func() error { return whole.fill(wg, b) }, func() error { return tr.fill(g, b) }} {
		if err := f(); err != nil {
			t.Fatal(err)
		}
	}
	if !slices.Equal(whole.masks, tr.masks) {
		t.Error("the masks of an image depend on the micro-batch")
	}
	if !slices.Contains(tr.masks, 0) || slices.Max(tr.masks) <= 1 {
		t.Fatalf("masks %v drop nothing or scale nothing", tr.masks)
	}
	st := loss(t, tr, g, b)
	mean := make([]float64, len(single.grad))
	var wantLoss, wantTop1 float64
	size := len(b.X) / batch
	for i := range parts {
		part := &data.Batch{N: micro, X: b.X[i*micro*size : (i+1)*micro*size], Y: b.Y[i*micro : (i+1)*micro]}
		if err := single.fill(sg, part); err != nil {
			t.Fatal(err)
		}
		for m := range sg.masks {
			copy(single.masks[m*micro:(m+1)*micro], tr.masks[m*batch+i*micro:])
		}
		s := loss(t, single, sg, part)
		wantLoss += s.Loss / parts
		wantTop1 += s.Top1 / parts
		for k, v := range single.grad {
			mean[k] += float64(v) / parts
		}
	}
	all := loss(t, whole, wg, b)
	var norm, off, apart float64
	for k, v := range mean {
		got := float64(tr.grad[k]) / parts
		norm += v * v
		off = max(off, math.Abs(got-v))
		apart = max(apart, math.Abs(float64(whole.grad[k])-v))
	}
	// Three float32 additions of values below 4*largest.
	if !(off <= 1e-6*math.Sqrt(norm)) {
		t.Errorf("the mean gradient is off by %g at norm %g", off, math.Sqrt(norm))
	}
	if !(apart > 1e-3*math.Sqrt(norm)) || all.Loss == st.Loss {
		t.Error("the whole batch has the same gradient: the test compares nothing")
	}
	for _, v := range []struct {
		what      string
		got, want float64
	}{{"loss", st.Loss, wantLoss}, {"top-1", st.Top1, wantTop1}, {"gradient norm", st.GradNorm, math.Sqrt(norm)}} {
		if !(math.Abs(v.got-v.want) <= 1e-5*v.want) {
			t.Errorf("%s is %g, want %g", v.what, v.got, v.want)
		}
	}
	if !slices.Equal(tr.net.state, single.net.state) {
		t.Error("running statistics differ from those of four batches")
	}
	if err := tr.descend(g, st); err != nil {
		t.Fatal(err)
	}
	if n := tr.net.tracked[g.norms[0]]; n != parts {
		t.Errorf("%d batches tracked, want %d", n, parts)
	}
	// One step with weight decay, momentum 0 and the mean gradient clipped.
	scale := min(1, tr.cfg.Clip/(st.GradNorm+1e-6))
	for k, v := range tr.net.params {
		w := float64(single.net.params[k])
		want := w - st.LR*(scale*mean[k]+tr.cfg.WeightDecay*w)
		if !(math.Abs(float64(v)-want) <= 1e-6*(1+math.Abs(w))) {
			t.Fatalf("parameter %d is %g after the step, want %g", k, v, want)
		}
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
	g, err := n.build(tr.back, tr.archOf(0), tr.spec())
	if err != nil {
		t.Fatal(err)
	}
	allocs := testing.AllocsPerRun(10, func() {
		if err := tr.fill(g, b); err != nil {
			t.Fatal(err)
		}
		if err := tr.descend(g, loss(t, tr, g, b)); err != nil {
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
