package supernet

import (
	"fmt"
	"strings"
	"testing"

	"oneshot/data"
	"oneshot/supernet/engine"
	"oneshot/supernet/net"
	"oneshot/supernet/space"
	"oneshot/weights"
)

// TestSandwichParityWithPyTorch: losses and every gradient of a step on the largest path, the smallest and another, distilled
// in place or not, with a ranking loss between two of them or not, are what autograd gives, on both devices.
func TestSandwichParityWithPyTorch(t *testing.T)     { sandwichParity(t, newRuntime(t, 2)) }
func TestCUDASandwichParityWithPyTorch(t *testing.T) { sandwichParity(t, newDevice(t, false)) }

func sandwichParity(t *testing.T, rt *Runtime) {
	const batch, classes, weight = 4, 7, 0.5
	f, err := weights.ReadSafetensors("testdata/sandwich.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	golden := tensorsByName(f.Tensors)
	s, err := space.OfKind("nasbench-macro").Open()
	if err != nil {
		t.Fatal(err)
	}
	z := net.Size{Geometry: s.Geometry(), Classes: classes, Image: 16, Affine: true}
	z.Channels = 4
	n, err := New(NetConfig{Space: s, Size: z}, 1, rt)
	if err != nil {
		t.Fatal(err)
	}
	var init []weights.Tensor
	for name, x := range golden {
		if rest, ok := strings.CutPrefix(name, "init/"); ok {
			x.Name = rest
			init = append(init, x)
		}
	}
	if err := n.SetTensors(init); err != nil {
		t.Fatal(err)
	}
	var paths []space.Arch
	for _, text := range []string{"22222222", "00000000", "12021012"} {
		a, err := s.Parse("nasbench-macro:" + text)
		if err != nil {
			t.Fatal(err)
		}
		paths = append(paths, a)
	}
	b := &data.Batch{N: batch, X: lasting(golden["x"]), Y: make([]int32, batch)}
	for i, y := range golden["labels"].I64 {
		b.Y[i] = int32(y)
	}
	compared := 0
	for i, how := range []string{"labels", "distilled"} {
		for _, rank := range []bool{false, true} {
			prefix := how + "/plain/"
			if rank {
				prefix = how + "/ranked/"
			}
			losses := golden[prefix+"losses"].F32
			st := engine.Step{Batch: b}
			if rank {
				st.Pairs, st.Weight = []engine.Pair{{At: 1, First: losses[1] > losses[2]}}, weight
				st.Margin = float64(golden["margins"].F32[i])
			}
			v := several{t, n, rt}
			tr := v.trainer(func(c *engine.TrainSpec) {
				c.Graph.Batch, c.Batch, c.Paths, c.Sum, c.InPlace, c.Rank = batch, batch, 3, true, how == "distilled", rank
			})
			o, grads, _ := v.step(tr, st, paths...)
			near(t, prefix+"mean of losses", []float32{float32(o.Loss)}, []float32{(losses[0] + losses[1] + losses[2]) / 3})
			for _, g := range n.paramTensors("", grads) {
				if want, ok := golden[prefix+"grad/"+g.Name]; ok {
					near(t, fmt.Sprintf("%sgradient of %s", prefix, g.Name), g.F32, want.F32)
					compared++
				}
			}
		}
	}
	if compared < 100 {
		t.Errorf("only %d gradients are compared", compared)
	}
}
