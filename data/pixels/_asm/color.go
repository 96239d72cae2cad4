package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// The numbers of resize_rows.go.
const (
	colorBits = 5
	redCr     = 13173
	greenCb   = -11277
	greenCr   = -23401
	blueCb    = -7471
)

// interleave has the masks of color: where the bytes of a half's 8 pixels come from. First
// those that are red or green, then those that are blue; the first 16 bytes, then the last 8.
// A half has red in its bytes 0 to 7 and green in 8 to 15, and blue in both.
func interleave() (tables [4][16]byte) {
	for i := range tables {
		for at := range tables[i] {
			tables[i][at] = 0x80 // makes zero
			if to := 16*(i%2) + at; to < 24 {
				if c := to % 3; (c == 2) == (i >= 2) {
					tables[i][at] = byte(to/3 + 8*(c%2))
				}
			}
		}
	}
	return tables
}

// mask puts a table of 16 bytes into the file and returns its address.
func mask(name string, table [16]byte) Mem {
	g := GLOBL(name, RODATA|NOPTR)
	for i, b := range table {
		DATA(i, U8(b))
	}
	return g
}

// color emits the conversion of YCbCr to RGB, 16 pixels a turn.
func color() {
	var masks [4]Mem
	for i, table := range interleave() {
		masks[i] = mask(fmt.Sprintf("interleave%d", i), table)
	}
	TEXT("colorAVX2", NOSPLIT, "func(blocks int, dst, y, cb, cr *uint8)")
	Doc("colorAVX2 works like colorRef on 16 pixels a block.")
	Pragma("noescape")
	blocks, dst, yp, cb, cr := RCX, RBX, RDX, RSI, RDI
	l, u, v, r, g, b, half, offset := y[0], y[1], y[2], y[3], y[4], y[5], y[6], y[7]
	factor := y[8:12]
	words(1<<(colorBits-1), half)
	words(128<<colorBits, offset)
	for i, n := range []int32{redCr, greenCb, greenCr, blueCb} {
		words(n, factor[i])
	}
	for i, m := range masks {
		VBROADCASTI128(m, y[12+i])
	}
	load("blocks", blocks)
	load("dst", dst)
	load("y", yp)
	load("cb", cb)
	load("cr", cr)

	Label("block")
	VPMOVZXBW(Mem{Base: yp}, l)
	VPMOVZXBW(Mem{Base: cb}, u)
	VPMOVZXBW(Mem{Base: cr}, v)
	VPSLLW(U8(colorBits), l, l)
	VPADDW(half, l, l)
	VPSLLW(U8(colorBits), u, u)
	VPSUBW(offset, u, u)
	VPSLLW(U8(colorBits), v, v)
	VPSUBW(offset, v, v)

	VPMULHRSW(factor[0], v, r)
	VPADDW(v, r, r)
	VPADDW(l, r, r)
	VPMULHRSW(factor[1], u, g)
	VPMULHRSW(factor[2], v, v)
	VPADDW(v, g, g)
	VPADDW(l, g, g)
	VPMULHRSW(factor[3], u, b)
	VPADDW(u, u, u)
	VPADDW(u, b, b)
	VPADDW(l, b, b)
	for _, c := range y[3:6] {
		VPSRAW(U8(colorBits), c, c)
	}

	VPACKUSWB(g, r, r)
	VPACKUSWB(b, b, b)
	VPSHUFB(y[12], r, l)
	VPSHUFB(y[14], b, u)
	VPOR(u, l, l)
	VPSHUFB(y[13], r, r)
	VPSHUFB(y[15], b, b)
	VPOR(b, r, r)
	VMOVDQU(l.AsX(), Mem{Base: dst})
	VMOVQ(r.AsX(), Mem{Base: dst, Disp: 16})
	VEXTRACTI128(U8(1), l, Mem{Base: dst, Disp: 24})
	VEXTRACTI128(U8(1), r, r.AsX())
	VMOVQ(r.AsX(), Mem{Base: dst, Disp: 40})
	for _, p := range []Op{yp, cb, cr} {
		ADDQ(U8(16), p)
	}
	ADDQ(U8(48), dst)
	DECQ(blocks)
	JNZ(LabelRef("block"))
	leave()
}

// spread emits grey to RGB, 16 pixels a turn.
func spread() {
	var masks [3]Mem
	for i := range masks {
		var table [16]byte
		for at := range table {
			table[at] = byte((16*i + at) / 3)
		}
		masks[i] = mask(fmt.Sprintf("spread%d", i), table)
	}
	TEXT("spreadAVX2", NOSPLIT, "func(blocks int, dst, grey *uint8)")
	Doc("spreadAVX2 works like spreadRef on 16 pixels a block.")
	Pragma("noescape")
	blocks, dst, grey := RCX, RBX, RDX
	load("blocks", blocks)
	load("dst", dst)
	load("grey", grey)
	for i, m := range masks {
		VMOVDQU(m, y[13+i].AsX())
	}
	Label("block")
	VMOVDQU(Mem{Base: grey}, y[0].AsX())
	for i := range masks {
		VPSHUFB(y[13+i].AsX(), y[0].AsX(), y[1+i].AsX())
		VMOVDQU(y[1+i].AsX(), Mem{Base: dst, Disp: 16 * i})
	}
	ADDQ(U8(16), grey)
	ADDQ(U8(48), dst)
	DECQ(blocks)
	JNZ(LabelRef("block"))
	leave()
}
