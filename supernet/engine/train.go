package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"oneshot/data"
	"oneshot/ops"
)

// NormMomentum is torch's default weight of a batch in the running statistics.
const NormMomentum = 0.1

// ErrIdle is returned by Finish when no step is under way.
var ErrIdle = errors.New("engine: no training step is under way")

// TrainSpec is what stays the same in a training.
type TrainSpec struct {
	Graph   Spec    // what graphs are built for; Graph.Batch images at a time are a micro-batch
	Batch   int     // images a step, a multiple of Graph.Batch
	Masks   int     // the most drop-path masks of any path
	Clip    float64 // bound on the norm of the mean gradient; 0 is off
	Fixed   bool    // all steps have the same graph
	Average *Values // of the network, moved towards it by each step; nil is off

	Optimizer   ops.Optimizer
	Slots       Slots   // what it keeps of each parameter
	WeightDecay float64 // of Graph.Decayed

	// Paths is the most paths of a step; 0 is 1. The gradient of a step is the mean of the
	// paths' or, with Sum, their sum. With InPlace all but the first learn from the
	// outputs of the first for the same images instead of from labels (arXiv 1903.05134,
	// section 3.3). With Rank two paths may be compared, see Step.
	Paths              int
	Sum, InPlace, Rank bool

	// Images are trained on in the order of Data, from the batch of the first step
	// on; without images every step is given its batch.
	Images *data.Train
	Data   data.LoaderConfig
}

// Parts is how many micro-batches a step has.
func (c TrainSpec) Parts() int { return c.Batch / c.Graph.Batch }

// Several says whether a step may have more than one path.
func (c TrainSpec) Several() bool { return c.Paths > 1 }

// Accumulates says whether gradients are added up in region ops.GradSum.
func (c TrainSpec) Accumulates() bool { return c.Parts() > 1 || c.Several() }

// Divisor is what the sum of all gradients of a step on g is divided by.
func (c TrainSpec) Divisor(g *Graph) int {
	if c.Sum {
		return c.Parts()
	}
	return c.Parts() * (1 + len(g.Beside))
}

// Of is what the graph of a step's path number k is built for.
func (c TrainSpec) Of(k int) Spec {
	s := c.Graph
	if k > 0 && c.InPlace {
		s.Soft, s.Distill = true, 0
	}
	return s
}

// Distributions is how many distributions an image has at most in the graphs of a step.
func (c TrainSpec) Distributions() int {
	return max(c.Graph.Distributions(), c.Of(1).Distributions())
}

// Slots are the values that an optimizer keeps of every parameter, in arrays as
// long as the parameters. Slot i lies in region ops.Slot(i).
type Slots [][]float32

// Step is what changes from step to step.
type Step struct {
	Number int         // from 0
	LR     float64     // learning rate
	Decay  float32     // of the averages: they become Decay of themselves and 1-Decay of the network
	Masks  []float32   // drop-path masks (micro-batch, mask, image of it), copied by Issue
	Batch  *data.Batch // nil: the one of the step's number
	// Teacher are a teacher's distributions (Batch,classes) for the images of Batch, where
	// the graphs have such, copied by Issue.
	Teacher []float32
	// Pairs are compared: where the loss of the one is above that of the other by more than
	// Margin, Weight times the difference of their gradients is added to that of the step.
	Pairs          []Pair
	Weight, Margin float64
}

// Pair are paths At and At+1 of a step. First says that it is the first that should have the
// lower loss.
type Pair struct {
	At    int
	First bool
}

// Wrong says whether the losses of a pair's paths are in the wrong order by more than margin.
func (p Pair) Wrong(first, second, margin float64) bool {
	if !p.First {
		first, second = second, first
	}
	return first-second > margin
}

// PairAt is the index of the pair that path k belongs to and whether it is its second; -1
// without one.
func (s Step) PairAt(k int) (i int, second bool) {
	for i, p := range s.Pairs {
		if k == p.At || k == p.At+1 {
			return i, k == p.At+1
		}
	}
	return -1, false
}

