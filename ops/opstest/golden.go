package opstest

import (
	"fmt"
	"testing"

	"oneshot/ops"
	"oneshot/weights"
)

// goldenCase is one operation of ops/testdata/ops_golden.py, where its parameters
// and normalisations have the names that the operation gives them.
type goldenCase struct {
	name string
	op   ops.Op
}

// goldenCases lists what PyTorch computed. The script's aux_head is a chain of
// these operations and is compared within the whole network (supernet's
// parity test); its factorized_reduce_odd has no counterpart, since an odd
// size is refused.
func goldenCases() []goldenCase {
	cs := []goldenCase{
		{"stem", ops.Stem{Cin: 3, Cout: 4, Affine: true}},
		{"relu_conv_bn", ops.ConvBN{Act: ops.ReLU, Parts: 1, Cin: 4, Cout: 3, Affine: true}},
		{"factorized_reduce", ops.FactorizedReduce{Parts: 1, Cin: 3, Cout: 4, Affine: true}},
		{"max_pool_3x3_s1_noaffine", ops.PoolBN{Max: true, C: 4, Stride: 1}},
		{"sep_conv_3x3_s1_noaffine", ops.Separable{C: 4, K: 3, Stride: 1, Dil: 1, Stages: 2}},
		{"global_avg_pool", ops.GlobalAvgPool{Parts: 1}},
		{"linear", ops.Linear{In: 4, Out: 3}},
	}
	for _, v := range []struct {
		stride int
		suffix string
		kernel []int
	}{{1, "s1", []int{3, 5, 7}}, {2, "s2", []int{3, 5, 7}}, {2, "s2_odd", []int{3}}} {
		for _, k := range v.kernel {
			sep := ops.Separable{C: 4, K: k, Stride: v.stride, Dil: 1, Stages: 2, Affine: true}
			cs = append(cs, goldenCase{sep.Name() + "_" + v.suffix, sep})
			if k < 7 {
				dil := ops.Separable{C: 4, K: k, Stride: v.stride, Dil: 2, Stages: 1, Affine: true}
				cs = append(cs, goldenCase{dil.Name() + "_" + v.suffix, dil})
			}
		}
		for _, isMax := range []bool{true, false} {
			pool := ops.PoolBN{Max: isMax, C: 4, Stride: v.stride, Affine: true}
			cs = append(cs, goldenCase{pool.Name() + "_" + v.suffix, pool})
			pool.Affine, pool.NoNorm = false, true
			cs = append(cs, goldenCase{pool.Name() + "_" + v.suffix + "_nonorm", pool})
		}
	}
	for _, v := range []struct {
		s      int
		suffix string
	}{{1, "s1"}, {2, "s2"}, {2, "s2_odd"}} {
		cs = append(cs,
			goldenCase{"conv_3x3_images_" + v.suffix, ops.Conv2D{Cin: 3, Cout: 4, R: 3, S: 3, StrideH: v.s, StrideW: v.s, Images: true, Affine: true, Suffix: "1"}},
			goldenCase{"conv_3x3_" + v.suffix, ops.Conv2D{Act: ops.ReLU, Cin: 4, Cout: 6, R: 3, S: 3, StrideH: v.s, StrideW: v.s, Affine: true, Suffix: "2"}},
			goldenCase{"conv_1x7_" + v.suffix, ops.Conv2D{Act: ops.ReLU, Cin: 4, Cout: 4, R: 1, S: 7, StrideH: 1, StrideW: v.s, NoNorm: true, Suffix: "1"}},
			goldenCase{"conv_7x1_" + v.suffix, ops.Conv2D{Cin: 4, Cout: 4, R: 7, S: 1, StrideH: v.s, StrideW: 1, Suffix: "2"}})
	}
	return append(append(cs, standardGolden()...), blockGolden()...)
}

