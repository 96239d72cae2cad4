package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// gemmAT emits the panels of gemmATRows: 16 columns, or up to 8 under a mask. A
// tile of c stays in registers over all the rows of a and b and is added to c at
// the end, so a block of rows is summed on its own first: less rounding than one
// long chain, and an element of c does not depend on the height of its tile.
func gemmAT() {
	gemmATPanel("gemmAT16AVX2", 2, false, []int{6, 4, 1})
	gemmATPanel("gemmAT8AVX2", 1, true, []int{12, 8, 4, 1})
}

// gemmATPanel emits one panel nv vectors wide; heights are the rows of c of its
// tiles, descending and ending in 1.
func gemmATPanel(name string, nv int, masked bool, heights []int) {
	sig := "rows, k int, a *float32, lda int, b *float32, ldb int, c *float32, ldc int"
	what := "16 columns"
	if masked {
		sig += ", mask *int32"
		what = "the columns of 8 whose mask is set"
	}
	TEXT(name, NOSPLIT, "func("+sig+")")
	Doc(fmt.Sprintf("%s works like gemmATRowsRef on %s of b and c", name, what),
		"and k > 0 columns of a; rows > 0.")
	Pragma("noescape")
	k, pa, pb, n, a, lda, b, ldb, c, ldc := RAX, RBX, RCX, RDX, RSI, RDI, R8, R9, R10, R11
	load("k", k)
	load("a", a)
	loadBytes("lda", lda)
	load("b", b)
	loadBytes("ldb", ldb)
	load("c", c)
	loadBytes("ldc", ldc)
	if masked {
		load("mask", n)
		avx2.loadMask(n)
	}
	for _, h := range heights {
		Label(tagged("tile", h))
		CMPQ(k, U8(h))
		JLT(LabelRef(tagged("less", h)))
		MOVQ(a, pa)
		MOVQ(b, pb)
		load("rows", n)
		zero(h * nv)
		Label(tagged("row", h))
		for v := range nv {
			avx2.load(Mem{Base: pb, Disp: v * vecBytes}, y[12+v], masked)
		}
		for i := range h {
			x := y[12+nv+i%2]
			VBROADCASTSS(Mem{Base: pa, Disp: 4 * i}, x)
			for v := range nv {
				VFMADD231PS(y[12+v], x, y[i*nv+v])
			}
		}
		ADDQ(lda, pa)
		ADDQ(ldb, pb)
		DECQ(n)
		JNZ(LabelRef(tagged("row", h)))
		for i := range h {
			for v := range nv {
				m := Mem{Base: c, Disp: v * vecBytes}
				avx2.load(m, y[12], masked)
				VADDPS(y[12], y[i*nv+v], y[12])
				avx2.store(y[12], m, masked)
			}
			ADDQ(ldc, c)
		}
		ADDQ(U8(4*h), a)
		SUBQ(U8(h), k)
		JMP(LabelRef(tagged("tile", h)))
		Label(tagged("less", h))
	}
	leave()
}
