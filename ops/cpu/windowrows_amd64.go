//go:build !noasm

package cpu

// windowAVX2 and windowAVX512 install the primitives of windows.
func windowAVX2(k *rowKernels[float32]) {
	k.dw, k.dwAhead, k.dwGrad = dwRowsAVX2, dwAheadAVX2, dwGradRowsAVX2
	k.maxPool, k.maxPoolGrad = maxPoolRowAVX2, maxPoolGradRowAVX2
}

func windowAVX512(k *rowKernels[float32]) {
	k.dw, k.dwAhead, k.dwGrad = dwRowsAVX512, dwAheadAVX512, dwGradRowsAVX512
	k.maxPool, k.maxPoolGrad = maxPoolRowAVX512, maxPoolGradRowAVX512
}
