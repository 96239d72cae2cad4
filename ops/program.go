package ops

import (
	"fmt"

	"gorgonia.org/gorgonia"
)

// Program is a compiled graph: a straight line of instructions over named
// memory. It may be run any number of times, by one goroutine at a time.
type Program struct {
	instrs []instr
	arena  int
	kept   map[*gorgonia.Node]Mem
}

// place lays the values out in the arena and fills in every Mem.
func (c *compiler) place(roots Roots) (*Program, error) {
	for i, in := range c.instrs {
		for _, v := range in.uses() {
			c.values[v].last = i
		}
	}
	keep := map[int]bool{}
	for _, n := range roots.Keep {
		v, ok := c.of[n]
		if !ok {
			return nil, fmt.Errorf("ops: kept node %v is not in the graph", n)
		}
		keep[v] = true
	}
	dies := make([][]int, len(c.instrs)) // values by the instruction after which they are dead
	for v := range c.values {
		if val := &c.values[v]; !val.fixed && !keep[v] {
			at := max(val.def, val.last)
			dies[at] = append(dies[at], v)
		}
	}
	var p planner
	for i := range c.instrs {
		in := &c.instrs[i]
		for _, v := range in.defs() {
			if val := &c.values[v]; !val.fixed {
				val.mem = p.alloc(val.shape.TotalSize())
			}
		}
		in.call.Scratch = p.alloc(in.scratch)
		in.resolve(c.values)
		p.release(in.call.Scratch)
		for _, v := range dies[i] {
			p.release(c.values[v].mem)
		}
	}
	prog := &Program{instrs: c.instrs, arena: p.top, kept: map[*gorgonia.Node]Mem{}}
	for _, n := range roots.Keep {
		prog.kept[n] = c.values[c.of[n]].mem
	}
	return prog, nil
}

// defs are the values an instruction writes for the first time.
func (in *instr) defs() []int {
	var d []int
	switch in.kind {
	case forwardInstr:
		d = append(d, in.out)
		if in.saved >= 0 {
			d = append(d, in.saved)
		}
	case backwardInstr:
		for _, v := range in.dIn {
			if v >= 0 {
				d = append(d, v)
			}
		}
	default:
		d = append(d, in.out)
	}
	return d
}

// uses are the values an instruction reads.
func (in *instr) uses() []int {
	switch in.kind {
	case backwardInstr:
		u := []int{in.dOut}
		if in.saved >= 0 {
			u = append(u, in.saved)
		}
		if in.op.KeepsInput() {
			u = append(u, in.in[0])
		}
		return u
	case fillInstr:
		return nil
	}
	return in.in
}

// resolve replaces the value indices by memory. An input that Backward does
// not keep may be dead by then; it is left absent so that reading it fails.
func (in *instr) resolve(values []value) {
	mem := func(v int) Mem {
		if v < 0 {
			return Mem{}
		}
		return values[v].mem
	}
	c := &in.call
	c.In, c.DIn = nil, nil
	for i, v := range in.in {
		m := mem(v)
		if in.kind == backwardInstr && m.Region == Arena && (i > 0 || !in.op.KeepsInput()) {
			m = Mem{}
		}
		c.In = append(c.In, m)
	}
	c.Saved = mem(in.saved)
	if in.kind == backwardInstr {
		c.DOut = mem(in.dOut)
		for _, v := range in.dIn {
			c.DIn = append(c.DIn, mem(v))
		}
		return
	}
	c.Out = mem(in.out)
}

// Run executes the program on b. mode and momentum are those of batch
// normalisation (see Mode).
func (p *Program) Run(b Backend, mode Mode, momentum float64) error {
	if err := b.Reserve(p.arena); err != nil {
		return err
	}
	for i := range p.instrs {
		in := &p.instrs[i]
		in.call.Mode, in.call.Momentum = mode, momentum
		var err error
		switch in.kind {
		case forwardInstr:
			err = b.Forward(in.op, &in.call)
		case backwardInstr:
			err = b.Backward(in.op, &in.call)
		case sumInstr:
			err = b.Sum(in.call.Out, in.call.In)
		case fillInstr:
			err = b.Fill(in.call.Out, 1)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Mem is where a kept node's value lies after Run, until the next Run of any
// program on the same backend.
func (p *Program) Mem(n *gorgonia.Node) Mem { return p.kept[n] }

// ArenaLen is the arena the program needs, in elements.
func (p *Program) ArenaLen() int { return p.arena }

// Len is the number of instructions.
func (p *Program) Len() int { return len(p.instrs) }
