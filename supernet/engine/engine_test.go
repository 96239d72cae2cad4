package engine

import (
	"math"
	"testing"

	"oneshot/data"
	"oneshot/ops"
)

// TestInputRegion: images, labels, distributions and masks lie one after the other and fill
// it.
func TestInputRegion(t *testing.T) {
	for _, spec := range []Spec{{}, {Soft: true}, {Soft: true, Distill: 0.5}} {
		testInputRegion(t, &Graph{Batch: 5, Image: 12, Classes: 4, Masks: 3, Distributions: spec.Distributions()}, spec)
	}
}

func testInputRegion(t *testing.T, g *Graph, spec Spec) {
	at := 0
	for i, m := range []ops.Mem{g.Images(), g.Labels(), g.Targets(), g.Teacher(), g.Mask(0), g.Mask(1), g.Mask(2)} {
		if i == 2 && !spec.Soft || i == 3 && spec.Distill == 0 {
			if m.Len != 0 {
				t.Errorf("%+v of %+v, want none", m, spec)
			}
			continue
		}
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

// TestCheckDistributions: what a step's batch and teacher have, and the graph has no place
// for, or the other way round, is refused.
func TestCheckDistributions(t *testing.T) {
	c := TrainSpec{Graph: Spec{Batch: 4}, Batch: 4}
	hard := data.Batch{N: 4, X: make([]float32, 48), Y: []int32{0, 1, 2, 1}}
	mixed, short, unknown := hard, hard, hard
	mixed.T, short.T, unknown.Y = make([]float32, 12), make([]float32, 11), []int32{0, 1, 3, 1}
	for _, x := range []struct {
		what          string
		distributions int
		b             data.Batch
		teacher       int
		ok            bool
	}{
		{"labels", 0, hard, 0, true},
		{"mixed images where the loss takes labels", 0, mixed, 0, false},
		{"mixed images", 1, mixed, 0, true},
		{"labels where the loss takes distributions", 1, hard, 0, true},
		{"a share too few", 1, short, 0, false},
		{"a label that is no class", 1, unknown, 0, false},
		{"a teacher nobody listens to", 1, mixed, 12, false},
		{"a teacher", 2, mixed, 12, true},
		{"a teacher and labels", 2, hard, 12, true},
		{"no teacher", 2, mixed, 0, false},
		{"a teacher of fewer classes", 2, mixed, 8, false},
	} {
		g := &Graph{Batch: 4, Image: 12, Classes: 3, Distributions: x.distributions}
		if err := c.CheckStep(g, Step{Batch: &x.b, Teacher: make([]float32, x.teacher)}); (err == nil) != x.ok {
			t.Errorf("%s: %v", x.what, err)
		}
	}
}

// TestPutTargets: labels and distributions are smoothed alike, and add up to 1.
func TestPutTargets(t *testing.T) {
	got := make([]float32, 6)
	for _, mixed := range [][]float32{nil, {0, 1, 0, 0.25, 0, 0.75}} {
		want := []float32{0.04, 0.92, 0.04, 0.04, 0.04, 0.92}
		if mixed != nil {
			want = []float32{0.04, 0.92, 0.04, 0.26, 0.04, 0.70}
		}
		PutTargets(got, []int32{1, 2}, mixed, 3, 0.12)
		for i, w := range want {
			if !(math.Abs(float64(got[i]-w)) <= 1e-6) {
				t.Errorf("%v of %v, want %v", got, mixed, want)
				break
			}
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
