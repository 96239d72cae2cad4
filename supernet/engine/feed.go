package engine

import (
	"context"

	"oneshot/data"
)

// Feed gives the steps of a training their batches, which are prepared ahead. The zero
// value without images gives none.
type Feed struct {
	Images *data.Train
	Config data.LoaderConfig

	loader *data.Loader
	next   int // step whose batch the loader gives next
}

// Batch returns the batch of a step, to be given back with Recycle. Steps in a row are
// fastest.
func (f *Feed) Batch(ctx context.Context, step int) (*data.Batch, error) {
	if f.loader == nil || f.next != step {
		f.Close()
		c := f.Config
		c.StartStep, c.DropLast = step, true
		l, err := f.Images.Loader(c)
		if err != nil {
			return nil, err
		}
		f.loader, f.next = l, step
	}
	b, err := f.loader.Next(ctx)
	if err == nil {
		f.next++
	}
	return b, err
}

// Recycle gives a batch back.
func (f *Feed) Recycle(b *data.Batch) { f.loader.Recycle(b) }

// Close ends what runs in the background. The feed may be used again.
func (f *Feed) Close() {
	if f.loader != nil {
		f.loader.Close()
		f.loader = nil
	}
}
