package cpu

// Axpby computes y = a*x + b*y: an exponential average, a scaled gradient, or
// with a == 0 a scaled y. A factor of zero does not hide a NaN or Inf. y may be
// x.
func Axpby[T Float](p *Pool, a T, x []T, b T, y []T) {
	need(y, len(x))
	s := partitionBy(len(x), 2, maxChunks)
	p.Run(s.chunks(), func(chunk int) {
		lo, hi := s.bounds(chunk)
		dst := y[lo:hi]
		for i, v := range x[lo:hi][:len(dst)] {
			dst[i] = a*v + b*dst[i]
		}
	})
}
