//go:build !noasm

package cpu

import (
	"math/rand/v2"
	"testing"
)

// checkMax runs one case of maxRow against its definition.
func checkMax(t *testing.T, r *rand.Rand, n, ch, taps int, value func() float32) {
	t.Helper()
	xstep := ch + r.IntN(4)
	reach := 10*xstep + 7
	x := newField(1, (n-1)*xstep+ch+reach, 0, r.IntN(8)).fill(value)
	xoff, tap, tap0 := tapsOf(r, taps, reach, xstep), make([]uint8, taps), uint8(r.IntN(100))
	for i := range tap {
		tap[i] = uint8(r.IntN(100))
	}
	y := newField(n, ch, ch+r.IntN(4), r.IntN(8)).armed()
	idx := make([]uint8, len(y.s)+16)
	for i := range idx {
		idx[i] = 0xee
	}
	wantIdx := append([]uint8(nil), idx...)
	want := append([]float32(nil), y.s...)
	maxRowRef(n, ch, want, wantIdx, y.stride, x.s, xstep, xoff, tap0, tap)
	maxRowAVX2(n, ch, y.s, idx[:len(y.s)], y.stride, x.s, xstep, xoff, tap0, tap)
	y.checkGuards(t)
	sameFloats(t, y.s, want, "n %d, ch %d, taps %d", n, ch, taps)
	for i, v := range idx {
		if v != wantIdx[i] {
			t.Fatalf("n %d, ch %d, taps %d: idx[%d] = %d, want %d", n, ch, taps, i, v, wantIdx[i])
		}
	}
}

func TestMaxRowAVX2(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	few := func() float32 { return float32(r.IntN(5)) } // many equal maxima
	for v := 1; v < 131; v++ {
		for _, value := range []func() float32{uniform(r), special(r), few} {
			checkMax(t, r, v, pick(r), 1+r.IntN(25), value)
			checkMax(t, r, 1+r.IntN(20), v, 1+r.IntN(25), value)
		}
	}
}

func FuzzMaxRow(f *testing.F) {
	f.Add(uint64(1), uint8(5), uint8(17), uint8(9))
	f.Fuzz(func(t *testing.T, seed uint64, n, ch, taps uint8) {
		r := rand.New(rand.NewPCG(seed, 0))
		checkMax(t, r, 1+int(n), 1+int(ch), 1+int(taps%49), bits32(r))
	})
}

func BenchmarkMaxRow(b *testing.B) {
	const n, ch = 32, 16
	xoff, taps := make([]int, 9), make([]uint8, 9)
	for i := range xoff {
		xoff[i], taps[i] = (i/3*(n+2)+i%3)*ch, uint8(i)
	}
	x, y, idx := make([]float32, 3*(n+2)*ch), make([]float32, n*ch), make([]uint8, n*ch)
	for name, fn := range map[string]func(int, int, []float32, []uint8, int, []float32, int, []int, uint8, []uint8){"avx2": maxRowAVX2, "ref": maxRowRef[float32]} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(4 * n * ch)
			for b.Loop() {
				fn(n, ch, y, idx, ch, x, ch, xoff, 0, taps)
			}
		})
	}
}
