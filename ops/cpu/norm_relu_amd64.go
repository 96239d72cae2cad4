//go:build !noasm

package cpu

import (
	"math"
	"math/bits"
)

// stripPasses are the kernels of one instruction set, see _asm/channel_pass.go. A call
// works on a group of channels: on up to wide vectors in the passes with few
// operands, on up to narrow ones in maskSum, combine and bnGrad.
type stripPasses struct {
	lanes, wide, narrow int

	affine  func(form, rows, n int, dst *float32, drow, dpx int, src *float32, srow, spx int, a, b *float32, floor float32, mask *int32)
	sum     func(form, n, ch int, x, shift, s1, s2 *float32, mask *int32)
	gradSum func(form, n, ch int, x, dy, mean, s1, s2 *float32, mask *int32)
	maskSum func(form, n, ch int, dst, dy, x, a, b, mean, s1, s2 *float32, mask *int32)
	mask    func(form, n, ch int, dst, dy, x, a, b *float32, mask *int32)
	maskAdd func(form, n, ch int, dst, dy, add, x, a, b *float32, mask *int32)
	combine func(form, n, ch int, dst, x, ax, bx, y, ay, by *float32, mask *int32)
	bnGrad  func(form, n int, dx *float32, dpx int, x, dy *float32, spx int, mean, a, b, k *float32, mask *int32)
}

var (
	stripAVX2Passes = stripPasses{
		8, 4, 2, stripAffineAVX2, stripSumAVX2, stripGradSumAVX2, stripMaskSumAVX2,
		stripMaskAVX2, stripMaskAddAVX2, stripCombineAVX2, stripBNGradAVX2,
	}
	stripAVX512Passes = stripPasses{
		16, 4, 4, stripAffineAVX512, stripSumAVX512, stripGradSumAVX512, stripMaskSumAVX512,
		stripMaskAVX512, stripMaskAddAVX512, stripCombineAVX512, stripBNGradAVX512,
	}
)

func (s *stripPasses) install(k *rowKernels[float32]) {
	k.affine, k.combine, k.bnGrad = s.affineRows, s.combineRows, s.bnGradRows
	k.sum, k.gradSum = s.sumRows, s.gradSumRows
	k.maskSum, k.maskAdd = s.maskSumRows, s.maskAddRows
}

// masks512[16-n:] is the mask of the first n of 16 lanes, or of 8.
var masks512 = [2 * wide]int32{-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1}

// mask512 selects the first n lanes, 0 <= n <= 16.
func mask512(n int) *int32 { return &masks512[wide-n] }

// stripOnes and stripZeros are the coefficients of a group that has none.
var stripOnes, stripZeros = func() (one, zero [4 * wide]float32) {
	for i := range one {
		one[i] = 1
	}
	return
}()

// sums returns the passes that sum over pixels of ch channels: those of AVX2 if
// they need no mask and the wider ones do. A masked pass in place waits for its
// own stores, see _asm/channel_pass.go.
func (s *stripPasses) sums(ch int) *stripPasses {
	if s.lanes == wide && ch%wide != 0 && ch%4 == 0 {
		return &stripAVX2Passes
	}
	return s
}

// sumGroup returns the form of the kernel for the next group of channels of a
// pass with sums, how many channels that are and the mask of the last vector, if
// left channels remain.
func sumGroup(left, lanes, most int) (form, channels int, mask *int32) {
	v, whole := panel(left, lanes, most)
	switch tail := left - (v-1)*lanes; {
	case whole:
		return v - 1, v * lanes, nil
	case lanes == 8 && tail == 4:
		return 2*most + v - 1, left, nil
	default:
		return most + v - 1, left, mask512(tail)
	}
}

// plain returns the passes without sums for ch channels: those of AVX2 if the
// wider ones would need a mask. Their results are the same.
func (s *stripPasses) plain(ch int) *stripPasses {
	if s.lanes == wide && ch%wide != 0 {
		return &stripAVX2Passes
	}
	return s
}

// plainGroup works like sumGroup for a pass without sums.
func plainGroup(left, lanes, most int) (form, channels int, mask *int32) {
	v, first := min(left/lanes, most), 0
	if lanes == 8 {
		first = 2 // forms 0 and 1 are what is left of a vector
	}
	switch {
	case v >= 4:
		return first + 2, 4 * lanes, nil
	case v >= 2:
		return first + 1, 2 * lanes, nil
	case v == 1:
		return first, lanes, nil
	case left == 4:
		return 1, left, nil
	default:
		return 0, left, mask512(left)
	}
}

