//go:build !noasm

package cpu

// poolTaps are the taps of a 3x3 window.
var poolTaps = [9]uint8{0, 1, 2, 3, 4, 5, 6, 7, 8}

// maxPoolRowAVX2 works like maxPoolRow; see maxRowAVX2. The last 8 channels may
// lie over the ones before; only ch < 8 goes through the reference.
func maxPoolRowAVX2(stride, n, ch int, y []float32, idx []uint8, x []float32, xrow int) {
	if n <= 0 || ch <= 0 {
		return
	}
	checkMaxPool(stride, n, ch, y, idx, x, xrow)
	var xoff [9]int
	for t := range xoff {
		xoff[t] = t/3*xrow + t%3*ch
	}
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

// checkMaxPool panics unless the slices hold what the kernels touch. Each check
// bounds the products of the next.
func checkMaxPool(stride, n, ch int, y []float32, idx []uint8, x []float32, xrow int) {
	slack(y, n, ch, ch)
	if len(idx) < n*ch {
		panic(shortRows)
	}
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
