package pixels

import (
	"math/rand/v2"
	"testing"
)

// normalisers are the usual statistics and others: some drawn, some at the ends.
func normalisers() (out []*Normaliser) {
	add := func(mean, std [3]float32) { out = append(out, NewNormaliser(mean, std)) }
	add([3]float32{0.485, 0.456, 0.406}, [3]float32{0.229, 0.224, 0.225})       // ImageNet
	add([3]float32{0.4914, 0.4822, 0.4465}, [3]float32{0.2470, 0.2435, 0.2616}) // CIFAR-10
	add([3]float32{0.5, 0.5, 0.5}, [3]float32{0.5, 0.5, 0.5})
	add([3]float32{0, 0, 0}, [3]float32{1, 1, 1})
	add([3]float32{1, 0, 1}, [3]float32{1. / 255, 1. / 255, 1. / 255})
	r := rand.New(rand.NewPCG(1, 1))
	for range 300 {
		var mean, std [3]float32
		for c := range mean {
			mean[c], std[c] = r.Float32(), 1./255+0.5*r.Float32()
		}
		add(mean, std)
	}
	return out
}

// Every byte of every channel has the value of the table, at every place of a block.
func TestNormaliserIsItsTable(t *testing.T) {
	forEachISA(t, func(t *testing.T) {
		src := make([]uint8, 3*256*9)
		for i := range src {
			src[i] = uint8(i / 27)
		}
		dst := make([]float32, len(src))
		for _, n := range normalisers() {
			n.Copy(dst, src)
			for i, v := range dst {
				if want := n.Table()[i%3][src[i]]; v != want {
					t.Fatalf("value %d, byte %d: %v, want %v", i, src[i], v, want)
				}
			}
		}
	})
}

// Every length and alignment, and nothing else is written.
func TestNormaliserRows(t *testing.T) {
	forEachISA(t, func(t *testing.T) {
		n := NewNormaliser([3]float32{0.485, 0.456, 0.406}, [3]float32{0.229, 0.224, 0.225})
		for x := range 70 {
			for off := range 9 {
				src := goldenPixels(3*x+off, uint32(x))[off:]
				buf := make([]float32, 3*x+off+32)
				dst := buf[off : off+3*x]
				for _, mirrored := range []bool{false, true} {
					clear(buf)
					if mirrored {
						n.Mirror(dst, src)
					} else {
						n.Copy(dst, src)
					}
					for i, v := range buf {
						want := float32(0)
						if at := i - off; at >= 0 && at < 3*x {
							if mirrored {
								at = 3*(x-1-at/3) + at%3
							}
							want = n.Table()[at%3][src[at]]
						}
						if v != want {
							t.Fatalf("%d pixels, %d from aligned, mirrored %v: value %d is %v, want %v", x, off, mirrored, i-off, v, want)
						}
					}
				}
			}
		}
	})
}

func BenchmarkNormaliser(b *testing.B) {
	n := normalisers()[0]
	src := goldenPixels(224*3, 1)
	dst := make([]float32, len(src))
	for b.Loop() {
		for range 224 {
			n.Mirror(dst, src)
		}
	}
}
