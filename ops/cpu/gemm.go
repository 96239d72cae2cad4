package cpu

// Gemm computes c = a b, or c += a b if acc is set, for contiguous row-major
// a (m,k), b (k,n) and c (m,n). Each element of c is one sum over ascending k,
// added to the old c last. No product is skipped: 0*Inf is NaN. With k == 0 the
// product is zero. c must overlap neither a nor b.
func Gemm[T Float](p *Pool, m, k, n int, a, b, c []T, acc bool) {
	need(a, m, k)
	need(b, k, n)
	need(c, m, n)
	if n == 0 {
		return
	}
	rows := gemmSplit(m, k, n, maxChunks)
	p.Run(rows.chunks(), func(i int) {
		lo, hi := rows.bounds(i)
		gemmRows(hi-lo, k, n, a[lo*k:], k, b, n, c[lo*n:], n, acc)
	})
}

// gemmSplit cuts m rows of k*n multiply-adds into chunks of a multiple of 12
// rows, a multiple of the tile height of every version of gemmRows.
func gemmSplit(m, k, n, limit int) split {
	s := splitBy(m, k*n, limit)
	s.size = (s.size + 11) / 12 * 12
	return s
}

// GemmTA computes c = aᵀ b for contiguous row-major a (m,k), b (m,n) and
// c (k,n): the gradient of the weights of Gemm. scratch has at least
// GemmTAScratch(m,k,n) elements and is overwritten. The rows are summed in
// blocks, so the rounding error grows with the block and the number of blocks
// rather than with m. NaN and Inf travel as in Gemm. c and scratch must overlap
// nothing.
func GemmTA[T Float](p *Pool, m, k, n int, a, b, c, scratch []T) {
	need(a, m, k)
	need(b, m, n)
	need(c, k, n)
	partial := needScratch(scratch, GemmTAScratch(m, k, n))
	size := k * n
	if size == 0 {
		return
	}
	rows := gemmSplit(m, k, n, maxPartials)
	if rows.chunks() <= 1 {
		clear(c)
		gemmATRows(m, k, n, a, k, b, n, c, n)
		return
	}
	p.Run(rows.chunks(), func(i int) {
		lo, hi := rows.bounds(i)
		part := partial[i*size:][:size]
		clear(part)
		gemmATRows(hi-lo, k, n, a[lo*k:], k, b[lo*n:], n, part, n)
	})
	addPartials(p, rows.chunks(), partial, c)
}

// GemmTAScratch returns the elements of scratch that GemmTA needs.
func GemmTAScratch(m, k, n int) int {
	volume(m, k)
	volume(m, n)
	chunks := gemmSplit(m, k, n, maxPartials).chunks()
	if chunks <= 1 {
		return 0
	}
	return volume(chunks, k, n)
}

// GemmTB computes c = a bᵀ for contiguous row-major a (m,n), b (k,n) and
// c (m,k): the gradient of the input of Gemm. scratch has at least
// GemmTBScratch(k,n) elements and receives bᵀ. Sums, NaN and Inf are those of
// Gemm. c and scratch must overlap nothing.
func GemmTB[T Float](p *Pool, m, k, n int, a, b, c, scratch []T) {
	need(a, m, n)
	need(b, k, n)
	need(c, m, k)
	bt := needScratch(scratch, GemmTBScratch(k, n))
	transpose(k, n, b, bt)
	Gemm(p, m, n, k, a, bt, c, false)
}

// GemmTBScratch returns the elements of scratch that GemmTB needs.
func GemmTBScratch(k, n int) int { return volume(k, n) }

// transpose writes b (k,n) to bt (n,k).
func transpose[T Float](k, n int, b, bt []T) {
	for i := range k {
		for j, v := range b[i*n:][:n] {
			bt[j*k+i] = v
		}
	}
}
