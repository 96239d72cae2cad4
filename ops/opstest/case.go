// Package opstest is the conformance suite of ops.Backend: every backend runs
// the same operations on the same inputs and must agree with the float64
// processor backend, whose gradients are in turn checked by finite differences
// and against PyTorch.
//
// A backend's own test calls Conformance with a Machine around it:
//
//	func TestConformance(t *testing.T) {
//		opstest.Conformance(t, func() opstest.Machine { return ... }, 1e-5)
//	}
package opstest

import (
	"fmt"
	"math/bits"
	"math/rand/v2"
	"slices"
	"strings"

	"oneshot/ops"
	"oneshot/ops/cpu"
)

// Machine is a backend whose memory a test can fill and read.
type Machine interface {
	ops.Backend
	// Resize gives region r room for n elements.
	Resize(r ops.Region, n int)
	Write(m ops.Mem, v []float64)
	Read(m ops.Mem) []float64
}

// typed is a machine that keeps activations and their gradients in another type
// than the rest: it is told which memory holds them.
type typed interface{ Activation(m ops.Mem) }

// CPU returns the processor backend as a Machine.
func CPU[T cpu.Float](pool *cpu.Pool) Machine { return cpuMachine[T]{ops.NewCPU[T](pool)} }

type cpuMachine[T cpu.Float] struct{ *ops.CPU[T] }

func (m cpuMachine[T]) Resize(r ops.Region, n int) { m.Bind(r, make([]T, n)) }
func (m cpuMachine[T]) Write(at ops.Mem, v []float64) {
	for i, x := range v {
		m.At(at)[i] = T(x)
	}
}
func (m cpuMachine[T]) Read(at ops.Mem) []float64 {
	out := make([]float64, at.Len)
	for i, x := range m.At(at) {
		out[i] = float64(x)
	}
	return out
}

// Case is one operation on activations of given shapes; its parameters follow from
// the operation.
type Case struct {
	Name string
	Op   ops.Op
	In   []ops.Shape
	// Labels marks the input that holds class numbers below Classes, or -1.
	Labels, Classes int
	// Targets says that the second input holds distributions over its last dimension.
	Targets bool
	// Ties makes many values of the first input equal, for an op that chooses one.
	Ties bool
	// Flat makes the weights of the first output channel equal. Their standard deviation
	// has no derivative by finite differences.
	Flat bool
	// Odd makes parameters and statistics begin where no vector load may: in a network
	// they lie one behind the other, and those before may be odd in number.
	Odd bool
	// Deferred gives the differentiated images among the inputs coefficients of a
	// batch normalisation that the op has to apply, and something to add to their
	// gradients where the op can.
	Deferred bool
}

// diff says whether input i, activation or parameter, is differentiated.
func (c Case) diff(i int) bool { return i >= len(c.In) || c.Op.Diff(i) }

// activation says whether input i is a result of the network's own operations,
// with channels, and not a parameter, the images themselves, labels or a mask.
func (c Case) activation(i int) bool { return i < len(c.In) && len(c.In[i]) == 4 && c.Op.Diff(i) }

