package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// gemm16 emits gemm of 16 by 16 matrices b, which stay in registers for all
// rows of a: a tile of one vector is limited by loads, one for every
// multiply-add and one for each row of b, and k is too short to make up for the
// start and end of a tile. Eight rows at a time are eight chains, which is what
// two multiply-adds a cycle with a latency of four need.
func gemm16() {
	const rows = 8
	TEXT("gemm16x16AVX512", NOSPLIT, "func(groups int, a *float32, lda int, b *float32, ldb int, c *float32, ldc int)")
	Doc("gemm16x16AVX512 works like gemmRowsRef for k and n 16 and for groups > 0", "times 8 rows.")
	Pragma("noescape")
	groups, a, b, ldb, c, ldc := RAX, RBX, RCX, RDX, RSI, RDI
	row := []GPPhysical{RBX, R8, R9, R10, R11, R12, R13, R14} // the rows of a
	lda := R15
	load("b", b)
	loadBytes("ldb", ldb)
	for i := range 16 {
		VMOVUPS(Mem{Base: b}, z[16+i])
		ADDQ(ldb, b)
	}
	load("groups", groups)
	load("a", a)
	loadBytes("lda", lda)
	load("c", c)
	loadBytes("ldc", ldc)
	Label("group")
	for r := range row[1:] {
		LEAQ(at(row[r], lda, 1), row[r+1])
	}
	avx512.clear(z[:rows]...)
	for i := range 16 {
		for r := range rows {
			VFMADD231PS_BCST(Mem{Base: row[r], Disp: 4 * i}, z[16+i], z[r])
		}
	}
	for r := range rows {
		VMOVUPS(z[r], Mem{Base: c})
		ADDQ(ldc, c)
	}
	LEAQ(at(a, lda, rows), a)
	DECQ(groups)
	JNZ(LabelRef("group"))
	leave()
}
