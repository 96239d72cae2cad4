package data

import (
	"iter"
	"runtime"
	"sync"
)

// Batch is N images and their labels.
type Batch struct {
	X []float32 // (N,H,W,3), normalised
	Y []int32   // (N)
	N int
	// T (N,classes) are the labels as distributions, of all images of a Loader whose Augment
	// mixes; else nil, and Y says all. With T, Y is the class with the largest share, the
	// lower one of equal shares. Label smoothing is not in it.
	T []float32
	// Replaced counts the images of a Loader's batch that stand for others, which cannot be
	// decoded.
	Replaced int
	// Err is why a sequence of batches ends before its end; the batch has no images then.
	// Engines refuse such a batch.
	Err error
}

// newBatch allocates a batch for up to n images.
func (s *split) newBatch(n int) *Batch {
	return &Batch{X: make([]float32, n*s.img.size()), Y: make([]int32, n), N: n}
}

// resize sets the number of images, which must fit the batch's capacity.
func (b *Batch) resize(n, size int) {
	b.N, b.X, b.Y = n, b.X[:n*size], b.Y[:n]
}

// batches yields the images of idx in the order of idx, without those that are bad.
func (s *split) batches(idx []int32, size int) iter.Seq[*Batch] {
	if size < 1 {
		panic("data: batch size < 1")
	}
	if !s.img.resident() {
		return s.decoded(idx, size)
	}
	return func(yield func(*Batch) bool) {
		var b *Batch
		idx := s.img.good(idx)
		r := s.img.reader()
		for rest := idx; len(rest) > 0; {
			n := min(size, len(rest))
			if b == nil {
				b = s.newBatch(n)
			}
			b.resize(n, s.img.size())
			for k, i := range rest[:n] {
				s.put(r, b, k, i) // never fails on good resident images
			}
			rest = rest[n:]
			if !yield(b) {
				return
			}
		}
	}
}

// put writes image i (an index into the collection) to place k of b.
func (s *split) put(r *reader, b *Batch, k int, i int32) error {
	size := s.img.size()
	b.Y[k] = s.img.y[i]
	return r.render(b.X[k*size:(k+1)*size], i, s.norm, s.keep)
}

// decoded works like batches for images that are decoded on the way, by all processors,
// while the batch before is in use.
func (s *split) decoded(idx []int32, size int) iter.Seq[*Batch] {
	return func(yield func(*Batch) bool) {
		readers := make([]*reader, runtime.GOMAXPROCS(0))
		for w := range readers {
			readers[w] = s.img.reader()
		}
		defer closeAll(readers)
		ready := make(chan *Batch)
		free := make(chan *Batch, 2)
		stop := make(chan struct{})
		var done sync.WaitGroup
		done.Go(func() {
			defer close(ready)
			for rest := idx; len(rest) > 0; {
				var b *Batch
				select {
				case b = <-free:
				case <-stop:
					return
				}
				if cap(b.Y) == 0 {
					*b = *s.newBatch(min(size, len(rest)))
				}
				rest = s.fill(readers, b, size, rest)
				if b.N == 0 && b.Err == nil {
					return // all the rest were bad
				}
				select {
				case ready <- b:
				case <-stop:
					return
				}
				if b.Err != nil {
					return
				}
			}
		})
		defer done.Wait()
		defer close(stop)
		free <- new(Batch)
		free <- new(Batch)
		for b := range ready {
			if !yield(b) {
				return
			}
			free <- b
		}
	}
}

// fill makes b the next size images of idx that are good, and returns those after them.
func (s *split) fill(readers []*reader, b *Batch, size int, idx []int32) []int32 {
	b.Err = nil
	b.resize(min(size, cap(b.Y)), s.img.size())
	n := 0
	for n < b.N && len(idx) > 0 {
		take := idx[:min(b.N-n, len(idx))]
		idx = idx[len(take):]
		errs := make([]error, len(take))
		var wg sync.WaitGroup
		for w := range readers {
			wg.Go(func() {
				for k := w; k < len(take); k += len(readers) {
					errs[k] = s.put(readers[w], b, n+k, take[k])
				}
			})
		}
		wg.Wait()
		size := s.img.size()
		first := n
		for k, err := range errs {
			switch {
			case err == nil:
				if at := first + k; at != n {
					copy(b.X[n*size:(n+1)*size], b.X[at*size:(at+1)*size])
					b.Y[n] = b.Y[at]
				}
				n++
			case err != errBad && b.Err == nil:
				b.Err = err
			}
		}
		if b.Err != nil {
			n = 0
			break
		}
	}
	b.resize(n, s.img.size())
	return idx
}
