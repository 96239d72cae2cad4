package ops

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"oneshot/ops/cpu"
)

// net is a small graph with a value that has three consumers.
type net struct {
	g       *Graph
	leaves  []*gorgonia.Node // all inputs
	wanted  []*gorgonia.Node
	gradMem []Mem
	loss    *gorgonia.Node
	logits  *gorgonia.Node
	shared  *gorgonia.Node // the value with three consumers
	sum     *gorgonia.Node // of two of them
	mem     map[*gorgonia.Node]Mem
	params  int
	inputs  int
	states  int
}

func (n *net) input(r Region, name string, shape ...int) *gorgonia.Node {
	size := tensor.Shape(shape).TotalSize()
	m := Mem{Region: r, Len: size}
	if r == Param {
		m.Off = n.params
		n.params += size
	} else {
		m.Off = n.inputs
		n.inputs += size
	}
	v := n.g.Input(name, m, shape...)
	n.mem[v] = m
	n.leaves = append(n.leaves, v)
	if r == Param {
		n.wanted = append(n.wanted, v)
		n.gradMem = append(n.gradMem, Mem{Region: Grad, Off: m.Off, Len: size})
	}
	return v
}

func (n *net) apply(op Op, in ...*gorgonia.Node) *gorgonia.Node {
	var st []Mem
	for _, c := range op.BN() {
		st = append(st, Mem{Region: State, Off: n.states, Len: 2 * c})
		n.states += 2 * c
	}
	v, err := n.g.Apply(op, st, in...)
	if err != nil {
		panic(err)
	}
	return v
}

// newNet: stem -> shared -> {conv, sep_conv, max_pool} -> sums -> head.
func newNet(dt tensor.Dtype) *net {
	n := &net{g: NewGraph(dt), mem: map[*gorgonia.Node]Mem{}}
	const N, C, K = 3, 4, 5
	p := func(name string, shape ...int) *gorgonia.Node { return n.input(Param, name, shape...) }
	x := n.input(Input, "x", N, 6, 6, 3)
	labels := n.input(Input, "labels", N)
	mask := n.input(Input, "mask", N)
	n.shared = n.apply(Stem{Cin: 3, Cout: C, Affine: true}, x, p("stem", 3, 3, 3, C), p("sg", C), p("sb", C))
	a := n.apply(ConvBN{ReLU: true, Parts: 1, Cin: C, Cout: C}, n.shared, p("a", C, C))
	b := n.apply(Separable{C: C, K: 3, Stride: 1, Dil: 1, Stages: 2}, n.shared, p("d1", 3, 3, C), p("p1", C, C), p("d2", 3, 3, C), p("p2", C, C))
	c := n.apply(PoolBN{Max: true, C: C, Stride: 1}, n.shared)
	s1 := n.apply(NodeSum{DropB: true}, a, b, mask)
	s2 := n.apply(NodeSum{}, s1, c)
	n.sum = s1
	pooled := n.apply(GlobalAvgPool{Parts: 2}, s1, s2)
	n.logits = n.apply(Linear{In: 2 * C, Out: K}, pooled, p("w", 2*C, K), p("b", K))
	n.loss = n.apply(SoftmaxXent{Smoothing: 0.1}, n.logits, labels)
	return n
}

func (n *net) values(seed uint64) map[*gorgonia.Node][]float64 {
	r := rand.New(rand.NewPCG(seed, 0))
	v := map[*gorgonia.Node][]float64{}
	for _, l := range n.leaves {
		v[l] = make([]float64, n.mem[l].Len)
		for i := range v[l] {
			v[l][i] = r.NormFloat64()
			if l.Name() == "labels" {
				v[l][i] = float64(r.IntN(5))
			}
		}
	}
	return v
}

func (n *net) backend(v map[*gorgonia.Node][]float64) *CPU[float64] {
	b := NewCPU[float64](cpu.NewPool(1))
	b.Bind(Param, make([]float64, n.params))
	b.Bind(Grad, make([]float64, n.params))
	b.Bind(Input, make([]float64, n.inputs))
	b.Bind(State, make([]float64, n.states))
	for l, x := range v {
		copy(b.At(n.mem[l]), x)
	}
	return b
}

