package engine

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"oneshot/ops"
	"oneshot/ops/graph"
)

// digits is a network of a row of blocks, each of which is its input, or adds to it one of four candidates: two values are
// alive where paths part. Candidate d of block k has parameters and statistics of its own, the last two statistics alone.
func digits(t testing.TB, choices string) *Graph {
	t.Helper()
	const batch, c = 2, 16
	g := graph.New()
	apply := func(at int, op ops.Op, in ...graph.Node) graph.Node {
		var params, state []ops.Mem
		off := at * 1000
		for _, p := range op.Params() {
			params = append(params, ops.Mem{Region: ops.Params, Off: off, Len: p.Shape.Size()})
			off += p.Shape.Size()
		}
		for i, n := range op.Norms() {
			state = append(state, ops.Mem{Region: ops.State, Off: at*1000 + i*2*n.Channels, Len: 2 * n.Channels})
		}
		n, err := g.Apply(op, params, state, in...)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	out := &Graph{Batch: batch, Image: 4 * 4 * 3, Classes: c}
	x := apply(0, ops.Stem{Cin: 3, Cout: c}, g.Input("images", out.Images(), batch, 4, 4, 3))
	for k, d := range choices {
		if d != '0' {
			op := ops.Op(ops.ConvBN{Parts: 1, Cin: c, Cout: c})
			if d >= '3' {
				op = ops.PoolBN{C: c, Stride: 1}
			}
			x = apply(0, ops.NodeSum{}, x, apply(1+5*k+int(d-'0'), op, x))
		}
	}
	x = apply(0, ops.GlobalAvgPool{Parts: 1}, x)
	prog, err := g.Compile(Apart{ops.NewCPU[float32](nil)}, x)
	if err != nil {
		t.Fatal(err)
	}
	out.Prog, out.Logits = prog, prog.Kept[0]
	return out
}

// meaning is what each piece of memory stands for after a run: a text for each offset of the arena and of the statistics.
type meaning map[ops.Mem]string

// run runs instructions on meanings instead of numbers. What is written takes the memory of all that it overlaps.
func (m meaning) run(instrs []ops.Instr) {
	for _, in := range instrs {
		text := in.Op.Name()
		for i, x := range in.Call.In {
			if x.Region == ops.Params || x.Region == ops.Input {
				text += fmt.Sprint(" ", x)
				continue
			}
			text += fmt.Sprintf(" (%s|%s)", m[x], m[in.Call.InNorm[i]])
		}
		for i, w := range append([]ops.Mem{in.Call.Out, in.Call.OutNorm, in.Call.Saved}, in.Call.State...) {
			if w.Len == 0 {
				continue
			}
			for old := range m {
				if old.Region == w.Region && old.Off < w.Off+w.Len && w.Off < old.Off+old.Len {
					delete(m, old)
				}
			}
			m[w] = fmt.Sprint(i, text)
		}
	}
}

// shares says what is wrong with graphs put together: each path must have the outputs and the statistics that it has alone.
func shares(gs []*Graph, s *Shared) error {
	all, from := meaning{}, 0
	all.run(s.Prog.Instrs)
	for k, g := range gs {
		if s.Paths[k].End < from {
			return fmt.Errorf("path %d ends at %d", k, s.Paths[k].End)
		}
		from = s.Paths[k].End
		alone := meaning{}
		alone.run(g.Prog.Instrs)
		if want := alone[g.Logits]; want == "" || all[s.Paths[k].Logits] != want {
			return fmt.Errorf("path %d gives %q, alone %q", k, all[s.Paths[k].Logits], want)
		}
		norms := 0
		for m, want := range alone {
			if m.Region != ops.State {
				continue
			}
			norms++
			i := slices.IndexFunc(s.Paths[k].norms, func(n kept) bool { return n.of == m })
			if i < 0 || all[s.Paths[k].norms[i].at] != want {
				return fmt.Errorf("path %d: the statistics at %v are others than alone", k, m)
			}
		}
		if norms != len(s.Paths[k].norms) {
			return fmt.Errorf("path %d has %d statistics, alone %d", k, len(s.Paths[k].norms), norms)
		}
	}
	return nil
}

// TestShare: paths put together compute what they compute alone, what they begin with in common once, whichever they are and in
// whatever order; in the order of their choices that is the least. Programs with a planted fault are found out.
func TestShare(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	found := map[string]int{}
	for range 20 {
		var texts []string
		for range 2 + r.IntN(9) {
			text := ""
			for range 4 {
				text += string(rune('0' + r.IntN(5)))
			}
			texts = append(texts, text)
		}
		put := func(texts []string) ([]*Graph, *Shared) {
			var gs []*Graph
			for _, x := range texts {
				gs = append(gs, digits(t, x))
			}
			return gs, Share(gs)
		}
		gs, s := put(texts)
		if err := shares(gs, s); err != nil {
			t.Fatalf("%v: %v", texts, err)
		}
		mixed := len(s.Prog.Instrs)
		slices.Sort(texts)
		gs, s = put(texts)
		if err := shares(gs, s); err != nil {
			t.Fatalf("%v: %v", texts, err)
		}
		begun, whole := map[string]bool{}, map[string]bool{} // by what is chosen up to there
		for _, text := range texts {
			chosen := ""
			for k, d := range text {
				if d != '0' {
					chosen += fmt.Sprint(k, ":", string(d), " ")
					begun[chosen] = true
				}
			}
			whole[chosen] = true
		}
		if want := 1 + 2*len(begun) + len(whole); len(s.Prog.Instrs) != want || mixed < want {
			t.Errorf("%v: %d instructions, in another order %d; %d are different", texts, len(s.Prog.Instrs), mixed, want)
		}
		for what, plant := range map[string]func(){
			"statistics of another path": func() {
				a, b := &s.Paths[0], &s.Paths[len(s.Paths)-1]
				a.norms, b.norms = b.norms, a.norms
			},
			"statistics of another place": func() {
				n := slices.Clone(s.Paths[0].norms)
				n[0].at.Off += n[0].at.Len
				s.Paths[0].norms = n
			},
			"memory that is in use": func() {
				last := s.Prog.Instrs[len(s.Prog.Instrs)-1].Call.Out
				for i := range s.Prog.Instrs[:len(s.Prog.Instrs)-1] {
					if c := &s.Prog.Instrs[i].Call; c.Out.Len == last.Len {
						c.Out.Off = last.Off // of what is kept to the end
					}
				}
			},
			"another value": func() {
				for i := len(s.Prog.Instrs) - 1; i > 0; i-- {
					if c := &s.Prog.Instrs[i].Call; len(c.In) == 2 && c.In[0].Region == c.In[1].Region {
						c.In[0], c.In[1], c.InNorm[0], c.InNorm[1] = c.In[1], c.In[0], c.InNorm[1], c.InNorm[0]
						return
					}
				}
			},
		} {
			gs, s = put(texts)
			if plant(); shares(gs, s) != nil {
				found[what]++
			}
		}
	}
	for _, what := range []string{"statistics of another path", "statistics of another place", "memory that is in use", "another value"} {
		if found[what] == 0 {
			t.Errorf("%s was never found", what)
		}
	}
}
