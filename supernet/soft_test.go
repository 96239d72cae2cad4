package supernet

import (
	"fmt"
	"strings"
	"testing"

	"oneshot/data"
	"oneshot/ops"
	"oneshot/supernet/net"
	"oneshot/supernet/space"
	"oneshot/weights"
)

// softGolden is what testdata/soft.py computed, by the names of the tensors.
func softGolden(t *testing.T) map[string]weights.Tensor {
	t.Helper()
	f, err := weights.ReadSafetensors("testdata/soft.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	return tensorsByName(f.Tensors)
}

// lasting is the images (N,3,H,W) of a tensor as (N,H,W,3).
func lasting(x weights.Tensor) []float32 {
	n, hw := x.Shape[0], x.Shape[2]*x.Shape[3]
	out := make([]float32, len(x.F32))
	for i := range n {
		for c := range 3 {
			for k := range hw {
				out[(i*hw+k)*3+c] = x.F32[(i*3+c)*hw+k]
			}
		}
	}
	return out
}

// TestSoftParityWithPyTorch: five steps on mixed and smoothed targets, with an auxiliary
// head and a teacher that wants other images, on both devices.
func TestSoftParityWithPyTorch(t *testing.T)     { softParity(t, newRuntime(t, 2)) }
func TestCUDASoftParityWithPyTorch(t *testing.T) { softParity(t, newDevice(t, false)) }

func softParity(t *testing.T, rt *Runtime) {
	const batch, steps, classes = 4, 5, 7
	golden := softGolden(t)
	group := func(prefix string) (ts []weights.Tensor) {
		for name, x := range golden {
			if rest, ok := strings.CutPrefix(name, prefix); ok {
				x.Name = rest
				ts = append(ts, x)
			}
		}
		return ts
	}
	sp, err := space.New("lanas", 2)
	if err != nil {
		t.Fatal(err)
	}
	arch, err := sp.Parse("lanas2:0.sep_conv_3x3+1.skip_connect,0.max_pool_3x3+2.sep_conv_5x5:0.skip_connect+1.sep_conv_3x3,1.skip_connect+2.sep_conv_3x3")
	if err != nil {
		t.Fatal(err)
	}
	open := func(prefix string, z net.Size) *Net {
		n, err := NewArch(NetConfig{Space: sp, Size: z}, arch, 1, rt)
		if err != nil {
			t.Fatal(err)
		}
		if err := n.SetTensors(group(prefix)); err != nil {
			t.Fatal(err)
		}
		return n
	}
	z := net.Size{Geometry: net.Geometry{Layers: 3, Channels: 4, StemMultiplier: 4}, Classes: classes, Image: 32, Affine: true, Aux: true, AuxChannels: [2]int{6, 10}}
	n := open("init/", z)
	z.Channels, z.Image, z.Aux = 6, 20, false
	c := DefaultTrain()
	c.Steps, c.Batch, c.LR, c.MinLR, c.WeightDecay, c.Clip, c.Smoothing, c.Aux = steps, batch, 0.01, 0.01, 3e-3, 5, 0.1, 0.4
	c.DistillRatio, c.DistillTemperature = 0.3, 4
	c.Mean, c.Std = [3]float32{0.5, 0.45, 0.4}, [3]float32{0.25, 0.2, 0.3}
	c.Teacher = &Teacher{Net: open("teacher/", z), Mean: [3]float32{0.4, 0.5, 0.55}, Std: [3]float32{0.2, 0.3, 0.25}}
	x, targets := lasting(golden["x"]), golden["targets"].F32
	tr, err := NewTrainerOn(n, func(step int) *data.Batch {
		b := &data.Batch{N: batch, X: x, Y: make([]int32, batch), T: targets[step*batch*classes:][:batch*classes]}
		for i := range b.Y {
			for k, v := range b.T[i*classes:][:classes] {
				if v > b.T[i*classes+int(b.Y[i])] {
					b.Y[i] = int32(k)
				}
			}
		}
		return b
	}, c)
	if err != nil {
		t.Fatal(err)
	}
	defer tr.Close()
	tr.Hold(true) // so that the first gradient can be read
	for s := range steps {
		st, err := tr.Step(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if s == 0 {
			near(t, "teacher's distributions", tr.taught.out, golden["taught"].F32)
			for _, g := range n.paramTensors("", left(t, tr.eng, tr.fixed.Graph, ops.Mem{Region: ops.Grad, Len: len(n.params)})) {
				near(t, "gradient of "+g.Name, g.F32, golden["grad/"+g.Name].F32)
			}
		}
		near(t, "loss", []float32{float32(st.Loss)}, golden["losses"].F32[s:s+1])
		near(t, "gradient norm", []float32{float32(st.GradNorm)}, golden["grad_norms"].F32[s:s+1])
	}
	if _, err := tr.Checkpoint(); err != nil {
		t.Fatal(err)
	}
	final := tensorsByName(n.Tensors())
	for _, want := range group("final/") {
		if want.I64 == nil {
			near(t, "after five steps: "+want.Name, final[want.Name].F32, want.F32)
		}
	}
	logits, err := n.Logits(arch, x)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "eval logits", logits, golden["eval/logits"].F32)
}

// TestViewResizesLikePyTorch: larger, smaller and the same, also of one pixel.
func TestViewResizesLikePyTorch(t *testing.T) {
	golden := softGolden(t)
	for _, v := range [][2]int{{5, 8}, {8, 5}, {7, 3}, {4, 4}, {1, 3}} {
		name := fmt.Sprintf("view/%dx%d/", v[0], v[1])
		want := lasting(golden[name+"y"])
		got := make([]float32, len(want))
		newView(v[0], v[1]).put(got, lasting(golden[name+"x"]))
		near(t, name, got, want)
	}
}
