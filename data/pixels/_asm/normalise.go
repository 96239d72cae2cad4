package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// normalise emits the normalisation of a row, 8 pixels or 24 values a turn. Channels change from
// value to value and repeat after three vectors, so that every vector has coefficients of its own.
func normalise(mirrored bool) {
	name, ref := "copyAVX2", "Copy"
	// Where a load starts that has the eight values of a vector.
	start := []int{0, 8, 16}
	var masks [3]Mem
	if mirrored {
		name, ref = "mirrorAVX2", "Mirror"
		start = []int{8, 6, 0}
		for i := range masks {
			var table [16]byte
			for at := range 8 {
				out := 8*i + at
				table[at] = byte(3*(7-out/3) + out%3 - start[i])
			}
			masks[i] = mask(fmt.Sprintf("mirror%d", i), table)
		}
	}
	TEXT(name, NOSPLIT, "func(blocks int, dst *float32, src *uint8, coef *float32)")
	Doc(fmt.Sprintf("%s works like Normaliser.%s on 8 pixels a block, as high(v)+low(v). coef (4,24) has the slopes", name, ref),
		"of high, its values at 0, the slopes of low and its values at 0.")
	if mirrored {
		Doc("src is the last block, and the next one is the one before it.")
	}
	Pragma("noescape")
	blocks, dst, src, coef := RCX, RBX, RDX, RSI
	load("blocks", blocks)
	load("dst", dst)
	load("src", src)
	load("coef", coef)
	for i := range 12 {
		VMOVUPS(Mem{Base: coef, Disp: 32 * i}, y[4+i])
	}
	Label("block")
	for i := range 3 {
		low, high := y[0], y[1]
		if mirrored {
			VMOVDQU(Mem{Base: src, Disp: start[i]}, low.AsX())
			VPSHUFB(masks[i], low.AsX(), low.AsX())
			VPMOVZXBD(low.AsX(), low)
		} else {
			VPMOVZXBD(Mem{Base: src, Disp: start[i]}, low)
		}
		VCVTDQ2PS(low, low)
		VMOVAPS(low, high)
		VFMADD213PS(y[7+i], y[4+i], high)
		VFMADD213PS(y[13+i], y[10+i], low)
		VADDPS(low, high, high)
		VMOVUPS(high, Mem{Base: dst, Disp: 32 * i})
	}
	step := int32(24)
	if mirrored {
		step = -step
	}
	ADDQ(I32(step), src)
	ADDQ(I32(96), dst)
	DECQ(blocks)
	JNZ(LabelRef("block"))
	leave()
}
