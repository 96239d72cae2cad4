package cpu

// AddN computes dst = srcs[0] + srcs[1] + ..., in that order; with none it is
// zero. dst may be srcs[0] or srcs[1], but overlaps no other.
func AddN[T Float](p *Pool, dst []T, srcs ...[]T) {
	for _, src := range srcs {
		need(src, len(dst))
	}
	s := splitBy(len(dst), max(len(srcs)-1, 1), maxChunks)
	p.Run(s.chunks(), func(chunk int) {
		const block = 1 << 11 // the sum stays in the first level cache
		for lo, end := s.bounds(chunk); lo < end; lo += block {
			hi := min(lo+block, end)
			switch len(srcs) {
			case 0:
				clear(dst[lo:hi])
				continue
			case 1:
				copy(dst[lo:hi], srcs[0][lo:hi])
				continue
			}
			addRow(dst[lo:hi], srcs[0][lo:hi], srcs[1][lo:hi])
			for _, src := range srcs[2:] {
				addRow(dst[lo:hi], dst[lo:hi], src[lo:hi])
			}
		}
	})
}

// Axpby computes y = a*x + b*y: an exponential average, a scaled gradient, or
// with a == 0 a scaled y. A factor of zero does not hide a NaN or Inf. y may be
// x.
func Axpby[T Float](p *Pool, a T, x []T, b T, y []T) {
	need(y, len(x))
	s := splitBy(len(x), 2, maxChunks)
	p.Run(s.chunks(), func(chunk int) {
		lo, hi := s.bounds(chunk)
		dst := y[lo:hi]
		for i, v := range x[lo:hi][:len(dst)] {
			dst[i] = a*v + b*dst[i]
		}
	})
}

// Scale computes x = f*x.
func Scale[T Float](p *Pool, f T, x []T) {
	s := splitBy(len(x), 1, maxChunks)
	p.Run(s.chunks(), func(chunk int) {
		lo, hi := s.bounds(chunk)
		for i, v := range x[lo:hi] {
			x[lo+i] = f * v
		}
	})
}
