package supernet

import (
	"context"
	"errors"
	"fmt"
	"math"

	"oneshot/data"
	"oneshot/internal/rng"
	"oneshot/ops"
	"oneshot/ops/cpu"
	"oneshot/supernet/space"
)

// bnMomentum is torch's default weight of a batch in the running statistics.
const bnMomentum = 0.1

// ErrDone is returned by Step after the last step.
var ErrDone = errors.New("supernet: training is finished")

// DivergedError says that the loss, the gradient or a running statistic stopped
// being finite. The parameters are those from before the step; the statistics
// are not, so the trainer must not be used any more.
type DivergedError struct {
	Step     int
	Loss, LR float64
	GradNorm float64
	Arch     string // text form
}

func (e *DivergedError) Error() string {
	return fmt.Sprintf("supernet: training diverged at step %d: loss %g, gradient norm %g, learning rate %g, arch %s", e.Step, e.Loss, e.GradNorm, e.LR, e.Arch)
}

// StepStats is what one step did.
type StepStats struct {
	Step, Steps int // Step counts from 1
	Loss        float64
	Top1        float64 // of the batch, with the statistics of its micro-batches
	LR          float64
	GradNorm    float64 // before clipping
	Images      int
	Arch        space.Arch
}

// Trainer trains a Net step by step. It owns a loader and a background
// builder; Close ends them.
type Trainer struct {
	net    *Net
	cfg    TrainConfig
	train  *data.Train
	step   int // steps done
	back   *ops.CPU[float32]
	grad   []float32
	moment []float32
	ema    *Net // nil when off
	input  []float32
	masks  []float32 // drop-path masks of the step: (mask,image of the batch)
	sum    [2]ops.Mem
	loader *data.Loader
	fixed  *graph // the only graph, when the network has one architecture
	next   chan builtGraph
}

type builtGraph struct {
	g   *graph
	err error
}

// NewTrainer starts at step 0. A network of one architecture trains that one;
// a supernet trains one uniformly sampled path a step.
func NewTrainer(n *Net, d *data.Train, c TrainConfig) (*Trainer, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	if d.Len() < c.Batch {
		return nil, fmt.Errorf("supernet: batch is %d, but there are only %d training images", c.Batch, d.Len())
	}
	t := bareTrainer(n, c)
	t.train = d
	return t, nil
}

// bareTrainer is a trainer without a data set, for steps on given batches.
func bareTrainer(n *Net, c TrainConfig) *Trainer {
	t := &Trainer{net: n, cfg: c, back: n.backend(n.state),
		grad: make([]float32, len(n.params)), moment: make([]float32, len(n.params))}
	t.back.Bind(ops.Grad, t.grad)
	t.back.Bind(ops.Moment, t.moment)
	if c.micro() < c.Batch {
		t.back.Bind(ops.GradSum, make([]float32, len(n.params)))
	}
	if c.EMA > 0 {
		t.ema = n.clone()
	}
	return t
}

// StepNumber is the number of steps done.
func (t *Trainer) StepNumber() int { return t.step }

// Close ends the loader and the builder and gives the memory of the activations
// back. The network stays usable.
func (t *Trainer) Close() {
	t.stop()
	t.back.Close()
}

// stop ends the loader and the builder.
func (t *Trainer) stop() {
	if t.loader != nil {
		t.loader.Close()
		t.loader = nil
	}
	if t.next != nil {
		<-t.next
		t.next = nil
	}
}

// archOf is the path of a step (from 0): a function of the seed and the step.
func (t *Trainer) archOf(step int) space.Arch {
	if t.net.arch != nil {
		return *t.net.arch
	}
	return t.net.cfg.Space.Sample(rng.New(t.cfg.Seed, "arch", uint64(step)))
}

func (t *Trainer) spec() graphSpec { return t.cfg.spec() }

// graph returns the compiled path of this step and has the next one built
// while this one runs.
func (t *Trainer) graph() (*graph, error) {
	if t.fixed != nil {
		return t.fixed, nil
	}
	if t.net.arch != nil {
		var err error
		t.fixed, err = t.net.build(t.back, *t.net.arch, t.spec())
		return t.fixed, err
	}
	if t.next == nil {
		t.prefetch(t.archOf(t.step))
	}
	b := <-t.next
	t.next = nil
	if b.err == nil && t.step+1 < t.cfg.Steps {
		t.prefetch(t.archOf(t.step + 1))
	}
	return b.g, b.err
}

