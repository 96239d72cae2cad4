package supernet

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"oneshot/data"
	"oneshot/ops"
	"oneshot/ops/cpu"
	"oneshot/supernet/space"
)

// Result is a measurement on a number of images.
type Result struct {
	Top1   float64 // fraction of images classified right
	Loss   float64 // mean cross-entropy in nats
	Images int
}

// ScoreConfig says how a subnetwork is measured.
type ScoreConfig struct {
	RecalImages int    // training images that re-estimate BN statistics, at least 2
	RecalBatch  int    // images a batch of them, at least 2
	Batch       int    // search images a batch, at least 1
	Seed        uint64 // chooses the training images
}

// DefaultScore re-estimates on 1,280 images in batches of 64.
func DefaultScore() ScoreConfig { return ScoreConfig{RecalImages: 1280, RecalBatch: 64, Batch: 250} }

// Check reports the first field out of range.
func (c ScoreConfig) Check() error {
	switch {
	case c.RecalBatch < 2:
		return fmt.Errorf("supernet: recal_batch is %d, want at least 2", c.RecalBatch)
	case c.RecalImages < c.RecalBatch:
		return fmt.Errorf("supernet: recal_images is %d, want at least recal_batch, %d", c.RecalImages, c.RecalBatch)
	case c.Batch < 1:
		return fmt.Errorf("supernet: score batch is %d, want at least 1", c.Batch)
	}
	return nil
}

var errNoImages = errors.New("supernet: no images to evaluate")

func fewImages(batch int) error {
	return fmt.Errorf("supernet: recalibrate: fewer than %d training images", batch)
}

// Scorer measures subnetworks with inherited weights. It never changes the
// network: statistics are re-estimated on a copy.
type Scorer struct {
	net    *Net
	train  *data.Train
	search *data.Search
	cfg    ScoreConfig
	eval   measurer
}

// measurer measures subnetworks of a network, on the processor or on a device.
type measurer interface {
	// score re-estimates the statistics on training images and measures on the
	// search split.
	score(ctx context.Context, arch space.Arch, train *data.Train, search *data.Search, c ScoreConfig) (Result, error)
	// run measures with the statistics it was made with.
	run(ctx context.Context, arch space.Arch, batches iter.Seq[*data.Batch], progress func(done int)) (Result, error)
	// logits are the outputs (N,Classes) for a batch, likewise.
	logits(arch space.Arch, b *data.Batch) ([]float32, error)
	close()
}

// newMeasurer measures n with the given statistics.
func newMeasurer(n *Net, state []float32) (measurer, error) {
	if n.rt.dev != nil {
		return newGPUEvaluator(n, state)
	}
	return newEvaluator(n, state), nil
}

// NewScorer scores subnetworks of n: BN statistics from train images, accuracy
// on the search split.
func NewScorer(n *Net, train *data.Train, search *data.Search, c ScoreConfig) (*Scorer, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	eval, err := newMeasurer(n, make([]float32, len(n.state)))
	return &Scorer{net: n, train: train, search: search, cfg: c, eval: eval}, err
}

// Close gives the scorer's memory back. It may be used again all the same.
func (s *Scorer) Close() { s.eval.close() }

// Score measures arch. The same architecture and weights give the same result
// bit for bit, in any order of calls.
func (s *Scorer) Score(ctx context.Context, arch space.Arch) (Result, error) {
	arch, err := s.net.pick(arch)
	if err != nil {
		return Result{}, err
	}
	return s.eval.score(ctx, arch, s.train, s.search, s.cfg)
}

// Evaluate measures a network of one architecture, or a path of a supernet,
// with its running statistics. progress, if not nil, is told the images done.
func Evaluate(ctx context.Context, n *Net, arch space.Arch, batches iter.Seq[*data.Batch], progress func(done int)) (Result, error) {
	arch, err := n.pick(arch)
	if err != nil {
		return Result{}, err
	}
	e, err := newMeasurer(n, n.state)
	if err != nil {
		return Result{}, err
	}
	defer e.close()
	return e.run(ctx, arch, batches, progress)
}

