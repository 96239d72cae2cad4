//go:build !noasm

package cpu

// dwRowsAVX2 works like dwRows; see dwRowAVX2.
func dwRowsAVX2(g dwShape, rows, n, ch int, y []float32, yrow int, x []float32, xrow int, w []float32) {
	dwAheadAVX2(g, rows, n, ch, y, yrow, ch, x, xrow, w, nil)
}

// dwAheadAVX2 works like dwAhead and prefetches nothing.
func dwAheadAVX2(g dwShape, rows, n, ch int, y []float32, yrow, ypx int, x []float32, xrow int, w, _ []float32) {
	if n <= 0 || ch <= 0 {
		return
	}
	var mem [2][maxTaps]int
	xoff, woff := g.taps(ch, xrow, mem[0][:0], mem[1][:0])
	for r := range rows {
		dwRowAVX2(n, ch, y[r*yrow:], ypx, x[r*g.stride*xrow:], g.stride*ch, xoff, w, woff)
	}
}

// dwGradRowsAVX2 works like dwGradRows; see dwGradRowAVX2.
func dwGradRowsAVX2(g dwShape, rows, n, ch int, dw []float32, x []float32, xrow int, dy []float32, dyrow int) {
	if n <= 0 || ch <= 0 {
		return
	}
	var mem [2][maxTaps]int
	xoff, woff := g.taps(ch, xrow, mem[0][:0], mem[1][:0])
	for r := range rows {
		dwGradRowAVX2(n, ch, dw, woff, x[r*g.stride*xrow:], g.stride*ch, xoff, dy[r*dyrow:], ch)
	}
}

// dwRowAVX2 works like dwRowRef. Every element of y is one chain of fused
// multiply-adds in the order of the taps. y overlaps neither x nor w.
//
// It is fastest where neighbours in xoff are xstep apart, all upwards or all
// downwards, see _asm/depthwise_avx2.go.
func dwRowAVX2(n, ch int, y []float32, ystep int, x []float32, xstep int, xoff []int, w []float32, woff []int) {
	if n <= 0 || ch <= 0 {
		return
	}
	slack(y, n, ch, ystep)
	taps := len(xoff)
	if taps == 0 {
		for q := range n {
			clear(y[q*ystep:][:ch])
		}
		return
	}
	if len(woff) < taps {
		panic(badTaps)
	}
	checkTaps(xoff, slack(x, n, ch, xstep))
	checkTaps(woff[:taps], slack(w, 1, ch, 0))
	px, py := 0, 0
	if taps > 1 && xoff[0]-xoff[1] == xstep {
		// The offsets go down, as for the gradient of x. Seen from the end of the
		// row they go up.
		px, py = (n-1)*xstep, (n-1)*ystep
		xstep, ystep = -xstep, -ystep
	}
	full := ch &^ (lanes - 1)
	if full > 0 {
		dwBlocksAVX2(n, full, &y[py], ystep, &x[px], xstep, &xoff[0], &w[0], &woff[0], taps)
	}
	if tail := ch - full; tail > 0 {
		dwMaskAVX2(n, tail, &y[py+full], ystep, &x[px+full], xstep, &xoff[0], &w[full], &woff[0], taps, mask(tail))
	}
}

// dwGradRowAVX2 works like dwGradRowRef. The sum of a row is one chain of fused
// multiply-adds over ascending pixels, added to dw at the end. dw overlaps
// neither x nor dy.
func dwGradRowAVX2(n, ch int, dw []float32, woff []int, x []float32, xstep int, xoff []int, dy []float32, ystep int) {
	taps := len(xoff)
	if n <= 0 || ch <= 0 || taps == 0 {
		return
	}
	if len(woff) < taps {
		panic(badTaps)
	}
	slack(dy, n, ch, ystep)
	checkTaps(xoff, slack(x, n, ch, xstep))
	checkTaps(woff[:taps], slack(dw, 1, ch, 0))
	full := ch &^ (lanes - 1)
	if full > 0 {
		dwGradBlocksAVX2(n, full, &dw[0], &woff[0], &x[0], xstep, &xoff[0], &dy[0], ystep, taps)
	}
	if tail := ch - full; tail > 0 {
		dwGradMaskAVX2(n, tail, &dw[full], &woff[0], &x[full], xstep, &xoff[0], &dy[full], ystep, taps, mask(tail))
	}
}

// checkTaps panics unless every offset is in [0, limit].
func checkTaps(off []int, limit uint) {
	for _, o := range off {
		if uint(o) > limit { // a negative offset is a huge one
			panic(badTap)
		}
	}
}
