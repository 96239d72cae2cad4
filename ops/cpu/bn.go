package cpu

import "sync"

// bnBlock returns the rows of one partial sum of batch normalisation: few
// enough for a float32 sum and for the first level cache, enough that the
// partial sums do not count.
func bnBlock(ch int) int { return min(max(1<<13/max(ch, 1), 32), 256) }

func bnBlocks(rows, ch int) int {
	b := bnBlock(ch)
	return (rows + b - 1) / b
}

// BNScratch returns the elements of scratch that BNSums and BNBackward need.
func BNScratch(rows, ch int) int {
	volume(rows, ch)
	return volume(bnBlocks(rows, ch)*2+3, ch)
}

// BNSums computes the mean and the variance (divided by rows) of each column of
// x (rows,ch); both have ch elements. scratch has at least BNScratch(rows,ch)
// elements and is overwritten. With no rows both are zero.
//
// Each block of at most 256 rows is summed in T relative to its first row, and
// the blocks are combined in float64. So the error does not grow with the number
// of rows, nor with the mean as long as x itself resolves its deviations: the
// variance is good to some dozen roundings of T. Where the first row of a block is
// an extreme outlier it is up to 2^16 roundings, not more, because that row is
// one of those summed. A NaN or Inf in a column makes its variance NaN, and its
// mean NaN or Inf.
func BNSums[T Float](p *Pool, rows, ch int, x, mean, variance, scratch []T) {
	need(x, rows, ch)
	need(mean, ch)
	need(variance, ch)
	sums := needScratch(scratch, BNScratch(rows, ch))
	if rows == 0 || ch == 0 {
		clear(mean)
		clear(variance)
		return
	}
	size, blocks := bnBlock(ch), bnBlocks(rows, ch)
	s := splitBy(blocks, size*ch*2, maxChunks)
	p.Run(s.chunks(), func(chunk int) {
		lo, hi := s.bounds(chunk)
		for b := lo; b < hi; b++ {
			xb := x[b*size*ch:]
			out := sums[b*2*ch:][:2*ch]
			bnSumRows(min(size, rows-b*size), ch, xb, xb[:ch], out[:ch], out[ch:])
		}
	})
	cols := splitBy(ch, blocks*8, maxChunks)
	p.Run(cols.chunks(), func(chunk int) {
		lo, hi := cols.bounds(chunk)
		for c := lo; c < hi; c++ {
			mean[c], variance[c] = bnCombine(rows, ch, c, x, sums)
		}
	})
}

// bnCombine returns mean and variance of column c from the sums of its blocks,
// each relative to the first row of the block. They are moved to the first row
// of all: e is exact in float64 for float32 data, and nearly so for float64.
func bnCombine[T Float](rows, ch, c int, x, sums []T) (mean, variance T) {
	size := bnBlock(ch)
	var s1, s2 float64
	origin := float64(x[c])
	for r, b := 0, 0; r < rows; r, b = r+size, b+1 {
		n := float64(min(size, rows-r))
		e := float64(x[r*ch+c]) - origin
		b1, b2 := float64(sums[b*2*ch+c]), float64(sums[b*2*ch+ch+c])
		s1 += b1 + n*e
		s2 += b2 + 2*e*b1 + n*e*e
	}
	n := float64(rows)
	m := s1 / n
	v := s2/n - m*m
	if v < 0 { // rounding; a NaN stays
		v = 0
	}
	return T(origin + m), T(v)
}

// BNApply computes y[r*ldy+c] = (x[r*ch+c]-mean[c])*invstd[c]*gamma[c] + beta[c]
// for x (rows,ch). gamma and beta may be nil for 1 and 0. ldy >= ch is the
// distance of the rows of y, so that y can be a column block of a wider matrix;
// y has at least (rows-1)*ldy+ch elements and may be x if ldy is ch. NaN and Inf
// travel as IEEE 754 says.
func BNApply[T Float](p *Pool, rows, ch int, x, mean, invstd, gamma, beta, y []T, ldy int) {
	need(x, rows, ch)
	need(mean, ch)
	need(invstd, ch)
	needOptional(gamma, ch)
	needOptional(beta, ch)
	needBlock(y, rows, ch, ldy)
	if len(x) == 0 {
		return
	}
	buf := buffers.Get().(*buffer)
	defer buffers.Put(buf)
	coef := elements[T](buf, 2*ch)
	scale, shift := coef[:ch], coef[ch:]
	scaleBy(scale, invstd, gamma)
	if beta == nil {
		clear(shift)
	} else {
		copy(shift, beta)
	}
	s := splitBy(rows, ch, maxChunks)
	p.Run(s.chunks(), func(chunk int) {
		lo, hi := s.bounds(chunk)
		bnRows(hi-lo, ch, y[lo*ldy:], ldy, x[lo*ch:], mean, scale, shift)
	})
}

