package cpu

// The stem is a convolution with 3x3 windows, stride 1 and padding 1, of
// x (n,h,w,cin) with weights wt (3,3,cin,cout) to y (n,h,w,cout). Each image row
// is unrolled to a matrix (w,9*cin), zeros where a window leaves the image, and
// multiplied by the weights as a matrix (9*cin,cout). An infinite weight thus
// makes NaN at the border; otherwise NaN and Inf travel as IEEE 754 says.

// stemSplit cuts the image rows into chunks.
func stemSplit(n, h, w, cin, cout int) split {
	return splitBy(volume(n, h), w*9*cin*cout, maxPartials)
}

// StemScratch returns the elements of scratch that each of the stem kernels
// needs.
func StemScratch(n, h, w, cin, cout int) int {
	volume(n, h, w, cin)
	volume(n, h, w, cout)
	chunks := stemSplit(n, h, w, cin, cout).chunks()
	return volume(max(chunks, 1), 9*cin, w+cout) + volume(9*cin, cout)
}

// StemForward computes y from x and wt. scratch has at least StemScratch
// elements and is overwritten. y and scratch must overlap nothing.
func StemForward[T Float](p *Pool, n, h, w, cin, cout int, x, wt, y, scratch []T) {
	need(x, n, h, w, cin)
	need(wt, 3, 3, cin, cout)
	need(y, n, h, w, cout)
	scratch = needScratch(scratch, StemScratch(n, h, w, cin, cout))
	if len(y) == 0 {
		return
	}
	k := 9 * cin
	s := stemSplit(n, h, w, cin, cout)
	p.Run(s.chunks(), func(chunk int) {
		cols := scratch[chunk*w*k:][:w*k]
		for r, end := s.bounds(chunk); r < end; r++ {
			unrollRow(h, w, cin, x[r/h*h*w*cin:][:h*w*cin], r%h, cols)
			gemmRows(w, k, cout, cols, k, wt, cout, y[r*w*cout:], cout, false)
		}
	})
}

// StemBackwardWeights computes dw (3,3,cin,cout), the gradient of wt, from x and
// dy (n,h,w,cout). scratch has at least StemScratch elements and is overwritten.
// dw and scratch must overlap nothing.
func StemBackwardWeights[T Float](p *Pool, n, h, w, cin, cout int, x, dy, dw, scratch []T) {
	need(x, n, h, w, cin)
	need(dy, n, h, w, cout)
	need(dw, 3, 3, cin, cout)
	scratch = needScratch(scratch, StemScratch(n, h, w, cin, cout))
	k := 9 * cin
	s := stemSplit(n, h, w, cin, cout)
	partial, unrolled := scratch[:s.chunks()*k*cout], scratch[s.chunks()*k*cout:]
	if len(dw) == 0 {
		return
	}
	p.Run(s.chunks(), func(chunk int) {
		part, cols := partial[chunk*k*cout:][:k*cout], unrolled[chunk*w*k:][:w*k]
		clear(part)
		for r, end := s.bounds(chunk); r < end; r++ {
			unrollRow(h, w, cin, x[r/h*h*w*cin:][:h*w*cin], r%h, cols)
			gemmATRows(w, k, cout, cols, k, dy[r*w*cout:], cout, part, cout)
		}
	})
	addPartials(p, s.chunks(), partial, dw)
}

// StemBackwardData computes dx (n,h,w,cin), the gradient of x, from dy and wt.
// scratch has at least StemScratch elements and is overwritten. dx and scratch
// must overlap nothing.
func StemBackwardData[T Float](p *Pool, n, h, w, cin, cout int, dy, wt, dx, scratch []T) {
	need(dy, n, h, w, cout)
	need(wt, 3, 3, cin, cout)
	need(dx, n, h, w, cin)
	scratch = needScratch(scratch, StemScratch(n, h, w, cin, cout))
	if len(dx) == 0 {
		return
	}
	k := 9 * cin
	wtT, unrolled := scratch[:k*cout], scratch[k*cout:]
	transpose(k, cout, wt, wtT)
	s := splitBy(n, h*w*k*cout, stemSplit(n, h, w, cin, cout).chunks()) // an image is written by one chunk
	p.Run(s.chunks(), func(chunk int) {
		cols := unrolled[chunk*w*k:][:w*k]
		for i, end := s.bounds(chunk); i < end; i++ {
			image := dx[i*h*w*cin:][:h*w*cin]
			clear(image)
			for r := range h {
				gemmRows(w, cout, k, dy[(i*h+r)*w*cout:], cout, wtT, k, cols, k, false)
				foldRow(h, w, cin, image, r, cols)
			}
		}
	})
}

// unrollRow writes the windows of row r of an image (h,w,c) to cols (w,3,3,c).
func unrollRow[T Float](h, w, c int, image []T, r int, cols []T) {
	k := 9 * c
	for i := range 3 {
		src := r + i - 1
		if src < 0 || src >= h {
			for q := range w {
				clear(cols[q*k+i*3*c:][:3*c])
			}
			continue
		}
		row := image[src*w*c:][:w*c]
		for q := range w {
			dst := cols[q*k+i*3*c:][:3*c]
			switch {
			case q > 0 && q < w-1:
				copy(dst, row[(q-1)*c:][:3*c])
			default:
				clear(dst)
				lo, hi := max(q-1, 0), min(q+2, w)
				copy(dst[(lo-q+1)*c:], row[lo*c:hi*c])
			}
		}
	}
}

// foldRow adds cols, laid out as by unrollRow, to the pixels they came from.
func foldRow[T Float](h, w, c int, image []T, r int, cols []T) {
	k := 9 * c
	for i := range 3 {
		at := r + i - 1
		if at < 0 || at >= h {
			continue
		}
		row := image[at*w*c:][:w*c]
		for q := range w {
			lo, hi := max(q-1, 0), min(q+2, w)
			src := cols[q*k+(i*3+lo-q+1)*c:]
			for j := range row[lo*c : hi*c] {
				row[lo*c+j] += src[j]
			}
		}
	}
}
