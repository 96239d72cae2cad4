package supernet

import (
	"testing"

	"oneshot/internal/rng"
	"oneshot/ops"
	"oneshot/supernet/space"
)

// reference is the job of bench/: 8 cells, 16 channels, 5 nodes and 8 paths.
func reference(b *testing.B, batch, threads int) *Bench {
	b.Helper()
	n, err := New(DefaultNet(), 1, newRuntime(b, threads))
	if err != nil {
		b.Fatal(err)
	}
	var archs []space.Arch
	for seed := range uint64(8) {
		archs = append(archs, n.cfg.Space.Sample(rng.New(seed+1, "bench")))
	}
	bench, err := NewBench(n, batch, archs, DefaultTrain().Descent)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(bench.Close)
	return bench
}

// perSecond reports images and useful floating-point operations a second.
func (b *Bench) perSecond(t *testing.B, train bool) {
	var flops int64
	for _, a := range b.archs {
		var o ops.Optimizer
		if train {
			o = DefaultTrain().Rule()
		}
		w, err := Floor(b.net.cfg, a, b.batch.N, o)
		if err != nil {
			t.Fatal(err)
		}
		flops += w.Flops / int64(len(b.archs))
	}
	s := t.Elapsed().Seconds() / float64(t.N)
	t.ReportMetric(float64(b.batch.N)/s, "images/s")
	t.ReportMetric(float64(flops)/s/1e9, "GFLOP/s")
}

// BenchmarkStep is a training step, a new path every step.
func BenchmarkStep(b *testing.B) {
	bench := reference(b, 64, 2)
	for i := 0; b.Loop(); i++ {
		if err := bench.Step(i%8, (i+1)%8); err != nil {
			b.Fatal(err)
		}
	}
	bench.perSecond(b, true)
}

// BenchmarkBuild is the expression graph of one sampled path: build,
// differentiate, compile, without running it.
func BenchmarkBuild(b *testing.B) {
	t := reference(b, 64, 1).train
	for i := 0; b.Loop(); i++ {
		if _, err := t.build(t.archOf(i)); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkEval is a forward pass with running statistics, batch 250.
func BenchmarkEval(b *testing.B) {
	bench := reference(b, 250, 2)
	for b.Loop() {
		if err := bench.Eval(0); err != nil {
			b.Fatal(err)
		}
	}
	bench.perSecond(b, false)
}
