package supernet

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"oneshot/internal/rng"
	"oneshot/supernet/space"
	"oneshot/weights"
)

// trained is a network of arch (nil: a supernet) whose statistics have moved.
func trained(t *testing.T, cfg NetConfig, arch space.Arch) *Net {
	t.Helper()
	n, err := newNet(cfg, arch, 7, newRuntime(t, 2))
	if err != nil {
		t.Fatal(err)
	}
	c := smallTrain(2)
	c.WarmupSteps = 0
	tr, err := NewTrainer(n, smallData(t).Train, c)
	if err != nil {
		t.Fatal(err)
	}
	defer tr.Close()
	for range c.Steps {
		if _, err := tr.Step(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	return n
}

func logitsOf(t *testing.T, n *Net, arch space.Arch) []float32 {
	t.Helper()
	v, err := n.Logits(arch, firstBatch(t, 4).X)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestInheritsAPath: with the values of a supernet without scales and shifts a network
// computes what the supernet's path does.
func TestInheritsAPath(t *testing.T) {
	cfg := smallNet(t, "lanas")
	arch := cfg.Space.Sample(rng.New(3, "test"))
	for _, affine := range []bool{false, true} {
		cfg.Affine = affine
		super := trained(t, cfg, nil)
		final := cfg
		final.Affine, final.Aux, final.AuxChannels = true, true, [2]int{6, 10}
		n, err := NewArch(final, arch, 1, super.rt)
		if err != nil {
			t.Fatal(err)
		}
		if want := logitsOf(t, super, arch); sameBits(logitsOf(t, n, arch), want) {
			t.Error("the network computes the same before: the test is blind")
		}
		drawn, err := n.Inherit(super.Tensors())
		if err != nil {
			t.Fatal(err)
		}
		if want := []string{"aux", "aux.classifier"}; !slices.Equal(drawn, want) {
			t.Errorf("drawn %v, want %v", drawn, want)
		}
		if got, want := logitsOf(t, n, arch), logitsOf(t, super, arch); !sameBits(got, want) {
			t.Errorf("affine %v: outputs %v, the supernet's %v", affine, got[:5], want[:5])
		}
	}
}

// TestInheritsForOtherClasses: only the classifiers keep their values.
func TestInheritsForOtherClasses(t *testing.T) {
	cfg := smallNet(t, "lanas")
	cfg.Aux, cfg.AuxChannels = true, [2]int{6, 10}
	arch := cfg.Space.Sample(rng.New(3, "test"))
	from := trained(t, cfg, arch)
	exported, err := from.Inference()
	if err != nil {
		t.Fatal(err)
	}
	cfg.Classes = 5
	for _, x := range []struct {
		ts    []weights.Tensor
		drawn []string
	}{
		{from.Tensors(), []string{"aux.classifier", "classifier"}},
		{exported.Tensors(), []string{"aux", "aux.classifier", "classifier"}},
	} {
		n, err := NewArch(cfg, arch, 1, from.rt)
		if err != nil {
			t.Fatal(err)
		}
		fresh, given := tensorsByName(n.Tensors()), tensorsByName(x.ts)
		drawn, err := n.Inherit(x.ts)
		if slices.Sort(drawn); err != nil || !slices.Equal(drawn, x.drawn) {
			t.Fatalf("drawn %v, %v, want %v", drawn, err, x.drawn)
		}
		for name, got := range tensorsByName(n.Tensors()) {
			want := given[name]
			if slices.Contains(drawn, name[:strings.LastIndexByte(name, '.')]) || strings.HasPrefix(name, "aux.") && slices.Contains(drawn, "aux") {
				want = fresh[name]
			}
			if !sameBits(got.F32, want.F32) || !slices.Equal(got.I64, want.I64) {
				t.Errorf("%s is not what was given, or drawn", name)
			}
		}
	}
}

func tensorsByName(ts []weights.Tensor) map[string]weights.Tensor {
	m := map[string]weights.Tensor{}
	for _, t := range ts {
		m[t.Name] = t
	}
	return m
}

// TestInheritRefuses: what does not fit is named, and nothing changes. A network without
// an auxiliary head does not mind one.
func TestInheritRefuses(t *testing.T) {
	cfg := smallNet(t, "lanas")
	cfg.Aux, cfg.AuxChannels = true, [2]int{6, 10}
	arch := cfg.Space.Sample(rng.New(3, "test"))
	from := trained(t, cfg, arch)
	plain := cfg
	plain.Aux = false
	n, err := NewArch(plain, arch, 1, from.rt)
	if err != nil {
		t.Fatal(err)
	}
	before := encode(t, weights.Checkpoint{Tensors: n.Tensors()})
	at := func(ts []weights.Tensor, name string) int {
		i := slices.IndexFunc(ts, func(x weights.Tensor) bool { return x.Name == name })
		if i < 0 {
			t.Fatalf("no tensor %s", name)
		}
		return i
	}
	without := func(name string) func([]weights.Tensor) []weights.Tensor {
		return func(ts []weights.Tensor) []weights.Tensor { i := at(ts, name); return slices.Delete(ts, i, i+1) }
	}
	cut := func(name string) func([]weights.Tensor) []weights.Tensor {
		return func(ts []weights.Tensor) []weights.Tensor { ts[at(ts, name)].Shape = []int{1}; return ts }
	}
	for _, x := range []struct {
		edit func([]weights.Tensor) []weights.Tensor
		want string
	}{
		{func(ts []weights.Tensor) []weights.Tensor { return ts }, ""},
		{without("stem.conv.weight"), "tensor stem.conv.weight is missing"},
		{without("stem.bn.weight"), "tensor stem.bn.weight is missing"},
		{without("stem.bn.running_var"), "tensor stem.bn.running_var is missing"},
		{without("classifier.bias"), "tensor classifier.bias is missing"},
		{cut("stem.conv.weight"), "tensor stem.conv.weight has shape [1]"},
		{cut("classifier.weight"), "tensor classifier.weight has shape [1]"},
		{func(ts []weights.Tensor) []weights.Tensor {
			return append(ts, weights.Tensor{Name: "stem.conv.bias", Shape: []int{1}, F32: []float32{1}})
		}, "1 unknown tensors, the first is stem.conv.bias"},
		{func(ts []weights.Tensor) []weights.Tensor {
			i := at(ts, "stem.conv.weight")
			ts[i].I64, ts[i].F32 = make([]int64, len(ts[i].F32)), nil
			return ts
		}, "tensor stem.conv.weight is not float32"},
	} {
		_, err := n.Inherit(x.edit(from.Tensors()))
		same := bytes.Equal(encode(t, weights.Checkpoint{Tensors: n.Tensors()}), before)
		switch {
		case x.want == "" && (err != nil || same):
			t.Errorf("%v, and nothing was inherited: %v", err, same)
		case x.want != "" && (err == nil || !strings.Contains(err.Error(), x.want)):
			t.Errorf("%v, want %q", err, x.want)
		case x.want != "" && !same:
			t.Errorf("%v, and the network has changed", err)
		}
		if x.want == "" {
			before = encode(t, weights.Checkpoint{Tensors: n.Tensors()})
		}
	}
}
