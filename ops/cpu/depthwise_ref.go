package cpu

// maxTaps is how many taps a window has without an allocation.
const maxTaps = 7 * 7

// taps appends the offsets of the window's taps in rows of x and in the weights.
func (g dwShape) taps(ch, xrow int, xoff, woff []int) (inX, inW []int) {
	for ky := range g.k {
		for kx := range g.k {
			xoff, woff = append(xoff, (ky*xrow+kx*ch)*g.dil), append(woff, len(woff)*ch)
		}
	}
	return xoff, woff
}

// poolTaps are the taps of a 3x3 window.
var poolTaps = [9]uint8{0, 1, 2, 3, 4, 5, 6, 7, 8}

// poolOffsets are the offsets of poolTaps in rows of x.
func poolOffsets(ch, xrow int) (xoff [9]int) {
	for t := range xoff {
		xoff[t] = t/3*xrow + t%3*ch
	}
	return xoff
}

// dwRowRef computes n pixels of ch channels of a depthwise convolution:
//
//	y[q*ystep+c] = sum over t of w[woff[t]+c] * x[xoff[t]+q*xstep+c]   q < n, c < ch
//
// Each element is one sum over ascending taps t; no tap gives zero. len(woff) is
// at least len(xoff), and no offset is negative. NaN and Inf travel as IEEE 754
// says. y must overlap neither x nor w.
func dwRowRef[T Float](n, ch int, y []T, ystep int, x []T, xstep int, xoff []int, w []T, woff []int) {
	if ch <= 0 {
		return
	}
	woff = woff[:len(xoff)]
	q := 0
	for ; q+2 <= n; q += 2 {
		y0, y1 := y[q*ystep:][:ch], y[(q+1)*ystep:][:ch]
		c := 0
		for ; c+4 <= ch; c += 4 {
			var s0, s1, s2, s3, u0, u1, u2, u3 T
			xc := x[min(q*xstep+c, len(x)):]
			for t, o := range xoff {
				f := (*[4]T)(w[woff[t]+c:])
				v := (*[4]T)(xc[o:])
				s0 += f[0] * v[0]
				s1 += f[1] * v[1]
				s2 += f[2] * v[2]
				s3 += f[3] * v[3]
				v = (*[4]T)(xc[o+xstep:])
				u0 += f[0] * v[0]
				u1 += f[1] * v[1]
				u2 += f[2] * v[2]
				u3 += f[3] * v[3]
			}
			store4((*[4]T)(y0[c:]), s0, s1, s2, s3, false)
			store4((*[4]T)(y1[c:]), u0, u1, u2, u3, false)
		}
		for ; c < ch; c++ {
			y0[c] = dwPoint(x, q*xstep+c, xoff, w, c, woff)
			y1[c] = dwPoint(x, (q+1)*xstep+c, xoff, w, c, woff)
		}
	}
	if q < n {
		y0 := y[q*ystep:][:ch]
		c := 0
		for ; c+4 <= ch; c += 4 {
			var s0, s1, s2, s3 T
			xc := x[min(q*xstep+c, len(x)):]
			for t, o := range xoff {
				f := (*[4]T)(w[woff[t]+c:])
				v := (*[4]T)(xc[o:])
				s0 += f[0] * v[0]
				s1 += f[1] * v[1]
				s2 += f[2] * v[2]
				s3 += f[3] * v[3]
			}
			store4((*[4]T)(y0[c:]), s0, s1, s2, s3, false)
		}
		for ; c < ch; c++ {
			y0[c] = dwPoint(x, q*xstep+c, xoff, w, c, woff)
		}
	}
}

func dwPoint[T Float](x []T, xi int, xoff []int, w []T, wi int, woff []int) T {
	var s T
	for t, o := range xoff {
		s += w[woff[t]+wi] * x[o+xi]
	}
	return s
}

// dwGradRowRef adds the gradient of one row of a depthwise convolution to that
// of its weights:
//
//	dw[woff[t]+c] += sum over q < n of x[xoff[t]+q*xstep+c] * dy[q*ystep+c]   c < ch
//
// Each element is one sum over ascending pixels, added to dw at the end.
// len(woff) is at least len(xoff), and no offset is negative. NaN and Inf travel
// as IEEE 754 says. dw must overlap neither x nor dy.
func dwGradRowRef[T Float](n, ch int, dw []T, woff []int, x []T, xstep int, xoff []int, dy []T, ystep int) {
	if n <= 0 {
		return
	}
	woff = woff[:len(xoff)]
	c := 0
	for ; c+4 <= ch; c += 4 {
		t := 0
		for ; t+2 <= len(xoff); t += 2 {
			var s0, s1, s2, s3, u0, u1, u2, u3 T
			x0, x1, g := x[xoff[t]+c:], x[xoff[t+1]+c:], dy[c:]
			for q := range n {
				d := (*[4]T)(g[q*ystep:])
				v := (*[4]T)(x0[q*xstep:])
				s0 += v[0] * d[0]
				s1 += v[1] * d[1]
				s2 += v[2] * d[2]
				s3 += v[3] * d[3]
				v = (*[4]T)(x1[q*xstep:])
				u0 += v[0] * d[0]
				u1 += v[1] * d[1]
				u2 += v[2] * d[2]
				u3 += v[3] * d[3]
			}
			store4((*[4]T)(dw[woff[t]+c:]), s0, s1, s2, s3, true)
			store4((*[4]T)(dw[woff[t+1]+c:]), u0, u1, u2, u3, true)
		}
		if t < len(xoff) {
			var s0, s1, s2, s3 T
			x0, g := x[xoff[t]+c:], dy[c:]
			for q := range n {
				d := (*[4]T)(g[q*ystep:])
				v := (*[4]T)(x0[q*xstep:])
				s0 += v[0] * d[0]
				s1 += v[1] * d[1]
				s2 += v[2] * d[2]
				s3 += v[3] * d[3]
			}
			store4((*[4]T)(dw[woff[t]+c:]), s0, s1, s2, s3, true)
		}
	}
	for ; c < ch; c++ {
		for t, o := range xoff {
			var s T
			for q := range n {
				s += x[o+q*xstep+c] * dy[q*ystep+c]
			}
			dw[woff[t]+c] += s
		}
	}
}

// maxRowRef computes n pixels of ch channels of a max pool and where it found
// them:
//
//	y[q*ystep+c]   = max over t of x[xoff[t]+q*xstep+c]   q < n, c < ch
//	idx[q*ystep+c] = tap0 + taps[t] of that maximum
//
// The first of equal values wins (-0 equals +0). A NaN wins over any number and
// the last of several NaNs is taken, as torch does. There is at least one tap,
// and no offset is negative. y and idx must not overlap x.
func maxRowRef[T Float](n, ch int, y []T, idx []uint8, ystep int, x []T, xstep int, xoff []int, tap0 uint8, taps []uint8) {
	taps = taps[:len(xoff)]
	for q := range n {
		yq, iq := y[q*ystep:][:ch], idx[q*ystep:][:ch]
		xq := x[q*xstep:]
		copy(yq, xq[xoff[0]:][:ch])
		for c := range iq {
			iq[c] = tap0 + taps[0]
		}
		for t := 1; t < len(xoff); t++ {
			tap := tap0 + taps[t]
			for c, v := range xq[xoff[t]:][:len(yq)] {
				if v > yq[c] || v != v {
					yq[c], iq[c] = v, tap
				}
			}
		}
	}
}
