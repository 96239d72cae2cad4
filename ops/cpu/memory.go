package cpu

import "unsafe"

// Memory is a zeroed slice for a network's activations. From 4 MiB up it lies
// outside the heap where the system can do that: the collector then does not
// take hundreds of MiB of activations for a reason to let as much garbage pile
// up, and what is freed is gone at once. It is in huge pages, see [Huge], and
// takes up memory only where it was written.
type Memory[T Float] struct {
	S   []T // invalid after Free
	raw []byte
}

// NewMemory returns n elements. Free gives them back; without Free they stay.
func NewMemory[T Float](n int) *Memory[T] {
	size := int(unsafe.Sizeof(T(0)))
	if volume(n, size) >= hugeLeast {
		if raw := mapHuge(n*size + hugePage); raw != nil {
			past := int(uintptr(unsafe.Pointer(&raw[0])) % hugePage)
			first := (*T)(unsafe.Pointer(&raw[(hugePage-past)%hugePage]))
			return &Memory[T]{unsafe.Slice(first, n), raw}
		}
	}
	return &Memory[T]{S: Huge[T](n)}
}

// Free gives the memory back. A second Free does nothing.
func (m *Memory[T]) Free() {
	if m.raw != nil {
		unmap(m.raw)
	}
	m.S, m.raw = nil, nil
}
