package cpu

import "reflect"

// Engine runs the fused passes of a network's operations: each pass reads an
// operation's inputs and writes its result once, image by image, with everything
// in between in memory that the first or second level cache holds.
//
// A pass is cut into chunks of whole images by the shape alone, and what the
// chunks sum is added in the order of the chunks, so the number of threads
// changes no bit. An engine keeps its scratch memory; after the first use of the
// largest shape nothing is allocated any more. It serves one goroutine.
type Engine[T Float] struct {
	pool    *Pool
	k       *rowKernels[T]
	worker  [][]T // scratch of each worker
	partial []T   // what the chunks sum
	coef    []T   // coefficients of a backward pass
	sums    []float64

	jobs map[reflect.Type]any // see job
}

// NewEngine returns an engine on a pool, which may be nil for one thread.
func NewEngine[T Float](p *Pool) *Engine[T] {
	return &Engine[T]{pool: p, k: rowsOf[T](), worker: make([][]T, p.Threads()), jobs: map[reflect.Type]any{}}
}

// job returns the engine's only J, of any content: starting one allocates nothing.
func job[J any, T Float](e *Engine[T]) *J {
	t := reflect.TypeFor[J]()
	j, ok := e.jobs[t]
	if !ok {
		j = new(J)
		e.jobs[t] = j
	}
	return j.(*J)
}

// scratch returns n elements of any content for a worker, valid until its next
// call.
func (e *Engine[T]) scratch(worker, n int) []T {
	if len(e.worker[worker]) < n {
		e.worker[worker] = make([]T, n)
	}
	return e.worker[worker][:n]
}

// partials returns a cleared piece of n elements for each of chunks chunks.
func (e *Engine[T]) partials(chunks, n int) []T {
	p := e.uncleared(chunks, n)
	clear(p)
	return p
}

// uncleared is partials of any content.
func (e *Engine[T]) uncleared(chunks, n int) []T {
	if len(e.partial) < chunks*n {
		e.partial = make([]T, chunks*n)
	}
	return e.partial[:chunks*n]
}

// coefs returns n elements of any content that last until the next call.
func (e *Engine[T]) coefs(n int) []T {
	if len(e.coef) < n {
		e.coef = make([]T, n)
	}
	return e.coef[:n]
}

// imageChunks is the most chunks of a pass, and so of threads that are of use:
// enough for eight to finish together, few enough that their partial sums do not
// count.
const imageChunks = 16

func imagePartition(images int) partition {
	return partition{images, max(1, (images+imageChunks-1)/imageChunks)}
}

// forwardPartition is that of a forward pass, batch if it sums the statistics of a batch. Without sums no bit
// depends on chunks, so one thread takes all images as one: weights are then read once, and
// borders written.
func (e *Engine[T]) forwardPartition(images int, batch bool) partition {
	if !batch && e.pool.Threads() == 1 {
		return partition{images, max(1, images)}
	}
	return imagePartition(images)
}

// stripLen is about how many elements a strip has that goes through several
// kernels: a third of a first level cache of 48 KiB.
const stripLen = 1 << 12

// stripRows is the number of rows of a strip, at least 1 and at most limit.
func stripRows(rowLen, limit int) int { return max(1, min(stripLen/max(rowLen, 1), limit)) }

// take cuts the first n elements off *s.
func take[T any](s *[]T, n int) []T {
	p := (*s)[:n:n]
	*s = (*s)[n:]
	return p
}

// reduceJob is the sum over chunks of a piece of the partial sums, cut by elements.
type reduceJob[T Float] struct {
	work         partition
	dst, partial []T
	chunks       int
	stride, off  int
}

// reduce writes the sum over chunks of a piece of the partial sums: elements
// off to off+len(dst) of each stride.
func (e *Engine[T]) reduce(dst, partial []T, chunks, stride, off int) {
	j := job[reduceJob[T]](e)
	*j = reduceJob[T]{partitionBy(len(dst), chunks, imageChunks), dst, partial, chunks, stride, off}
	e.pool.Do(j.work.chunks(), j)
}

func (j *reduceJob[T]) Chunk(_, chunk int) {
	const block = 1 << 11 // the sum stays in the first level cache
	for lo, end := j.work.bounds(chunk); lo < end; lo += block {
		dst := j.dst[lo:min(lo+block, end)]
		copy(dst, j.partial[j.off+lo:][:len(dst)])
		for c := 1; c < j.chunks; c++ {
			addRow(dst, dst, j.partial[c*j.stride+j.off+lo:][:len(dst)])
		}
	}
}

// Act is an activation as its consumers see it: y = Scale*X + Shift for each
// channel, or X itself where Scale and Shift are nil. So a batch normalisation
// costs no pass of its own.
type Act[T Float] struct{ X, Scale, Shift []T }

// kept is a piece of X, nil where backward has none because no derivative needs it.
func (a *Act[T]) kept(lo, hi int) []T {
	if a.X == nil {
		return nil
	}
	return a.X[lo:hi]
}

// Out is where the gradient of an activation goes: DX = gradient + Add. Add may
// be nil for 0, or DX itself.
type Out[T Float] struct {
	DX, Add []T
	Sums    []T // with C channels, C sums of DX and C of DX*(X-Mean), of an input that is normalised; nil where not wanted
	Mean    []T // (C) of that normalisation
}

// base makes a piece of DX equal to the same piece of Add.
func (o Out[T]) base(lo, hi int) {
	switch {
	case o.Add == nil:
		clear(o.DX[lo:hi])
	case &o.Add[0] != &o.DX[0]:
		copy(o.DX[lo:hi], o.Add[lo:hi])
	}
}

// added is a piece of Add, or nil.
func (o Out[T]) added(lo, hi int) []T {
	if o.Add == nil {
		return nil
	}
	return o.Add[lo:hi]
}

// fill sets every element to v.
func fill[T any](s []T, v T) {
	const first = 16 // by a loop; the rest is copied, in pieces that double
	for i := range s[:min(first, len(s))] {
		s[i] = v
	}
	for n := first; n < len(s); n *= 2 {
		copy(s[n:], s[:n])
	}
}

// border sets the p pixels around an image of h rows of w pixels of c channels
// to v; pad holds the image with its border.
func border[T Float](pad []T, h, w, c, p int, v T) {
	row := (w + 2*p) * c
	fill(pad[:p*row+p*c], v)
	for r := range h - 1 {
		fill(pad[(p+r)*row+(p+w)*c:][:2*p*c], v) // right of one row and left of the next
	}
	fill(pad[(p+h-1)*row+(p+w)*c:(2*p+h)*row], v)
}
