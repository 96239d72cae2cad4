package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// peak emits the loops that the machine's peaks are measured with: one for the
// arithmetic units, one for the loads.
func peak() {
	var z []VecPhysical
	for _, r := range []VecPhysical{Z0, Z1, Z2, Z3, Z4, Z5, Z6, Z7, Z8, Z9, Z10, Z11, Z12, Z13, Z14, Z15,
		Z16, Z17, Z18, Z19, Z20, Z21, Z22, Z23} {
		z = append(z, r)
	}
	fmaPeak("AVX2", y[:12], func(r VecPhysical) { VXORPS(r, r, r) })
	fmaPeak("AVX512", z, func(r VecPhysical) { VPXORD(r, r, r) })
	readPeak("AVX2", y[:8], vecBytes)
	readPeak("AVX512", z[:8], 2*vecBytes)
}

// fmaPeak multiplies and adds zeros, one independent chain a register. Twelve
// chains hide four cycles of latency on up to three units.
func fmaPeak(isa string, chains []VecPhysical, clear func(VecPhysical)) {
	TEXT("fmaPeak"+isa, NOSPLIT, "func(n int)")
	Doc(fmt.Sprintf("fmaPeak%s does n times %d vector multiply-adds; n is positive.", isa, len(chains)))
	n := RAX
	load("n", n)
	for _, r := range chains {
		clear(r)
	}
	Label("loop")
	for _, r := range chains {
		VFMADD231PS(r, r, r)
	}
	DECQ(n)
	JNZ(LabelRef("loop"))
	leave()
}

// readPeak loads memory and does nothing with it.
func readPeak(isa string, into []VecPhysical, bytes int) {
	TEXT("readPeak"+isa, NOSPLIT, "func(x *float32, n int)")
	Doc(fmt.Sprintf("readPeak%s loads n floats from x; n is a positive multiple of %d.", isa, len(into)*bytes/4))
	Pragma("noescape")
	x, n := RAX, RBX
	load("x", x)
	load("n", n)
	Label("loop")
	for i, r := range into {
		VMOVUPS(Mem{Base: x, Disp: i * bytes}, r)
	}
	ADDQ(I32(int32(len(into)*bytes)), x)
	SUBQ(I32(int32(len(into)*bytes/4)), n)
	JNZ(LabelRef("loop"))
	leave()
}