// blockGolden lists the script's block_cases.
func blockGolden() []goldenCase {
	cs := []goldenCase{
		{"relu_bn", ops.ActBN{Act: ops.ReLU, C: 4, Affine: true}},
		{"bn", ops.ActBN{C: 4, Suffix: "2"}},
		{"relu", ops.ActBN{Act: ops.ReLU, C: 4, NoNorm: true}},
		{"avg_pool_2x2", ops.AvgPool{Parts: 1, K: 2, Stride: 2}},
		{"relu_avg_pool_3x3", ops.AvgPool{Act: ops.ReLU, Parts: 1, K: 3, Stride: 2}},
		{"relu_avg_pool_6x6", ops.AvgPool{Act: ops.ReLU, Parts: 1, K: 6, Stride: 1}},
	}
	for _, k := range []int{3, 5, 7} {
		for _, stride := range []int{1, 2} {
			name := fmt.Sprintf("depthwise_%dx%d_s%d", k, k, stride)
			cs = append(cs,
				goldenCase{name, ops.Depthwise{Act: ops.ReLU, C: 4, K: k, Stride: stride, Affine: true}},
				goldenCase{name + "_odd", ops.Depthwise{C: 4, K: k, Stride: stride, Suffix: "2"}})
		}
	}
	return cs
}

// goldenSum compares the sum of four terms, the second and last of which have a mask.
func goldenSum(t *testing.T, m Machine, by map[string]weights.Tensor, tol float64) {
	op := ops.NodeSum{Terms: 4, Drop: 0b1010}
	var c Case
	var in [][]float64
	for _, name := range []string{"x0", "x1", "x2", "x3", "mask1", "mask3"} {
		x := by["node_sum/"+name]
		shape := ops.Shape(x.Shape)
		if len(shape) == 4 {
			shape = ops.Shape{x.Shape[0], x.Shape[2], x.Shape[3], x.Shape[1]}
		}
		c.In, in = append(c.In, shape), append(in, nhwc(x))
	}
	c.Op = op
	b := lay(t, m, c)
	near(t, "sum", b.forward(t, ops.Train, in, nil), nhwc(by["node_sum/y"]), tol)
	d := b.backward(t, nhwc(by["node_sum/dy"]))
	for i := range op.Terms {
		near(t, fmt.Sprintf("d x%d", i), d[i], nhwc(by[fmt.Sprintf("node_sum/d_x%d", i)]), tol)
	}
}

// standardGolden lists the script's standard_cases.
func standardGolden() []goldenCase {
	cs := []goldenCase{
		{"relu_conv_bn_standard", ops.ConvBN{Act: ops.ReLU, Parts: 1, Cin: 4, Cout: 3, Affine: true, Standard: true}},
		{"relu_conv_nonorm", ops.ConvBN{Act: ops.ReLU, Parts: 1, Cin: 4, Cout: 3, NoNorm: true}},
		{"relu_conv_nonorm_flatten", ops.ConvBN{Act: ops.ReLU, Flatten: 2, Parts: 1, Cin: 12, Cout: 5, NoNorm: true}},
	}
	for _, v := range [][2]int{{3, 1}, {5, 2}, {7, 1}} {
		op := ops.Separable{C: 4, K: v[0], Stride: v[1], Dil: 1, Stages: 2, Affine: true, Standard: true}
		cs = append(cs, goldenCase{fmt.Sprintf("%s_s%d_standard", op.Name(), op.Stride), op})
	}
	for _, v := range [][2]int{{3, 2}, {5, 1}} {
		op := ops.Separable{C: 4, K: v[0], Stride: v[1], Dil: 2, Stages: 1, Affine: true, Standard: true}
		cs = append(cs, goldenCase{fmt.Sprintf("%s_s%d_standard", op.Name(), op.Stride), op})
	}
	return cs
}

