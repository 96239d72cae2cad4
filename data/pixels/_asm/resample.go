package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// horizontal emits the resampling of a row. 32 outputs are a turn, in four vectors of two
// halves; a half is four outputs that stand close together in src, so that one load of 16
// bytes has the next two inputs of each, and one shuffle puts these side by side as words.
func horizontal() {
	TEXT("horizontalAVX2", NOSPLIT, "func(groups int, dst, src *uint8, pairs, step int, table *uint16)")
	Doc("horizontalAVX2 works like horizontalRef on 32 outputs a group, with the table of a gather.",
		"A pair of inputs lies step bytes behind the one before it.")
	Pragma("noescape")
	in, dst, table, pairs := RAX, RBX, RCX, RDX
	start := []GPPhysical{RSI, RDI, R8, R9, R10, R11, R12, R13}
	step, groups := R14, R15
	high, low, masks, v, t, round := y[0:4], y[4:8], y[8:12], y[12], y[13], y[15]

	words(1<<9, round)
	load("groups", groups)
	load("dst", dst)
	load("step", step)
	load("table", table)

	pair := func(first bool) {
		for j := range 4 {
			VMOVDQU(Mem{Base: in, Index: start[2*j], Scale: 1}, v.AsX())
			VINSERTI128(U8(1), Mem{Base: in, Index: start[2*j+1], Scale: 1}, v, v)
			VPSHUFB(masks[j], v, v)
			if first {
				VPMADDWD(Mem{Base: table, Disp: 64 * j}, v, high[j])
				VPMADDWD(Mem{Base: table, Disp: 64*j + 32}, v, low[j])
				continue
			}
			VPMADDWD(Mem{Base: table, Disp: 64 * j}, v, t)
			VPADDD(t, high[j], high[j])
			VPMADDWD(Mem{Base: table, Disp: 64*j + 32}, v, v)
			VPADDD(v, low[j], low[j])
		}
		ADDQ(I32(256), table)
	}

	Label("group")
	load("src", in)
	load("pairs", pairs)
	for i, r := range start {
		MOVLQSX(Mem{Base: table, Disp: 4 * i}, r)
	}
	for j, r := range masks {
		VMOVDQU(Mem{Base: table, Disp: 32 + 32*j}, r)
	}
	ADDQ(I32(160), table)
	pair(true)
	DECQ(pairs)
	JZ(LabelRef("sums"))
	Label("pair")
	ADDQ(step, in)
	pair(false)
	DECQ(pairs)
	JNZ(LabelRef("pair"))
	Label("sums")
	finish(high, low, round, Mem{Base: dst})
	ADDQ(I32(32), dst)
	DECQ(groups)
	JNZ(LabelRef("group"))
	leave()
}

