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
	rows32.add = addRowAVX2
	stripAVX2(&rows32)
	windowAVX2(&rows32)
	if isa == isaAVX512 {
		stripAVX512(&rows32)
		windowAVX512(&rows32)
	}
}