// Golden compares every operation with PyTorch: outputs in training and
// evaluation mode, all gradients, running statistics. file is
// ops_golden.safetensors; tol is relative to the largest value of each tensor.
func Golden(t *testing.T, newMachine func() Machine, file string, tol float64) {
	f, err := weights.ReadSafetensors(file)
	if err != nil {
		t.Fatal(err)
	}
	by := map[string]weights.Tensor{}
	for _, x := range f.Tensors {
		by[x.Name] = x
	}
	for _, g := range goldenCases() {
		t.Run(g.name, func(t *testing.T) { g.run(t, newMachine(), by, tol) })
	}
	t.Run("node_sum", func(t *testing.T) { goldenSum(t, newMachine(), by, tol) })
	for name, smoothing := range map[string]float64{"softmax_xent": 0, "softmax_xent_smooth": 0.1} {
		t.Run(name, func(t *testing.T) {
			x, labels := by[name+"/x"], by[name+"/labels"]
			b := lay(t, newMachine(), Case{Op: ops.SoftmaxXent{Smoothing: smoothing}, In: []ops.Shape{x.Shape, labels.Shape}})
			y := make([]float64, len(labels.I64))
			for i, l := range labels.I64 {
				y[i] = float64(l)
			}
			near(t, "loss", b.forward(t, ops.Train, [][]float64{nhwc(x), y}, nil), nhwc(by[name+"/y"]), tol)
			near(t, "d x", b.backward(t, []float64{1})[0], nhwc(by[name+"/d_x"]), tol)
		})
	}
	for name, op := range map[string]ops.SoftXent{"soft_xent": {Weight: 1, Temperature: 1}, "distill": {Weight: 0.3, Temperature: 4}} {
		t.Run(name, func(t *testing.T) {
			x, targets := by[name+"/x"], by[name+"/targets"]
			b := lay(t, newMachine(), Case{Op: op, In: []ops.Shape{x.Shape, targets.Shape}})
			near(t, "loss", b.forward(t, ops.Train, [][]float64{nhwc(x), nhwc(targets)}, nil), nhwc(by[name+"/y"]), tol)
			near(t, "d x", b.backward(t, []float64{1})[0], nhwc(by[name+"/d_x"]), tol)
		})
	}
}

func (g goldenCase) run(t *testing.T, m Machine, by map[string]weights.Tensor, tol float64) {
	at := func(name string) weights.Tensor {
		x, ok := by[g.name+"/"+name]
		if !ok {
			t.Fatalf("the golden file has no %s/%s", g.name, name)
		}
		return x
	}
	x := at("x")
	shape := ops.Shape{x.Shape[0], 1, 1, x.Shape[1]}
	if len(x.Shape) == 4 {
		shape = ops.Shape{x.Shape[0], x.Shape[2], x.Shape[3], x.Shape[1]}
	}
	c := Case{Op: g.op, In: []ops.Shape{shape}}
	in := [][]float64{nhwc(x)}
	params := g.op.Params()
	for _, p := range params {
		w := at(p.Name)
		if !p.File.Eq(w.Shape) {
			t.Errorf("%s has shape %v, in PyTorch %v", p.Name, p.File, w.Shape)
		}
		in = append(in, hwio(w))
	}
	state := func(prefix string) []float64 {
		var s []float64
		for _, n := range g.op.Norms() {
			s = append(append(s, nhwc(at(prefix+n.Name+".running_mean"))...), nhwc(at(prefix+n.Name+".running_var"))...)
		}
		return s
	}
	b := lay(t, m, c)
	near(t, "output", b.forward(t, ops.Train, in, state("")), nhwc(at("y")), tol)
	near(t, "running statistics", b.states(), state("after."), tol)
	d := b.backward(t, nhwc(at("dy")))
	if g.op.Diff(0) {
		near(t, "d x", d[0], nhwc(at("d_x")), tol)
	}
	for i, p := range params {
		near(t, "d "+p.Name, d[i+1], hwio(at("d_"+p.Name)), tol)
	}
	near(t, "output in evaluation mode", b.forward(t, ops.Eval, in, state("after.")), nhwc(at("y_eval")), tol)
}

// nhwc returns a tensor's values with the channels last.
func nhwc(x weights.Tensor) []float64 {
	out := make([]float64, len(x.F32))
	c, hw := len(x.F32), 1
	if len(x.Shape) == 4 {
		c, hw = x.Shape[1], x.Shape[2]*x.Shape[3]
	}
	for i, v := range x.F32 {
		n, j, k := i/(c*hw), i/hw%c, i%hw
		out[(n*hw+k)*c+j] = float64(v)
	}
	return out
}

// hwio returns a weight's values in the layout of the ops: (O,I,R,S) as
// (R,S,I,O), (O,I) as (I,O).
func hwio(w weights.Tensor) []float64 {
	out := make([]float64, len(w.F32))
	o, i := w.Shape[0], 1
	if len(w.Shape) > 1 {
		i = w.Shape[1]
	}
	rs := len(out) / (o * i)
	for n, v := range w.F32 {
		out[(n%rs*i+n/rs%i)*o+n/(rs*i)] = float64(v)
	}
	return out
}
