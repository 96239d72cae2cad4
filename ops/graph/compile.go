package graph

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"gorgonia.org/gorgonia"

	"oneshot/ops"
)

// value is one result of an instruction, placed in the arena unless fixed.
type value struct {
	mem       ops.Mem
	size      int  // elements
	fixed     bool // mem is given, not planned
	norm      int  // value of the coefficients that normalise it; -1: none
	def, last int  // instruction indices; last < 0: never used
}

// instr is one step of a program; values are indices until the memory is planned.
// Parameters and their gradients have fixed memory, which is no value.
type instr struct {
	kind  ops.Kind
	a     *applied // forward, backward
	in    []int    // forward, backward: activations; sum: terms
	out   int      // forward, backward: output; sum, fill: result
	saved int      // -1: none
	dOut  int
	dIn   []int // of the activations; -1: not wanted
	dAdd  []int // -1: nothing to add

	dInSum, dOutSum int // -1: none
}

// gradient is what is known of the gradient of a node while its consumers'
// backward instructions are emitted: the terms that have come so far, as the
// value that accumulates most of them, and values that are still to be added.
type gradient struct {
	terms []int // numbers of the terms, see checkMerges
	own   int   // -1: none yet
	by    int   // the instruction that wrote own as it is, as the gradient of its first activation; -1: none
	more  []int
}

// seen is what the compiler knows of a node of gorgonia's.
type seen struct {
	live  bool
	kids  gorgonia.Nodes
	value int       // of an input or a forward node
	grad  *gradient // of an input or a forward node
	terms []int     // a gradient expression as the terms it adds
}

// use is what the compiler knows of an application.
type use struct {
	fwd    int   // forward instruction; -1: none
	terms  []int // of the gradients of the children; 0: none
	dOutOf []int // terms that entered the backward node
}

// compiler turns a graph into instructions over values.
type compiler struct {
	g      *Graph
	b      ops.Backend
	all    gorgonia.Nodes
	nodes  []seen // by gorgonia's number
	uses   []use  // by the application's
	instrs []instr
	values []value
	nTerms int
}

func (c *compiler) at(n *gorgonia.Node) *seen { return &c.nodes[n.ID()] }

// Compile turns the graph into a program for b, after whose runs the nodes keep
// can be read, see ops.Program.Kept. After Grad the program computes the gradients
// too.
//
// It walks gorgonia's nodes once in creation order (which is topological; checked),
// drops what is not needed, accumulates the gradients of a value with several
// consumers in one place as they come instead of gorgonia's chains of additions,
// checks that gorgonia merged no two gradients, and lays the values out in the
// arena by liveness.
func (g *Graph) Compile(b ops.Backend, keep ...Node) (*ops.Program, error) {
	for i, n := range keep {
		if n.node == nil {
			return nil, fmt.Errorf("graph: kept node %d is no node", i)
		}
	}
	c := &compiler{g: g, b: b, all: g.g.AllNodes(), uses: make([]use, len(g.apps))}
	n := int64(0)
	for _, x := range c.all {
		n = max(n, x.ID()+1)
	}
	c.nodes = make([]seen, n)
	for i := range c.nodes {
		c.nodes[i].value = -1
	}
	for i := range c.uses {
		c.uses[i].fwd = -1
	}
	c.markLive(keep)
	for _, n := range c.all {
		if c.at(n).live {
			if err := c.visit(n); err != nil {
				return nil, err
			}
		}
	}
	if err := c.checkMerges(); err != nil {
		return nil, err
	}
	params, err := c.params()
	if err != nil {
		return nil, err
	}
	p, err := c.place(keep)
	if err != nil {
		return nil, err
	}
	p.Params = params
	return p, nil
}

func (c *compiler) markLive(keep []Node) {
	for _, n := range keep {
		c.at(n.n).live = true
	}
	for _, n := range c.g.grads {
		c.at(n).live = true
	}
	if c.g.loss != nil {
		c.at(c.g.loss).live = true
	}
	for i := len(c.all) - 1; i >= 0; i-- {
		n := c.at(c.all[i])
		if !n.live {
			continue
		}
		it := c.g.g.From(c.all[i].ID())
		if it == nil {
			continue
		}
		n.kids = make(gorgonia.Nodes, 0, it.Len())
		for it.Next() {
			k := it.Node().(*gorgonia.Node)
			n.kids = append(n.kids, k)
			c.at(k).live = true
		}
	}
}

func (c *compiler) newValue(v value) int {
	v.last = -1
	c.values = append(c.values, v)
	return len(c.values) - 1
}

// newTerm numbers one gradient of one child of one operation, from 1.
func (c *compiler) newTerm() int {
	c.nTerms++
	return c.nTerms
}

