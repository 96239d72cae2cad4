package cpu

// SGD takes one step of stochastic gradient descent with momentum and weight
// decay, as torch.optim.SGD with neither dampening nor Nesterov momentum:
//
//	v = momentum*v + (g + decay*w)
//	w = w - lr*v
//
// w, g and v have one length; g stays as it is. NaN and Inf travel as IEEE 754
// says.
func SGD[T Float](p *Pool, w, g, v []T, lr, momentum, decay float64) {
	eta, mu, wd := T(lr), T(momentum), T(decay)
	need(g, len(w))
	need(v, len(w))
	s := splitBy(len(w), 2, maxChunks)
	p.Run(s.chunks(), func(chunk int) {
		lo, hi := s.bounds(chunk)
		ws := w[lo:hi]
		gs, vs := g[lo:hi][:len(ws)], v[lo:hi][:len(ws)]
		for i, x := range ws {
			u := mu*vs[i] + (gs[i] + wd*x)
			vs[i] = u
			ws[i] = x - eta*u
		}
	})
}

// SumSquares returns the sum of the squares of g in float64. A NaN makes it NaN,
// an Inf makes it Inf or NaN.
func SumSquares[T Float](p *Pool, g []T) float64 {
	s := splitBy(len(g), 2, maxChunks)
	var sums [maxChunks]float64
	p.Run(s.chunks(), func(chunk int) {
		lo, hi := s.bounds(chunk)
		var s0, s1, s2, s3 float64
		x := g[lo:hi]
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
		sums[chunk] = s0 + s1 + (s2 + s3)
	})
	var sum float64
	for _, v := range sums[:s.chunks()] {
		sum += v
	}
	return sum
}
