package supernet

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"oneshot/internal/rng"
	"oneshot/ops"
	"oneshot/supernet/engine"
	"oneshot/weights"
)

// scale multiplies a parameter, as far as float32 reaches: what a learning rate that is too
// high makes of it.
func scale(t *testing.T, n *Net, name string, by float64) {
	t.Helper()
	i, ok := n.layout.Param(name)
	if !ok {
		t.Fatalf("no parameter %s", name)
	}
	v := n.param(n.layout.Params[i])
	for k := range v {
		v[k] = float32(min(3e38, max(-3e38, float64(v[k])*by)))
	}
	if !allFinite(v) {
		t.Fatalf("%s times %g is no number: a file could not hold it", name, by)
	}
}

// TestScoreOfNoNumber: a path whose statistics or loss are no numbers has no score but an
// error that names them; another path of the same supernet scores as before.
func TestScoreOfNoNumber(t *testing.T) {
	d, cfg := smallData(t), smallNet(t, "lanas")
	r := rng.New(1, "test")
	bad, good := cfg.Space.Sample(r), cfg.Space.Sample(r)
	n, err := New(cfg, 1, newRuntime(t, 2))
	if err != nil {
		t.Fatal(err)
	}
	s, err := NewScorer(n, d.Train, d.Search, ScoreConfig{RecalImages: 64, RecalBatch: 16, Batch: 30})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	// only is a parameter that bad has and good has not.
	only, onGood := "", map[string]bool{}
	for _, l := range layersOf(t, n, good) {
		onGood[l] = true
	}
	for _, l := range layersOf(t, n, bad) {
		if _, ok := n.layout.Param(l + ".pw1.weight"); ok && !onGood[l] && only == "" {
			only = l
		}
	}
	if only == "" {
		t.Fatal("the paths share all separable convolutions")
	}
	want, err := s.Score(t.Context(), good)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Score(t.Context(), bad); err != nil {
		t.Fatal(err)
	}
	before := slices.Clone(n.params)
	injected := 0
	for _, x := range []struct{ param, why string }{
		{only + ".pw1.weight", only + ".bn1.running_var["},
		{"stem.conv.weight", "stem.bn.running_var["},
		{"classifier.weight", "loss "},
	} {
		by := 1e30
		if x.param == "classifier.weight" {
			by = 1e45
		}
		scale(t, n, x.param, by)
		injected++
		got, err := s.Score(t.Context(), bad)
		var none *NoNumberError
		if !errors.As(err, &none) || !strings.HasPrefix(none.Why, x.why) || none.Images != d.Search.Len() || got != (Result{}) {
			t.Errorf("%s too large: %+v, %v; want an error of %q", x.param, got, err, x.why)
		} else if !strings.Contains(err.Error(), cfg.Space.Format(bad)) {
			t.Errorf("%v does not name the architecture", err)
		}
		if x.param == only+".pw1.weight" {
			if got, err := s.Score(t.Context(), good); err != nil || got != want {
				t.Errorf("the other path: %+v, %v; want %+v", got, err, want)
			}
		}
		copy(n.params, before)
	}
	if injected != 3 {
		t.Errorf("%d injected", injected)
	}
	if got, err := s.Score(t.Context(), good); err != nil || got != want {
		t.Errorf("afterwards: %+v, %v; want %+v", got, err, want)
	}
}

// layersOf are the names of the layers of a path.
func layersOf(t *testing.T, n *Net, arch []int) (names []string) {
	t.Helper()
	path, err := n.layers(arch)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range path.Layers {
		names = append(names, l.Name)
	}
	return names
}

// TestCheckTensors: what no value of a network can be is named by its tensor, and refused
// where tensors are loaded.
func TestCheckTensors(t *testing.T) {
	cfg := smallNet(t, "lanas")
	n, err := New(cfg, 1, newRuntime(t, 1))
	if err != nil {
		t.Fatal(err)
	}
	if err := CheckTensors(n.Tensors()); err != nil {
		t.Fatal(err)
	}
	refused := 0
	for _, x := range []struct {
		tensor string
		v      float64
		ok     bool
	}{
		{"stem.conv.weight", math.NaN(), false},
		{"stem.conv.weight", math.Inf(-1), false},
		{"stem.conv.weight", -3, true},
		{"stem.bn.running_mean", math.Inf(1), false},
		{"stem.bn.running_mean", -3, true},
		{"stem.bn.running_var", math.NaN(), false},
		{"stem.bn.running_var", -1e-9, false},
		{"stem.bn.running_var", 0, true},
		{"classifier.bias", math.NaN(), false},
	} {
		ts := n.Tensors()
		i := slices.IndexFunc(ts, func(a weights.Tensor) bool { return a.Name == x.tensor })
		ts[i].F32[1] = float32(x.v)
		fresh, err := New(cfg, 2, n.rt)
		if err != nil {
			t.Fatal(err)
		}
		before := slices.Clone(fresh.params)
		_, inherits := fresh.Inherit(ts)
		for what, err := range map[string]error{"CheckTensors": CheckTensors(ts), "SetTensors": fresh.SetTensors(ts), "Inherit": inherits} {
			if x.ok != (err == nil) || err != nil && !strings.Contains(err.Error(), `"`+x.tensor+`" holds `) {
				t.Errorf("%s, %s[1] = %g: %v", what, x.tensor, x.v, err)
			}
		}
		if !x.ok {
			refused++
			if !slices.Equal(before, fresh.params) {
				t.Errorf("%s[1] = %g was refused and changed the network", x.tensor, x.v)
			}
		}
	}
	if refused != 6 {
		t.Errorf("%d refused", refused)
	}
	slot := []weights.Tensor{{Name: slotPrefix("exp_avg_sq") + "stem.conv.weight", Shape: []int{1}, F32: []float32{-1}}}
	if err := CheckTensors(slot); err == nil || !strings.Contains(err.Error(), slot[0].Name) {
		t.Errorf("a mean of squares below 0: %v", err)
	}
}

