package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// maxPoolValues emits the AVX-512 kernels of a 3x3 maximum without its tap, for networks that are only evaluated.
//
// VMAXPS returns its second operand where the two are equal, so with the earlier tap there the first of equal ones wins.
// It does so too where one is NaN; so NaN is looked for by itself, in two taps a comparison, and where there is one the last
// NaN is put in afterwards, a path that real networks do not take.
//
// As in dwRows the last 16 channels may lie over the ones before.
func maxPoolValues() {
	maxPoolValuesKernel("maxPoolValuesWideAVX512", false)
	maxPoolValuesKernel("maxPoolValuesMaskAVX512", true)
}

func maxPoolValuesKernel(name string, masked bool) {
	const unordered = 3
	maxPoolWindows{
		name: name, masked: masked,
		best: func(operand func(i int) Mem) {
			for i := range 9 {
				avx512.load(operand(i), z[i], masked)
			}
			for i, k := range []Register{K2, K3, K4, K5} {
				VCMPPS(U8(unordered), z[2*i], z[2*i+1], k)
			}
			VCMPPS(U8(unordered), z[8], z[8], K6)
			KORW(K2, K3, K2)
			KORW(K4, K5, K4)
			KORW(K2, K4, K2)
			for _, of := range [][2]int{{0, 1}, {2, 3}, {4, 5}, {6, 7}, {0, 2}, {4, 6}, {0, 4}, {0, 8}} {
				VMAXPS(z[of[0]], z[of[1]], z[of[0]])
			}
			KORTESTW(K2, K6)
		},
		rare: "none",
		mend: func(operand func(i int) Mem) {
			for i := range 9 {
				avx512.load(operand(i), z[1], masked)
				VCMPPS(U8(unordered), z[1], z[1], K3)
				VMOVUPS(z[1], K3, z[0])
			}
		},
	}.emit()
}
