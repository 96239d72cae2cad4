package portable

import (
	"fmt"
	"math"
	"slices"

	"oneshot/ops"
	"oneshot/supernet/net"
)

// node is one ONNX operator. Values are (N,C,H,W).
type node struct {
	op    string
	in    []string // values and initializers, by name
	out   string
	ints  map[string][]int64 // attributes that are lists
	int   map[string]int64
	float map[string]float32
}

// initializer is a constant of the graph.
type initializer struct {
	name  string
	shape []int64
	f32   []float32 // or
	i64   []int64
}

// graph is a network as ONNX operators.
type graph struct {
	model *Model
	fold  bool // batch normalisations become part of the convolution before them

	nodes        []node
	initializers []initializer
	names        map[string]bool
	err          error // the first
}

// normEps is that of every batch normalisation, PyTorch's default.
const normEps = 1e-5

// lower writes the model as operators, whose input is input and whose output is "logits".
func lower(m *Model, fold bool, input string) (*graph, error) {
	if err := m.check(); err != nil {
		return nil, err
	}
	g := &graph{model: m, fold: fold, names: map[string]bool{input: true, output: true}}
	values := make([]string, len(m.Net.Layers))
	for i, l := range m.Net.Layers {
		at := place{g: g, layer: l}
		for _, k := range l.In {
			if k == net.Images {
				at.in = append(at.in, input)
			} else {
				at.in = append(at.in, values[k])
			}
		}
		if i == m.Net.Logits {
			at.last = output
		}
		values[i] = at.operation()
		if g.err != nil {
			return nil, fmt.Errorf("portable: layer %s: %w", l.Name, g.err)
		}
	}
	return g, nil
}

// place is where an operation stands in the graph.
type place struct {
	g     *graph
	layer net.Layer
	in    []string
	last  string // the name that the output must have, or ""
}

// operation adds the operators of the layer and returns the name of their result.
func (p place) operation() string {
	switch o := p.layer.Op.(type) {
	case ops.Stem:
		return p.norm(p.conv(p.in[0], conv{weight: "conv.weight", shape: ops.Shape{o.Cout, o.Cin, 3, 3}, pad: [2]int{1, 1}, norm: "bn", affine: o.Affine}), "bn", o.Cout, o.Affine)
	case ops.ConvBN:
		k := conv{weight: "conv" + o.Suffix + ".weight", shape: ops.Shape{o.Cout, o.Cin, 1, 1}, standard: o.Standard}
		if f := o.Flatten; f > 0 {
			k.shape = ops.Shape{o.Cout, o.Cin / (f * f), f, f}
		}
		x := p.activate(p.join(o.Parts), o.Act)
		if o.NoNorm {
			return p.conv(x, k)
		}
		k.norm, k.affine = "bn"+o.Suffix, o.Affine
		return p.norm(p.conv(x, k), k.norm, o.Cout, o.Affine)
	case ops.Conv2D:
		k := conv{weight: "conv" + o.Suffix + ".weight", shape: ops.Shape{o.Cout, o.Cin, o.R, o.S}, stride: [2]int{o.StrideH, o.StrideW}, pad: [2]int{o.R / 2, o.S / 2}}
		x := p.activate(p.in[0], o.Act)
		if o.NoNorm {
			return p.conv(x, k)
		}
		k.norm, k.affine = "bn"+o.Suffix, o.Affine
		return p.norm(p.conv(x, k), k.norm, o.Cout, o.Affine)
	case ops.Depthwise:
		bn := "bn" + o.Suffix
		k := conv{weight: "conv" + o.Suffix + ".weight", shape: ops.Shape{o.C, 1, o.K, o.K}, stride: [2]int{o.Stride, o.Stride}, pad: [2]int{o.K / 2, o.K / 2}, groups: o.C, norm: bn, affine: o.Affine}
		return p.norm(p.conv(p.activate(p.in[0], o.Act), k), bn, o.C, o.Affine)
	case ops.ActBN: // nothing before it could take in its normalisation: the activation stands between
		x := p.activate(p.in[0], o.Act)
		if o.NoNorm {
			return x
		}
		return p.plainNorm(x, "bn"+o.Suffix, o.C, o.Affine)
	case ops.FactorizedReduce:
		x := p.activate(p.join(o.Parts), ops.ReLU)
		k := conv{shape: ops.Shape{o.Cout / 2, o.Cin, 1, 1}, stride: [2]int{2, 2}}
		var halves []string
		for i, name := range []string{"conv1.weight", "conv2.weight"} {
			k.weight = name
			if p.g.fold {
				k.norm, k.affine, k.from, k.of = "bn", o.Affine, i*o.Cout/2, o.Cout
			}
			if i == 1 { // of the pixels with odd coordinates
				x = p.shift(x)
			}
			halves = append(halves, p.conv(x, k))
		}
		return p.norm(p.add("Concat", halves, func(n *node) { n.int = map[string]int64{"axis": 1} }), "bn", o.Cout, o.Affine)
	case ops.Separable:
		x := p.in[0]
		for s := 1; s <= o.Stages; s++ {
			stride := o.Stride
			if s > 1 {
				stride = 1
			}
			pad := o.Dil * (o.K / 2)
			bn := fmt.Sprintf("bn%d", s)
			x = p.activate(x, ops.ReLU)
			x = p.conv(x, conv{weight: fmt.Sprintf("dw%d.weight", s), shape: ops.Shape{o.C, 1, o.K, o.K}, stride: [2]int{stride, stride}, pad: [2]int{pad, pad}, dilation: o.Dil, groups: o.C})
			x = p.norm(p.conv(x, conv{weight: fmt.Sprintf("pw%d.weight", s), shape: ops.Shape{o.C, o.C, 1, 1}, standard: o.Standard, norm: bn, affine: o.Affine}), bn, o.C, o.Affine)
		}
		return x
	case ops.PoolBN:
		name := "AveragePool" // by default without the padding among the values that it divides by
		if o.Max {
			name = "MaxPool"
		}
		x := p.add(name, p.in[:1], func(n *node) {
			s := int64(o.Stride)
			n.ints = map[string][]int64{"kernel_shape": {3, 3}, "strides": {s, s}, "pads": {1, 1, 1, 1}}
		})
		if o.NoNorm {
			return x
		}
		return p.plainNorm(x, "bn", o.C, o.Affine)
	case ops.AvgPool:
		return p.add("AveragePool", []string{p.activate(p.join(o.Parts), o.Act)}, func(n *node) {
			k, s := int64(o.K), int64(o.Stride)
			n.ints = map[string][]int64{"kernel_shape": {k, k}, "strides": {s, s}, "pads": {0, 0, 0, 0}}
		})
	case ops.NodeSum:
		x := p.in[0]
		for _, y := range p.in[1:] {
			x = p.add("Add", []string{x, y}, nil)
		}
		return x
	case ops.GlobalAvgPool:
		return p.add("GlobalAveragePool", []string{p.join(o.Parts)}, nil)
	case ops.Linear:
		x := p.add("Flatten", []string{p.activate(p.in[0], o.Act)}, nil)
		w := p.parameter("weight", ops.Shape{o.Out, o.In})
		b := p.parameter("bias", ops.Shape{o.Out})
		return p.named("Gemm", []string{x, w, b}, func(n *node) { n.int = map[string]int64{"transB": 1} }, p.last)
	}
	p.g.fail(fmt.Errorf("operation %T is not known in ONNX", p.layer.Op))
	return ""
}

