package cpu

// DW is the shape of a depthwise convolution: x (N,H,W,C), w (K,K,C) and
// y (N,P,Q,C) with
//
//	y[n,p,q,c] = sum over r,s of w[r,s,c] * x[n, p*Stride-Pad+r*Dil, q*Stride-Pad+s*Dil, c]
//
// where x is zero outside the image. K is at most 7.
//
// The taps outside the image are left out, not multiplied by zero: an infinite
// weight makes no NaN there. All others count: NaN and Inf travel as IEEE 754
// says.
type DW struct{ N, H, W, C, K, Stride, Pad, Dil int }

// Out returns the height P and width Q of y; both are zero if the window is
// larger than the padded image.
func (d DW) Out() (P, Q int) {
	rows, cols := d.axes()
	return rows.out, cols.out
}

func (d DW) axes() (rows, cols axis) {
	if d.N < 0 || d.C < 0 {
		panic(badShape)
	}
	rows = newAxis(d.H, d.K, d.Stride, d.Pad, d.Dil)
	cols = newAxis(d.W, d.K, d.Stride, d.Pad, d.Dil)
	if rows.out == 0 || cols.out == 0 {
		rows.out, cols.out = 0, 0
	}
	return rows, cols
}

// forwardRows cuts the rows of y into chunks.
func (d DW) forwardRows(rows, cols axis, limit int) split {
	return splitBy(volume(d.N, rows.out), cols.out*d.C*d.K*d.K, limit)
}

// DepthwiseForward computes y from x and w. Each element is one sum over
// ascending taps. y must overlap neither x nor w.
func DepthwiseForward[T Float](p *Pool, d DW, x, w, y []T) {
	rows, cols := d.axes()
	need(x, d.N, d.H, d.W, d.C)
	need(w, d.K, d.K, d.C)
	need(y, d.N, rows.out, cols.out, d.C)
	if len(y) == 0 {
		return
	}
	pl := forwardPlan(rows, cols, d.C)
	defer pl.release()
	s := d.forwardRows(rows, cols, maxChunks)
	p.Run(s.chunks(), func(chunk int) {
		lo, hi := s.bounds(chunk)
		for i := lo; i < hi; i++ {
			n, o := i/rows.out, i%rows.out
			image := x[n*d.H*d.W*d.C:][:d.H*d.W*d.C]
			dwImageRow(pl, d.C, rows.forward(o), image, d.W, w, y[i*cols.out*d.C:][:cols.out*d.C])
		}
	})
}

// DepthwiseBackwardData computes dx (N,H,W,C), the gradient of x, from
// dy (N,P,Q,C) and w. It is a gather: each element of dx is one sum over
// ascending taps. dx must overlap neither dy nor w.
func DepthwiseBackwardData[T Float](p *Pool, d DW, dy, w, dx []T) {
	rows, cols := d.axes()
	need(dy, d.N, rows.out, cols.out, d.C)
	need(w, d.K, d.K, d.C)
	need(dx, d.N, d.H, d.W, d.C)
	if len(dx) == 0 {
		return
	}
	if len(dy) == 0 {
		clear(dx)
		return
	}
	pl := backwardPlan(rows, cols, d.C)
	defer pl.release()
	s := splitBy(volume(d.N, d.H), cols.out*d.C*d.K*d.K, maxChunks)
	p.Run(s.chunks(), func(chunk int) {
		lo, hi := s.bounds(chunk)
		for i := lo; i < hi; i++ {
			n, h := i/d.H, i%d.H
			image := dy[n*rows.out*cols.out*d.C:][:rows.out*cols.out*d.C]
			dwImageRow(pl, d.C, rows.backward(h), image, cols.out, w, dx[i*d.W*d.C:][:d.W*d.C])
		}
	})
}

// dwImageRow computes one row of y (width,ch) through the taps v of the row and
// those of each column in the plan. image is an image with rows of inWidth
// pixels, w holds k taps to a row.
func dwImageRow[T Float](pl *plan, ch int, v taps, image []T, inWidth int, w []T, y []T) {
	if v.n == 0 {
		clear(y)
		return
	}
	for _, r := range pl.runs {
		l := pl.list(v.n, r.taps.n)
		at := (v.base*inWidth + r.base) * ch
		dwRow(r.n, ch, y[r.first*ch:], pl.step*ch, image[at:], pl.baseStep*ch, l.x, w[(v.tap*pl.k+r.tap)*ch:], l.w)
	}
}

// DepthwiseBackwardWeights computes dw (K,K,C), the gradient of w, from x and
// dy. scratch has at least DepthwiseScratch(d) elements and is overwritten. The
// sum over pixels goes row by row and chunk by chunk, so the rounding error
// grows with W and the number of rows rather than with their product. dw and
// scratch must overlap nothing.
func DepthwiseBackwardWeights[T Float](p *Pool, d DW, x, dy, dw, scratch []T) {
	rows, cols := d.axes()
	need(x, d.N, d.H, d.W, d.C)
	need(dy, d.N, rows.out, cols.out, d.C)
	need(dw, d.K, d.K, d.C)
	partial := needScratch(scratch, DepthwiseScratch(d))
	s := d.forwardRows(rows, cols, maxPartials)
	if len(dy) == 0 {
		clear(dw)
		return
	}
	pl := forwardPlan(rows, cols, d.C)
	defer pl.release()
	if s.chunks() == 1 {
		partial = dw
	}
	p.Run(s.chunks(), func(chunk int) {
		part := partial[chunk*len(dw):][:len(dw)]
		clear(part)
		lo, hi := s.bounds(chunk)
		for i := lo; i < hi; i++ {
			n, o := i/rows.out, i%rows.out
			image := x[n*d.H*d.W*d.C:][:d.H*d.W*d.C]
			dwGradImageRow(pl, d.C, rows.forward(o), image, d.W, part, dy[i*cols.out*d.C:][:cols.out*d.C])
		}
	})
	if s.chunks() > 1 {
		addPartials(p, s.chunks(), partial, dw)
	}
}

// DepthwiseScratch returns the elements of scratch that DepthwiseBackwardWeights
// needs.
func DepthwiseScratch(d DW) int {
	rows, cols := d.axes()
	chunks := d.forwardRows(rows, cols, maxPartials).chunks()
	if chunks <= 1 {
		return 0
	}
	return volume(chunks, d.K, d.K, d.C)
}

// dwGradImageRow adds to dw what one row of dy contributes.
func dwGradImageRow[T Float](pl *plan, ch int, v taps, image []T, inWidth int, dw, dy []T) {
	if v.n == 0 {
		return
	}
	for _, r := range pl.runs {
		if r.taps.n == 0 {
			continue
		}
		l := pl.list(v.n, r.taps.n)
		at := (v.base*inWidth + r.base) * ch
		dwGradRow(r.n, ch, dw[(v.tap*pl.k+r.tap)*ch:], l.w, image[at:], pl.baseStep*ch, l.x, dy[r.first*ch:], pl.step*ch)
	}
}
