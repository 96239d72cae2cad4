package cpu

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
