package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// add emits the sum of two flat slices: 32 elements a turn, then 8, then the
// rest under the mask of n%8 lanes. A turn loads before it stores, so the result
// may be one of the operands.
func add() {
	TEXT("addAVX2", NOSPLIT, "func(n int, dst, a, b *float32, mask *int32)")
	Doc("addAVX2 works like addRowRef on n elements.", "mask selects n%8 lanes.")
	Pragma("noescape")
	n, dst, a, b := RAX, RBX, RCX, RDX
	load("n", n)
	load("dst", dst)
	load("a", a)
	load("b", b)
	turn := func(vectors int) {
		for i := range vectors {
			VMOVUPS(Mem{Base: a, Disp: i * vecBytes}, y[i])
			VADDPS(Mem{Base: b, Disp: i * vecBytes}, y[i], y[i])
		}
		for i := range vectors {
			VMOVUPS(y[i], Mem{Base: dst, Disp: i * vecBytes})
		}
		for _, p := range []GPPhysical{a, b, dst} {
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
	VMASKMOVPS(Mem{Base: a}, y[15], y[0])
	VMASKMOVPS(Mem{Base: b}, y[15], y[1])
	VADDPS(y[1], y[0], y[0])
	VMASKMOVPS(y[0], y[15], Mem{Base: dst})
	Label("done")
	leave()
}
