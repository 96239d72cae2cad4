package supernet

import (
	"fmt"
	"strings"

	"oneshot/data"
	"oneshot/supernet/engine"
)

// Teacher is a trained network whose outputs another one learns from beside the labels
// (Hinton et al. 2015, arXiv 1503.02531). It is measured with its running statistics and
// never changes. It sees the images that its student is trained on, augmented and mixed as
// they are (Beyer et al. 2021, arXiv 2106.05237, section 3.1), but normalised and sized as
// it was trained.
type Teacher struct {
	Net  *Net   // of one architecture; its classes are the student's
	Name string // what messages call it, such as its file; may be empty
	// Mean and Std, by channel and in units of the pixels' range from 0 to 1, are those that
	// its images were normalised by.
	Mean, Std [3]float32
}

// check says why the teacher cannot teach n.
func (x *Teacher) check(n *Net) error {
	switch t := x.Net; {
	case t == n:
		return fmt.Errorf("supernet: a network cannot be its own teacher")
	case t.arch == nil:
		return fmt.Errorf("supernet: the teacher is a supernet, want a network of one architecture")
	case t.cfg.Classes != n.cfg.Classes:
		return fmt.Errorf("supernet: the teacher has %d classes, its student %d", t.cfg.Classes, n.cfg.Classes)
	}
	return nil
}

// lessons computes a teacher's distributions for the batches of a training.
type lessons struct {
	eval        engine.Measurer
	name        string
	path        engine.Path
	temperature float64
	batch       int // images of the student
	image       int // values of one
	classes     int
	view        *view      // nil: the teacher sees the images as they are
	seen        data.Batch // by the teacher, where it has a view
	out         []float32  // (Batch,classes)
}

// lessons starts to measure the teacher of a training of n.
func (c TrainConfig) lessons(n *Net) (*lessons, error) {
	if err := c.Teacher.check(n); err != nil {
		return nil, err
	}
	t := c.Teacher.Net
	eval, err := t.rt.eng.Measure(t.model(t.state))
	if err != nil {
		return nil, fmt.Errorf("supernet: teacher: %w", err)
	}
	l := &lessons{eval: eval, name: c.Teacher.Name, path: t.path(t.arch), temperature: c.DistillTemperature, batch: c.Batch, image: n.cfg.Image * n.cfg.Image * 3,
		classes: t.cfg.Classes, view: c.view(n), out: make([]float32, c.Batch*t.cfg.Classes)}
	if l.view != nil {
		l.seen = data.Batch{X: make([]float32, c.Batch*t.cfg.Image*t.cfg.Image*3), N: c.Batch}
	}
	return l, nil
}

// of returns softmax(outputs/temperature) of the teacher for a batch, (Batch,classes),
// valid until the next call.
func (l *lessons) of(b *data.Batch) ([]float32, error) {
	if err := engine.Check(b, l.batch, l.image); err != nil {
		return nil, err
	}
	if l.view != nil {
		l.view.put(l.seen.X, b.X)
		l.seen.Y = b.Y
		b = &l.seen
	}
	logits, err := l.eval.Logits(l.path, b)
	if err != nil {
		return nil, fmt.Errorf("supernet: teacher: %w", err)
	}
	for k := l.classes; len(logits) > 0; logits = logits[k:] {
		at := l.batch*k - len(logits)
		if !engine.Softmax(l.out[at:at+k], logits[:k], l.temperature) {
			return nil, &NoNumberError{Of: strings.TrimSpace("teacher " + l.name), Why: fmt.Sprintf("the teacher's outputs for image %d of a batch are no numbers", at/k), Images: l.batch}
		}
	}
	return l.out, nil
}

// close gives the teacher's memory back; there may be none.
func (l *lessons) close() {
	if l != nil {
		l.eval.Close()
	}
}

// memory is about what a teacher takes of the host's memory beside the training c on that
// many threads.
func (x *Teacher) memory(n *Net, c TrainConfig, threads int) (Memory, error) {
	if err := x.check(n); err != nil {
		return Memory{}, err
	}
	t := x.Net
	lane, scratch, err := t.lane(t.arch, threads)
	if err != nil {
		return Memory{}, err
	}
	m := Memory{
		Weights: 4 * int64(len(t.params)+len(t.state)),
		Arena:   4 * int64(threads*lane.Prog.Arena),
		Scratch: 4 * int64(scratch),
		Input:   4 * 2 * int64(c.Batch*t.cfg.Classes), // outputs and distributions
		Graphs:  graphBytes * int64((1+threads)*len(lane.Prog.Instrs)),
	}
	if c.view(n) != nil {
		m.Input += 4 * int64(c.Batch*lane.Image)
	}
	return m, nil
}
