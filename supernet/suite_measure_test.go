package supernet

import (
	"context"
	"errors"
	"iter"
	"math"
	"slices"
	"strings"
	"testing"

	"oneshot/data"
	"oneshot/internal/rng"
	"oneshot/supernet/engine"
)

// testMeasure: scores and evaluations of the same values are the same bits, before
// and after Close, count every image, agree with the logits and change no parameter.
func testMeasure(t *testing.T, rt *Runtime) {
	d := smallData(t)
	images := d.Search.Part(40)
	cfg := smallNet(t, "lanas")
	n, err := New(cfg, 1, rt)
	if err != nil {
		t.Fatal(err)
	}
	before := slices.Clone(n.params)
	m, err := rt.eng.Measure(n.model(slices.Clone(n.state)))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	type batches = iter.Seq[*data.Batch]
	recal := &engine.Images{Batch: 16, Batches: func() batches { return d.Train.Calib(1, 40, 16) }} // the last batch is short
	whole := &engine.Images{Batch: 16, Batches: func() batches { return d.Train.Calib(1, 32, 16) }}
	search := &engine.Images{Batch: 30, Batches: func() batches { return images.Batches(30) }}
	var paths []engine.Path
	r := rng.New(5, "test")
	for range 2 {
		paths = append(paths, n.path(cfg.Space.Sample(r)))
	}
	score := func(p engine.Path, recal *engine.Images) engine.Tally {
		t.Helper()
		v, err := m.Score(t.Context(), p, recal, search)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	first, other := score(paths[0], recal), score(paths[1], recal)
	if first == other {
		t.Error("two paths score exactly alike: the path is ignored")
	}
	if first.Images != images.Len() || first.Right > first.Images || !(first.Loss > 0) {
		t.Errorf("%+v of %d images", first, images.Len())
	}
	var both []engine.Tally
	err = m.Scores(t.Context(), paths, recal, search, func(i int, v engine.Tally, _ bool) error {
		both = append(both, v)
		return nil
	})
	if err != nil || !slices.Equal(both, []engine.Tally{first, other}) {
		t.Errorf("scored by one call %+v, want %+v and %+v; %v", both, first, other, err)
	}
	m.Close()
	if again := score(paths[0], recal); again != first {
		t.Errorf("%+v, then %+v", first, again)
	}
	if v := score(paths[0], whole); v != first {
		t.Errorf("a short batch moves the statistics: %+v, without it %+v", first, v)
	}
	none := &engine.Images{Batch: 16, Batches: func() batches { return d.Train.Calib(1, 15, 16) }}
	if _, err := m.Score(t.Context(), paths[0], none, search); err == nil {
		t.Error("statistics of a short batch alone")
	}

	e, err := rt.eng.Measure(n.model(n.state))
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	var seen []int
	got, err := e.Evaluate(t.Context(), paths[0], images.Batches(30), func(done int) { seen = append(seen, done) })
	if err != nil {
		t.Fatal(err)
	}
	var want engine.Tally
	for b := range images.Batches(15) {
		logits, err := e.Logits(paths[0], b)
		if err != nil {
			t.Fatal(err)
		}
		for i, y := range b.Y {
			row := logits[i*cfg.Classes : (i+1)*cfg.Classes]
			if slices.Index(row, slices.Max(row)) == int(y) {
				want.Right++
			}
			sum := 0.0
			for _, v := range row {
				sum += math.Exp(float64(v - row[y]))
			}
			want.Loss += math.Log(sum)
		}
		want.Images += b.N
	}
	if got.Images != want.Images || got.Right != want.Right || !(math.Abs(got.Loss-want.Loss) <= 1e-4*want.Loss) {
		t.Errorf("%+v, by the logits %+v", got, want)
	}
	if !slices.Equal(seen, []int{30, 40}) {
		t.Errorf("told %v images", seen)
	}
	if _, err := e.Logits(paths[0], &data.Batch{N: 2, X: make([]float32, 5), Y: make([]int32, 2)}); err == nil {
		t.Error("logits of images of another size")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := e.Evaluate(ctx, paths[0], images.Batches(30), func(int) {}); !errors.Is(err, context.Canceled) {
		t.Errorf("ended context: %v", err)
	}
	if !slices.Equal(before, n.params) {
		t.Error("measuring changed the parameters")
	}
}

// testBadStatistics: a score whose statistics overflow says so and leaves them to be named;
// the next one of sound weights does not.
func testBadStatistics(t *testing.T, rt *Runtime) {
	d := smallData(t)
	n, err := New(smallNet(t, "lanas"), 1, rt)
	if err != nil {
		t.Fatal(err)
	}
	state := slices.Clone(n.state)
	m, err := rt.eng.Measure(n.model(state))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	type batches = iter.Seq[*data.Batch]
	recal := &engine.Images{Batch: 16, Batches: func() batches { return d.Train.Calib(1, 32, 16) }}
	search := &engine.Images{Batch: 20, Batches: func() batches { return d.Search.Part(20).Batches(20) }}
	p := n.path(n.cfg.Space.Sample(rng.New(5, "test")))
	sound := slices.Clone(n.params)
	for _, bad := range []bool{false, true, false} {
		copy(n.params, sound)
		if bad {
			scale(t, n, "stem.conv.weight", 1e30)
		}
		m.Close() // a device has the weights of when it was opened
		v, err := m.Score(t.Context(), p, recal, search)
		if err != nil || v.BadState != bad || v.Images != 20 {
			t.Errorf("%+v, %v; want bad statistics %v", v, err, bad)
		}
		if name := n.badState(state); bad && !strings.HasPrefix(name, "stem.bn.running_") {
			t.Errorf("the first bad statistic is %q", name)
		}
	}
}
