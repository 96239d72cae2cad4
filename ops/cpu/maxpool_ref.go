package cpu

// poolTaps are the taps of a 3x3 window.
var poolTaps = [9]uint8{0, 1, 2, 3, 4, 5, 6, 7, 8}

// poolOffsets are the offsets of poolTaps in rows of x.
func poolOffsets(ch, xrow int) (xoff [9]int) {
	for t := range xoff {
		xoff[t] = t/3*xrow + t%3*ch
	}
	return xoff
}

// maxPoolRow computes one output row of a 3x3 maximum: y[q*ch+c] is the maximum
// of x[ky*xrow + (q*stride+kx)*ch + c] over ky, kx < 3 and idx[q*ch+c] the tap
// ky*3+kx that holds it: the first of equal ones, and the last NaN if there is
// one, as torch chooses. The caller pads with -Inf.
func maxPoolRow[T Float](stride, n, ch int, y []T, idx []uint8, x []T, xrow int) {
	xoff := poolOffsets(ch, xrow)
	maxRowRef(n, ch, y, idx, ch, x, stride*ch, xoff[:], 0, poolTaps[:])
}

// maxRowRef computes n pixels of ch channels of a max pool and where it found
// them:
//
//	y[q*ystep+c]   = max over t of x[xoff[t]+q*xstep+c]   q < n, c < ch
//	idx[q*ystep+c] = tap0 + taps[t] of that maximum
//
// The first of equal values wins (-0 equals +0). A NaN wins over any number and
// the last of several NaNs is taken, as torch does. There is at least one tap,
// and no offset is negative. y and idx must not overlap x.
func maxRowRef[T Float](n, ch int, y []T, idx []uint8, ystep int, x []T, xstep int, xoff []int, tap0 uint8, taps []uint8) {
	taps = taps[:len(xoff)]
	for q := range n {
		yq, iq := y[q*ystep:][:ch], idx[q*ystep:][:ch]
		xq := x[q*xstep:]
		copy(yq, xq[xoff[0]:][:ch])
		for c := range iq {
			iq[c] = tap0 + taps[0]
		}
		for t := 1; t < len(xoff); t++ {
			tap := tap0 + taps[t]
			for c, v := range xq[xoff[t]:][:len(yq)] {
				if v > yq[c] || v != v {
					yq[c], iq[c] = v, tap
				}
			}
		}
	}
}

// maxPoolGradRow adds dy[q*ch+c] to dx[q*dpx+c] where idx[q*ch+c] is tap, for
// q < n, c < ch: one tap of the gradient of maxPoolRow.
func maxPoolGradRow[T Float](n, ch int, dx []T, dpx int, dy []T, idx []uint8, tap uint8) {
	if dpx == ch {
		n, ch = 1, n*ch
	}
	for q := range n {
		g, d, t := dy[q*ch:][:ch], dx[q*dpx:][:ch], idx[q*ch:][:ch]
		for c, v := range g {
			if t[c] == tap {
				d[c] += v
			}
		}
	}
}