func (c *compiler) emit(in instr) int {
	c.instrs = append(c.instrs, in)
	return len(c.instrs) - 1
}

func (c *compiler) visit(n *gorgonia.Node) error {
	switch op := n.Op().(type) {
	case nil:
		c.leaf(n)
		return nil
	case *forwardOp:
		return c.forward(n, op.applied)
	case *backwardOp:
		return c.backward(n, op.applied)
	case *pickOp:
		bwd := c.at(n).kids[0]
		from, ok := bwd.Op().(*backwardOp)
		if !ok || from.applied != op.applied {
			return fmt.Errorf("graph: gradient %d of %s is taken from another operation: gorgonia merged two backward nodes", op.i, op.op.Name())
		}
		c.at(n).terms = []int{c.uses[op.id].terms[op.i]}
		return nil
	}
	if isAdd(n.Op()) {
		for _, k := range c.at(n).kids {
			t := c.at(k).terms
			if t == nil {
				return fmt.Errorf("graph: addition of %v, which is no gradient", k)
			}
			c.at(n).terms = append(c.at(n).terms, t...)
		}
		return nil
	}
	return fmt.Errorf("graph: node %v is neither one of our operations nor a gradient sum", n)
}

// isAdd recognises the additions gorgonia makes when a value has several consumers.
func isAdd(op gorgonia.Op) bool {
	b, ok := op.(gorgonia.BinaryOp)
	return ok && b.IsBinary() && strings.HasPrefix(op.String(), "+")
}

// leaf gives an input its value and makes the loss's gradient of 1; a bundle of
// parameters has no value.
func (c *compiler) leaf(n *gorgonia.Node) {
	if in, ok := c.g.inputs[n.ID()]; ok {
		c.at(n).value = c.newValue(value{mem: in.mem, size: in.shape.Size(), fixed: true, norm: -1})
		return
	}
	if n == c.g.seed {
		v := c.newValue(value{size: 1, norm: -1, def: len(c.instrs)})
		c.emit(instr{kind: ops.Fill, out: v, saved: -1})
		terms := []int{c.newTerm()}
		c.at(n).terms = terms
		c.at(c.g.loss).grad = &gradient{terms: terms, own: -1, by: -1, more: []int{v}}
	}
}

func (c *compiler) forward(n *gorgonia.Node, a *applied) error {
	at := len(c.instrs)
	in := instr{kind: ops.Forward, a: a, saved: -1, in: make([]int, len(a.in))}
	kids := c.at(n).kids
	if len(kids) != a.arity() || a.bundle != nil && kids[len(a.in)] != a.bundle {
		return fmt.Errorf("graph: %s has the parameters of another operation: gorgonia merged their leaves", a.op.Name())
	}
	for i := range a.in {
		if in.in[i] = c.at(kids[i]).value; in.in[i] < 0 {
			return fmt.Errorf("graph: node order is not topological at %v", n)
		}
	}
	norm := -1
	if a.normed {
		norm = c.newValue(value{size: ops.NormLen(a.out[len(a.out)-1]), norm: -1, def: at})
	}
	in.out = c.newValue(value{size: a.out.Size(), def: at, norm: norm})
	if saved := c.b.Saved(a.op, a.in, a.out); saved > 0 {
		in.saved = c.newValue(value{size: saved, norm: -1, def: at})
	}
	c.at(n).value = in.out
	c.uses[a.id].fwd = c.emit(in)
	return nil
}

func (c *compiler) backward(n *gorgonia.Node, a *applied) error {
	u := &c.uses[a.id]
	if u.fwd < 0 {
		return fmt.Errorf("graph: backward node of %s stands before its forward node", a.op.Name())
	}
	kids := c.at(n).kids
	u.dOutOf = c.at(kids[len(kids)-1]).terms
	dOut, err := c.gradientOf(a, u.dOutOf)
	if err != nil {
		return err
	}
	f := &c.instrs[u.fwd]
	in := instr{kind: ops.Backward, a: a, in: f.in, out: f.out, saved: f.saved, dOut: dOut,
		dIn: make([]int, len(a.in)), dAdd: make([]int, len(a.in)), dInSum: -1, dOutSum: c.sums(a, dOut)}
	u.terms = make([]int, a.arity())
	works := a.bundle != nil
	for i := range a.arity() {
		if a.diff(i) {
			u.terms[i] = c.newTerm()
		}
		if i == len(a.in) { // the parameters: their gradients go to their places
			continue
		}
		in.dIn[i], in.dAdd[i] = -1, -1
		if !a.diff(i) {
			continue
		}
		k := c.at(a.node).kids[i]
		if ops.Passes(a.op, i) {
			g := c.gradient(k, u.terms[i])
			g.more = append(g.more, dOut)
		} else {
			in.dIn[i], in.dAdd[i] = c.accumulate(k, u.terms[i], a.in[i].Size(), ops.Adds(a.op))
			if g := c.at(k).grad; i == 0 && in.dAdd[i] < 0 && in.dIn[i] == g.own {
				g.by = len(c.instrs)
			}
			works = true
		}
	}
	c.at(n).terms = []int{u.terms[a.primary()]}
	if works {
		c.emit(in)
	}
	return nil
}

