//go:build !noasm

package pixels

import "math"

// lines are a table's three channels as straight lines, slope*v + value at 0, so that no table
// has to be read. A float32 has too few places for one, and so there are two: high on a grid so
// coarse that its value is exact, and low for what the grid leaves. The sum is rounded once.
type lines struct {
	coef [4][24]float32 // slopes and values at 0 of high, then of low; a value's channel is its index % 3
	ok   bool
}

// fit finds lines whose sum is the table, bit for bit: all 768 values are computed and compared.
// A sum that comes to lie next to the middle between two numbers may be rounded the other way.
// Then the next slope of the grid gives low other roundings; two or three are enough. Where a
// byte is all but equal to the mean nothing helps, about once in a hundred sets of images.
func (l *lines) fit(n *Normaliser, mean, std [3]float32) {
	if !useAVX2 {
		return
	}
	var levels [3 * 256]uint8
	for i := range levels {
		levels[i] = uint8(i / 3)
	}
	var got [3 * 256]float32
	var fits [3]bool
	l.ok = true // for copy
	for try := range 16 {
		for c := range fits {
			if !fits[c] {
				l.setChannel(c, try, float64(mean[c]), float64(std[c]), float64(n.table[c][255]))
			}
		}
		l.copy(got[:], levels[:])
		for c := range fits {
			fits[c] = true
			for v, want := range n.table[c] {
				fits[c] = fits[c] && got[3*v+c] == want
			}
		}
		if fits[0] && fits[1] && fits[2] {
			return
		}
	}
	l.ok = false
}

// setChannel computes a channel's lines with the nearest slope of the grid, the next one above,
// the next below, and so on.
func (l *lines) setChannel(c, try int, mean, std, last float64) {
	shift := float64((try + 1) / 2)
	if try%2 == 0 {
		shift = -shift
	}
	slope, zero := 1/(255*std), -mean/std
	_, exponent := math.Frexp(max(math.Abs(zero), math.Abs(last), slope))
	grid := math.Ldexp(1, exponent-24) // a float32 below 2^exponent has 24 places
	highSlope := (math.Round(slope/grid) + shift) * grid
	highZero := math.Round(zero/grid) * grid
	for i := c; i < 24; i += 3 {
		l.coef[0][i], l.coef[1][i] = float32(highSlope), float32(highZero)
		l.coef[2][i], l.coef[3][i] = float32(slope-highSlope), float32(zero-highZero)
	}
}

// copy works like Normaliser.Copy, or does nothing and reports false.
func (l *lines) copy(dst []float32, src []uint8) bool {
	n := len(src)
	if !l.ok || n < 24 {
		return false
	}
	_ = dst[:n]
	copyAVX2(n/24, &dst[0], &src[0], &l.coef[0][0])
	if n%24 > 0 { // the last 8 pixels, some of which are done already
		copyAVX2(1, &dst[n-24], &src[n-24], &l.coef[0][0])
	}
	return true
}

// mirror works like Normaliser.Mirror, or does nothing and reports false.
func (l *lines) mirror(dst []float32, src []uint8) bool {
	n := len(src)
	if !l.ok || n < 24 {
		return false
	}
	_ = dst[:n]
	mirrorAVX2(n/24, &dst[0], &src[n-24], &l.coef[0][0])
	if n%24 > 0 {
		mirrorAVX2(1, &dst[n-24], &src[0], &l.coef[0][0])
	}
	return true
}