// CheckStep wants a batch where there are no images, and what belongs to the graph.
func (c TrainSpec) CheckStep(g *Graph, s Step) error {
	if want := g.Masks * c.Batch; len(s.Masks) != want {
		return fmt.Errorf("engine: %d values of drop-path masks, want %d", len(s.Masks), want)
	}
	if (s.Batch == nil) == (c.Images == nil) {
		return errors.New("engine: a step takes either a batch or the images of the training")
	}
	if err := c.checkPaths(g, s); err != nil {
		return err
	}
	want := 0
	if g.Distributions > 1 {
		want = c.Batch * g.Classes
	}
	if len(s.Teacher) != want {
		return fmt.Errorf("engine: %d values of a teacher's distributions, want %d", len(s.Teacher), want)
	}
	if s.Batch == nil {
		return nil
	}
	return c.CheckBatch(g, s.Batch)
}

// checkPaths wants no more paths than the training has, and pairs of them.
func (c TrainSpec) checkPaths(g *Graph, s Step) error {
	if n := 1 + len(g.Beside); n > max(1, c.Paths) {
		return fmt.Errorf("engine: a step on %d paths in a training of at most %d", n, max(1, c.Paths))
	}
	if len(g.Beside) > 0 && g.Masks > 0 {
		return errors.New("engine: drop-path masks in a step on several paths")
	}
	if len(s.Pairs) > 0 && !c.Rank {
		return errors.New("engine: paths are compared in a training that compares none")
	}
	next := 0
	for _, p := range s.Pairs {
		if p.At < next || p.At+1 > len(g.Beside) {
			return fmt.Errorf("engine: a pair at path %d of %d", p.At, 1+len(g.Beside))
		}
		next = p.At + 2
	}
	return nil
}

// CheckBatch wants a batch of a step on g, with the distributions that its images may
// have.
func (c TrainSpec) CheckBatch(g *Graph, b *data.Batch) error {
	if err := Check(b, c.Batch, g.Image); err != nil {
		return err
	}
	if g.Distributions == 0 {
		if len(b.T) > 0 {
			return errors.New("engine: a batch of mixed images for a training that takes labels")
		}
		return nil
	}
	if n := c.Batch * g.Classes; len(b.T) > 0 && len(b.T) != n {
		return fmt.Errorf("engine: batch with %d values of distributions, the network takes %d", len(b.T), n)
	}
	for i, y := range b.Y { // without distributions that is the loss's work
		if y < 0 || int(y) >= g.Classes {
			return fmt.Errorf("engine: label %d of image %d is not in [0,%d)", y, i, g.Classes)
		}
	}
	return nil
}

// Outcome is what a step did.
type Outcome struct {
	Loss     float64 // mean over the micro-batches and paths
	Right    int     // images classified right, with the statistics of their micro-batches, of all paths
	Path     int     // of a bad step: the path whose numbers were the first to be none; -1 is unknown
	GradNorm float64 // of the mean gradient, before clipping
	Replaced int     // see data.Batch
	// Bad says that the loss, the gradient or a running statistic is not finite.
	// Parameters, slots and averages are those of before the step then.
	Bad    bool
	Device time.Duration // the step took on a device; 0 on the processor
}

// Trainer takes training steps along paths of a network.
type Trainer interface {
	// Compile prepares a step on a path, or on several, for Issue. It may run beside a
	// step, and several times at once.
	Compile(p Path, beside ...Path) (*Graph, error)
	// Issue starts a step with what Compile returned. On an error, such as that
	// of ctx, the step was not started.
	Issue(ctx context.Context, g *Graph, s Step) error
	// Finish waits for the first step under way. After a Bad outcome the trainer
	// must not be used any more.
	Finish() (Outcome, error)
	// Depth is how many steps may be under way at a time.
	Depth() int
	// Window is how many graphs are worth compiling beside a step.
	Window() int
	// Pull brings the values of the network, the slots and the averages to the
	// host's arrays, when no step is under way.
	Pull() error
	// Push takes them from there and forgets the steps under way.
	Push() error
	// Close ends what runs in the background and gives memory back. The host's
	// arrays stay as they are.
	Close()
}
