package cpu

// AvgPoolForward computes y, the mean of the pixels of each window that lie
// inside the image (count_include_pad=False): their sum over ascending taps,
// times the rounded inverse of their number. NaN and Inf travel as IEEE 754
// says. y must not overlap x.
func AvgPoolForward[T Float](p *Pool, d Pool2D, x, y []T) {
	rows, cols := d.axes()
	need(x, d.N, d.H, d.W, d.C)
	need(y, d.N, rows.out, cols.out, d.C)
	if len(y) == 0 {
		return
	}
	pl := forwardPlan(rows, cols, d.C)
	defer pl.release()
	buf := buffers.Get().(*buffer)
	defer buffers.Put(buf)
	ones := fill(elements[T](buf, d.C), 1)
	s := d.split(d.N*rows.out, cols.out)
	p.Run(s.chunks(), func(chunk int) {
		lo, hi := s.bounds(chunk)
		for i := lo; i < hi; i++ {
			n, v := i/rows.out, rows.forward(i%rows.out)
			image := x[n*d.H*d.W*d.C:][:d.H*d.W*d.C]
			yr := y[i*cols.out*d.C:][:cols.out*d.C]
			for _, r := range pl.runs {
				dst := yr[r.first*d.C:][:r.n*d.C]
				at := (v.base*d.W + r.base) * d.C
				off := pl.list(v.n, r.taps.n).x
				dwRow(r.n, d.C, dst, d.C, image[at:], d.Stride*d.C, off, ones, sameWeights[:len(off)])
				scale := 1 / T(len(off))
				for j := range dst {
					dst[j] *= scale
				}
			}
		}
	})
}

// sameWeights is a list of weight offsets for dwRow that has one vector of
// weights for all taps.
var sameWeights [maxWindow * maxWindow]int

func fill[T Float](s []T, v T) []T {
	for i := range s {
		s[i] = v
	}
	return s
}

// AvgPoolBackward computes dx (N,H,W,C), the gradient of x, from dy (N,P,Q,C).
// It is a gather: each element of dx is one sum, over the rows of its windows
// and then over the columns. NaN and Inf travel as IEEE 754 says. dx must not
// overlap dy.
func AvgPoolBackward[T Float](p *Pool, d Pool2D, dy, dx []T) {
	rows, cols := d.axes()
	need(dy, d.N, rows.out, cols.out, d.C)
	need(dx, d.N, d.H, d.W, d.C)
	if len(dy) == 0 {
		clear(dx)
		return
	}
	across := backwardPlan(rows, cols, d.C)
	defer across.release()
	down := rowSumPlan(cols, d.C)
	defer down.release()
	width := cols.out * d.C
	s := d.split(d.N*d.H, d.W)
	p.Run(s.chunks(), func(chunk int) {
		buf := buffers.Get().(*buffer)
		defer buffers.Put(buf)
		b := elements[T](buf, d.C+width+d.K*d.K*d.C)
		ones, sum, weights := fill(b[:d.C], 1), b[d.C:][:width], b[d.C+width:]
		lo, hi := s.bounds(chunk)
		for i := lo; i < hi; i++ {
			v, dst := rows.backward(i%d.H), dx[i*d.W*d.C:][:d.W*d.C]
			if v.n == 0 {
				clear(dst)
				continue
			}
			image := dy[i/d.H*rows.out*width:][:rows.out*width]
			for _, r := range down.runs {
				l := down.list(v.n, 1)
				for j, at := range l.w { // each row of dy over the size of its windows
					fill(weights[at:][:d.C], 1/T(rows.forward(v.base+j).n*r.taps.n))
				}
				dwRow(r.n, d.C, sum[r.first*d.C:], d.C, image[v.base*width+r.first*d.C:], d.C, l.x, weights, l.w)
			}
			for _, r := range across.runs {
				off := across.list(1, r.taps.n).x
				dwRow(r.n, d.C, dst[r.first*d.C:], across.step*d.C, sum[r.base*d.C:], d.C, off, ones, sameWeights[:len(off)])
			}
		}
	})
}

// rowSumPlan describes a kernel that sums up to cols.k rows of outputs of axis
// cols. Its runs are outputs whose windows are equally wide.
func rowSumPlan(cols axis, ch int) *plan {
	pl := plans.Get().(*plan)
	pl.step, pl.baseStep = 1, 1
	pl.setRuns(cols.out, cols.forward)
	pl.setLists(cols.k, 1, 1, cols.out, 1, ch, false)
	return pl
}
