package cpu

import "unsafe"

const (
	lineBytes = 64 // a cache line, and a vector of AVX-512
	hugePage  = 2 << 20
	// hugeLeast is the size from which Huge asks for huge pages: below it, what
	// lies beside the slice in the same pages is no longer small.
	hugeLeast = 4 << 20
)

// Huge returns a zeroed slice like make([]T, n) that starts at a multiple of 64
// bytes. On Linux a slice of 4 MiB or more starts at a multiple of 2 MiB and asks
// for huge pages, which spares a pass over it most of its misses of the TLB. It
// is garbage collected like any other and may occupy 4 MiB more than its length.
//
// The slice must be on the heap, as stacks move: hence no inlining.
//
//go:noinline
func Huge[T Float](n int) []T {
	size := int(unsafe.Sizeof(T(0)))
	if volume(n, size) < hugeLeast || !hasHugePages {
		return aligned[T](n, lineBytes)
	}
	// The last page is huge only if all of it is ours.
	whole := (n*size + hugePage - 1) / hugePage * hugePage
	s := aligned[T](whole/size, hugePage)
	adviseHuge(unsafe.Slice((*byte)(unsafe.Pointer(&s[0])), whole))
	return s[:n:n]
}

// aligned returns n elements that start at a multiple of boundary bytes.
func aligned[T Float](n, boundary int) []T {
	size := int(unsafe.Sizeof(T(0)))
	s := make([]T, n+boundary/size)
	past := int(uintptr(unsafe.Pointer(&s[0])) % uintptr(boundary))
	off := (boundary - past) / size
	return s[off:][:n:n]
}
