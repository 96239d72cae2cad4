//go:build !noasm

package cpu

// reluRowAVX2 works like reluRowRef; y may be x.
func reluRowAVX2(y, x []float32) {
	if n := len(y); n > 0 {
		x = x[:n]
		reluAVX2(n, &y[0], &x[0], mask(n%lanes))
	}
}

// reluGradRowAVX2 works like reluGradRowRef; dx may be x or dy.
func reluGradRowAVX2(dx, x, dy []float32) {
	if n := len(dx); n > 0 {
		x, dy = x[:n], dy[:n]
		reluGradAVX2(n, &dx[0], &x[0], &dy[0], mask(n%lanes))
	}
}

// addRowAVX2 works like addRowRef; dst may be a or b.
func addRowAVX2(dst, a, b []float32) {
	if n := len(dst); n > 0 {
		a, b = a[:n], b[:n]
		addAVX2(n, &dst[0], &a[0], &b[0], mask(n%lanes))
	}
}

// bnBlockRows is the number of rows of ch channels, at least one, that go by
// together: few enough that the block of channels that follows finds its part of
// the cache lines still in the first level cache.
func bnBlockRows(ch int) int { return max(1<<12/ch, 1) }

// bnRowsAVX2 works like bnRowsRef; y may be x if ldy is ch.
func bnRowsAVX2(rows, ch int, y []float32, ldy int, x, mean, scale, shift []float32) {
	if rows <= 0 || ch <= 0 {
		return
	}
	slack(y, rows, ch, ldy)
	slack(x, rows, ch, ch)
	mean, scale, shift = mean[:ch], scale[:ch], shift[:ch]
	full, block := ch&^(lanes-1), bnBlockRows(ch)
	for r := 0; r < rows; r += block {
		n, yr, xr := min(block, rows-r), y[r*ldy:], x[r*ch:]
		if full > 0 {
			bnApplyAVX2(n, full, &yr[0], ldy, &xr[0], ch, &mean[0], &scale[0], &shift[0])
		}
		if tail := ch - full; tail > 0 {
			bnApplyMaskAVX2(n, tail, &yr[full], ldy, &xr[full], ch, &mean[full], &scale[full], &shift[full], mask(tail))
		}
	}
}

// bnSumRowsAVX2 works like bnSumRowsRef. Each sum is that of four chains, see
// _asm/bn.go.
func bnSumRowsAVX2(rows, ch int, x, shift, s1, s2 []float32) {
	if ch <= 0 {
		return
	}
	shift, s1, s2 = shift[:ch], s1[:ch], s2[:ch]
	if rows <= 0 {
		clear(s1)
		clear(s2)
		return
	}
	slack(x, rows, ch, ch)
	full := ch &^ (lanes - 1)
	if full > 0 {
		bnSumAVX2(rows, full, &x[0], ch, &shift[0], &s1[0], &s2[0])
	}
	if tail := ch - full; tail > 0 {
		bnSumMaskAVX2(rows, tail, &x[full], ch, &shift[full], &s1[full], &s2[full], mask(tail))
	}
}

// bnGradSumRowsAVX2 works like bnGradSumRowsRef. Each sum is that of four
// chains, see _asm/bn.go.
func bnGradSumRowsAVX2(rows, ch int, x, dy, mean, s1, s2 []float32) {
	if ch <= 0 {
		return
	}
	mean, s1, s2 = mean[:ch], s1[:ch], s2[:ch]
	if rows <= 0 {
		clear(s1)
		clear(s2)
		return
	}
	slack(x, rows, ch, ch)
	slack(dy, rows, ch, ch)
	full := ch &^ (lanes - 1)
	if full > 0 {
		bnGradSumAVX2(rows, full, &x[0], &dy[0], ch, &mean[0], &s1[0], &s2[0])
	}
	if tail := ch - full; tail > 0 {
		bnGradSumMaskAVX2(rows, tail, &x[full], &dy[full], ch, &mean[full], &s1[full], &s2[full], mask(tail))
	}
}

// bnGradRowsAVX2 works like bnGradRowsRef; dx may be x or dy.
func bnGradRowsAVX2(rows, ch int, dx, x, dy, mean, a, b, k []float32) {
	if rows <= 0 || ch <= 0 {
		return
	}
	slack(dx, rows, ch, ch)
	slack(x, rows, ch, ch)
	slack(dy, rows, ch, ch)
	mean, a, b, k = mean[:ch], a[:ch], b[:ch], k[:ch]
	full, block := ch&^(lanes-1), bnBlockRows(ch)
	for r := 0; r < rows; r += block {
		n, dr, xr, gr := min(block, rows-r), dx[r*ch:], x[r*ch:], dy[r*ch:]
		if full > 0 {
			bnGradAVX2(n, full, &dr[0], &xr[0], &gr[0], ch, &mean[0], &a[0], &b[0], &k[0])
		}
		if tail := ch - full; tail > 0 {
			bnGradMaskAVX2(n, tail, &dr[full], &xr[full], &gr[full], ch, &mean[full], &a[full], &b[full], &k[full], mask(tail))
		}
	}
}

// maxRowAVX2 works like maxRowRef. The channels beyond a multiple of 8 go
// through maxRowRef.
func maxRowAVX2(n, ch int, y []float32, idx []uint8, ystep int, x []float32, xstep int, xoff []int, tap0 uint8, taps []uint8) {
	if n <= 0 || ch <= 0 {
		return
	}
	slack(y, n, ch, ystep)
	if span := (n-1)*ystep + ch; len(idx) < span {
		panic(shortRows)
	}
	taps = taps[:len(xoff)]
	_ = xoff[0] // a window without taps has no maximum
	checkTaps(xoff, slack(x, n, ch, xstep))
	full := ch &^ (lanes - 1)
	if full > 0 {
		maxBlocksAVX2(n, full, &y[0], &idx[0], ystep, &x[0], xstep, &xoff[0], int(tap0), &taps[0], len(taps))
	}
	if full < ch {
		maxRowRef(n, ch-full, y[full:], idx[full:], ystep, x[full:], xstep, xoff, tap0, taps)
	}
}
