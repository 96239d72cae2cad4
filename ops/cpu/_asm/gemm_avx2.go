package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// gemm emits the column panels of gemmRows: 16 columns, and up to 8 under a
// mask. A tile of c stays in registers over the whole of k: per step of k the
// tile loads one row of b and broadcasts one column of a. Tiles have 12
// accumulators, because two multiply-adds a cycle at a latency of four cycles
// keep eight busy; shorter tiles finish the rows.
//
// Whatever the tile, an element of c is one chain of fused multiply-adds over
// ascending k, so where a row lies in a tile does not change its value.
func gemm() {
	gemmPanel("gemm16AVX2", 2, false, []int{6, 4, 1})
	gemmPanel("gemm8AVX2", 1, true, []int{12, 8, 4, 1})
}

// gemmPanel emits one panel nv vectors wide; heights are the rows of its
// tiles, descending and ending in 1.
func gemmPanel(name string, nv int, masked bool, heights []int) {
	sig := "rows, taps, k, skip int, a *float32, lda int, b *float32, ldb int, c *float32, ldc int"
	what := "16 columns"
	if masked {
		sig += ", mask *int32"
		what = "the columns of 8 whose mask is set"
	}
	TEXT(name, NOSPLIT, "func("+sig+")")
	Doc(fmt.Sprintf("%s works like gemmTapsRef on %s of b and c,", name, what),
		"for taps > 0 pieces that are k + skip apart.")
	Pragma("noescape")

	p := gemmRegs{
		rows: RAX, a: RBX, lda: RCX, lda3: RDX, ldb: RSI, c: RDI, ldc: R8,
		ap: []GPPhysical{R9, R10, R11, R12}, bp: R13, k: R14, left: R15,
		nv: nv, masked: masked,
	}
	load("rows", p.rows)
	load("a", p.a)
	loadBytes("lda", p.lda)
	LEAQ(at(p.lda, p.lda, 2), p.lda3)
	loadBytes("ldb", p.ldb)
	load("c", p.c)
	loadBytes("ldc", p.ldc)
	if masked {
		load("mask", p.bp)
		VMOVDQU(Mem{Base: p.bp}, y[15])
	}
	for _, mr := range heights {
		p.tiles(mr)
	}
	leave()
}

// gemmRegs is the register plan of a panel.
type gemmRegs struct {
	rows, a, lda, lda3, ldb, c, ldc, bp, k, left GPPhysical
	ap                                           []GPPhysical // ap[i]: row 3*i of the tile of a
	nv                                           int
	masked                                       bool
}

// tiles emits the loop that takes mr rows a time while there are as many.
func (p gemmRegs) tiles(mr int) {
	tag := func(s string) string { return fmt.Sprintf("%s%d", s, mr) }
	Label(tag("tile"))
	CMPQ(p.rows, U8(mr))
	JLT(LabelRef(tag("end")))
	load("b", p.bp)
	load("taps", p.left)
	for i := 0; 3*i < mr; i++ {
		if i == 0 {
			MOVQ(p.a, p.ap[0])
		} else {
			LEAQ(at(p.ap[i-1], p.lda3, 1), p.ap[i])
		}
	}
	zero(mr * p.nv)

	Label(tag("tap"))
	load("k", p.k)
	SUBQ(U8(2), p.k)
	JLT(LabelRef(tag("odd")))
	Label(tag("pair"))
	p.step(mr, 0)
	p.step(mr, 1)
	p.advanceA(mr, 2)
	SUBQ(U8(2), p.k)
	JGE(LabelRef(tag("pair")))
	Label(tag("odd")) // k is -1 if a step is left, else -2
	INCQ(p.k)
	JNZ(LabelRef(tag("next")))
	p.step(mr, 0)
	p.advanceA(mr, 1)
	Label(tag("next"))
	loadBytes("skip", p.k)
	for i := 0; 3*i < mr; i++ {
		ADDQ(p.k, p.ap[i])
	}
	DECQ(p.left)
	JNZ(LabelRef(tag("tap")))

	p.store(mr)
	if mr%3 == 0 {
		LEAQ(at(p.a, p.lda3, mr/3), p.a)
	} else {
		LEAQ(at(p.a, p.lda, mr), p.a)
	}
	SUBQ(U8(mr), p.rows)
	JMP(LabelRef(tag("tile")))
	Label(tag("end"))
}

// step emits one step of k, u steps past the pointers into a, and moves on
// through b.
func (p gemmRegs) step(mr, u int) {
	for v := range p.nv {
		if p.masked {
			VMASKMOVPS(Mem{Base: p.bp}, y[15], y[12])
		} else {
			VMOVUPS(Mem{Base: p.bp, Disp: v * vecBytes}, y[12+v])
		}
	}
	ADDQ(p.ldb, p.bp)
	for r := range mr {
		x := y[13+r%2]
		if !p.masked {
			x = y[14+r%2]
		}
		m := at(p.ap[r/3], p.lda, r%3)
		m.Disp = 4 * u
		VBROADCASTSS(m, x)
		for v := range p.nv {
			VFMADD231PS(y[12+v], x, y[r*p.nv+v])
		}
	}
}

// advanceA moves the pointers into a by steps of k.
func (p gemmRegs) advanceA(mr, steps int) {
	for i := 0; 3*i < mr; i++ {
		ADDQ(U8(4*steps), p.ap[i])
	}
}

// store writes the tile to c and moves c to the next tile.
func (p gemmRegs) store(mr int) {
	for r := range mr {
		for v := range p.nv {
			avx2.store(y[r*p.nv+v], Mem{Base: p.c, Disp: v * vecBytes}, p.masked)
		}
		ADDQ(p.ldc, p.c)
	}
}
