package engine

import (
	"math"
	"testing"

	"oneshot/data"
	"oneshot/ops"
)

// TestInputRegion: images, labels and masks lie one after the other and fill it.
func TestInputRegion(t *testing.T) {
	g := &Graph{Batch: 5, Image: 12, Masks: 3}
	at := 0
	for _, m := range []ops.Mem{g.Images(), g.Labels(), g.Mask(0), g.Mask(1), g.Mask(2)} {
		if m.Region != ops.Input || m.Off != at || m.Len == 0 {
			t.Errorf("%+v does not begin at %d", m, at)
		}
		at += m.Len
	}
	if at != g.InputLen() {
		t.Errorf("the region has %d values, want %d", g.InputLen(), at)
	}
	if all := g.AllMasks(); all.Off != g.Mask(0).Off || all.Off+all.Len != at {
		t.Errorf("all masks are %+v", all)
	}
}

func TestCheckStep(t *testing.T) {
	g := &Graph{Batch: 2, Image: 12, Masks: 3}
	given := TrainSpec{Graph: Spec{Batch: 2}, Batch: 4}
	own := given
	own.Images = &data.Train{}
	b := &data.Batch{N: 4, X: make([]float32, 48), Y: make([]int32, 4)}
	masks := make([]float32, 12)
	if given.Parts() != 2 {
		t.Errorf("%d micro-batches, want 2", given.Parts())
	}
	for _, x := range []struct {
		what string
		c    TrainSpec
		s    Step
		ok   bool
	}{
		{"a batch", given, Step{Masks: masks, Batch: b}, true},
		{"own images", own, Step{Masks: masks}, true},
		{"neither", given, Step{Masks: masks}, false},
		{"both", own, Step{Masks: masks, Batch: b}, false},
		{"masks of a micro-batch", given, Step{Masks: masks[:6], Batch: b}, false},
		{"an image too few", given, Step{Masks: masks, Batch: &data.Batch{N: 3, X: b.X[:36], Y: b.Y[:3]}}, false},
		{"a label too few", given, Step{Masks: masks, Batch: &data.Batch{N: 4, X: b.X, Y: b.Y[:3]}}, false},
		{"smaller images", given, Step{Masks: masks, Batch: &data.Batch{N: 4, X: b.X[:44], Y: b.Y}}, false},
	} {
		if err := x.c.CheckStep(g, x.s); (err == nil) != x.ok {
			t.Errorf("%s: %v", x.what, err)
		}
	}
}

// TestRecalWeight: moving by it gives the mean.
func TestRecalWeight(t *testing.T) {
	mean := math.NaN()
	for k, v := range []float64{3, 5, 10, -2} {
		w := RecalWeight(k)
		if k == 0 {
			mean = 0
		}
		mean = (1-w)*mean + w*v
	}
	if !(math.Abs(mean-4) <= 1e-12) {
		t.Errorf("mean %g, want 4", mean)
	}
}

// TestMemoryAfter: what stays on a device is shared, what goes is not counted again.
func TestMemoryAfter(t *testing.T) {
	train := Memory{Weights: 1000, Input: 300, Pixels: 70, Arena: 20, Tables: 5}
	score := Memory{Weights: 10, Input: 400, Arena: 30, Tables: 1}
	if got, want := score.After(train), (Memory{Weights: 10, Input: 400, Pixels: 70, Arena: 30, Tables: 5}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if got := train.Total(); got != 1395 {
		t.Errorf("%d in all, want 1395", got)
	}
}
