//go:build !noasm

package cpu

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

// maxPoolRowAVX2 works like maxPoolRow; see maxRowAVX2. The last 8 channels may
// lie over the ones before; only ch < 8 goes through the reference.
func maxPoolRowAVX2(stride, n, ch int, y []float32, idx []uint8, x []float32, xrow int) {
	if n <= 0 || ch <= 0 {
		return
	}
	checkMaxPool(stride, n, ch, y, idx, x, xrow)
	xoff := poolOffsets(ch, xrow)
	if ch > lanes && ch%lanes != 0 {
		last := ch - lanes
		maxRowAVX2(n, lanes, y[last:], idx[last:], ch, x[last:], stride*ch, xoff[:], 0, poolTaps[:])
		maxRowAVX2(n, ch&^(lanes-1), y, idx, ch, x, stride*ch, xoff[:], 0, poolTaps[:])
		return
	}
	maxRowAVX2(n, ch, y, idx, ch, x, stride*ch, xoff[:], 0, poolTaps[:])
}

// maxPoolRowAVX512 works like maxPoolRow.
func maxPoolRowAVX512(stride, n, ch int, y []float32, idx []uint8, x []float32, xrow int) {
	if n <= 0 || ch <= 0 {
		return
	}
	checkMaxPool(stride, n, ch, y, idx, x, xrow)
	if ch < wide {
		maxPoolRowMaskAVX512(n, ch, stride, &y[0], &idx[0], &x[0], xrow)
	} else {
		maxPoolRowWideAVX512(n, ch, stride, &y[0], &idx[0], &x[0], xrow)
	}
}

// maxPoolValuesAVX512 computes the y of maxPoolRow.
func maxPoolValuesAVX512(stride, n, ch int, y []float32, x []float32, xrow int) {
	if n <= 0 || ch <= 0 {
		return
	}
	checkMaxPoolValues(stride, n, ch, y, x, xrow)
	if ch < wide {
		maxPoolValuesMaskAVX512(n, ch, stride, &y[0], &x[0], xrow)
	} else {
		maxPoolValuesWideAVX512(n, ch, stride, &y[0], &x[0], xrow)
	}
}

// checkMaxPool panics unless the slices hold what the kernels touch. Each check
// bounds the products of the next.
func checkMaxPool(stride, n, ch int, y []float32, idx []uint8, x []float32, xrow int) {
	checkMaxPoolValues(stride, n, ch, y, x, xrow)
	if len(idx) < n*ch {
		panic(shortRows)
	}
}

// checkMaxPoolValues is checkMaxPool without taps.
func checkMaxPoolValues(stride, n, ch int, y, x []float32, xrow int) {
	slack(y, n, ch, ch)
	if n == 1 {
		stride = 0
	}
	slack(x, stride+1, ch, ch)
	slack(x, n, 3*ch, stride*ch)
	slack(x, 3, ((n-1)*stride+3)*ch, xrow)
}

// maxPoolGradRowAVX2 works like maxPoolGradRow. What a row leaves over from a
// multiple of 8 goes through the reference; dx without gaps is one row.
func maxPoolGradRowAVX2(n, ch int, dx []float32, dpx int, dy []float32, idx []uint8, tap uint8) {
	if n <= 0 || ch <= 0 {
		return
	}
	checkMaxPoolGrad(n, ch, dx, dpx, dy, idx)
	if dpx == ch {
		n, ch, dpx = 1, n*ch, 0
	}
	full := ch &^ (lanes - 1)
	if full > 0 {
		maxPoolGradRowsAVX2(n, full, &dx[0], dpx, &dy[0], ch, &idx[0], tap)
	}
	if tail := ch - full; tail > 0 {
		for q := range n {
			maxPoolGradRow(1, tail, dx[q*dpx+full:], 0, dy[q*ch+full:], idx[q*ch+full:], tap)
		}
	}
}

// maxPoolGradRowAVX512 works like maxPoolGradRow; dx without gaps is one row.
func maxPoolGradRowAVX512(n, ch int, dx []float32, dpx int, dy []float32, idx []uint8, tap uint8) {
	if n <= 0 || ch <= 0 {
		return
	}
	checkMaxPoolGrad(n, ch, dx, dpx, dy, idx)
	if dpx == ch {
		n, ch, dpx = 1, n*ch, 0
	}
	maxPoolGradRowsAVX512(n, ch, &dx[0], dpx, &dy[0], &idx[0], tap)
}

// checkMaxPoolGrad panics unless the slices hold what the kernels touch.
func checkMaxPoolGrad(n, ch int, dx []float32, dpx int, dy []float32, idx []uint8) {
	slack(dy, n, ch, ch)
	slack(dx, n, ch, dpx)
	if len(idx) < n*ch {
		panic(shortRows)
	}
}
