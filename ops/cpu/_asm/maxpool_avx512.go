package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// maxPoolRow emits the AVX-512 kernels of a 3x3 maximum: the maximum and its tap
// stay in registers over the window, the taps as 32-bit lanes that shrink to
// bytes at the end.
//
// A comparison has to find v > best, and any v that is NaN, but nothing once best
// is NaN. "Not v <= best" does that if best is +Inf in place of NaN, which is
// what a minimum with +Inf makes of it. So a maximum of +Inf may stand for NaN:
// it is read again from the tap that won, a path that real networks do not take.
//
// As in dwRows the last 16 channels may lie over the ones before.
func maxPoolRow() {
	maxPoolRowKernel("maxPoolRowWideAVX512", false)
	maxPoolRowKernel("maxPoolRowMaskAVX512", true)
}

func maxPoolRowKernel(name string, masked bool) {
	best, at0, v, inf := z[0], z[1], z[2], z[25]
	tap := func(i int) VecPhysical { return z[16+i] }
	maxPoolWindows{
		name: name, masked: masked, taps: true,
		constants: func(t GPPhysical) {
			VPXORD(tap(0), tap(0), tap(0))
			for i := 1; i < 9; i++ {
				MOVQ(U32(uint32(i)), t)
				VPBROADCASTD(t.As32(), tap(i))
			}
			MOVQ(U32(0x7f800000), t)
			VPBROADCASTD(t.As32(), inf)
		},
		best: func(operand func(i int) Mem) {
			avx512.load(operand(0), v, masked)
			VMINPS(inf, v, best)
			VMOVDQA32(tap(0), at0)
			for i := 1; i < 9; i++ {
				const notLessOrEqual, equal = 6, 0
				avx512.load(operand(i), v, masked)
				VCMPPS(U8(notLessOrEqual), best, v, K2)
				VMINPS(inf, v, K2, best)
				VMOVDQA32(tap(i), K2, at0)
				if i == 8 {
					VCMPPS(U8(equal), inf, best, K3)
					KORTESTW(K3, K3)
				}
			}
		},
		rare: "infinite",
		mend: func(operand func(i int) Mem) {
			for i := range 9 {
				VPCMPEQD(tap(i), at0, K3, K4)
				VMOVUPS(operand(i), K4, best)
			}
		},
	}.emit()
}

// maxPoolWindows is a kernel of a 3x3 maximum, which leaves it in z[0], and its tap in z[1] if it has taps.
type maxPoolWindows struct {
	name         string
	masked, taps bool
	constants    func(t GPPhysical)            // set once, nil for none
	best         func(operand func(i int) Mem) // of nine operands; a flag says whether mend must have a look
	rare         string                        // its label
	mend         func(operand func(i int) Mem)
}

func (k maxPoolWindows) emit() {
	idx, but := "", ", but for the taps"
	if k.taps {
		idx, but = " idx *uint8,", ""
	}
	TEXT(k.name, NOSPLIT, "func(n, ch, stride int, y *float32,"+idx+" x *float32, xrow int)")
	what := "ch >= 16"
	if k.masked {
		what = "ch < 16"
	}
	Doc(fmt.Sprintf("%s works like maxPoolRow for %s%s.", k.name, what, but), "n and ch are positive.")
	Pragma("noescape")
	coff := AllocLocal(8)
	pixel, t, step, yq, iq, nq, xrow := RAX, RBX, RDX, RSI, RDI, R8, R9
	row := []GPPhysical{R10, R11, R12}
	if k.masked {
		maskBelow16(t)
	}
	loadBytes("ch", pixel)
	load("stride", step)
	IMULQ(pixel, step)
	loadBytes("xrow", xrow)
	if k.constants != nil {
		k.constants(t)
	}
	MOVQ(U32(0), coff)

	Label("channels")
	MOVQ(coff, t)
	load("x", row[0])
	ADDQ(t, row[0])
	for i := 1; i < 3; i++ {
		LEAQ(at(row[i-1], xrow, 1), row[i])
	}
	load("y", yq)
	ADDQ(t, yq)
	if k.taps {
		SHRQ(U8(2), t)
		load("idx", iq)
		ADDQ(t, iq)
	}
	load("n", nq)
	operand := func(i int) Mem { return at(row[i/3], pixel, i%3) }
	Label("pixels")
	k.best(operand)
	JNZ(LabelRef(k.rare))
	Label("store")
	avx512.store(z[0], Mem{Base: yq}, k.masked)
	if k.taps {
		VPMOVDB(z[1], X3)
		if k.masked {
			VMOVDQU8(X3, K1, Mem{Base: iq})
		} else {
			VMOVDQU(X3, Mem{Base: iq})
		}
	}
	for _, p := range row {
		ADDQ(step, p)
	}
	ADDQ(pixel, yq)
	if k.taps {
		ADDQ(mustAddr(Param("ch")), iq)
	}
	DECQ(nq)
	JNZ(LabelRef("pixels"))
	if k.masked {
		leave()
	} else {
		nextChannels(coff, t, yq, "end")
		JMP(LabelRef("channels"))
		Label("end")
		leave()
	}

	Label(k.rare)
	k.mend(operand)
	JMP(LabelRef("store"))
}

// maxPoolGrad emits one tap of its gradient. The AVX-512 kernel masks what a row
// of ch elements leaves over; the AVX2 kernel takes a multiple of 8.
func maxPoolGrad() {
	maxPoolGradAVX512()
	maxPoolGradAVX2()
}

