package cpu

const badPoolPad = "cpu: pool padding is more than half the window"

// Pool2D is the shape of a max or average pool with square windows: x (N,H,W,C)
// and y (N,P,Q,C). K is at most 7, Pad at most K/2, so that every window holds
// at least one pixel.
type Pool2D struct{ N, H, W, C, K, Stride, Pad int }

// Out returns the height P and width Q of y; both are zero if the window is
// larger than the padded image.
func (d Pool2D) Out() (P, Q int) {
	rows, cols := d.axes()
	return rows.out, cols.out
}

func (d Pool2D) axes() (rows, cols axis) {
	if 2*d.Pad > d.K {
		panic(badPoolPad)
	}
	return DW{d.N, d.H, d.W, d.C, d.K, d.Stride, d.Pad, 1}.axes()
}

// split cuts n rows of d into chunks.
func (d Pool2D) split(n, width int) split {
	return splitBy(n, width*d.C*d.K*d.K, maxChunks)
}

// MaxPoolForward computes y, the maximum of each window, and idx (N,P,Q,C), the
// tap r*K+s it came from. The first of equal values wins (-0 equals +0). A NaN
// wins over any number, the last NaN of a window is taken, as torch does. y and
// idx must not overlap x.
func MaxPoolForward[T Float](p *Pool, d Pool2D, x, y []T, idx []uint8) {
	rows, cols := d.axes()
	need(x, d.N, d.H, d.W, d.C)
	need(y, d.N, rows.out, cols.out, d.C)
	need(idx, d.N, rows.out, cols.out, d.C)
	if len(y) == 0 {
		return
	}
	pl := forwardPlan(rows, cols, d.C)
	defer pl.release()
	s := d.split(d.N*rows.out, cols.out)
	p.Run(s.chunks(), func(chunk int) {
		lo, hi := s.bounds(chunk)
		for i := lo; i < hi; i++ {
			n, v := i/rows.out, rows.forward(i%rows.out)
			image := x[n*d.H*d.W*d.C:][:d.H*d.W*d.C]
			yr, ir := y[i*cols.out*d.C:][:cols.out*d.C], idx[i*cols.out*d.C:][:cols.out*d.C]
			for _, r := range pl.runs {
				l := pl.list(v.n, r.taps.n)
				at := (v.base*d.W + r.base) * d.C
				maxRow(r.n, d.C, yr[r.first*d.C:], ir[r.first*d.C:], d.C, image[at:], d.Stride*d.C, l.x, uint8(v.tap*d.K+r.tap), l.tap)
			}
		}
	})
}

// MaxPoolBackward computes dx (N,H,W,C), the gradient of x, from dy (N,P,Q,C)
// and the idx that MaxPoolForward wrote: each dy is added to the element of dx
// it came from, in ascending order of p and q. It panics, or adds to another
// element of the image, if idx is not what MaxPoolForward wrote. dx must not
// overlap dy.
func MaxPoolBackward[T Float](p *Pool, d Pool2D, dy []T, idx []uint8, dx []T) {
	rows, cols := d.axes()
	need(dy, d.N, rows.out, cols.out, d.C)
	need(idx, d.N, rows.out, cols.out, d.C)
	need(dx, d.N, d.H, d.W, d.C)
	out, size := rows.out*cols.out*d.C, d.H*d.W*d.C
	s := splitBy(d.N, size+4*out, maxChunks)
	p.Run(s.chunks(), func(chunk int) {
		var offset [256]int // of each tap; indexed by a byte, so it needs no check
		for t := range d.K * d.K {
			offset[t] = (t/d.K*d.W + t%d.K) * d.C
		}
		lo, hi := s.bounds(chunk)
		for n := lo; n < hi; n++ {
			image := dx[n*size:][:size]
			clear(image)
			for o := range rows.out * cols.out {
				at := ((o/cols.out*d.Stride-d.Pad)*d.W + o%cols.out*d.Stride - d.Pad) * d.C
				from := n*out + o*d.C
				g, taps := dy[from:][:d.C], idx[from:][:d.C]
				for c, v := range g {
					image[at+c+offset[taps[c]]] += v
				}
			}
		}
	})
}
