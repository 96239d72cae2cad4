//go:build !noasm

package pixels

import (
	"math/rand/v2"
	"os"
	"runtime/debug"
	"syscall"
	"testing"
	"unsafe"
)

// fenced returns a copy of s before which or behind which memory cannot be read.
func fenced(t *testing.T, s []uint8, behind bool) []uint8 {
	t.Helper()
	page := os.Getpagesize()
	size := (len(s) + page - 1) / page * page
	mem, err := syscall.Mmap(-1, 0, size+2*page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Munmap(mem) })
	for _, fence := range [][]byte{mem[:page], mem[page+size:]} {
		if err := syscall.Mprotect(fence, syscall.PROT_NONE); err != nil {
			t.Fatal(err)
		}
	}
	at := page
	if behind {
		at += size - len(s)
	}
	copy(mem[at:], s)
	return mem[at : at+len(s) : at+len(s)]
}

// faults reports whether f touches memory that is not there.
func faults(f func()) (bad bool) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() { bad = recover() != nil }()
	f()
	return false
}

// A value read past the end and not used shows in no result, but it may lie in a page that is
// not there.
func TestResizeReadsNoFurther(t *testing.T) {
	needAVX2(t)
	var past uint8
	s := fenced(t, make([]uint8, 3), true)
	if !faults(func() { past = *(*uint8)(unsafe.Add(unsafe.Pointer(&s[0]), 3)) }) {
		t.Fatalf("the fence does not fault but reads %d", past)
	}
	r := rand.New(rand.NewPCG(8, 8))
	for i := range 400 {
		t.Run("", func(t *testing.T) {
			c := randomCase(r, resizeKinds[i%len(resizeKinds)])
			for _, s := range []*[]uint8{&c.src.Pix, &c.src.Y, &c.src.Cb, &c.src.Cr} {
				if *s != nil {
					*s = fenced(t, *s, i%2 == 0)
				}
			}
			dst := fenced(t, make([]uint8, c.window.H()*c.window.W()*3), i%2 == 0)
			var s Resampler
			if faults(func() { s.Resize(dst, &c.src, c.box, c.outH, c.outW, c.window) }) {
				t.Errorf("%dx%d, box %v to %dx%d, window %v", c.src.H, c.src.W, c.box, c.outH, c.outW, c.window)
			}
		})
	}
}
