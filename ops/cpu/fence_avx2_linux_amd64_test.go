//go:build !noasm

package cpu

import (
	"math/rand/v2"
	"os"
	"runtime/debug"
	"syscall"
	"testing"
	"unsafe"
)

// fenced returns n floats that end at the end of the readable memory: one
// element further is a page that faults.
func fenced(t *testing.T, n int) []float32 {
	t.Helper()
	page := os.Getpagesize()
	size := (4*n + page - 1) / page * page
	mem, err := syscall.Mmap(-1, 0, size+page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Munmap(mem) })
	if err := syscall.Mprotect(mem[size:], syscall.PROT_NONE); err != nil {
		t.Fatal(err)
	}
	return unsafe.Slice((*float32)(unsafe.Pointer(&mem[size-4*n])), n)
}

// TestAVX2ReadsNoFurther: a value read past the end and not used shows in no
// result, but it may lie in a page that is not there.
func TestAVX2ReadsNoFurther(t *testing.T) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))

	var past float32
	s := fenced(t, 3)
	if !panics(func() { past = *(*float32)(unsafe.Add(unsafe.Pointer(&s[0]), 12)) }) {
		t.Fatalf("the fence does not fault but reads %v", past)
	}
	r := rand.New(rand.NewPCG(1, 9))
	for range 40 {
		t.Run("", func(t *testing.T) {
			m, k, n := 1+r.IntN(14), 1+r.IntN(14), 1+r.IntN(40)
			if panics(func() {
				gemmRowsAVX2(m, k, n, fenced(t, m*k), k, fenced(t, k*n), n, fenced(t, m*n), n)
			}) {
				t.Errorf("gemmRows: m %d, k %d, n %d", m, k, n)
			}
			if panics(func() {
				gemmATRowsAVX2(m, k, n, fenced(t, m*k), k, fenced(t, m*n), n, fenced(t, k*n), n)
			}) {
				t.Errorf("gemmATRows: m %d, k %d, n %d", m, k, n)
			}
			taps := 1 + r.IntN(9)
			off := make([]int, taps)
			for i := range off {
				off[i] = i * n
			}
			if panics(func() {
				dwRowAVX2(m, n, fenced(t, m*n), n, fenced(t, (m+taps-1)*n), n, off, fenced(t, taps*n), off)
			}) {
				t.Errorf("dwRow: n %d, ch %d, taps %d", m, n, taps)
			}
			if panics(func() {
				dwGradRowAVX2(m, n, fenced(t, taps*n), off, fenced(t, (m+taps-1)*n), n, off, fenced(t, m*n), n)
			}) {
				t.Errorf("dwGradRow: n %d, ch %d, taps %d", m, n, taps)
			}
			row := func(n int) []float32 { return fenced(t, n) }
			if panics(func() { addRowAVX2(row(n), row(n), row(n)) }) {
				t.Errorf("addRow: n %d", n)
			}
			if panics(func() {
				maxRowAVX2(m, n, row(m*n), make([]uint8, m*n), n, row((m+taps-1)*n), n, off, 0, make([]uint8, taps))
			}) {
				t.Errorf("maxRow: n %d, ch %d, taps %d", m, n, taps)
			}
		})
	}
}
