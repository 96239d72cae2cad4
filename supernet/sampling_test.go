package supernet

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"oneshot/internal/rng"
	"oneshot/ops"
	"oneshot/supernet/engine"
	"oneshot/supernet/net"
	"oneshot/supernet/space"
)

// chain is a space of three choices one after the other, which do not depend on each other. What no trainer asks
// for is that of another space.
type chain struct{ space.Space }

// links are the candidates of each choice.
var links = [][]string{{"identity", "sep3"}, {"identity", "pool", "sep5", "sep3"}, {"pool", "sep3"}}

func (chain) Candidates() []int {
	var n []int
	for _, l := range links {
		n = append(n, len(l))
	}
	return n
}

func (chain) Name() string           { return "chain" }
func (chain) Fits(net.Size) error    { return nil }
func (chain) Check(space.Arch) error { return nil }

func (c chain) Format(a space.Arch) string { return fmt.Sprint("chain:", []int(a)) }

func (c chain) Sample(r *rand.Rand) space.Arch {
	a := make(space.Arch, len(links))
	for i, l := range links {
		a[i] = r.IntN(len(l))
	}
	return a
}

func (chain) Describe(z net.Size, a space.Arch) (*net.Network, error) {
	c := z.Channels
	n := net.Begin(z.Image, len(links))
	at := n.Add(net.Layer{Name: "stem", Op: ops.Stem{Cin: 3, Cout: c, Affine: true}, In: []int{net.Images}})
	for i, l := range links {
		var in []int
		for _, name := range l {
			var op ops.Op
			switch name {
			case "identity":
				in = append(in, at)
				continue
			case "pool":
				op = ops.PoolBN{C: c, Stride: 1, Affine: true}
			default:
				op = ops.Separable{C: c, K: int(name[3] - '0'), Stride: 1, Dil: 1, Stages: 2, Affine: true}
			}
			in = append(in, n.Add(net.Layer{Name: fmt.Sprintf("block%d.%s", i, name), Op: op, In: []int{at}, Candidate: true}))
		}
		at = n.Add(net.Layer{In: in, Pick: []int{i}})
	}
	mean := n.Add(net.Layer{Op: ops.GlobalAvgPool{Parts: 1}, In: []int{at}})
	n.Logits = n.Add(net.Layer{Name: "classifier", Op: ops.Linear{In: c, Out: z.Classes}, In: []int{mean}})
	if a == nil {
		return n, nil
	}
	path, err := n.Select(a)
	if err != nil {
		return nil, err
	}
	return path.Live()
}

func chainNet(t testing.TB) NetConfig {
	t.Helper()
	c := smallNet(t, "lanas")
	c.Space = chain{c.Space}
	return c
}

// samplings are the ways to train several paths; each changes a training.
var samplings = map[string]func(*TrainConfig){
	"uniform":  func(c *TrainConfig) { c.Paths = 3 },
	"ranked":   func(c *TrainConfig) { c.Paths, c.RankWeight, c.RankRamp = 2, 0.5, 0.5 },
	"fair":     func(c *TrainConfig) { c.Sampler = fair },
	"sandwich": func(c *TrainConfig) { c.Sampler, c.Paths = sandwich, 2 },
	"distill":  func(c *TrainConfig) { c.Sampler, c.Distill, c.Paths, c.RankWeight = sandwich, true, 1, 2 },
}

// TestFairTrainsEachCandidateOnce a step; those of choices with fewer take turns.
func TestFairTrainsEachCandidateOnce(t *testing.T) {
	c := smallTrain(6)
	c.Sampler = fair
	x, err := c.course(chainNet(t))
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for step := range 50 {
		as := x.paths(step)
		if len(as) != 4 {
			t.Fatalf("%d paths, want 4", len(as))
		}
		seen[fmt.Sprint(as)] = true
		for i, l := range links {
			count := make([]int, len(l))
			for _, a := range as {
				count[a[i]]++
			}
			if slices.Min(count) != 4/len(l) || slices.Max(count) != 4/len(l) {
				t.Fatalf("step %d: candidates of choice %d are trained %v times", step, i, count)
			}
		}
	}
	if len(seen) < 40 {
		t.Errorf("50 steps have only %d sets of paths", len(seen))
	}
}

// TestFairPathsReachTheClassifier, also in a space whose choices may be nothing.
func TestFairPathsReachTheClassifier(t *testing.T) {
	s, err := space.OfKind("nasbench-201").Open()
	if err != nil {
		t.Fatal(err)
	}
	cfg := DefaultNet()
	cfg.Space, cfg.Geometry = s, s.Geometry()
	c := DefaultTrain()
	c.Sampler, c.Paths = fair, 1
	x, err := c.course(cfg)
	if err != nil {
		t.Fatal(err)
	}
	redrawn := 0
	for step := range 200 {
		if first := x.fair(rng.New(c.Seed, "arch", uint64(step))); !x.connected(first) {
			redrawn++
		}
		if as := x.paths(step); !x.connected(as) {
			t.Fatalf("step %d: nothing reaches the classifier in one of %v", step, as)
		}
	}
	if redrawn == 0 {
		t.Error("no draw had a path of nothing: the test shows nothing")
	}
	c.Sampler = sandwich
	if _, err := c.course(cfg); err == nil || !strings.Contains(err.Error(), "smallest") {
		t.Errorf("the smallest path is one of nothing: %v", err)
	}
}

