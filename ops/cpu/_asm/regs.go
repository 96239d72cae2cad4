package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/gotypes"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// lanes is the number of float32 in one vector register, vecBytes its size.
const (
	lanes    = 8
	vecBytes = 4 * lanes
)

// y holds the sixteen vector registers of AVX2. Kernels name them by number:
// every one is a register-blocked loop whose budget of sixteen is planned by
// hand, so a register allocator would only hide a spill.
var y = []VecPhysical{Y0, Y1, Y2, Y3, Y4, Y5, Y6, Y7, Y8, Y9, Y10, Y11, Y12, Y13, Y14, Y15}

// load reads the parameter name into r.
func load(name string, r GPPhysical) { Load(Param(name), r) }

// loadBytes reads a parameter that counts float32 into r, as bytes.
func loadBytes(name string, r GPPhysical) {
	load(name, r)
	SHLQ(U8(2), r)
}

// zero clears registers y[0:n]. Sums start from +0, as in the references.
func zero(n int) {
	for _, r := range y[:n] {
		VXORPS(r, r, r)
	}
}

// at is the address base + i*step for i in 0, 1, 2, 4, 8.
func at(base, step GPPhysical, i int) Mem {
	m := Mem{Base: base}
	if i > 0 {
		m.Index, m.Scale = step, uint8(i)
	}
	return m
}

// multiple is the address base + i*step[0] for 0 <= i <= 8, where step[i] is
// (2i+1)*step[0]: a few products kept in registers spare an addition a step,
// which would take a port from the sums.
func multiple(base GPPhysical, step []GPPhysical, i int) Mem {
	switch i {
	case 0, 2, 4, 8:
		return at(base, step[0], i)
	case 6:
		return at(base, step[1], 2)
	default:
		return at(base, step[i/2], 1)
	}
}

// leave ends a kernel.
func leave() {
	VZEROUPPER()
	RET()
}

// mustAddr is the address of a parameter on the stack.
func mustAddr(c gotypes.Component) Mem {
	b, err := c.Resolve()
	if err != nil {
		panic(err)
	}
	return b.Addr
}

// branch jumps to label prefix+r, for lo <= r <= hi, by bisection.
func branch(r GPPhysical, lo, hi int, prefix string) {
	if lo == hi {
		JMP(LabelRef(fmt.Sprintf("%s%d", prefix, lo)))
		return
	}
	mid := (lo + hi + 1) / 2
	right := fmt.Sprintf("%sFrom%dTo%d", prefix, mid, hi)
	CMPQ(r, U8(mid))
	JGE(LabelRef(right))
	branch(r, lo, mid-1, prefix)
	Label(right)
	branch(r, mid, hi, prefix)
}
