package supernet

import (
	"cmp"
	"context"
	"fmt"
	"iter"

	"oneshot/data"
	"oneshot/ops/cpu"
	"oneshot/supernet/space"
)

// Classified is a measurement that also counts by class.
type Classified struct {
	Result
	// Top5 is the fraction of images whose class is among the five likeliest. A class whose
	// output is not a number is not.
	Top5    float64
	ByClass []ClassCount // by label
	// NoNumbers are the images of which an output is no number.
	NoNumbers int
}

// Check returns a *NoNumberError where outputs, or the loss, are no numbers. The counts say
// how many images were right all the same, of a network that is none.
func (c Classified) Check() error {
	switch {
	case c.NoNumbers > 0:
		return &NoNumberError{Of: "outputs of the network", Why: fmt.Sprintf("no numbers for %d of %d images", c.NoNumbers, c.Images), Images: c.Images}
	case !finite(c.Loss):
		return &NoNumberError{Of: "outputs of the network", Why: fmt.Sprintf("the loss is %g on %d images", c.Loss, c.Images), Images: c.Images}
	}
	return nil
}

// ClassCount counts the images of a class, and those of them that were classified right.
type ClassCount struct{ Right, Images int }

// Classify is Evaluate that also counts by class. Ties between outputs go to the lower
// class. Outputs that are no numbers make an image wrong; Check says whether there are any.
func (e *Evaluator) Classify(ctx context.Context, arch space.Arch, batches iter.Seq[*data.Batch], progress func(done int)) (Classified, error) {
	return e.ClassifySeen(ctx, arch, batches, progress, nil)
}

// ClassifySeen is Classify that also shows see, unless it is nil, each batch and its logits (N,Classes), which are
// valid until it returns.
func (e *Evaluator) ClassifySeen(ctx context.Context, arch space.Arch, batches iter.Seq[*data.Batch], progress func(done int), see func(b *data.Batch, logits []float32)) (Classified, error) {
	var c Classified
	k := e.net.cfg.Classes
	c.ByClass = make([]ClassCount, k)
	loss := cpu.NewEngine[float32](nil)
	var right, top5 int
	var sum float64
	err := e.Outputs(ctx, arch, batches, func(b *data.Batch, logits []float32) error {
		right += cpu.Correct(b.N, k, logits, b.Y)
		sum += float64(b.N) * float64(loss.SoftmaxXent(b.N, k, logits, b.Y, 0, nil))
		for i, y := range b.Y {
			row := logits[i*k : (i+1)*k]
			if !allFinite(row) {
				c.NoNumbers++
			}
			before := above(row, int(y))
			c.ByClass[y].Images++
			if before == 0 { // as cpu.Correct has it
				c.ByClass[y].Right++
			}
			if before < 5 && row[y] == row[y] {
				top5++
			}
		}
		c.Images += b.N
		if see != nil {
			see(b, logits)
		}
		if progress != nil {
			progress(c.Images)
		}
		return nil
	})
	if err != nil {
		return c, err
	}
	if c.Images == 0 {
		return c, errNoImages
	}
	n := float64(c.Images)
	c.Top1, c.Top5, c.Loss = float64(right)/n, float64(top5)/n, sum/n
	return c, nil
}

// Outputs shows see the logits (N,Classes) of each batch, which are valid until it returns; its error ends
// the walk.
func (e *Evaluator) Outputs(ctx context.Context, arch space.Arch, batches iter.Seq[*data.Batch], see func(b *data.Batch, logits []float32) error) error {
	arch, err := e.net.pick(arch)
	if err != nil {
		return err
	}
	for b := range batches {
		if err := cmp.Or(ctx.Err(), b.Err); err != nil {
			return err
		}
		logits, err := e.eval.Logits(e.net.path(arch), b)
		if err != nil {
			return err
		}
		if err := see(b, logits); err != nil {
			return err
		}
	}
	return nil
}

// above counts the classes that do not come after class y in the order of their outputs.
// What is not a number comes first, so that it makes no image right.
func above(row []float32, y int) (n int) {
	for i, v := range row {
		if i != y && !(v < row[y] || v == row[y] && i > y) {
			n++
		}
	}
	return n
}
