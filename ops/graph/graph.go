package graph

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"oneshot/ops"
)

// Graph is an expression graph of ops. It is built by one goroutine.
type Graph struct {
	g      *gorgonia.ExprGraph
	kinds  *kinds
	inputs map[int64]*node // by gorgonia's number of the leaf
	apps   []*applied
	loss   *gorgonia.Node
	seed   *gorgonia.Node // the gradient of the loss with respect to itself
	wanted []*applied     // applications with parameters when Grad was called
	grads  gorgonia.Nodes // the gradients of their bundles
}

// Node is a value in a graph: an input or the result of an op. The zero Node is
// none.
type Node struct{ *node }

type node struct {
	n     *gorgonia.Node
	shape ops.Shape
	mem   ops.Mem // of an input
}

// Shape is the node's shape; it must not be changed.
func (n Node) Shape() ops.Shape { return n.shape }

// New returns an empty graph.
func New() *Graph { return newGraph(tensor.Float32) }

// newGraph returns a graph of tensors of type dt, Float32 or Float64. That matters
// only to gorgonia's own machines: a program takes its backend's type.
func newGraph(dt tensor.Dtype) *Graph {
	return &Graph{g: gorgonia.NewGraph(), kinds: newKinds(dt), inputs: map[int64]*node{}}
}

// Input adds an input of the given shape that lives in m. Names must be unique:
// gorgonia merges leaves of one name and shape.
func (g *Graph) Input(name string, m ops.Mem, shape ...int) Node {
	n := &node{n: g.leaf(name, shape), shape: shape, mem: m}
	g.inputs[n.n.ID()] = n
	return Node{n}
}

func (g *Graph) leaf(name string, shape []int) *gorgonia.Node {
	return gorgonia.NewTensor(g.g, g.kinds.dt, len(shape), gorgonia.WithShape(shape...), gorgonia.WithName(name))
}

// Apply adds op over the activations in. params holds the memory of each of
// op.Params() in region Params, state that of each of op.Norms(). No other
// application in a graph may have the same parameters.
func (g *Graph) Apply(op ops.Op, params, state []ops.Mem, in ...Node) (Node, error) {
	a := &applied{id: len(g.apps), op: op, params: op.Params(), mems: params, state: state, kinds: g.kinds}
	norms := op.Norms()
	a.normed = len(norms) > 0
	if err := a.check(norms); err != nil {
		return Node{}, err
	}
	kids := make([]*gorgonia.Node, len(in), len(in)+1)
	a.all = make([]ops.Shape, len(in), len(in)+len(params))
	for i, n := range in {
		if n.node == nil {
			return Node{}, fmt.Errorf("graph: %s: input %d is no node", op.Name(), i)
		}
		kids[i], a.all[i] = n.n, n.shape
	}
	a.in = a.all
	for _, p := range a.params {
		a.all = append(a.all, p.Shape)
	}
	var err error
	if a.out, err = op.Shape(a.in); err != nil {
		return Node{}, err
	}
	for _, m := range params {
		a.bundled += m.Len
	}
	if a.bundled > 0 {
		a.bundle = g.leaf(fmt.Sprint("parameters ", a.id), []int{a.bundled})
		kids = append(kids, a.bundle)
	}
	n, err := gorgonia.ApplyOp(&forwardOp{applied: a}, kids...)
	if err != nil {
		return Node{}, fmt.Errorf("graph: %s: %w", op.Name(), err)
	}
	if got, ok := n.Op().(*forwardOp); !ok || got.applied != a {
		return Node{}, fmt.Errorf("graph: %s: gorgonia merged it with another node: their 32-bit hashes are equal", op.Name())
	}
	a.node = n
	g.apps = append(g.apps, a)
	return Node{&node{n: n, shape: a.out}}, nil
}

// check compares the memory of an application with what its op says.
func (a *applied) check(norms []ops.Norm) error {
	if len(a.mems) != len(a.params) {
		return fmt.Errorf("graph: %s: got memory of %d parameters, want %d", a.op.Name(), len(a.mems), len(a.params))
	}
	for i, p := range a.params {
		if m := a.mems[i]; m.Region != ops.Params || m.Len != p.Shape.Size() {
			return fmt.Errorf("graph: %s: parameter %s of shape %v lies in %+v", a.op.Name(), p.Name, p.Shape, m)
		}
	}
	if len(a.state) != len(norms) {
		return fmt.Errorf("graph: %s: got %d batch-normalisation states, want %d", a.op.Name(), len(a.state), len(norms))
	}
	for i, n := range norms {
		if m := a.state[i]; m.Region != ops.State || m.Len != 2*n.Channels {
			return fmt.Errorf("graph: %s: the state of %s, of %d channels, lies in %+v", a.op.Name(), n.Name, n.Channels, m)
		}
	}
	return nil
}

// Grad differentiates loss, a scalar, with respect to all parameters applied so
// far, on every one of which it must depend. Programs compiled after it compute the
// gradients, each at its parameter's offset of region Grad. It may be called once.
func (g *Graph) Grad(loss Node) error {
	if g.seed != nil {
		return fmt.Errorf("graph: differentiated twice")
	}
	if loss.node == nil {
		return fmt.Errorf("graph: the loss is no node")
	}
	if len(loss.shape) != 0 {
		return fmt.Errorf("graph: gradient of a node of shape %v: a loss is a scalar", loss.shape)
	}
	var bundles gorgonia.Nodes
	for _, a := range g.apps {
		if a.bundle != nil {
			g.wanted = append(g.wanted, a)
			bundles = append(bundles, a.bundle)
		}
	}
	// Backpropagate is what gorgonia.Grad calls; with our own seed node it
	// does not touch gorgonia's global constant 1, which two goroutines
	// building graphs would share.
	seed := gorgonia.NewScalar(g.g, g.kinds.dt, gorgonia.WithName("dloss"))
	grads, err := gorgonia.Backpropagate(gorgonia.Nodes{loss.n}, gorgonia.Nodes{seed}, bundles)
	if err != nil {
		return fmt.Errorf("graph: differentiate: %w", err)
	}
	g.loss, g.seed, g.grads = loss.n, seed, grads
	return nil
}
