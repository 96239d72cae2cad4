package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// dwGradRowsAVX512 emits one kernel for each size of window: the sums of the
// window by 16 channels stay in registers over all rows and pixels of the strip,
// those of a 7x7 in three groups of window rows that go by one after another.
//
// Strides and dilations are arguments. Where the pixels of the window are as far
// apart as the windows are, four pixels of dy are in registers while those of x
// go by; elsewhere, and at the end of a row, one pixel of dy takes all of its
// window.
//
// Each sum is one chain of fused multiply-adds from +0 over ascending rows and
// pixels, added to dw at the end. The last 16 channels may lie over the ones
// before; then only the new ones are added. With ch < 16 single pixels are under
// a mask, and blocks of four are read with what lies behind them: the caller
// has the last row end in single pixels.
func dwGradRowsAVX512() {
	for _, k := range []int{3, 5, 7} {
		dwGradRowsKernel(window{k, 1})
	}
}

// dwGradPixels is how many pixels of dy are in registers.
const dwGradPixels = 4

// dwGradRowsRegs is the register plan: sums from z0 up, dy from z27, a pixel of
// x in z31. All distances are in bytes.
type dwGradRowsRegs struct {
	window
	step                                         []GPPhysical // 1, 3, 5 and 7 pixels of the window in x
	reach9, p, dy, nq, ch, next, adv, next1, ch3 GPPhysical
	coff, left, pixels, xr, dyr                  Mem
	dyrow, xpx, xrow                             Mem
}

// groups cuts the window rows into what fits in the registers.
func (w window) groups() []int {
	if w.k == 7 {
		return []int{3, 2, 2}
	}
	return []int{w.k}
}

func dwGradRowsKernel(w window) {
	name := fmt.Sprintf("dwGradRows%dAVX512", w.k)
	TEXT(name, NOSPLIT, "func(rows, n, blocks, lastBlocks, ch int, dw *float32, x *float32, xrow, xpx, tapRow, tapPx int, dy *float32, dyrow int, mask *int32)")
	Doc(fmt.Sprintf("%s works like dwGradRows with a window of %dx%d whose taps are tapRow and", name, w.k, w.k),
		"tapPx apart in x, those of two pixels of dy xrow and xpx. Of the n pixels of a row",
		"blocks fours go together, lastBlocks in the last row, which takes tapPx = xpx. For",
		"ch < 16 mask selects the channels. rows, n and ch are positive.")
	Pragma("noescape")
	local := AllocLocal(5 * 8)
	k := dwGradRowsRegs{
		window: w,
		step:   []GPPhysical{RAX, RBX, RCX, RDX}, reach9: RSI,
		p: RDI, dy: R8, nq: R9, ch: R10, next: R11, adv: R12, next1: R13, ch3: R14,
		coff: local, left: local.Offset(8), xr: local.Offset(16), dyr: local.Offset(24), pixels: local.Offset(32),
		dyrow: mustAddr(Param("dyrow")), xpx: mustAddr(Param("xpx")), xrow: mustAddr(Param("xrow")),
	}
	t := R15
	load("mask", t)
	VMOVDQU32(Mem{Base: t}, z[31])
	VPMOVD2M(z[31], K1) // what is added to dw
	KMOVW(K1, K2)       // what is read
	for _, m := range []Mem{k.dyrow, k.xpx, k.xrow} {
		SHLQ(U8(2), m)
	}
	loadBytes("ch", k.ch)
	LEAQ(at(k.ch, k.ch, 2), k.ch3)
	loadBytes("tapRow", k.next1)
	pixelSteps("tapPx", k.step, k.reach9)
	MOVQ(k.next1, k.next)
	for range w.bumps(dwGradPixels) {
		SUBQ(k.reach9, k.next)
	}
	MOVQ(U32(0), k.coff)
	Label("channels")
	first := 0
	for i, rows := range w.groups() {
		k.group(fmt.Sprint(i), first, rows, t)
		first += rows
	}
	// The next 16 channels, of which the last may have been there before.
	loadBytes("ch", t)
	SUBQ(U8(wideBytes), t) // the last offset
	MOVQ(k.coff, k.p)
	CMPQ(k.p, t)
	JGE(LabelRef("end")) // greater for ch < 16
	ADDQ(U8(wideBytes), k.p)
	MOVQ(k.p, k.coff)
	CMPQ(k.p, t)
	JLE(LabelRef("channels"))
	MOVQ(t, k.coff)
	SUBQ(t, k.p)
	SHRQ(U8(2), k.p) // how many are old
	MOVQ(U32(0xffff), t)
	SHLXQ(k.p, t, t)
	KMOVW(t.As32(), K1)
	JMP(LabelRef("channels"))
	Label("end")
	leave()
}

