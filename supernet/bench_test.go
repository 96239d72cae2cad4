package supernet

import (
	"testing"

	"oneshot/data"
	"oneshot/internal/rng"
	"oneshot/ops"
)

// BenchmarkStep is a training step of the reference job of bench/: 8 cells,
// 16 channels, 5 nodes, batch 64, a new path every step.
func BenchmarkStep(b *testing.B) {
	rt := newRuntime(b, 2)
	n, err := New(DefaultNet(), 1, rt)
	if err != nil {
		b.Fatal(err)
	}
	c := DefaultTrain()
	t := bareTrainer(n, c)
	batch := &data.Batch{N: 64, X: make([]float32, 64*32*32*3), Y: make([]int32, 64)}
	r := rng.New(1, "bench")
	for i := range batch.X {
		batch.X[i] = float32(r.NormFloat64())
	}
	var flops float64
	for i := 0; b.Loop(); i++ {
		g, err := n.build(t.back, t.archOf(i%8), t.spec())
		if err != nil {
			b.Fatal(err)
		}
		_, madds := n.cfg.Space.Cost(g.arch, n.cfg.Spec())
		flops += 6 * 64 * float64(madds)
		if err := t.fill(g, batch); err != nil {
			b.Fatal(err)
		}
		st, err := t.run(g, batch)
		if err != nil {
			b.Fatal(err)
		}
		if err := t.descend(g, st); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(64*float64(b.N)/b.Elapsed().Seconds(), "images/s")
	b.ReportMetric(flops/b.Elapsed().Seconds()/1e9, "GFLOP/s")
}

// BenchmarkBuild is the expression graph of one sampled path: build,
// differentiate, compile, without running it.
func BenchmarkBuild(b *testing.B) {
	n, err := New(DefaultNet(), 1, newRuntime(b, 1))
	if err != nil {
		b.Fatal(err)
	}
	t := bareTrainer(n, DefaultTrain())
	for i := 0; b.Loop(); i++ {
		if _, err := n.build(t.back, t.archOf(i), t.spec()); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkEval is a forward pass with running statistics, batch 250.
func BenchmarkEval(b *testing.B) {
	n, err := New(DefaultNet(), 1, newRuntime(b, 2))
	if err != nil {
		b.Fatal(err)
	}
	e := newEvaluator(n, n.state)
	batch := &data.Batch{N: 250, X: make([]float32, 250*32*32*3), Y: make([]int32, 250)}
	arch := n.cfg.Space.Sample(rng.New(1, "bench"))
	for b.Loop() {
		if _, err := e.forward(arch, batch, ops.Eval, 0); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(250*float64(b.N)/b.Elapsed().Seconds(), "images/s")
}
