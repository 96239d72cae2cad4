package supernet

import (
	"context"
	"errors"
	"iter"
	"math"
	"reflect"
	"slices"
	"testing"

	"oneshot/data"
	"oneshot/internal/rng"
	"oneshot/supernet/engine"
)

// outputs is a measurer whose outputs a test makes up: those of batch k are row k.
type outputs struct {
	engine.Measurer
	of [][]float32
	k  int
}

func (o *outputs) Logits(engine.Path, *data.Batch) ([]float32, error) {
	o.k++
	return o.of[o.k-1], nil
}

// labelled are batches of so many images with these labels and no pixels.
func labelled(y ...[]int32) iter.Seq[*data.Batch] {
	return func(yield func(*data.Batch) bool) {
		for _, l := range y {
			if !yield(&data.Batch{Y: l, N: len(l)}) {
				return
			}
		}
	}
}

// TestClassifyByHand: top-1, top-5, counts by class and loss of outputs that are easy to read.
func TestClassifyByHand(t *testing.T) {
	cfg := smallNet(t, "lanas")
	cfg.Classes = 7
	n, err := New(cfg, 1, newRuntime(t, 1))
	if err != nil {
		t.Fatal(err)
	}
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	o := &outputs{of: [][]float32{
		slices.Concat(
			[]float32{0, 9, 0, 0, 0, 0, 0}, // class 1: right
			[]float32{6, 5, 4, 3, 2, 1, 0}, // class 4, the fifth: top-5, taken for 0
			[]float32{6, 5, 4, 3, 2, 1, 0}, // class 5, the sixth: wrong
		),
		slices.Concat(
			[]float32{0, 0, 0, 0, 0, 0, 0}, // class 0 of equals: right
			[]float32{0, 0, 0, 0, 0, 0, 0}, // class 4 of equals: the fifth
			[]float32{0, 0, 0, 0, 0, 0, 0}, // class 5 of equals: the sixth
			[]float32{3, 8, 8, 1, 1, 1, 1}, // class 2 behind its equal: taken for 1
		),
		slices.Concat(
			[]float32{nan, nan, nan, nan, nan, nan, nan}, // class 0 of what is no number: wrong
			[]float32{nan, 0, 0, 0, 0, 0, 9},             // class 6, but one is no number: wrong
			[]float32{9, 0, 0, 0, 0, 0, nan},             // class 6 is no number: wrong
			[]float32{0, 0, 0, inf, 0, 0, 0},             // class 3: right
		),
	}}
	var done []int
	c, err := (&Evaluator{net: n, eval: o}).Classify(t.Context(), n.cfg.Space.Sample(rng.New(1, "test")),
		labelled([]int32{1, 4, 5}, []int32{0, 4, 5, 2}, []int32{0, 6, 6, 3}), func(n int) { done = append(done, n) })
	if err != nil {
		t.Fatal(err)
	}
	if c.Images != 11 || c.Top1 != 3./11 || !slices.Equal(done, []int{3, 7, 11}) {
		t.Errorf("top-1 %g of %d images, want 3/11; progress %v", c.Top1, c.Images, done)
	}
	// Right ones, the fifths, class 2 behind its equal, class 6 behind one that is no number.
	if c.Top5 != 7./11 {
		t.Errorf("top-5 %g, want 7/11", c.Top5)
	}
	if want := []ClassCount{{1, 2}, {1, 1}, {0, 1}, {1, 1}, {0, 2}, {0, 2}, {0, 2}}; !slices.Equal(c.ByClass, want) {
		t.Errorf("by class %v, want %v", c.ByClass, want)
	}
}

// TestNoNumberIsWrong for as few classes as there are, too.
func TestNoNumberIsWrong(t *testing.T) {
	nan := float32(math.NaN())
	for _, row := range [][]float32{{nan, 0}, {nan, nan}, {nan, float32(math.Inf(-1))}} {
		cfg := smallNet(t, "lanas")
		cfg.Classes = 2
		n, err := New(cfg, 1, newRuntime(t, 1))
		if err != nil {
			t.Fatal(err)
		}
		c, err := (&Evaluator{net: n, eval: &outputs{of: [][]float32{row}}}).Classify(t.Context(), n.cfg.Space.Sample(rng.New(1, "test")), labelled([]int32{0}), nil)
		if err != nil || c.Top1 != 0 || c.Top5 != 0 || !slices.Equal(c.ByClass, []ClassCount{{0, 1}, {}}) {
			t.Errorf("%v: %v, %+v", row, err, c)
		}
	}
}

