package supernet

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"oneshot/data"
	"oneshot/supernet/engine"
	"oneshot/supernet/space"
)

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
	Where    string // the first value that is no number, in words; "" where it is unknown
}

func (e *DivergedError) Error() string {
	text := fmt.Sprintf("supernet: training diverged at step %d: loss %g, gradient norm %g, learning rate %g, arch %s", e.Step, e.Loss, e.GradNorm, e.LR, e.Arch)
	if e.Where != "" {
		text += ": " + e.Where
	}
	return text
}

// StepStats is what one step did.
type StepStats struct {
	Step, Steps int     // Step counts from 1
	Loss        float64 // mean of the paths, without what a ranking adds
	Top1        float64 // of the batch, with the statistics of its micro-batches; mean of the paths
	LR          float64
	GradNorm    float64 // before clipping
	Replaced    int     // see data.Batch
	Images      int     // of the batch, times the paths that they went along
	Arch        space.Arch
	Beside      []space.Arch  // the other paths of a step on several
	Device      time.Duration // the step took on a GPU, without what came before it; else 0
}

// Trainer trains a Net step by step. Close ends what it has running.
type Trainer struct {
	net    *Net
	cfg    TrainConfig
	eng    engine.Trainer
	step   int // steps done
	issued int // steps started
	slots  engine.Slots
	ema    *Net         // nil when off
	masks  []float32    // drop-path masks of the step that is issued
	under  []path       // under way: that of step s at s modulo their number
	fixed  *path        // the only one, when the network has one architecture
	built  []chan built // of the coming steps, in order
	begun  int          // steps whose graphs were begun
	paths  func(step int) []space.Arch
	course *course
	hold   bool                       // see Hold
	given  func(step int) *data.Batch // of NewTrainerOn, else nil
	taught *lessons                   // nil without a teacher
	feed   engine.Feed                // of a training with a teacher, who sees the batches first
}

// path is a path that the engine compiled.
type path struct {
	*engine.Graph
	arch   space.Arch
	beside []space.Arch
}

type built struct {
	path
	err error
}

// NewTrainer starts at step 0. A network of one architecture trains that one;
// a supernet trains the paths of its Sampling.
func NewTrainer(n *Net, d *data.Train, c TrainConfig) (*Trainer, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	if d.Len() < c.Batch {
		return nil, fmt.Errorf("supernet: batch is %d, but there are only %d training images", c.Batch, d.Len())
	}
	if side := d.Side(); side != n.cfg.Image {
		return nil, fmt.Errorf("supernet: data.image is %d, but the training images have %d pixels a side", n.cfg.Image, side)
	}
	return newTrainer(n, d, c)
}

// NewTrainerOn is NewTrainer on batches that the caller gives, of step s (from 0)
// batches(s): c.Batch images of the network's size, which nobody changes while the step
// is under way. c.Workers means nothing then, and c.Augment says only whether the images
// have distributions (Mixes).
func NewTrainerOn(n *Net, batches func(step int) *data.Batch, c TrainConfig) (*Trainer, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	t, err := newTrainer(n, nil, c)
	if err != nil {
		return nil, err
	}
	t.given = batches
	return t, nil
}

// newTrainer makes a trainer; without a data set its steps are given batches.
func newTrainer(n *Net, d *data.Train, c TrainConfig) (*Trainer, error) {
	t := &Trainer{net: n, cfg: c, slots: c.slots(len(n.params))}
	var err error
	if t.course, err = n.course(c); err != nil {
		return nil, err
	}
	t.paths = t.course.paths
	spec := n.trainSpec(d, c)
	t.course.spec(&spec)
	spec.Slots = t.slots
	if c.Teacher != nil {
		if t.taught, err = c.lessons(n); err != nil {
			return nil, err
		}
		t.feed = engine.Feed{Images: d, Config: spec.Data}
	}
	if c.EMA > 0 {
		t.ema = n.clone()
		spec.Average = &engine.Values{Params: t.ema.params, State: t.ema.state}
	}
	if t.eng, err = n.rt.eng.Train(n.model(n.state), spec); err != nil {
		t.taught.close()
		return nil, err
	}
	t.under = make([]path, t.eng.Depth())
	return t, nil
}