func TestExecutorEqualsTapeMachine(t *testing.T) {
	n := newNet(tensor.Float64)
	grads, err := n.g.Grad(n.loss, n.wanted)
	if err != nil {
		t.Fatal(err)
	}
	vals := n.values(7)
	b := n.backend(vals)
	prog, err := n.g.Compile(b, Roots{Loss: n.loss, Keep: []*gorgonia.Node{n.loss, n.logits}, Wanted: n.wanted, Grads: grads, GradMem: n.gradMem})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second run must not see the first's arena
		if err := prog.Run(b, Train, 0.1); err != nil {
			t.Fatal(err)
		}
	}

	for l, x := range vals {
		if err := gorgonia.Let(l, tensor.New(tensor.WithShape(l.Shape()...), tensor.WithBacking(append([]float64(nil), x...)))); err != nil {
			t.Fatal(err)
		}
	}
	if err := gorgonia.Let(n.g.seed, 1.0); err != nil {
		t.Fatal(err)
	}
	outs := make([]gorgonia.Value, len(grads)+1)
	gorgonia.Read(n.loss, &outs[len(grads)])
	for i, g := range grads {
		gorgonia.Read(g, &outs[i])
	}
	vm := gorgonia.NewTapeMachine(n.g.G)
	defer vm.Close()
	if err := vm.RunAll(); err != nil {
		t.Fatal(err)
	}
	if got, want := b.At(prog.Mem(n.loss))[0], outs[len(grads)].Data().(float64); got != want {
		t.Errorf("loss %v, TapeMachine %v", got, want)
	}
	for i, w := range n.wanted {
		got := b.At(n.gradMem[i])
		for j, v := range outs[i].Data().([]float64) {
			if !(math.Abs(got[j]-v) <= 1e-12*(1+math.Abs(v))) {
				t.Fatalf("d %s[%d] = %v, TapeMachine %v", w.Name(), j, got[j], v)
			}
		}
	}
	// Finite differences of the whole graph guard against both being wrong.
	for i, w := range n.wanted {
		m, at := n.mem[w], 0
		grad := b.At(n.gradMem[i])[at]
		p := b.At(m)
		const h = 1e-5
		v := p[at]
		var l [2]float64
		for s, d := range []float64{h, -h} {
			p[at] = v + d
			if err := prog.Run(b, Train, 0.1); err != nil {
				t.Fatal(err)
			}
			l[s] = b.At(prog.Mem(n.loss))[0]
		}
		p[at] = v
		if want := (l[0] - l[1]) / (2 * h); !(math.Abs(grad-want) <= 1e-5*(1+math.Abs(want))) {
			t.Errorf("d %s[0] = %v, finite difference %v", w.Name(), grad, want)
		}
	}
}

