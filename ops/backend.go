package ops

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
	Arena    Region = iota // activations and saved values; laid out per program
	Params                 // all parameters
	Grad                   // gradient of each parameter, at the parameter's offset
	GradSum                // sum of the gradients of the micro-batches and paths so far, likewise
	GradHeld               // difference of the gradients of two paths, likewise
	Slot0                  // what the optimizer keeps of each parameter, likewise; see Slot
	Slot1
	Slot2
	State // running means and variances
	Input // images, labels, drop-path masks
	numRegions
)

// Mem is a piece of a region: Len elements from Off. Len 0 means absent.
type Mem struct {
	Region   Region
	Off, Len int
}

// An op with batch normalisation leaves its output raw: Out holds z, and OutNorm
// the coefficients of y = scale*z + shift, which every consumer applies as it
// reads (Call.In, Call.InNorm). So a normalisation costs no pass over memory.
// Gradients are those of y. Backward of such an op reads its Out again.

// NormLen is the length of the coefficients of a normalised output of c
// channels: scale, shift, mean and 1/sqrt(variance+eps), c of each.
func NormLen(c int) int { return 4 * c }

// Call is one execution of an op. Its inputs are the op's activations, then its
// parameters; In, InNorm, InShape and, backward, DIn and DAdd have one element for
// each.
type Call struct {
	Mode     Mode
	Momentum float64 // weight of the batch's statistics in the running ones
	In       []Mem
	InNorm   []Mem // coefficients of the inputs, see NormLen; Len 0 where an input is not normalised
	InShape  []Shape
	Out      Mem
	OutNorm  Mem // written by an op with batch normalisation
	OutShape Shape
	State    []Mem // one per batch normalisation: C means, then C variances
	Saved    Mem   // written by Forward, read by Backward
	DOut     Mem   // Backward only
	DIn      []Mem // Backward only; Len 0 where no gradient is wanted
	DAdd     []Mem // Backward only: added to the gradient; Len 0 for nothing, or DIn itself

	// Sums of a gradient of C channels spare the next operation a pass over it: those of
	// the gradient, then those of it times the raw value less its mean, C of each.
	DInSum  Mem // Backward writes those of DIn[0]; Len 0 where not wanted; see CPU.SumsGradient
	DOutSum Mem // Backward may read those of DOut instead of computing them; Len 0 where they are not known
}

// Backend runs ops on the memory it owns.
//
// Forward and Backward return an error for an op the backend does not know or
// a device fault; numerical trouble (NaN, Inf) is not an error here.
type Backend interface {
	Name() string
	// Saved is what Forward of an op on activations of shapes in leaves for Backward
	// beside its output, in elements.
	Saved(op Op, in []Shape, out Shape) int
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
	// Update changes the parameter pieces ms as an optimizer does in one step.
	Update(o Optimizer, ms []Mem, u Update) error
}