// stripPixels is the number of pixels of ch channels, at least one, that all
// groups of channels go through together: few enough that the second group
// finds what shares its pages and lines with the first in the first level cache.
func stripPixels(ch int) int { return max(1<<12/ch, 1) }

// pixelsTogether is the number of pixels of a call: all n if first channels, those of the
// first group, are all there are.
func pixelsTogether(n, ch, first int) int {
	if ch <= first {
		return n
	}
	return stripPixels(ch)
}

// long panics unless every slice has n elements.
func long(n int, slices ...[]float32) {
	for _, s := range slices {
		if len(s) < n {
			panic(shortRows)
		}
	}
}

// long2 panics unless s has room for rows rows, row apart, of n pixels, px
// apart, of ch channels.
func long2(s []float32, rows, row, n, px, ch int) {
	hi, span := bits.Mul64(uint64(rows-1), uint64(row))
	if room := slack(s, n, ch, px); hi != 0 || span > uint64(room) {
		panic(shortRows)
	}
}

// coefficients returns the addresses of a[c] and b[c], or of 1 and 0.
func coefficients(a, b []float32, c int) (pa, pb *float32) {
	if a == nil {
		return &stripOnes[0], &stripZeros[0]
	}
	return &a[c], &b[c]
}

// affineRows works like the function of that name; a -0 may become +0 or the
// other way round.
func (s *stripPasses) affineRows(rows, n, ch int, dst []float32, drow, dpx int, src []float32, srow, spx int, a, b []float32, relu bool) {
	if rows <= 0 || n <= 0 || ch <= 0 {
		return
	}
	long2(dst, rows, drow, n, dpx, ch)
	long2(src, rows, srow, n, spx, ch)
	if a != nil {
		long(ch, a, b)
	}
	floor := float32(math.Inf(-1))
	if relu {
		floor = 0
	}
	if drow == n*dpx && srow == n*spx {
		rows, n, drow, srow = 1, rows*n, 0, 0
	}
	s = s.plain(ch)
	block, px := rows, n // what all groups of channels go through together
	if _, first, _ := plainGroup(ch, s.lanes, s.wide); ch > first {
		px = min(n, stripPixels(ch))
		block = max(stripPixels(ch)/n, 1)
	}
	for r := 0; r < rows; r += block {
		for q := 0; q < n; q += px {
			for c := 0; c < ch; {
				form, w, mask := plainGroup(ch-c, s.lanes, s.wide)
				pa, pb := coefficients(a, b, c)
				pd, ps := &dst[r*drow+q*dpx+c], &src[r*srow+q*spx+c]
				s.affine(form, min(block, rows-r), min(px, n-q), pd, drow, dpx, ps, srow, spx, pa, pb, floor, mask)
				c += w
			}
		}
	}
}

// sumRows works like the function of that name. Each sum is that of up to four
// chains, see _asm/channel_pass.go, of each block of pixels.
func (s *stripPasses) sumRows(n, ch int, x, shift, s1, s2 []float32) {
	if n <= 0 || ch <= 0 {
		return
	}
	slack(x, n, ch, ch)
	long(ch, shift, s1, s2)
	s = s.sums(ch)
	block := pixelsTogether(n, ch, s.wide*s.lanes)
	for q := 0; q < n; q += block {
		for c := 0; c < ch; {
			form, w, mask := sumGroup(ch-c, s.lanes, s.wide)
			s.sum(form, min(block, n-q), ch, &x[q*ch+c], &shift[c], &s1[c], &s2[c], mask)
			c += w
		}
	}
}

// gradSumRows works like the function of that name, with sums as in sumRows.
func (s *stripPasses) gradSumRows(n, ch int, x, dy, mean, s1, s2 []float32) {
	if n <= 0 || ch <= 0 {
		return
	}
	slack(x, n, ch, ch)
	slack(dy, n, ch, ch)
	long(ch, mean, s1, s2)
	s = s.sums(ch)
	block := pixelsTogether(n, ch, s.wide*s.lanes)
	for q := 0; q < n; q += block {
		for c := 0; c < ch; {
			form, w, mask := sumGroup(ch-c, s.lanes, s.wide)
			s.gradSum(form, min(block, n-q), ch, &x[q*ch+c], &dy[q*ch+c], &mean[c], &s1[c], &s2[c], mask)
			c += w
		}
	}
}

