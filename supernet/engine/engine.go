// Package engine is what a kind of hardware does for a network: training steps
// and measurements. Package supernet decides everything else: which path is
// trained, at what rate, what is averaged, when to stop. An engine knows none of
// that, nor how a network is built: it gets arrays, a way to compile a path for its
// backend, and numbers.
//
// Packages engine/host and engine/gpu are the processor and an NVIDIA GPU. Both
// compute the same up to rounding, and each the same bits every time.
//
// Example trains a network of one layer through an Engine.
package engine

import (
	"fmt"

	"oneshot/data"
	"oneshot/ops"
)

// Engine computes on one kind of hardware. It may be used by several goroutines;
// the trainers and measurers that it makes by one at a time each.
type Engine interface {
	// Device is "cpu" or "cuda".
	Device() string
	// Arithmetic names what decides how values are rounded: two engines with the same one
	// compute the same bits. It is the device, the format of activations and the instruction set.
	Arithmetic() string
	// Train returns a trainer of a network, which it may change until Close.
	Train(m Model, c TrainSpec) (Trainer, error)
	// Measure returns a measurer of a network's parameters with the statistics
	// m.State.
	Measure(m Model) (Measurer, error)
	// TrainMemory is about what a training along a path takes, ScoreMemory what scores
	// of a path do, LogitsMemory what Measurer.Logits of so many images does. Nothing is
	// allocated for that. Of c.Slots only the number of arrays counts, of c.Average only
	// whether there is one.
	TrainMemory(s Sizes, c TrainSpec, p Path) (Memory, error)
	ScoreMemory(s Sizes, c ScoreSizes, p Path) (Memory, error)
	LogitsMemory(s Sizes, images int, p Path) (Memory, error)
	// Free is how many bytes of its memory nobody uses.
	Free() (int64, error)
	Close()
}

// Values are a network's, in the host's memory. A Mem of region Params or State
// names a piece of them.
type Values struct {
	Params []float32
	State  []float32 // running statistics
}

// Model is a network as engines see it.
type Model struct {
	Values
	Side    int // pixels of an image's side
	Classes int
	Widest  int // values of its largest activation, for one image
}

// Image is how many values an image (Side,Side,3) has.
func (m Model) Image() int { return m.Side * m.Side * 3 }

// Path is a network, or a part of one, that can be computed.
type Path struct {
	Name string // two paths of the same model have different names
	// Compile compiles the path for a backend. It may run beside everything else.
	Compile func(b ops.Backend, s Spec) (*Graph, error)
}

// Check wants a batch of n images of image values each, and returns why there is none.
func Check(b *data.Batch, n, image int) error {
	if b.Err != nil {
		return b.Err
	}
	if b.N != n || len(b.X) != n*image || len(b.Y) != n {
		return fmt.Errorf("engine: batch of %d images with %d values, the network takes %d with %d", b.N, len(b.X), n, n*image)
	}
	return nil
}

// PutLabels writes labels as the kernels read them.
func PutLabels(dst []float32, y []int32) {
	for i, v := range y {
		dst[i] = float32(v)
	}
}

// PutTargets writes distributions (N,classes) as the kernels read them: t or, where t is
// empty, all of an image's share on its label y (N). They are smoothed as ops.SoftmaxXent
// does it.
func PutTargets(dst []float32, y []int32, t []float32, classes int, smoothing float64) {
	share, on := float32(smoothing/float64(classes)), float32(1-smoothing)
	if len(t) > 0 {
		for i, v := range t {
			dst[i] = on*v + share
		}
		return
	}
	for i := range dst {
		dst[i] = share
	}
	for i, v := range y {
		dst[i*classes+int(v)] += on
	}
}
