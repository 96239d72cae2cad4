//go:build !noasm

#include "textflag.h"

// Written by hand: loops whose whole content is what is measured.

// FMA multiplies and adds zeros, one independent chain a register. Twelve chains
// hide four cycles of latency on up to three units.
#define FMA(r) VFMADD231PS r, r, r
#define CLEAR(r) VXORPS r, r, r
#define CLEARZ(r) VPXORD r, r, r

// func fmaAVX2(n int)
TEXT ·fmaAVX2(SB), NOSPLIT, $0-8
	MOVQ n+0(FP), AX
	CLEAR(Y0); CLEAR(Y1); CLEAR(Y2); CLEAR(Y3)
	CLEAR(Y4); CLEAR(Y5); CLEAR(Y6); CLEAR(Y7)
	CLEAR(Y8); CLEAR(Y9); CLEAR(Y10); CLEAR(Y11)

loop:
	FMA(Y0); FMA(Y1); FMA(Y2); FMA(Y3)
	FMA(Y4); FMA(Y5); FMA(Y6); FMA(Y7)
	FMA(Y8); FMA(Y9); FMA(Y10); FMA(Y11)
	DECQ AX
	JNZ loop
	VZEROUPPER
	RET

// func fmaAVX512(n int)
TEXT ·fmaAVX512(SB), NOSPLIT, $0-8
	MOVQ n+0(FP), AX
	CLEARZ(Z0); CLEARZ(Z1); CLEARZ(Z2); CLEARZ(Z3)
	CLEARZ(Z4); CLEARZ(Z5); CLEARZ(Z6); CLEARZ(Z7)
	CLEARZ(Z8); CLEARZ(Z9); CLEARZ(Z10); CLEARZ(Z11)
	CLEARZ(Z12); CLEARZ(Z13); CLEARZ(Z14); CLEARZ(Z15)
	CLEARZ(Z16); CLEARZ(Z17); CLEARZ(Z18); CLEARZ(Z19)
	CLEARZ(Z20); CLEARZ(Z21); CLEARZ(Z22); CLEARZ(Z23)

loop:
	FMA(Z0); FMA(Z1); FMA(Z2); FMA(Z3)
	FMA(Z4); FMA(Z5); FMA(Z6); FMA(Z7)
	FMA(Z8); FMA(Z9); FMA(Z10); FMA(Z11)
	FMA(Z12); FMA(Z13); FMA(Z14); FMA(Z15)
	FMA(Z16); FMA(Z17); FMA(Z18); FMA(Z19)
	FMA(Z20); FMA(Z21); FMA(Z22); FMA(Z23)
	DECQ AX
	JNZ loop
	VZEROUPPER
	RET

// func readAVX2(x *float32, n int)
TEXT ·readAVX2(SB), NOSPLIT, $0-16
	MOVQ x+0(FP), AX
	MOVQ n+8(FP), BX

loop:
	VMOVUPS 0(AX), Y0
	VMOVUPS 32(AX), Y1
	VMOVUPS 64(AX), Y2
	VMOVUPS 96(AX), Y3
	VMOVUPS 128(AX), Y4
	VMOVUPS 160(AX), Y5
	VMOVUPS 192(AX), Y6
	VMOVUPS 224(AX), Y7
	ADDQ $256, AX
	SUBQ $64, BX
	JNZ loop
	VZEROUPPER
	RET

// func readAVX512(x *float32, n int)
TEXT ·readAVX512(SB), NOSPLIT, $0-16
	MOVQ x+0(FP), AX
	MOVQ n+8(FP), BX

loop:
	VMOVUPS 0(AX), Z0
	VMOVUPS 64(AX), Z1
	VMOVUPS 128(AX), Z2
	VMOVUPS 192(AX), Z3
	VMOVUPS 256(AX), Z4
	VMOVUPS 320(AX), Z5
	VMOVUPS 384(AX), Z6
	VMOVUPS 448(AX), Z7
	ADDQ $512, AX
	SUBQ $128, BX
	JNZ loop
	VZEROUPPER
	RET