// maxPoolGradRegs are what both kernels have: pointers that run along a row, the
// rest of the row, and rows.
type maxPoolGradRegs struct{ dx, dy, idx, c, n, skip, t GPPhysical }

// maxPoolGradStart begins a kernel up to its loop over rows. skip is the distance
// in bytes from the end of a row of dx to the next.
func maxPoolGradStart(name, sig, what string) maxPoolGradRegs {
	TEXT(name, NOSPLIT, "func("+sig+")")
	Doc(name+" works like maxPoolGradRow "+what, "n and ch are positive.")
	Pragma("noescape")
	r := maxPoolGradRegs{RDI, RSI, RDX, R8, R9, R10, RAX}
	load("dx", r.dx)
	load("dy", r.dy)
	load("idx", r.idx)
	load("n", r.n)
	loadBytes("dpx", r.skip)
	loadBytes("ch", r.c)
	SUBQ(r.c, r.skip)
	Load(Param("tap"), r.t.As32())
	return r
}

// forward moves on by n elements.
func (r maxPoolGradRegs) forward(n int) {
	ADDQ(U32(4*uint32(n)), r.dx)
	ADDQ(U32(4*uint32(n)), r.dy)
	ADDQ(U32(uint32(n)), r.idx)
}

func maxPoolGradAVX512() {
	r := maxPoolGradStart("maxPoolGradRowsAVX512",
		"n, ch int, dx *float32, dpx int, dy *float32, idx *uint8, tap uint8", "for any ch.")
	const unroll = 4
	tap := X0
	VPBROADCASTB(r.t.As32(), tap)
	load("ch", RCX)
	ANDQ(U8(wide-1), RCX)
	MOVQ(U32(1), r.t)
	SHLQ(CL, r.t)
	DECQ(r.t)
	KMOVW(r.t.As32(), K1)
	part := func(i int) {
		d := Mem{Base: r.dx, Disp: wideBytes * i}
		VPCMPEQB(Mem{Base: r.idx, Disp: wide * i}, tap, K2)
		VMOVUPS(d, z[1+i])
		VADDPS(Mem{Base: r.dy, Disp: wideBytes * i}, z[1+i], K2, z[1+i])
		VMOVUPS(z[1+i], d)
	}
	Label("row")
	load("ch", r.c)
	SUBQ(U8(wide*unroll), r.c)
	JLT(LabelRef("rest"))
	Label("parts")
	for i := range unroll {
		part(i)
	}
	r.forward(wide * unroll)
	SUBQ(U8(wide*unroll), r.c)
	JGE(LabelRef("parts"))
	Label("rest")
	ADDQ(U8(wide*(unroll-1)), r.c)
	JLT(LabelRef("tail"))
	Label("part")
	part(0)
	r.forward(wide)
	SUBQ(U8(wide), r.c)
	JGE(LabelRef("part"))
	Label("tail")
	ADDQ(U8(wide), r.c)
	JZ(LabelRef("next"))
	VMOVDQU8_Z(Mem{Base: r.idx}, K1, X1)
	VPCMPEQB(X1, tap, K1, K2)
	VMOVUPS_Z(Mem{Base: r.dx}, K2, Z2)
	VADDPS(Mem{Base: r.dy}, Z2, K2, Z2)
	VMOVUPS(Z2, K2, Mem{Base: r.dx})
	LEAQ(at(r.dx, r.c, 4), r.dx)
	LEAQ(at(r.dy, r.c, 4), r.dy)
	ADDQ(r.c, r.idx)
	Label("next")
	ADDQ(r.skip, r.dx)
	DECQ(r.n)
	JNZ(LabelRef("row"))
	leave()
}

func maxPoolGradAVX2() {
	r := maxPoolGradStart("maxPoolGradRowsAVX2",
		"n, ch int, dx *float32, dpx int, dy *float32, dystep int, idx *uint8, tap uint8",
		"for a multiple of 8 channels, of dystep.")
	gap := R11
	load("dystep", gap)
	load("ch", r.c)
	SUBQ(r.c, gap)
	VMOVD(r.t.As32(), X0)
	VPBROADCASTD(X0, Y0)
	Label("row")
	load("ch", r.c)
	Label("part")
	VPMOVZXBD(Mem{Base: r.idx}, Y1)
	VPCMPEQD(Y0, Y1, Y1)
	VMOVUPS(Mem{Base: r.dx}, Y2)
	VADDPS(Mem{Base: r.dy}, Y2, Y3)
	// A blend, since adding 0 would change -0.
	VBLENDVPS(Y1, Y3, Y2, Y2)
	VMOVUPS(Y2, Mem{Base: r.dx})
	r.forward(lanes)
	SUBQ(U8(lanes), r.c)
	JNZ(LabelRef("part"))
	ADDQ(r.skip, r.dx)
	LEAQ(at(r.dy, gap, 4), r.dy)
	ADDQ(gap, r.idx)
	DECQ(r.n)
	JNZ(LabelRef("row"))
	leave()
}

// maskBelow16 sets K1 to select the first ch channels, 0 < ch < 16. It destroys
// RCX and t.
func maskBelow16(t GPPhysical) {
	load("ch", RCX)
	MOVQ(U32(1), t)
	SHLQ(CL, t)
	DECQ(t)
	KMOVW(t.(GP).As32(), K1)
}
