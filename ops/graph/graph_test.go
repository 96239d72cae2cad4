package graph

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"oneshot/ops"
	"oneshot/ops/cpu"
)

// net is a small graph with a value that has three consumers.
type net struct {
	g              *Graph
	inputs         []Node
	loss, logits   Node
	shared         Node // the value with three consumers
	sum            Node // of two of them
	pooled         Node // without normalisation
	nParam, nInput int
	nState         int
}

func (n *net) input(name string, shape ...int) Node {
	size := ops.Shape(shape).Size()
	v := n.g.Input(name, ops.Mem{Region: ops.Input, Off: n.nInput, Len: size}, shape...)
	n.nInput += size
	n.inputs = append(n.inputs, v)
	return v
}

func (n *net) apply(op ops.Op, in ...Node) Node {
	var params, state []ops.Mem
	for _, p := range op.Params() {
		n.nParam++ // parameters need not touch
		params = append(params, ops.Mem{Region: ops.Params, Off: n.nParam, Len: p.Shape.Size()})
		n.nParam += p.Shape.Size()
	}
	for _, b := range op.Norms() {
		state = append(state, ops.Mem{Region: ops.State, Off: n.nState, Len: 2 * b.Channels})
		n.nState += 2 * b.Channels
	}
	v, err := n.g.Apply(op, params, state, in...)
	if err != nil {
		panic(err)
	}
	return v
}

// newNet: stem -> shared -> {conv, sep_conv, max_pool} -> sums -> head.
func newNet(dt tensor.Dtype) *net {
	n := &net{g: newGraph(dt)}
	const N, C, K = 3, 4, 5
	x := n.input("x", N, 6, 6, 3)
	labels := n.input("labels", N)
	mask := n.input("mask", N)
	n.shared = n.apply(ops.Stem{Cin: 3, Cout: C, Affine: true}, x)
	a := n.apply(ops.ConvBN{Act: ops.ReLU, Parts: 1, Cin: C, Cout: C}, n.shared)
	b := n.apply(ops.Separable{C: C, K: 3, Stride: 1, Dil: 1, Stages: 2}, n.shared)
	c := n.apply(ops.PoolBN{Max: true, C: C, Stride: 1}, n.shared)
	s1 := n.apply(ops.NodeSum{Drop: 2}, a, b, mask)
	s2 := n.apply(ops.NodeSum{}, s1, c)
	n.sum = s1
	pooled := n.apply(ops.GlobalAvgPool{Parts: 2}, s1, s2)
	n.logits = n.apply(ops.Linear{In: 2 * C, Out: K}, pooled)
	n.loss = n.apply(ops.SoftmaxXent{Smoothing: 0.1}, n.logits, labels)
	return n
}

// newBlockNet has an inverted residual, then an expansion that two depthwise convolutions read.
func newBlockNet(dt tensor.Dtype) *net {
	n := &net{g: newGraph(dt)}
	const N, C, K = 3, 4, 5
	x := n.input("x", N, 7, 6, 3)
	labels := n.input("labels", N)
	stem := n.apply(ops.Stem{Cin: 3, Cout: C, Affine: true}, x)
	expand := func(x Node) Node { return n.apply(ops.ConvBN{Parts: 1, Cin: C, Cout: 2 * C, Affine: true}, x) }
	wide := n.apply(ops.Depthwise{Act: ops.ReLU, C: 2 * C, K: 3, Stride: 1, Affine: true}, expand(stem))
	block := n.apply(ops.NodeSum{}, stem, n.apply(ops.ConvBN{Act: ops.ReLU, Parts: 1, Cin: 2 * C, Cout: C, Affine: true}, wide))
	n.shared = expand(block)
	n.sum = n.apply(ops.NodeSum{}, n.apply(ops.Depthwise{Act: ops.ReLU, C: 2 * C, K: 3, Stride: 2, Affine: true}, n.shared),
		n.apply(ops.Depthwise{Act: ops.ReLU, C: 2 * C, K: 5, Stride: 2, Affine: true}, n.shared))
	n.logits = n.apply(ops.Linear{In: 2 * C, Out: K}, n.apply(ops.GlobalAvgPool{Parts: 1}, n.sum))
	n.loss = n.apply(ops.SoftmaxXent{}, n.logits, labels)
	return n
}

