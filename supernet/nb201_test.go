package supernet

import (
	"math"
	"strings"
	"testing"

	"oneshot/supernet/net"
	"oneshot/supernet/space"
)

// smallBench201 is the space of NAS-Bench-201 at the least cost.
func smallBench201(t *testing.T) NetConfig {
	t.Helper()
	s, err := space.OfKind("nasbench-201").Open()
	if err != nil {
		t.Fatal(err)
	}
	return NetConfig{Space: s, Size: net.Size{Geometry: net.Geometry{Layers: 3, Channels: 2, StemMultiplier: 1}, Classes: 10, Image: 8, Affine: true}}
}

// TestBench201Trains: paths with every operation, of skips alone, with a sum of equal terms, and
// with parts that nothing reads. What is read learns, nothing else changes.
func TestBench201Trains(t *testing.T) {
	cfg := smallBench201(t)
	rt := newRuntime(t, 2)
	for text, moves := range map[string]string{
		"|nor_conv_1x1~0|+|none~0|nor_conv_3x3~1|+|skip_connect~0|avg_pool_3x3~1|nor_conv_3x3~2|":         "0_1.nor_conv_1x1 1_2.nor_conv_3x3 2_3.nor_conv_3x3",
		"|skip_connect~0|+|skip_connect~0|skip_connect~1|+|skip_connect~0|skip_connect~1|skip_connect~2|": "",
		"|none~0|+|none~0|avg_pool_3x3~1|+|nor_conv_1x1~0|none~1|nor_conv_3x3~2|":                         "0_3.nor_conv_1x1",
		"|none~0|+|none~0|none~1|+|avg_pool_3x3~0|none~1|none~2|":                                         "",
	} {
		_, a, err := space.ParseAny(text)
		if err != nil {
			t.Fatal(err)
		}
		n, err := New(cfg, 1, rt)
		if err != nil {
			t.Fatal(err)
		}
		before := map[string][]float32{}
		for _, x := range n.Tensors() {
			before[x.Name] = append([]float32(nil), x.F32...)
		}
		c := smallTrain(2)
		c.Batch, c.WarmupSteps, c.WeightDecay = 4, 0, 0
		tr := bare(t, n, c)
		path, err := tr.build(cfg.Space.Canonical(a))
		if err != nil {
			t.Fatal(err)
		}
		p := parity{cfg: cfg}
		p.Train.Batch, p.Net.Image, p.Net.Classes, p.Batches = c.Batch, cfg.Image, cfg.Classes, []uint64{1, 2}
		for s := range c.Steps {
			st, err := tr.take(path, p.batch(s))
			if err != nil {
				t.Fatal(err)
			}
			if !(st.Loss > 0 && st.Loss < 100 && st.GradNorm > 0) {
				t.Errorf("%s: %+v", text, st)
			}
		}
		if _, err := tr.Checkpoint(); err != nil {
			t.Fatal(err)
		}
		for _, x := range n.Tensors() {
			if x.F32 == nil || !strings.HasSuffix(x.Name, "conv.weight") {
				continue
			}
			want := true
			if _, edge, ok := strings.Cut(x.Name, ".edges."); ok {
				want = false
				for _, m := range strings.Fields(moves) {
					want = want || strings.HasPrefix(edge, m+".")
				}
			}
			moved := 0.0
			for i, v := range x.F32 {
				moved = max(moved, math.Abs(float64(v-before[x.Name][i])))
			}
			if moved > 0 != want {
				t.Errorf("%s: %s moved by %g, it learns: %v", text, x.Name, moved, want)
			}
		}
		tr.Close()
	}
}

// TestANetworkOfNothingIsCounted, though it cannot be built.
func TestANetworkOfNothingIsCounted(t *testing.T) {
	cfg := smallBench201(t)
	cfg.Size = net.Size{Geometry: cfg.Space.Geometry(), Classes: 10, Image: 32, Affine: true}
	for text, want := range map[string]int64{
		"|none~0|+|none~0|none~1|+|none~0|none~1|none~2|":                                                 73_306,
		"|none~0|+|none~0|nor_conv_3x3~1|+|none~0|none~1|skip_connect~2|":                                 73_306 + (1_531_546-73_306)/6,
		"|none~0|+|none~0|nor_conv_3x3~1|+|skip_connect~0|none~1|none~2|":                                 73_306 + (1_531_546-73_306)/6,
		"|nor_conv_3x3~0|+|nor_conv_3x3~0|avg_pool_3x3~1|+|skip_connect~0|nor_conv_3x3~1|skip_connect~2|": 802_426,
	} {
		_, a, err := space.ParseAny(text)
		if err != nil {
			t.Fatal(err)
		}
		params, _, err := cfg.Cost(a)
		if err != nil || params != want {
			t.Errorf("%s has %d parameters, %v, want %d", text, params, err, want)
		}
	}
	if _, _, err := cfg.Cost(space.Arch{9, 9, 9, 9, 9, 9}); err == nil {
		t.Error("an architecture outside the space is counted")
	}
	if _, err := NewArch(cfg, space.Arch{0, 0, 0, 0, 0, 0}, 1, newRuntime(t, 1)); err == nil || !strings.Contains(err.Error(), "nothing reaches the classifier") {
		t.Errorf("a network of nothing: %v", err)
	}
}
