package ops

import (
	"fmt"
	"strings"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Roots says what a program is for.
type Roots struct {
	// Loss is the differentiated node; nil for a forward-only program.
	Loss *gorgonia.Node
	// Keep are the nodes whose values can be read after a run.
	Keep []*gorgonia.Node
	// Wanted are the leaves given to Graph.Grad, Grads its result, and GradMem
	// where each gradient goes.
	Wanted, Grads []*gorgonia.Node
	GradMem       []Mem
}

// value is one result of an instruction, placed in the arena unless fixed.
type value struct {
	mem       Mem
	shape     tensor.Shape
	fixed     bool // mem is given, not planned
	norm      int  // value of the coefficients that normalise it; -1: none
	def, last int  // instruction indices; last < 0: never used
}

type instrKind uint8

const (
	forwardInstr instrKind = iota
	backwardInstr
	sumInstr
	fillInstr
)

// instr is one step of a program; values are indices until the memory is planned.
type instr struct {
	kind  instrKind
	op    Op
	call  Call
	in    []int // forward, backward: inputs; sum: terms
	out   int   // forward, backward: output; sum, fill: result
	saved int   // -1: none
	dOut  int
	dIn   []int // -1: not wanted
	dAdd  []int // -1: nothing to add
}

// gradient is what is known of the gradient of a node while its consumers'
// backward instructions are emitted: the terms that have come so far, as the
// value that accumulates most of them, and values that are still to be added.
type gradient struct {
	terms []int // numbers of the terms, see checkMerges
	own   int   // -1: none yet
	more  []int
}

// compiler turns a graph into instructions over values.
type compiler struct {
	g       *Graph
	b       Backend
	all     gorgonia.Nodes
	kids    map[*gorgonia.Node]gorgonia.Nodes
	live    map[*gorgonia.Node]bool
	instrs  []instr
	values  []value
	nTerms  int
	of      map[*gorgonia.Node]int       // value of a leaf or forward node
	grads   map[*gorgonia.Node]*gradient // of a leaf or forward node
	terms   map[*gorgonia.Node][]int     // a gradient expression as the terms it adds
	bwdDIn  map[*applied][]int           // terms of a backward node
	fwd     map[*applied]int             // forward instruction
	dOutOf  map[*applied][]int           // terms that entered the backward node
	nodeFor map[*applied]*gorgonia.Node
}

// Compile turns the graph into a program for b: it walks the nodes once in
// creation order (which is topological; checked), drops what the roots do not
// need, accumulates the gradients of a value with several consumers in one
// place as they come instead of gorgonia's chains of additions, checks that
// gorgonia merged no two gradients, and lays the values out in the arena by
// liveness.
func (g *Graph) Compile(b Backend, roots Roots) (*Program, error) {
	c := &compiler{
		g: g, b: b, all: g.G.AllNodes(),
		kids: map[*gorgonia.Node]gorgonia.Nodes{}, live: map[*gorgonia.Node]bool{},
		of: map[*gorgonia.Node]int{}, grads: map[*gorgonia.Node]*gradient{}, terms: map[*gorgonia.Node][]int{},
		bwdDIn: map[*applied][]int{}, fwd: map[*applied]int{},
		dOutOf: map[*applied][]int{}, nodeFor: map[*applied]*gorgonia.Node{},
	}
	c.markLive(roots)
	for _, n := range c.all {
		if c.live[n] {
			if err := c.visit(n, roots); err != nil {
				return nil, err
			}
		}
	}
	if err := c.checkMerges(roots); err != nil {
		return nil, err
	}
	if err := c.storeGrads(roots); err != nil {
		return nil, err
	}
	return c.place(roots)
}

func (c *compiler) markLive(roots Roots) {
	for _, ns := range [][]*gorgonia.Node{roots.Keep, roots.Grads, {roots.Loss}} {
		for _, n := range ns {
			if n != nil {
				c.live[n] = true
			}
		}
	}
	for i := len(c.all) - 1; i >= 0; i-- {
		n := c.all[i]
		if !c.live[n] {
			continue
		}
		it := c.g.G.From(n.ID())
		for it != nil && it.Next() {
			k := it.Node().(*gorgonia.Node)
			c.kids[n] = append(c.kids[n], k)
			c.live[k] = true
		}
	}
}

func (c *compiler) newValue(v value) int {
	v.last = -1
	c.values = append(c.values, v)
	return len(c.values) - 1
}

// newTerm numbers one gradient of one input of one operation.
func (c *compiler) newTerm() int {
	c.nTerms++
	return c.nTerms
}

func (c *compiler) emit(in instr) int {
	c.instrs = append(c.instrs, in)
	return len(c.instrs) - 1
}

func (c *compiler) visit(n *gorgonia.Node, roots Roots) error {
	if m, ok := c.g.leaves[n]; ok {
		c.of[n] = c.newValue(value{mem: m, shape: n.Shape(), fixed: true, norm: -1})
		return nil
	}
	if n == c.g.seed {
		v := c.newValue(value{shape: n.Shape(), norm: -1, def: len(c.instrs)})
		c.emit(instr{kind: fillInstr, out: v, saved: -1})
		term := c.newTerm()
		c.terms[n] = []int{term}
		c.grads[roots.Loss] = &gradient{terms: []int{term}, own: -1, more: []int{v}}
		return nil
	}
	switch op := n.Op().(type) {
	case *forwardOp:
		return c.forward(n, op.applied)
	case *backwardOp:
		return c.backward(n, op.applied)
	case *pickOp:
		bwd := c.kids[n][0]
		from, ok := bwd.Op().(*backwardOp)
		if !ok || from.applied != op.applied {
			return fmt.Errorf("ops: gradient %d of %s is taken from another operation: gorgonia merged two backward nodes", op.i, op.op.Name())
		}
		c.terms[n] = []int{c.bwdDIn[op.applied][op.i]}
		return nil
	}
	if isAdd(n.Op()) {
		for _, k := range c.kids[n] {
			t, ok := c.terms[k]
			if !ok {
				return fmt.Errorf("ops: addition of %v, which is no gradient", k)
			}
			c.terms[n] = append(c.terms[n], t...)
		}
		return nil
	}
	return fmt.Errorf("ops: node %v is neither one of our operations nor a gradient sum", n)
}

// isAdd recognises the additions gorgonia makes when a value has several consumers.
func isAdd(op gorgonia.Op) bool {
	b, ok := op.(gorgonia.BinaryOp)
	return ok && b.IsBinary() && strings.HasPrefix(op.String(), "+")
}

func (c *compiler) forward(n *gorgonia.Node, a *applied) error {
	at := len(c.instrs)
	in := instr{kind: forwardInstr, op: a.op, saved: -1,
		call: Call{InShape: a.in, OutShape: a.out, State: a.state}}
	for _, k := range c.kids[n] {
		v, ok := c.of[k]
		if !ok {
			return fmt.Errorf("ops: node order is not topological at %v", n)
		}
		in.in = append(in.in, v)
	}
	norm := -1
	if len(a.op.BN()) > 0 {
		norm = c.newValue(value{shape: tensor.Shape{NormLen(a.out[len(a.out)-1])}, norm: -1, def: at})
	}
	in.out = c.newValue(value{shape: a.out, def: at, norm: norm})
	if saved := c.b.Saved(a.op, a.in, a.out); saved > 0 {
		in.saved = c.newValue(value{shape: tensor.Shape{saved}, norm: -1, def: at})
	}
	c.of[n] = in.out
	c.fwd[a] = c.emit(in)
	c.nodeFor[a] = n
	return nil
}

func (c *compiler) backward(n *gorgonia.Node, a *applied) error {
	f, ok := c.fwd[a]
	if !ok {
		return fmt.Errorf("ops: backward node of %s stands before its forward node", a.op.Name())
	}
	kids := c.kids[n]
	c.dOutOf[a] = c.terms[kids[len(kids)-1]]
	dOut, err := c.gradientOf(c.nodeFor[a], a.op.Name(), c.dOutOf[a], a.out)
	if err != nil {
		return err
	}
	fi := c.instrs[f]
	in := instr{kind: backwardInstr, op: a.op, call: fi.call, in: fi.in, out: fi.out, saved: fi.saved, dOut: dOut}
	works := false
	for i := range a.in {
		dIn, dAdd, term := -1, -1, -1
		if a.op.Diff(i) {
			term = c.newTerm()
			k := c.kids[c.nodeFor[a]][i]
			if passes(a.op, i) {
				g := c.gradient(k, term)
				g.more = append(g.more, dOut)
			} else {
				dIn, dAdd = c.accumulate(k, term, a.in[i], Adds(a.op))
				works = true
			}
		}
		in.dIn, in.dAdd = append(in.dIn, dIn), append(in.dAdd, dAdd)
		c.bwdDIn[a] = append(c.bwdDIn[a], term)
	}
	c.terms[n] = []int{c.bwdDIn[a][a.primary()]}
	if works {
		c.emit(in)
	}
	return nil
}

// gradient is the gradient of node k, to which a term comes.
func (c *compiler) gradient(k *gorgonia.Node, term int) *gradient {
	g := c.grads[k]
	if g == nil {
		g = &gradient{own: -1}
		c.grads[k] = g
	}
	g.terms = append(g.terms, term)
	return g
}

// accumulate chooses where the next instruction writes a term of the gradient
// of k, and what it adds to it, if it can.
func (c *compiler) accumulate(k *gorgonia.Node, term int, shape tensor.Shape, adds bool) (dIn, dAdd int) {
	_, leaf := c.g.leaves[k]
	g := c.gradient(k, term)
	fresh := func() int { return c.newValue(value{shape: shape, norm: -1, def: len(c.instrs)}) }
	switch {
	case g.own >= 0 && adds && !leaf:
		return g.own, g.own
	case g.own >= 0:
		v := fresh()
		g.more = append(g.more, v)
		return v, -1
	}
	g.own = fresh()
	if n := len(g.more); n > 0 && adds && !leaf {
		last := g.more[n-1]
		g.more = g.more[:n-1]
		return g.own, last
	}
	return g.own, -1
}

// gradientOf returns a value that holds the gradient of forward node k, which
// gorgonia says is the sum of the given terms.
func (c *compiler) gradientOf(k *gorgonia.Node, name string, terms []int, shape tensor.Shape) (int, error) {
	g := c.grads[k]
	if g == nil {
		return 0, fmt.Errorf("ops: backward node of %s has no gradient to start from", name)
	}
	if err := sameTerms(name, terms, g.terms); err != nil {
		return 0, err
	}
	return c.sum(g, shape), nil
}

// sum makes one value of a gradient.
func (c *compiler) sum(g *gradient, shape tensor.Shape) int {
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
		g.own = c.newValue(value{shape: shape, norm: -1, def: len(c.instrs)})
	}
	c.emit(instr{kind: sumInstr, in: append(terms, g.more...), out: g.own, saved: -1})
	g.more = nil
	return g.own
}

// storeGrads sends each wanted gradient to its place in the gradient region.
// The backward node writes there directly where it can.
func (c *compiler) storeGrads(roots Roots) error {
	for i, n := range roots.Grads {
		leaf := roots.Wanted[i]
		v, err := c.gradientOf(leaf, leaf.Name(), c.terms[n], leaf.Shape())
		if err != nil {
			return err
		}
		if dst := roots.GradMem[i]; c.values[v].fixed || c.grads[leaf].own != v {
			to := c.newValue(value{mem: dst, shape: leaf.Shape(), fixed: true, norm: -1, def: len(c.instrs)})
			c.emit(instr{kind: sumInstr, in: []int{v}, out: to, saved: -1})
		} else {
			c.values[v].mem, c.values[v].fixed = dst, true
		}
	}
	return nil
}
