package cpu

// The slices of one call have the length of the destination, or more.

// reluRowRef computes y = max(x, 0). A NaN stays a NaN, -0 becomes a zero. y may
// be x.
func reluRowRef[T Float](y, x []T) {
	for i, v := range x[:len(y)] {
		y[i] = max(v, 0)
	}
}

// reluGradRowRef computes dx = dy where x is positive or NaN, else 0, as torch
// does. dx may be x or dy.
func reluGradRowRef[T Float](dx, x, dy []T) {
	dy = dy[:len(dx)]
	for i, v := range x[:len(dx)] {
		g := dy[i]
		if v <= 0 {
			g = 0
		}
		dx[i] = g
	}
}

// addRowRef computes dst = a + b. dst may be a or b.
func addRowRef[T Float](dst, a, b []T) {
	b = b[:len(dst)]
	for i, v := range a[:len(dst)] {
		dst[i] = v + b[i]
	}
}

// bnRowsRef computes y[r*ldy+c] = (x[r*ch+c] - mean[c])*scale[c] + shift[c] for
// r < rows, c < ch. y may be x if ldy is ch.
func bnRowsRef[T Float](rows, ch int, y []T, ldy int, x, mean, scale, shift []T) {
	mean, scale, shift = mean[:ch], scale[:ch], shift[:ch]
	for r := range rows {
		yr, xr := y[r*ldy:][:len(mean)], x[r*ch:][:len(mean)]
		for c, m := range mean {
			yr[c] = (xr[c]-m)*scale[c] + shift[c]
		}
	}
}

// bnSumRowsRef computes s1[c] = sum over r < rows of d and s2[c] = sum of d*d,
// with d = x[r*ch+c] - shift[c], c < ch. s1 and s2 overlap nothing.
func bnSumRowsRef[T Float](rows, ch int, x, shift, s1, s2 []T) {
	c := 0
	for ; c+4 <= ch; c += 4 {
		var a0, a1, a2, a3, b0, b1, b2, b3 T
		m := (*[4]T)(shift[c:])
		m0, m1, m2, m3 := m[0], m[1], m[2], m[3]
		for r := range rows {
			v := (*[4]T)(x[r*ch+c:])
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
		store4((*[4]T)(s1[c:]), a0, a1, a2, a3, false)
		store4((*[4]T)(s2[c:]), b0, b1, b2, b3, false)
	}
	for ; c < ch; c++ {
		var a, b T
		for r := range rows {
			d := x[r*ch+c] - shift[c]
			a += d
			b += d * d
		}
		s1[c], s2[c] = a, b
	}
}

// bnGradSumRowsRef computes s1[c] = sum over r < rows of dy[r*ch+c] and s2[c] =
// sum of dy[r*ch+c]*(x[r*ch+c]-mean[c]), c < ch. s1 and s2 overlap nothing.
func bnGradSumRowsRef[T Float](rows, ch int, x, dy, mean, s1, s2 []T) {
	c := 0
	for ; c+4 <= ch; c += 4 {
		var a0, a1, a2, a3, b0, b1, b2, b3 T
		m := (*[4]T)(mean[c:])
		m0, m1, m2, m3 := m[0], m[1], m[2], m[3]
		for r := range rows {
			v := (*[4]T)(x[r*ch+c:])
			g := (*[4]T)(dy[r*ch+c:])
			a0 += g[0]
			b0 += g[0] * (v[0] - m0)
			a1 += g[1]
			b1 += g[1] * (v[1] - m1)
			a2 += g[2]
			b2 += g[2] * (v[2] - m2)
			a3 += g[3]
			b3 += g[3] * (v[3] - m3)
		}
		store4((*[4]T)(s1[c:]), a0, a1, a2, a3, false)
		store4((*[4]T)(s2[c:]), b0, b1, b2, b3, false)
	}
	for ; c < ch; c++ {
		var a, b T
		for r := range rows {
			a += dy[r*ch+c]
			b += dy[r*ch+c] * (x[r*ch+c] - mean[c])
		}
		s1[c], s2[c] = a, b
	}
}

// bnGradRowsRef computes dx[r*ch+c] = a[c]*(dy[r*ch+c] - b[c] -
// (x[r*ch+c]-mean[c])*k[c]) for r < rows, c < ch. dx may be x or dy.
func bnGradRowsRef[T Float](rows, ch int, dx, x, dy, mean, a, b, k []T) {
	mean, a, b, k = mean[:ch], a[:ch], b[:ch], k[:ch]
	for r := range rows {
		dr, xr, gr := dx[r*ch:][:len(mean)], x[r*ch:][:len(mean)], dy[r*ch:][:len(mean)]
		for c, m := range mean {
			dr[c] = a[c] * (gr[c] - b[c] - (xr[c]-m)*k[c])
		}
	}
}
