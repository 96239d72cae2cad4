package cpu

// GlobalAvgPool computes y (n,c), the mean over the pixels of x (n,pixels,c).
// The sum is taken in T over ascending pixels. With no pixels y is NaN. NaN and
// Inf travel as IEEE 754 says.
func GlobalAvgPool[T Float](p *Pool, n, pixels, c int, x, y []T) {
	need(x, n, pixels, c)
	need(y, n, c)
	s := splitBy(n, pixels*c, maxChunks)
	p.Run(s.chunks(), func(chunk int) {
		for i, end := s.bounds(chunk); i < end; i++ {
			yi, xi := y[i*c:][:c], x[i*pixels*c:][:pixels*c]
			clear(yi)
			addRows(pixels, xi, yi)
			for j := range yi {
				yi[j] /= T(pixels)
			}
		}
	})
}

// GlobalAvgPoolBackward computes dx (n,pixels,c), the gradient of x, from
// dy (n,c).
func GlobalAvgPoolBackward[T Float](p *Pool, n, pixels, c int, dy, dx []T) {
	need(dy, n, c)
	need(dx, n, pixels, c)
	s := splitBy(n, pixels*c, maxChunks)
	p.Run(s.chunks(), func(chunk int) {
		for i, end := s.bounds(chunk); i < end; i++ {
			g, image := dy[i*c:][:c], dx[i*pixels*c:][:pixels*c]
			if len(image) == 0 {
				continue
			}
			for j, v := range g {
				image[j] = v / T(pixels)
			}
			for o := c; o < len(image); o += c {
				copy(image[o:], image[:c])
			}
		}
	})
}

// addRows adds each of the rows of x (rows,len(y)) to y.
func addRows[T Float](rows int, x, y []T) {
	for r := range rows {
		addRow(y, y, x[r*len(y):][:len(y)])
	}
}

// AddBias adds bias (c) to each row of x (rows,c).
func AddBias[T Float](p *Pool, rows, c int, x, bias []T) {
	need(x, rows, c)
	need(bias, c)
	s := splitBy(rows, c, maxChunks)
	p.Run(s.chunks(), func(chunk int) {
		for r, end := s.bounds(chunk); r < end; r++ {
			row := x[r*c:][:c]
			addRow(row, row, bias)
		}
	})
}

// ColumnSums computes out (c), the sum of the rows of x (rows,c): the gradient
// of a bias. scratch has at least ColumnSumsScratch(rows,c) elements and is
// overwritten. The sum is taken in T, chunk by chunk. NaN and Inf travel as
// IEEE 754 says. out and scratch must overlap nothing.
func ColumnSums[T Float](p *Pool, rows, c int, x, out, scratch []T) {
	need(x, rows, c)
	need(out, c)
	partial := needScratch(scratch, ColumnSumsScratch(rows, c))
	s := splitBy(rows, c, maxPartials)
	if s.chunks() <= 1 {
		clear(out)
		addRows(rows, x, out)
		return
	}
	p.Run(s.chunks(), func(chunk int) {
		lo, hi := s.bounds(chunk)
		part := partial[chunk*c:][:c]
		clear(part)
		addRows(hi-lo, x[lo*c:], part)
	})
	addPartials(p, s.chunks(), partial, out)
}

// ColumnSumsScratch returns the elements of scratch that ColumnSums needs.
func ColumnSumsScratch(rows, c int) int {
	volume(rows, c)
	if chunks := splitBy(rows, c, maxPartials).chunks(); chunks > 1 {
		return volume(chunks, c)
	}
	return 0
}
