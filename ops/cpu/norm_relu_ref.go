package cpu

// affineRows computes dst[r*drow+q*dpx+c] = f(a[c]*src[r*srow+q*spx+c] + b[c])
// for r < rows, q < n, c < ch, where f is max(.,0) if relu and nothing
// otherwise. A NaN stays a NaN. a and b are both nil for 1 and 0. dst may be
// src if the strides agree.
func affineRows[T Float](rows, n, ch int, dst []T, drow, dpx int, src []T, srow, spx int, a, b []T, relu bool) {
	if n <= 0 || ch <= 0 {
		return
	}
	if a == nil && dpx == ch && spx == ch {
		n, ch = 1, n*ch
	}
	for r := range rows {
		for q := range n {
			affineRow(dst[r*drow+q*dpx:][:ch], src[r*srow+q*spx:][:ch], a, b, relu)
		}
	}
}

func affineRow[T Float](dst, src, a, b []T, relu bool) {
	src = src[:len(dst)]
	switch {
	case a == nil && !relu:
		copy(dst, src)
	case a == nil:
		for i, v := range src {
			dst[i] = max(v, 0)
		}
	case !relu:
		a, b = a[:len(dst)], b[:len(dst)]
		for i, v := range src {
			dst[i] = a[i]*v + b[i]
		}
	default:
		a, b = a[:len(dst)], b[:len(dst)]
		for i, v := range src {
			dst[i] = max(a[i]*v+b[i], 0)
		}
	}
}

// sumRows adds to s1[c] the sum over q < n of d and to s2[c] that of d*d, with
// d = x[q*ch+c] - shift[c].
func sumRows[T Float](n, ch int, x, shift, s1, s2 []T) {
	c := 0
	for ; c+4 <= ch; c += 4 {
		var a0, a1, a2, a3, b0, b1, b2, b3 T
		m := (*[4]T)(shift[c:])
		m0, m1, m2, m3 := m[0], m[1], m[2], m[3]
		for q := range n {
			v := (*[4]T)(x[q*ch+c:])
			d0, d1, d2, d3 := v[0]-m0, v[1]-m1, v[2]-m2, v[3]-m3
			a0 += d0
			b0 += d0 * d0
			a1 += d1
			b1 += d1 * d1
			a2 += d2
			b2 += d2 * d2
			a3 += d3
			b3 += d3 * d3
		}
		add4((*[4]T)(s1[c:]), a0, a1, a2, a3)
		add4((*[4]T)(s2[c:]), b0, b1, b2, b3)
	}
	for ; c < ch; c++ {
		var a, b T
		m := shift[c]
		for q := range n {
			d := x[q*ch+c] - m
			a += d
			b += d * d
		}
		s1[c] += a
		s2[c] += b
	}
}

// gradSumRows adds to s1[c] the sum over q < n of dy[q*ch+c] and to s2[c] that
// of dy[q*ch+c]*(x[q*ch+c]-mean[c]).
func gradSumRows[T Float](n, ch int, x, dy, mean, s1, s2 []T) {
	c := 0
	for ; c+4 <= ch; c += 4 {
		var a0, a1, a2, a3, b0, b1, b2, b3 T
		m := (*[4]T)(mean[c:])
		m0, m1, m2, m3 := m[0], m[1], m[2], m[3]
		for q := range n {
			v := (*[4]T)(x[q*ch+c:])
			g := (*[4]T)(dy[q*ch+c:])
			a0 += g[0]
			b0 += g[0] * (v[0] - m0)
			a1 += g[1]
			b1 += g[1] * (v[1] - m1)
			a2 += g[2]
			b2 += g[2] * (v[2] - m2)
			a3 += g[3]
			b3 += g[3] * (v[3] - m3)
		}
		add4((*[4]T)(s1[c:]), a0, a1, a2, a3)
		add4((*[4]T)(s2[c:]), b0, b1, b2, b3)
	}
	for ; c < ch; c++ {
		var a, b T
		m := mean[c]
		for q := range n {
			g := dy[q*ch+c]
			a += g
			b += g * (x[q*ch+c] - m)
		}
		s1[c] += a
		s2[c] += b
	}
}

// bnGradRowsRef computes dx[q*dpx+c] = a[c]*(dy[q*spx+c] - b[c] -
// (x[q*spx+c]-mean[c])*k[c]) for q < n, c < ch. dx may be x or dy where dpx is spx.
func bnGradRowsRef[T Float](n, ch int, dx []T, dpx int, x, dy []T, spx int, mean, a, b, k []T) {
	mean, a, b, k = mean[:ch], a[:ch], b[:ch], k[:ch]
	for q := range n {
		d, v, g := dx[q*dpx:][:len(mean)], x[q*spx:][:len(mean)], dy[q*spx:][:len(mean)]
		for c, m := range mean {
			d[c] = a[c] * (g[c] - b[c] - (v[c]-m)*k[c])
		}
	}
}

