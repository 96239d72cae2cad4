//go:build unix

package pixels

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"oneshot/data/decode"
)

// BenchmarkPhotograph is what a training does with a photograph: decode, random crop to 224x224,
// flip, normalise to float32. The files are those of the folder ONESHOT_BENCH_IMAGES, or else the
// collection of photographs. See bench/data.sh.
func BenchmarkPhotograph(b *testing.B) {
	for _, name := range []string{decode.Turbo, decode.Go} {
		b.Run(name, func(b *testing.B) {
			d, err := decode.New(name)
			if err != nil {
				b.Skip(err)
			}
			defer d.Close()
			files := benchFiles(b)
			const side = 224
			var s Resampler
			norm := NewNormaliser([3]float32{0.485, 0.456, 0.406}, [3]float32{0.229, 0.224, 0.225})
			pix, out := make([]uint8, side*side*3), make([]float32, side*side*3)
			r := rand.New(rand.NewPCG(1, 1))
			before := processorTime()
			for i := 0; b.Loop(); i++ {
				img, err := d.Decode(files[i%len(files)])
				if err != nil {
					b.Fatal(err)
				}
				s.Resize(pix, img, RandomBox(r, img.H, img.W, 0.08), side, side, Rect{0, 0, side, side})
				flip := r.IntN(2) == 1
				for at := 0; at < len(pix); at += side * 3 {
					if flip {
						norm.Mirror(out[at:at+side*3], pix[at:at+side*3])
					} else {
						norm.Copy(out[at:at+side*3], pix[at:at+side*3])
					}
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "images/s")
			b.ReportMetric(float64(b.N)/(processorTime()-before).Seconds(), "images/cpu-s")
		})
	}
}

func benchFiles(b *testing.B) (files [][]byte) {
	dir := os.Getenv("ONESHOT_BENCH_IMAGES")
	if dir == "" {
		return photographs(b, 1000)
	}
	names, err := filepath.Glob(filepath.Join(dir, "*.jpg"))
	if err != nil || len(names) == 0 {
		b.Fatalf("no *.jpg in %s", dir)
	}
	for _, name := range names {
		file, err := os.ReadFile(name)
		if err != nil {
			b.Fatal(err)
		}
		files = append(files, file)
	}
	return files
}

// processorTime is what this process has used of the processor.
func processorTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
