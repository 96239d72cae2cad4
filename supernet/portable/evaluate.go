package portable

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"sync"

	"github.com/advancedclimatesystems/gonnx/onnx"
	"google.golang.org/protobuf/proto"
)

// Evaluate computes the logits of a model that ONNX wrote, from its bytes alone, for images x
// (N,3,H,W). It knows the operators that are written here, follows the definition of each (onnx.ai,
// operators, opset 17) with sums in float64, and is meant to check a file, not to be fast.
func Evaluate(model []byte, x []float32) (logits []float32, err error) {
	var m onnx.ModelProto
	if err := proto.Unmarshal(model, &m); err != nil {
		return nil, fmt.Errorf("portable: %w", err)
	}
	if m.Graph == nil || len(m.Graph.Input) != 1 || len(m.Graph.Output) != 1 {
		return nil, fmt.Errorf("portable: not a model with one input and one output")
	}
	e := evaluator{values: map[string]*array{}, ints: map[string][]int64{}}
	for _, t := range m.Graph.Initializer {
		e.load(t)
	}
	dims := m.Graph.Input[0].Type.GetTensorType().Shape.Dim
	image := 1
	a := &array{shape: []int{0}, v: x}
	for _, d := range dims[1:] {
		image *= int(d.GetDimValue())
		a.shape = append(a.shape, int(d.GetDimValue()))
	}
	if len(x) == 0 || len(x)%image != 0 {
		return nil, fmt.Errorf("portable: %d values are no whole number of images of %d", len(x), image)
	}
	a.shape[0] = len(x) / image
	e.values[m.Graph.Input[0].Name] = a
	for _, n := range m.Graph.Node {
		out, err := e.run(n)
		if err != nil {
			return nil, fmt.Errorf("portable: operator %s %s: %w", n.OpType, n.Name, err)
		}
		e.values[n.Output[0]] = out
	}
	out := e.values[m.Graph.Output[0].Name]
	if out == nil {
		return nil, fmt.Errorf("portable: nothing computes %s", m.Graph.Output[0].Name)
	}
	return out.v, nil
}

// array is a value of a graph, its last dimension innermost.
type array struct {
	shape []int
	v     []float32
}

func newArray(shape ...int) *array {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return &array{shape: shape, v: make([]float32, n)}
}

type evaluator struct {
	values map[string]*array
	ints   map[string][]int64
}

// load reads an initializer.
func (e *evaluator) load(t *onnx.TensorProto) {
	if t.DataType == int32(onnx.TensorProto_INT64) {
		for i := 0; i+8 <= len(t.RawData); i += 8 {
			e.ints[t.Name] = append(e.ints[t.Name], int64(binary.LittleEndian.Uint64(t.RawData[i:])))
		}
		return
	}
	a := &array{v: make([]float32, len(t.RawData)/4)}
	for _, d := range t.Dims {
		a.shape = append(a.shape, int(d))
	}
	for i := range a.v {
		a.v[i] = math.Float32frombits(binary.LittleEndian.Uint32(t.RawData[4*i:]))
	}
	e.values[t.Name] = a
}

func (e *evaluator) run(n *onnx.NodeProto) (*array, error) {
	var in []*array
	for _, name := range n.Input {
		a := e.values[name]
		if a == nil && e.ints[name] == nil {
			return nil, fmt.Errorf("nothing computes %s", name)
		}
		in = append(in, a)
	}
	x := in[0]
	switch n.OpType {
	case "Conv":
		return convolve(in, n), nil
	case "Relu":
		return each(x, func(_ int, v float32) float32 { return max(v, 0) }), nil
	case "BatchNormalization":
		return normalised(in, float64(attribute(n, "epsilon").F)), nil
	case "MaxPool", "AveragePool":
		return pooled(x, n), nil
	case "Add", "Mul":
		return combined(x, in[1], n.OpType == "Mul"), nil
	case "Concat":
		return concatenated(in), nil
	case "Slice":
		return sliced(x, e.ints[n.Input[1]], e.ints[n.Input[3]]), nil
	case "GlobalAveragePool":
		return averaged(x), nil
	case "Flatten":
		return &array{shape: []int{x.shape[0], len(x.v) / x.shape[0]}, v: x.v}, nil
	case "Gemm":
		return product(x, in[1], in[2]), nil
	}
	return nil, fmt.Errorf("not an operator that this program writes")
}

// attribute finds one; without it, an empty one.
func attribute(n *onnx.NodeProto, name string) *onnx.AttributeProto {
	for _, a := range n.Attribute {
		if a.Name == name {
			return a
		}
	}
	return &onnx.AttributeProto{}
}

func each(x *array, f func(i int, v float32) float32) *array {
	out := newArray(x.shape...)
	for i, v := range x.v {
		out.v[i] = f(i, v)
	}
	return out
}

// window is where a kernel of r by s stands.
type window struct{ r, s, stride, strideW, pad, padW, dil int }

func windowOf(n *onnx.NodeProto) window {
	k, st, p := attribute(n, "kernel_shape").Ints, attribute(n, "strides").Ints, attribute(n, "pads").Ints
	w := window{r: int(k[0]), s: int(k[1]), stride: int(st[0]), strideW: int(st[1]), pad: int(p[0]), padW: int(p[1]), dil: 1}
	if d := attribute(n, "dilations").Ints; d != nil {
		w.dil = int(d[0])
	}
	return w
}