// maskSumRows computes dst[q*ch+c] = dy where a[c]*x+b[c] is positive or NaN,
// else 0, and adds to s1 and s2 what gradSumRows would for dst in place of dy.
// dst may be dy.
func maskSumRows[T Float](n, ch int, dst, dy, x, a, b, mean, s1, s2 []T) {
	c := 0
	for ; c+2 <= ch; c += 2 {
		var u0, u1, v0, v1 T
		a0, a1, b0, b1, m0, m1 := a[c], a[c+1], b[c], b[c+1], mean[c], mean[c+1]
		for q := range n {
			d, g, v := (*[2]T)(dst[q*ch+c:]), (*[2]T)(dy[q*ch+c:]), (*[2]T)(x[q*ch+c:])
			g0, g1, x0, x1 := g[0], g[1], v[0], v[1]
			if a0*x0+b0 <= 0 {
				g0 = 0
			}
			if a1*x1+b1 <= 0 {
				g1 = 0
			}
			d[0], d[1] = g0, g1
			u0 += g0
			v0 += g0 * (x0 - m0)
			u1 += g1
			v1 += g1 * (x1 - m1)
		}
		s1[c] += u0
		s2[c] += v0
		s1[c+1] += u1
		s2[c+1] += v1
	}
	if c < ch {
		var u, v T
		for q := range n {
			i := q*ch + c
			g := dy[i]
			if a[c]*x[i]+b[c] <= 0 {
				g = 0
			}
			dst[i] = g
			u += g
			v += g * (x[i] - mean[c])
		}
		s1[c] += u
		s2[c] += v
	}
}

// maskAddRows computes dst = add + m(dy): m keeps dy where a[c]*x+b[c] is
// positive or NaN and makes it 0 elsewhere. With x nil m keeps everything; a and
// b are both nil for 1 and 0; add may be nil for 0. dst may be dy or add.
func maskAddRows[T Float](n, ch int, dst, dy, add, x, a, b []T) {
	if x == nil {
		combineRows(n, ch, dst, dy, nil, nil, add, nil, nil)
		return
	}
	if a == nil {
		n, ch = 1, n*ch
	}
	for q := range n {
		var old []T
		if add != nil {
			old = add[q*ch:][:ch]
		}
		maskRow(dst[q*ch:][:ch], dy[q*ch:][:ch], old, x[q*ch:][:ch], a, b)
	}
}

func maskRow[T Float](dst, dy, add, x, a, b []T) {
	dy, x = dy[:len(dst)], x[:len(dst)]
	switch {
	case a == nil && add == nil:
		for i, g := range dy {
			if x[i] <= 0 {
				g = 0
			}
			dst[i] = g
		}
	case a == nil:
		add = add[:len(dst)]
		for i, g := range dy {
			if x[i] <= 0 {
				g = 0
			}
			dst[i] = g + add[i]
		}
	case add == nil:
		a, b = a[:len(dst)], b[:len(dst)]
		for i, g := range dy {
			if a[i]*x[i]+b[i] <= 0 {
				g = 0
			}
			dst[i] = g
		}
	default:
		a, b, add = a[:len(dst)], b[:len(dst)], add[:len(dst)]
		for i, g := range dy {
			if a[i]*x[i]+b[i] <= 0 {
				g = 0
			}
			dst[i] = g + add[i]
		}
	}
}

// combineRows computes dst = (ax[c]*x+bx[c]) + (ay[c]*y+by[c]). ax and bx, or ay
// and by, are both nil for 1 and 0. y may be nil for 0. dst may be x or y.
func combineRows[T Float](n, ch int, dst, x, ax, bx, y, ay, by []T) {
	switch {
	case y == nil:
		affineRows(1, n, ch, dst, 0, ch, x, 0, ch, ax, bx, false)
	case ax == nil && ay == nil:
		addRowRef(dst[:n*ch], x, y)
	case ax == nil:
		combineRows(n, ch, dst, y, ay, by, x, nil, nil)
	case ay == nil:
		ax, bx = ax[:ch], bx[:ch]
		for q := range n {
			d, u, v := dst[q*ch:][:len(ax)], x[q*ch:][:len(ax)], y[q*ch:][:len(ax)]
			for c, f := range ax {
				d[c] = f*u[c] + bx[c] + v[c]
			}
		}
	default:
		ax, bx, ay, by = ax[:ch], bx[:ch], ay[:ch], by[:ch]
		for q := range n {
			d, u, v := dst[q*ch:][:len(ax)], x[q*ch:][:len(ax)], y[q*ch:][:len(ax)]
			for c, f := range ax {
				d[c] = (f*u[c] + bx[c]) + (ay[c]*v[c] + by[c])
			}
		}
	}
}

// addRowRef computes dst = a + b, of the length of dst. dst may be a or b.
func addRowRef[T Float](dst, a, b []T) {
	b = b[:len(dst)]
	for i, v := range a[:len(dst)] {
		dst[i] = v + b[i]
	}
}
