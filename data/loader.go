package data

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"

	"oneshot/internal/rng"
	"oneshot/internal/setting"
)

// LoaderConfig describes an endless stream of training batches.
type LoaderConfig struct {
	// Batch is the number of images per batch, at least 1.
	Batch int
	// Seed fixes the order (seed, epoch), the augmentation (seed, epoch, image) and the mixing:
	// (seed, step), or with MixAny (seed, epoch, image, which time).
	Seed uint64
	// StartStep is the number of batches to leave out at the start, for resuming:
	// the stream continues exactly as it would have.
	StartStep int
	// Workers is the number of goroutines that make batches ahead of use; 0 means
	// 1, at most 256. It changes no bit of the output.
	Workers int
	Augment Augment
	// DropLast leaves out the short last batch of every epoch.
	DropLast bool
}

// maxBatch is above the range of every setting of a batch.
const maxBatch = 1_000_000

// Check reports the first bad field as a *ConfigError.
func (c LoaderConfig) Check() error {
	for _, f := range []struct {
		field       string
		n, min, max int
	}{
		{"batch", c.Batch, 1, maxBatch},
		{"start_step", c.StartStep, 0, 1 << 40},
		{"workers", c.Workers, 0, 256},
	} {
		if f.n < f.min || f.n > f.max {
			return &ConfigError{f.field, fmt.Sprintf("%d, want %d to %d", f.n, f.min, f.max), ""}
		}
	}
	if errs := setting.Check(c.Augment); len(errs) > 0 {
		e := errs[0]
		return &ConfigError{"augment." + e.Name, fmt.Sprintf("%v, want %s", e.Value, strings.ReplaceAll(e.Want, "@", "augment.")), ""}
	}
	return nil
}

// ErrClosed is returned by Next after Close.
var ErrClosed = errors.New("data: loader is closed")

// Loader delivers training batches, epoch after epoch, without end. Each epoch
// is a fresh permutation of the images. Goroutines keep a bounded number of
// batches ready, so a loader must be closed. One goroutine at a time may call
// Next; Recycle and Close may be called from anywhere.
type Loader struct {
	split  split
	config LoaderConfig
	steps  int // per epoch
	queue  chan *job
	next   *job // taken from the queue by a Next whose context ended
	free   chan *Batch
	stop   chan struct{}
	once   sync.Once
	wg     sync.WaitGroup
}

// job is one batch in the making. Workers fill it; ready is closed when it is done.
type job struct {
	epoch uint64
	step  uint64  // of all epochs, from 0
	idx   []int32 // images, in order
	batch *Batch
	err   error // instead of batch
	ready chan struct{}
}

// Loader starts a stream of batches. The error is a *ConfigError; a batch that
// DropLast would always drop is one too.
func (t *Train) Loader(c LoaderConfig) (*Loader, error) {
	steps, err := t.stepsPerEpoch(c)
	if err != nil {
		return nil, err
	}
	workers := max(c.Workers, 1)
	// Each worker may be busy with one batch while another waits; one more is in
	// the caller's hands.
	depth := 2 * workers
	l := &Loader{
		split: t.train, config: c, steps: steps,
		queue: make(chan *job, depth),
		free:  make(chan *Batch, depth+workers+1),
		stop:  make(chan struct{}),
	}
	jobs := make(chan *job)
	l.wg.Add(1 + workers)
	go l.plan(jobs)
	for range workers {
		go l.work(jobs)
	}
	return l, nil
}

// stepsPerEpoch checks the configuration and counts the batches of an epoch.
func (t *Train) stepsPerEpoch(c LoaderConfig) (int, error) {
	if err := c.Check(); err != nil {
		return 0, err
	}
	n := t.Len()
	if !c.DropLast {
		return (n + c.Batch - 1) / c.Batch, nil
	}
	if n < c.Batch {
		return 0, &ConfigError{"batch", fmt.Sprintf("%d is more than the %d training images", c.Batch, n), "with drop_last no batch would be left"}
	}
	return n / c.Batch, nil
}

// StepsPerEpoch returns the number of batches in an epoch.
func (l *Loader) StepsPerEpoch() int { return l.steps }

