package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// dwGrad emits the channel blocks of dwGradRow: the sums of a group of taps by
// 8 channels stay in registers over all pixels, so that one load of dy serves
// the group.
//
// Taps that follow each other one pixel apart share their loads of x as well:
// runs of 5, two a group, or of 3, three a group, which are the columns of the
// usual kernels. Other taps go up to 9 a group, each with its own pointer.
//
// However taps are grouped, the sum of a row is one chain of fused
// multiply-adds over ascending pixels from +0, added to dw at the end.
func dwGrad() {
	dwGradBlocks("dwGradBlocksAVX2", false)
	dwGradBlocks("dwGradMaskAVX2", true)
}

// dwGradSingles are the taps of a group without runs: 9 for 3x3, 9, 9 and 7 for
// 5x5, and what is left of others.
var dwGradSingles = []int{9, 7, 4, 1}

// dwGradStack is what the inner loops have no register for.
type dwGradStack struct {
	coff, left, xlist, wlist Mem // channel offset in bytes, taps left, their offsets
	masked                   bool
}

// dwGradBlocks emits the loop over groups of taps; the masked kernel knows no
// runs.
func dwGradBlocks(name string, masked bool) {
	sig := "n, ch int, dw *float32, woff *int, x *float32, xstep int, xoff *int, dy *float32, ystep int, taps int"
	what := "ch channels, a positive multiple of 8"
	if masked {
		sig += ", mask *int32"
		what = "the channels of 8 whose mask is set; ch is at most 8"
	}
	TEXT(name, NOSPLIT, "func("+sig+")")
	Doc(fmt.Sprintf("%s works like dwGradRowRef on %s.", name, what), "n and taps are positive.")
	Pragma("noescape")
	local := AllocLocal(4 * 8)
	k := dwGradStack{local, local.Offset(8), local.Offset(16), local.Offset(24), masked}
	if masked {
		load("mask", RAX)
		VMOVDQU(Mem{Base: RAX}, y[15])
	}
	SHLQ(U8(2), mustAddr(Param("ch")))
	for _, c := range []struct {
		name string
		dst  Mem
	}{{"taps", k.left}, {"xoff", k.xlist}, {"woff", k.wlist}} {
		load(c.name, RAX)
		MOVQ(RAX, c.dst)
	}

	Label("group")
	MOVQ(U32(0), k.coff)
	left, xlist, xstep := RAX, RBX, RCX
	MOVQ(k.left, left)
	MOVQ(k.xlist, xlist)
	load("xstep", xstep)
	if !masked {
		k.isRun(left, xlist, xstep, 0, 5, "not5")
		k.isRun(left, xlist, xstep, 5, 5, "run1x5")
		JMP(LabelRef("run2x5"))
		Label("not5")
		k.isRun(left, xlist, xstep, 0, 3, "singles")
		k.isRun(left, xlist, xstep, 3, 3, "run1x3")
		k.isRun(left, xlist, xstep, 6, 3, "run2x3")
		JMP(LabelRef("run3x3"))
		Label("singles")
	}
	for _, n := range dwGradSingles {
		CMPQ(left, U8(n))
		JGE(LabelRef(fmt.Sprintf("singles%d", n)))
	}
	for _, n := range dwGradSingles {
		k.singles(n)
	}
	if !masked {
		for _, c := range [][2]int{{1, 5}, {2, 5}, {1, 3}, {2, 3}, {3, 3}} {
			k.runs(c[0], c[1])
		}
	}
	Label("end")
	leave()
}

// isRun jumps to label no unless taps first to first+r-1 exist and lie xstep
// apart.
func (k dwGradStack) isRun(left, xlist, xstep GPPhysical, first, r int, no string) {
	CMPQ(left, U8(first+r))
	JLT(LabelRef(no))
	for i := first + 1; i < first+r; i++ {
		MOVQ(Mem{Base: xlist, Disp: 8 * i}, RDX)
		SUBQ(Mem{Base: xlist, Disp: 8*i - 8}, RDX)
		CMPQ(RDX, xstep)
		JNE(LabelRef(no))
	}
}

