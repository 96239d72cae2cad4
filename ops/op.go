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
	Arena  Region = iota // activations, saved values, scratch; laid out per program
	Param                // all parameters
	Grad                 // gradient of each parameter, at the parameter's offset
	Moment               // momentum of each parameter, at the parameter's offset
	State                // running means and variances
	Input                // images, labels, drop-path masks
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
	// KeepsInput says whether Backward reads the (first) input again, so that
	// the planner keeps it alive until then. Backward never reads the output.
	KeepsInput() bool
}

// Workspace is what an op needs beside its inputs and output, in elements.
type Workspace struct {
	Saved    int // written by Forward, read by Backward
	Forward  int // scratch during Forward
	Backward int // scratch during Backward
}

// Call is one execution of an op.
type Call struct {
	Mode     Mode
	Momentum float64 // weight of the batch's statistics in the running ones
	In       []Mem
	InShape  []tensor.Shape
	Out      Mem
	OutShape tensor.Shape
	State    []Mem // one per batch normalisation: C means, then C variances
	Saved    Mem
	Scratch  Mem
	DOut     Mem   // Backward only
	DIn      []Mem // Backward only; Len 0 where no gradient is wanted
}

// Backend runs ops on the memory it owns.
//
// Forward and Backward return an error for an op the backend does not know or
// a device fault; numerical trouble (NaN, Inf) is not an error here.
type Backend interface {
	Name() string
	// DType is the element type of every region.
	DType() tensor.Dtype
	// Workspace sizes an op's extra memory.
	Workspace(op Op, in []tensor.Shape, out tensor.Shape) Workspace
	// Reserve makes the arena at least n elements long; contents may be lost.
	Reserve(n int) error
	Forward(op Op, c *Call) error
	// Backward overwrites every DIn whose Len is not 0.
	Backward(op Op, c *Call) error
	// Sum writes the sum of src to dst; all have dst's length.
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
