package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// dwRowsAVX512 emits one kernel for each window without dilation: 16 channels by
// 8 pixels by two output rows in registers over the whole window. Two rows,
// because the chain of one block would be as long as the block takes at full
// speed: with sixteen chains the multiply-adds need not wait for each other.
//
// The distances of pixels are arguments, so a dilated window is one of these on
// every other pixel and row.
//
// An input pixel is loaded once for each window row and feeds up to k
// multiply-adds; the weights of the window row are in registers, all nine of a
// 3x3 over the whole strip.
//
// What does not divide is done twice instead: the last block of a row of pixels,
// the last pair of rows and the last 16 channels lie over the ones before. With
// ch < 16 only the stores and the loads of weights are under a mask; pixels are
// read with what lies behind them.
//
// While the multiply-adds go on, as many cache lines as there are vectors of y
// are prefetched from ahead on: what the caller reads next.
func dwRowsAVX512() {
	for _, w := range windows {
		dwRowsKernel(w)
	}
}

// dwRowsBlocks are the pixels of a block, for rows of that many pixels or more.
var dwRowsBlocks = []int{4, 8}

// dwRowsRegs is the register plan. Sums are z0 up, row 0 then row 1; weights
// follow from z16 and the pixels are the last two.
type dwRowsRegs struct {
	window
	step                                       []GPPhysical
	reach9, p0, p1, next, wp, tmp, xq, yq, nq  GPPhysical // tmp is ahead within a block
	yrow                                       GPPhysical
	coff, left, xr, yr, xpair, ahead, rowsLeft Mem
	ypx, wstep                                 Mem // pixels of y and taps of w apart, in bytes
}

func dwRowsKernel(w window) {
	name := "dwRows" + w.suffix()
	TEXT(name, NOSPLIT, "func(rows, n, ch int, y *float32, yrow, ypx int, x *float32, xrow, xpx int, w, ahead *float32, mask *int32)")
	Doc(fmt.Sprintf("%s works like dwRows with window %v, pixels of y ypx and of x xpx apart, for", name, w),
		fmt.Sprintf("rows > 0, n >= %d and ch >= 16, or less than 16 that mask selects. Then it reads", dwRowsBlocks[0]),
		"16 channels of x all the same.")
	Pragma("noescape")
	local := AllocLocal(8 * 8)
	k := dwRowsRegs{
		window: w,
		step:   []GPPhysical{RAX, RBX, RCX, RDX}, reach9: RSI,
		p0: RDI, p1: R8, next: R9, wp: R10, tmp: R11, xq: R12, yq: R13, nq: R14, yrow: R15,
		coff: local, left: local.Offset(8), xr: local.Offset(16), yr: local.Offset(24), xpair: local.Offset(32),
		ahead: local.Offset(40), rowsLeft: local.Offset(48),
		wstep: local.Offset(56), ypx: mustAddr(Param("ypx")),
	}
	load("mask", k.p0)
	avx512.loadMask(k.p0)
	loadBytes("ch", k.p0)
	MOVQ(k.p0, k.wstep)
	SHLQ(U8(2), k.ypx)
	pixelSteps("xpx", k.step, k.reach9)
	loadBytes("yrow", k.yrow)
	loadBytes("xrow", k.next)
	MOVQ(k.next, k.p0)
	if w.stride == 2 {
		ADDQ(k.p0, k.p0)
	}
	// A single row is its own partner.
	XORQ(k.p1, k.p1)
	CMPQ(mustAddr(Param("rows")), U8(1))
	CMOVQEQ(k.p1, k.p0)
	CMOVQEQ(k.p1, k.yrow)
	MOVQ(k.p0, k.xpair)
	MOVQ(U32(0), k.coff)
	load("ahead", k.tmp)
	MOVQ(k.tmp, k.ahead)

	load("n", k.nq)
	for i := len(dwRowsBlocks) - 1; i > 0; i-- {
		CMPQ(k.nq, U8(dwRowsBlocks[i]))
		JGE(LabelRef(fmt.Sprintf("channels%d", dwRowsBlocks[i])))
	}
	for _, b := range dwRowsBlocks {
		k.strip(b)
	}
	Label("end")
	leave()
}