// Logits computes the network's outputs (N,Classes) for normalised images
// x (N,Image,Image,3) with running statistics.
func (n *Net) Logits(arch space.Arch, x []float32) ([]float32, error) {
	arch, err := n.pick(arch)
	if err != nil {
		return nil, err
	}
	size := n.cfg.Image * n.cfg.Image * 3
	if len(x) == 0 || len(x)%size != 0 {
		return nil, fmt.Errorf("supernet: %d values are no whole number of images of %d", len(x), size)
	}
	e, err := newMeasurer(n, n.state)
	if err != nil {
		return nil, err
	}
	defer e.close()
	return e.logits(arch, &data.Batch{X: x, Y: make([]int32, len(x)/size), N: len(x) / size})
}

// evaluator is the processor's measurer: forward passes with the network's parameters and a state of
// its own choice: whole batches where they give statistics, lanes elsewhere.
type evaluator struct {
	net   *Net
	back  *ops.CPU[float32]
	lanes *lanes
	input []float32
	state []float32
	loss  *cpu.Engine[float32]
}

func newEvaluator(n *Net, state []float32) *evaluator {
	return &evaluator{net: n, state: state, back: n.backend(state), lanes: newLanes(n, state), loss: cpu.NewEngine[float32](nil)}
}

func (e *evaluator) close() {
	e.back.Close()
	e.lanes.close()
}

func (e *evaluator) score(ctx context.Context, arch space.Arch, train *data.Train, search *data.Search, c ScoreConfig) (Result, error) {
	clear(e.state)
	if err := e.recalibrate(ctx, arch, train.Calib(c.Seed, c.RecalImages, c.RecalBatch), c.RecalBatch); err != nil {
		return Result{}, err
	}
	return e.run(ctx, arch, search.Batches(c.Batch), nil)
}

func (e *evaluator) logits(arch space.Arch, b *data.Batch) ([]float32, error) {
	return e.lanes.run(arch, b)
}

// recalibrate averages the batch statistics of full batches into the state.
// A short last batch is left out: its statistics would weigh as much as a full one's.
func (e *evaluator) recalibrate(ctx context.Context, arch space.Arch, batches iter.Seq[*data.Batch], size int) error {
	g, err := e.net.build(e.back, arch, graphSpec{batch: size})
	if err != nil {
		return err
	}
	if len(e.input) < g.inputLen() {
		e.input = make([]float32, g.inputLen())
		e.back.Bind(ops.Input, e.input)
	}
	k := 0
	for b := range batches {
		if b.N < size {
			break
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		k++
		if err := copyBatch(e.back, g, b); err != nil {
			return err
		}
		if err := g.prog.Run(e.back, ops.Recalibrate, 1/float64(k)); err != nil {
			return err
		}
	}
	if k == 0 {
		return fewImages(size)
	}
	return nil
}

// run measures accuracy and loss.
func (e *evaluator) run(ctx context.Context, arch space.Arch, batches iter.Seq[*data.Batch], progress func(done int)) (Result, error) {
	var r Result
	var right int
	for b := range batches {
		if err := ctx.Err(); err != nil {
			return Result{}, err
		}
		logits, err := e.lanes.run(arch, b)
		if err != nil {
			return Result{}, err
		}
		k := e.net.cfg.Classes
		right += cpu.Correct(b.N, k, logits, b.Y)
		r.Loss += float64(b.N) * float64(e.loss.SoftmaxXent(b.N, k, logits, b.Y, 0, nil))
		r.Images += b.N
		if progress != nil {
			progress(r.Images)
		}
	}
	if r.Images == 0 {
		return Result{}, errNoImages
	}
	r.Top1 = float64(right) / float64(r.Images)
	r.Loss /= float64(r.Images)
	return r, nil
}
