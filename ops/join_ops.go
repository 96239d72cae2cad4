package ops

import "gorgonia.org/tensor"

// NodeSum adds the two results of a cell's node. With DropA or DropB that
// operand is first multiplied, image by image, by a drop-path mask: 0 or
// 1/(1-p) (FractalNet, arXiv 1605.07648, section 3.1).
//
// Inputs: a, b (N,H,W,C)[, maskA (N)][, maskB (N)]. Output: (N,H,W,C).
type NodeSum struct{ DropA, DropB bool }

func (o NodeSum) Name() string     { return "node_sum" }
func (o NodeSum) Diff(i int) bool  { return i < 2 }
func (o NodeSum) BN() []int        { return nil }
func (o NodeSum) KeepsInput() bool { return false }

// passes says that without a drop-path mask the gradient of an operand is that
// of the sum itself, which needs no copy.
func (o NodeSum) passes(i int) bool { return i == 0 && !o.DropA || i == 1 && !o.DropB }
func (o NodeSum) Shape(in []tensor.Shape) (tensor.Shape, error) {
	n := 2
	for _, d := range []bool{o.DropA, o.DropB} {
		if d {
			n++
		}
	}
	if err := wantInputs(o, in, n, 4); err != nil {
		return nil, err
	}
	if !in[0].Eq(in[1]) {
		return nil, shapeErr(o, "input 1 has shape %v, input 0 has %v", in[1], in[0])
	}
	for i := 2; i < n; i++ {
		if err := wantShape(o, in, i, in[0][0]); err != nil {
			return nil, err
		}
	}
	return in[0].Clone(), nil
}

// masks returns the drop-path inputs of a and b, absent ones with Len 0.
func (o NodeSum) masks(in []Mem) (a, b Mem) {
	i := 2
	if o.DropA {
		a = in[i]
		i++
	}
	if o.DropB {
		b = in[i]
	}
	return a, b
}
