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

// dwRows is a depthwise convolution of padded rows: y[r*yrow+q*ch+c] = sum over
// ky, kx of x[(r*stride+ky*dil)*xrow + (q*stride+kx*dil)*ch + c] *
// w[(ky*k+kx)*ch+c], summed over ascending taps, for r < rows, q < n, c < ch.
func dwRows[T Float](g dwShape, rows, n, ch int, y []T, yrow int, x []T, xrow int, w []T) {
	dwAhead(g, rows, n, ch, y, yrow, ch, x, xrow, w, nil)
}

// dwAhead is dwRows with pixels of y ypx apart, for a caller that reads ahead next: a
// fast version may prefetch as many of its cache lines as it writes of y.
func dwAhead[T Float](g dwShape, rows, n, ch int, y []T, yrow, ypx int, x []T, xrow int, w, _ []T) {
	if n <= 0 {
		return
	}
	var mem [2][maxTaps]int
	xoff, woff := g.taps(ch, xrow, mem[0][:0], mem[1][:0])
	for r := range rows {
		dwRowRef(n, ch, y[r*yrow:], ypx, x[r*g.stride*xrow:], g.stride*ch, xoff, w, woff)
	}
}

// dwGradRows adds the gradient of the weights of dwRows: dw[(ky*k+kx)*ch+c] +=
// sum over r, q of x[(r*stride+ky*dil)*xrow + (q*stride+kx*dil)*ch + c] *
// dy[r*dyrow+q*ch+c].
func dwGradRows[T Float](g dwShape, rows, n, ch int, dw []T, x []T, xrow int, dy []T, dyrow int) {
	if n <= 0 {
		return
	}
	var mem [2][maxTaps]int
	xoff, woff := g.taps(ch, xrow, mem[0][:0], mem[1][:0])
	for r := range rows {
		dwGradRowRef(n, ch, dw, woff, x[r*g.stride*xrow:], g.stride*ch, xoff, dy[r*dyrow:], ch)
	}
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
			*(*[4]T)(y0[c:]) = [4]T{s0, s1, s2, s3}
			*(*[4]T)(y1[c:]) = [4]T{u0, u1, u2, u3}
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
			*(*[4]T)(y0[c:]) = [4]T{s0, s1, s2, s3}
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
			add4((*[4]T)(dw[woff[t]+c:]), s0, s1, s2, s3)
			add4((*[4]T)(dw[woff[t+1]+c:]), u0, u1, u2, u3)
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
			add4((*[4]T)(dw[woff[t]+c:]), s0, s1, s2, s3)
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
