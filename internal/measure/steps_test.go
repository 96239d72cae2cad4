package measure

import (
	"slices"
	"testing"

	"oneshot/data"
	"oneshot/internal/measure/floor"
	"oneshot/internal/rng"
	"oneshot/ops"
	"oneshot/supernet"
	"oneshot/supernet/space"
)

// reference is the job of bench/: 8 cells, 16 channels, 5 nodes and 8 paths.
func reference(b *testing.B, threads int) (*supernet.Net, []space.Arch) {
	b.Helper()
	rt, err := supernet.NewRuntime(threads)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(rt.Close)
	c := supernet.DefaultNet()
	n, err := supernet.New(c, 1, rt)
	if err != nil {
		b.Fatal(err)
	}
	var archs []space.Arch
	for seed := range uint64(8) {
		archs = append(archs, c.Space.Sample(rng.New(seed+1, "bench")))
	}
	return n, archs
}

// perSecond reports images and useful floating-point operations a second; o is nil
// without training.
func perSecond(b *testing.B, archs []space.Arch, batch int, o ops.Optimizer) {
	b.Helper()
	c := supernet.DefaultNet()
	var flops int64
	for _, a := range archs {
		w, err := floor.Of(c.Space, c.Size, a, batch, o)
		if err != nil {
			b.Fatal(err)
		}
		flops += w.Flops / int64(len(archs))
	}
	s := b.Elapsed().Seconds() / float64(b.N)
	b.ReportMetric(float64(batch)/s, "images/s")
	b.ReportMetric(float64(flops)/s/1e9, "GFLOP/s")
}

// BenchmarkStep is a training step, a new path every step.
func BenchmarkStep(b *testing.B) {
	n, archs := reference(b, 2)
	c := supernet.DefaultTrain()
	t, err := onBatch(n, randomImages(supernet.DefaultNet(), c.Batch), archs, []int{0, 1, 2, 3, 4, 5, 6, 7}, training(c.Batch, c.Descent))
	if err != nil {
		b.Fatal(err)
	}
	defer t.Close()
	for b.Loop() {
		if _, err := t.Step(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	perSecond(b, archs, c.Batch, c.Rule())
}

// BenchmarkEval is a forward pass with running statistics, batch 250.
func BenchmarkEval(b *testing.B) {
	n, archs := reference(b, 2)
	e, err := supernet.NewEvaluator(n)
	if err != nil {
		b.Fatal(err)
	}
	defer e.Close()
	images := randomImages(supernet.DefaultNet(), 250)
	for b.Loop() {
		if _, err := e.Evaluate(b.Context(), archs[0], slices.Values([]*data.Batch{images}), nil); err != nil {
			b.Fatal(err)
		}
	}
	perSecond(b, archs, images.N, nil)
}

// TestTrainingFollowsTheOrder: paths and their order are those asked for, again and
// again, and the numbers are those of a training.
func TestTrainingFollowsTheOrder(t *testing.T) {
	rt, err := supernet.NewRuntime(1)
	if err != nil {
		t.Fatal(err)
	}
	defer rt.Close()
	c := supernet.DefaultNet()
	c.Layers, c.Channels, c.Image = 3, 4, 8
	n, err := supernet.New(c, 1, rt)
	if err != nil {
		t.Fatal(err)
	}
	archs := []space.Arch{c.Space.Sample(rng.New(1, "a")), c.Space.Sample(rng.New(2, "b"))}
	order := []int{0, 1, 1}
	tr, err := onBatch(n, randomImages(c, 4), archs, order, training(4, supernet.DefaultTrain().Descent))
	if err != nil {
		t.Fatal(err)
	}
	defer tr.Close()
	var losses []float64
	for i := range 7 {
		st, err := tr.Step(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if want := archs[order[i%3]]; !slices.Equal(st.Arch, want) {
			t.Errorf("step %d trains %v, want %v", i, st.Arch, want)
		}
		losses = append(losses, st.Loss)
	}
	if !(losses[6] < losses[0]) {
		t.Errorf("the loss of the same images and path goes from %g to %g", losses[0], losses[6])
	}
	if _, err := onBatch(n, randomImages(c, 4), nil, nil, training(4, supernet.DefaultTrain().Descent)); err == nil {
		t.Error("no architecture passes")
	}
}
