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
	kind    instrKind
	op      Op
	call    Call
	in      []int // forward: inputs; sum: terms
	out     int   // forward: output; sum, fill: result
	saved   int   // -1: none
	dOut    int
	dIn     []int // -1: not wanted
	scratch int   // elements
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
	of      map[*gorgonia.Node]int   // value of a leaf or forward node
	terms   map[*gorgonia.Node][]int // a gradient expression as the values it adds
	bwdDIn  map[*applied][]int       // gradient values of a backward node
	fwd     map[*applied]int         // forward instruction
	dOutOf  map[*applied][]int       // terms that entered the backward node
	nodeFor map[*applied]*gorgonia.Node
}

// Compile turns the graph into a program for b: it walks the nodes once in
// creation order (which is topological; checked), drops what the roots do not
// need, replaces gorgonia's chains of gradient additions by n-ary sums, checks
// that gorgonia merged no two gradients, and lays the values out in the arena
// by liveness.
func (g *Graph) Compile(b Backend, roots Roots) (*Program, error) {
	c := &compiler{
		g: g, b: b, all: g.G.AllNodes(),
		kids: map[*gorgonia.Node]gorgonia.Nodes{}, live: map[*gorgonia.Node]bool{},
		of: map[*gorgonia.Node]int{}, terms: map[*gorgonia.Node][]int{},
		bwdDIn: map[*applied][]int{}, fwd: map[*applied]int{},
		dOutOf: map[*applied][]int{}, nodeFor: map[*applied]*gorgonia.Node{},
	}
	c.markLive(roots)
	for _, n := range c.all {
		if c.live[n] {
			if err := c.visit(n); err != nil {
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

func (c *compiler) emit(in instr) int {
	c.instrs = append(c.instrs, in)
	return len(c.instrs) - 1
}

func (c *compiler) visit(n *gorgonia.Node) error {
	if m, ok := c.g.leaves[n]; ok {
		c.of[n] = c.newValue(value{mem: m, shape: n.Shape(), fixed: true})
		return nil
	}
	if n == c.g.seed {
		v := c.newValue(value{shape: n.Shape(), def: len(c.instrs)})
		c.emit(instr{kind: fillInstr, out: v, saved: -1})
		c.terms[n] = []int{v}
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
	ws := c.b.Workspace(a.op, a.in, a.out)
	at := len(c.instrs)
	in := instr{kind: forwardInstr, op: a.op, saved: -1, scratch: ws.Forward,
		call: Call{InShape: a.in, OutShape: a.out, State: a.state}}
	for _, k := range c.kids[n] {
		v, ok := c.of[k]
		if !ok {
			return fmt.Errorf("ops: node order is not topological at %v", n)
		}
		in.in = append(in.in, v)
	}
	in.out = c.newValue(value{shape: a.out, def: at})
	if ws.Saved > 0 {
		in.saved = c.newValue(value{shape: tensor.Shape{ws.Saved}, def: at})
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
	terms, ok := c.terms[kids[len(kids)-1]]
	if !ok {
		return fmt.Errorf("ops: backward node of %s has no gradient to start from", a.op.Name())
	}
	c.dOutOf[a] = terms
	fi := c.instrs[f]
	in := instr{kind: backwardInstr, op: a.op, call: fi.call, in: fi.in, out: -1, saved: fi.saved,
		scratch: c.b.Workspace(a.op, a.in, a.out).Backward, dOut: c.sum(terms, a.out)}
	for i, s := range a.in {
		v := -1
		if a.op.Diff(i) {
			v = c.newValue(value{shape: s, def: len(c.instrs)})
		}
		in.dIn = append(in.dIn, v)
	}
	c.bwdDIn[a] = in.dIn
	c.terms[n] = []int{in.dIn[a.primary()]}
	c.emit(in)
	return nil
}

// sum returns a value holding the sum of the terms.
func (c *compiler) sum(terms []int, shape tensor.Shape) int {
	if len(terms) == 1 {
		return terms[0]
	}
	v := c.newValue(value{shape: shape, def: len(c.instrs)})
	c.emit(instr{kind: sumInstr, in: terms, out: v, saved: -1})
	return v
}

// storeGrads sends each wanted gradient to its place in the gradient region.
// The backward node writes there directly where it can.
func (c *compiler) storeGrads(roots Roots) error {
	for i, g := range roots.Grads {
		terms, ok := c.terms[g]
		if !ok {
			return fmt.Errorf("ops: %v is no gradient", g)
		}
		dst := roots.GradMem[i]
		if len(terms) == 1 && !c.values[terms[0]].fixed {
			v := &c.values[terms[0]]
			v.mem, v.fixed = dst, true
			continue
		}
		v := c.newValue(value{mem: dst, shape: g.Shape(), fixed: true, def: len(c.instrs)})
		c.emit(instr{kind: sumInstr, in: terms, out: v, saved: -1})
	}
	return nil
}
