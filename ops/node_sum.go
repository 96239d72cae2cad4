package ops

// NodeSum adds the two results of a cell's node. With DropA or DropB that
// operand is first multiplied, image by image, by a drop-path mask: 0 or
// 1/(1-p) (FractalNet, arXiv 1605.07648, section 3.1).
//
// Activations: a, b (N,H,W,C)[, maskA (N)][, maskB (N)]; masks have no gradient.
// Output: (N,H,W,C).
type NodeSum struct{ DropA, DropB bool }

func (o NodeSum) Name() string     { return "node_sum" }
func (o NodeSum) Params() []Param  { return nil }
func (o NodeSum) Norms() []Norm    { return nil }
func (o NodeSum) Diff(i int) bool  { return i < 2 }
func (o NodeSum) KeepsInput() bool { return false }

// passes says that without a drop-path mask the gradient of an operand is that
// of the sum itself, which needs no copy.
func (o NodeSum) passes(i int) bool { return i == 0 && !o.DropA || i == 1 && !o.DropB }
func (o NodeSum) Shape(in []Shape) (Shape, error) {
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

// Cost: both terms are read and their sum written; its gradient is that of both.
func (o NodeSum) Cost(_ []Shape, out Shape) Cost { return Cost{Moved: 3 * int64(out.Size())} }

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

// Dropper is an op some of whose operands drop-path may drop.
type Dropper interface {
	Op
	// WithDrop returns the op that takes a mask (N) for each operand i of which
	// drop[i] is true, behind its activations and in their order.
	WithDrop(drop []bool) Op
}

// WithDrop implements Dropper.
func (o NodeSum) WithDrop(drop []bool) Op { return NodeSum{DropA: drop[0], DropB: drop[1]} }
