package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// gemmAT512Heights are the rows of c of the tiles of 1 to 4 vectors, chosen as
// gemm512Heights are.
var gemmAT512Heights = [][]int{{16, 8, 4, 1}, {12, 8, 4, 1}, {8, 4, 1}, {6, 4, 2, 1}}

// gemmAT512 emits the column panels of gemmATRowsAVX512, of 1 to 4 vectors. As
// in gemmAT, a tile stays in registers over all the rows of a and b and is added
// to c at the end. The mask is used as in gemm512: for c, and for the last rows
// of b.
func gemmAT512() {
	for nv := 1; nv <= 4; nv++ {
		gemmAT512Panel(nv)
	}
}

func gemmAT512Panel(nv int) {
	name := fmt.Sprintf("gemmAT%dAVX512", 16*nv)
	TEXT(name, NOSPLIT, "func(rows, rest, k int, a *float32, lda int, b *float32, ldb int, c *float32, ldc int, mask *int32)")
	Doc(fmt.Sprintf("%s works like gemmATRowsRef on k > 0 columns of a and %d of b,", name, 16*nv),
		"the last 16 of c under mask, for rows + rest rows. The mask applies to b in the",
		"rest only.")
	Pragma("noescape")
	k, pa, pb, n, a, lda, b, ldb, c, ldc := RAX, RBX, RCX, RDX, RSI, RDI, R8, R9, R10, R11
	load("mask", n)
	avx512.loadMask(n)
	load("k", k)
	load("a", a)
	loadBytes("lda", lda)
	load("b", b)
	loadBytes("ldb", ldb)
	load("c", c)
	loadBytes("ldc", ldc)
	for _, h := range gemmAT512Heights[nv-1] {
		row, x := z[h*nv:][:nv], z[31]
		sum := func(i, v int) VecPhysical { return z[i*nv+v] }
		rows := func(param string, masked bool) {
			load(param, n)
			TESTQ(n, n)
			JZ(LabelRef(tagged(param+"End", h)))
			Label(tagged(param, h))
			for v := range nv {
				avx512.load(Mem{Base: pb, Disp: 64 * v}, row[v], masked && v == nv-1)
			}
			for i := range h {
				m := Mem{Base: pa, Disp: 4 * i}
				if nv == 1 {
					VFMADD231PS_BCST(m, row[0], sum(i, 0))
					continue
				}
				VBROADCASTSS(m, x)
				for v := range nv {
					VFMADD231PS(row[v], x, sum(i, v))
				}
			}
			ADDQ(lda, pa)
			ADDQ(ldb, pb)
			DECQ(n)
			JNZ(LabelRef(tagged(param, h)))
			Label(tagged(param+"End", h))
		}
		Label(tagged("tile", h))
		CMPQ(k, U8(h))
		JLT(LabelRef(tagged("less", h)))
		MOVQ(a, pa)
		MOVQ(b, pb)
		avx512.clear(z[:h*nv]...)
		rows("rows", false)
		rows("rest", true)
		// All of c is read before any is written: where a row is no whole number of
		// vectors, the masked ones overlap, and a load would wait for the store
		// before it.
		MOVQ(c, pa)
		for i := range h {
			for v := range nv {
				avx512.load(Mem{Base: pa, Disp: 64 * v}, x, v == nv-1)
				VADDPS(x, sum(i, v), sum(i, v))
			}
			ADDQ(ldc, pa)
		}
		for i := range h {
			for v := range nv {
				avx512.store(sum(i, v), Mem{Base: c, Disp: 64 * v}, v == nv-1)
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