// strip emits the loops over channels, pairs of rows and blocks of b pixels.
func (k dwRowsRegs) strip(b int) {
	tag := func(s string) string { return fmt.Sprintf("%s%d", s, b) }
	t := k.tmp
	Label(tag("channels"))
	// next is the distance to the next window row from where the walk ends.
	for range k.bumps(b) {
		SUBQ(k.reach9, k.next)
	}
	Label(tag("nextChannels"))
	load("x", t)
	ADDQ(k.coff, t)
	MOVQ(t, k.xr)
	load("y", t)
	ADDQ(k.coff, t)
	MOVQ(t, k.yr)
	load("rows", t)
	MOVQ(t, k.left)
	if k.k == 3 {
		load("w", k.wp)
		ADDQ(k.coff, k.wp)
		for i := range 9 {
			avx512.load(Mem{Base: k.wp}, k.weight(i), true)
			ADDQ(k.wstep, k.wp)
		}
	}
	Label(tag("rows"))
	MOVQ(k.xr, k.xq)
	MOVQ(k.yr, k.yq)
	load("n", k.nq)
	Label(tag("pixels"))
	k.block(b, tag("window"))
	SUBQ(U8(b), k.nq)
	JZ(LabelRef(tag("rowEnd")))
	// Move on by min(nq, b) pixels, so that the last block ends the row.
	MOVQ(U32(uint32(b)), t)
	CMPQ(k.nq, t)
	CMOVQLT(k.nq, t)
	MOVQ(U32(uint32(b)), k.wp)
	CMOVQLT(k.wp, k.nq)
	MOVQ(t, k.p0)
	IMULQ(k.step[0], t)
	LEAQ(at(k.xq, t, k.stride), k.xq)
	IMULQ(k.ypx, k.p0)
	ADDQ(k.p0, k.yq)
	JMP(LabelRef(tag("pixels")))
	Label(tag("rowEnd"))
	// Move on by one row if only one is left: the last pair ends the strip.
	MOVQ(k.xpair, k.wp)
	MOVQ(k.yrow, t)
	SUBQ(U8(2), k.left)
	JLE(LabelRef(tag("channelsEnd")))
	CMPQ(k.left, U8(1))
	JEQ(LabelRef(tag("lastRow")))
	ADDQ(k.wp, k.wp)
	ADDQ(t, t)
	DECQ(k.left)
	Label(tag("lastRow"))
	INCQ(k.left)
	ADDQ(k.wp, k.xr)
	ADDQ(t, k.yr)
	JMP(LabelRef(tag("rows")))
	Label(tag("channelsEnd"))
	nextChannels(k.coff, t, k.wp, "end")
	JMP(LabelRef(tag("nextChannels")))
}

// nextChannels moves coff, in bytes, on by 16 channels or to the last 16, and
// jumps to end behind the last. It destroys t and u.
func nextChannels(coff Mem, t, u GPPhysical, end string) {
	loadBytes("ch", t)
	SUBQ(U8(wideBytes), t) // the last offset
	MOVQ(coff, u)
	CMPQ(u, t)
	JGE(LabelRef(end)) // greater for ch < 16
	ADDQ(U8(wideBytes), u)
	CMPQ(u, t)
	CMOVQGT(t, u)
	MOVQ(u, coff)
}

func (k dwRowsRegs) weight(i int) VecPhysical { return z[16+i] }

// eitherMask emits f twice, without and with the mask, to choose from: under a
// mask, loads cost a unit that multiplies, and stores are slower.
func (k dwRowsRegs) eitherMask(label string, f func(masked bool)) {
	CMPQ(mustAddr(Param("ch")), U8(wide))
	JLT(LabelRef(label + "Masked"))
	f(false)
	JMP(LabelRef(label + "Done"))
	Label(label + "Masked")
	f(true)
	Label(label + "Done")
}

// block emits b pixels of two rows.
func (k dwRowsRegs) block(b int, label string) {
	ptrs := []GPPhysical{k.p0, k.p1}
	pixel := []VecPhysical{z[30], z[31]}
	sum := func(row, out int) VecPhysical { return z[row*b+out] }
	MOVQ(k.xq, k.p0)
	MOVQ(k.xq, k.p1)
	ADDQ(k.xpair, k.p1)
	avx512.clear(z[:2*b]...)
	row := func(ky int) {
		k.walk(b, k.reach9, ptrs, func(d int, products []product) {
			for r, p := range ptrs {
				VMOVUPS(multiple(p, k.step, d), pixel[r])
				for _, q := range products {
					VFMADD231PS(pixel[r], k.weight(ky+q.kx), sum(r, q.out))
				}
			}
		})
	}
	advance := func() {
		for _, p := range ptrs {
			ADDQ(k.next, p)
		}
	}
	MOVQ(k.ahead, k.tmp)
	per := 2 * b / k.k // lines a window row
	prefetch := func(lines int) {
		for i := range lines {
			PREFETCHT0(Mem{Base: k.tmp, Disp: wideBytes * i})
		}
		if lines > 0 {
			ADDQ(I32(int32(wideBytes*lines)), k.tmp)
		}
	}
	if k.k == 3 {
		for ky := range 3 {
			if ky > 0 {
				advance()
			}
			prefetch(per)
			row(3 * ky)
		}
	} else {
		load("w", k.wp)
		ADDQ(k.coff, k.wp)
		MOVQ(U32(uint32(k.k)), k.rowsLeft)
		Label(label)
		prefetch(per)
		k.eitherMask(label+"Weights", func(masked bool) {
			for i := range k.k {
				avx512.load(Mem{Base: k.wp}, k.weight(i), masked)
				ADDQ(k.wstep, k.wp)
			}
		})
		row(0)
		advance()
		DECQ(k.rowsLeft)
		JNZ(LabelRef(label))
	}
	prefetch(2*b - per*k.k)
	MOVQ(k.tmp, k.ahead)
	MOVQ(k.yq, k.p0)
	LEAQ(at(k.yq, k.yrow, 1), k.p1)
	MOVQ(k.ypx, k.tmp)
	k.eitherMask(label+"Store", func(masked bool) {
		for r, p := range ptrs {
			store := func(first int, times ...int) {
				for _, i := range times {
					if first+i < b {
						avx512.store(sum(r, first+i), at(p, k.tmp, i), masked)
					}
				}
			}
			store(0, 0, 1, 2, 4)
			ADDQ(k.tmp, p)
			store(1, 2, 4)
			if b > 4 {
				ADDQ(k.tmp, p)
				store(2, 4)
				ADDQ(k.tmp, p)
				store(3, 4)
			}
		}
	})
}