// runs emits a group of count runs of r taps each: four pixels of dy stay in
// registers while those of x go by, and pixel i of x meets tap j at pixel i-j.
func (k dwGradStack) runs(count, r int) {
	const pixels = 4
	label := fmt.Sprintf("run%dx%d", count, r)
	step := []GPPhysical{RAX, RBX, RCX, RDX} // step[i] is (2i+1)*xstep
	base := []GPPhysical{RSI, RDI, R8}[:count]
	dy, ystep, ystep3, nq, list, tmp := R9, R10, R11, R12, R13, R15
	sumOf := func(run, tap int) VecPhysical { return y[run*r+tap] }
	vdy := func(q int) VecPhysical { return y[11+q] }

	Label(label)
	loadBytes("xstep", step[0])
	for i := 1; i < len(step); i++ {
		LEAQ(at(step[i-1], step[0], 2), step[i])
	}
	loadBytes("ystep", ystep)
	LEAQ(at(ystep, ystep, 2), ystep3)
	Label(label + "channels")
	MOVQ(k.xlist, list)
	load("x", tmp)
	ADDQ(k.coff, tmp)
	for i, b := range base {
		MOVQ(Mem{Base: list, Disp: 8 * r * i}, b)
		LEAQ(Mem{Base: tmp, Index: b, Scale: 4}, b)
	}
	load("dy", dy)
	ADDQ(k.coff, dy)
	load("n", nq)
	zero(count * r)
	SUBQ(U8(pixels), nq)
	JLT(LabelRef(label + "tail"))
	Label(label + "pixels")
	VMOVUPS(Mem{Base: dy}, vdy(0))
	VMOVUPS(at(dy, ystep, 1), vdy(1))
	VMOVUPS(at(dy, ystep, 2), vdy(2))
	VMOVUPS(at(dy, ystep3, 1), vdy(3))
	for i := range pixels + r - 1 {
		for run, b := range base {
			VMOVUPS(multiple(b, step, i), y[15])
			for j := range r {
				if i-j >= 0 && i-j < pixels {
					VFMADD231PS(y[15], vdy(i-j), sumOf(run, j))
				}
			}
		}
	}
	LEAQ(at(dy, ystep, pixels), dy)
	for _, b := range base {
		LEAQ(at(b, step[0], pixels), b)
	}
	SUBQ(U8(pixels), nq)
	JGE(LabelRef(label + "pixels"))
	Label(label + "tail")
	ADDQ(U8(pixels), nq)
	JZ(LabelRef(label + "store"))
	Label(label + "pixel")
	VMOVUPS(Mem{Base: dy}, vdy(0))
	for j := range r {
		for run, b := range base {
			VFMADD231PS(multiple(b, step, j), vdy(0), sumOf(run, j))
		}
	}
	ADDQ(ystep, dy)
	for _, b := range base {
		ADDQ(step[0], b)
	}
	DECQ(nq)
	JNZ(LabelRef(label + "pixel"))
	Label(label + "store")
	k.store(count*r, label, list, tmp, nq)
}

// singles emits a group of n taps, each with its own pointer; one index moves
// them all along the row.
func (k dwGradStack) singles(n int) {
	label := fmt.Sprintf("singles%d", n)
	tap := []GPPhysical{RAX, RBX, RCX, RDX, RSI, RDI, R8, R9, R10}[:n]
	xi, xstep, dy, ystep, nq := R11, R12, R13, R14, R15

	Label(label)
	loadBytes("xstep", xstep)
	loadBytes("ystep", ystep)
	Label(label + "channels")
	MOVQ(k.xlist, xi)
	load("x", nq)
	ADDQ(k.coff, nq)
	for i, p := range tap {
		MOVQ(Mem{Base: xi, Disp: 8 * i}, p)
		LEAQ(Mem{Base: nq, Index: p, Scale: 4}, p)
	}
	load("dy", dy)
	ADDQ(k.coff, dy)
	load("n", nq)
	XORQ(xi, xi)
	zero(n)
	Label(label + "pixel")
	if k.masked {
		VMASKMOVPS(Mem{Base: dy}, y[15], y[14])
	} else {
		VMOVUPS(Mem{Base: dy}, y[14])
	}
	for i, p := range tap {
		if k.masked {
			VMASKMOVPS(at(p, xi, 1), y[15], y[13])
			VFMADD231PS(y[13], y[14], y[i])
		} else {
			VFMADD231PS(at(p, xi, 1), y[14], y[i])
		}
	}
	ADDQ(ystep, dy)
	ADDQ(xstep, xi)
	DECQ(nq)
	JNZ(LabelRef(label + "pixel"))
	k.store(n, label, xi, nq, dy)
}

// store adds the sums of n taps to dw and goes on to the next channels, or to
// the next group of taps.
func (k dwGradStack) store(n int, label string, list, dw, tmp GPPhysical) {
	MOVQ(k.wlist, list)
	load("dw", dw)
	ADDQ(k.coff, dw)
	for i := range n {
		MOVQ(Mem{Base: list, Disp: 8 * i}, tmp)
		m := Mem{Base: dw, Index: tmp, Scale: 4}
		if k.masked {
			VMASKMOVPS(m, y[15], y[14])
			VADDPS(y[14], y[i], y[i])
			VMASKMOVPS(y[i], y[15], m)
		} else {
			VADDPS(m, y[i], y[i])
			VMOVUPS(y[i], m)
		}
	}
	MOVQ(k.coff, tmp)
	ADDQ(U8(vecBytes), tmp)
	MOVQ(tmp, k.coff)
	CMPQ(tmp, mustAddr(Param("ch")))
	JLT(LabelRef(label + "channels"))
	ADDQ(U8(8*n), k.xlist)
	ADDQ(U8(8*n), k.wlist)
	SUBQ(U8(n), k.left)
	JNZ(LabelRef("group"))
	JMP(LabelRef("end"))
}
