package cpu

import (
	"testing"
	"unsafe"
)

func TestMemory(t *testing.T) {
	for _, n := range []int{0, 1, 1000, hugeLeast / 4, 3*hugePage + 5} {
		m := NewMemory[float32](n)
		if len(m.S) != n || cap(m.S) != n {
			t.Fatalf("%d elements: length %d, capacity %d", n, len(m.S), cap(m.S))
		}
		if outside := m.raw != nil; outside != (hasHugePages && 4*n >= hugeLeast) {
			t.Errorf("%d elements: outside the heap: %v", n, outside)
		}
		if n > 0 && uintptr(unsafe.Pointer(&m.S[0]))%lineBytes != 0 {
			t.Errorf("%d elements are not aligned", n)
		}
		for i := range m.S {
			if m.S[i] != 0 {
				t.Fatalf("%d elements: element %d is %v", n, i, m.S[i])
			}
			m.S[i] = 1
		}
		m.Free()
		if m.S != nil {
			t.Error("memory is there after Free")
		}
		m.Free()
	}
}
