//go:build !noasm

package cpu

import "golang.org/x/sys/cpu"

func hasAVX2() bool { return cpu.X86.HasAVX2 && cpu.X86.HasFMA }

// useAVX2 is called once, before anything else runs.
func useAVX2() {
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
}
