package cpu

// The gradient of a convolution's input is a convolution of its output's gradient: input
// pixel y sees output pixel (y+pad-k)/Stride through every tap k for which that is
// whole. Pixels with the same remainder of y+pad see the same taps, so for each
// remainder there is a product of windows of the output's gradient, in an image with
// a border of zeros, with the weights of these taps.

// gradClass is a remainder in one direction.
type gradClass struct {
	first, count int // of its pixels, stride apart
	taps, tap    int // how many, and which is the first: they go down, stride apart
	from         int // of the padded gradient, where the first pixel's taps begin
}

// gradLead and gradTrail are the border of the output's gradient in one direction.
func gradLead(k, stride int) int { return max(0, ceilDiv(k, stride)-1-(k-1)/2/stride) }

func gradTrail(size, k, stride int) int {
	return (size-1+(k-1)/2)/stride - (ceilDiv(size, stride) - 1)
}

// gradClassOf is remainder rest of size pixels under k taps.
func gradClassOf(rest, size, k, stride int) gradClass {
	pad := (k - 1) / 2
	c := gradClass{first: (rest + (stride-1)*pad) % stride} // first + pad leaves rest
	if c.first < size {
		c.count = ceilDiv(size-c.first, stride)
	}
	if rest < k {
		c.taps = ceilDiv(k-rest, stride)
	}
	c.tap = rest + stride*(c.taps-1)
	c.from = (c.first+pad-rest)/stride - (c.taps - 1) + gradLead(k, stride)
	return c
}

// class is remainder p of the rows and q of the columns.
func (o *Conv2D[T]) class(p, q int) (rows, cols gradClass) {
	return gradClassOf(p, o.H, o.R, o.StrideH), gradClassOf(q, o.W, o.S, o.StrideW)
}

// gradWindow is the window of a class in the padded gradient of the output.
func (o *Conv2D[T]) gradWindow(r, c gradClass) windows {
	_, n := o.padded()
	s := windows{taps: r.taps, seg: c.taps * o.Cout, c: o.Cin, row: n * o.Cout, px: o.Cout, tap: n * o.Cout}
	return s.cut(r.count, c.count)
}

// conv2DMemory is the scratch memory of a chunk of the backward pass, in elements.
type conv2DMemory struct{ band, cols, dz, up, g, dx int }

func (m conv2DMemory) total() int { return m.band + m.cols + m.dz + m.up + m.g + m.dx }

// padded is the image of the output's gradient with its border.
func (o *Conv2D[T]) padded() (rows, n int) {
	ho, wo := o.out()
	return gradLead(o.R, o.StrideH) + ho + gradTrail(o.H, o.R, o.StrideH), gradLead(o.S, o.StrideW) + wo + gradTrail(o.W, o.S, o.StrideW)
}

// dense says that there is one class, whose pixels lie side by side.
func (o *Conv2D[T]) dense() bool { return o.StrideH == 1 && o.StrideW == 1 }

// gradRows is how many input rows become ready together, a multiple of the stride.
func (o *Conv2D[T]) gradRows() int {
	s := o.StrideH
	return min(max(bandLen/4/(o.W*o.Cin)/s, 1), ceilDiv(o.H, s)) * s
}

func (o *Conv2D[T]) backwardMemory(input bool) (m conv2DMemory) {
	win := o.window()
	_, m.band = o.band()
	m.cols, m.dz = win.memory(), win.tr*win.tn*o.Cout
	if !input {
		return m
	}
	rows, n := o.padded()
	m.up = rows * n * o.Cout
	if !o.dense() {
		m.dx = o.gradRows() * o.W * o.Cin
	}
	for p := range o.StrideH {
		for q := range o.StrideW {
			r, c := o.class(p, q)
			win := o.gradWindow(r, c)
			m.cols, m.g = max(m.cols, win.memory()), max(m.g, win.tr*win.tn*o.Cin)
		}
	}
	return m
}