// trainSpec is what an engine is told of a training of n, without its arrays.
func (n *Net) trainSpec(d *data.Train, c TrainConfig) engine.TrainSpec {
	spec := engine.TrainSpec{Graph: c.spec(), Batch: c.Batch, Clip: c.Clip, Fixed: n.arch != nil, Images: d,
		Optimizer: c.Rule(), WeightDecay: c.WeightDecay,
		Data: data.LoaderConfig{Batch: c.Batch, Seed: c.Seed, Workers: c.Workers, Augment: c.Augment}}
	if c.DropPath > 0 {
		spec.Masks = n.full.Masks()
	}
	if c.Teacher != nil {
		spec.Images = nil // the teacher sees the batches first
	}
	return spec
}

// course draws the paths of a training of n, which has one where it is of one architecture.
func (n *Net) course(c TrainConfig) (*course, error) {
	if n.arch == nil {
		return c.course(n.cfg)
	}
	if !c.single() {
		return nil, errors.New("supernet: several paths a step are for a supernet, and the network is of one architecture")
	}
	return &course{c: c, space: n.cfg.Space, number: 1}, nil
}

// StepNumber is the number of steps done.
func (t *Trainer) StepNumber() int { return t.step }

// Hold makes Step issue no step before it is asked for, as a device otherwise does
// while another runs; Ahead counts those that were.
func (t *Trainer) Hold(hold bool) { t.hold = hold }

// Ahead is the number of steps under way on a device, whose results the next calls
// of Step return. A checkpoint can be made when there are none.
func (t *Trainer) Ahead() int { return t.issued - t.step }

// Close ends what runs in the background and gives the memory of the activations
// back. The network stays usable; on a device it has the values of the last
// checkpoint.
func (t *Trainer) Close() {
	t.stop()
	t.eng.Close()
	t.taught.close()
	t.feed.Close()
}

// stop ends the builders.
func (t *Trainer) stop() {
	for _, b := range t.built {
		<-b
	}
	t.built = nil
}

// archOf is the first path of a step (from 0): a function of the seed and the step.
func (t *Trainer) archOf(step int) space.Arch {
	if t.net.arch != nil {
		return t.net.arch
	}
	return t.course.paths(step)[0]
}

// graph returns the compiled path of the next step and has coming ones built
// while this one runs.
func (t *Trainer) graph() (path, error) {
	if t.fixed != nil {
		return *t.fixed, nil
	}
	if t.net.arch != nil {
		p, err := t.build(t.net.arch)
		if err == nil {
			t.fixed = &p
		}
		return p, err
	}
	if len(t.built) == 0 {
		t.begun = t.issued
	}
	for len(t.built) <= t.eng.Window() && (len(t.built) == 0 || t.begun < t.cfg.Steps) {
		t.prefetch(t.paths(t.begun)...)
		t.begun++
	}
	b := <-t.built[0]
	t.built = t.built[1:]
	return b.path, b.err
}

// unbuild puts a path back that was taken from graph but not used.
func (t *Trainer) unbuild(p path) {
	if t.fixed != nil {
		return
	}
	back := make(chan built, 1)
	back <- built{path: p}
	t.built = append([]chan built{back}, t.built...)
}

// Follow trains the paths that paths gives, by the number of the step from 0,
// instead of sampled ones, one a step: for measurements.
func (t *Trainer) Follow(paths func(step int) space.Arch) {
	t.paths = func(step int) []space.Arch { return []space.Arch{paths(step)} }
}

func (t *Trainer) build(arch space.Arch, beside ...space.Arch) (path, error) {
	var ps []engine.Path
	for _, a := range beside {
		ps = append(ps, t.net.path(a))
	}
	g, err := t.eng.Compile(t.net.path(arch), ps...)
	return path{g, arch, beside}, err
}

// archs are the path and those beside it.
func (p path) archs() []space.Arch { return append([]space.Arch{p.arch}, p.beside...) }

// text names the paths, or that one of them which is not -1.
func (t *Trainer) text(p path, one int) string {
	as := p.archs()
	if one >= 0 {
		as = as[one : one+1]
	}
	var texts []string
	for _, a := range as {
		texts = append(texts, t.net.cfg.Space.Format(a))
	}
	return strings.Join(texts, " and ")
}

