package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// dw emits the channel blocks of dwRow: 8 channels by 8, 4 or 1 pixels in
// registers over all taps, so that a weight is loaded once for 8 pixels. The last
// block of a row lies over the one before.
//
// Taps that follow each other one pixel apart, as the columns of a kernel do at
// stride and dilation 1, go together, up to three: then a pixel is loaded once
// for three taps. Without that the load ports are the limit, at two thirds of
// the peak. Any other list of taps works too, one tap a time.
//
// However taps and pixels are grouped, an element of y is one chain of fused
// multiply-adds in the order of the taps.
func dw() {
	dwBlocks("dwBlocksAVX2", false)
	dwBlocks("dwMaskAVX2", true)
}

// dwRun is the most taps that go together.
const dwRun = 3

// dwRegs is the register plan of a kernel. Vectors: sums from 0 up, then the
// pixel at 12, three weights from 13; under a mask the sums leave room at 8.
type dwRegs struct {
	step                                       []GPPhysical // step[i] is (2i+1)*xstep
	xoff, woff, w, t, p, off, xq, yq, nq, coff GPPhysical
	masked                                     bool
}

// dwBlocks emits the loop over channel blocks; the masked kernel has one.
func dwBlocks(name string, masked bool) {
	sig := "n, ch int, y *float32, ystep int, x *float32, xstep int, xoff *int, w *float32, woff *int, taps int"
	what := "ch channels, a positive multiple of 8"
	if masked {
		sig += ", mask *int32"
		what = "the channels of 8 whose mask is set; ch is at most 8"
	}
	TEXT(name, NOSPLIT, "func("+sig+")")
	Doc(fmt.Sprintf("%s works like dwRowRef on %s.", name, what),
		"n and taps are positive.")
	Pragma("noescape")
	k := dwRegs{[]GPPhysical{RAX, RBX, RCX, RDX}, RSI, RDI, R8, R9, R10, R11, R12, R13, R14, R15, masked}
	loadBytes("xstep", k.step[0])
	for i := 1; i < len(k.step); i++ {
		LEAQ(at(k.step[i-1], k.step[0], 2), k.step[i])
	}
	SHLQ(U8(2), mustAddr(Param("ystep")))
	// The lists of taps are walked by an index from -taps up to 0.
	load("taps", k.t)
	load("xoff", k.xoff)
	LEAQ(Mem{Base: k.xoff, Index: k.t, Scale: 8}, k.xoff)
	load("woff", k.woff)
	LEAQ(Mem{Base: k.woff, Index: k.t, Scale: 8}, k.woff)
	if masked {
		load("mask", k.p)
		VMOVDQU(Mem{Base: k.p}, y[8])
	}
	XORQ(k.coff, k.coff)

	Label("channels")
	load("w", k.w)
	ADDQ(k.coff, k.w)
	load("x", k.xq)
	ADDQ(k.coff, k.xq)
	load("y", k.yq)
	ADDQ(k.coff, k.yq)
	load("n", k.nq)
	for _, q := range []int{8, 4} {
		CMPQ(k.nq, U8(q))
		JGE(LabelRef(fmt.Sprintf("q%d", q)))
	}
	for _, q := range []int{1, 4, 8} {
		k.block(q)
	}
	Label("next")
	ADDQ(U8(vecBytes), k.coff)
	SUBQ(U8(lanes), mustAddr(Param("ch")))
	JG(LabelRef("channels"))
	leave()
}

// block emits q pixels of one channel block and moves on along the row.
func (k dwRegs) block(q int) {
	tag := func(s string) string { return fmt.Sprintf("%s%d", s, q) }
	Label(tag("q"))
	load("taps", k.t)
	NEGQ(k.t)
	zero(q)
	// Choose how many taps go together: the offsets must be xstep apart, and
	// there must be as many left.
	Label(tag("tap"))
	MOVQ(Mem{Base: k.xoff, Index: k.t, Scale: 8}, k.p)
	for r := 1; r < dwRun; r++ {
		next := Mem{Base: k.xoff, Index: k.t, Scale: 8, Disp: 8 * r}
		CMPQ(k.t, I8(-r))
		JEQ(LabelRef(tag(fmt.Sprintf("run%d_", r))))
		MOVQ(next, k.off)
		next.Disp -= 8
		SUBQ(next, k.off)
		CMPQ(k.off, mustAddr(Param("xstep")))
		JNE(LabelRef(tag(fmt.Sprintf("run%d_", r))))
	}
	for r := dwRun; r > 0; r-- {
		Label(tag(fmt.Sprintf("run%d_", r)))
		k.run(q, r)
		ADDQ(U8(r), k.t)
		JNZ(LabelRef(tag("tap")))
		if r > 1 {
			JMP(LabelRef(tag("store")))
		}
	}
	Label(tag("store"))
	MOVQ(k.yq, k.p)
	for i := range q {
		if k.masked {
			VMASKMOVPS(y[i], y[8], Mem{Base: k.p})
		} else {
			VMOVUPS(y[i], Mem{Base: k.p})
		}
		if i < q-1 {
			ADDQ(mustAddr(Param("ystep")), k.p)
		}
	}
	// Move on by min(nq, q) pixels, so that the last block ends the row.
	SUBQ(U8(q), k.nq)
	JZ(LabelRef("next"))
	MOVQ(U32(uint32(q)), k.p)
	CMPQ(k.nq, k.p)
	CMOVQGT(k.p, k.off)
	CMOVQLE(k.nq, k.off)
	CMOVQLT(k.p, k.nq)
	MOVQ(k.off, k.p)
	IMULQ(k.step[0], k.off)
	ADDQ(k.off, k.xq)
	IMULQ(mustAddr(Param("ystep")), k.p)
	ADDQ(k.p, k.yq)
	JMP(LabelRef(tag("q")))
}

// run emits r consecutive taps of q pixels: pixel i is tap j of pixel i-j.
func (k dwRegs) run(q, r int) {
	LEAQ(Mem{Base: k.xq, Index: k.p, Scale: 4}, k.p)
	for j := range r {
		MOVQ(Mem{Base: k.woff, Index: k.t, Scale: 8, Disp: 8 * j}, k.off)
		k.loadVec(Mem{Base: k.w, Index: k.off, Scale: 4}, y[13+j])
	}
	for i := range q + r - 1 {
		if i > 0 && i%9 == 0 {
			LEAQ(at(k.p, k.step[0], 8), k.p)
			ADDQ(k.step[0], k.p)
		}
		k.loadVec(multiple(k.p, k.step, i%9), y[12])
		for j := range r {
			if i-j >= 0 && i-j < q {
				VFMADD231PS(y[12], y[13+j], y[i-j])
			}
		}
	}
}

func (k dwRegs) loadVec(m Mem, r VecPhysical) {
	if k.masked {
		VMASKMOVPS(m, y[8], r)
	} else {
		VMOVUPS(m, r)
	}
}