// BNBackward computes the gradients of BNApply in training mode, where mean and
// invstd are those of x itself: dx (rows,ch), and dgamma and dbeta (ch) unless
// they are nil. gamma may be nil for 1. scratch has at least BNScratch(rows,ch)
// elements and is overwritten. dx may be x or dy.
//
// With d = x-mean: dbeta = Σdy, dgamma = invstd Σ dy·d and dx = gamma·invstd·
// (dy - Σdy/rows - d·invstd²·Σ(dy·d)/rows), see Ioffe and Szegedy 2015, section
// 3. Sums are taken in T over blocks of at most 256 rows and in float64 over
// blocks. NaN and Inf travel as IEEE 754 says; one of them spoils its column.
func BNBackward[T Float](p *Pool, rows, ch int, x, dy, mean, invstd, gamma, dx, dgamma, dbeta, scratch []T) {
	need(x, rows, ch)
	need(dy, rows, ch)
	need(mean, ch)
	need(invstd, ch)
	needOptional(gamma, ch)
	need(dx, rows, ch)
	needOptional(dgamma, ch)
	needOptional(dbeta, ch)
	scratch = needScratch(scratch, BNScratch(rows, ch))
	a, b, k, sums := scratch[:ch], scratch[ch:2*ch], scratch[2*ch:3*ch], scratch[3*ch:]
	if len(x) == 0 {
		clear(dgamma)
		clear(dbeta)
		return
	}
	size, blocks := bnBlock(ch), bnBlocks(rows, ch)
	s := splitBy(blocks, size*ch*2, maxChunks)
	p.Run(s.chunks(), func(chunk int) {
		lo, hi := s.bounds(chunk)
		for i := lo; i < hi; i++ {
			out := sums[i*2*ch:][:2*ch]
			bnGradSumRows(min(size, rows-i*size), ch, x[i*size*ch:], dy[i*size*ch:], mean, out[:ch], out[ch:])
		}
	})
	scaleBy(a, invstd, gamma)
	cols := splitBy(ch, blocks*4, maxChunks)
	p.Run(cols.chunks(), func(chunk int) {
		lo, hi := cols.bounds(chunk)
		for c := lo; c < hi; c++ {
			var s1, s2 float64
			for i := range blocks {
				s1 += float64(sums[i*2*ch+c])
				s2 += float64(sums[i*2*ch+ch+c])
			}
			is := float64(invstd[c])
			b[c] = T(s1 / float64(rows))
			k[c] = T(s2 / float64(rows) * is * is)
			if dgamma != nil {
				dgamma[c] = T(s2 * is)
			}
			if dbeta != nil {
				dbeta[c] = T(s1)
			}
		}
	})
	r := splitBy(rows, ch*2, maxChunks)
	p.Run(r.chunks(), func(chunk int) {
		lo, hi := r.bounds(chunk)
		bnGradRows(hi-lo, ch, dx[lo*ch:], x[lo*ch:], dy[lo*ch:], mean, a, b, k)
	})
}

// scaleBy computes scale = invstd*gamma, where gamma may be nil for 1.
func scaleBy[T Float](scale, invstd, gamma []T) {
	copy(scale, invstd)
	for c, g := range gamma {
		scale[c] *= g
	}
}

// buffer is a little memory for coefficients that have no place in a signature.
type buffer struct {
	f32 []float32
	f64 []float64
}

var buffers = sync.Pool{New: func() any { return new(buffer) }}

// elements returns n elements with any content.
func elements[T Float](b *buffer, n int) []T {
	switch any(T(0)).(type) {
	case float32:
		if cap(b.f32) < n {
			b.f32 = make([]float32, n)
		}
		return any(b.f32[:n]).([]T)
	case float64:
		if cap(b.f64) < n {
			b.f64 = make([]float64, n)
		}
		return any(b.f64[:n]).([]T)
	}
	return make([]T, n)
}
