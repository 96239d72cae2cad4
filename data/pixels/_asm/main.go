// Command asm writes the amd64 assembly of package pixels; the command line is in
// resize_avx2_amd64.go.
//
// It lives in its own module below a folder the go tool ignores, so that avo is no
// dependency of oneshot.
package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// y holds the sixteen vector registers of AVX2, which every loop plans by hand.
var y = []VecPhysical{Y0, Y1, Y2, Y3, Y4, Y5, Y6, Y7, Y8, Y9, Y10, Y11, Y12, Y13, Y14, Y15}

func main() {
	ConstraintExpr("!noasm")
	horizontal()
	far()
	vertical()
	color()
	spread()
	normalise(false)
	normalise(true)
	Generate()
}

func load(name string, r GPPhysical) { Load(Param(name), r) }

// words fills a register with a 16-bit number.
func words(n int32, r VecPhysical) {
	MOVL(I32(n), EAX)
	VMOVD(EAX, r.AsX())
	VPBROADCASTW(r.AsX(), r)
}

func leave() {
	VZEROUPPER()
	RET()
}

// finish makes sums of 32 outputs bytes, in dst. A sum comes in two parts, high*2^8 + low,
// eight in high[j] and low[j], in units of 2^-22. Shifted to 2^-6 it fits 16 bits, and the
// rounding multiplication by round, 2^9 in units of 2^-15, takes these six places off.
func finish(high, low []VecPhysical, round VecPhysical, dst Mem) {
	for j := range 4 {
		VPSRAD(U8(8), low[j], low[j])
		VPADDD(low[j], high[j], high[j])
		VPSRAD(U8(8), high[j], high[j])
	}
	VPACKSSDW(high[1], high[0], high[0])
	VPACKSSDW(high[3], high[2], high[2])
	VPMULHRSW(round, high[0], high[0])
	VPMULHRSW(round, high[2], high[2])
	VPACKUSWB(high[2], high[0], high[0])
	VMOVDQU(high[0], dst)
}
