package main

import (
	"fmt"
	"slices"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// notLE is the VCMPPS predicate for greater or unordered.
const notLE = 6

// A vecISA is what a generator that writes for both instruction sets needs to
// know. Masks of lanes come as arrays of int32 in both: AVX2 keeps one in the
// last register, AVX-512 in K1.
type vecISA struct {
	name string // suffix of the kernels
	wide bool   // AVX-512
	reg  []VecPhysical
}

var (
	avx2   = vecISA{"AVX2", false, y}
	avx512 = vecISA{"AVX512", true, z}
)

func (v vecISA) lanes() int {
	if v.wide {
		return 16
	}
	return 8
}

func (v vecISA) bytes() int { return 4 * v.lanes() }

// loadMask keeps the mask at the address in r.
func (v vecISA) loadMask(r GPPhysical) {
	if !v.wide {
		VMOVDQU(Mem{Base: r}, y[15])
		return
	}
	VMOVDQU32(Mem{Base: r}, z[31])
	VPMOVD2M(z[31], K1)
}

// load reads a vector; under the mask the other lanes become zero and their
// memory is not touched.
func (v vecISA) load(m Mem, r VecPhysical, masked bool) {
	switch {
	case !masked:
		VMOVUPS(m, r)
	case v.wide:
		VMOVUPS_Z(m, K1, r)
	default:
		VMASKMOVPS(m, y[15], r)
	}
}

func (v vecISA) store(r VecPhysical, m Mem, masked bool) {
	switch {
	case !masked:
		VMOVUPS(r, m)
	case v.wide:
		VMOVUPS(r, K1, m)
	default:
		VMASKMOVPS(r, y[15], m)
	}
}

// keepPositive clears the lanes of r where value is neither positive nor NaN.
// It spoils value.
func (v vecISA) keepPositive(value, zero, r VecPhysical) {
	if v.wide {
		VCMPPS(U8(notLE), zero, value, K2)
		VMOVUPS_Z(r, K2, r)
		return
	}
	VCMPPS(U8(notLE), zero, value, value)
	VANDPS(value, r, r)
}

// clear zeroes registers. Where there is a short form, it needs no execution
// unit.
func (v vecISA) clear(regs ...VecPhysical) {
	for _, r := range regs {
		if i := slices.Index(z[:16], r); i >= 0 {
			r = y[i]
		}
		VXORPS(r, r, r)
	}
}

// tagged is the label s followed by numbers.
func tagged(s string, n ...int) string {
	for _, i := range n {
		s = fmt.Sprintf("%s_%d", s, i)
	}
	return s
}