// size is that of the output for an input of h by w.
func (k window) size(h, w int) (int, int) {
	return (h+2*k.pad-k.dil*(k.r-1)-1)/k.stride + 1, (w+2*k.padW-k.dil*(k.s-1)-1)/k.strideW + 1
}

// taps calls f for each place of the kernel at an output that is inside an image of h by w: its number in the
// kernel, and the pixel's in the image.
func (k window) taps(y, x, h, w int, f func(tap, pixel int)) {
	for r := range k.r {
		for s := range k.s {
			py, px := y*k.stride-k.pad+r*k.dil, x*k.strideW-k.padW+s*k.dil
			if py >= 0 && py < h && px >= 0 && px < w {
				f(r*k.s+s, py*w+px)
			}
		}
	}
}

func convolve(in []*array, n *onnx.NodeProto) *array {
	x, w := in[0], in[1]
	groups := int(attribute(n, "group").I)
	k := windowOf(n)
	h, wd := x.shape[2], x.shape[3]
	oh, ow := k.size(h, wd)
	outputs, depth := w.shape[0], w.shape[1]
	out := newArray(x.shape[0], outputs, oh, ow)
	taps := k.r * k.s
	var wg sync.WaitGroup
	for o := range outputs {
		wg.Go(func() {
			first := o / (outputs / groups) * depth // input channel
			for i := range x.shape[0] {
				at := out.v[(i*outputs+o)*oh*ow:]
				for y := range oh {
					for xx := range ow {
						sum := 0.0
						if len(in) > 2 {
							sum = float64(in[2].v[o])
						}
						k.taps(y, xx, h, wd, func(tap, pixel int) {
							for c := range depth {
								sum += float64(w.v[(o*depth+c)*taps+tap]) * float64(x.v[(i*x.shape[1]+first+c)*h*wd+pixel])
							}
						})
						at[y*ow+xx] = float32(sum)
					}
				}
			}
		})
	}
	wg.Wait()
	return out
}

func normalised(in []*array, eps float64) *array {
	x := in[0]
	px, c := x.shape[2]*x.shape[3], x.shape[1]
	return each(x, func(i int, v float32) float32 {
		k := i / px % c
		scale := float64(in[1].v[k]) / math.Sqrt(float64(in[4].v[k])+eps)
		return float32((float64(v)-float64(in[3].v[k]))*scale + float64(in[2].v[k]))
	})
}

func pooled(x *array, n *onnx.NodeProto) *array {
	k := windowOf(n)
	h, w := x.shape[2], x.shape[3]
	oh, ow := k.size(h, w)
	out := newArray(x.shape[0], x.shape[1], oh, ow)
	for i := range out.v {
		from := x.v[i/(oh*ow)*h*w:]
		sum, most, count := 0.0, float32(math.Inf(-1)), 0
		k.taps(i/ow%oh, i%ow, h, w, func(_, pixel int) {
			sum += float64(from[pixel])
			most = max(most, from[pixel])
			count++
		})
		if out.v[i] = most; n.OpType == "AveragePool" {
			out.v[i] = float32(sum / float64(count))
		}
	}
	return out
}

// combined adds or multiplies b, which has the same shape or one value a channel.
func combined(a, b *array, times bool) *array {
	at := func(i int) int { return i }
	if len(b.v) != len(a.v) {
		px := a.shape[2] * a.shape[3]
		at = func(i int) int { return i / px % a.shape[1] }
	}
	return each(a, func(i int, v float32) float32 {
		if times {
			return v * b.v[at(i)]
		}
		return v + b.v[at(i)]
	})
}

// concatenated puts channels side by side.
func concatenated(in []*array) *array {
	shape := slices.Clone(in[0].shape)
	shape[1] = 0
	for _, a := range in {
		shape[1] += a.shape[1]
	}
	out := newArray(shape...)
	at := 0
	for i := range shape[0] {
		for _, a := range in {
			n := len(a.v) / shape[0]
			at += copy(out.v[at:], a.v[i*n:(i+1)*n])
		}
	}
	return out
}

// sliced leaves out what lies before starts in the axes.
func sliced(x *array, starts, axes []int64) *array {
	var from [4]int
	for i, a := range axes {
		from[a] = int(starts[i])
	}
	shape := slices.Clone(x.shape)
	for i := range shape {
		shape[i] -= from[i]
	}
	out := newArray(shape...)
	for i := range out.v {
		rest, pos, step := i, 0, 1
		for d := 3; d >= 0; d-- {
			pos += (rest%shape[d] + from[d]) * step
			rest /= shape[d]
			step *= x.shape[d]
		}
		out.v[i] = x.v[pos]
	}
	return out
}

func averaged(x *array) *array {
	out := newArray(x.shape[0], x.shape[1], 1, 1)
	px := x.shape[2] * x.shape[3]
	for i := range out.v {
		sum := 0.0
		for _, v := range x.v[i*px : (i+1)*px] {
			sum += float64(v)
		}
		out.v[i] = float32(sum / float64(px))
	}
	return out
}

// product is x times the transposed w, and b.
func product(x, w, b *array) *array {
	out := newArray(x.shape[0], w.shape[0])
	depth := x.shape[1]
	for i := range out.v {
		row, o := i/w.shape[0], i%w.shape[0]
		sum := float64(b.v[o])
		for k := range depth {
			sum += float64(x.v[row*depth+k]) * float64(w.v[o*depth+k])
		}
		out.v[i] = float32(sum)
	}
	return out
}
