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
	"math/rand/v2"

	"gorgonia.org/tensor"

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

// Case is one operation on inputs of given shapes.
type Case struct {
	Name string
	Op   ops.Op
	In   []tensor.Shape
	// Labels marks the input that holds class numbers below Classes, or -1.
	Labels, Classes int
	// Deferred gives the activations among the inputs coefficients of a batch
	// normalisation that the op has to apply, and something to add to their
	// gradients where the op can.
	Deferred bool
}

// activations is the number of inputs, the first ones, that are activations of
// the network rather than parameters, images, labels or masks.
func (c Case) activations() int {
	switch o := c.Op.(type) {
	case ops.ConvBN:
		return o.Parts
	case ops.FactorizedReduce:
		return o.Parts
	case ops.ReLUAvgPool:
		return o.Parts
	case ops.GlobalAvgPool:
		return o.Parts
	case ops.NodeSum:
		return 2
	case ops.Separable, ops.PoolBN, ops.Linear:
		return 1
	}
	return 0
}

// Cases lists every operation with small shapes: odd sizes, both strides, with
// and without affine parameters.
func Cases() []Case {
	var cs []Case
	add := func(name string, op ops.Op, in ...tensor.Shape) {
		cs = append(cs, Case{Name: name, Op: op, In: in, Labels: -1})
	}
	for _, affine := range []bool{true, false} {
		bn := func(c int) []tensor.Shape {
			if affine {
				return []tensor.Shape{{c}, {c}}
			}
			return nil
		}
		join := func(parts ...[]tensor.Shape) []tensor.Shape {
			var all []tensor.Shape
			for _, p := range parts {
				all = append(all, p...)
			}
			return all
		}
		tag := map[bool]string{true: "affine", false: "plain"}[affine]
		for _, relu := range []bool{true, false} {
			add(fmt.Sprintf("conv_bn/%s/relu=%v", tag, relu), ops.ConvBN{ReLU: relu, Parts: 1, Cin: 5, Cout: 6, Affine: affine},
				join([]tensor.Shape{{2, 3, 5, 5}, {5, 6}}, bn(6))...)
		}
		add("conv_bn/"+tag+"/parts=3", ops.ConvBN{ReLU: true, Parts: 3, Cin: 12, Cout: 7, Affine: affine},
			join([]tensor.Shape{{2, 3, 5, 4}, {2, 3, 5, 4}, {2, 3, 5, 4}, {12, 7}}, bn(7))...)
		add("conv_bn/"+tag+"/flatten", ops.ConvBN{ReLU: true, Flatten: true, Parts: 1, Cin: 12, Cout: 5, Affine: affine},
			join([]tensor.Shape{{7, 2, 2, 3}, {12, 5}}, bn(5))...)
		add("factorized_reduce/"+tag, ops.FactorizedReduce{Parts: 1, Cin: 3, Cout: 4, Affine: affine},
			join([]tensor.Shape{{2, 6, 4, 3}, {3, 2}, {3, 2}}, bn(4))...)
		add("factorized_reduce/"+tag+"/parts=2", ops.FactorizedReduce{Parts: 2, Cin: 6, Cout: 4, Affine: affine},
			join([]tensor.Shape{{2, 6, 4, 3}, {2, 6, 4, 3}, {6, 2}, {6, 2}}, bn(4))...)
		add("stem/"+tag, ops.Stem{Cin: 3, Cout: 5, Affine: affine}, join([]tensor.Shape{{2, 5, 6, 3}, {3, 3, 3, 5}}, bn(5))...)
		for _, k := range []int{3, 5, 7} {
			for _, stride := range []int{1, 2} {
				stage := join([]tensor.Shape{{k, k, 3}, {3, 3}}, bn(3))
				add(fmt.Sprintf("sep_conv_%dx%d/%s/stride=%d", k, k, tag, stride),
					ops.Separable{C: 3, K: k, Stride: stride, Dil: 1, Stages: 2, Affine: affine},
					join([]tensor.Shape{{2, 6, 7, 3}}, stage, stage)...)
				if k < 7 {
					add(fmt.Sprintf("dil_conv_%dx%d/%s/stride=%d", k, k, tag, stride),
						ops.Separable{C: 3, K: k, Stride: stride, Dil: 2, Stages: 1, Affine: affine},
						join([]tensor.Shape{{2, 6, 7, 3}}, stage)...)
				}
			}
		}
		for _, isMax := range []bool{true, false} {
			for _, stride := range []int{1, 2} {
				op := ops.PoolBN{Max: isMax, C: 3, Stride: stride, Affine: affine}
				add(fmt.Sprintf("%s/%s/stride=%d", op.Name(), tag, stride), op, join([]tensor.Shape{{2, 5, 6, 3}}, bn(3))...)
			}
		}
	}
	x := tensor.Shape{3, 2, 4, 3}
	add("relu_avg_pool/stride=3", ops.ReLUAvgPool{Parts: 2, K: 5, Stride: 3}, tensor.Shape{2, 8, 8, 3}, tensor.Shape{2, 8, 8, 3})
	add("relu_avg_pool/stride=2", ops.ReLUAvgPool{Parts: 1, K: 5, Stride: 2}, tensor.Shape{2, 7, 7, 3})
	add("global_avg_pool", ops.GlobalAvgPool{Parts: 1}, x)
	add("global_avg_pool/parts=2", ops.GlobalAvgPool{Parts: 2}, x, x)
	add("node_sum", ops.NodeSum{}, x, x)
	add("node_sum/drop=a", ops.NodeSum{DropA: true}, x, x, tensor.Shape{3})
	add("node_sum/drop=b", ops.NodeSum{DropB: true}, x, x, tensor.Shape{3})
	add("node_sum/drop=ab", ops.NodeSum{DropA: true, DropB: true}, x, x, tensor.Shape{3}, tensor.Shape{3})
	add("linear", ops.Linear{In: 5, Out: 4}, tensor.Shape{3, 1, 1, 5}, tensor.Shape{5, 4}, tensor.Shape{4})
	add("linear/relu", ops.Linear{ReLU: true, In: 5, Out: 4}, tensor.Shape{3, 1, 1, 5}, tensor.Shape{5, 4}, tensor.Shape{4})
	add("add_scaled", ops.AddScaled{Scale: 0.4}, tensor.ScalarShape(), tensor.ScalarShape())
	for _, s := range []float64{0, 0.1} {
		cs = append(cs, Case{Name: fmt.Sprintf("softmax_xent/smoothing=%g", s), Op: ops.SoftmaxXent{Smoothing: s},
			In: []tensor.Shape{{4, 5}, {4}}, Labels: 1, Classes: 5})
	}
	wide := func(c, w int) { // channels that vector loads and tiles like, and rows of w pixels
		tag := fmt.Sprintf("/c=%d", c)
		bn := []tensor.Shape{{c}, {c}}
		x := tensor.Shape{2, 4, w, c}
		add("conv_bn"+tag, ops.ConvBN{ReLU: true, Parts: 2, Cin: 2 * c, Cout: c, Affine: true}, append([]tensor.Shape{x, x, {2 * c, c}}, bn...)...)
		add("factorized_reduce"+tag, ops.FactorizedReduce{Parts: 1, Cin: c, Cout: c, Affine: true}, append([]tensor.Shape{{2, 4, 6, c}, {c, c / 2}, {c, c / 2}}, bn...)...)
		add("stem"+tag, ops.Stem{Cin: 3, Cout: c, Affine: true}, append([]tensor.Shape{{2, 4, 5, 3}, {3, 3, 3, c}}, bn...)...)
		for _, k := range []int{3, 5} {
			for _, s := range [][2]int{{1, 1}, {2, 1}, {1, 2}, {2, 2}} {
				add(fmt.Sprintf("dil_conv_%dx%d%s/stride=%d/dilation=%d", k, k, tag, s[0], s[1]), ops.Separable{C: c, K: k, Stride: s[0], Dil: s[1], Stages: 1, Affine: true},
					append([]tensor.Shape{x, {k, k, c}, {c, c}}, bn...)...)
			}
		}
		for _, isMax := range []bool{true, false} {
			op := ops.PoolBN{Max: isMax, C: c, Stride: 1, Affine: true}
			add(op.Name()+tag, op, append([]tensor.Shape{x}, bn...)...)
		}
		add("node_sum"+tag, ops.NodeSum{DropA: true}, x, x, tensor.Shape{2})
	}
	wide(8, 8)
	wide(12, 5)
	wide(20, 4)
	wide(40, 4)
	for _, c := range cs {
		if c.activations() > 0 {
			c.Name += "/deferred"
			c.Deferred = true
			cs = append(cs, c)
		}
	}
	return cs
}

// times is the case with that many times the images.
func (c Case) times(n int) Case {
	in := make([]tensor.Shape, len(c.In))
	for i, s := range c.In {
		in[i] = s.Clone()
		perImage := i < c.activations()
		switch c.Op.(type) {
		case ops.Stem:
			perImage = i == 0
		case ops.NodeSum, ops.SoftmaxXent:
			perImage = true
		}
		if perImage {
			in[i][0] *= n
		}
	}
	c.In = in
	return c
}

// inputs draws the case's input values, all exact in float32.
func (c Case) inputs(r *rand.Rand) [][]float64 {
	in := make([][]float64, len(c.In))
	for i, s := range c.In {
		in[i] = make([]float64, s.TotalSize())
		for j := range in[i] {
			in[i][j] = float64(float32(r.NormFloat64()))
			if i == c.Labels {
				in[i][j] = float64(r.IntN(c.Classes))
			}
		}
	}
	return in
}
