package main

import (
	. "github.com/mmcloughlin/avo/build"
)

// strip emits the passes for AVX2, strip512 those for AVX-512. The groups are
// as wide as the registers allow; norm_relu_amd64.go holds the same numbers.
func strip() { stripKernels(avx2, 4, 2) }

func strip512() { stripKernels(avx512, 4, 4) }

// stripKernels emits the passes with few operands for groups of up to wide
// vectors, and those with many for up to narrow ones. A value a*x+b is always
// one fused multiply-add, so a mask of the backward pass is exactly that of the
// forward pass.
func stripKernels(isa vecISA, wide, narrow int) {
	stripAffine(isa, wide)
	stripSum(isa, wide)
	stripGradSum(isa, wide)
	stripMaskSum(isa, narrow)
	stripMaskAdd(isa, "stripMask", wide, false)
	stripMaskAdd(isa, "stripMaskAdd", wide, true)
	stripCombine(isa, narrow)
	stripBNGrad(isa, narrow)
}

// stripAffine emits dst = max(a*src+b, floor); floor is -Inf for none. Of a NaN
// and a number, the maximum is the second operand: a NaN stays.
func stripAffine(isa vecISA, group int) {
	p := &stripPass{isa: isa, name: "stripAffine", ref: "affineRows", max: group,
		sig:     "form, rows, n int, dst *float32, drow, dpx int, src *float32, srow, spx int, a, b *float32, floor float32, mask *int32",
		streams: []string{"dst", "src"}, steps: []string{"dpx", "spx"}, coefs: []string{"a", "b"}, temps: 1}
	p.emit([]string{"drow", "srow"}, func() {
		VBROADCASTSS(mustAddr(Param("floor")), p.constant())
	}, func(u, j int) {
		v := p.temp(0)
		p.load("src", j, v)
		VFMADD213PS(p.coef(1, j), p.coef(0, j), v)
		VMAXPS(v, p.constant(), v)
		p.store(v, "dst", j)
	})
}

// stripSum emits the sums of d and d*d, with d = x-shift.
func stripSum(isa vecISA, group int) {
	p := &stripPass{isa: isa, name: "stripSum", ref: "sumRows", max: group,
		sig:     "form, n, ch int, x, shift, s1, s2 *float32, mask *int32",
		streams: []string{"x"}, steps: []string{"ch"}, coefs: []string{"shift"}, sums: []string{"s1", "s2"}, temps: 1}
	p.emit(nil, func() {}, func(u, j int) {
		d := p.temp(0)
		p.load("x", j, d)
		VSUBPS(p.coef(0, j), d, d)
		VADDPS(d, p.sum(0, u, j), p.sum(0, u, j))
		VFMADD231PS(d, d, p.sum(1, u, j))
	})
}

// stripGradSum emits the sums of dy and dy*(x-mean).
func stripGradSum(isa vecISA, group int) {
	p := &stripPass{isa: isa, name: "stripGradSum", ref: "gradSumRows", max: group,
		sig:     "form, n, ch int, x, dy, mean, s1, s2 *float32, mask *int32",
		streams: []string{"x", "dy"}, steps: []string{"ch"}, coefs: []string{"mean"}, sums: []string{"s1", "s2"}, temps: 2}
	p.emit(nil, func() {}, func(u, j int) {
		d, g := p.temp(0), p.temp(1)
		p.load("x", j, d)
		p.load("dy", j, g)
		VSUBPS(p.coef(0, j), d, d)
		VADDPS(g, p.sum(0, u, j), p.sum(0, u, j))
		VFMADD231PS(g, d, p.sum(1, u, j))
	})
}