// conv is a convolution without a bias. Zero values are a stride, dilation and number of groups of 1.
type conv struct {
	weight   string
	shape    ops.Shape // (O,I,R,S)
	stride   [2]int
	pad      [2]int // rows and columns at each side
	dilation int
	groups   int
	standard bool // the weights are standardised

	// The normalisation behind it, to fold; "" is none. from and of are where its channels begin and how
	// many it has, where the convolution gives only some of them; of 0: all.
	norm     string
	affine   bool
	from, of int
}

// conv adds a convolution, and where normalisations are folded its share of the one behind it.
func (p place) conv(x string, k conv) string {
	w := p.values(k.weight, k.shape.Size())
	if p.g.err != nil {
		return ""
	}
	if k.standard {
		w = standardised(w, k.shape[0])
	}
	in := []string{x, ""}
	if p.g.fold && k.norm != "" {
		n := k.shape[0]
		scale, shift := p.coefficients(k.norm, max(k.of, n), k.affine)
		if p.g.err != nil {
			return ""
		}
		scale, shift = scale[k.from:k.from+n], shift[k.from:k.from+n]
		each := len(w) / n
		folded := make([]float32, len(w))
		for i, v := range w {
			folded[i] = float32(float64(v) * scale[i/each])
		}
		bias := make([]float32, n)
		for i := range bias {
			bias[i] = float32(shift[i])
		}
		w = folded
		in = append(in, p.constant(k.weight[:len(k.weight)-len("weight")]+"bias", ops.Shape{n}, bias))
	}
	in[1] = p.constant(k.weight, k.shape, w)
	return p.add("Conv", in, func(n *node) {
		one := func(v int) int64 { return int64(max(v, 1)) }
		py, px := int64(k.pad[0]), int64(k.pad[1])
		n.int = map[string]int64{"group": one(k.groups)}
		n.ints = map[string][]int64{
			"kernel_shape": {int64(k.shape[2]), int64(k.shape[3])}, "strides": {one(k.stride[0]), one(k.stride[1])},
			"dilations": {one(k.dilation), one(k.dilation)}, "pads": {py, px, py, px},
		}
	})
}

