package graph

import (
	"fmt"
	"hash"
	"hash/fnv"

	"github.com/chewxy/hm"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"oneshot/ops"
)

// applied is one use of an op in a graph: what its forward node, its backward
// node and the picks of the other gradients share. gorgonia sees its activations
// and, behind them, one leaf that stands for all of its parameters together.
type applied struct {
	id      int
	op      ops.Op
	params  []ops.Param
	mems    []ops.Mem // of the parameters
	state   []ops.Mem
	normed  bool // has batch normalisations
	kinds   *kinds
	in      []ops.Shape // of the activations
	all     []ops.Shape // of these, then of the parameters
	out     ops.Shape
	bundled int            // elements of all parameters
	bundle  *gorgonia.Node // the leaf of these; nil without parameters
	node    *gorgonia.Node // the forward node
	slow    *interpreted   // buffers of gorgonia's own machines, see tape.go
}

// arity is the number of gorgonia's children of the forward node.
func (a *applied) arity() int {
	if a.bundled > 0 {
		return len(a.in) + 1
	}
	return len(a.in)
}

// shapeOf is the shape of child i of the forward node.
func (a *applied) shapeOf(i int) tensor.Shape {
	if i == len(a.in) {
		return tensor.Shape{a.bundled}
	}
	return tensor.Shape(a.in[i].Clone())
}

// diff says whether child i is differentiated.
func (a *applied) diff(i int) bool { return i == len(a.in) || a.op.Diff(i) }

// primary is the child whose gradient the backward node itself returns.
func (a *applied) primary() int {
	for i := range a.arity() {
		if a.diff(i) {
			return i
		}
	}
	return 0
}

// kinds are gorgonia's types of tensors by their number of dimensions, made once a
// graph: they are asked for some ten times a node.
type kinds struct {
	dt tensor.Dtype
	of [5]hm.Type
}

func newKinds(dt tensor.Dtype) *kinds {
	k := &kinds{dt: dt}
	k.of[0] = dt
	for dims := 1; dims < len(k.of); dims++ {
		k.of[dims] = gorgonia.TensorType{Dims: dims, Of: dt}
	}
	return k
}

// types is the type of a function of the children and more to a result, the last,
// all given by their numbers of dimensions.
func (a *applied) types(children bool, more ...int) *hm.FunctionType {
	ts := make([]hm.Type, 0, a.arity()+len(more))
	if children {
		for i := range a.in {
			ts = append(ts, a.kinds.of[len(a.in[i])])
		}
		if a.bundled > 0 {
			ts = append(ts, a.kinds.of[1])
		}
	}
	for _, dims := range more {
		ts = append(ts, a.kinds.of[dims])
	}
	return hm.NewFnType(ts...)
}

// dims is the number of dimensions of child i.
func (a *applied) dims(i int) int {
	if i == len(a.in) {
		return 1
	}
	return len(a.in[i])
}

// opBase has the methods of gorgonia.Op that are alike in all three nodes.
type opBase struct{}

func (opBase) ReturnsPtr() bool     { return true }
func (opBase) CallsExtern() bool    { return false }
func (opBase) OverwritesInput() int { return -1 }

func hashOf(w func(hash.Hash)) uint32 {
	h := fnv.New32a()
	w(h)
	return h.Sum32()
}

// forwardOp computes the output of an op from its inputs.
type forwardOp struct {
	opBase
	*applied
}

func (o *forwardOp) Arity() int    { return o.arity() }
func (o *forwardOp) Type() hm.Type { return o.types(true, len(o.out)) }
func (o *forwardOp) InferShape(...gorgonia.DimSizer) (tensor.Shape, error) {
	return tensor.Shape(o.out.Clone()), nil
}
func (o *forwardOp) WriteHash(h hash.Hash) { fmt.Fprintf(h, "fwd-%s-%d", o.op.Name(), o.id) }
func (o *forwardOp) Hashcode() uint32      { return hashOf(o.WriteHash) }
func (o *forwardOp) String() string        { return o.op.Name() }

// DiffWRT says which of the children are differentiated.
func (o *forwardOp) DiffWRT(n int) []bool {
	d := make([]bool, n)
	for i := range d {
		d[i] = o.diff(i)
	}
	return d
}

// SymDiff adds one backward node, which computes every gradient at once and
// stands for the first one, and a pick node for each of the others.
func (o *forwardOp) SymDiff(in gorgonia.Nodes, out, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	bwd, err := gorgonia.ApplyOp(&backwardOp{applied: o.applied}, append(append(gorgonia.Nodes{}, in...), out, grad)...)
	if err != nil {
		return nil, err
	}
	grads := make(gorgonia.Nodes, len(in))
	for i := range in {
		switch {
		case !o.diff(i):
		case i == o.primary():
			grads[i] = bwd
		default:
			if grads[i], err = gorgonia.ApplyOp(&pickOp{applied: o.applied, i: i}, bwd); err != nil {
				return nil, err
			}
		}
	}
	return grads, nil
}

// backwardOp computes all gradients of one op. Children: those of the forward node,
// the output, the gradient of the output.
type backwardOp struct {
	opBase
	*applied
}

func (o *backwardOp) Arity() int { return o.arity() + 2 }
func (o *backwardOp) Type() hm.Type {
	return o.types(true, len(o.out), len(o.out), o.dims(o.primary()))
}
func (o *backwardOp) InferShape(...gorgonia.DimSizer) (tensor.Shape, error) {
	return o.shapeOf(o.primary()), nil
}
func (o *backwardOp) WriteHash(h hash.Hash) { fmt.Fprintf(h, "bwd-%s-%d", o.op.Name(), o.id) }
func (o *backwardOp) Hashcode() uint32      { return hashOf(o.WriteHash) }
func (o *backwardOp) String() string        { return "d " + o.op.Name() }

// pickOp stands for the gradient of child i of the backward node that is its child.
type pickOp struct {
	opBase
	*applied
	i int
}

func (o *pickOp) Arity() int    { return 1 }
func (o *pickOp) Type() hm.Type { return o.types(false, o.dims(o.primary()), o.dims(o.i)) }
func (o *pickOp) InferShape(...gorgonia.DimSizer) (tensor.Shape, error) {
	return o.shapeOf(o.i), nil
}
func (o *pickOp) WriteHash(h hash.Hash) { fmt.Fprintf(h, "pick-%d-%d", o.id, o.i) }
func (o *pickOp) Hashcode() uint32      { return hashOf(o.WriteHash) }
func (o *pickOp) String() string        { return fmt.Sprintf("d%d %s", o.i, o.op.Name()) }

var _ gorgonia.SDOp = (*forwardOp)(nil)