// turn writes to wT, class by class, the weights of its taps in the order in which a
// window has them, each (Cout,Cin).
func (o *Conv2D[T]) turn(wT []T) {
	size := o.Cin * o.Cout
	for p := range o.StrideH {
		for q := range o.StrideW {
			r, c := o.class(p, q)
			for u := range r.taps {
				for v := range c.taps {
					tap := (r.tap-u*o.StrideH)*o.S + c.tap - v*o.StrideW
					transpose(o.Cin, o.Cout, o.Weights[tap*size:][:size], take(&wT, size))
				}
			}
		}
	}
}

type conv2DBackwardJob[T Float] struct {
	*Conv2D[T]
	e    *Engine[T]
	work partition
	dy   []T
	part []T
	wT   []T // see turn
}

// Conv2DBackward computes the gradients of the weights, of the normalisation and of
// X from dy, the gradient of the output, normalised if it is.
func (e *Engine[T]) Conv2DBackward(o *Conv2D[T], dy []T) {
	ho, wo := o.out()
	need(dy, o.N, ho, wo, o.Cout)
	need(o.DWeights, len(o.Weights))
	if o.DX.DX != nil {
		need(o.DX.DX, o.N, o.H, o.W, o.Cin)
	}
	if !o.NoNorm {
		need(o.Z, len(dy))
		e.normBackward(&o.Norm, o.N, ho*wo, o.Cout, o.Z, dy)
	}
	j := job[conv2DBackwardJob[T]](e)
	*j = conv2DBackwardJob[T]{Conv2D: o, e: e, work: imagePartition(o.N), dy: dy}
	chunks, size := j.work.chunks(), len(o.Weights)
	mem := e.partials(chunks+1, size)
	j.part, j.wT = mem[:chunks*size], mem[chunks*size:]
	if o.DX.DX != nil {
		o.turn(j.wT)
	}
	e.pool.Do(chunks, j)
	e.reduce(o.DWeights, j.part, chunks, size, 0)
}

func (j *conv2DBackwardJob[T]) Chunk(worker, chunk int) {
	size := len(j.Weights)
	m := j.backwardMemory(j.DX.DX != nil)
	mem := j.e.scratch(worker, m.total())
	band, cols, dz := take(&mem, m.band), take(&mem, m.cols), take(&mem, m.dz)
	up, g, dx := take(&mem, m.up), take(&mem, m.g), take(&mem, m.dx)
	clear(band) // the borders stay zero
	clear(up)
	lo, hi := j.work.bounds(chunk)
	for n := lo; n < hi; n++ {
		j.weights(n, band, cols, dz, up, j.part[chunk*size:][:size])
		switch {
		case j.DX.DX == nil:
		case j.dense():
			j.pixels(n, cols, up, g)
		default:
			j.input(n, cols, up, g, dx)
		}
	}
}

// weights adds what image n contributes to the gradient of the weights, dw. It writes the
// gradient of the output into the padded image up, if there is one.
func (j *conv2DBackwardJob[T]) weights(n int, band, cols, dz, up, dw []T) {
	ho, wo := j.out()
	win, c := j.window(), j.Cout
	rows, _ := j.band()
	_, un := j.padded()
	inner := (gradLead(j.R, j.StrideH)*un + gradLead(j.S, j.StrideW)) * c
	for r := 0; r < ho; r += rows {
		held := min(rows, ho-r)
		j.e.loadBand(j.Conv2D, n, r, held, band)
		for y := 0; y < held; y += win.tr {
			for q := 0; q < wo; q += win.tn {
				ys, qs := min(win.tr, held-y), min(win.tn, wo-q)
				at := ((n*ho+r+y)*wo + q) * c
				d, drow := j.dy[at:][:ys*qs*c], qs*c
				var padded []T // where d belongs in up
				if len(up) > 0 {
					padded = up[inner+((r+y)*un+q)*c:]
				}
				switch {
				case padded != nil && !win.copied: // read from there
					j.padGrad(ys, qs, padded, un*c, at)
					d, drow = padded, un*c
				case !j.NoNorm:
					j.e.gradZ(&j.Norm, ys*qs, c, dz, j.Z[at:], d)
					d = dz
				}
				j.e.convolveAT(win, ys, qs, dw, band[y*win.row+q*win.px:], d, drow, cols)
				if padded != nil && win.copied {
					j.e.k.affine(ys, 1, qs*c, padded, un*c, qs*c, d, drow, qs*c, nil, nil, false)
				}
			}
		}
	}
}

