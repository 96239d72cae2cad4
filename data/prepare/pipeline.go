package prepare

import (
	"context"
	"errors"
	"runtime"
	"sync"

	"oneshot/data"
	"oneshot/data/source"
)

// job is a record on its way into a shard.
type job struct {
	record int
	file   []byte // JPEG
	copied bool
	bad    *source.Fault // instead of file
	err    error         // likewise
	ready  chan struct{}
}

// stream makes the files of a split on every worker, and gives them in the order of the
// source. Few more than the workers hold are in memory at a time. It must be closed.
type stream struct {
	ctx   context.Context
	stop  context.CancelFunc
	queue chan *job   // in order, also those that are not ready
	free  chan []byte // memory of files that were written
	wg    sync.WaitGroup
}

func startStream(ctx context.Context, f *data.Files, o Options, split int) *stream {
	workers := o.Workers
	if workers == 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	s := &stream{queue: make(chan *job, 4*workers), free: make(chan []byte, 6*workers)}
	s.ctx, s.stop = context.WithCancel(ctx)
	jobs := make(chan *job)
	s.wg.Go(func() {
		defer close(s.queue)
		defer close(jobs)
		for i := range f.Info.Splits[split].Labels {
			j := &job{record: i, ready: make(chan struct{})}
			select {
			case s.queue <- j:
			case <-s.ctx.Done():
				return
			}
			jobs <- j // workers take jobs until the channel is closed
		}
	})
	for range workers {
		s.wg.Go(func() {
			r := f.Reader()
			defer r.Close()
			made := &shrinker{size: o.Size, quality: o.Quality}
			for j := range jobs {
				s.make(j, r, made, split, f.Where(split, j.record))
				close(j.ready)
			}
		})
	}
	return s
}

// make makes the file of a job, whose record lies there.
func (s *stream) make(j *job, r *data.FileReader, made *shrinker, split int, there source.Place) {
	if j.err = context.Cause(s.ctx); j.err != nil {
		return
	}
	select {
	case j.file = <-s.free:
	default:
	}
	rec, err := r.Read(split, j.record)
	if err == nil {
		j.file, j.copied, err = made.shrink(j.file[:0], rec, there)
	}
	if !errors.As(err, &j.bad) {
		j.err = err
	}
}

// next returns the next record, nil after the last one. Its file is valid until recycle.
func (s *stream) next() (*job, error) {
	j, more := <-s.queue
	if !more {
		return nil, context.Cause(s.ctx)
	}
	<-j.ready
	return j, j.err
}

// recycle lets another job use the memory.
func (s *stream) recycle(j *job) {
	select {
	case s.free <- j.file:
	default:
	}
}

// close ends the goroutines.
func (s *stream) close() {
	s.stop()
	s.wg.Wait()
}
