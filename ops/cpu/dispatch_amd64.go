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
	if isa == isaNone {
		return
	}
	gemmRows32 = gemmRowsAVX2
	gemmATRows32 = gemmATRowsAVX2
	dwRow32 = dwRowAVX2
	dwGradRow32 = dwGradRowAVX2
	maxRow32 = maxRowAVX2
	reluRow32 = reluRowAVX2
	reluGradRow32 = reluGradRowAVX2
	addRow32 = addRowAVX2
	bnRows32 = bnRowsAVX2
	bnSumRows32 = bnSumRowsAVX2
	bnGradSumRows32 = bnGradSumRowsAVX2
	bnGradRows32 = bnGradRowsAVX2
	stripAVX2(&rows32)
	windowAVX2(&rows32)
	if isa == isaAVX512 {
		stripAVX512(&rows32)
		windowAVX512(&rows32)
	}
}
