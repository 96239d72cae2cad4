package supernet

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

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
	Device      time.Duration // the step took on a GPU, without what came before it; else 0
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
	fixed  *graph            // the only graph, when the network has one architecture
	built  []chan builtGraph // of the coming steps, in order
	begun  int               // steps whose graphs were begun
	paths  func(step int) space.Arch
	gpu    *gpuTrainer // nil on the processor
	hold   bool        // see Hold
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
	t := hostTrainer(n, c)
	t.train = d
	if n.rt.dev == nil {
		return t, nil
	}
	var err error
	t.gpu, err = newGPUTrainer(t, d)
	return t, err
}

// bareTrainer is a trainer without a data set, for steps on given batches.
func bareTrainer(n *Net, c TrainConfig) (*Trainer, error) {
	t := hostTrainer(n, c)
	if n.rt.dev == nil {
		return t, nil
	}
	var err error
	t.gpu, err = newGPUTrainer(t, nil)
	return t, err
}

// hostTrainer is the part of a trainer that the processor holds.
func hostTrainer(n *Net, c TrainConfig) *Trainer {
	t := &Trainer{net: n, cfg: c, moment: make([]float32, len(n.params))}
	t.paths = t.archOf
	if c.EMA > 0 {
		t.ema = n.clone()
	}
	if n.rt.dev != nil {
		return t
	}
	t.back, t.grad = n.backend(n.state), make([]float32, len(n.params))
	t.back.Bind(ops.Grad, t.grad)
	t.back.Bind(ops.Moment, t.moment)
	if c.micro() < c.Batch {
		t.back.Bind(ops.GradSum, make([]float32, len(n.params)))
	}
	return t
}

// StepNumber is the number of steps done.
func (t *Trainer) StepNumber() int { return t.step }

// Hold makes Step issue no step before it is asked for, as a device otherwise does
// while another runs; Ahead counts those that were.
func (t *Trainer) Hold(hold bool) { t.hold = hold }

// Ahead is the number of steps under way on a device, whose results the next calls
// of Step return. A checkpoint can be made when there are none.
func (t *Trainer) Ahead() int {
	if t.gpu == nil {
		return 0
	}
	return t.gpu.ahead()
}

// Close ends the loader and the builders and gives the memory of the activations
// back. The network stays usable; on a device it has the values of the last
// checkpoint.
func (t *Trainer) Close() {
	t.stop()
	if t.gpu != nil {
		t.gpu.close()
		return
	}
	t.back.Close()
}

// stop ends the loader and the builders.
func (t *Trainer) stop() {
	if t.loader != nil {
		t.loader.Close()
		t.loader = nil
	}
	for _, b := range t.built {
		<-b
	}
	t.built = nil
}

// archOf is the path of a step (from 0): a function of the seed and the step.
func (t *Trainer) archOf(step int) space.Arch {
	if t.net.arch != nil {
		return t.net.arch
	}
	return t.net.cfg.Space.Sample(rng.New(t.cfg.Seed, "arch", uint64(step)))
}

func (t *Trainer) spec() graphSpec { return t.cfg.spec() }

// graph returns the compiled path of the next step and has coming ones built
// while this one runs.
func (t *Trainer) graph() (*graph, error) {
	if t.fixed != nil {
		return t.fixed, nil
	}
	if t.net.arch != nil {
		var err error
		t.fixed, err = t.build(t.net.arch)
		return t.fixed, err
	}
	if len(t.built) == 0 {
		t.begun = t.step + t.Ahead()
	}
	for len(t.built) <= t.window() && (len(t.built) == 0 || t.begun < t.cfg.Steps) {
		t.prefetch(t.paths(t.begun))
		t.begun++
	}
	b := <-t.built[0]
	t.built = t.built[1:]
	return b.g, b.err
}

// window is how many graphs are built beside a step.
func (t *Trainer) window() int {
	if t.gpu == nil {
		return 1
	}
	return min(16, 2*t.net.rt.Threads())
}

// Follow trains the paths that paths gives, by the number of the step from 0,
// instead of sampled ones: for measurements.
func (t *Trainer) Follow(paths func(step int) space.Arch) { t.paths = paths }

// build compiles a path for the processor or the device.
func (t *Trainer) build(arch space.Arch) (*graph, error) {
	if t.gpu == nil {
		return t.net.build(t.back, arch, t.spec())
	}
	g, err := t.net.build(t.gpu.back, arch, t.spec())
	if err != nil {
		return nil, err
	}
	return g, t.gpu.lower(g)
}

// prefetch starts to build the graph of a path, behind those begun before.
func (t *Trainer) prefetch(arch space.Arch) {
	next := make(chan builtGraph, 1)
	t.built = append(t.built, next)
	go func() {
		g, err := t.build(arch)
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
	if t.gpu != nil {
		return t.gpu.step(ctx)
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
	if t.gpu != nil {
		return t.gpu.take(g, batch)
	}
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
		st.Loss += float64(t.back.At(g.loss)[0])
		right += cpu.Correct(g.batch, t.net.cfg.Classes, t.back.At(g.logits), y)
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
		for _, v := range t.back.At(t.net.layout.Norms[i].State) {
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
	back := make(chan builtGraph, 1)
	back <- builtGraph{g: g}
	t.built = append([]chan builtGraph{back}, t.built...)
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
	t.cfg.drawMasks(t.step, t.masks[:g.masks*b.N])
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
	d := t.emaDecay(t.step)
	cpu.Axpby(t.net.rt.pool, 1-d, t.net.params, d, t.ema.params)
	cpu.Axpby(t.net.rt.pool, 1-d, t.net.state, d, t.ema.state)
	copy(t.ema.tracked, t.net.tracked)
}

// emaDecay is the decay of the averaged weights after that many steps.
func (t *Trainer) emaDecay(steps int) float32 {
	return float32(min(t.cfg.EMA, (1+float64(steps))/(10+float64(steps))))
}