// stripMaskSum emits dst = dy where a*x+b is positive or NaN, and the sums of
// dst and dst*(x-mean).
func stripMaskSum(isa vecISA, group int) {
	p := &stripPass{isa: isa, name: "stripMaskSum", ref: "maskSumRows", max: group,
		sig:     "form, n, ch int, dst, dy, x, a, b, mean, s1, s2 *float32, mask *int32",
		streams: []string{"dst", "dy", "x"}, steps: []string{"ch"},
		coefs: []string{"a", "b", "mean"}, sums: []string{"s1", "s2"}, temps: 3}
	p.emit(nil, p.zero, func(u, j int) {
		d, g, v := p.temp(0), p.temp(1), p.temp(2)
		p.load("x", j, d)
		p.load("dy", j, g)
		VMOVAPS(d, v)
		VFMADD213PS(p.coef(1, j), p.coef(0, j), v)
		isa.keepPositive(v, p.constant(), g)
		p.store(g, "dst", j)
		VSUBPS(p.coef(2, j), d, d)
		VADDPS(g, p.sum(0, u, j), p.sum(0, u, j))
		VFMADD231PS(g, d, p.sum(1, u, j))
	})
}

// stripMaskAdd emits dst = dy where a*x+b is positive or NaN, with add added to
// it if there is one.
func stripMaskAdd(isa vecISA, name string, group int, add bool) {
	p := &stripPass{isa: isa, name: name, ref: "maskAddRows, add nil,", max: group,
		sig:     "form, n, ch int, dst, dy, x, a, b *float32, mask *int32",
		streams: []string{"dst", "dy", "x"}, steps: []string{"ch"}, coefs: []string{"a", "b"}, temps: 2}
	if add {
		p.ref = "maskAddRows"
		p.sig = "form, n, ch int, dst, dy, add, x, a, b *float32, mask *int32"
		p.streams = []string{"dst", "dy", "x", "add"}
	}
	p.emit(nil, p.zero, func(u, j int) {
		v, g := p.temp(0), p.temp(1)
		p.load("x", j, v)
		p.load("dy", j, g)
		VFMADD213PS(p.coef(1, j), p.coef(0, j), v)
		isa.keepPositive(v, p.constant(), g)
		if add {
			p.load("add", j, v)
			VADDPS(v, g, g)
		}
		p.store(g, "dst", j)
	})
}

// stripCombine emits dst = (ax*x+bx) + (ay*y+by).
func stripCombine(isa vecISA, group int) {
	p := &stripPass{isa: isa, name: "stripCombine", ref: "combineRows", max: group,
		sig:     "form, n, ch int, dst, x, ax, bx, y, ay, by *float32, mask *int32",
		streams: []string{"dst", "x", "y"}, steps: []string{"ch"}, coefs: []string{"ax", "bx", "ay", "by"}, temps: 2}
	p.emit(nil, func() {}, func(u, j int) {
		v, w := p.temp(0), p.temp(1)
		p.load("x", j, v)
		p.load("y", j, w)
		VFMADD213PS(p.coef(1, j), p.coef(0, j), v)
		VFMADD213PS(p.coef(3, j), p.coef(2, j), w)
		VADDPS(w, v, v)
		p.store(v, "dst", j)
	})
}

// stripBNGrad emits dx = a*(dy - b - (x-mean)*k).
func stripBNGrad(isa vecISA, group int) {
	p := &stripPass{isa: isa, name: "stripBNGrad", ref: "bnGradRowsRef", max: group,
		sig:     "form, n int, dx *float32, dpx int, x, dy *float32, spx int, mean, a, b, k *float32, mask *int32",
		streams: []string{"dx", "x", "dy"}, steps: []string{"dpx", "spx"}, coefs: []string{"mean", "a", "b", "k"}, temps: 2}
	p.emit(nil, func() {}, func(u, j int) {
		d, v := p.temp(0), p.temp(1)
		p.load("x", j, d)
		p.load("dy", j, v)
		VSUBPS(p.coef(0, j), d, d)
		VSUBPS(p.coef(2, j), v, v)
		VFNMADD231PS(d, p.coef(3, j), v)
		VMULPS(p.coef(1, j), v, v)
		p.store(v, "dx", j)
	})
}

// zero clears the constant register.
func (p *stripPass) zero() { p.isa.clear(p.constant()) }