// Cases lists every operation with small shapes: odd sizes, both strides, with
// and without affine parameters.
func Cases() []Case {
	var cs []Case
	add := func(name string, op ops.Op, in ...ops.Shape) {
		cs = append(cs, Case{Name: name, Op: op, In: in, Labels: -1})
	}
	for _, affine := range []bool{true, false} {
		tag := map[bool]string{true: "affine", false: "plain"}[affine]
		for _, act := range []ops.Activation{ops.Identity, ops.ReLU} {
			add(fmt.Sprintf("conv_bn/%s/%v", tag, act), ops.ConvBN{Act: act, Parts: 1, Cin: 5, Cout: 6, Affine: affine}, ops.Shape{2, 3, 5, 5})
		}
		y := ops.Shape{2, 3, 5, 4}
		add("conv_bn/"+tag+"/parts=3", ops.ConvBN{Act: ops.ReLU, Parts: 3, Cin: 12, Cout: 7, Affine: affine}, y, y, y)
		add("conv_bn/"+tag+"/flatten", ops.ConvBN{Act: ops.ReLU, Flatten: 2, Parts: 1, Cin: 12, Cout: 5, Affine: affine}, ops.Shape{7, 2, 2, 3})
		y = ops.Shape{2, 6, 4, 3}
		add("factorized_reduce/"+tag, ops.FactorizedReduce{Parts: 1, Cin: 3, Cout: 4, Affine: affine}, y)
		add("factorized_reduce/"+tag+"/parts=2", ops.FactorizedReduce{Parts: 2, Cin: 6, Cout: 4, Affine: affine}, y, y)
		add("stem/"+tag, ops.Stem{Cin: 3, Cout: 5, Affine: affine}, ops.Shape{2, 5, 6, 3})
		for _, k := range []int{3, 5, 7} {
			for _, stride := range []int{1, 2} {
				add(fmt.Sprintf("sep_conv_%dx%d/%s/stride=%d", k, k, tag, stride),
					ops.Separable{C: 3, K: k, Stride: stride, Dil: 1, Stages: 2, Affine: affine}, ops.Shape{2, 6, 7, 3})
				if k < 7 {
					add(fmt.Sprintf("dil_conv_%dx%d/%s/stride=%d", k, k, tag, stride),
						ops.Separable{C: 3, K: k, Stride: stride, Dil: 2, Stages: 1, Affine: affine}, ops.Shape{2, 6, 7, 3})
				}
			}
		}
		for _, isMax := range []bool{true, false} {
			for _, stride := range []int{1, 2} {
				op := ops.PoolBN{Max: isMax, C: 3, Stride: stride, Affine: affine}
				add(fmt.Sprintf("%s/%s/stride=%d", op.Name(), tag, stride), op, ops.Shape{2, 5, 6, 3})
				cs[len(cs)-1].Ties = isMax
			}
		}
	}
	for _, isMax := range []bool{true, false} {
		for _, stride := range []int{1, 2} {
			for _, x := range []ops.Shape{{2, 5, 6, 3}, {2, 6, 5, 4}, {3, 1, 7, 4}} {
				op := ops.PoolBN{Max: isMax, C: x[3], Stride: stride, NoNorm: true}
				add(fmt.Sprintf("%s/nonorm/stride=%d/%dx%d", op.Name(), stride, x[1], x[2]), op, x)
				cs[len(cs)-1].Ties = isMax
			}
		}
	}
	x := ops.Shape{3, 2, 4, 3}
	add("avg_pool/relu/stride=3", ops.AvgPool{Act: ops.ReLU, Parts: 2, K: 5, Stride: 3}, ops.Shape{2, 8, 8, 3}, ops.Shape{2, 8, 8, 3})
	add("avg_pool/relu/stride=2", ops.AvgPool{Act: ops.ReLU, Parts: 1, K: 5, Stride: 2}, ops.Shape{2, 7, 7, 3})
	add("avg_pool/2x2", ops.AvgPool{Parts: 1, K: 2, Stride: 2}, ops.Shape{2, 5, 6, 3})
	add("avg_pool/3x3/parts=2", ops.AvgPool{Parts: 2, K: 3, Stride: 1}, ops.Shape{2, 4, 5, 2}, ops.Shape{2, 4, 5, 2})
	add("avg_pool/relu/global", ops.AvgPool{Act: ops.ReLU, Parts: 1, K: 4, Stride: 1}, ops.Shape{2, 4, 4, 5})
	for _, act := range []ops.Activation{ops.Identity, ops.ReLU} {
		for _, affine := range []bool{true, false} {
			op := ops.ActBN{Act: act, C: 3, Affine: affine, Suffix: "2"}
			add(fmt.Sprintf("%s/affine=%v", op.Name(), affine), op, ops.Shape{2, 5, 6, 3})
		}
		op := ops.ActBN{Act: act, C: 3, NoNorm: true}
		add(op.Name(), op, ops.Shape{2, 5, 6, 3})
		for _, k := range []int{3, 5, 7} {
			for _, stride := range []int{1, 2} {
				op := ops.Depthwise{Act: act, C: 3, K: k, Stride: stride, Affine: stride == 1 == (act == ops.ReLU)}
				add(fmt.Sprintf("%s/%v/stride=%d", op.Name(), act, stride), op, ops.Shape{2, 6, 7, 3})
			}
		}
	}
	add("global_avg_pool", ops.GlobalAvgPool{Parts: 1}, x)
	add("global_avg_pool/parts=2", ops.GlobalAvgPool{Parts: 2}, x, x)
	add("node_sum", ops.NodeSum{}, x, x)
	add("node_sum/drop=a", ops.NodeSum{Drop: 1}, x, x, ops.Shape{3})
	add("node_sum/drop=b", ops.NodeSum{Drop: 2}, x, x, ops.Shape{3})
	add("node_sum/drop=ab", ops.NodeSum{Drop: 3}, x, x, ops.Shape{3}, ops.Shape{3})
	for n := 3; n <= ops.MaxTerms; n++ {
		in := slices.Repeat([]ops.Shape{x}, n)
		add(fmt.Sprintf("node_sum/terms=%d", n), ops.NodeSum{Terms: n}, in...)
		drop := uint8(0b10100101) & (1<<n - 1)
		in = append(in, slices.Repeat([]ops.Shape{{3}}, bits.OnesCount8(drop))...)
		add(fmt.Sprintf("node_sum/terms=%d/drop=%b", n, drop), ops.NodeSum{Terms: n, Drop: drop}, in...)
	}
	add("linear", ops.Linear{In: 5, Out: 4}, ops.Shape{3, 1, 1, 5})
	add("linear/relu", ops.Linear{Act: ops.ReLU, In: 5, Out: 4}, ops.Shape{3, 1, 1, 5})
	add("add_scaled", ops.AddScaled{Scale: 0.4}, ops.Shape{}, ops.Shape{})
	for _, s := range []float64{0, 0.1} {
		cs = append(cs, Case{Name: fmt.Sprintf("softmax_xent/smoothing=%g", s), Op: ops.SoftmaxXent{Smoothing: s},
			In: []ops.Shape{{4, 5}, {4}}, Labels: 1, Classes: 5})
	}
	for _, t := range []float64{1, 2.5} {
		for _, x := range []ops.Shape{{4, 5}, {3, 40}, {11, 2}} { // more classes than a warp has lanes, more images than a block has warps
			cs = append(cs, Case{Name: fmt.Sprintf("soft_xent/temperature=%g/classes=%d", t, x[1]), Op: ops.SoftXent{Weight: 0.7, Temperature: t},
				In: []ops.Shape{x, x}, Labels: -1, Targets: true})
		}
	}
	conv2DCases(add)
	wide := func(c, w int) { // channels that vector loads and tiles like, and rows of w pixels
		tag := fmt.Sprintf("/c=%d", c)
		x := ops.Shape{2, 4, w, c}
		add("conv_bn"+tag, ops.ConvBN{Act: ops.ReLU, Parts: 2, Cin: 2 * c, Cout: c, Affine: true}, x, x)
		add("factorized_reduce"+tag, ops.FactorizedReduce{Parts: 1, Cin: c, Cout: c, Affine: true}, ops.Shape{2, 4, 6, c})
		add("stem"+tag, ops.Stem{Cin: 3, Cout: c, Affine: true}, ops.Shape{2, 4, 5, 3})
		for _, k := range []int{3, 5} {
			for _, s := range [][2]int{{1, 1}, {2, 1}, {1, 2}, {2, 2}} {
				add(fmt.Sprintf("dil_conv_%dx%d%s/stride=%d/dilation=%d", k, k, tag, s[0], s[1]), ops.Separable{C: c, K: k, Stride: s[0], Dil: s[1], Stages: 1, Affine: true}, x)
			}
		}
		for _, isMax := range []bool{true, false} {
			op := ops.PoolBN{Max: isMax, C: c, Stride: 1, Affine: true}
			add(op.Name()+tag, op, x)
			cs[len(cs)-1].Ties = isMax
			for _, stride := range []int{1, 2} {
				op := ops.PoolBN{Max: isMax, C: c, Stride: stride, NoNorm: true}
				add(fmt.Sprintf("%s/nonorm%s/stride=%d", op.Name(), tag, stride), op, x)
				cs[len(cs)-1].Ties = isMax
			}
		}
		add("node_sum"+tag, ops.NodeSum{Drop: 1}, x, x, ops.Shape{2})
		add("node_sum/terms=4"+tag, ops.NodeSum{Terms: 4, Drop: 4}, x, x, x, x, ops.Shape{2})
		for _, stride := range []int{1, 2} {
			for _, k := range []int{3, 5} {
				op := ops.Depthwise{Act: ops.ReLU, C: c, K: k, Stride: stride, Affine: true}
				add(fmt.Sprintf("%s%s/stride=%d", op.Name(), tag, stride), op, x)
			}
			add(fmt.Sprintf("avg_pool%s/stride=%d", tag, stride), ops.AvgPool{Act: ops.ReLU, Parts: 2, K: 2, Stride: stride}, x, x)
		}
		add("relu_bn"+tag, ops.ActBN{Act: ops.ReLU, C: c, Affine: true}, x)
		add("relu"+tag, ops.ActBN{Act: ops.ReLU, C: c, NoNorm: true}, x)
	}
	add("depthwise_5x5/c=260", ops.Depthwise{Act: ops.ReLU, C: 260, K: 5, Stride: 1, Affine: true}, ops.Shape{2, 3, 4, 260}) // more than a block takes at a time on a device
	wide(8, 8)
	wide(12, 5)
	wide(20, 4)
	wide(40, 4)
	for _, c := range cs {
		if strings.Contains(c.Name, "/c=") && len(ops.Inputs(c.Op, c.In))+len(c.Op.Norms()) > len(c.In) {
			c.Name += "/odd"
			c.Odd = true
			cs = append(cs, c)
		}
	}
	cs = append(cs, oddCases()...)
	cs = append(cs, standardCases()...)
	for _, c := range cs {
		if c.activation(0) {
			c.Name += "/deferred"
			c.Deferred = true
			cs = append(cs, c)
		}
	}
	return cs
}

