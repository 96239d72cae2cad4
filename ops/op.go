package ops

import (
	"fmt"

	"gorgonia.org/tensor"
)

// Mode says what batch normalisation does in a forward run.
type Mode uint8

const (
	// Train normalises by the batch's statistics and moves the running
	// statistics by the run's momentum.
	Train Mode = iota
	// Eval normalises by the running statistics and changes no state.
	Eval
	// Recalibrate normalises by the batch's statistics and averages them into
	// the running statistics; the caller sets the run's momentum to 1/(k+1)
	// for the k-th batch, which makes the average a cumulative one.
	Recalibrate
)

// Region names one of the flat memories a Backend owns.
type Region uint8

const (
	Arena   Region = iota // activations and saved values; laid out per program
	Param                 // all parameters
	Grad                  // gradient of each parameter, at the parameter's offset
	GradSum               // sum of the gradients of the micro-batches so far, likewise
	Moment                // momentum of each parameter, at the parameter's offset
	State                 // running means and variances
	Input                 // images, labels, drop-path masks
	numRegions
)

// Mem is a piece of a region: Len elements from Off. Len 0 means absent.
type Mem struct {
	Region   Region
	Off, Len int
}

// Op describes one operation. It is a small comparable value without buffers.
type Op interface {
	// Name is the operation's name for messages and profiles.
	Name() string
	// Shape checks the input shapes and returns the output's; an error names
	// the op, the input and both shapes.
	Shape(in []tensor.Shape) (tensor.Shape, error)
	// Diff says whether input i is differentiated.
	Diff(i int) bool
	// BN lists the channel count of each batch normalisation inside, in order;
	// each has 2*C elements of State: means, then variances.
	BN() []int
	// KeepsInput says whether Backward reads the activations among the inputs
	// again, so that the planner keeps them alive until then.
	KeepsInput() bool
}

// An op with batch normalisation leaves its output raw: Out holds z, and OutNorm
// the coefficients of y = scale*z + shift, which every consumer applies as it
// reads (Call.In, Call.InNorm). So a normalisation costs no pass over memory.
// Gradients are those of y. Backward of such an op reads its Out again.

// adder is an op whose Backward can add Call.DAdd to the gradient of its
// activations.
type adder interface{ adds() bool }

// passer is an op for which the gradient of input i is that of the output.
type passer interface{ passes(i int) bool }

// Adds says whether Backward of op can add Call.DAdd to the gradients of its
// activations.
func Adds(op Op) bool {
	a, ok := op.(adder)
	return ok && a.adds()
}

func passes(op Op, i int) bool {
	p, ok := op.(passer)
	return ok && p.passes(i)
}

// NormLen is the length of the coefficients of a normalised output of c
// channels: scale, shift, mean and 1/sqrt(variance+eps), c of each.
func NormLen(c int) int { return 4 * c }

// Call is one execution of an op.
type Call struct {
	Mode     Mode
	Momentum float64 // weight of the batch's statistics in the running ones
	In       []Mem
	InNorm   []Mem // coefficients of the inputs, see NormLen; Len 0 where an input is not normalised
	InShape  []tensor.Shape
	Out      Mem
	OutNorm  Mem // written by an op with batch normalisation
	OutShape tensor.Shape
	State    []Mem // one per batch normalisation: C means, then C variances
	Saved    Mem   // written by Forward, read by Backward
	DOut     Mem   // Backward only
	DIn      []Mem // Backward only; Len 0 where no gradient is wanted
	DAdd     []Mem // Backward only: added to the gradient; Len 0 for nothing, or DIn itself
}

// Backend runs ops on the memory it owns.
//
// Forward and Backward return an error for an op the backend does not know or
// a device fault; numerical trouble (NaN, Inf) is not an error here.
type Backend interface {
	Name() string
	// DType is the element type of every region.
	DType() tensor.Dtype
	// Saved is what Forward of an op leaves for Backward beside its output, in
	// elements.
	Saved(op Op, in []tensor.Shape, out tensor.Shape) int
	// Reserve makes the arena at least n elements long; contents may be lost.
	Reserve(n int) error
	Forward(op Op, c *Call) error
	// Backward writes the gradient plus DAdd, where there is one, to every DIn
	// whose Len is not 0.
	Backward(op Op, c *Call) error
	// Sum writes the sum of src to dst; all have dst's length, and src[0] may be dst.
	Sum(dst Mem, src []Mem) error
	// Fill sets every element of m to v.
	Fill(m Mem, v float64) error
	// SumSquares returns the sum of squares over the pieces, in a fixed order.
	SumSquares(ms []Mem) (float64, error)
	// SGD updates the parameter pieces: g = scale*grad + wd*w; v = mu*v + g; w -= lr*v.
	SGD(ms []Mem, lr, mu, wd, scale float64) error
}

func shapeErr(op Op, format string, args ...any) error {
	return fmt.Errorf("ops: %s: %s", op.Name(), fmt.Sprintf(format, args...))
}

// wantParts checks that the first parts inputs have rank 4 and the same shape,
// and returns it. An op on several parts sees their channels side by side.
func wantParts(op Op, in []tensor.Shape, parts, others int) (tensor.Shape, error) {
	if parts < 1 {
		return nil, shapeErr(op, "%d parts, want at least 1", parts)
	}
	if err := wantInputs(op, in, parts+others, 4); err != nil {
		return nil, err
	}
	for i := 1; i < parts; i++ {
		if err := wantShape(op, in, i, in[0]...); err != nil {
			return nil, err
		}
	}
	return in[0], nil
}

// wantInputs checks the number of inputs and the rank of the first.
func wantInputs(op Op, in []tensor.Shape, n, rank int) error {
	if len(in) != n {
		return shapeErr(op, "got %d inputs, want %d", len(in), n)
	}
	if len(in[0]) != rank {
		return shapeErr(op, "input 0 has shape %v, want %d dimensions", in[0], rank)
	}
	return nil
}

// wantShape checks the shape of one input.
func wantShape(op Op, in []tensor.Shape, i int, want ...int) error {
	if !in[i].Eq(tensor.Shape(want)) {
		return shapeErr(op, "input %d has shape %v, want %v", i, in[i], tensor.Shape(want))
	}
	return nil
}
