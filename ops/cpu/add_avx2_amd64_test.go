//go:build !noasm

package cpu

import (
	"math/rand/v2"
	"testing"
)

// checkAdd runs one case of addRow, which is exact.
func checkAdd(t *testing.T, r *rand.Rand, n int, value func() float32) {
	t.Helper()
	a := newField(1, n, 0, r.IntN(8)).fill(value).s
	b := newField(1, n, 0, r.IntN(8)).fill(value).s
	want := make([]float32, n)
	addRowRef(want, a, b)
	dst := newField(1, n, 0, r.IntN(8)).armed()
	addRowAVX2(dst.s, a, b)
	dst.checkGuards(t)
	sameFloats(t, dst.s, want, "n %d", n)
	x, y := append([]float32(nil), a...), append([]float32(nil), b...)
	addRowAVX2(x, x, b)
	sameFloats(t, x, want, "n %d, in place", n)
	addRowAVX2(y, a, y)
	sameFloats(t, y, want, "n %d, in place of the second", n)
}

func TestAddRowAVX2(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for n := range 131 {
		for range 4 {
			checkAdd(t, r, n, special(r))
		}
	}
	s := make([]float32, 9)
	if !panics(func() { addRowAVX2(s, s[:8:8], s) }) || !panics(func() { addRowAVX2(s, s, s[:8:8]) }) {
		t.Error("no panic for an operand that is too short")
	}
}

func FuzzAddRow(f *testing.F) {
	f.Add(uint64(1), uint16(77))
	f.Fuzz(func(t *testing.T, seed uint64, n uint16) {
		r := rand.New(rand.NewPCG(seed, 0))
		checkAdd(t, r, int(n%999), bits32(r))
	})
}
