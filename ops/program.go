package ops

import (
	"fmt"
	"slices"

	"gorgonia.org/gorgonia"
)

// Program is a compiled graph: a straight line of instructions over named
// memory. It may be run any number of times, by one goroutine at a time.
type Program struct {
	instrs []instr
	arena  int
	kept   map[*gorgonia.Node]Mem
}

// scheduler is a backend that runs instructions in an order of its own and lays
// the values out by that: in the program no two share memory.
type scheduler interface{ schedules() bool }

// place lays the values out in the arena and fills in every Mem.
func (c *compiler) place(roots Roots) (*Program, error) {
	for i, in := range c.instrs {
		for _, v := range in.uses() {
			c.values[v].last = i
			if norm := c.values[v].norm; norm >= 0 {
				c.values[norm].last = i
			}
		}
	}
	keep := map[int]bool{}
	for _, n := range roots.Keep {
		v, ok := c.of[n]
		if !ok {
			return nil, fmt.Errorf("ops: kept node %v is not in the graph", n)
		}
		if c.values[v].norm >= 0 {
			return nil, fmt.Errorf("ops: kept node %v is not normalised yet: its consumers do that", n)
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
	sched, ok := c.b.(scheduler)
	scheduled := ok && sched.schedules()
	for i := range c.instrs {
		in := &c.instrs[i]
		define := func(v int) {
			if val := &c.values[v]; !val.fixed && val.def == i {
				val.mem = p.alloc(val.shape.TotalSize())
			}
		}
		for _, v := range in.defs() {
			define(v)
			if norm := c.values[v].norm; norm >= 0 {
				define(norm)
			}
		}
		in.resolve(c.values)
		for _, v := range dies[i] {
			if !scheduled {
				p.release(c.values[v].mem)
			}
		}
	}
	prog := &Program{instrs: c.instrs, arena: p.Top(), kept: map[*gorgonia.Node]Mem{}}
	for _, n := range roots.Keep {
		prog.kept[n] = c.values[c.of[n]].mem
	}
	return prog, nil
}

// defs are the values an instruction writes; the first to do so defines them.
func (in *instr) defs() []int {
	if in.kind != backwardInstr {
		d := []int{in.out}
		if in.saved >= 0 {
			d = append(d, in.saved)
		}
		return d
	}
	return present(in.dIn)
}

// uses are the values an instruction reads.
func (in *instr) uses() []int {
	switch in.kind {
	case backwardInstr:
		u := append(present(in.dIn), present(in.dAdd)...)
		u = append(u, in.dOut)
		if in.saved >= 0 {
			u = append(u, in.saved)
		}
		if len(in.op.BN()) > 0 {
			u = append(u, in.out)
		}
		if in.op.KeepsInput() {
			u = append(u, in.in...)
		}
		return u
	case fillInstr:
		return nil
	case sumInstr:
		return append([]int{in.out}, in.in...)
	}
	return in.in
}

func present(vs []int) []int {
	var out []int
	for _, v := range vs {
		if v >= 0 {
			out = append(out, v)
		}
	}
	return out
}

// resolve replaces the value indices by memory. What Backward does not keep may
// be dead by then; it is left absent so that reading it fails.
func (in *instr) resolve(values []value) {
	mem := func(v int) Mem {
		if v < 0 {
			return Mem{}
		}
		return values[v].mem
	}
	norm := func(v int) Mem { return mem(values[v].norm) }
	c := &in.call
	c.In, c.InNorm, c.DIn, c.DAdd = nil, nil, nil, nil
	for _, v := range in.in {
		m, n := mem(v), norm(v)
		if in.kind == backwardInstr && m.Region == Arena && !in.op.KeepsInput() {
			m, n = Mem{}, Mem{}
		}
		c.In, c.InNorm = append(c.In, m), append(c.InNorm, n)
	}
	c.Saved = mem(in.saved)
	if in.kind == backwardInstr {
		c.DOut = mem(in.dOut)
		for i, v := range in.dIn {
			c.DIn, c.DAdd = append(c.DIn, mem(v)), append(c.DAdd, mem(in.dAdd[i]))
		}
		if len(in.op.BN()) == 0 {
			return
		}
	}
	c.Out, c.OutNorm = mem(in.out), norm(in.out)
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

// Clone returns a program that may run at the same time as p, on another backend.
func (p *Program) Clone() *Program {
	c := *p
	c.instrs = slices.Clone(p.instrs) // Run writes to the instructions, not to what they refer to
	return &c
}

// Mem is where a kept node's value lies after Run, until the next Run of any
// program on the same backend.
func (p *Program) Mem(n *gorgonia.Node) Mem { return p.kept[n] }

// ArenaLen is the arena the program needs, in elements.
func (p *Program) ArenaLen() int { return p.arena }

// Len is the number of instructions.
func (p *Program) Len() int { return len(p.instrs) }
