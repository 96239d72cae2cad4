package cpu

import (
	"runtime"
	"testing"
	"unsafe"
)

func TestHuge(t *testing.T) {
	t.Run("float32", testHuge[float32])
	t.Run("float64", testHuge[float64])
	panicsWith(t, badShape, func() { Huge[float32](-1) })
}

func testHuge[T Float](t *testing.T) {
	least := hugeLeast / int(unsafe.Sizeof(T(0)))
	for _, n := range []int{0, 1, 2, 15, 16, 17, 1000, 123457, least - 1, least, least + 1, least + 12345} {
		for range 3 { // the later ones get memory that was used
			s := Huge[T](n)
			if len(s) != n || cap(s) != n {
				t.Fatalf("Huge(%d) has length %d and capacity %d", n, len(s), cap(s))
			}
			boundary := uintptr(lineBytes)
			if n >= least && hasHugePages {
				boundary = hugePage
			}
			if at := uintptr(unsafe.Pointer(unsafe.SliceData(s))); at%boundary != 0 {
				t.Fatalf("Huge(%d) is at %#x, no multiple of %d", n, at, boundary)
			}
			for i := range s {
				if s[i] != 0 {
					t.Fatalf("Huge(%d)[%d] is %v", n, i, s[i])
				}
				s[i] = 1
			}
			s = nil
			runtime.GC()
		}
	}
}
