package engine

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"oneshot/data"
)

// Measurer computes a network's outputs. It changes no parameter. After Close it
// may be used again all the same.
type Measurer interface {
	// Score re-estimates the statistics as the average over the batches of recal
	// and counts what search gives with them. With recal nil each batch of search is
	// normalised by its own statistics instead, and the average is of these; a last image by
	// itself, which has none, goes with the batch before, and by itself alone it is an error. Whoever calls it again passes the
	// same pointers for the same images, which an engine may keep. Where a statistic
	// is not finite, the model's State has them all afterwards.
	Score(ctx context.Context, p Path, recal, search *Images) (Tally, error)
	// Scores scores several paths as Score does each of them, bit for bit, and tells each with its
	// place among ps as soon as it is known, in their order. While each runs, State has the statistics of its path if
	// one is not finite. It ends at the first error, also one of each. An engine may compute once what paths that
	// follow each other begin with in common.
	Scores(ctx context.Context, ps []Path, recal, search *Images, each Told) error
	// Statistics brings those that the last score has estimated to the model's State.
	Statistics() error
	// Evaluate counts with the model's statistics. progress is told the images done.
	Evaluate(ctx context.Context, p Path, batches iter.Seq[*data.Batch], progress func(done int)) (Tally, error)
	// Logits are the outputs (N,Classes) for a batch with the model's statistics,
	// valid until the next call.
	Logits(p Path, b *data.Batch) ([]float32, error)
	Close()
}

// Told is what is told of path i: its counts, and whether those of the next one are known too.
type Told func(i int, t Tally, more bool) error

// OneByOne is Scores of an engine that computes each path by itself.
func OneByOne(ctx context.Context, m Measurer, ps []Path, recal, search *Images, each Told) error {
	for i, p := range ps {
		t, err := m.Score(ctx, p, recal, search)
		if err == nil {
			err = each(i, t, false)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Images is a sequence of images in batches of so many, the last of which may
// be short. Every call of Batches gives the same.
type Images struct {
	Batch   int
	Len     int // how many there are; 0 where that is not known
	Batches func() iter.Seq[*data.Batch]
}

// Tally is a count over images.
type Tally struct {
	Images int
	Right  int     // classified right
	Loss   float64 // sum of their cross-entropies in nats
	// BadState says that a re-estimated statistic is not finite.
	BadState bool
}

// OwnBatches is how n images are divided into batches of size that are normalised by their own
// statistics: whole ones, and a last one of rest. No batch has only one image.
func OwnBatches(n, size int) (whole, rest int) {
	whole, rest = n/size, n%size
	if rest == 1 && whole > 0 {
		whole, rest = whole-1, size+1
	}
	return whole, rest
}

// ErrOneImage says that a batch of one image has no statistics.
var ErrOneImage = errors.New("engine: one image has no statistics of its own")

// RecalWeight is the weight of batch k, from 0, in statistics that are the average
// over the batches so far. Short batches are left out: they would weigh as much
// as full ones.
func RecalWeight(k int) float64 { return 1 / float64(k+1) }

// FewImages says that statistics cannot be re-estimated: there is no whole batch.
func FewImages(batch int) error {
	return fmt.Errorf("engine: recalibrate: fewer than %d training images", batch)
}
