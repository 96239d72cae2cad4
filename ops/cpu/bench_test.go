package cpu

import (
	"fmt"
	"testing"
)

// fillNoise fills x with numbers in (-1, 1) that a branch predictor cannot learn.
func fillNoise[T Float](x []T) []T {
	s := uint32(1)
	for i := range x {
		s = s*1664525 + 1013904223
		x[i] = T(int32(s)) * 0x1p-31
	}
	return x
}

// benchBytes runs f on 1 and 2 threads and reports GB/s.
func benchBytes(b *testing.B, name string, bytes float64, f func(p *Pool)) {
	benchRate(b, name, bytes, "GB/s", f)
}

func benchRate(b *testing.B, name string, work float64, unit string, f func(p *Pool)) {
	for _, threads := range []int{1, 2} {
		b.Run(fmt.Sprintf("%s/t%d", name, threads), func(b *testing.B) {
			p := NewPool(threads)
			defer p.Close()
			b.ReportAllocs()
			for b.Loop() {
				f(p)
			}
			b.ReportMetric(work*float64(b.N)/b.Elapsed().Seconds()*1e-9, unit)
		})
	}
}
