package cpu

// gemmRowsRef computes c = a b for row-major blocks a (m,k), b (k,n) and c (m,n)
// whose rows are lda, ldb and ldc elements apart.
//
// Every element of c is one sum over ascending k: it depends on its row of a and
// its column of b alone. No product is skipped, so NaN and Inf travel as IEEE 754
// says (0*Inf is NaN). With k == 0 the product is zero. c must overlap neither a nor b.
func gemmRowsRef[T Float](m, k, n int, a []T, lda int, b []T, ldb int, c []T, ldc int) {
	gemmTapsRef(m, 1, k, n, a, lda, 0, b, ldb, c, ldc)
}

// gemmTapsRef works like gemmRowsRef for rows of a that are taps pieces of k elements
// each, tap elements apart, and for taps*k rows of b: every element of c is one sum over
// ascending taps and k.
func gemmTapsRef[T Float](m, taps, k, n int, a []T, lda, tap int, b []T, ldb int, c []T, ldc int) {
	if m <= 0 || n <= 0 {
		return
	}
	if taps <= 0 || k <= 0 {
		for i := range m {
			clear(c[i*ldc:][:n])
		}
		return
	}
	w := pieces{taps, k, tap, ldb}
	i := 0
	for ; i+2 <= m; i += 2 {
		a0, a1 := a[i*lda:], a[(i+1)*lda:]
		c0, c1 := c[i*ldc:][:n], c[(i+1)*ldc:][:n]
		j := 0
		for ; j+4 <= n; j += 4 {
			gemmTile2x4(w, a0, a1, b[j:], (*[4]T)(c0[j:]), (*[4]T)(c1[j:]))
		}
		for ; j < n; j++ {
			c0[j] = dotColumn(w, a0, b[j:])
			c1[j] = dotColumn(w, a1, b[j:])
		}
	}
	if i < m {
		a0, c0 := a[i*lda:], c[i*ldc:][:n]
		j := 0
		for ; j+4 <= n; j += 4 {
			gemmTile1x4(w, a0, b[j:], (*[4]T)(c0[j:]))
		}
		for ; j < n; j++ {
			c0[j] = dotColumn(w, a0, b[j:])
		}
	}
}

// pieces are those of a row of a, and the distance of the rows of b.
type pieces struct{ taps, k, tap, ldb int }

// gemmTile2x4 is two rows of a times four columns of b. Eight sums, four
// elements of b and two of a fit the sixteen registers of amd64.
func gemmTile2x4[T Float](w pieces, a0, a1, b []T, c0, c1 *[4]T) {
	var s00, s01, s02, s03, s10, s11, s12, s13 T
	for u := range w.taps {
		bu, p1 := b[u*w.k*w.ldb:], a1[u*w.tap:][:w.k]
		for p, x0 := range a0[u*w.tap:][:w.k] {
			x1 := p1[p]
			r := (*[4]T)(bu[p*w.ldb:])
			s00 += x0 * r[0]
			s10 += x1 * r[0]
			s01 += x0 * r[1]
			s11 += x1 * r[1]
			s02 += x0 * r[2]
			s12 += x1 * r[2]
			s03 += x0 * r[3]
			s13 += x1 * r[3]
		}
	}
	*c0 = [4]T{s00, s01, s02, s03}
	*c1 = [4]T{s10, s11, s12, s13}
}

func gemmTile1x4[T Float](w pieces, a, b []T, c *[4]T) {
	var s0, s1, s2, s3 T
	for u := range w.taps {
		bu := b[u*w.k*w.ldb:]
		for p, x := range a[u*w.tap:][:w.k] {
			r := (*[4]T)(bu[p*w.ldb:])
			s0 += x * r[0]
			s1 += x * r[1]
			s2 += x * r[2]
			s3 += x * r[3]
		}
	}
	*c = [4]T{s0, s1, s2, s3}
}

func dotColumn[T Float](w pieces, a, b []T) T {
	var s T
	for u := range w.taps {
		bu := b[u*w.k*w.ldb:]
		for p, x := range a[u*w.tap:][:w.k] {
			s += x * bu[p*w.ldb]
		}
	}
	return s
}

// add4 adds four sums to c.
func add4[T Float](c *[4]T, s0, s1, s2, s3 T) {
	c[0], c[1], c[2], c[3] = s0+c[0], s1+c[1], s2+c[2], s3+c[3]
}

// gemmATRowsRef computes c += aᵀ b for row-major blocks a (m,k), b (m,n) and
// c (k,n) whose rows are lda, ldb and ldc elements apart.
//
// The rows are summed in blocks of a size that k and n alone decide, each block
// over ascending rows and then added to c. No product is skipped: NaN and Inf
// travel as IEEE 754 says. c must overlap neither a nor b.
func gemmATRowsRef[T Float](m, k, n int, a []T, lda int, b []T, ldb int, c []T, ldc int) {
	if k <= 0 || n <= 0 {
		return
	}
	block := max(1<<13/(k+n), 64) // a block of a and b stays in the first level cache
	for i := 0; i < m; i += block {
		rows := min(block, m-i)
		ab, bb := a[i*lda:], b[i*ldb:]
		p := 0
		for ; p+2 <= k; p += 2 {
			c0, c1 := c[p*ldc:][:n], c[(p+1)*ldc:][:n]
			j := 0
			for ; j+4 <= n; j += 4 {
				gemmATTile2x4(rows, ab[p:], lda, bb[j:], ldb, (*[4]T)(c0[j:]), (*[4]T)(c1[j:]))
			}
			for ; j < n; j++ {
				c0[j] += dotColumns(rows, ab[p:], lda, bb[j:], ldb)
				c1[j] += dotColumns(rows, ab[p+1:], lda, bb[j:], ldb)
			}
		}
		if p < k {
			c0 := c[p*ldc:][:n]
			for j := range c0 {
				c0[j] += dotColumns(rows, ab[p:], lda, bb[j:], ldb)
			}
		}
	}
}

func gemmATTile2x4[T Float](m int, a []T, lda int, b []T, ldb int, c0, c1 *[4]T) {
	var s00, s01, s02, s03, s10, s11, s12, s13 T
	for i := range m {
		l := (*[2]T)(a[i*lda:])
		r := (*[4]T)(b[i*ldb:])
		x0, x1 := l[0], l[1]
		s00 += x0 * r[0]
		s10 += x1 * r[0]
		s01 += x0 * r[1]
		s11 += x1 * r[1]
		s02 += x0 * r[2]
		s12 += x1 * r[2]
		s03 += x0 * r[3]
		s13 += x1 * r[3]
	}
	add4(c0, s00, s01, s02, s03)
	add4(c1, s10, s11, s12, s13)
}

func dotColumns[T Float](m int, a []T, lda int, b []T, ldb int) T {
	var s T
	for i := range m {
		s += a[i*lda] * b[i*ldb]
	}
	return s
}

// transpose writes b (k,n) to bt (n,k), some rows of b at a time: then a cache line of bt
// is written as a whole.
func transpose[T Float](k, n int, b, bt []T) {
	const rows = 16
	for i := 0; i < k; i += rows {
		for j := range n {
			for r := range bt[j*k+i:][:min(rows, k-i)] {
				bt[j*k+i+r] = b[(i+r)*n+j]
			}
		}
	}
}
