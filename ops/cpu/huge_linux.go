package cpu

import "golang.org/x/sys/unix"

const hasHugePages = true

// adviseHuge asks for huge pages for b, which is zero and made of whole ones.
//
// Where make took memory that was used before, it has just cleared it and so
// given it small pages. They are dropped: the next access finds zeros again, in
// a huge page. Nobody else can hold a reference to any byte of b yet.
//
// An error is no news to the caller: the kernel may lack huge pages or may not
// grant them, and the memory is good either way.
func adviseHuge(b []byte) {
	if unix.Madvise(b, unix.MADV_HUGEPAGE) == nil {
		_ = unix.Madvise(b, unix.MADV_DONTNEED)
	}
}

// mapHuge returns n zero bytes outside the heap that ask for huge pages, or nil.
func mapHuge(n int) []byte {
	b, err := unix.Mmap(-1, 0, n, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		return nil // the heap may still have it, or says that it has not
	}
	_ = unix.Madvise(b, unix.MADV_HUGEPAGE) // see adviseHuge
	return b
}

// unmap gives back what mapHuge returned. It fails only for memory that is none.
func unmap(b []byte) {
	if err := unix.Munmap(b); err != nil {
		panic("cpu: Free of memory that is not mapped")
	}
}