// padGrad writes the gradient of rows by n pixels of the output from at on to dst, rows
// row apart; there are several only where they are whole.
func (j *conv2DBackwardJob[T]) padGrad(rows, n int, dst []T, row, at int) {
	size := n * j.Cout
	if j.NoNorm {
		j.e.k.affine(rows, 1, size, dst, row, size, j.dy[at:], size, size, nil, nil, false)
		return
	}
	for i := range rows {
		j.e.gradZ(&j.Norm, n, j.Cout, dst[i*row:], j.Z[at+i*size:], j.dy[at+i*size:])
	}
}

// pixels computes the gradient of image n of the input strip by strip, where the pixels of
// a strip lie side by side.
func (j *conv2DBackwardJob[T]) pixels(n int, cols, up, g []T) {
	r, c := j.class(0, 0)
	win := j.gradWindow(r, c)
	for i := 0; i < j.H; i += win.tr {
		for q := 0; q < j.W; q += win.tn {
			is, qs := min(win.tr, j.H-i), min(win.tn, j.W-q)
			j.e.convolve(win, is, qs, g, up[(r.from+i)*win.row+(c.from+q)*win.px:], j.wT, cols)
			lo := ((n*j.H+i)*j.W + q) * j.Cin
			hi := lo + is*qs*j.Cin
			j.e.pullback(j.F, is*qs, j.Cin, j.DX.DX[lo:hi], g, j.DX.added(lo, hi), j.X.X[lo:hi], j.X.Scale, j.X.Shift)
		}
	}
}

// input computes the gradient of image n of the input, some rows at a time.
func (j *conv2DBackwardJob[T]) input(n int, cols, up, g, dx []T) {
	row, step := j.W*j.Cin, j.gradRows()
	for y := 0; y < j.H; y += step {
		rows := min(step, j.H-y)
		wT := j.wT
		for p := range j.StrideH {
			for q := range j.StrideW {
				r, c := j.class(p, q)
				j.product(r, c, y, rows, take(&wT, r.taps*c.taps*j.Cout*j.Cin), cols, up, g, dx)
			}
		}
		lo := (n*j.H + y) * row
		hi := lo + rows*row
		j.e.pullback(j.F, rows*j.W, j.Cin, j.DX.DX[lo:hi], dx, j.DX.added(lo, hi), j.X.X[lo:hi], j.X.Scale, j.X.Shift)
	}
}

// product writes the pixels of a class among rows rows from y on to dx, where these
// rows are.
func (j *conv2DBackwardJob[T]) product(r, c gradClass, y, rows int, w, cols, up, g, dx []T) {
	cin := j.Cin
	win := j.gradWindow(r, c)
	first, count := y/j.StrideH, ceilDiv(max(rows-r.first, 0), j.StrideH)
	for i := 0; i < count; i += win.tr {
		for q := 0; q < c.count; q += win.tn {
			is, qs := min(win.tr, count-i), min(win.tn, c.count-q)
			if win.depth() == 0 {
				clear(g[:is*qs*cin]) // no tap sees these pixels
			} else {
				j.e.convolve(win, is, qs, g, up[(r.from+first+i)*win.row+(c.from+q)*win.px:], w, cols)
			}
			j.e.k.affine(is, qs, cin, dx[((i*j.StrideH+r.first)*j.W+q*j.StrideW+c.first)*cin:], j.StrideH*j.W*cin, j.StrideW*cin, g, qs*cin, cin, nil, nil, false)
		}
	}
}