// conv2DCases adds those of Conv2D: its forms in networks, other strides, images smaller
// than the kernel, and channels that vector loads and tiles like.
func conv2DCases(add func(name string, op ops.Op, in ...ops.Shape)) {
	for _, affine := range []bool{true, false} {
		tag := map[bool]string{true: "affine", false: "plain"}[affine]
		for _, stride := range [][2]int{{1, 1}, {2, 2}, {1, 2}, {3, 1}} {
			op := ops.Conv2D{Act: ops.ReLU, Cin: 3, Cout: 4, R: 3, S: 3, StrideH: stride[0], StrideW: stride[1], Affine: affine, Suffix: "1"}
			name := fmt.Sprintf("conv_3x3/%s/strides=%d,%d", tag, stride[0], stride[1])
			add(name, op, ops.Shape{2, 5, 6, 3})
			op.Images, op.Act = true, ops.Identity
			add(name+"/images", op, ops.Shape{2, 6, 5, 3})
		}
	}
	for _, s := range []int{1, 2} {
		for _, x := range []ops.Shape{{2, 4, 9, 3}, {2, 1, 3, 2}, {2, 3, 1, 2}} {
			name := fmt.Sprintf("/stride=%d/%dx%d", s, x[1], x[2])
			add("conv_1x7"+name, ops.Conv2D{Act: ops.ReLU, Cin: x[3], Cout: 3, R: 1, S: 7, StrideH: 1, StrideW: s, NoNorm: true}, x)
			add("conv_7x1"+name, ops.Conv2D{Cin: x[3], Cout: 3, R: 7, S: 1, StrideH: s, StrideW: 1, Affine: true}, x)
		}
	}
	add("conv_5x3/nonorm", ops.Conv2D{Cin: 2, Cout: 5, R: 5, S: 3, StrideH: 1, StrideW: 1, NoNorm: true}, ops.Shape{3, 7, 4, 2})
	for _, c := range []int{8, 12, 36, 72} {
		tag := fmt.Sprintf("/c=%d", c)
		add("conv_3x3/images"+tag, ops.Conv2D{Cin: 3, Cout: c, R: 3, S: 3, StrideH: 2, StrideW: 2, Images: true, Affine: true}, ops.Shape{2, 9, 40, 3})
		for _, s := range []int{1, 2} {
			name := fmt.Sprintf("%s/stride=%d", tag, s)
			add("conv_3x3"+name, ops.Conv2D{Act: ops.ReLU, Cin: c, Cout: 12, R: 3, S: 3, StrideH: s, StrideW: s, Affine: true}, ops.Shape{2, 6, 40, c})
			add("conv_1x7"+name, ops.Conv2D{Act: ops.ReLU, Cin: c, Cout: c, R: 1, S: 7, StrideH: 1, StrideW: s, NoNorm: true}, ops.Shape{2, 4, 20, c})
			add("conv_7x1"+name, ops.Conv2D{Cin: c, Cout: c, R: 7, S: 1, StrideH: s, StrideW: 1, Affine: true}, ops.Shape{2, 8, 5, c})
		}
	}
}

