package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// gemmAT emits the tiles of gemmATRows: kb rows of c by 16 columns, or by up to
// 8 under a mask. The tile stays in registers over all the rows of a and b and
// is added to c at the end, so a block of rows is summed on its own first: less
// rounding than one long chain, and an element of c does not depend on kb.
func gemmAT() {
	gemmATTile("gemmAT16AVX2", 2, false, 6)
	gemmATTile("gemmAT8AVX2", 1, true, 12)
}

// gemmATTile emits the tiles of 1 to maxKB rows of c, nv vectors wide.
func gemmATTile(name string, nv int, masked bool, maxKB int) {
	sig := "rows, kb int, a *float32, lda int, b *float32, ldb int, c *float32, ldc int"
	what := "16 columns"
	if masked {
		sig += ", mask *int32"
		what = "the columns of 8 whose mask is set"
	}
	TEXT(name, NOSPLIT, "func("+sig+")")
	Doc(fmt.Sprintf("%s works like gemmATRowsRef on %s of b and c and", name, what),
		fmt.Sprintf("kb <= %d columns of a; rows > 0.", maxKB))
	Pragma("noescape")
	rows, kb, a, lda, b, ldb, c, ldc := RAX, RBX, RCX, RDX, RSI, RDI, R8, R9
	load("rows", rows)
	load("kb", kb)
	load("a", a)
	loadBytes("lda", lda)
	load("b", b)
	loadBytes("ldb", ldb)
	load("c", c)
	loadBytes("ldc", ldc)
	if masked {
		load("mask", R10)
		VMOVDQU(Mem{Base: R10}, y[15])
	}
	tag := func(s string, n int) string { return fmt.Sprintf("%s%d", s, n) }
	for n := maxKB; n > 0; n-- {
		CMPQ(kb, U8(n))
		JEQ(LabelRef(tag("tile", n)))
	}
	leave()
	for n := maxKB; n > 0; n-- {
		Label(tag("tile", n))
		zero(n * nv)
		Label(tag("row", n))
		for v := range nv {
			if masked {
				VMASKMOVPS(Mem{Base: b}, y[15], y[12])
			} else {
				VMOVUPS(Mem{Base: b, Disp: v * vecBytes}, y[12+v])
			}
		}
		for i := range n {
			x := y[12+nv+i%2]
			VBROADCASTSS(Mem{Base: a, Disp: 4 * i}, x)
			for v := range nv {
				VFMADD231PS(y[12+v], x, y[i*nv+v])
			}
		}
		ADDQ(lda, a)
		ADDQ(ldb, b)
		DECQ(rows)
		JNZ(LabelRef(tag("row", n)))
		for i := range n {
			for v := range nv {
				m, s := Mem{Base: c, Disp: v * vecBytes}, y[i*nv+v]
				if masked {
					VMASKMOVPS(m, y[15], y[12])
					VADDPS(y[12], s, s)
					VMASKMOVPS(s, y[15], m)
				} else {
					VADDPS(m, s, s)
					VMOVUPS(s, m)
				}
			}
			ADDQ(ldc, c)
		}
		leave()
	}
}