// TestDivergedSaysWhere: the error names the value that came first.
func TestDivergedSaysWhere(t *testing.T) {
	named := 0
	for _, x := range []struct {
		what  string
		spoil func(t *testing.T, n *Net)
		want  string
	}{
		{"a parameter", func(t *testing.T, n *Net) { n.params[n.layout.Params[0].Mem.Off] = float32(math.NaN()) }, ": stem.conv.weight holds what is no number"},
		{"large weights", func(t *testing.T, n *Net) { scale(t, n, "stem.conv.weight", 1e30) }, ": stem.bn.running_var["},
		{"a statistic", func(t *testing.T, n *Net) {
			n.state[n.layout.Norms[normOf(t, n, "stem.bn")].State.Off+1] = float32(math.Inf(1))
		}, ": stem.bn.running_mean[1] is "},
		{"large outputs", func(t *testing.T, n *Net) { scale(t, n, "classifier.weight", 1e45) }, ": the loss is the first"},
	} {
		n, err := New(smallNet(t, "lanas"), 1, newRuntime(t, 1))
		if err != nil {
			t.Fatal(err)
		}
		tr, err := NewTrainer(n, smallData(t).Train, smallTrain(3))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tr.Step(t.Context()); err != nil {
			t.Fatal(err)
		}
		x.spoil(t, n)
		_, err = tr.Step(t.Context())
		tr.Close()
		var div *DivergedError
		if !errors.As(err, &div) || div.Step != 2 || !strings.Contains(err.Error(), x.want) || !strings.Contains(err.Error(), "arch lanas2:") {
			t.Errorf("%s: %v, want %q", x.what, err, x.want)
			continue
		}
		named++
	}
	if named != 4 {
		t.Errorf("%d named", named)
	}
}

// steep is an engine whose gradient of some parameters is infinite.
type steep struct {
	engine.Trainer
	at []int // offsets
}

func (s steep) Read(_ *engine.Graph, m ops.Mem, v []float32) error {
	if clear(v); m.Region == ops.Grad && slices.Contains(s.at, m.Off) {
		v[0] = float32(math.Inf(1))
	}
	return nil
}

// TestCulpritInTheGradient: of several gradients that are no numbers the one nearest to the
// loss came first; those of a later step say nothing of this one.
func TestCulpritInTheGradient(t *testing.T) {
	n, err := New(smallNet(t, "lanas"), 1, newRuntime(t, 1))
	if err != nil {
		t.Fatal(err)
	}
	tr := bare(t, n, smallTrain(3))
	defer tr.Close()
	p, err := tr.build(n.cfg.Space.Sample(rng.New(1, "test")))
	if err != nil {
		t.Fatal(err)
	}
	off := func(name string) int {
		i, ok := n.layout.Param(name)
		if !ok {
			t.Fatal(name)
		}
		return n.layout.Params[i].Mem.Off
	}
	honest := tr.eng
	tr.issued = tr.step + 1
	for _, x := range []struct {
		at   []int
		want string
	}{
		{[]int{off("stem.conv.weight"), off("classifier.weight")}, "the gradient of classifier.weight holds what is no number"},
		{[]int{off("stem.conv.weight")}, "the gradient of stem.conv.weight holds what is no number"},
		{nil, ""},
	} {
		tr.eng = steep{honest, x.at}
		if got := tr.culprit(p, 1); got != x.want {
			t.Errorf("%v: %q, want %q", x.at, got, x.want)
		}
	}
	tr.eng = honest
}

// TestClassifiedCheck: outputs that are no numbers are no accuracy, and neither is a loss of
// outputs that are numbers but too far apart.
func TestClassifiedCheck(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	cfg := smallNet(t, "lanas")
	cfg.Classes = 2
	n, err := New(cfg, 1, newRuntime(t, 1))
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		outputs []float32
		want    string
	}{
		{[]float32{1, 2, 3, 4}, ""},
		{[]float32{1, 2, nan, 4}, "no numbers for 1 of 2 images"},
		{[]float32{inf, 2, 1, -inf}, "no numbers for 2 of 2 images"},
		{[]float32{3e38, -3e38, 3e38, -3e38}, "the loss is +Inf on 2 images"},
	} {
		e := &Evaluator{net: n, eval: &outputs{of: [][]float32{x.outputs}}}
		c, err := e.Classify(t.Context(), cfg.Space.Sample(rng.New(1, "test")), labelled([]int32{1, 1}), nil)
		if err != nil {
			t.Fatal(err)
		}
		err = c.Check()
		var none *NoNumberError
		if x.want == "" && err != nil || x.want != "" && (!errors.As(err, &none) || none.Why != x.want) {
			t.Errorf("%v: %v, want %q", x.outputs, err, x.want)
		}
	}
}