// times is the case with that many times the images.
func (c Case) times(n int) Case {
	in := make([]ops.Shape, len(c.In))
	for i, s := range c.In {
		in[i] = s.Clone()
		if len(s) > 0 {
			in[i][0] *= n
		}
	}
	c.In = in
	return c
}

// inputs draws the case's input values, all exact in float32.
func (c Case) inputs(r *rand.Rand) [][]float64 {
	shapes := ops.Inputs(c.Op, c.In)
	in := make([][]float64, len(shapes))
	for i, s := range shapes {
		in[i] = make([]float64, s.Size())
		for j := range in[i] {
			in[i][j] = float64(float32(r.NormFloat64()))
			if i == c.Labels {
				in[i][j] = float64(r.IntN(c.Classes))
			}
			if c.Flat && i == len(c.In) && j%s[1] == 0 {
				in[i][j] = in[i][0]
			}
		}
		if i == 1 && c.Targets {
			distributions(in[i], s[1])
		}
	}
	return in
}

// distributions makes the rows (N,k) of v ones that add up to 1 and have a class without
// a share.
func distributions(v []float64, k int) {
	for ; len(v) >= k; v = v[k:] {
		row, sum := v[:k], 0.0
		row[0] = 0
		for i := range row {
			row[i] *= row[i]
			sum += row[i]
		}
		for i := range row {
			row[i] = float64(float32(row[i] / sum))
		}
	}
}
