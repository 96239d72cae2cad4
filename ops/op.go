package ops

import "fmt"

// Op describes one operation: all that others have to know to build, place,
// initialise, store and count it. It is a small comparable value without buffers.
//
// Its inputs are first activations, which are results of other operations or
// inputs of the network such as images and masks, then its parameters.
type Op interface {
	// Name is the operation's name for messages and profiles.
	Name() string
	// Params lists the parameters in the order in which they follow the
	// activations among a Call's inputs. All are differentiated.
	Params() []Param
	// Norms lists the batch normalisations inside, in order. An operation that has
	// any leaves its output raw, see Call.OutNorm.
	Norms() []Norm
	// Shape checks the shapes of the activations and returns the output's; an
	// error names the op, the input and both shapes.
	Shape(in []Shape) (Shape, error)
	// Diff says whether activation i is differentiated.
	Diff(i int) bool
	// KeepsInput says whether Backward reads the activations again, so that the
	// planner keeps them alive until then.
	KeepsInput() bool
	// Cost is what one execution, forward and backward, has to do for activations
	// and an output of these shapes.
	Cost(in []Shape, out Shape) Cost
}

// Param is one parameter of an operation.
type Param struct {
	Name string // below the name of the layer, such as "conv.weight"
	// File is torch's shape: (O,I,R,S) of a convolution, (C,1,k,k) of a depthwise
	// one, (O,I) of a linear layer, (C) of a vector.
	File Shape
	// Shape is that in memory, where channels are innermost: (R,S,I,O), and (I,O) of
	// one pixel, (k,k,C), (I,O), (C). Element (o,i,r,s) of the file is element
	// (r,s,i,o) in memory.
	Shape Shape
	Fan   int     // inputs of one output, which bound the initial values; 0: all are Fill
	Fill  float32 // the initial value where Fan is 0
}

// Norm is one batch normalisation of an operation. It has 2*Channels elements of
// State: means, then variances. An affine one has parameters, the scale
// Name.weight and the shift Name.bias.
type Norm struct {
	Name     string
	Channels int
}

// Cost is the work of one execution of an operation, for all images of its shapes.
type Cost struct {
	// MulAdds are the multiply-adds of the forward pass in convolutions and fully
	// connected layers, biases not counted. Backward needs two for each.
	MulAdds int64
	// Moved is how many floats a training step moves between memory and processor
	// at least, if what one pass over a batch leaves for another fits no cache but
	// an operation is one pass between two batch normalisations, as their
	// statistics need the whole batch: each such segment reads its input and writes
	// its raw output, and backward reads the output's gradient, the output and, if
	// it needs it, the input again, and writes the input's gradient. Parameters,
	// and what is too small to count such as logits and losses, are left out.
	Moved int64
}

// segment is Cost.Moved of one segment: forward reads read elements and writes
// out, backward reads again of the input and makes a gradient of dx.
func segment(read, again, dx, out int) int64 { return int64(read + out + 2*out + again + dx) }

// sizes is the number of elements of some tensors.
func sizes(in []Shape) int {
	n := 0
	for _, s := range in {
		n += s.Size()
	}
	return n
}

// Inputs are the shapes of all inputs of op on activations of shapes in, see
// Call.InShape.
func Inputs(op Op, in []Shape) []Shape {
	all := append([]Shape(nil), in...)
	for _, p := range op.Params() {
		all = append(all, p.Shape)
	}
	return all
}

// adder is an op whose Backward can add Call.DAdd to the gradient of its
// activations.
type adder interface{ adds() bool }

// passer is an op for which the gradient of activation i is that of the output.
type passer interface{ passes(i int) bool }

// Dropper is an op some of whose operands drop-path may drop.
type Dropper interface {
	Op
	// WithDrop returns the op that takes a mask (N) for each operand i of which
	// drop[i] is true, behind its activations and in their order.
	WithDrop(drop []bool) Op
}

// Adder is an op that adds any number of operands.
type Adder interface {
	Op
	// WithTerms returns the op of n operands, without masks. n is 2 to MaxTerms.
	WithTerms(n int) Op
}

// Adds says whether Backward of op can add Call.DAdd to the gradients of its
// activations.
func Adds(op Op) bool {
	a, ok := op.(adder)
	return ok && a.adds()
}

// Passes says whether the gradient of activation i of op is that of its output, so
// that no Backward is needed for it.
func Passes(op Op, i int) bool {
	p, ok := op.(passer)
	return ok && p.passes(i)
}

// convParam is the weight of a k x k convolution without bias.
func convParam(name string, out, in, k int) Param {
	p := Param{Name: name, File: Shape{out, in, k, k}, Shape: Shape{k, k, in, out}, Fan: in * k * k}
	if k == 1 {
		p.Shape = Shape{in, out}
	}
	return p
}

// depthwiseParam is the weight of a depthwise k x k convolution.
func depthwiseParam(name string, c, k int) Param {
	return Param{Name: name, File: Shape{c, 1, k, k}, Shape: Shape{k, k, c}, Fan: k * k}
}

// withNorm appends the parameters of a batch normalisation, if it has any.
func withNorm(ps []Param, name string, c int, affine bool) []Param {
	if !affine {
		return ps
	}
	s := Shape{c}
	return append(ps, Param{Name: name + ".weight", File: s, Shape: s, Fill: 1}, Param{Name: name + ".bias", File: s, Shape: s})
}

// normParams is the number of parameters of a batch normalisation.
func normParams(affine bool) int {
	if affine {
		return 2
	}
	return 0
}

func shapeErr(op Op, format string, args ...any) error {
	return fmt.Errorf("ops: %s: %s", op.Name(), fmt.Sprintf(format, args...))
}

// wantParts checks that there are parts activations of rank 4 and the same shape,
// and returns it. An op on several parts sees their channels side by side.
func wantParts(op Op, in []Shape, parts int) (Shape, error) {
	if parts < 1 {
		return nil, shapeErr(op, "%d parts, want at least 1", parts)
	}
	if err := wantInputs(op, in, parts, 4); err != nil {
		return nil, err
	}
	for i := 1; i < parts; i++ {
		if err := wantShape(op, in, i, in[0]...); err != nil {
			return nil, err
		}
	}
	return in[0], nil
}

// wantInputs checks the number of activations and the rank of the first.
func wantInputs(op Op, in []Shape, n, rank int) error {
	if len(in) != n {
		return shapeErr(op, "got %d inputs, want %d", len(in), n)
	}
	if len(in[0]) != rank {
		return shapeErr(op, "input 0 has shape %v, want %d dimensions", in[0], rank)
	}
	return nil
}

// wantChannels checks that there is one activation of rank 4 and c channels, and
// returns its shape.
func wantChannels(op Op, in []Shape, c int) (Shape, error) {
	if err := wantInputs(op, in, 1, 4); err != nil {
		return nil, err
	}
	if in[0][3] != c {
		return nil, shapeErr(op, "input 0 has shape %v, want %d channels", in[0], c)
	}
	return in[0], nil
}

// wantShape checks the shape of one activation.
func wantShape(op Op, in []Shape, i int, want ...int) error {
	if !in[i].Eq(want) {
		return shapeErr(op, "input %d has shape %v, want %v", i, in[i], Shape(want))
	}
	return nil
}

func ceilDiv(a, b int) int { return (a + b - 1) / b }
