package supernet

import (
	"errors"
	"iter"
	"math"
	"testing"

	"oneshot/data"
	"oneshot/internal/rng"
	"oneshot/supernet/engine"
)

// TestScoresByTheBatch and TestCUDAScoresByTheBatch: with statistics of the batch a score is that of a training step's
// forward pass over each batch, a last image goes with the batch before, and the same path has the same score.
func TestScoresByTheBatch(t *testing.T)     { testOwnStatistics(t, newRuntime(t, 2)) }
func TestCUDAScoresByTheBatch(t *testing.T) { testOwnStatistics(t, newDevice(t, false)) }

func testOwnStatistics(t *testing.T, rt *Runtime) {
	d, cfg := smallData(t), chainNet(t)
	n, err := New(cfg, 1, rt)
	if err != nil {
		t.Fatal(err)
	}
	arch := cfg.Space.Sample(rng.New(1, "test"))
	for _, x := range []struct {
		images, batch int
		sizes         []int
	}{{24, 8, []int{8, 8, 8}}, {21, 8, []int{8, 8, 5}}, {17, 8, []int{8, 9}}, {9, 8, []int{9}}, {3, 8, []int{3}}} {
		search := d.Search.Part(x.images)
		if search.Len() != x.images {
			t.Fatalf("%d images", search.Len())
		}
		s, err := NewScorer(n, d.Train, search, ScoreConfig{RecalImages: 64, RecalBatch: 16, Batch: x.batch, Statistics: ofBatch})
		if err != nil {
			t.Fatal(err)
		}
		got, err := s.Score(t.Context(), arch)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := s.Score(t.Context(), arch); err != nil || again != got {
			t.Errorf("%+v, then %+v: %v", got, again, err)
		}
		want := Result{Images: x.images}
		all := data.Batch{}
		for b := range search.Batches(x.batch) {
			all.X, all.Y = append(all.X, b.X...), append(all.Y, b.Y...)
		}
		tr := several{t, n, rt}
		size, at := cfg.Image*cfg.Image*3, 0
		for _, k := range x.sizes {
			one := tr.trainer(func(c *engine.TrainSpec) { c.Graph.Batch, c.Batch, c.Graph.Smoothing = k, k, 0 })
			o, _, _ := tr.step(one, engine.Step{Batch: &data.Batch{N: k, X: all.X[at*size : (at+k)*size], Y: all.Y[at : at+k]}}, arch)
			want.Top1 += float64(o.Right) / float64(x.images)
			want.Loss += o.Loss * float64(k) / float64(x.images)
			at += k
		}
		if got.Images != want.Images || !(math.Abs(got.Top1-want.Top1) <= 1e-9) || !(math.Abs(got.Loss-want.Loss) <= 1e-5*want.Loss) {
			t.Errorf("%d images in batches of %d: %+v, want %+v", x.images, x.batch, got, want)
		}
		s.own = false
		if other, err := s.Score(t.Context(), arch); err != nil || other == got {
			t.Errorf("recalibrated it is %+v too: %v: the test is blind", other, err)
		}
		s.Close()
	}
	e, err := rt.eng.Measure(n.model(make([]float32, len(n.state))))
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	single := &engine.Images{Batch: 8, Batches: func() iter.Seq[*data.Batch] { return d.Search.Part(11).Batches(1) }}
	lone := &engine.Images{Batch: 8, Batches: func() iter.Seq[*data.Batch] {
		return func(yield func(*data.Batch) bool) {
			for b := range single.Batches() {
				yield(b)
				return
			}
		}
	}}
	if _, err := e.Score(t.Context(), n.path(arch), nil, lone); !errors.Is(err, engine.ErrOneImage) {
		t.Errorf("one image: %v", err)
	}
}
