package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// maxRow emits the channel blocks of maxRow: the maxima and the taps that hold
// them, for 8 channels by up to 4 pixels, stay in registers over all taps. The
// taps are 32-bit lanes like the maxima and shrink to bytes at the end.
func maxRow() {
	const maxQ = 4
	TEXT("maxBlocksAVX2", NOSPLIT, "func(n, ch int, dst *float32, idx *uint8, dstep int, x *float32, xstep int, xoff *int, tap0 int, tap *uint8, taps int)")
	Doc("maxBlocksAVX2 works like maxRowRef on ch channels, a positive multiple of 8.", "n and taps are positive.")
	Pragma("noescape")
	xstep, xstep3, dstep, xoff, tap, t, p, off, xq, yq, iq, nq, coff := RAX, RBX, RCX, RDX, RSI, RDI, R8, R9, R10, R11, R12, R13, R14
	loadBytes("xstep", xstep)
	LEAQ(at(xstep, xstep, 2), xstep3)
	load("dstep", dstep)
	load("xoff", xoff)
	load("tap", tap)
	XORQ(coff, coff) // in channels
	tag := func(s string, q int) string { return fmt.Sprintf("%s%d", s, q) }
	Label("channels")
	load("x", xq)
	LEAQ(at(xq, coff, 4), xq)
	load("dst", yq)
	LEAQ(at(yq, coff, 4), yq)
	load("idx", iq)
	ADDQ(coff, iq)
	load("n", nq)
	Label("pixels")
	MOVQ(U32(maxQ), off)
	CMPQ(nq, off)
	CMOVQLT(nq, off)
	branch(off, 1, maxQ, "q")
	for q := maxQ; q > 0; q-- {
		top := func(i int) VecPhysical { return y[i] }
		arg := func(i int) VecPhysical { return y[4+i] }
		pixel := func(i int) Mem {
			if i == 3 {
				return at(p, xstep3, 1)
			}
			return at(p, xstep, i)
		}
		Label(tag("q", q))
		XORQ(t, t)
		next := func() { // loads the tap at t into p and y[8], and steps
			MOVQ(Mem{Base: xoff, Index: t, Scale: 8}, p)
			LEAQ(at(xq, p, 4), p)
			MOVBQZX(Mem{Base: tap, Index: t, Scale: 1}, off)
			ADDQ(mustAddr(Param("tap0")), off)
			VMOVQ(off, X8)
			VPBROADCASTD(X8, Y8)
			INCQ(t)
		}
		next()
		for i := range q {
			VMOVUPS(pixel(i), top(i))
			VMOVAPS(y[8], arg(i))
		}
		JMP(LabelRef(tag("more", q)))
		Label(tag("tap", q))
		next()
		for i := range q {
			const greater, unordered = 0x1e, 0x03
			v, m := y[9], y[10]
			VMOVUPS(pixel(i), v)
			VCMPPS(U8(greater), top(i), v, m)
			VCMPPS(U8(unordered), v, v, y[11])
			VORPS(y[11], m, m)
			VBLENDVPS(m, v, top(i), top(i))
			VBLENDVPS(m, y[8], arg(i), arg(i))
		}
		Label(tag("more", q))
		CMPQ(t, mustAddr(Param("taps")))
		JLT(LabelRef(tag("tap", q)))
		for i := range q {
			VMOVUPS(top(i), Mem{Base: yq})
			LEAQ(at(yq, dstep, 4), yq)
			VPACKUSDW(arg(i), arg(i), arg(i))
			VPACKUSWB(arg(i), arg(i), arg(i))
			VEXTRACTI128(U8(1), arg(i), X9)
			VPUNPCKLDQ(X9, arg(i).(Vec).AsX(), X9)
			VMOVQ(X9, Mem{Base: iq})
			ADDQ(dstep, iq)
		}
		IMUL3Q(U8(q), xstep, off)
		ADDQ(off, xq)
		SUBQ(U8(q), nq)
		JMP(LabelRef("next"))
	}
	Label("next")
	TESTQ(nq, nq)
	JNZ(LabelRef("pixels"))
	ADDQ(U8(lanes), coff)
	SUBQ(U8(lanes), mustAddr(Param("ch")))
	JG(LabelRef("channels"))
	leave()
}
