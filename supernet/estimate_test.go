package supernet

import (
	"testing"

	"oneshot/internal/rng"
	"oneshot/ops"
	"oneshot/supernet/engine/host"
)

// TestEstimateIsWhatATrainerAllocates compares with the arena and the scratch
// memory after a step of the widest path.
func TestEstimateIsWhatATrainerAllocates(t *testing.T) {
	for _, set := range []string{"lanas", "darts", "full"} {
		for _, micro := range []int{0, 4} {
			for _, threads := range []int{1, 2} {
				cfg, c := smallNet(t, set), smallTrain(6)
				c.MicroBatch = micro
				if micro > 0 {
					c.Optimizer = "adamw"
				}
				n, err := New(cfg, 1, newRuntime(t, threads))
				if err != nil {
					t.Fatal(err)
				}
				tr := bare(t, n, c)
				widest, err := Widest(cfg)
				if err != nil {
					t.Fatal(err)
				}
				tr.prefetch(widest)
				built := <-tr.built[0]
				if built.err != nil {
					t.Fatal(built.err)
				}
				checkEstimate(t, tr, built.path, threads)
			}
		}
	}
	tr, p := retrainer(t, 16, 4)
	checkEstimate(t, tr, p, 2)
}

func checkEstimate(t *testing.T, tr *Trainer, p path, threads int) {
	t.Helper()
	m, err := Estimate(tr.net.cfg, tr.net.arch, tr.cfg, threads)
	if err != nil {
		t.Fatal(err)
	}
	b := firstBatch(t, tr.cfg.Batch)
	if _, err := tr.take(p, b); err != nil {
		t.Fatal(err)
	}
	what := func() string { return tr.net.cfg.Space.Format(p.arch) }
	mem := tr.eng.(interface{ Memory() host.Memory }).Memory()
	if got := 4 * int64(mem.Arena); got != m.Arena {
		t.Errorf("%s: the arena has %d bytes, estimated %d", what(), got, m.Arena)
	}
	path := 4 * int64(ops.NewCPU[float32](nil).ScratchFor(threads, p.Prog))
	if m.Scratch < path || 100*m.Scratch > 115*path {
		t.Errorf("%s: scratch memory has %d bytes, estimated %d for any path", what(), path, m.Scratch)
	}
	// Of several workers one may not have got a chunk of the pass that needs most.
	if got := 4 * int64(mem.Scratch); got > path || threads == 1 && got != path || 2*got < path {
		t.Errorf("%s: scratch memory has %d bytes, counted %d", what(), got, path)
	}
	if got := 4 * int64(mem.Input+len(tr.masks)); got != m.Input {
		t.Errorf("%s: the input has %d bytes, estimated %d", what(), got, m.Input)
	}
	copied := len(tr.net.params) + len(tr.net.state) // of the network, before SetTensors changes it
	ck, err := tr.Checkpoint()
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range ck.Tensors {
		copied += len(v.F32)
	}
	values := len(tr.net.params) + mem.Gradients + len(tr.net.state)
	for _, slot := range tr.slots {
		values += len(slot)
	}
	if tr.ema != nil {
		values += len(tr.ema.params) + len(tr.ema.state)
	}
	if values, copied := 4*int64(values), 4*int64(copied); values != m.Weights || copied != m.Checkpoint {
		t.Errorf("%s: weights have %d bytes and a checkpoint %d, estimated %d and %d", what(), values, copied, m.Weights, m.Checkpoint)
	}
}

// TestWidestNeedsTheMost, but for what Widest owns up to.
func TestWidestNeedsTheMost(t *testing.T) {
	for _, set := range []string{"lanas", "darts", "full", "nasnet"} {
		cfg, c := smallNet(t, set), smallTrain(6)
		n, err := New(cfg, 1, newRuntime(t, 2))
		if err != nil {
			t.Fatal(err)
		}
		m, err := Estimate(cfg, nil, c, 2)
		if err != nil {
			t.Fatal(err)
		}
		back := ops.NewCPU[float32](nil)
		r := rng.New(1, "test")
		for range 100 {
			a := cfg.Space.Sample(r)
			g, err := n.build(back, a, c.spec())
			if err != nil {
				t.Fatal(err)
			}
			arena, scratch := 4*int64(g.Prog.Arena), 4*int64(back.ScratchFor(2, g.Prog))
			if 100*arena > 108*m.Arena || scratch > m.Scratch {
				t.Fatalf("%s: %d bytes of arena and %d of scratch memory, the widest path has %d and %d",
					cfg.Space.Format(a), arena, scratch, m.Arena, m.Scratch)
			}
		}
	}
}

// TestWidestOfAShortNetwork: a network of one or two cells has no cell of one kind; the path whose memory is
// estimated is one of the space all the same.
func TestWidestOfAShortNetwork(t *testing.T) {
	for layers := 1; layers <= 3; layers++ {
		cfg := smallNet(t, "lanas")
		cfg.Layers = layers
		a, err := Widest(cfg)
		if err == nil {
			err = cfg.Space.Check(a)
		}
		if err != nil {
			t.Errorf("%d cells: %v", layers, err)
		}
	}
}
