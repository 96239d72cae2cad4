package engine

import (
	"math"
	"slices"

	"oneshot/internal/ranges"
	"oneshot/ops"
)

// Shared is a forward pass of several paths. What paths that follow each other begin with in common is
// computed once: the program has the operations of the first, and of each other one those from where
// it parts from the path before. Every operation reads the values that it would read in a program of its own path, so
// all outputs and statistics are the same bits.
//
// A normalisation that two paths have behind different beginnings has two statistics. So all that
// the program has lie in an array of its own, of which Statistics knows what is a path's.
type Shared struct {
	Prog  *ops.Program
	Paths []SharedPath
	State int // values of all statistics
	Kept  int // elements of the arena that are the outputs of all
}

// SharedPath is a path of Shared.
type SharedPath struct {
	End    int     // the path is computed after so many instructions
	Logits ops.Mem // (Batch,Classes), which stay until the end of the program
	norms  []kept
}

// kept is where a statistic lies that belongs to the network's at of.
type kept struct{ at, of ops.Mem }

// Apart is a backend for which paths are compiled that Share puts together: no two values of a program
// share memory, so paths lay out the same what they begin with.
type Apart struct{ ops.Backend }

// Schedules says so to package graph.
func (Apart) Schedules() bool { return true }

// Common is how many instructions b begins with as a does. Both are compiled for Apart and the same number of images.
func Common(a, b *Graph) int {
	x, y := a.Prog.Instrs, b.Prog.Instrs
	n := min(len(x), len(y))
	for i := range n {
		if !same(&x[i], &y[i]) {
			return i
		}
	}
	return n
}

// same says whether two instructions compute the same of the same.
func same(x, y *ops.Instr) bool {
	a, b := &x.Call, &y.Call
	return x.Kind == y.Kind && x.Op == y.Op && a.Out == b.Out && a.OutNorm == b.OutNorm && a.Saved == b.Saved &&
		slices.Equal(a.In, b.In) && slices.Equal(a.InNorm, b.InNorm) && slices.Equal(a.State, b.State) &&
		slices.EqualFunc(a.InShape, b.InShape, ops.Shape.Eq) && a.OutShape.Eq(b.OutShape)
}

// Tail is what the instructions from number first on have: multiply-adds for an image, and values of statistics.
func (g *Graph) Tail(first int) (madds int64, state int) {
	for _, in := range g.Prog.Instrs[first:] {
		acts := in.Call.InShape[:len(in.Call.InShape)-len(in.Op.Params())]
		madds += in.Op.Cost(acts, in.Call.OutShape).MulAdds
		for _, m := range in.Call.State {
			state += m.Len
		}
	}
	return madds / int64(g.Batch), state
}

// Share puts forward passes together that were compiled for Apart, for the same number of images. It is best where
// paths with a common beginning follow each other.
func Share(gs []*Graph) *Shared {
	s := &sharing{out: &Shared{Prog: &ops.Program{}}, at: map[int]int{}}
	var path [][]kept // the statistics of each instruction of the path
	for k, g := range gs {
		n := 0
		if k > 0 {
			n = Common(gs[k-1], g)
		}
		path = path[:n]
		for i := n; i < len(g.Prog.Instrs); i++ {
			path = append(path, s.emit(&g.Prog.Instrs[i]))
		}
		logits := s.at[g.Logits.Off]
		s.values[logits].last = math.MaxInt
		s.logits = append(s.logits, logits)
		s.out.Paths = append(s.out.Paths, SharedPath{End: len(s.out.Prog.Instrs), norms: slices.Concat(path...)})
	}
	s.place()
	return s.out
}

// sharing is a Shared in the making. Until place its instructions name values instead of memory.
type sharing struct {
	out    *Shared
	values []shared
	at     map[int]int // the value of the path that lies at an offset of its own program
	logits []int       // values
}

// shared is a value of the program.
type shared struct {
	mem       ops.Mem
	def, last int // instructions
}

// emit adds an instruction of a path, and returns which statistics it moves.
func (s *sharing) emit(from *ops.Instr) (norms []kept) {
	in := *from
	c := &in.Call
	at := len(s.out.Prog.Instrs)
	for _, m := range slices.Concat(c.In, c.InNorm) {
		if m.Len > 0 && m.Region == ops.Arena {
			x := &s.values[s.at[m.Off]]
			x.last = max(x.last, at)
		}
	}
	c.In, c.InNorm = s.named(c.In...), s.named(c.InNorm...)
	for _, m := range []*ops.Mem{&c.Out, &c.OutNorm, &c.Saved} {
		if m.Len > 0 {
			s.at[m.Off] = len(s.values)
			s.values = append(s.values, shared{mem: *m, def: at, last: at})
			m.Off = s.at[m.Off]
		}
	}
	c.State = slices.Clone(c.State)
	for i, m := range c.State {
		c.State[i].Off = s.out.State
		s.out.State += m.Len
		norms = append(norms, kept{at: c.State[i], of: m})
	}
	s.out.Prog.Instrs = append(s.out.Prog.Instrs, in)
	return norms
}

// named are pieces of memory whose offsets in the arena are values.
func (s *sharing) named(ms ...ops.Mem) []ops.Mem {
	out := slices.Clone(ms)
	for i, m := range out {
		if m.Len > 0 && m.Region == ops.Arena {
			out[i].Off = s.at[m.Off]
		}
	}
	return out
}

// place lays the values out: each has its memory from the instruction that writes it to the last that
// reads it. The outputs, which stay, come first, so that they leave no gaps between the others.
func (s *sharing) place() {
	var arena ranges.Ranges
	alloc := func(v int) {
		s.values[v].mem.Off = arena.Alloc(ops.ArenaSize(s.values[v].mem.Len))
	}
	ends := make([][]int, len(s.out.Prog.Instrs))
	starts := make([][]int, len(ends))
	for v, x := range s.values {
		if x.last == math.MaxInt {
			alloc(v)
			continue
		}
		starts[x.def] = append(starts[x.def], v)
		ends[x.last] = append(ends[x.last], v)
	}
	s.out.Kept = arena.Top()
	lies := func(ms ...*ops.Mem) {
		for _, m := range ms {
			if m.Len > 0 && m.Region == ops.Arena {
				*m = s.values[m.Off].mem
			}
		}
	}
	for i := range s.out.Prog.Instrs {
		for _, v := range starts[i] {
			alloc(v)
		}
		c := &s.out.Prog.Instrs[i].Call
		lies(&c.Out, &c.OutNorm, &c.Saved)
		for k := range c.In {
			lies(&c.In[k], &c.InNorm[k])
		}
		for _, v := range ends[i] {
			arena.Release(s.values[v].mem.Off, ops.ArenaSize(s.values[v].mem.Len))
		}
	}
	s.out.Prog.Arena = arena.Top()
	for k, v := range s.logits {
		s.out.Paths[k].Logits = s.values[v].mem
	}
}

// Statistics copies those of path k from all that the program has, of which State are long, to the network's. Others of the
// network are 0 then, as after Measurer.Score.
func (s *Shared) Statistics(k int, all, state []float32) {
	clear(state)
	for _, n := range s.Paths[k].norms {
		copy(state[n.of.Off:n.of.Off+n.of.Len], all[n.at.Off:])
	}
}