// TestClassifyIsEvaluate, and counts the classes besides, on either engine.
func TestClassifyIsEvaluate(t *testing.T)     { testClassify(t, newRuntime(t, 2), 100) }
func TestCUDAClassifyIsEvaluate(t *testing.T) { testClassify(t, newDevice(t, false), 20) }

func testClassify(t *testing.T, rt *Runtime, images int) {
	d := smallData(t)
	n, err := New(smallNet(t, "lanas"), 1, rt)
	if err != nil {
		t.Fatal(err)
	}
	arch := n.cfg.Space.Sample(rng.New(2, "test"))
	e, err := NewEvaluator(n)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	part := d.Search.Part(images)
	want, err := e.Evaluate(t.Context(), arch, part.Batches(16), nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := e.Classify(t.Context(), arch, part.Batches(7), nil)
	if err != nil {
		t.Fatal(err)
	}
	if got.Top1 != want.Top1 || got.Images != want.Images || !(math.Abs(got.Loss-want.Loss) <= 1e-5*want.Loss) {
		t.Errorf("%+v, want %+v", got.Result, want)
	}
	right, by := 0, make([]int, 10)
	for y, n := range got.ByClass {
		right += n.Right
		by[y] = n.Images
	}
	if right != int(math.Round(want.Top1*float64(images))) || !reflect.DeepEqual(by, slices.Repeat([]int{images / 10}, 10)) {
		t.Errorf("%d right, by class %v", right, by)
	}
	if !(got.Top5 >= got.Top1 && got.Top5 <= 1) || got.Top5 == got.Top1 {
		t.Errorf("top-5 %g, top-1 %g", got.Top5, got.Top1)
	}
	if _, err := e.Classify(t.Context(), arch, labelled(), nil); err == nil {
		t.Error("no images pass")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := e.Classify(ctx, arch, part.Batches(7), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	testBrokenImages(t, e, part.Batches(4), d.Train.Calib(1, 16, 8), arch)
}

// testBrokenImages: where images end with an error, every measurement does.
func testBrokenImages(t *testing.T, e *Evaluator, search, train iter.Seq[*data.Batch], arch []int) {
	broken := errors.New("the disk is broken")
	after := func(seq iter.Seq[*data.Batch], good int) iter.Seq[*data.Batch] {
		return func(yield func(*data.Batch) bool) {
			k := 0
			for b := range seq {
				if k++; k > good {
					break
				}
				if !yield(b) {
					return
				}
			}
			yield(&data.Batch{Err: broken})
		}
	}
	images := func(batch int, seq iter.Seq[*data.Batch]) *engine.Images {
		return &engine.Images{Batch: batch, Batches: func() iter.Seq[*data.Batch] { return seq }}
	}
	p := e.net.path(arch)
	s, err := e.net.rt.eng.Measure(e.net.model(make([]float32, len(e.net.state))))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, good := range []int{0, 1} {
		_, err := e.Evaluate(t.Context(), arch, after(search, good), nil)
		if !errors.Is(err, broken) {
			t.Errorf("Evaluate after %d batches: %v, want %v", good, err, broken)
		}
		if _, err = e.Classify(t.Context(), arch, after(search, good), nil); !errors.Is(err, broken) {
			t.Errorf("Classify after %d batches: %v, want %v", good, err, broken)
		}
		if _, err = s.Score(t.Context(), p, images(8, after(train, good)), images(4, search)); !errors.Is(err, broken) {
			t.Errorf("Score, recalibration after %d batches: %v, want %v", good, err, broken)
		}
		if _, err = s.Score(t.Context(), p, images(8, train), images(4, after(search, good))); !errors.Is(err, broken) {
			t.Errorf("Score after %d batches: %v, want %v", good, err, broken)
		}
	}
}