// group emits the loops over rows and pixels for window rows first to
// first+rows-1.
func (k dwGradRowsRegs) group(tag string, first, rows int, t GPPhysical) {
	sum := func(ky, kx int) VecPhysical { return z[ky*k.k+kx] }
	vdy := func(i int) VecPhysical { return z[27+i] }
	vx := z[31]
	const n = dwGradPixels

	// After a block p is rows-1 window rows on, and wherever the walk left it.
	IMUL3Q(U8(n), k.step[0], k.adv)
	for range k.bumps(n) {
		SUBQ(k.reach9, k.adv)
	}
	for range rows - 1 {
		SUBQ(k.next1, k.adv)
	}

	load("x", k.p)
	ADDQ(k.coff, k.p)
	for range first {
		ADDQ(k.next1, k.p)
	}
	MOVQ(k.p, k.xr)
	load("dy", k.dy)
	ADDQ(k.coff, k.dy)
	MOVQ(k.dy, k.dyr)
	load("rows", t)
	MOVQ(t, k.left)
	avx512.clear(z[:rows*k.k]...)
	Label("rows" + tag)
	MOVQ(k.xr, k.p)
	MOVQ(k.dyr, k.dy)
	load("blocks", k.nq)
	CMPQ(k.left, U8(1))
	JNE(LabelRef("notLast" + tag))
	load("lastBlocks", k.nq)
	Label("notLast" + tag)
	load("n", t)
	MOVQ(t, k.pixels) // left of the row
	TESTQ(k.nq, k.nq)
	JZ(LabelRef("tail" + tag))
	MOVQ(k.nq, t)
	SHLQ(U8(2), t) // n is 4
	SUBQ(t, k.pixels)
	Label("pixels" + tag)
	for i := range n {
		m := at(k.dy, k.ch, i)
		if i == 3 {
			m = at(k.dy, k.ch3, 1)
		}
		VMOVUPS(m, vdy(i))
	}
	for ky := range rows {
		if ky > 0 {
			ADDQ(k.next, k.p)
		}
		k.walk(n, k.reach9, []GPPhysical{k.p}, func(d int, products []product) {
			VMOVUPS(multiple(k.p, k.step, d), vx)
			for _, q := range products {
				VFMADD231PS(vx, vdy(q.out), sum(ky, q.kx))
			}
		})
	}
	LEAQ(at(k.dy, k.ch, n), k.dy)
	ADDQ(k.adv, k.p)
	DECQ(k.nq)
	JNZ(LabelRef("pixels" + tag))
	Label("tail" + tag)
	MOVQ(k.pixels, k.nq)
	TESTQ(k.nq, k.nq)
	JZ(LabelRef("rowEnd" + tag))
	Label("pixel" + tag)
	VMOVUPS_Z(Mem{Base: k.dy}, K2, vdy(0))
	MOVQ(k.p, t)
	for ky := range rows {
		if ky > 0 {
			ADDQ(k.next1, t)
		}
		for kx := range k.k {
			VFMADD231PS(multiple(t, k.step, kx), vdy(0), K2, sum(ky, kx))
		}
	}
	ADDQ(k.ch, k.dy)
	ADDQ(k.xpx, k.p)
	DECQ(k.nq)
	JNZ(LabelRef("pixel" + tag))
	Label("rowEnd" + tag)
	MOVQ(k.xrow, t)
	ADDQ(t, k.xr)
	MOVQ(k.dyrow, t)
	ADDQ(t, k.dyr)
	DECQ(k.left)
	JNZ(LabelRef("rows" + tag))

	load("dw", k.p)
	ADDQ(k.coff, k.p)
	if first > 0 {
		IMUL3Q(U8(first*k.k), k.ch, t)
		ADDQ(t, k.p)
	}
	for i := range rows * k.k {
		m := Mem{Base: k.p}
		VMOVUPS_Z(m, K1, vx)
		VADDPS(vx, z[i], vx)
		VMOVUPS(vx, K1, m)
		ADDQ(k.ch, k.p)
	}
}