// TestSumsGoFromOneToTheNext: sums of a gradient are kept where one instruction alone wrote it, and that the next reads
// what was written. Those of a value with two consumers are not.
func TestSumsGoFromOneToTheNext(t *testing.T) {
	n := newBlockNet(tensor.Float64)
	if err := n.g.Grad(n.loss); err != nil {
		t.Fatal(err)
	}
	prog, err := n.g.Compile(n.backend(7), n.loss)
	if err != nil {
		t.Fatal(err)
	}
	var wrote, read []string
	for i, in := range prog.Instrs {
		if in.Call.DInSum.Len > 0 {
			wrote = append(wrote, in.Op.Name())
			if next := prog.Instrs[i+1].Call; next.DOutSum != in.Call.DInSum || next.DOut != in.Call.DIn[0] {
				t.Errorf("%s writes sums that the next does not read", in.Op.Name())
			}
		}
		if in.Call.DOutSum.Len > 0 {
			read = append(read, in.Op.Name())
		}
	}
	if want := []string{"relu_conv_bn", "depthwise_3x3"}; !slices.Equal(wrote, want) {
		t.Errorf("%q write sums, want %q", wrote, want)
	}
	if want := []string{"depthwise_3x3", "relu_conv_bn"}; !slices.Equal(read, want) {
		t.Errorf("%q read sums, want %q", read, want)
	}
}

// newPoolNet has poolings without normalisation: the output of one feeds a sum and a
// convolution, and another reads that sum.
func newPoolNet(dt tensor.Dtype) *net {
	n := &net{g: newGraph(dt)}
	const N, C, K = 3, 4, 5
	x := n.input("x", N, 7, 6, 3)
	labels := n.input("labels", N)
	n.shared = n.apply(ops.Stem{Cin: 3, Cout: C, Affine: true}, x)
	n.pooled = n.apply(ops.PoolBN{Max: true, C: C, Stride: 2, NoNorm: true}, n.shared)
	b := n.apply(ops.PoolBN{C: C, Stride: 2, NoNorm: true}, n.shared)
	c := n.apply(ops.ConvBN{Parts: 1, Cin: C, Cout: C}, n.pooled)
	n.sum = n.apply(ops.NodeSum{}, n.pooled, b)
	s := n.apply(ops.NodeSum{}, c, n.apply(ops.PoolBN{C: C, Stride: 1, NoNorm: true}, n.sum))
	pooled := n.apply(ops.GlobalAvgPool{Parts: 2}, n.sum, s)
	n.logits = n.apply(ops.Linear{In: 2 * C, Out: K}, pooled)
	n.loss = n.apply(ops.SoftmaxXent{}, n.logits, labels)
	return n
}

// app is the application of the op of that name.
func (n *net) app(name string) *applied {
	for _, a := range n.g.apps {
		if a.op.Name() == name {
			return a
		}
	}
	panic(name)
}

// backend has random inputs and parameters; labels are classes.
func (n *net) backend(seed uint64) *ops.CPU[float64] {
	r := rand.New(rand.NewPCG(seed, 0))
	normal := func(n int) []float64 {
		v := make([]float64, n)
		for i := range v {
			v[i] = r.NormFloat64()
		}
		return v
	}
	b := ops.NewCPU[float64](cpu.NewPool(1))
	b.Bind(ops.Params, normal(n.nParam))
	b.Bind(ops.Grad, make([]float64, n.nParam))
	b.Bind(ops.Input, normal(n.nInput))
	b.Bind(ops.State, make([]float64, n.nState))
	labels := b.At(n.inputs[1].mem)
	for i := range labels {
		labels[i] = float64(r.IntN(5))
	}
	return b
}

// bundled are the values of all parameters of an application in a region.
func (a *applied) bundledIn(b *ops.CPU[float64], r ops.Region) []float64 {
	var all []float64
	for _, m := range a.mems {
		m.Region = r
		all = append(all, b.At(m)...)
	}
	return all
}

