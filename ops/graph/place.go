package graph

import (
	"fmt"

	"oneshot/ops"
)

// scheduler is a backend that runs instructions in an order of its own and lays
// the values out by that: in the program no two share memory.
type scheduler interface{ Schedules() bool }

// place lays the values out in the arena and fills in every Mem.
func (c *compiler) place(keep []Node) (*ops.Program, error) {
	var buf []int
	for i := range c.instrs {
		buf = c.instrs[i].uses(buf[:0])
		for _, v := range buf {
			c.values[v].last = i
			if norm := c.values[v].norm; norm >= 0 {
				c.values[norm].last = i
			}
		}
	}
	kept := make([]bool, len(c.values))
	for _, n := range keep {
		v := c.at(n.n).value
		if v < 0 {
			return nil, fmt.Errorf("graph: kept node %v is not in the graph", n.n)
		}
		if c.values[v].norm >= 0 {
			return nil, fmt.Errorf("graph: kept node %v is not normalised yet: its consumers do that", n.n)
		}
		kept[v] = true
	}
	dies := make([][]int, len(c.instrs)) // values by the instruction after which they are dead
	for v := range c.values {
		if val := &c.values[v]; !val.fixed && !kept[v] {
			at := max(val.def, val.last)
			dies[at] = append(dies[at], v)
		}
	}
	var p planner
	sched, ok := c.b.(scheduler)
	scheduled := ok && sched.Schedules()
	prog := &ops.Program{Instrs: make([]ops.Instr, len(c.instrs)), Kept: make([]ops.Mem, len(keep))}
	for i := range c.instrs {
		in := &c.instrs[i]
		define := func(v int) {
			if val := &c.values[v]; !val.fixed && val.def == i {
				val.mem = p.alloc(val.size)
			}
		}
		buf = in.defs(buf[:0])
		for _, v := range buf {
			define(v)
			if norm := c.values[v].norm; norm >= 0 {
				define(norm)
			}
		}
		prog.Instrs[i] = in.resolve(c.values)
		for _, v := range dies[i] {
			if !scheduled {
				p.release(c.values[v].mem)
			}
		}
	}
	prog.Arena = p.Top()
	for i, n := range keep {
		prog.Kept[i] = c.values[c.at(n.n).value].mem
	}
	return prog, nil
}

// defs appends the values an instruction writes; the first to do so defines them.
func (in *instr) defs(d []int) []int {
	if in.kind == ops.Backward {
		return present(present(d, in.dIn...), in.dInSum)
	}
	return present(d, in.out, in.saved)
}

// uses appends the values an instruction reads.
func (in *instr) uses(u []int) []int {
	switch in.kind {
	case ops.Backward:
		u = present(u, in.dIn...)
		u = present(u, in.dAdd...)
		u = present(u, in.dOut, in.dOutSum, in.saved)
		if in.a.normed {
			u = append(u, in.out)
		}
		if in.a.op.KeepsInput() {
			u = append(u, in.in...)
		}
		return u
	case ops.Fill:
		return u
	case ops.Sum:
		return append(append(u, in.out), in.in...)
	}
	return append(u, in.in...)
}

// present appends those values that are there.
func present(to []int, vs ...int) []int {
	for _, v := range vs {
		if v >= 0 {
			to = append(to, v)
		}
	}
	return to
}

// resolve replaces the value indices by memory. What Backward does not keep may
// be dead by then; it is left absent so that reading it fails.
func (in *instr) resolve(values []value) ops.Instr {
	mem := func(v int) ops.Mem {
		if v < 0 {
			return ops.Mem{}
		}
		return values[v].mem
	}
	norm := func(v int) ops.Mem { return mem(values[v].norm) }
	out := ops.Instr{Kind: in.kind}
	c := &out.Call
	a := in.a
	n := len(in.in)
	if a == nil { // sum, fill
		c.In = make([]ops.Mem, n)
		for i, v := range in.in {
			c.In[i] = mem(v)
		}
		c.Out = mem(in.out)
		return out
	}
	out.Op = a.op
	c.InShape, c.OutShape, c.State = a.all, a.out, a.state
	lists := make([]ops.Mem, 4*len(c.InShape)) // one piece of memory for all
	list := func() []ops.Mem {
		l := lists[:len(c.InShape):len(c.InShape)]
		lists = lists[len(c.InShape):]
		return l
	}
	c.In, c.InNorm = list(), list()
	for i, v := range in.in {
		if m := mem(v); in.kind != ops.Backward || m.Region != ops.Arena || a.op.KeepsInput() {
			c.In[i], c.InNorm[i] = m, norm(v)
		}
	}
	copy(c.In[n:], a.mems)
	c.Saved = mem(in.saved)
	if in.kind == ops.Backward {
		c.DOut, c.DInSum, c.DOutSum = mem(in.dOut), mem(in.dInSum), mem(in.dOutSum)
		c.DIn, c.DAdd = list(), list()
		for i, v := range in.dIn {
			c.DIn[i], c.DAdd[i] = mem(v), mem(in.dAdd[i])
		}
		for i, m := range a.mems {
			m.Region = ops.Grad
			c.DIn[n+i] = m
		}
		if !a.normed {
			return out
		}
	}
	c.Out, c.OutNorm = mem(in.out), norm(in.out)
	return out
}