// gradient is the gradient of node k, to which a term comes.
func (c *compiler) gradient(k *gorgonia.Node, term int) *gradient {
	n := c.at(k)
	if n.grad == nil {
		n.grad = &gradient{own: -1, by: -1}
	}
	n.grad.terms = append(n.grad.terms, term)
	return n.grad
}

// accumulate chooses where the next instruction writes a term of the gradient
// of k, and what it adds to it, if it can.
func (c *compiler) accumulate(k *gorgonia.Node, term, size int, adds bool) (dIn, dAdd int) {
	g := c.gradient(k, term)
	fresh := func() int { return c.newValue(value{size: size, norm: -1, def: len(c.instrs)}) }
	switch {
	case g.own >= 0 && adds:
		return g.own, g.own
	case g.own >= 0:
		v := fresh()
		g.more = append(g.more, v)
		return v, -1
	}
	g.own = fresh()
	if n := len(g.more); n > 0 && adds {
		last := g.more[n-1]
		g.more = g.more[:n-1]
		return g.own, last
	}
	return g.own, -1
}

// gradientOf returns a value that holds the gradient of the output of a, which
// gorgonia says is the sum of the given terms.
func (c *compiler) gradientOf(a *applied, terms []int) (int, error) {
	g := c.at(a.node).grad
	if g == nil {
		return 0, fmt.Errorf("graph: backward node of %s has no gradient to start from", a.op.Name())
	}
	if err := sameTerms(a.op.Name(), terms, g.terms); err != nil {
		return 0, err
	}
	return c.sum(g, a.out.Size()), nil
}

// summer is a backend whose Backward of some operations writes Call.DInSum.
type summer interface{ SumsGradient(op, of ops.Op) bool }

// sums has the instruction that wrote dOut, the gradient of the output of a, write its sums
// too, and returns their value; -1 where it cannot, or where others have a part in dOut.
func (c *compiler) sums(a *applied, dOut int) int {
	g := c.at(a.node).grad
	b, ok := c.b.(summer)
	if !ok || !a.normed || dOut != g.own || g.by < 0 || len(g.terms) > 1 || !b.SumsGradient(c.instrs[g.by].a.op, a.op) {
		return -1
	}
	by := &c.instrs[g.by]
	by.dInSum = c.newValue(value{size: 2 * a.out[len(a.out)-1], norm: -1, def: g.by})
	return by.dInSum
}

// sum makes one value of a gradient.
func (c *compiler) sum(g *gradient, size int) int {
	if g.own < 0 && len(g.more) == 1 {
		return g.more[0]
	}
	if len(g.more) == 0 {
		return g.own
	}
	var terms []int
	if g.own >= 0 {
		terms = append(terms, g.own)
	} else {
		g.own = c.newValue(value{size: size, norm: -1, def: len(c.instrs)})
	}
	c.emit(instr{kind: ops.Sum, in: append(terms, g.more...), out: g.own, saved: -1})
	g.more = nil
	return g.own
}

// params lists the parameters in use, each of which may have only one use: its
// gradient is written, not added.
func (c *compiler) params() ([]ops.Mem, error) {
	var all []ops.Mem
	type owner struct{ a, param int }
	var owners []owner
	for id, u := range c.uses {
		if u.fwd >= 0 {
			for i, m := range c.g.apps[id].mems {
				all = append(all, m)
				owners = append(owners, owner{id, i})
			}
		}
	}
	slices.SortFunc(owners, func(x, y owner) int {
		return cmp.Compare(c.g.apps[x.a].mems[x.param].Off, c.g.apps[y.a].mems[y.param].Off)
	})
	for i := 1; i < len(owners); i++ {
		x, y := owners[i-1], owners[i]
		a, b := c.g.apps[x.a], c.g.apps[y.a]
		if m := a.mems[x.param]; m.Off+m.Len > b.mems[y.param].Off {
			return nil, fmt.Errorf("graph: %s of %s and %s of %s share memory: a parameter has one use in a graph",
				a.params[x.param].Name, a.op.Name(), b.params[y.param].Name, b.op.Name())
		}
	}
	return all, nil
}
