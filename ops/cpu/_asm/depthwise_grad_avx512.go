package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// dwGradRowsAVX512 emits one kernel for each window: the sums of the window by
// 16 channels stay in registers over all rows and pixels of the strip, those of
// a 7x7 in three groups of window rows that go by one after another. Four pixels
// of dy are in registers while those of x go by.
//
// Each sum is one chain of fused multiply-adds from +0 over ascending rows and
// pixels, added to dw at the end. The last 16 channels may lie over the ones
// before; then only the new ones are added. Only ch < 16 needs masked loads.
func dwGradRowsAVX512() {
	for _, w := range windows {
		dwGradRowsKernel(w, false)
		dwGradRowsKernel(w, true)
	}
}

// dwGradPixels is how many pixels of dy are in registers.
const dwGradPixels = 4

// dwGradRowsRegs is the register plan: sums from z0 up, dy from z27, a pixel of
// x in z31.
type dwGradRowsRegs struct {
	window
	masked                                          bool
	step                                            []GPPhysical
	reach9, p, dy, nq, xrow, next, adv, next1, adv1 GPPhysical
	coff, left, xr, dyr                             Mem
}

// groups cuts the window rows into what fits in the registers.
func (w window) groups() []int {
	if w.k == 7 {
		return []int{3, 2, 2}
	}
	return []int{w.k}
}

func dwGradRowsKernel(w window, masked bool) {
	name := "dwGradRows" + w.suffix(masked)
	TEXT(name, NOSPLIT, "func(rows, n, ch int, dw *float32, x *float32, xrow int, dy *float32, dyrow int)")
	what := "ch >= 16"
	if masked {
		what = "ch < 16"
	}
	Doc(fmt.Sprintf("%s works like dwGradRows with window %v and %s.", name, w, what), "rows, n and ch are positive.")
	Pragma("noescape")
	local := AllocLocal(4 * 8)
	k := dwGradRowsRegs{
		window: w, masked: masked,
		step: []GPPhysical{RAX, RBX, RCX, RDX}, reach9: RSI,
		p: RDI, dy: R8, nq: R9, xrow: R10, next: R11, adv: R12, next1: R13, adv1: R14,
		coff: local, left: local.Offset(8), xr: local.Offset(16), dyr: local.Offset(24),
	}
	t := R15
	if masked {
		maskBelow16(t)
	} else {
		MOVQ(U32(0xffff), t)
		KMOVW(t.As32(), K1)
	}
	pixelSteps(k.step, k.reach9)
	loadBytes("xrow", k.xrow)
	SHLQ(U8(2), mustAddr(Param("dyrow")))
	MOVQ(k.xrow, k.next1)
	if w.dil == 2 {
		ADDQ(k.next1, k.next1)
	}
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
	if masked {
		leave()
		return
	}
	// The next 16 channels, of which the last may have been there before.
	loadBytes("ch", t)
	SUBQ(U8(wideBytes), t) // the last offset
	MOVQ(k.coff, k.p)
	CMPQ(k.p, t)
	JEQ(LabelRef("end"))
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
	MOVQ(k.step[0], k.adv1)
	if k.stride == 2 {
		ADDQ(k.adv1, k.adv1)
	}
	IMUL3Q(U8(n*k.stride), k.step[0], k.adv)
	for range k.bumps(n) {
		SUBQ(k.reach9, k.adv)
	}
	for range rows - 1 {
		SUBQ(k.next1, k.adv)
		SUBQ(k.next1, k.adv1)
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
	clearWide(z[:rows*k.k])
	Label("rows" + tag)
	MOVQ(k.xr, k.p)
	MOVQ(k.dyr, k.dy)
	load("n", k.nq)
	SUBQ(U8(n), k.nq)
	JLT(LabelRef("tail" + tag))
	Label("pixels" + tag)
	for i := range n {
		loadWide(multiple(k.dy, k.step, i), k.masked, vdy(i))
	}
	for ky := range rows {
		if ky > 0 {
			ADDQ(k.next, k.p)
		}
		k.walk(n, k.reach9, []GPPhysical{k.p}, func(d int, products []product) {
			loadWide(multiple(k.p, k.step, d), k.masked, vx)
			for _, q := range products {
				VFMADD231PS(vx, vdy(q.out), sum(ky, q.kx))
			}
		})
	}
	LEAQ(multiple(k.dy, k.step, n), k.dy)
	ADDQ(k.adv, k.p)
	SUBQ(U8(n), k.nq)
	JGE(LabelRef("pixels" + tag))
	Label("tail" + tag)
	ADDQ(U8(n), k.nq)
	JZ(LabelRef("rowEnd" + tag))
	Label("pixel" + tag)
	loadWide(Mem{Base: k.dy}, k.masked, vdy(0))
	for ky := range rows {
		if ky > 0 {
			ADDQ(k.next1, k.p)
		}
		for kx := range k.k {
			loadWide(multiple(k.p, k.step, kx*k.dil), k.masked, vx)
			VFMADD231PS(vx, vdy(0), sum(ky, kx))
		}
	}
	ADDQ(k.step[0], k.dy)
	ADDQ(k.adv1, k.p)
	DECQ(k.nq)
	JNZ(LabelRef("pixel" + tag))
	Label("rowEnd" + tag)
	for range k.stride {
		ADDQ(k.xrow, k.xr)
	}
	MOVQ(mustAddr(Param("dyrow")), t)
	ADDQ(t, k.dyr)
	DECQ(k.left)
	JNZ(LabelRef("rows" + tag))

	load("dw", k.p)
	ADDQ(k.coff, k.p)
	for range first * k.k {
		ADDQ(k.step[0], k.p)
	}
	for i := range rows * k.k {
		if i > 0 && i%reach == 0 {
			ADDQ(k.reach9, k.p)
		}
		m := multiple(k.p, k.step, i%reach)
		VMOVUPS_Z(m, K1, vx)
		VADDPS(vx, z[i], vx)
		VMOVUPS(vx, K1, m)
	}
}
