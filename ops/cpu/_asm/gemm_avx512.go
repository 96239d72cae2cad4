package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// gemm512Heights are the most rows of a tile of 1 to 4 vectors: 24 accumulators,
// which leave registers for a row of b and an element of a. gemm512Heights in
// gemm_avx512_amd64.go holds the same numbers.
var gemm512Heights = []int{24, 12, 8, 6}

// gemm512 emits the column panels of gemmRowsAVX512: 1 to 4 vectors, the last
// one whole or under a mask. A masked load costs a unit that multiplies, so
// whole panels have kernels of their own.
//
// The rows of a panel are cut into tiles of two heights, h and h-1, so that no
// tile is much too short to fill the pipelines. Whatever the tile, an element
// of c is one chain of fused multiply-adds over ascending k.
func gemm512() {
	for _, masked := range []bool{false, true} {
		for nv := 1; nv <= 4; nv++ {
			gemm512Panel(nv, masked)
		}
	}
	gemm16()
}

// gemm512Name is the name of the kernel of a panel.
func gemm512Name(stem string, nv int, masked bool) string {
	if masked {
		return fmt.Sprintf("%s%dMaskAVX512", stem, 16*nv)
	}
	return fmt.Sprintf("%s%dAVX512", stem, 16*nv)
}

// gemm512Regs is the register plan of a panel.
type gemm512Regs struct {
	tiles, a, ldb, c, ldc, bp, k GPPhysical
	lda                          []GPPhysical // 1, 3, 5 and 7 rows of a
	ap                           []GPPhysical // ap[i]: row 9*i of the tile of a
	nv                           int
	masked                       bool
}

func gemm512Panel(nv int, masked bool) {
	name := gemm512Name("gemm", nv, masked)
	TEXT(name, NOSPLIT, "func(h, tall, short, k int, a *float32, lda int, b *float32, ldb int, c *float32, ldc int, acc bool, mask *int32)")
	what := fmt.Sprintf("%d columns", 16*nv)
	if masked {
		what += ", of which mask selects the last 16,"
	}
	Doc(fmt.Sprintf("%s works like gemmRowsRef on %s of b and c", name, what),
		fmt.Sprintf("and on tall > 0 tiles of h <= %d rows, then short tiles of h-1.", gemm512Heights[nv-1]))
	Pragma("noescape")
	p := gemm512Regs{
		tiles: RAX, a: RBX, ldb: RCX, c: RDX, ldc: RSI, bp: RDI, k: R8,
		lda: []GPPhysical{R9, R10, R11, R12}, ap: []GPPhysical{R13, R14, R15}, nv: nv, masked: masked,
	}
	if masked {
		load("mask", p.bp)
		avx512.loadMask(p.bp)
	}
	load("a", p.a)
	loadBytes("lda", p.lda[0])
	for i := range p.lda[1:] {
		LEAQ(at(p.lda[i], p.lda[0], 2), p.lda[i+1])
	}
	loadBytes("ldb", p.ldb)
	load("c", p.c)
	loadBytes("ldc", p.ldc)
	load("tall", p.tiles)
	load("h", p.k)
	branch(p.k, 1, gemm512Heights[nv-1], "tile")
	for mr := gemm512Heights[nv-1]; mr > 0; mr-- {
		p.tile(mr)
	}
	Label("done")
	leave()
}

// tile emits the loop over tiles of mr rows, which falls through to that of
// mr-1 if there are short ones.
func (p gemm512Regs) tile(mr int) {
	Label(fmt.Sprintf("tile%d", mr))
	load("b", p.bp)
	load("k", p.k)
	MOVQ(p.a, p.ap[0])
	for i := 0; 9*(i+1) < mr; i++ {
		LEAQ(at(p.ap[i], p.lda[0], 8), p.ap[i+1])
		ADDQ(p.lda[0], p.ap[i+1])
	}
	avx512.clear(z[:mr*p.nv]...)
	const unroll = 2
	SUBQ(U8(unroll), p.k)
	JLT(LabelRef(tagged("odd", mr)))
	Label(tagged("k", mr))
	for u := range unroll {
		p.step(mr, u)
	}
	for i := 0; 9*i < mr; i++ {
		ADDQ(U8(4*unroll), p.ap[i])
	}
	SUBQ(U8(unroll), p.k)
	JGE(LabelRef(tagged("k", mr)))
	Label(tagged("odd", mr)) // k is -1 if a step is left, else -2
	INCQ(p.k)
	JNZ(LabelRef(tagged("end", mr)))
	p.step(mr, 0)
	Label(tagged("end", mr))
	CMPB(mustAddr(Param("acc")), U8(0))
	JEQ(LabelRef(tagged("store", mr)))
	p.add(mr)
	Label(tagged("store", mr))
	for r := range mr {
		for v := range p.nv {
			avx512.store(z[r*p.nv+v], Mem{Base: p.c, Disp: 64 * v}, p.tail(v))
		}
		ADDQ(p.ldc, p.c)
	}
	IMUL3Q(U8(mr), p.lda[0], p.k)
	ADDQ(p.k, p.a)
	DECQ(p.tiles)
	JNZ(LabelRef(fmt.Sprintf("tile%d", mr)))
	if mr == 1 {
		return
	}
	load("short", p.tiles)
	MOVQ(U32(0), mustAddr(Param("short")))
	TESTQ(p.tiles, p.tiles)
	JZ(LabelRef("done"))
}

// step emits one step of k, u steps past the pointers into a, and moves on
// through b.
func (p gemm512Regs) step(mr, u int) {
	row, x := z[mr*p.nv:][:p.nv], z[31]
	for v := range p.nv {
		avx512.load(Mem{Base: p.bp, Disp: 64 * v}, row[v], p.tail(v))
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

// add adds c to the tile. All of c is read before any is written: where a row is
// no whole number of vectors, the masked ones overlap, and a load would wait for
// the store before it.
func (p gemm512Regs) add(mr int) {
	MOVQ(p.c, p.bp)
	for r := range mr {
		for v := range p.nv {
			avx512.load(Mem{Base: p.bp, Disp: 64 * v}, z[31], p.tail(v))
			VADDPS(z[31], z[r*p.nv+v], z[r*p.nv+v])
		}
		ADDQ(p.ldc, p.bp)
	}
}

// tail reports whether vector v is the one under the mask.
func (p gemm512Regs) tail(v int) bool { return p.masked && v == p.nv-1 }
