package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// gemm512Heights are the rows of the tiles of 1 to 4 vectors. The first keeps
// many accumulators busy, the others take what rows it leaves; the last is 1.
// Chosen by experiment, see bench/cpu.md.
var gemm512Heights = [][]int{{16, 8, 4, 1}, {12, 4, 1}, {8, 4, 1}, {6, 2, 1}}

// gemm512 emits the column panels of gemmRowsAVX512, of 1 to 4 vectors. Whatever
// the tile, an element of c is one chain of fused multiply-adds over ascending k.
//
// The last vector of c is under a mask. A masked load of b would cost a unit that
// multiplies, so b is read whole wherever the next elements of b make that
// possible: what lanes beyond the mask hold is never stored. Only the last steps
// of k, behind which b ends, use the mask.
func gemm512() {
	for nv := 1; nv <= 4; nv++ {
		gemm512Panel(nv)
	}
	gemm16()
}

// gemm512Regs is the register plan of a panel.
type gemm512Regs struct {
	rows, a, ldb, c, ldc, bp, k GPPhysical
	lda                         []GPPhysical // 1, 3, 5 and 7 rows of a
	ap                          []GPPhysical // ap[i]: row 9*i of the tile of a
	left                        Mem          // taps left of the tile
	nv                          int
}

func gemm512Panel(nv int) {
	name := fmt.Sprintf("gemm%dAVX512", 16*nv)
	TEXT(name, NOSPLIT, "func(rows, taps, pairs, rest, skip int, a *float32, lda int, b *float32, ldb int, c *float32, ldc int, mask *int32)")
	Doc(fmt.Sprintf("%s works like gemmTapsRef on rows > 0 rows and %d columns of b and c,", name, 16*nv),
		"the last 16 of c under mask, for taps > 0 pieces of k = 2*pairs + rest, k + skip apart.",
		"The mask applies to b in the rest only.")
	Pragma("noescape")
	p := gemm512Regs{
		rows: RAX, a: RBX, ldb: RCX, c: RDX, ldc: RSI, bp: RDI, k: R8,
		lda: []GPPhysical{R9, R10, R11, R12}, ap: []GPPhysical{R13, R14, R15}, left: AllocLocal(8), nv: nv,
	}
	load("mask", p.bp)
	avx512.loadMask(p.bp)
	load("rows", p.rows)
	load("a", p.a)
	loadBytes("lda", p.lda[0])
	for i := range p.lda[1:] {
		LEAQ(at(p.lda[i], p.lda[0], 2), p.lda[i+1])
	}
	loadBytes("ldb", p.ldb)
	load("c", p.c)
	loadBytes("ldc", p.ldc)
	for _, mr := range gemm512Heights[nv-1] {
		p.tile(mr)
	}
	leave()
}

// tile emits the loop over tiles of mr rows.
func (p gemm512Regs) tile(mr int) {
	Label(tagged("tile", mr))
	CMPQ(p.rows, U8(mr))
	JLT(LabelRef(tagged("less", mr)))
	load("b", p.bp)
	MOVQ(p.a, p.ap[0])
	for i := 0; 9*(i+1) < mr; i++ {
		LEAQ(at(p.ap[i], p.lda[0], 8), p.ap[i+1])
		ADDQ(p.lda[0], p.ap[i+1])
	}
	avx512.clear(z[:mr*p.nv]...)
	load("taps", p.k)
	MOVQ(p.k, p.left)
	Label(tagged("tap", mr))
	load("pairs", p.k)
	p.steps("pair", mr, 2, false)
	load("rest", p.k)
	p.steps("step", mr, 1, true)
	loadBytes("skip", p.k)
	for i := 0; 9*i < mr; i++ {
		ADDQ(p.k, p.ap[i])
	}
	DECQ(p.left)
	JNZ(LabelRef(tagged("tap", mr)))
	for r := range mr {
		for v := range p.nv {
			avx512.store(z[r*p.nv+v], Mem{Base: p.c, Disp: 64 * v}, v == p.nv-1)
		}
		ADDQ(p.ldc, p.c)
	}
	IMUL3Q(U8(mr), p.lda[0], p.k)
	ADDQ(p.k, p.a)
	SUBQ(U8(mr), p.rows)
	JMP(LabelRef(tagged("tile", mr)))
	Label(tagged("less", mr))
}

// steps emits the loop over k, unroll steps a turn.
func (p gemm512Regs) steps(what string, mr, unroll int, masked bool) {
	TESTQ(p.k, p.k)
	JZ(LabelRef(tagged(what+"End", mr)))
	Label(tagged(what, mr))
	row, x := z[mr*p.nv:][:p.nv], z[31]
	for u := range unroll {
		for v := range p.nv {
			avx512.load(Mem{Base: p.bp, Disp: 64 * v}, row[v], masked && v == p.nv-1)
		}
		ADDQ(p.ldb, p.bp)
		for r := range mr {
			m := multiple(p.ap[r/9], p.lda, r%9)
			m.Disp = 4 * u
			if p.nv == 1 {
				VFMADD231PS_BCST(m, row[0], z[r])
				continue
			}
			VBROADCASTSS(m, x)
			for v := range p.nv {
				VFMADD231PS(row[v], x, z[r*p.nv+v])
			}
		}
	}
	for i := 0; 9*i < mr; i++ {
		ADDQ(U8(4*unroll), p.ap[i])
	}
	DECQ(p.k)
	JNZ(LabelRef(tagged(what, mr)))
	Label(tagged(what+"End", mr))
}