// TestExtremes: none of the architectures has more or fewer multiply-adds.
func TestExtremes(t *testing.T) {
	cfg := chainNet(t)
	costs, err := cfg.Costs()
	if err != nil {
		t.Fatal(err)
	}
	c := smallTrain(3)
	c.Sampler = sandwich
	x, err := c.course(cfg)
	if err != nil {
		t.Fatal(err)
	}
	largest, smallest := x.largest, x.smallest
	if !slices.Equal(largest, space.Arch{1, 2, 1}) || !slices.Equal(smallest, space.Arch{0, 0, 0}) {
		t.Errorf("largest %v, smallest %v", largest, smallest)
	}
	_, most, _ := costs(largest)
	_, least, _ := costs(smallest)
	for i := range 16 {
		if _, m, err := costs(space.Arch{i % 2, i / 2 % 4, i / 8}); err != nil || m > most || m < least {
			t.Errorf("architecture %d has %d multiply-adds, the largest %d and the smallest %d: %v", i, m, most, least, err)
		}
	}
}

// TestSamplingIsChecked: what makes no sense is refused, with the setting's name.
func TestSamplingIsChecked(t *testing.T) {
	for want, edit := range map[string]func(*TrainConfig){
		"sampler is ":     func(c *TrainConfig) { c.Sampler = "random" },
		"paths is 2":      func(c *TrainConfig) { c.Sampler, c.Paths = fair, 2 },
		"paths is 0":      func(c *TrainConfig) { c.Paths = 0 },
		"distill is true": func(c *TrainConfig) { c.Distill = true },
		"rank_weight is ": func(c *TrainConfig) { c.RankWeight = 1 },
		"drop_path is ":   func(c *TrainConfig) { c.Paths, c.DropPath = 2, 0.1 },
	} {
		c := smallTrain(3)
		edit(&c)
		if err := c.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q in %v", want, err)
		}
	}
	for name, edit := range samplings {
		c := smallTrain(3)
		edit(&c)
		if err := c.Check(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		err := CheckSampling(smallNet(t, "lanas"), c)
		if needs := c.Sampler != "uniform"; (err != nil) != needs || needs && !strings.Contains(err.Error(), "lanas2") {
			t.Errorf("%s on cells: %v", name, err)
		}
		n, err := NewArch(smallNet(t, "lanas"), make(space.Arch, 16), 1, newRuntime(t, 1))
		if err == nil {
			_, err = newTrainer(n, nil, c)
		}
		if err == nil {
			t.Errorf("%s: one architecture is trained along several paths", name)
		}
	}
}

// TestRankWeight grows in its share of the steps.
func TestRankWeight(t *testing.T) {
	c := Sampling{RankWeight: 2, RankRamp: 0.5}
	for step, want := range map[int]float64{0: 0, 10: 0.4, 49: 1.96, 50: 2, 99: 2} {
		if got := c.rankWeight(step, 100); !(math.Abs(got-want) <= 1e-12) {
			t.Errorf("step %d: %g, want %g", step, got, want)
		}
	}
	if c.RankRamp = 0; c.rankWeight(0, 100) != 2 {
		t.Error("without a ramp the weight is not there from the start")
	}
}

// TestPairs: neighbours of unequal multiply-adds that learn from the same.
func TestPairs(t *testing.T) {
	c := smallTrain(3)
	samplings["distill"](&c)
	x, err := c.course(chainNet(t))
	if err != nil {
		t.Fatal(err)
	}
	small, large := space.Arch{0, 0, 0}, space.Arch{1, 2, 1}
	for _, y := range []struct {
		distill bool
		as      []space.Arch
		want    []engine.Pair
	}{
		{true, []space.Arch{large, small, large, large}, []engine.Pair{{At: 1}}},
		{false, []space.Arch{large, small, small, large}, []engine.Pair{{At: 0, First: true}, {At: 2}}},
		{false, []space.Arch{large, large, large, small, small}, []engine.Pair{{At: 2, First: true}}},
		{false, []space.Arch{{0, 1, 0}, {0, 0, 0}}, nil}, // a pooling multiplies nothing
	} {
		x.c.Distill = y.distill
		if got, err := x.pairs(y.as); err != nil || !slices.Equal(got, y.want) {
			t.Errorf("%v: %v, %v, want %v", y.as, got, err, y.want)
		}
	}
}
