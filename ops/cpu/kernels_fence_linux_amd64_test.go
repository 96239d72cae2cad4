//go:build !noasm

package cpu

import (
	"runtime/debug"
	"testing"
)

// TestStripReadsNoFurther: no primitive touches memory behind its slices, used
// or not. TestAVX2ReadsNoFurther shows that the fence works.
func TestStripReadsNoFurther(t *testing.T) {
	for _, isa := range stripISAs()[1:] {
		for _, n := range []int{1, 3, 4, 9, 26} {
			for _, ch := range []int{1, 4, 7, 8, 12, 15, 16, 17, 28, 31, 33, 49, 64, 67, 100} {
				t.Run(isa.name, func(t *testing.T) { // unmaps when it ends
					defer debug.SetPanicOnFault(debug.SetPanicOnFault(true)) // of this goroutine
					for name, f := range stripCalls(isa, n, ch, func(n int) []float32 { return fenced(t, n) }) {
						if panics(f) {
							t.Errorf("%s: n %d, ch %d", name, n, ch)
						}
					}
				})
			}
		}
	}
}
