package ops

import "oneshot/ops/cuda"

// squareShare is how many elements a block of squares takes.
const squareShare = 8192

func squareBlocks(n int) int32 { return int32(max(1, ceilDiv(n, squareShare))) }

// squares adds the sums of squares of the pieces: their float64 partial sums go to
// partial, one for each block. It returns how many there are.
func (l *lowering) squares(ms []Mem, partial cuda.Addr) int {
	n := 0
	l.b.Together(func() {
		for _, m := range ms {
			a := cuda.SquaresArgs{X: l.f32(m), Partial: partial + cuda.Addr(8*n), Blocks: squareBlocks(m.Len), N: int32(m.Len)}
			cuda.Add(l.b, "squares", false, &a)
			n += int(a.Blocks)
		}
	})
	return n
}