func TestExecutorEqualsTapeMachine(t *testing.T) {
	t.Run("blocks", func(t *testing.T) { executorEqualsTapeMachine(t, newBlockNet(tensor.Float64), 8, 23) })
	t.Run("cell", func(t *testing.T) { executorEqualsTapeMachine(t, newNet(tensor.Float64), 4, 10) })
	t.Run("pooling without normalisation", func(t *testing.T) { executorEqualsTapeMachine(t, newPoolNet(tensor.Float64), 3, 6) })
}

// executorEqualsTapeMachine: of a graph in which so many applications have
// parameters, and so many of these.
func executorEqualsTapeMachine(t *testing.T, n *net, wantApps, wantParams int) {
	if err := n.g.Grad(n.loss); err != nil {
		t.Fatal(err)
	}
	b := n.backend(7)
	prog, err := n.g.Compile(b, n.loss, n.logits)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second run must not see the first's arena
		if err := prog.Run(b, ops.Train, 0.1); err != nil {
			t.Fatal(err)
		}
	}

	let := func(l *gorgonia.Node, v []float64) {
		if err := gorgonia.Let(l, tensor.New(tensor.WithShape(l.Shape()...), tensor.WithBacking(append([]float64(nil), v...)))); err != nil {
			t.Fatal(err)
		}
	}
	for _, in := range n.inputs {
		let(in.n, b.At(in.mem))
	}
	for _, a := range n.g.wanted {
		let(a.bundle, a.bundledIn(b, ops.Params))
	}
	if err := gorgonia.Let(n.g.seed, 1.0); err != nil {
		t.Fatal(err)
	}
	grads := n.g.grads
	outs := make([]gorgonia.Value, len(grads)+1)
	gorgonia.Read(n.loss.n, &outs[len(grads)])
	for i, g := range grads {
		gorgonia.Read(g, &outs[i])
	}
	vm := gorgonia.NewTapeMachine(n.g.g)
	defer vm.Close()
	if err := vm.RunAll(); err != nil {
		t.Fatal(err)
	}
	loss := func() float64 { return b.At(prog.Kept[0])[0] }
	// A normalisation that its consumer applies, as to a mean, is rounded otherwise.
	if got, want := loss(), outs[len(grads)].Data().(float64); !(math.Abs(got-want) <= 4e-15*math.Abs(want)) {
		t.Errorf("loss %v, TapeMachine %v", got, want)
	}
	if len(n.g.wanted) != wantApps {
		t.Fatalf("%d applications have parameters, want %d", len(n.g.wanted), wantApps)
	}
	for i, a := range n.g.wanted {
		got := a.bundledIn(b, ops.Grad)
		want := outs[i].Data().([]float64)
		if len(got) != len(want) || len(got) == 0 {
			t.Fatalf("%s has %d gradients, TapeMachine %d", a.op.Name(), len(got), len(want))
		}
		for j, v := range want {
			if !(math.Abs(got[j]-v) <= 1e-12*(1+math.Abs(v))) {
				t.Fatalf("d %s[%d] = %v, TapeMachine %v", a.op.Name(), j, got[j], v)
			}
		}
	}
	// Finite differences of the whole graph guard against both being wrong.
	params := 0
	for _, a := range n.g.wanted {
		for i, m := range a.mems {
			params++
			if err := prog.Run(b, ops.Train, 0.1); err != nil { // with the parameters as they were
				t.Fatal(err)
			}
			g := m
			g.Region = ops.Grad
			grad := b.At(g)[0]
			p := b.At(m)
			const h = 1e-5
			v := p[0]
			var l [2]float64
			for s, d := range []float64{h, -h} {
				p[0] = v + d
				if err := prog.Run(b, ops.Train, 0.1); err != nil {
					t.Fatal(err)
				}
				l[s] = loss()
			}
			p[0] = v
			if want := (l[0] - l[1]) / (2 * h); !(math.Abs(grad-want) <= 1e-5*(1+math.Abs(want))) {
				t.Errorf("d %s of %s [0] = %v, finite difference %v", a.params[i].Name, a.op.Name(), grad, want)
			}
		}
	}
	if params != len(prog.Params) || params != wantParams {
		t.Errorf("the program lists %d parameters, its operations have %d, want %d", len(prog.Params), params, wantParams)
	}
}

