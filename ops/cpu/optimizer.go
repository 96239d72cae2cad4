package cpu

// Param is a piece of the parameters with its gradient and what the optimizer keeps
// of it, all of one length; arrays that the optimizer has not are nil.
type Param[T Float] struct {
	W, G []T
	S    [3][]T
}

// Rule is an optimizer's step.
type Rule[T Float] interface {
	// Apply changes W and S of a piece, value by value. It runs on several pieces at
	// the same time.
	Apply(p Param[T])
}

// optimizerChunk is the most elements of a chunk of the optimizer's passes.
const optimizerChunk = 1 << 14

// updateJob is one pass of the optimizer over pieces.
type updateJob[T Float] struct {
	pieces []Param[T]
	work   partition // of all elements
	rule   Rule[T]
}

// Update applies a rule to pieces of the parameters. The gradients stay as they are.
// NaN and Inf travel as IEEE 754 says.
func (e *Engine[T]) Update(pieces []Param[T], r Rule[T]) {
	n := 0
	for _, p := range pieces {
		need(p.G, len(p.W))
		for _, s := range p.S {
			if s != nil {
				need(s, len(p.W))
			}
		}
		n += len(p.W)
	}
	j := job[updateJob[T]](e)
	*j = updateJob[T]{pieces, partition{n, optimizerChunk}, r}
	e.pool.Do(j.work.chunks(), j)
}

func (j *updateJob[T]) Chunk(_, chunk int) {
	lo, hi := j.work.bounds(chunk)
	for _, p := range j.pieces {
		from, to := overlap(&lo, &hi, len(p.W))
		if from == to {
			continue
		}
		part := Param[T]{W: p.W[from:to], G: p.G[from:to]}
		for i, s := range p.S {
			if s != nil {
				part.S[i] = s[from:to]
			}
		}
		j.rule.Apply(part)
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
	work   partition
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
	*j = squaresJob[T]{pieces: pieces, work: partition{n, optimizerChunk}}
	if chunks := j.work.chunks(); len(e.sums) < chunks {
		e.sums = make([]float64, chunks)
	}
	j.sums = e.sums[:j.work.chunks()]
	e.pool.Do(len(j.sums), j)
	var sum float64
	for _, v := range j.sums {
		sum += v
	}
	return sum
}

func (j *squaresJob[T]) Chunk(_, chunk int) {
	lo, hi := j.work.bounds(chunk)
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