// prefetch starts to build the graph of a path, which t.next will deliver.
func (t *Trainer) prefetch(arch space.Arch) {
	next := make(chan builtGraph, 1)
	t.next = next
	go func() {
		g, err := t.net.build(t.back, arch, t.spec())
		next <- builtGraph{g, err}
	}()
}

// Step runs one step: forward, backward, clipped SGD. It returns ErrDone when
// all steps are done, a *DivergedError when the numbers stop being finite, and
// the context's error when it ends first; then the step was not taken.
func (t *Trainer) Step(ctx context.Context) (StepStats, error) {
	if t.step >= t.cfg.Steps {
		return StepStats{}, ErrDone
	}
	if err := ctx.Err(); err != nil {
		return StepStats{}, err
	}
	if err := t.startLoader(); err != nil {
		return StepStats{}, err
	}
	g, err := t.graph()
	if err != nil {
		return StepStats{}, err
	}
	batch, err := t.loader.Next(ctx)
	if err != nil {
		t.unbuild(g)
		return StepStats{}, err
	}
	st, err := t.take(g, batch)
	if err != nil {
		return st, err
	}
	t.loader.Recycle(batch)
	return st, nil
}

// take trains the path of g on a batch.
func (t *Trainer) take(g *graph, batch *data.Batch) (StepStats, error) {
	if err := t.fill(g, batch); err != nil {
		return StepStats{}, err
	}
	st, err := t.run(g, batch)
	if err != nil {
		return st, err
	}
	if err := t.descend(g, st); err != nil {
		return st, err
	}
	t.step++
	t.average()
	return st, nil
}

// parts is how many micro-batches a step has.
func (t *Trainer) parts() int { return t.cfg.Batch / t.cfg.micro() }

// run computes the loss of the batch and the sum of its micro-batches' gradients.
func (t *Trainer) run(g *graph, batch *data.Batch) (StepStats, error) {
	st := StepStats{Step: t.step + 1, Steps: t.cfg.Steps, LR: t.cfg.rate(t.step), Images: batch.N, Arch: g.arch}
	right, parts := 0, t.parts()
	for i := range parts {
		y, err := t.load(g, batch, i)
		if err != nil {
			return StepStats{}, err
		}
		if err := g.prog.Run(t.back, ops.Train, bnMomentum); err != nil {
			return StepStats{}, err
		}
		st.Loss += float64(t.back.At(g.prog.Mem(g.loss))[0])
		right += cpu.Correct(g.batch, t.net.cfg.Classes, t.back.At(g.prog.Mem(g.logits)), y)
		if err := t.accumulate(g, i == 0, i == parts-1); err != nil {
			return StepStats{}, err
		}
	}
	norm2, err := t.back.SumSquares(g.grads)
	if err != nil {
		return StepStats{}, err
	}
	st.Loss /= float64(parts)
	st.Top1 = float64(right) / float64(batch.N)
	st.GradNorm = math.Sqrt(norm2) / float64(parts)
	if bad(st.Loss) || bad(st.GradNorm) || !t.finiteState(g) {
		return st, &DivergedError{Step: st.Step, Loss: st.Loss, LR: st.LR, GradNorm: st.GradNorm, Arch: t.net.cfg.Space.Format(g.arch)}
	}
	return st, nil
}

