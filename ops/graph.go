package ops

import (
	"fmt"
	"hash"
	"hash/fnv"

	"github.com/chewxy/hm"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Graph is a gorgonia expression graph whose nodes are Ops and whose leaves
// are bound to memory. It is built by one goroutine.
type Graph struct {
	G      *gorgonia.ExprGraph
	dt     tensor.Dtype
	leaves map[*gorgonia.Node]Mem
	seq    int
	seed   *gorgonia.Node // the gradient of the loss with respect to itself
}

// NewGraph returns an empty graph of tensors of type dt (Float32 or Float64).
func NewGraph(dt tensor.Dtype) *Graph {
	return &Graph{G: gorgonia.NewGraph(), dt: dt, leaves: map[*gorgonia.Node]Mem{}}
}

// Input adds a leaf of the given shape that lives in m. Names must be unique:
// gorgonia merges leaves of one name and shape.
func (g *Graph) Input(name string, m Mem, shape ...int) *gorgonia.Node {
	n := gorgonia.NewTensor(g.G, g.dt, len(shape), gorgonia.WithShape(shape...), gorgonia.WithName(name))
	g.leaves[n] = m
	return n
}

// Apply adds op over the inputs. state holds one Mem for each of op.BN().
func (g *Graph) Apply(op Op, state []Mem, in ...*gorgonia.Node) (*gorgonia.Node, error) {
	if len(state) != len(op.BN()) {
		return nil, shapeErr(op, "got %d batch-normalisation states, want %d", len(state), len(op.BN()))
	}
	a := &applied{id: g.seq, op: op, state: state, dt: g.dt}
	g.seq++
	for _, n := range in {
		a.in = append(a.in, n.Shape())
	}
	var err error
	if a.out, err = op.Shape(a.in); err != nil {
		return nil, err
	}
	n, err := gorgonia.ApplyOp(&forwardOp{applied: a}, in...)
	if err != nil {
		return nil, fmt.Errorf("ops: %s: %w", op.Name(), err)
	}
	if got, ok := n.Op().(*forwardOp); !ok || got.applied != a {
		return nil, fmt.Errorf("ops: %s: gorgonia merged it with another node: their 32-bit hashes are equal", op.Name())
	}
	return n, nil
}

// Grad adds the backward nodes of loss and returns the gradient of each wanted
// leaf. The loss must depend on every one of them.
func (g *Graph) Grad(loss *gorgonia.Node, wanted []*gorgonia.Node) ([]*gorgonia.Node, error) {
	if !loss.IsScalar() {
		return nil, fmt.Errorf("ops: gradient of a node of shape %v: a loss is a scalar", loss.Shape())
	}
	// Backpropagate is what gorgonia.Grad calls; with our own seed node it
	// does not touch gorgonia's global constant 1, which two goroutines
	// building graphs would share.
	g.seed = gorgonia.NewScalar(g.G, g.dt, gorgonia.WithName("dloss"))
	grads, err := gorgonia.Backpropagate(gorgonia.Nodes{loss}, gorgonia.Nodes{g.seed}, wanted)
	if err != nil {
		return nil, fmt.Errorf("ops: differentiate: %w", err)
	}
	return grads, nil
}

// applied is one use of an op in a graph: what its forward node, its backward
// node and the picks of the other gradients share.
type applied struct {
	id    int
	op    Op
	state []Mem
	dt    tensor.Dtype
	in    []tensor.Shape
	out   tensor.Shape
	slow  *interpreted // buffers of gorgonia's own machines, see tape.go
}

// primary is the input whose gradient the backward node itself returns.
func (a *applied) primary() int {
	for i := range a.in {
		if a.op.Diff(i) {
			return i
		}
	}
	return 0
}

func (a *applied) types(shapes ...tensor.Shape) *hm.FunctionType {
	ts := make([]hm.Type, len(shapes))
	for i, s := range shapes {
		if s.IsScalar() {
			ts[i] = a.dt
		} else {
			ts[i] = gorgonia.TensorType{Dims: s.Dims(), Of: a.dt}
		}
	}
	return hm.NewFnType(ts...)
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

func (o *forwardOp) Arity() int { return len(o.in) }
func (o *forwardOp) Type() hm.Type {
	return o.types(append(append([]tensor.Shape{}, o.in...), o.out)...)
}
func (o *forwardOp) InferShape(...gorgonia.DimSizer) (tensor.Shape, error) { return o.out.Clone(), nil }
func (o *forwardOp) WriteHash(h hash.Hash)                                 { fmt.Fprintf(h, "fwd-%s-%d", o.op.Name(), o.id) }
func (o *forwardOp) Hashcode() uint32                                      { return hashOf(o.WriteHash) }
func (o *forwardOp) String() string                                        { return o.op.Name() }

// DiffWRT says which of the inputs are differentiated.
func (o *forwardOp) DiffWRT(n int) []bool {
	d := make([]bool, n)
	for i := range d {
		d[i] = o.op.Diff(i)
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
		case !o.op.Diff(i):
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

// backwardOp computes all gradients of one op. Children: the inputs, the
// output, the gradient of the output.
type backwardOp struct {
	opBase
	*applied
}

func (o *backwardOp) Arity() int { return len(o.in) + 2 }
func (o *backwardOp) Type() hm.Type {
	return o.types(append(append([]tensor.Shape{}, o.in...), o.out, o.out, o.in[o.primary()])...)
}
func (o *backwardOp) InferShape(...gorgonia.DimSizer) (tensor.Shape, error) {
	return o.in[o.primary()].Clone(), nil
}
func (o *backwardOp) WriteHash(h hash.Hash) {
	fmt.Fprintf(h, "bwd-%s-%d", o.op.Name(), o.id)
}
func (o *backwardOp) Hashcode() uint32 { return hashOf(o.WriteHash) }
func (o *backwardOp) String() string   { return "d " + o.op.Name() }

// pickOp stands for gradient i of the backward node that is its child.
type pickOp struct {
	opBase
	*applied
	i int
}

func (o *pickOp) Arity() int    { return 1 }
func (o *pickOp) Type() hm.Type { return o.types(o.in[o.primary()], o.in[o.i]) }
func (o *pickOp) InferShape(...gorgonia.DimSizer) (tensor.Shape, error) {
	return o.in[o.i].Clone(), nil
}
func (o *pickOp) WriteHash(h hash.Hash) { fmt.Fprintf(h, "pick-%d-%d", o.id, o.i) }
func (o *pickOp) Hashcode() uint32      { return hashOf(o.WriteHash) }
func (o *pickOp) String() string        { return fmt.Sprintf("d%d %s", o.i, o.op.Name()) }

var _ gorgonia.SDOp = (*forwardOp)(nil)