// TestMergedGradientIsDetected plants what a hash collision in gorgonia does:
// an addition of gradients that is another addition of the same shape.
func TestMergedGradientIsDetected(t *testing.T) {
	for _, plant := range []string{"none", "leaf", "term counted twice", "inside"} {
		t.Run(plant, func(t *testing.T) {
			n := newNet(tensor.Float64)
			grads, err := n.g.Grad(n.loss, n.wanted)
			if err != nil {
				t.Fatal(err)
			}
			at := func(name string) int {
				for i, w := range n.wanted {
					if w.Name() == name {
						return i
					}
				}
				panic(name)
			}
			switch plant {
			case "leaf": // two leaves of one shape get one gradient
				grads[at("d1")] = grads[at("d2")]
			case "term counted twice":
				i := at("a")
				grads[i] = gorgonia.Must(gorgonia.Add(grads[i], grads[i]))
			case "inside":
				// The stem's backward node again, fed with two of the three terms.
				terms := n.shared.Op().(*forwardOp)
				var bwd []*gorgonia.Node
				for _, v := range n.g.G.AllNodes() {
					if o, ok := v.Op().(*backwardOp); ok && o.in[0].Eq(n.shared.Shape()) && o.op.Name() != "node_sum" && o.op.Name() != "concat" && o.op.Name() != "global_avg_pool" {
						bwd = append(bwd, v)
					}
				}
				if len(bwd) != 3 {
					t.Fatalf("found %d consumers of the shared value, want 3", len(bwd))
				}
				sum := gorgonia.Must(gorgonia.Add(bwd[0], bwd[1]))
				kids := gorgonia.Nodes{n.leaves[0], n.wanted[0], n.wanted[1], n.wanted[2]}
				g, err := terms.SymDiff(kids, n.shared, sum)
				if err != nil {
					t.Fatal(err)
				}
				for i := range 3 {
					grads[i] = g[i+1]
				}
			}
			_, err = n.g.Compile(n.backend(nil), Roots{Loss: n.loss, Keep: []*gorgonia.Node{n.loss}, Wanted: n.wanted, Grads: grads, GradMem: n.gradMem})
			if plant == "none" {
				if err != nil {
					t.Fatalf("a sound graph is refused: %v", err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), "gorgonia merged") {
				t.Fatalf("planted merge %q gave error %v", plant, err)
			}
		})
	}
}

func TestForwardOnlyProgramDropsTheRest(t *testing.T) {
	n := newNet(tensor.Float64)
	b := n.backend(n.values(1))
	whole, err := n.g.Compile(b, Roots{Keep: []*gorgonia.Node{n.loss}})
	if err != nil {
		t.Fatal(err)
	}
	part, err := n.g.Compile(b, Roots{Keep: []*gorgonia.Node{n.sum}})
	if err != nil {
		t.Fatal(err)
	}
	if part.Len() != 4 || whole.Len() != 9 {
		t.Errorf("programs have %d and %d instructions, want 4 (a sum and what it adds) and 9", part.Len(), whole.Len())
	}
	// The stem's output is raw until its consumers normalise it.
	if _, err := n.g.Compile(b, Roots{Keep: []*gorgonia.Node{n.shared}}); err == nil || !strings.Contains(err.Error(), "not normalised") {
		t.Errorf("keeping a raw value: error %v", err)
	}
}

// TestPlanner checks that live pieces never overlap and that memory is reused.
func TestPlanner(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	var p planner
	var live []Mem
	total := 0
	for range 5000 {
		if len(live) > 0 && r.IntN(2) == 0 {
			i := r.IntN(len(live))
			p.release(live[i])
			live = append(live[:i], live[i+1:]...)
			continue
		}
		m := p.alloc(1 + r.IntN(200))
		total += m.Len
		if m.Off%arenaAlign != 0 {
			t.Fatalf("piece at %d is not aligned", m.Off)
		}
		for _, o := range live {
			if m.Off < o.Off+o.Len && o.Off < m.Off+m.Len {
				t.Fatalf("%v overlaps %v", m, o)
			}
		}
		live = append(live, m)
	}
	top := p.Top()
	if top > total/4 {
		t.Errorf("arena of %d for %d allocated in turn: memory is not reused", top, total)
	}
	for _, m := range live {
		p.release(m)
	}
	if m := p.alloc(top); m.Off != 0 || p.Top() != top {
		t.Errorf("after releasing all of %d, a piece of that size lies at %d and the arena is %d", top, m.Off, p.Top())
	}
}

func TestShapeErrorsNameTheInput(t *testing.T) {
	for _, c := range []struct {
		op   Op
		in   []tensor.Shape
		want string
	}{
		{ConvBN{Parts: 1, Cin: 3, Cout: 4}, []tensor.Shape{{1, 2, 2, 5}, {3, 4}}, "want 3 channels"},
		{ConvBN{Parts: 1, Cin: 3, Cout: 4}, []tensor.Shape{{1, 2, 2, 3}, {4, 3}}, "input 1"},
		{FactorizedReduce{Parts: 1, Cin: 3, Cout: 4}, []tensor.Shape{{1, 5, 4, 3}, {3, 2}, {3, 2}}, "even"},
		{GlobalAvgPool{Parts: 2}, []tensor.Shape{{1, 2, 2, 3}, {1, 2, 3, 3}}, "input 1"},
		{NodeSum{}, []tensor.Shape{{1, 2, 2, 3}}, "got 1 inputs"},
		{ReLUAvgPool{Parts: 1, K: 5, Stride: 3}, []tensor.Shape{{1, 4, 4, 3}}, "smaller than"},
	} {
		if _, err := c.op.Shape(c.in); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s on %v: error %v, want one with %q", c.op.Name(), c.in, err, c.want)
		}
	}
}

func TestLabelOutOfRange(t *testing.T) {
	n := newNet(tensor.Float64)
	v := n.values(1)
	for l, x := range v {
		if l.Name() == "labels" {
			x[1] = 5
		}
	}
	b := n.backend(v)
	p, err := n.g.Compile(b, Roots{Keep: []*gorgonia.Node{n.loss}})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Run(b, Train, 0.1); err == nil || !strings.Contains(err.Error(), "label 5 of image 1") {
		t.Errorf("error %v, want one naming label 5 of image 1", err)
	}
}

func Example() {
	g := NewGraph(tensor.Float32)
	w := Mem{Region: Param, Len: 6}
	x := g.Input("x", Mem{Region: Input, Len: 12}, 1, 2, 2, 3)
	y, _ := g.Apply(ConvBN{Parts: 1, Cin: 3, Cout: 2}, []Mem{{Region: State, Len: 4}}, x, g.Input("w", w, 3, 2))
	fmt.Println(y.Shape())
	// Output: (1, 2, 2, 2)
}
