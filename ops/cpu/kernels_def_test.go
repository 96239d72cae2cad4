package cpu

// The definitions of the primitives of rowKernels, an element at a time, as the
// comments of the functions in the files *_ref.go say.

func defAffine[T Float](rows, n, ch int, dst []T, drow, dpx int, src []T, srow, spx int, a, b []T, relu bool) {
	for i := range rows * n * ch {
		r, q, c := i/(n*ch), i/ch%n, i%ch
		v := src[r*srow+q*spx+c]
		if a != nil {
			v = a[c]*v + b[c]
		}
		if relu {
			v = max(v, 0)
		}
		dst[r*drow+q*dpx+c] = v
	}
}

func defDW[T Float](g dwShape, rows, n, ch int, y []T, yrow int, x []T, xrow int, w []T) {
	for i := range rows * n * ch {
		r, q, c := i/(n*ch), i/ch%n, i%ch
		var s T
		for t := range g.k * g.k {
			s += x[(r*g.stride+t/g.k*g.dil)*xrow+(q*g.stride+t%g.k*g.dil)*ch+c] * w[t*ch+c]
		}
		y[r*yrow+q*ch+c] = s
	}
}

func defDWGrad[T Float](g dwShape, rows, n, ch int, dw []T, x []T, xrow int, dy []T, dyrow int) {
	for i := range rows * n * ch {
		r, q, c := i/(n*ch), i/ch%n, i%ch
		for t := range g.k * g.k {
			dw[t*ch+c] += x[(r*g.stride+t/g.k*g.dil)*xrow+(q*g.stride+t%g.k*g.dil)*ch+c] * dy[r*dyrow+q*ch+c]
		}
	}
}

func defSum[T Float](n, ch int, x, shift, s1, s2 []T) {
	for i := range n * ch {
		d := x[i] - shift[i%ch]
		s1[i%ch] += d
		s2[i%ch] += d * d
	}
}

func defGradSum[T Float](n, ch int, x, dy, mean, s1, s2 []T) {
	for i := range n * ch {
		s1[i%ch] += dy[i]
		s2[i%ch] += dy[i] * (x[i] - mean[i%ch])
	}
}

func defBNGrad[T Float](n, ch int, dx, x, dy, mean, a, b, k []T) {
	for i := range n * ch {
		c := i % ch
		dx[i] = a[c] * (dy[i] - b[c] - (x[i]-mean[c])*k[c])
	}
}

func defMaskAdd[T Float](n, ch int, dst, dy, add, x, a, b []T) {
	for i := range n * ch {
		c, g := i%ch, dy[i]
		if x != nil {
			v := x[i]
			if a != nil {
				v = a[c]*v + b[c]
			}
			if v <= 0 {
				g = 0
			}
		}
		if add != nil {
			g += add[i]
		}
		dst[i] = g
	}
}

func defCombine[T Float](n, ch int, dst, x, ax, bx, y, ay, by []T) {
	for i := range n * ch {
		c, v := i%ch, x[i]
		if ax != nil {
			v = ax[c]*v + bx[c]
		}
		if y != nil {
			u := y[i]
			if ay != nil {
				u = ay[c]*u + by[c]
			}
			v += u
		}
		dst[i] = v
	}
}

func defMaxPool[T Float](stride, n, ch int, y []T, idx []uint8, x []T, xrow int) {
	for i := range n * ch {
		q, c := i/ch, i%ch
		best, at := x[q*stride*ch+c], uint8(0)
		for t := 1; t < 9; t++ {
			if v := x[t/3*xrow+(q*stride+t%3)*ch+c]; v > best || v != v {
				best, at = v, uint8(t)
			}
		}
		y[i], idx[i] = best, at
	}
}

func defMaxPoolGrad[T Float](n, ch int, dx []T, dpx int, dy []T, idx []uint8, tap uint8) {
	for i := range n * ch {
		if idx[i] == tap {
			dx[i/ch*dpx+i%ch] += dy[i]
		}
	}
}
