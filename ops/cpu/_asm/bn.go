package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// bn emits the passes of batch normalisation over rows of channels. A block of
// 8 channels keeps its coefficients, or sums, in registers and goes down the
// rows, four a turn; the callers pass as many rows as the first level cache
// holds, so that the next block finds them there.
//
// A sum of a channel is four sums, of the rows with remainder 0 to 3 by four;
// the last rows%4 rows belong to the first. So four additions are under way at
// a time, in an order that only the number of rows decides.
func bn() {
	for _, masked := range []bool{false, true} {
		suffix := "AVX2"
		if masked {
			suffix = "MaskAVX2"
		}
		bnApply("bnApply"+suffix, masked)
		bnSums("bnSum"+suffix, masked, false)
		bnSums("bnGradSum"+suffix, masked, true)
		bnGrad("bnGrad"+suffix, masked)
	}
}

// bnPass is the frame of a pass: the loop over channel blocks and the two over
// rows. Registers: rows RAX, channel offset in bytes RBX, scratch RCX, pointers
// from RSI on and their strides in bytes.
type bnPass struct {
	name, ref, sig string
	masked         bool
	streams        []string // operands with rows, in step
	strides        []string // the parameter with the distance of their rows
	coefs          []string // operands with one row, kept in y[8], y[9], ...
}

var (
	bnStream = []GPPhysical{RSI, RDI, R8}
	bnStride = []GPPhysical{R9, R10, R11}
	bnMask   = Y15
)

// emit writes the pass. start runs before the rows of a channel block, row on
// row i of a turn, finish after the rows.
func (p bnPass) emit(start func(), row func(i int), finish func()) {
	sig, what := p.sig, "ch channels, a positive multiple of 8"
	if p.masked {
		sig += ", mask *int32"
		what = "the channels of 8 whose mask is set; ch is at most 8"
	}
	TEXT(p.name, NOSPLIT, "func("+sig+")")
	Doc(fmt.Sprintf("%s works like %s on %s.", p.name, p.ref, what), "Rows are the given strides apart.")
	Pragma("noescape")
	rows, coff, tmp := RAX, RBX, RCX
	for i, s := range p.strides {
		loadBytes(s, bnStride[i])
	}
	if p.masked {
		load("mask", tmp)
		VMOVDQU(Mem{Base: tmp}, bnMask)
	}
	XORQ(coff, coff)
	Label("channels")
	for i, c := range p.coefs {
		load(c, tmp)
		p.load(Mem{Base: tmp, Index: coff, Scale: 1}, y[8+i])
	}
	for i, s := range p.streams {
		load(s, bnStream[i])
		ADDQ(coff, bnStream[i])
	}
	load("rows", rows)
	start()
	turn := func(n int) {
		for i := range n {
			row(i)
			for j := range p.streams {
				ADDQ(bnStride[j], bnStream[j])
			}
		}
	}
	Label("by4")
	SUBQ(U8(4), rows)
	JLT(LabelRef("by1"))
	turn(4)
	JMP(LabelRef("by4"))
	Label("by1")
	ADDQ(U8(4), rows)
	JZ(LabelRef("finish"))
	Label("row")
	turn(1)
	DECQ(rows)
	JNZ(LabelRef("row"))
	Label("finish")
	finish()
	ADDQ(U8(vecBytes), coff)
	SUBQ(U8(lanes), mustAddr(Param("ch")))
	JG(LabelRef("channels"))
	leave()
}

// load reads the channels at m; the lanes without a channel become zero.
func (p bnPass) load(m Mem, v VecPhysical) {
	if p.masked {
		VMASKMOVPS(m, bnMask, v)
	} else {
		VMOVUPS(m, v)
	}
}

func (p bnPass) store(v VecPhysical, m Mem) {
	if p.masked {
		VMASKMOVPS(v, bnMask, m)
	} else {
		VMOVUPS(v, m)
	}
}

// bnApply emits y = (x-mean)*scale + shift.
func bnApply(name string, masked bool) {
	p := bnPass{name, "bnRowsRef", "rows, ch int, y *float32, ldy int, x *float32, ldx int, mean, scale, shift *float32",
		masked, []string{"x", "y"}, []string{"ldx", "ldy"}, []string{"mean", "scale", "shift"}}
	p.emit(func() {}, func(i int) {
		p.load(Mem{Base: bnStream[0]}, y[i])
		VSUBPS(y[8], y[i], y[i])
		VFMADD213PS(y[10], y[9], y[i])
		p.store(y[i], Mem{Base: bnStream[1]})
	}, func() {})
}

// bnSums emits the sums of d and d*d with d = x-shift, or those of dy and dy*d
// with d = x-mean.
func bnSums(name string, masked, grad bool) {
	p := bnPass{name, "bnSumRowsRef", "rows, ch int, x *float32, ldx int, shift, s1, s2 *float32",
		masked, []string{"x"}, []string{"ldx"}, []string{"shift"}}
	if grad {
		p.ref, p.sig = "bnGradSumRowsRef", "rows, ch int, x, dy *float32, ld int, mean, s1, s2 *float32"
		p.streams, p.strides, p.coefs = []string{"x", "dy"}, []string{"ld", "ld"}, []string{"mean"}
	}
	s1, s2 := y[:4], y[4:8]
	p.emit(func() { zero(8) }, func(i int) {
		d := y[9]
		p.load(Mem{Base: bnStream[0]}, d)
		VSUBPS(y[8], d, d)
		if grad {
			p.load(Mem{Base: bnStream[1]}, y[10])
			VADDPS(y[10], s1[i], s1[i])
			VFMADD231PS(y[10], d, s2[i])
		} else {
			VADDPS(d, s1[i], s1[i])
			VFMADD231PS(d, d, s2[i])
		}
	}, func() {
		for i, s := range [][]VecPhysical{s1, s2} {
			VADDPS(s[1], s[0], s[0])
			VADDPS(s[3], s[2], s[2])
			VADDPS(s[2], s[0], s[0])
			load([]string{"s1", "s2"}[i], RCX)
			p.store(s[0], Mem{Base: RCX, Index: RBX, Scale: 1})
		}
	})
}

// bnGrad emits dx = a*(dy - b - (x-mean)*k).
func bnGrad(name string, masked bool) {
	p := bnPass{name, "bnGradRowsRef", "rows, ch int, dx, x, dy *float32, ld int, mean, a, b, k *float32",
		masked, []string{"x", "dy", "dx"}, []string{"ld", "ld", "ld"}, []string{"mean", "a", "b", "k"}}
	p.emit(func() {}, func(i int) {
		d, u := y[i], y[4+i]
		p.load(Mem{Base: bnStream[0]}, d)
		p.load(Mem{Base: bnStream[1]}, u)
		VSUBPS(y[8], d, d)
		VSUBPS(y[10], u, u)
		VFNMADD231PS(d, y[11], u)
		VMULPS(y[9], u, u)
		p.store(u, Mem{Base: bnStream[2]})
	}, func() {})
}
