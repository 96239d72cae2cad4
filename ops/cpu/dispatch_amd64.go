//go:build !noasm

package cpu

import "golang.org/x/sys/cpu"

func bestISA() string {
	x := &cpu.X86
	switch {
	case !x.HasAVX2 || !x.HasFMA:
		return isaNone
	case !x.HasAVX512F || !x.HasAVX512BW || !x.HasAVX512DQ || !x.HasAVX512VL:
		return isaAVX2
	}
	return isaAVX512
}

// use installs the kernels of an instruction set. It is called once, before
// anything else runs.
func use(isa string) {
	switch isa {
	case isaAVX2:
		useAVX2(&rows32)
	case isaAVX512:
		useAVX512(&rows32)
	}
}

func useAVX2(k *rowKernels[float32]) {
	k.gemm, k.gemmTaps, k.gemmAT = gemmRowsAVX2, gemmTapsAVX2, gemmATRowsAVX2
	k.dw, k.dwAhead, k.dwGrad = dwRowsAVX2, dwAheadAVX2, dwGradRowsAVX2
	k.maxPool, k.maxPoolGrad = maxPoolRowAVX2, maxPoolGradRowAVX2
	k.add = addRowAVX2
	stripAVX2Passes.install(k)
}

func useAVX512(k *rowKernels[float32]) {
	k.gemm, k.gemmTaps, k.gemmAT = gemmRowsAVX512, gemmTapsAVX512, gemmATRowsAVX512
	k.dw, k.dwAhead, k.dwGrad = dwRowsAVX512, dwAheadAVX512, dwGradRowsAVX512
	k.maxPool, k.maxPoolValues, k.maxPoolGrad = maxPoolRowAVX512, maxPoolValuesAVX512, maxPoolGradRowAVX512
	k.add = addRowAVX2 // memory limits it
	stripAVX512Passes.install(k)
}
