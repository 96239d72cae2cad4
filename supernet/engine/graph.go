package engine

import "oneshot/ops"

// Spec says what a program is built for.
type Spec struct {
	Batch     int  // images that go through the network at a time
	Train     bool // with loss, gradients and, if the network has one, the auxiliary head
	Smoothing float64
	// Soft has the loss take distributions (Batch,classes) instead of labels: the targets,
	// which PutTargets smooths.
	Soft bool
	// Distill, above 0, is the weight of a second loss against a teacher's distributions at
	// Temperature, in which case that of the targets is 1-Distill. It needs Soft. The
	// auxiliary head has the targets alone.
	Distill, Temperature float64
	AuxWeight            float64
	DropPath             bool // masks on the operations that are not identities
	// DecayAll has weight decay act on all parameters; without it on those of more than
	// one dimension only, and so not on normalisations and biases.
	DecayAll bool
}

// Distributions is how many distributions over the classes an image has among the inputs:
// none, its target, or also the teacher's.
func (s Spec) Distributions() int {
	switch {
	case !s.Soft:
		return 0
	case s.Distill > 0:
		return 2
	}
	return 1
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
	Classes         int
	Distributions   int // see Spec

	// Beside are the other paths of a step on several, in their order, and Union what all of
	// them use; nil in a step on one.
	Beside []*Graph
	Union  *Union

	Lowered any // what the engine that compiled it keeps with it
}

// The Input region of a graph holds images (Batch,Image), labels (Batch), distributions
// (Distributions,Batch,Classes) and masks (Masks,Batch).

// Images is where the batch's images lie.
func (g *Graph) Images() ops.Mem { return ops.Mem{Region: ops.Input, Len: g.Batch * g.Image} }

// Labels is where their labels lie.
func (g *Graph) Labels() ops.Mem {
	return ops.Mem{Region: ops.Input, Off: g.Batch * g.Image, Len: g.Batch}
}

// Targets is where their distributions lie that the loss takes, (Batch,Classes); absent
// where it takes the labels.
func (g *Graph) Targets() ops.Mem { return g.distribution(0) }

// Teacher is where those of the teacher lie; absent without one.
func (g *Graph) Teacher() ops.Mem { return g.distribution(1) }

func (g *Graph) distribution(i int) ops.Mem {
	if i >= g.Distributions {
		return ops.Mem{}
	}
	n := g.Batch * g.Classes
	return ops.Mem{Region: ops.Input, Off: g.Batch*(g.Image+1) + i*n, Len: n}
}

// Mask is where drop-path mask i lies.
func (g *Graph) Mask(i int) ops.Mem {
	return ops.Mem{Region: ops.Input, Off: g.Batch * (g.imageInput() + i), Len: g.Batch}
}

// AllMasks is where all of them lie, one after the other.
func (g *Graph) AllMasks() ops.Mem {
	return ops.Mem{Region: ops.Input, Off: g.Batch * g.imageInput(), Len: g.Batch * g.Masks}
}

// InputLen is the length of the Input region.
func (g *Graph) InputLen() int { return g.Batch * (g.imageInput() + g.Masks) }

// imageInput is how many values an image has there besides its masks.
func (g *Graph) imageInput() int { return ImageInput(g.Image, g.Classes, g.Distributions) }

// ImageInput is how many values an image has in the Input region of a graph, besides its
// drop-path masks.
func ImageInput(image, classes, distributions int) int { return image + 1 + distributions*classes }