// maskSumRows works like the function of that name, with sums as in sumRows.
func (s *stripPasses) maskSumRows(n, ch int, dst, dy, x, a, b, mean, s1, s2 []float32) {
	if n <= 0 || ch <= 0 {
		return
	}
	slack(dst, n, ch, ch)
	slack(dy, n, ch, ch)
	slack(x, n, ch, ch)
	long(ch, a, b, mean, s1, s2)
	s = s.sums(ch)
	block := pixelsTogether(n, ch, s.narrow*s.lanes)
	for q := 0; q < n; q += block {
		for c := 0; c < ch; {
			form, w, mask := sumGroup(ch-c, s.lanes, s.narrow)
			i := q*ch + c
			s.maskSum(form, min(block, n-q), ch, &dst[i], &dy[i], &x[i], &a[c], &b[c], &mean[c], &s1[c], &s2[c], mask)
			c += w
		}
	}
}

// maskAddRows works like the function of that name. Without x it is a sum, or a
// copy.
func (s *stripPasses) maskAddRows(n, ch int, dst, dy, add, x, a, b []float32) {
	if x == nil {
		s.combineRows(n, ch, dst, dy, nil, nil, add, nil, nil)
		return
	}
	if n <= 0 || ch <= 0 {
		return
	}
	slack(dst, n, ch, ch)
	slack(dy, n, ch, ch)
	slack(x, n, ch, ch)
	if add != nil {
		slack(add, n, ch, ch)
	}
	if a != nil {
		long(ch, a, b)
	}
	s = s.plain(ch)
	_, first, _ := plainGroup(ch, s.lanes, s.wide)
	block := pixelsTogether(n, ch, first)
	for q := 0; q < n; q += block {
		for c := 0; c < ch; {
			form, w, mask := plainGroup(ch-c, s.lanes, s.wide)
			pa, pb := coefficients(a, b, c)
			i, px := q*ch+c, min(block, n-q)
			if add == nil {
				s.mask(form, px, ch, &dst[i], &dy[i], &x[i], pa, pb, mask)
			} else {
				s.maskAdd(form, px, ch, &dst[i], &dy[i], &add[i], &x[i], pa, pb, mask)
			}
			c += w
		}
	}
}

// combineRows works like the function of that name.
func (s *stripPasses) combineRows(n, ch int, dst, x, ax, bx, y, ay, by []float32) {
	if y == nil {
		s.affineRows(1, n, ch, dst, n*ch, ch, x, n*ch, ch, ax, bx, false)
		return
	}
	if n <= 0 || ch <= 0 {
		return
	}
	slack(dst, n, ch, ch)
	slack(x, n, ch, ch)
	slack(y, n, ch, ch)
	if ax != nil {
		long(ch, ax, bx)
	}
	if ay != nil {
		long(ch, ay, by)
	}
	s = s.plain(ch)
	_, first, _ := plainGroup(ch, s.lanes, s.narrow)
	block := pixelsTogether(n, ch, first)
	for q := 0; q < n; q += block {
		for c := 0; c < ch; {
			form, w, mask := plainGroup(ch-c, s.lanes, s.narrow)
			pax, pbx := coefficients(ax, bx, c)
			pay, pby := coefficients(ay, by, c)
			i := q*ch + c
			s.combine(form, min(block, n-q), ch, &dst[i], &x[i], pax, pbx, &y[i], pay, pby, mask)
			c += w
		}
	}
}

// bnGradRows works like bnGradRowsRef.
func (s *stripPasses) bnGradRows(n, ch int, dx []float32, dpx int, x, dy []float32, spx int, mean, a, b, k []float32) {
	if n <= 0 || ch <= 0 {
		return
	}
	slack(dx, n, ch, dpx)
	slack(x, n, ch, spx)
	slack(dy, n, ch, spx)
	long(ch, mean, a, b, k)
	s = s.plain(ch)
	_, first, _ := plainGroup(ch, s.lanes, s.narrow)
	block := pixelsTogether(n, ch, first)
	for q := 0; q < n; q += block {
		for c := 0; c < ch; {
			form, w, mask := plainGroup(ch-c, s.lanes, s.narrow)
			i := q*spx + c
			s.bnGrad(form, min(block, n-q), &dx[q*dpx+c], dpx, &x[i], &dy[i], spx, &mean[c], &a[c], &b[c], &k[c], mask)
			c += w
		}
	}
}
