package pixels

// filters are those of one plane, or of several of the same size.
type filters struct {
	x across
	y axis
	// Row and column of the plane where the box starts.
	y0, x0 int
}

// across is the filter within a row, also in the form that assembly reads.
type across struct {
	axis
	channels int
	gather   gather
}

// set computes the filters of a box. subY and subX are how many pixels of the image a value of
// the plane covers.
func (f *filters) set(box Rect, channels, subY, subX, outH, outW int, window Rect) {
	var keyY, keyX axisKey
	f.y0, keyY = axisOf(box.Y0, box.Y1, subY, outH, window.Y0, window.Y1)
	f.x0, keyX = axisOf(box.X0, box.X1, subX, outW, window.X0, window.X1)
	f.y.set(keyY)
	if f.x.set(keyX) || f.x.channels != channels {
		f.x.channels = channels
		f.x.gather.set(&f.x.axis, channels)
	}
}

// axisOf returns the first value of a plane that a box of pixels lo <= i < hi touches, and
// what the filter depends on. A value covers sub pixels, and its centre is theirs.
func axisOf(lo, hi, sub, out, from, to int) (start int, key axisKey) {
	start = lo / sub
	return start, axisKey{
		in0: float64(lo)/float64(sub) - float64(start),
		in1: float64(hi)/float64(sub) - float64(start),
		in:  (hi+sub-1)/sub - start,
		out: out, lo: from, hi: to,
	}
}

// A pass resamples one plane, a row of the window at a time. Rows of the plane are
// resampled across as they are needed, and kept while the rows that come use them.
type pass struct {
	pix       []uint8
	pixStride int
	*filters
	width int // bytes of a resampled row
	loops loops

	rows      []uint8 // (capacity+1, stride): resampled rows base <= row < end
	stride    int     // width rounded up to a multiple of 32
	base, end int
	capacity  int
}

// keepRows is how many resampled rows there is room for at least, so that rows move to the
// front seldom. 64 rows of 224 RGB pixels are 43 KB.
const keepRows = 64

// start prepares for a plane, whose rows are stride bytes apart.
func (p *pass) start(pix []uint8, stride int, f *filters) {
	p.pix, p.pixStride, p.filters = pix, stride, f
	p.width = len(f.x.first) * f.x.channels
	p.stride = (p.width + 31) &^ 31
	first, _ := f.y.filter(0)
	p.base, p.end = first, first
	p.capacity = max(keepRows, f.y.taps)
	p.rows = grow(p.rows, (p.capacity+1)*p.stride)
}

// row computes row i of the window. Rows are asked for in order.
func (p *pass) row(dst []uint8, i int) {
	first, coef := p.y.filter(i)
	p.fill(first, first+len(coef))
	p.loops.vertical(dst, p.rows[(first-p.base)*p.stride:], p.stride, coef)
}

// fill sees to it that rows first <= row < end are there.
func (p *pass) fill(first, end int) {
	if end-p.base > p.capacity {
		if first < p.end {
			copy(p.rows, p.rows[(first-p.base)*p.stride:(p.end-p.base)*p.stride])
		}
		p.base = first
	}
	for p.end = max(p.end, p.base); p.end < end; p.end++ {
		at := (p.y0+p.end)*p.pixStride + p.x0*p.x.channels
		p.loops.horizontal(p.rows[(p.end-p.base)*p.stride:], p.pix[at:], &p.x)
	}
}