// accumulate adds the gradients of a micro-batch to the sum of those before it.
// After the last one the sum lies where the gradients do.
func (t *Trainer) accumulate(g *graph, first, last bool) error {
	if first && last {
		return nil
	}
	for _, grad := range g.grads {
		sum := grad
		sum.Region = ops.GradSum
		var err error
		switch {
		case first:
			t.sum[0] = grad
			err = t.back.Sum(sum, t.sum[:1])
		case last:
			t.sum = [2]ops.Mem{grad, sum}
			err = t.back.Sum(grad, t.sum[:])
		default:
			t.sum = [2]ops.Mem{sum, grad}
			err = t.back.Sum(sum, t.sum[:])
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// finiteState says whether the running statistics the step moved are finite:
// a variance can overflow while loss and gradients still look sound.
func (t *Trainer) finiteState(g *graph) bool {
	for _, i := range g.norms {
		for _, v := range t.back.At(t.net.layout.norms[i].state) {
			if bad(float64(v)) {
				return false
			}
		}
	}
	return true
}

// descend applies clipped SGD to the parameters in use: the gradients are sums
// over micro-batches, their mean is what counts.
func (t *Trainer) descend(g *graph, st StepStats) error {
	scale := 1.0
	if t.cfg.Clip > 0 {
		scale = min(1, t.cfg.Clip/(st.GradNorm+1e-6)) // as torch.nn.utils.clip_grad_norm_
	}
	if err := t.back.SGD(g.params, st.LR, t.cfg.Momentum, t.cfg.WeightDecay, scale/float64(t.parts())); err != nil {
		return err
	}
	for _, i := range g.norms {
		t.net.tracked[i] += int64(t.parts())
	}
	return nil
}

func bad(v float64) bool { return math.IsNaN(v) || math.IsInf(v, 0) }

// startLoader opens the stream of batches at the current step.
func (t *Trainer) startLoader() error {
	if t.loader != nil {
		return nil
	}
	l, err := t.train.Loader(data.LoaderConfig{Batch: t.cfg.Batch, Seed: t.cfg.Seed, StartStep: t.step,
		Workers: t.cfg.Workers, Augment: t.cfg.Augment, DropLast: true})
	t.loader = l
	return err
}

// unbuild puts a graph back that a step took but could not use.
func (t *Trainer) unbuild(g *graph) {
	if t.fixed != nil {
		return
	}
	if t.next != nil {
		<-t.next
	}
	t.next = make(chan builtGraph, 1)
	t.next <- builtGraph{g: g}
}

// fill makes room for the step and draws its drop-path masks, for the whole batch:
// an image's do not depend on its micro-batch.
func (t *Trainer) fill(g *graph, b *data.Batch) error {
	if err := checkBatch(b, t.cfg.Batch, g.image); err != nil {
		return err
	}
	if len(t.input) < g.inputLen() {
		t.input = make([]float32, g.inputLen())
		t.back.Bind(ops.Input, t.input)
	}
	if g.masks == 0 {
		return nil
	}
	if n := g.masks * b.N; len(t.masks) < n {
		t.masks = make([]float32, n)
	}
	r := rng.New(t.cfg.Seed, "droppath", uint64(t.step))
	p := t.cfg.dropRate(t.step)
	for i := range t.masks[:g.masks*b.N] {
		t.masks[i] = 0
		if r.Float64() >= p {
			t.masks[i] = float32(1 / (1 - p))
		}
	}
	return nil
}

// load copies micro-batch i of the batch and its masks to the input region and
// returns its labels.
func (t *Trainer) load(g *graph, b *data.Batch, i int) ([]int32, error) {
	lo, hi := i*g.batch, (i+1)*g.batch
	part := data.Batch{N: g.batch, X: b.X[lo*g.image : hi*g.image], Y: b.Y[lo:hi]}
	for m := range g.masks {
		copy(t.back.At(g.mask(m)), t.masks[m*b.N+lo:m*b.N+hi])
	}
	return part.Y, copyBatch(t.back, g, &part)
}

// checkBatch wants n images of image values each.
func checkBatch(b *data.Batch, n, image int) error {
	if b.N != n || len(b.X) != n*image || len(b.Y) != n {
		return fmt.Errorf("supernet: batch of %d images with %d values, the network takes %d with %d", b.N, len(b.X), n, n*image)
	}
	return nil
}

func copyBatch(b *ops.CPU[float32], g *graph, batch *data.Batch) error {
	if err := checkBatch(batch, g.batch, g.image); err != nil {
		return err
	}
	copy(b.At(g.images()), batch.X)
	labels := b.At(g.labels())
	for i, y := range batch.Y {
		labels[i] = float32(y)
	}
	return nil
}

// average moves the averaged network towards the trained one. The decay grows
// with the step, min(EMA, (1+s)/(10+s)), so that a short run does not remember
// its initialisation (TensorFlow's ExponentialMovingAverage with num_updates).
func (t *Trainer) average() {
	if t.ema == nil {
		return
	}
	d := float32(min(t.cfg.EMA, (1+float64(t.step))/(10+float64(t.step))))
	cpu.Axpby(t.net.rt.pool, 1-d, t.net.params, d, t.ema.params)
	cpu.Axpby(t.net.rt.pool, 1-d, t.net.state, d, t.ema.state)
	copy(t.ema.tracked, t.net.tracked)
}