// prefetch starts to build the graph of a path, behind those begun before.
func (t *Trainer) prefetch(archs ...space.Arch) {
	next := make(chan built, 1)
	t.built = append(t.built, next)
	go func() {
		p, err := t.build(archs[0], archs[1:]...)
		next <- built{p, err}
	}()
}

// Step runs one step: forward, backward, clipped descent. It returns ErrDone when
// all steps are done, a *DivergedError when the numbers stop being finite, and
// the context's error when it ends first; then the step was not taken. While it
// waits, a device that may have more steps under way gets them, unless it holds.
func (t *Trainer) Step(ctx context.Context) (StepStats, error) {
	if t.step >= t.cfg.Steps {
		return StepStats{}, ErrDone
	}
	want := 1
	if !t.hold {
		want = t.eng.Depth()
	}
	for t.Ahead() < want && t.issued < t.cfg.Steps {
		if err := ctx.Err(); err != nil {
			return StepStats{}, err
		}
		p, err := t.graph()
		if err != nil {
			return StepStats{}, err
		}
		if err := t.issue(ctx, p, t.batch()); err != nil {
			t.unbuild(p)
			return StepStats{}, err
		}
	}
	return t.finish()
}

// batch is what the next step is given, nil where the engine has the images.
func (t *Trainer) batch() *data.Batch {
	if t.given == nil {
		return nil
	}
	return t.given(t.issued)
}

// issue starts the next step on a path: with b, or with the batch of its number.
func (t *Trainer) issue(ctx context.Context, p path, b *data.Batch) error {
	s := t.describe(p.Graph, t.issued)
	if b == nil && t.feed.Images != nil {
		var err error
		if b, err = t.feed.Batch(ctx, t.issued); err != nil {
			return err
		}
		defer t.feed.Recycle(b)
	}
	s.Batch = b
	if len(p.beside) > 0 {
		var err error
		if s.Pairs, err = t.course.pairs(p.archs()); err != nil {
			return err
		}
		s.Weight, s.Margin = t.cfg.rankWeight(t.issued, t.cfg.Steps), t.cfg.RankMargin
	}
	if t.taught != nil && b != nil {
		var err error
		if s.Teacher, err = t.taught.of(b); err != nil {
			return fmt.Errorf("step %d: %w", t.issued+1, err)
		}
	}
	if err := t.eng.Issue(ctx, p.Graph, s); err != nil {
		return err
	}
	t.under[t.issued%len(t.under)] = p
	t.issued++
	return nil
}

// describe says what an engine does in a step on g.
func (t *Trainer) describe(g *engine.Graph, step int) engine.Step {
	n := g.Masks * t.cfg.Batch
	if len(t.masks) < n {
		t.masks = make([]float32, n)
	}
	if n > 0 {
		t.cfg.drawMasks(step, g.Masks, t.masks)
	}
	return engine.Step{Number: step, LR: t.cfg.Rate(step), Decay: t.cfg.decay(step), Masks: t.masks[:n]}
}

// finish waits for the first step under way and returns what it did.
func (t *Trainer) finish() (StepStats, error) {
	o, err := t.eng.Finish()
	if err != nil {
		return StepStats{}, err
	}
	p := t.under[t.step%len(t.under)]
	images := t.cfg.Batch * (1 + len(p.beside))
	st := StepStats{Step: t.step + 1, Steps: t.cfg.Steps, Loss: o.Loss, Top1: float64(o.Right) / float64(images), LR: t.cfg.Rate(t.step),
		GradNorm: o.GradNorm, Replaced: o.Replaced, Images: images, Arch: p.arch, Beside: p.beside, Device: o.Device}
	if o.Bad {
		return st, &DivergedError{Step: st.Step, Loss: st.Loss, LR: st.LR, GradNorm: st.GradNorm, Arch: t.text(p, o.Path), Where: t.culprit(p, o.Loss)}
	}
	for _, g := range p.Paths() {
		for _, i := range g.Norms {
			t.net.tracked[i] += int64(t.cfg.Batch / t.cfg.AtOnce())
		}
	}
	if t.ema != nil {
		copy(t.ema.tracked, t.net.tracked)
	}
	t.step++
	return st, nil
}
