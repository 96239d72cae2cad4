package cpu

// Param is a piece of the parameters with its gradient and its momentum, all of
// one length.
type Param[T Float] struct{ W, G, V []T }

// optimizerChunk is the most elements of a chunk of the optimizer's passes.
const optimizerChunk = 1 << 14

// sgdJob is one pass of the optimizer over pieces.
type sgdJob[T Float] struct {
	pieces            []Param[T]
	s                 split // of all elements
	lr, mu, wd, scale T
}

// SGD takes one step of stochastic gradient descent with momentum and weight
// decay, as torch.optim.SGD with neither dampening nor Nesterov momentum, after
// multiplying the gradient by scale:
//
//	v = momentum*v + (scale*g + decay*w)
//	w = w - lr*v
//
// The gradients stay as they are. NaN and Inf travel as IEEE 754 says.
func (e *Engine[T]) SGD(pieces []Param[T], lr, momentum, decay, scale float64) {
	n := 0
	for _, p := range pieces {
		need(p.G, len(p.W))
		need(p.V, len(p.W))
		n += len(p.W)
	}
	j := job[sgdJob[T]](e)
	*j = sgdJob[T]{pieces, split{n, optimizerChunk}, T(lr), T(momentum), T(decay), T(scale)}
	e.pool.Do(j.s.chunks(), j)
}

func (j *sgdJob[T]) Chunk(_, chunk int) {
	lo, hi := j.s.bounds(chunk)
	for _, p := range j.pieces {
		from, to := overlap(&lo, &hi, len(p.W))
		w, g, v := p.W[from:to], p.G[from:to], p.V[from:to]
		for i, x := range w {
			u := j.mu*v[i] + (j.scale*g[i] + j.wd*x)
			v[i] = u
			w[i] = x - j.lr*u
		}
	}
}

// overlap returns the part of a piece of n elements that lies in the range from
// lo to hi, which counts from the start of the piece, and moves the range to
// count from the start of the next.
func overlap(lo, hi *int, n int) (from, to int) {
	from, to = min(max(*lo, 0), n), min(max(*hi, 0), n)
	*lo, *hi = *lo-n, *hi-n
	return from, to
}

// squaresJob sums the squares of the elements of each chunk.
type squaresJob[T Float] struct {
	pieces [][]T
	s      split
	sums   []float64
}

// SumSquares returns the sum of the squares over the pieces in float64, added in
// an order that only their lengths decide. A NaN makes it NaN, an Inf makes it
// Inf or NaN.
func (e *Engine[T]) SumSquares(pieces [][]T) float64 {
	n := 0
	for _, p := range pieces {
		n += len(p)
	}
	j := job[squaresJob[T]](e)
	*j = squaresJob[T]{pieces: pieces, s: split{n, optimizerChunk}}
	if chunks := j.s.chunks(); len(e.sums) < chunks {
		e.sums = make([]float64, chunks)
	}
	j.sums = e.sums[:j.s.chunks()]
	e.pool.Do(len(j.sums), j)
	var sum float64
	for _, v := range j.sums {
		sum += v
	}
	return sum
}

func (j *squaresJob[T]) Chunk(_, chunk int) {
	lo, hi := j.s.bounds(chunk)
	var s0, s1, s2, s3 float64
	for _, p := range j.pieces {
		from, to := overlap(&lo, &hi, len(p))
		x := p[from:to]
		for ; len(x) >= 4; x = x[4:] {
			a, b, c, d := float64(x[0]), float64(x[1]), float64(x[2]), float64(x[3])
			s0 += a * a
			s1 += b * b
			s2 += c * c
			s3 += d * d
		}
		for _, v := range x {
			s0 += float64(v) * float64(v)
		}
	}
	j.sums[chunk] = s0 + s1 + (s2 + s3)
}