// TestMergedGradientIsDetected plants what a hash collision in gorgonia does:
// an addition of gradients that is another addition of the same shape.
func TestMergedGradientIsDetected(t *testing.T) {
	for _, plant := range []string{"none", "leaf", "term counted twice", "inside"} {
		t.Run(plant, func(t *testing.T) {
			n := newNet(tensor.Float64)
			if err := n.g.Grad(n.loss); err != nil {
				t.Fatal(err)
			}
			at := func(name string) int {
				for i, a := range n.g.wanted {
					if a.op.Name() == name {
						return i
					}
				}
				panic(name)
			}
			grads := n.g.grads
			switch plant {
			case "leaf": // the parameters of two operations get one gradient
				grads[at("relu_conv_bn")] = grads[at("sep_conv_3x3")]
			case "term counted twice":
				i := at("relu_conv_bn")
				grads[i] = gorgonia.Must(gorgonia.Add(grads[i], grads[i]))
			case "inside":
				// The stem's backward node again, fed with two of the three terms.
				var bwd []*gorgonia.Node
				for _, v := range n.g.g.AllNodes() {
					if o, ok := v.Op().(*backwardOp); ok && o.in[0].Eq(n.shared.Shape()) && o.op.Name() != "node_sum" && o.op.Name() != "global_avg_pool" {
						bwd = append(bwd, v)
					}
				}
				if len(bwd) != 3 {
					t.Fatalf("found %d consumers of the shared value, want 3", len(bwd))
				}
				sum := gorgonia.Must(gorgonia.Add(bwd[0], bwd[1]))
				stem := n.app("stem")
				g, err := (&forwardOp{applied: stem}).SymDiff(gorgonia.Nodes{n.inputs[0].n, stem.bundle}, stem.node, sum)
				if err != nil {
					t.Fatal(err)
				}
				grads[at("stem")] = g[1]
			}
			_, err := n.g.Compile(n.backend(1), n.loss)
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

// TestParameterHasOneUse: gradients of parameters are written, not added.
// TestMisuse: the zero Node is refused, as are a loss that is no scalar and a second
// differentiation.
// TestApplyChecksMemory: what an op says of its parameters and states is enforced.
func TestForwardOnlyProgramDropsTheRest(t *testing.T) {
	n := newNet(tensor.Float64)
	b := n.backend(1)
	whole, err := n.g.Compile(b, n.loss)
	if err != nil {
		t.Fatal(err)
	}
	part, err := n.g.Compile(b, n.sum)
	if err != nil {
		t.Fatal(err)
	}
	if len(part.Instrs) != 4 || len(whole.Instrs) != 9 {
		t.Errorf("programs have %d and %d instructions, want 4 (a sum and what it adds) and 9", len(part.Instrs), len(whole.Instrs))
	}
	// What a pooling leaves without normalisation can be kept.
	p := newPoolNet(tensor.Float64)
	if _, err := p.g.Compile(p.backend(1), p.pooled); err != nil {
		t.Error(err)
	}
	// The stem's output is raw until its consumers normalise it.
	if _, err := n.g.Compile(b, n.shared); err == nil || !strings.Contains(err.Error(), "not normalised") {
		t.Errorf("keeping a raw value: error %v", err)
	}
}

// TestPlanner checks that live pieces never overlap and that memory is reused.
func TestPlanner(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	var p planner
	var live []ops.Mem
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
		if m.Off != ops.ArenaSize(m.Off) {
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

func Example() {
	g := New()
	x := g.Input("x", ops.Mem{Region: ops.Input, Len: 12}, 1, 2, 2, 3)
	w := ops.Mem{Region: ops.Params, Len: 6}
	y, _ := g.Apply(ops.ConvBN{Parts: 1, Cin: 3, Cout: 2}, []ops.Mem{w}, []ops.Mem{{Region: ops.State, Len: 4}}, x)
	fmt.Println(y.Shape())
	// Output: [1 2 2 2]
}
