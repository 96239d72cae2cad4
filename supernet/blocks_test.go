package supernet

import (
	"math"
	"testing"

	"oneshot/ops"
	"oneshot/supernet/net"
	"oneshot/supernet/space"
)

// blocks is a space of one network, of what networks without cells are made of: blocks of
// MobileNetV2 (arXiv 1801.04381) with and without a residual, a dense cell and a residual
// block of NAS-Bench-201 (2001.00326).
type blocks struct{ space.Space }

func (blocks) Fits(net.Size) error      { return nil }
func (blocks) Check(space.Arch) error   { return nil }
func (blocks) Format(space.Arch) string { return "blocks:" }
func (blocks) Name() string             { return "blocks" }
func (blocks) Describe(z net.Size, _ space.Arch) (*net.Network, error) {
	const c = 8
	n := net.Begin(z.Image, 0)
	add := func(name string, op ops.Op, in ...int) int { return n.Add(net.Layer{Name: name, Op: op, In: in}) }
	block := func(name string, x, from, to, stride, k int) int {
		wide := 2 * from
		y := add(name, ops.ConvBN{Parts: 1, Cin: from, Cout: wide, Affine: true, Suffix: "1"}, x)
		y = add(name, ops.Depthwise{Act: ops.ReLU, C: wide, K: k, Stride: stride, Affine: true, Suffix: "2"}, y)
		return add(name, ops.ConvBN{Act: ops.ReLU, Parts: 1, Cin: wide, Cout: to, Affine: true, Suffix: "3"}, y)
	}
	dense := func(name string, x, from, to, stride int) int {
		return add(name, ops.Conv2D{Act: ops.ReLU, Cin: from, Cout: to, R: 3, S: 3, StrideH: stride, StrideW: stride, Affine: true}, x)
	}
	stem := add("stem", ops.Conv2D{Cin: 3, Cout: c, R: 3, S: 3, StrideH: 2, StrideW: 2, Images: true, Affine: true}, net.Images)
	x := block("layers.0", add("stem.act", ops.ActBN{Act: ops.ReLU, C: c, NoNorm: true}, stem), c, c, 2, 5)
	x = add("", ops.NodeSum{}, block("layers.1", x, c, c, 1, 3), x)
	a := dense("cells.0.0_1", x, c, c, 1)
	b := dense("cells.0.1_2", a, c, c, 1)
	x = add("", ops.NodeSum{Terms: 4}, x, a, b, add("cells.0.0_3", ops.PoolBN{C: c, Stride: 1, NoNorm: true}, x))
	down := add("cells.1.down", ops.AvgPool{Parts: 1, K: 2, Stride: 2}, x)
	x = add("", ops.NodeSum{}, dense("cells.1.a", x, c, 2*c, 2), add("cells.1.down", ops.ConvBN{Parts: 1, Cin: c, Cout: 2 * c, NoNorm: true}, down))
	x = add("last", ops.ActBN{Act: ops.ReLU, C: 2 * c, Affine: true}, x)
	x = add("", ops.AvgPool{Act: ops.ReLU, Parts: 1, K: z.Image / 8, Stride: 1}, x)
	n.Logits = add("classifier", ops.Linear{In: 2 * c, Out: z.Classes}, x)
	return n, nil
}

// TestCUDABlocksTrainLikeTheProcessor: a network without cells, in float32 and with bfloat16 activations.
func TestCUDABlocksTrainLikeTheProcessor(t *testing.T) {
	run := func(rt *Runtime) (StepStats, []float32) {
		cfg := smallNet(t, "full")
		cfg.Space = blocks{}
		n, err := NewArch(cfg, space.Arch{}, 1, rt)
		if err != nil {
			t.Fatal(err)
		}
		c := smallTrain(6)
		c.Batch = 8
		tr := bare(t, n, c)
		defer tr.Close()
		var st StepStats
		for range 3 {
			p, err := tr.graph()
			if err != nil {
				t.Fatal(err)
			}
			if st, err = tr.take(p, firstBatch(t, c.Batch)); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := tr.Checkpoint(); err != nil {
			t.Fatal(err)
		}
		return st, n.params
	}
	want, wp := run(newRuntime(t, 2))
	for _, half := range []bool{false, true} {
		tol := 1e-3
		if half {
			tol = 5e-2
		}
		got, gp := run(newDevice(t, half))
		if !(math.Abs(got.Loss-want.Loss) <= tol*want.Loss) {
			t.Errorf("half %v: loss %g, on the processor %g", half, got.Loss, want.Loss)
		}
		closeTo(t, "parameters", gp, wp, tol)
	}
}