// Next returns the next batch, which belongs to the caller. It waits for the
// batch, for ctx, or for Close; a batch is never lost to an ended ctx, the next
// call returns it. An image that cannot be decoded is replaced by the next one of the
// split, as long as Config.OnBadSample tolerates it.
func (l *Loader) Next(ctx context.Context) (*Batch, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	select {
	case <-l.stop:
		return nil, ErrClosed
	default:
	}
	if l.next == nil {
		select {
		case l.next = <-l.queue:
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-l.stop:
			return nil, ErrClosed
		}
	}
	select {
	case <-l.next.ready:
		if err := l.next.err; err != nil {
			return nil, err // again at every call
		}
		b := l.next.batch
		l.next = nil
		return b, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-l.stop:
		return nil, ErrClosed
	}
}

// Recycle gives a batch back for reuse. It is optional; the caller must not
// touch the batch afterwards nor recycle it twice.
func (l *Loader) Recycle(b *Batch) {
	if b == nil || cap(b.Y) < l.config.Batch || cap(b.X) < l.config.Batch*l.split.img.size() {
		return // not one of ours
	}
	select {
	case l.free <- b:
	default:
	}
}

// Close ends the goroutines and waits for them. It may be called again.
func (l *Loader) Close() {
	l.once.Do(func() { close(l.stop) })
	l.wg.Wait()
}

// plan hands out the batches of every epoch in order: to the queue, where Next
// waits for them, and to the workers.
func (l *Loader) plan(jobs chan<- *job) {
	defer l.wg.Done()
	defer close(jobs)
	first := l.config.StartStep % l.steps
	for epoch := uint64(l.config.StartStep / l.steps); ; epoch++ {
		order := l.order(epoch)
		for s := first; s < l.steps; s++ {
			end := min((s+1)*l.config.Batch, len(order))
			j := &job{epoch: epoch, step: epoch*uint64(l.steps) + uint64(s), idx: order[s*l.config.Batch : end], ready: make(chan struct{})}
			select {
			case l.queue <- j:
			case <-l.stop:
				return
			}
			jobs <- j // workers take jobs until the channel is closed
		}
		first = 0
	}
}

// order returns the images of the epoch in the order of use.
func (l *Loader) order(epoch uint64) []int32 {
	order := append([]int32(nil), l.split.idx...)
	rng.New(l.config.Seed, "order", epoch).Shuffle(len(order), func(a, b int) {
		order[a], order[b] = order[b], order[a]
	})
	return order
}

// work fills batches until there are no more.
func (l *Loader) work(jobs <-chan *job) {
	defer l.wg.Done()
	r := l.split.img.reader()
	defer r.close()
	var x mixer
	for j := range jobs {
		var b *Batch
		select {
		case b = <-l.free:
		default:
			b = l.split.newBatch(l.config.Batch)
		}
		b.resize(len(j.idx), l.split.img.size())
		b.Replaced = 0
		for k, i := range j.idx {
			if j.err = l.put(r, b, k, i, j.epoch); j.err != nil {
				break
			}
		}
		if j.err == nil {
			j.err = l.mix(r, &x, b, j)
		}
		j.batch = b
		close(j.ready)
	}
}

// after is the image that stands for image i where that is bad: the next of the split.
func (s *split) after(i int32) int32 {
	at, _ := slices.BinarySearch(s.idx, i)
	return s.idx[(at+1)%len(s.idx)]
}

// put writes image i, augmented, to place k of b.
func (l *Loader) put(r *reader, b *Batch, k int, i int32, epoch uint64) error {
	size := l.split.img.size()
	shown, err := l.augmented(r, b.X[k*size:(k+1)*size], i, func(i int32) *rand.Rand {
		return rng.New(l.config.Seed, "augment", epoch, uint64(i))
	})
	if err != nil {
		return err
	}
	b.Y[k] = l.split.img.y[shown]
	if shown != i {
		b.Replaced++
	}
	return nil
}

// augmented writes image i, augmented by its stream, to dst; where it is bad, the next good
// one of the split, whose own stream it is given. It returns which one it was.
func (l *Loader) augmented(r *reader, dst []float32, i int32, stream func(int32) *rand.Rand) (int32, error) {
	s := &l.split
	for range s.idx {
		if err := r.augmented(dst, i, &l.config.Augment, stream(i), s.norm); err != errBad {
			return i, err
		}
		i = s.after(i)
	}
	return i, errors.New("data: no image of the split can be decoded")
}