// far emits the resampling of a row where an output has many inputs, one output after another. A
// load of 16 bytes has the next 4 RGB pixels or the next 16 values of one channel. Shuffled to
// words they are two halves of four pairs: of red, green, blue and nothing, or of one channel.
func far() {
	TEXT("farAVX2", NOSPLIT, "func(n int, dst, src *uint8, first *int32, channels, chunks, step int, mask *uint8, table *uint16)")
	Doc("farAVX2 works like horizontalRef on n outputs, with the table of a gather that is far.",
		"Chunks lie step bytes apart.")
	Pragma("noescape")
	n, dst, src, first, channels, step, table := RAX, RBX, RCX, RDX, RSI, RDI, R8
	in, chunks, byte3 := R9, R10, R11
	high, low, v, t, masks, half := y[0], y[1], y[2], y[3], y[14], y[15]
	MOVL(I32(1<<21), EAX)
	VMOVD(EAX, half.AsX())
	VPBROADCASTD(half.AsX(), half.AsX())
	load("mask", in)
	VMOVDQU(Mem{Base: in}, masks)
	load("n", n)
	load("dst", dst)
	load("src", src)
	load("first", first)
	load("channels", channels)
	load("step", step)
	load("table", table)

	Label("output")
	MOVLQSX(Mem{Base: first}, in)
	IMULQ(channels, in)
	ADDQ(src, in)
	load("chunks", chunks)
	VPXOR(high, high, high)
	VPXOR(low, low, low)
	Label("chunk")
	VBROADCASTI128(Mem{Base: in}, v)
	VPSHUFB(masks, v, v)
	VPMADDWD(Mem{Base: table}, v, t)
	VPADDD(t, high, high)
	VPMADDWD(Mem{Base: table, Disp: 32}, v, v)
	VPADDD(v, low, low)
	ADDQ(step, in)
	ADDQ(U8(64), table)
	DECQ(chunks)
	JNZ(LabelRef("chunk"))
	VPSLLD(U8(8), high, high)
	VPADDD(low, high, high)
	VEXTRACTI128(U8(1), high, v.AsX())
	sum := high.AsX()
	VPADDD(v.AsX(), sum, sum)
	CMPQ(channels, U8(3))
	JEQ(LabelRef("clip"))
	VPHADDD(sum, sum, sum)
	VPHADDD(sum, sum, sum)
	Label("clip")
	VPADDD(half.AsX(), sum, sum)
	VPSRAD(U8(22), sum, sum)
	VPACKSSDW(sum, sum, sum)
	VPACKUSWB(sum, sum, sum)
	VMOVD(sum, byte3.As32())
	MOVB(byte3.As8(), Mem{Base: dst})
	CMPQ(channels, U8(3))
	JNE(LabelRef("next"))
	SHRL(U8(8), byte3.As32())
	MOVW(byte3.As16(), Mem{Base: dst, Disp: 1})
	Label("next")
	ADDQ(channels, dst)
	ADDQ(U8(4), first)
	DECQ(n)
	JNZ(LabelRef("output"))
	leave()
}

// vertical emits the weighted sum of rows, 32 columns a turn.
func vertical() {
	TEXT("verticalAVX2", NOSPLIT, "func(blocks int, dst, rows *uint8, stride, pairs int, coef *int16)")
	Doc("verticalAVX2 works like verticalRef on 32 columns a block. coef (pairs,2,2) has the high",
		"parts of a pair of coefficients, then the low ones.")
	Pragma("noescape")
	blocks, dst, rows, stride, pairs, coef := RAX, RBX, RCX, RDX, RSI, RDI
	a, k, n := R8, R9, R10
	high, low := y[0:4], y[4:8]
	lower, upper, v, t, kh, kl, zero, round := y[8], y[9], y[10], y[11], y[12], y[13], y[14], y[15]

	words(1<<9, round)
	VPXOR(zero, zero, zero)
	load("blocks", blocks)
	load("dst", dst)
	load("rows", rows)
	load("stride", stride)
	load("pairs", pairs)
	load("coef", coef)

	pair := func(first bool) {
		VMOVDQU(Mem{Base: a}, v)
		VMOVDQU(Mem{Base: a, Index: stride, Scale: 1}, t)
		VPBROADCASTD(Mem{Base: k}, kh)
		VPBROADCASTD(Mem{Base: k, Disp: 4}, kl)
		VPUNPCKLBW(t, v, lower)
		VPUNPCKHBW(t, v, upper)
		for j := range 4 {
			from := lower
			if j >= 2 {
				from = upper
			}
			if j%2 == 0 {
				VPUNPCKLBW(zero, from, v)
			} else {
				VPUNPCKHBW(zero, from, v)
			}
			if first {
				VPMADDWD(kh, v, high[j])
				VPMADDWD(kl, v, low[j])
				continue
			}
			VPMADDWD(kh, v, t)
			VPADDD(t, high[j], high[j])
			VPMADDWD(kl, v, v)
			VPADDD(v, low[j], low[j])
		}
	}

	Label("block")
	MOVQ(rows, a)
	MOVQ(coef, k)
	MOVQ(pairs, n)
	pair(true)
	DECQ(n)
	JZ(LabelRef("sums"))
	Label("pair")
	LEAQ(Mem{Base: a, Index: stride, Scale: 2}, a)
	ADDQ(U8(8), k)
	pair(false)
	DECQ(n)
	JNZ(LabelRef("pair"))
	Label("sums")
	finish(high, low, round, Mem{Base: dst})
	ADDQ(U8(32), rows)
	ADDQ(U8(32), dst)
	DECQ(blocks)
	JNZ(LabelRef("block"))
	leave()
}
