package cpu

// Conv2D is an activation, RxS convolution, batch normalisation. R and S are odd;
// the padding, zero behind the activation, keeps ceil(H/StrideH) by ceil(W/StrideW).
type Conv2D[T Float] struct {
	N, H, W, Cin, Cout     int
	R, S, StrideH, StrideW int
	F                      Activation // before the convolution
	NoNorm                 bool       // Z is the output itself
	X                      Act[T]     // (N,H,W,Cin)
	Weights                []T        // (R,S,Cin,Cout)
	Z                      []T        // (N,Ho,Wo,Cout), raw output; with NoNorm backward does not read it
	Norm                   Norm[T]    // not used with NoNorm
	DWeights               []T        // backward: gradient of Weights
	DX                     Out[T]     // backward: gradient of X; DX nil: not wanted
}

// A convolution is a product of its weights with the windows of its input in a padded band
// of rows: a window is R pieces of S*Cin neighbours, at any stride. So is the gradient
// of its input, see gradClass.

func (o *Conv2D[T]) out() (ho, wo int) { return ceilDiv(o.H, o.StrideH), ceilDiv(o.W, o.StrideW) }

// depth is the length of a window.
func (o *Conv2D[T]) depth() int { return o.R * o.S * o.Cin }

// paddedRow is the length of an input row with its padding.
func (o *Conv2D[T]) paddedRow() int { return (o.W + o.S - 1) * o.Cin }

// bandLen is about how many elements a band of padded rows has.
const bandLen = 1 << 16

// band is how many output rows share a padded band, and how long that is.
func (o *Conv2D[T]) band() (rows, size int) {
	ho, _ := o.out()
	prow := o.paddedRow()
	tr := o.window().tr
	rows = min(max(bandLen/max(o.StrideH*prow, 1)/tr, 1)*tr, ho)
	return rows, ((rows-1)*o.StrideH + o.R) * prow
}

// loadBand fills a band for the output rows from r to r+rows of image n. Its left and
// right borders are zero already.
func (e *Engine[T]) loadBand(o *Conv2D[T], n, r, rows int, band []T) {
	row, prow := o.W*o.Cin, o.paddedRow()
	from := r*o.StrideH - (o.R-1)/2 // of the image, at the band's row 0
	end := from + (rows-1)*o.StrideH + o.R
	lo, hi := max(from, 0), min(end, o.H)
	clear(band[:(lo-from)*prow])
	clear(band[(hi-from)*prow : (end-from)*prow])
	px, ch := o.W, o.Cin
	if o.X.Scale == nil {
		px, ch = 1, row // nothing depends on the channel
	}
	e.activate(o.F, hi-lo, px, ch, band[(lo-from)*prow+(o.S-1)/2*o.Cin:], prow, ch, o.X.X[(n*o.H+lo)*row:], row, ch, o.X.Scale, o.X.Shift)
}

// windows are those of rows of pixels in a padded image, with taps pieces of seg elements
// each. Pixels are px elements apart, rows row and the pieces of a window tap. Each
// meets weights (taps*seg,c).
type windows struct {
	taps, seg, c int
	row, px, tap int
	tr, tn       int  // rows and pixels of a row that go through the kernels together
	copied       bool // the pieces of a window side by side first
}

func (s windows) depth() int { return s.taps * s.seg }

// memory is the scratch memory of a strip in elements.
func (s windows) memory() int {
	if s.copied {
		return s.tr * s.tn * s.depth()
	}
	return 0
}

// cut chooses the strips of rows by n pixels; one of several rows has whole ones. Where
// rows are long enough for a product, the pieces of the windows are multiplied where they
// are. Chosen by experiment, see BenchmarkConv2D.
func (s windows) cut(rows, n int) windows {
	const width, copies = 112, 1 << 13 // pixels; elements of windows
	s.copied = n < 12 || s.taps > 1 && s.seg < 8
	most := width
	if s.copied {
		most = max(copies/max(s.depth(), s.c)/48*48, 64) // whole tiles of gemm; images of 8x8 pixels
	}
	s.tr, s.tn = 1, n
	if n > most {
		s.tn = ceilDiv(ceilDiv(n, ceilDiv(n, most)), 16) * 16
	} else if rows > 0 && n > 0 {
		together := most / n
		if !s.copied {
			together = stripRows(n*s.c, rows)
		}
		s.tr = ceilDiv(rows, ceilDiv(rows, together))
	}
	return s
}

// window describes the windows of the convolution in a band.
func (o *Conv2D[T]) window() windows {
	prow := o.paddedRow()
	s := windows{taps: o.R, seg: o.S * o.Cin, c: o.Cout, row: o.StrideH * prow, px: o.StrideW * o.Cin, tap: prow}
	return s.cut(o.out())
}

