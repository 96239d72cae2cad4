//go:build !noasm

package pixels

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// forEachISA runs a test with plain Go, and with assembly where the processor has AVX2.
func forEachISA(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	best := useAVX2
	defer func() { useAVX2 = best }()
	useAVX2 = false
	t.Run("noasm", test)
	if useAVX2 = best; best {
		t.Run("avx2", test)
	}
}

// needAVX2 skips a test of assembly where the processor cannot run it.
func needAVX2(t *testing.T) {
	t.Helper()
	if !useAVX2 {
		t.Skip("the processor has no AVX2")
	}
}

// guarded returns n bytes that start off bytes after a guard of 64 and end before another.
func guarded(n, off int) (s []uint8, check func(t *testing.T)) {
	buf := bytes.Repeat([]uint8{0xa5}, 64+off+n+64)
	s = buf[64+off : 64+off+n : 64+off+n]
	return s, func(t *testing.T) {
		t.Helper()
		for i, v := range buf {
			if (i < 64+off || i >= 64+off+n) && v != 0xa5 {
				t.Fatalf("%d bytes: wrote byte %d", n, i-64-off)
			}
		}
	}
}

// Every length and every alignment gives the bytes of plain Go and writes nothing else.
func TestRowsAVX2(t *testing.T) {
	needAVX2(t)
	noise := func(n int) []uint8 { return goldenPixels(n, uint32(n)) }
	var l loops
	coef := []int32{1 << 20, 1<<21 - 77, 300_000, 5, 1<<22 - 1<<20 - 1<<21 + 77 - 300_000 - 4, 1}
	for n := range 130 {
		for off := range 33 {
			y, cb, cr := noise(n + off)[off:], noise(n + off + 1)[off+1:], noise(n + off + 2)[off+2:]
			got, check := guarded(3*n, off)
			want := make([]uint8, 3*n)
			color(got, y, cb, cr)
			check(t)
			if colorRef(want, y, cb, cr); !bytes.Equal(got, want) {
				t.Fatalf("color: %d pixels, %d from aligned: %v, want %v", n, off, got, want)
			}
			got, check = guarded(3*n, off)
			spread(got, y)
			check(t)
			if spreadRef(want, y); !bytes.Equal(got, want) {
				t.Fatalf("spread: %d pixels, %d from aligned: %v, want %v", n, off, got, want)
			}
			taps, stride := 1+(n+off)%len(coef), n+off
			rows := noise((taps+1)*stride + n)
			got, check = guarded(n, off)
			l.vertical(got, rows, stride, coef[:taps])
			check(t)
			if verticalRef(want[:n], rows, stride, coef[:taps]); !bytes.Equal(got, want[:n]) {
				t.Fatalf("vertical: %d columns, %d rows: %v, want %v", n, taps, got, want[:n])
			}
		}
	}
}

// All colours, as far as 2^18 of them go.
func TestColorAVX2(t *testing.T) {
	needAVX2(t)
	const n = 64 * 64 * 64
	y, cb, cr := make([]uint8, n), make([]uint8, n), make([]uint8, n)
	for i := range n {
		level := func(k int) uint8 { return uint8(i >> (6 * k) % 64 * 255 / 63) }
		y[i], cb[i], cr[i] = level(0), level(1), level(2)
	}
	got, want := make([]uint8, 3*n), make([]uint8, 3*n)
	color(got, y, cb, cr)
	colorRef(want, y, cb, cr)
	for i, v := range got {
		if v != want[i] {
			t.Fatalf("YCbCr %d %d %d: byte %d is %d, want %d", y[i/3], cb[i/3], cr[i/3], i%3, v, want[i])
		}
	}
}

// Filters of all lengths, in both forms of the table and in none.
func TestAcrossAVX2(t *testing.T) {
	needAVX2(t)
	r := rand.New(rand.NewPCG(7, 7))
	var near, far, none int
	for i := range 4000 {
		out := 1 + r.IntN(100)
		in := 1 + r.IntN([]int{1, 2, 5, 40}[r.IntN(4)]*out)
		if i%100 == 0 {
			in = 600*out + r.IntN(10) // more inputs than the table takes
		}
		lo := r.IntN(out)
		channels := 1 + i%2*2
		var f across
		f.set(axisKey{0, float64(in), in, out, lo, lo + 1 + r.IntN(out-lo)})
		f.channels = channels
		f.gather.set(&f.axis, channels)
		scale := float64(in) / float64(out)
		if g := &f.gather; g.near == (g.far || f.taps > mostFar) || !g.near && scale < []float64{4, 3}[i%2] {
			t.Fatalf("%d to %d, %d channels: near %v, far %v", in, out, channels, g.near, g.far)
		}
		switch {
		case f.gather.near:
			near++
		case f.gather.far:
			far++
		default:
			none++
		}
		n := len(f.first) * channels
		src := goldenPixels(in*channels+r.IntN(40), r.Uint32())
		got, check := guarded((n+31)&^31, r.IntN(33))
		var l loops
		l.horizontal(got, src, &f)
		check(t)
		want := make([]uint8, n)
		horizontalRef(want, src, &f.axis, channels)
		if !bytes.Equal(got[:n], want) {
			t.Fatalf("%d to %d, window from %d, %d channels: %v, want %v", in, out, lo, channels, got[:n], want)
		}
	}
	if near < 1000 || far < 500 || none < 20 {
		t.Fatalf("%d filters near, %d far, %d neither", near, far, none)
	}
}

// There is a fast way for the usual statistics and nearly all others.
func TestNormaliserHasLines(t *testing.T) {
	needAVX2(t)
	all, without := normalisers(), 0
	for i, n := range all {
		if !n.lines.ok {
			without++
			if i < 5 {
				t.Errorf("normaliser %d has no lines", i)
			}
		}
	}
	t.Logf("%d of %d have no lines", without, len(all))
	if without > len(all)/50 {
		t.Errorf("%d of %d have no lines", without, len(all))
	}
}
