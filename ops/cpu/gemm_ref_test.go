package cpu

import "testing"

// The references are held to strides and offsets that the kernels do not use.
func testGemmRowsStrided[T Float](t *testing.T) {
	for m := range 7 {
		for k := range 7 {
			for n := range 11 {
				l := newLab[T](t, uint64(m*100+k*10+n))
				lda, ldb, ldc := k+m%3, n+k%3, n+3
				a, b, c := l.random(m*lda), l.random(k*ldb), l.random(m*ldc)
				was := append([]T{}, c...)
				gemmRowsRef(m, k, n, a, lda, b, ldb, c, ldc)
				for i := range m {
					for j := range ldc {
						var e exact
						if j >= n {
							e.add(float64(was[i*ldc+j]))
						}
						for p := 0; p < k && j < n; p++ {
							e.add(float64(a[i*lda+p]) * float64(b[p*ldb+j]))
						}
						near(t, e, c[i*ldc+j], 0, "%dx%dx%d: c[%d,%d]", m, k, n, i, j)
					}
				}
				// The same operands with rows and depth exchanged: c (k,n) += aᵀ (k,m) b (m,n).
				a, b, c = l.random(m*lda), l.random(m*ldb), l.random(k*ldc)
				was = append([]T{}, c...)
				gemmATRowsRef(m, k, n, a, lda, b, ldb, c, ldc)
				for p := range k {
					for j := range ldc {
						var e exact
						e.add(float64(was[p*ldc+j]))
						for i := 0; i < m && j < n; i++ {
							e.add(float64(a[i*lda+p]) * float64(b[i*ldb+j]))
						}
						near(t, e, c[p*ldc+j], 0, "%dx%dx%d: transposed: c[%d,%d]", m, k, n, p, j)
					}
				}
				l.ok()
			}
		}
	}
}

func TestGemmRowsStrided(t *testing.T) {
	bothTypes(t, testGemmRowsStrided[float32], testGemmRowsStrided[float64])
}