// standardised are weights of that many outputs as ops.Separable and ops.ConvBN use them with Standard.
func standardised(w []float32, outputs int) []float32 {
	each := len(w) / outputs
	out := make([]float32, len(w))
	for o := range outputs {
		row := w[o*each : (o+1)*each]
		mean, sq := 0.0, 0.0
		for _, v := range row {
			mean += float64(v)
		}
		mean /= float64(each)
		for _, v := range row {
			sq += (float64(v) - mean) * (float64(v) - mean)
		}
		sd := math.Sqrt(sq / float64(each-1))
		for i, v := range row {
			out[o*each+i] = float32((float64(v) - mean) / (sd + 1e-5))
		}
	}
	return out
}

// norm adds the batch normalisation behind a convolution, unless it is folded into that.
func (p place) norm(x, name string, c int, affine bool) string {
	if p.g.fold {
		return x
	}
	return p.plainNorm(x, name, c, affine)
}

// plainNorm adds a batch normalisation.
func (p place) plainNorm(x, name string, c int, affine bool) string {
	in := []string{x}
	for _, part := range []string{".weight", ".bias"} {
		if affine {
			in = append(in, p.parameter(name+part, ops.Shape{c}))
			continue
		}
		fill := float32(0)
		if part == ".weight" {
			fill = 1
		}
		in = append(in, p.constant(name+part, ops.Shape{c}, slices.Repeat([]float32{fill}, c)))
	}
	for _, part := range []string{".running_mean", ".running_var"} {
		in = append(in, p.parameter(name+part, ops.Shape{c}))
	}
	return p.add("BatchNormalization", in, func(n *node) { n.float = map[string]float32{"epsilon": normEps} })
}

// coefficients are what a normalisation multiplies each channel by and then adds.
func (p place) coefficients(name string, c int, affine bool) (scale, shift []float64) {
	mean, variance := p.values(name+".running_mean", c), p.values(name+".running_var", c)
	scale, shift = make([]float64, c), make([]float64, c)
	var gamma, beta []float32
	if affine {
		gamma, beta = p.values(name+".weight", c), p.values(name+".bias", c)
	}
	if p.g.err != nil {
		return nil, nil
	}
	for i := range scale {
		scale[i] = 1 / math.Sqrt(float64(variance[i])+normEps)
		if affine {
			scale[i] *= float64(gamma[i])
			shift[i] = float64(beta[i])
		}
		shift[i] -= float64(mean[i]) * scale[i]
	}
	return scale, shift
}

// activate adds an activation.
func (p place) activate(x string, f ops.Activation) string {
	switch f {
	case ops.Identity:
		return x
	case ops.ReLU:
		return p.add("Relu", []string{x}, nil)
	}
	p.g.fail(fmt.Errorf("activation %v is not known in ONNX", f))
	return ""
}

// join puts what the layer reads side by side.
func (p place) join(parts int) string {
	if parts == 1 {
		return p.in[0]
	}
	return p.add("Concat", p.in[:parts], func(n *node) { n.int = map[string]int64{"axis": 1} })
}

// shift leaves out the first row and the first column.
func (p place) shift(x string) string {
	at := func(name string, v ...int64) string {
		return p.g.constant(initializer{name: "slice." + name, shape: []int64{int64(len(v))}, i64: v})
	}
	return p.add("Slice", []string{x, at("starts", 1, 1), at("ends", math.MaxInt32, math.MaxInt32), at("axes", 2, 3)}, nil)
}

// add appends an operator, whose result has a name made from the layer's, and returns that.
func (p place) add(op string, in []string, set func(*node)) string { return p.named(op, in, set, "") }

func (p place) named(op string, in []string, set func(*node), name string) string {
	if name == "" {
		base := p.layer.Name
		if base == "" {
			base = p.layer.Op.Name()
		}
		name = p.g.free(base + "." + op)
	}
	n := node{op: op, in: in, out: name}
	if set != nil {
		set(&n)
	}
	p.g.nodes = append(p.g.nodes, n)
	return name
}

// free is a name that no value has yet.
func (g *graph) free(base string) string {
	name := base
	for i := 2; g.names[name]; i++ {
		name = fmt.Sprintf("%s_%d", base, i)
	}
	g.names[name] = true
	return name
}

// values are those of a tensor of the layer.
func (p place) values(name string, size int) []float32 {
	v, err := p.g.model.tensor(p.layer.Name+"."+name, size)
	if err != nil {
		p.g.fail(err)
	}
	return v
}

// parameter makes a tensor of the layer a constant of the graph.
func (p place) parameter(name string, shape ops.Shape) string {
	return p.constant(name, shape, p.values(name, shape.Size()))
}

// constant adds values of the layer.
func (p place) constant(name string, shape ops.Shape, v []float32) string {
	dims := make([]int64, len(shape))
	for i, d := range shape {
		dims[i] = int64(d)
	}
	return p.g.constant(initializer{name: p.layer.Name + "." + name, shape: dims, f32: v})
}

// constant adds values once; what has the same name is the same.
func (g *graph) constant(c initializer) string {
	if !g.names[c.name] {
		g.names[c.name] = true
		g.initializers = append(g.initializers, c)
	}
	return c.name
}

func (g *graph) fail(err error) {
	if g.err == nil {
		g.err = err
	}
}