// copyWindows copies rows by n windows side by side, (rows,n,depth).
func (e *Engine[T]) copyWindows(s windows, rows, n int, dst, src []T) {
	depth := s.depth()
	for i := range rows {
		e.k.affine(s.taps, n, s.seg, dst[i*n*depth:], s.seg, depth, src[i*s.row:], s.tap, s.px, nil, nil, false)
	}
}

// convolve computes z (rows,n,c), the products of rows by n windows with w.
func (e *Engine[T]) convolve(s windows, rows, n int, z, src, w, mem []T) {
	c := s.c
	if s.copied {
		depth := s.depth()
		e.copyWindows(s, rows, n, mem, src)
		e.k.gemm(rows*n, depth, c, mem, depth, w, c, z, c)
		return
	}
	for i := range rows {
		e.k.gemmTaps(n, s.taps, s.seg, c, src[i*s.row:], s.px, s.tap, w, c, z[i*n*c:], c)
	}
}

// convolveAT adds to dw the products of rows by n windows, transposed, with dz
// (rows,n,c), whose rows are drow apart where the windows are not copied.
func (e *Engine[T]) convolveAT(s windows, rows, n int, dw, src, dz []T, drow int, mem []T) {
	c := s.c
	if s.copied {
		depth := s.depth()
		e.copyWindows(s, rows, n, mem, src)
		e.k.gemmAT(rows*n, depth, c, mem, depth, dz, c, dw, c)
		return
	}
	for i := range rows {
		for u := range s.taps {
			e.k.gemmAT(n, s.seg, c, src[i*s.row+u*s.tap:], s.px, dz[i*drow:], c, dw[u*s.seg*c:], c)
		}
	}
}

type conv2DForwardJob[T Float] struct {
	*Conv2D[T]
	e    *Engine[T]
	work partition
	st   []T
}

// Conv2DForward computes Z, and the statistics and the coefficients of the
// normalisation.
func (e *Engine[T]) Conv2DForward(o *Conv2D[T]) {
	ho, wo := o.out()
	need(o.X.X, o.N, o.H, o.W, o.Cin)
	need(o.Weights, o.R, o.S, o.Cin, o.Cout)
	need(o.Z, o.N, ho, wo, o.Cout)
	j := job[conv2DForwardJob[T]](e)
	*j = conv2DForwardJob[T]{Conv2D: o, e: e, work: e.forwardPartition(o.N, o.Norm.Batch)}
	chunks := j.work.chunks()
	if o.NoNorm {
		e.pool.Do(chunks, j)
		return
	}
	if o.Norm.Batch {
		j.st = e.partials(chunks, statLen(o.Cout))
	}
	e.pool.Do(chunks, j)
	o.Norm.finish(o.Cout, chunks, func(c int) int { lo, hi := j.work.bounds(c); return (hi - lo) * ho * wo }, j.st, statLen(o.Cout))
}

func (j *conv2DForwardJob[T]) Chunk(worker, chunk int) {
	ho, wo := j.out()
	win := j.window()
	rows, size := j.band()
	mem := j.e.scratch(worker, size+win.memory())
	band := take(&mem, size)
	clear(band) // the borders stay zero
	first := true
	lo, hi := j.work.bounds(chunk)
	for i := lo * ho; i < hi*ho; {
		n, r := i/ho, i%ho
		held := min(rows, ho-r)
		j.e.loadBand(j.Conv2D, n, r, held, band)
		for y := 0; y < held; y += win.tr {
			for q := 0; q < wo; q += win.tn {
				ys, qs := min(win.tr, held-y), min(win.tn, wo-q)
				z := j.Z[((i+y)*wo+q)*j.Cout:][:ys*qs*j.Cout]
				j.e.convolve(win, ys, qs, z, band[y*win.row+q*win.px:], j.Weights, mem)
				if j.st != nil {
					j.e.stats(first, ys*qs, j.Cout, z, j.st[chunk*statLen(j.Cout):])
				}
				first = false
			}
		}
		i += held
	}
}

// Scratch is the memory of Conv2DForward and Conv2DBackward; input says that the gradient
// of X is wanted.
func (o *Conv2D[T]) Scratch(input bool) Scratch {
	s := Scratch{Worker: o.backwardMemory(input).total(), Partial: (imagePartition(o.N).chunks() + 1) * o.depth() * o.Cout}
	if o.NoNorm {
		return s
	}
	return normScratch(o.N, o.Cout).Max(s)
}
