package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/reg"
)

// wide is the number of float32 in one AVX-512 register, wideBytes its size.
const (
	wide      = 16
	wideBytes = 4 * wide
)

// z holds the registers of AVX-512.
var z = []VecPhysical{
	Z0, Z1, Z2, Z3, Z4, Z5, Z6, Z7, Z8, Z9, Z10, Z11, Z12, Z13, Z14, Z15,
	Z16, Z17, Z18, Z19, Z20, Z21, Z22, Z23, Z24, Z25, Z26, Z27, Z28, Z29, Z30, Z31,
}

// window is a depthwise window that has its own kernels.
type window struct{ k, stride int }

// windows are those of the network, at every stride, and the 7x7 of its
// neighbours.
var windows = []window{{3, 1}, {3, 2}, {5, 1}, {5, 2}, {7, 1}, {7, 2}}

// suffix names the window.
func (w window) suffix() string { return fmt.Sprintf("%ds%dAVX512", w.k, w.stride) }

// A product is one multiply-add: column col of a window row times weight kx
// belongs to output out.
type product struct{ kx, out int }

// products lists what column col of a window row is good for, in n outputs.
func (w window) products(col, n int) []product {
	var p []product
	for kx := range w.k {
		d := col - kx
		if d >= 0 && d%w.stride == 0 && d/w.stride < n {
			p = append(p, product{kx, d / w.stride})
		}
	}
	return p
}

// columns is the number of columns that n outputs span.
func (w window) columns(n int) int { return (n-1)*w.stride + w.k }

// reach is the number of pixels that one pointer reaches through multiple.
const reach = 9

// bumps is how often a walk over the columns of n outputs moves its pointers.
func (w window) bumps(n int) int { return (w.columns(n) - 1) / reach }

// walk calls visit for every column of n outputs that one of them uses, with the
// distance from the pointers in pixels. Column c lies beyond what an address can
// hold as a multiple of the pixel, so every reach columns the pointers move on
// by reach9, which is that many pixels.
func (w window) walk(n int, reach9 GPPhysical, ptrs []GPPhysical, visit func(d int, p []product)) {
	for c := range w.columns(n) {
		if c > 0 && c%reach == 0 {
			for _, p := range ptrs {
				ADDQ(reach9, p)
			}
		}
		if p := w.products(c, n); len(p) > 0 {
			visit(c%reach, p)
		}
	}
}

// pixelSteps loads the distance of pixels and fills step with 1, 3, 5 and 7
// times as many bytes, and reach9 with 9.
func pixelSteps(px string, step []GPPhysical, reach9 GPPhysical) {
	loadBytes(px, step[0])
	for i := 1; i < len(step); i++ {
		LEAQ(at(step[i-1], step[0], 2), step[i])
	}
	LEAQ(at(step[0], step[0], 8), reach9)
}
