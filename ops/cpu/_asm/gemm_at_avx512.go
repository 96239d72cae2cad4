package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// gemmAT512Heights are the most rows of c of a tile of 1 to 4 vectors.
// gemmAT512Heights in gemm_avx512_amd64.go holds the same numbers.
var gemmAT512Heights = []int{16, 12, 8, 6}

// gemmAT512 emits the tiles of gemmATRowsAVX512: kb rows of c by 1 to 4
// vectors, the last one whole or under a mask. As in gemmAT, the tile stays in
// registers over all the rows of a and b and is added to c at the end.
func gemmAT512() {
	for _, masked := range []bool{false, true} {
		for nv := 1; nv <= 4; nv++ {
			gemmAT512Tile(nv, masked)
		}
	}
}

func gemmAT512Tile(nv int, masked bool) {
	name, top := gemm512Name("gemmAT", nv, masked), gemmAT512Heights[nv-1]
	TEXT(name, NOSPLIT, "func(rows, kb int, a *float32, lda int, b *float32, ldb int, c *float32, ldc int, mask *int32)")
	what := fmt.Sprintf("%d columns", 16*nv)
	if masked {
		what += ", of which mask selects the last 16,"
	}
	Doc(fmt.Sprintf("%s works like gemmATRowsRef on %s of b and c", name, what),
		fmt.Sprintf("and kb <= %d columns of a; rows > 0.", top))
	Pragma("noescape")
	rows, kb, a, lda, b, ldb, c, ldc := RAX, RBX, RCX, RDX, RSI, RDI, R8, R9
	if masked {
		load("mask", R10)
		avx512.loadMask(R10)
	}
	load("rows", rows)
	load("kb", kb)
	load("a", a)
	loadBytes("lda", lda)
	load("b", b)
	loadBytes("ldb", ldb)
	load("c", c)
	loadBytes("ldc", ldc)
	branch(kb, 1, top, "tile")
	for n := top; n > 0; n-- {
		Label(fmt.Sprintf("tile%d", n))
		avx512.clear(z[:n*nv]...)
		row, x := z[n*nv:][:nv], z[31]
		Label(tagged("row", n))
		for v := range nv {
			avx512.load(Mem{Base: b, Disp: 64 * v}, row[v], masked && v == nv-1)
		}
		for i := range n {
			m := Mem{Base: a, Disp: 4 * i}
			if nv == 1 {
				VFMADD231PS_BCST(m, row[0], z[i])
				continue
			}
			VBROADCASTSS(m, x)
			for v := range nv {
				VFMADD231PS(row[v], x, z[i*nv+v])
			}
		}
		ADDQ(lda, a)
		ADDQ(ldb, b)
		DECQ(rows)
		JNZ(LabelRef(tagged("row", n)))
		MOVQ(c, a) // all of c is read before any is written, as in gemm512
		for i := range n {
			for v := range nv {
				avx512.load(Mem{Base: a, Disp: 64 * v}, x, masked && v == nv-1)
				VADDPS(x, z[i*nv+v], z[i*nv+v])
			}
			ADDQ(ldc, a)
		}
		for i := range n {
			for v := range nv {
				avx512.store(z[i*nv+v], Mem{Base: c, Disp: 64 * v}, masked && v == nv-1)
			}
			ADDQ(ldc, c)
		}
		leave()
	}
}
