package parquet

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"

	pq "github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress"
)

// BenchmarkRead reads images of 3 KB in the order of the file and in a random one.
func BenchmarkRead(b *testing.B) {
	for _, n := range []int{10_000, 50_000} {
		var rows []row
		r := rand.New(rand.NewPCG(1, 1))
		for i := range n {
			img := make([]byte, 3000)
			for k := range img {
				img[k] = byte(r.Uint32())
			}
			y := int64(i % 10)
			rows = append(rows, row{&file{img, fmt.Sprint(i)}, &y})
		}
		for _, codec := range []compress.Codec{&pq.Uncompressed, &pq.Snappy, &pq.Zstd} {
			path := filepath.Join(b.TempDir(), "x.parquet")
			write(b, path, rows, pq.Compression(codec), pq.PageBufferSize(1<<20), pq.MaxRowsPerRowGroup(10_000))
			name := fmt.Sprintf("%d rows %s ", n, codec)
			b.Run(name+"open", func(b *testing.B) {
				for b.Loop() {
					s, err := Open(path, Options{})
					if err != nil {
						b.Fatal(err)
					}
					s.Close()
				}
			})
			for _, order := range []string{"sequential", "random"} {
				b.Run(name+order, func(b *testing.B) {
					s := open(b, path, Options{})
					var buf []byte
					i := 0
					for b.Loop() {
						k := i % n
						if order == "random" {
							k = r.IntN(n)
						}
						var err error
						if buf, err = s.Read(0, k, buf); err != nil {
							b.Fatal(err)
						}
						i++
					}
					b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "images/s")
				})
			}
		}
	}
}
