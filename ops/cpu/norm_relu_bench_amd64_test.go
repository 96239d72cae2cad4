//go:build !noasm

package cpu

import (
	"fmt"
	"testing"
)

// BenchmarkStrip times the passes over strips that the first level cache holds
// and over 64 MiB a tensor, which only memory holds, in bytes read and written.
func BenchmarkStrip(b *testing.B) {
	var buf [3][]float32 // filled, because untouched memory is one page of zeros
	for i := range buf {
		buf[i] = make([]float32, 1<<24)
	}
	for _, isa := range stripISAs()[1:] {
		for _, size := range []int{1 << 11, 1 << 24} {
			for _, ch := range []int{16, 32, 64, 80, 12} {
				n := size / ch
				x, dy, z := buf[0][:n*ch], buf[1][:n*ch], buf[2][:n*ch]
				fill(x, 1)
				fill(dy, 1)
				fill(z, 1)
				p, s1, s2 := make([]float32, ch), make([]float32, ch), make([]float32, ch)
				for _, k := range []struct {
					name  string
					bytes int
					f     func()
				}{
					{"affine", 8, func() { isa.affine(1, n, ch, z, n*ch, ch, x, n*ch, ch, p, p, true) }},
					{"sum", 4, func() { isa.sum(n, ch, x, p, s1, s2) }},
					{"gradSum", 8, func() { isa.gradSum(n, ch, x, dy, p, s1, s2) }},
					{"bnGrad", 12, func() { isa.bnGrad(n, ch, z, ch, x, dy, ch, p, p, p, p) }},
					{"maskSum", 12, func() { isa.maskSum(n, ch, z, dy, x, p, p, p, s1, s2) }},
					{"mask", 12, func() { isa.maskAdd(n, ch, z, dy, nil, x, p, p) }},
					{"maskAdd", 16, func() { isa.maskAdd(n, ch, z, dy, z, x, p, p) }},
					{"combine", 12, func() { isa.combine(n, ch, z, x, p, p, dy, p, p) }},
				} {
					b.Run(fmt.Sprintf("%s/size=%d/ch=%d/%s", k.name, size, ch, isa.name), func(b *testing.B) {
						for b.Loop() {
							k.f()
						}
						b.ReportMetric(float64(k.bytes*n*ch)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GB/s")
						b.ReportMetric(0, "ns/op")
					})
				}
			}
		}
	}
}
