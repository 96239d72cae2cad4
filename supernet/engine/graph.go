package engine

import "oneshot/ops"

// Spec says what a program is built for.
type Spec struct {
	Batch     int  // images that go through the network at a time
	Train     bool // with loss, gradients and, if the network has one, the auxiliary head
	Smoothing float64
	AuxWeight float64
	DropPath  bool // masks on the operations that are not identities
	// DecayAll has weight decay act on all parameters; without it on those of more than
	// one dimension only, and so not on normalisations and biases.
	DecayAll bool
}

// Graph is a compiled path.
type Graph struct {
	Prog   *ops.Program
	Logits ops.Mem   // (Batch,Classes)
	Aux    ops.Mem   // likewise; absent without auxiliary head
	Loss   ops.Mem   // one value, the mean of the batch; absent unless training
	Grads  []ops.Mem // gradients of the parameters in use, by offset, joined; empty unless training
	// Decayed are the parameters in use that weight decay acts on, Spared the others;
	// both by offset, joined.
	Decayed, Spared []ops.Mem
	Norms           []int     // normalisations in use, as the network counts them
	States          []ops.Mem // their running statistics
	Masks           int       // drop-path masks, each of one value an image
	Batch           int
	Image           int // values of one image

	Lowered any // what the engine that compiled it keeps with it
}

// The Input region of a graph holds images (Batch,Image), labels (Batch) and masks
// (Masks,Batch).

// Images is where the batch's images lie.
func (g *Graph) Images() ops.Mem { return ops.Mem{Region: ops.Input, Len: g.Batch * g.Image} }

// Labels is where their labels lie.
func (g *Graph) Labels() ops.Mem {
	return ops.Mem{Region: ops.Input, Off: g.Batch * g.Image, Len: g.Batch}
}

// Mask is where drop-path mask i lies.
func (g *Graph) Mask(i int) ops.Mem {
	return ops.Mem{Region: ops.Input, Off: g.Batch * (g.Image + 1 + i), Len: g.Batch}
}

// AllMasks is where all of them lie, one after the other.
func (g *Graph) AllMasks() ops.Mem {
	return ops.Mem{Region: ops.Input, Off: g.Batch * (g.Image + 1), Len: g.Batch * g.Masks}
}

// InputLen is the length of the Input region.
func (g *Graph) InputLen() int { return g.Batch * (g.Image + 1 + g.Masks) }
