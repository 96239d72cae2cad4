package cpu

// Param is a piece of the parameters with its gradient and its momentum, all of
// one length.
type Param[T Float] struct{ W, G, V []T }

// sgdJob is one pass of the optimizer over pieces.
type sgdJob[T Float] struct {
	pieces            []Param[T]
	s                 split
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
	for _, p := range pieces {
		need(p.G, len(p.W))
		need(p.V, len(p.W))
	}
	j := &e.sgd
	*j = sgdJob[T]{pieces, imageSplit(len(pieces)), T(lr), T(momentum), T(decay), T(scale)}
	e.pool.Do(j.s.chunks(), j)
}

func (j *sgdJob[T]) Chunk(_, chunk int) {
	lo, hi := j.s.bounds(chunk)
	for _, p := range j.pieces[lo:hi] {
		g, v := p.G[:len(p.W)], p.V[:len(p.W)]
		for i, x := range p.W {
			u := j.mu*v[i] + (j.scale*g[i] + j.wd*x)
			v[i] = u
			p.W[i] = x - j.lr*u
		}
	}
}

// squaresJob sums the squares of each piece.
type squaresJob[T Float] struct {
	pieces [][]T
	s      split
	sums   []float64
}

// SumSquares returns the sum of the squares over the pieces in float64, piece by
// piece in order. A NaN makes it NaN, an Inf makes it Inf or NaN.
func (e *Engine[T]) SumSquares(pieces [][]T) float64 {
	if len(e.sums) < len(pieces) {
		e.sums = make([]float64, len(pieces))
	}
	j := &e.squares
	*j = squaresJob[T]{pieces, imageSplit(len(pieces)), e.sums[:len(pieces)]}
	e.pool.Do(j.s.chunks(), j)
	var sum float64
	for _, v := range j.sums {
		sum += v
	}
	return sum
}

func (j *squaresJob[T]) Chunk(_, chunk int) {
	lo, hi := j.s.bounds(chunk)
	for i := lo; i < hi; i++ {
		var s0, s1, s2, s3 float64
		x := j.pieces[i]
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
		j.sums[i] = s0 + s1 + (s2 + s3)
	}
}
