package cpu

// affineRows computes dst[r*drow+q*dpx+c] = f(a[c]*src[r*srow+q*spx+c] + b[c])
// for r < rows, q < n, c < ch, where f is max(.,0) if relu and nothing
// otherwise. A NaN stays a NaN. a and b are both nil for 1 and 0. dst may be
// src if the strides agree.
func affineRows[T Float](rows, n, ch int, dst []T, drow, dpx int, src []T, srow, spx int, a, b []T, relu bool) {
	for r := range rows {
		for q := range n {
			d, s := dst[r*drow+q*dpx:][:ch], src[r*srow+q*spx:][:ch]
			for c, v := range s {
				if a != nil {
					v = a[c]*v + b[c]
				}
				if relu {
					v = max(v, 0)
				}
				d[c] = v
			}
		}
	}
}

// dwRows is a depthwise convolution of padded rows: y[r*yrow+q*ch+c] = sum over
// ky, kx of x[(r*stride+ky*dil)*xrow + (q*stride+kx*dil)*ch + c] *
// w[(ky*k+kx)*ch+c], summed over ascending taps, for r < rows, q < n, c < ch.
func dwRows[T Float](g dwShape, rows, n, ch int, y []T, yrow int, x []T, xrow int, w []T) {
	for r := range rows {
		for q := range n {
			out := y[r*yrow+q*ch:][:ch]
			clear(out)
			for ky := range g.k {
				for kx := range g.k {
					in := x[(r*g.stride+ky*g.dil)*xrow+(q*g.stride+kx*g.dil)*ch:][:ch]
					wt := w[(ky*g.k+kx)*ch:][:ch]
					for c, v := range in {
						out[c] += v * wt[c]
					}
				}
			}
		}
	}
}

// dwGradRows adds the gradient of the weights of dwRows: dw[(ky*k+kx)*ch+c] +=
// sum over r, q of x[(r*stride+ky*dil)*xrow + (q*stride+kx*dil)*ch + c] *
// dy[r*dyrow+q*ch+c].
func dwGradRows[T Float](g dwShape, rows, n, ch int, dw []T, x []T, xrow int, dy []T, dyrow int) {
	for ky := range g.k {
		for kx := range g.k {
			out := dw[(ky*g.k+kx)*ch:][:ch]
			for r := range rows {
				for q := range n {
					in := x[(r*g.stride+ky*g.dil)*xrow+(q*g.stride+kx*g.dil)*ch:][:ch]
					for c, v := range dy[r*dyrow+q*ch:][:ch] {
						out[c] += in[c] * v
					}
				}
			}
		}
	}
}

// sumRows adds to s1[c] the sum over q < n of d and to s2[c] that of d*d, with
// d = x[q*ch+c] - shift[c].
func sumRows[T Float](n, ch int, x, shift, s1, s2 []T) {
	for q := range n {
		for c, v := range x[q*ch:][:ch] {
			d := v - shift[c]
			s1[c] += d
			s2[c] += d * d
		}
	}
}

// gradSumRows adds to s1[c] the sum over q < n of dy[q*ch+c] and to s2[c] that
// of dy[q*ch+c]*(x[q*ch+c]-mean[c]).
func gradSumRows[T Float](n, ch int, x, dy, mean, s1, s2 []T) {
	for q := range n {
		v := x[q*ch:][:ch]
		for c, g := range dy[q*ch:][:ch] {
			s1[c] += g
			s2[c] += g * (v[c] - mean[c])
		}
	}
}

// maskSumRows computes dst[q*ch+c] = dy where a[c]*x+b[c] is positive or NaN,
// else 0, and adds to s1 and s2 what gradSumRows would for dst in place of dy.
// dst may be dy.
func maskSumRows[T Float](n, ch int, dst, dy, x, a, b, mean, s1, s2 []T) {
	for q := range n {
		d, v := dst[q*ch:][:ch], x[q*ch:][:ch]
		for c, g := range dy[q*ch:][:ch] {
			if a[c]*v[c]+b[c] <= 0 {
				g = 0
			}
			d[c] = g
			s1[c] += g
			s2[c] += g * (v[c] - mean[c])
		}
	}
}

// maskAddRows computes dst = add + m(dy): m keeps dy where a[c]*x+b[c] is
// positive or NaN and makes it 0 elsewhere. With x nil m keeps everything; a and
// b are both nil for 1 and 0; add may be nil for 0. dst may be dy or add.
func maskAddRows[T Float](n, ch int, dst, dy, add, x, a, b []T) {
	for q := range n {
		d := dst[q*ch:][:ch]
		for c, g := range dy[q*ch:][:ch] {
			if x != nil {
				v := x[q*ch+c]
				if a != nil {
					v = a[c]*v + b[c]
				}
				if v <= 0 {
					g = 0
				}
			}
			if add != nil {
				g += add[q*ch+c]
			}
			d[c] = g
		}
	}
}

// combineRows computes dst = (ax[c]*x+bx[c]) + (ay[c]*y+by[c]). ax and bx, or ay
// and by, are both nil for 1 and 0. y may be nil for 0. dst may be x or y.
func combineRows[T Float](n, ch int, dst, x, ax, bx, y, ay, by []T) {
	for q := range n {
		d := dst[q*ch:][:ch]
		for c, v := range x[q*ch:][:ch] {
			if ax != nil {
				v = ax[c]*v + bx[c]
			}
			if y != nil {
				u := y[q*ch+c]
				if ay != nil {
					u = ay[c]*u + by[c]
				}
				v += u
			}
			d[c] = v
		}
	}
}

// maxPoolRow computes one output row of a 3x3 maximum: y[q*ch+c] is the maximum
// of x[ky*xrow + (q*stride+kx)*ch + c] over ky, kx < 3 and idx[q*ch+c] the tap
// ky*3+kx that holds it: the first of equal ones, and the last NaN if there is
// one, as torch chooses. The caller pads with -Inf.
func maxPoolRow[T Float](stride, n, ch int, y []T, idx []uint8, x []T, xrow int) {
	for q := range n {
		out, tap := y[q*ch:][:ch], idx[q*ch:][:ch]
		for c := range out {
			best, at := x[q*stride*ch+c], uint8(0)
			for t := 1; t < 9; t++ {
				if v := x[t/3*xrow+(q*stride+t%3)*ch+c]; v > best || v != v {
					best, at = v, uint8(t)
				}
			}
			out[c], tap[c] = best, at
		}
	}
}

// maxPoolGradRow adds dy[q*ch+c] to dx[q*dpx+c] where idx[q*ch+c] is tap, for
// q < n, c < ch: one tap of the gradient of maxPoolRow.
func maxPoolGradRow[T Float](n, ch int, dx []T, dpx int, dy []T, idx []uint8, tap uint8) {
	for q := range n {
		d, t := dx[q*dpx:][:ch], idx[q*ch:][:ch]
		for c, g := range dy[q*ch:][:ch] {
			if t[c] == tap {
				d[c] += g
			}
		}
	}
}
