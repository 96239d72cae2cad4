package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// elementwise emits the passes over flat slices that memory limits: 32 elements
// a turn, then 8, then the rest under the mask of n%8 lanes. A turn loads before
// it stores, so a result may be one of its operands.
func elementwise() {
	flat("reluAVX2", "reluRowRef", 1, func(b Op, v VecPhysical) {
		VCMPPS(U8(notLE), y[14], v, y[13])
		VANDPS(y[13], v, v)
	})
	flat("reluGradAVX2", "reluGradRowRef", 2, func(b Op, v VecPhysical) {
		VCMPPS(U8(notLE), y[14], v, v)
		VANDPS(b, v, v)
	})
	flat("addAVX2", "addRowRef", 2, func(b Op, v VecPhysical) {
		VADDPS(b, v, v)
	})
}

// flat emits a kernel with one or two operands. f computes v from v, which
// holds the first one, and from b, the second; y[14] is zero, y[13] free.
func flat(name, ref string, operands int, f func(b Op, v VecPhysical)) {
	sig := "func(n int, dst, a *float32, mask *int32)"
	if operands == 2 {
		sig = "func(n int, dst, a, b *float32, mask *int32)"
	}
	TEXT(name, NOSPLIT, sig)
	Doc(name+" works like "+ref+" on n elements.", "mask selects n%8 lanes.")
	Pragma("noescape")
	n, dst := RAX, RBX
	src := []GPPhysical{RCX, RDX}[:operands]
	load("n", n)
	load("dst", dst)
	load("a", src[0])
	if operands == 2 {
		load("b", src[1])
	}
	VXORPS(y[14], y[14], y[14])
	turn := func(vectors int) {
		for i := range vectors {
			VMOVUPS(Mem{Base: src[0], Disp: i * vecBytes}, y[i])
			f(Mem{Base: src[operands-1], Disp: i * vecBytes}, y[i])
		}
		for i := range vectors {
			VMOVUPS(y[i], Mem{Base: dst, Disp: i * vecBytes})
		}
		for _, p := range append(src, dst) {
			ADDQ(I32(int32(vectors*vecBytes)), p)
		}
	}
	for _, vectors := range []int{4, 1} {
		loop, end := "by8", "tail"
		if vectors == 4 {
			loop, end = "by32", "by8"
		}
		Label(loop)
		CMPQ(n, U8(vectors*lanes))
		JLT(LabelRef(end))
		turn(vectors)
		SUBQ(U8(vectors*lanes), n)
		JMP(LabelRef(loop))
	}
	Label("tail")
	TESTQ(n, n)
	JZ(LabelRef("done"))
	load("mask", n)
	VMOVDQU(Mem{Base: n}, y[15])
	VMASKMOVPS(Mem{Base: src[0]}, y[15], y[0])
	if operands == 2 {
		VMASKMOVPS(Mem{Base: src[1]}, y[15], y[1])
	}
	f(y[1], y[0])
	VMASKMOVPS(y[0], y[15], Mem{Base: dst})
	Label("done")
	leave()
}
