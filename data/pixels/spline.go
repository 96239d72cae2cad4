package pixels

import "math"

// A cubic spline through the pixels of an image, as scipy's ndimage makes it (Unser, Aldroubi
// and Eden 1991, "Fast B-spline transforms for continuous image representation and
// interpolation"): the image is mirrored at the middle of its outer pixels, without repeating
// them, and filtered along both axes, which gives coefficients; a value between pixels is the
// sum of the sixteen coefficients around it, weighted. The order of the arithmetic is scipy's,
// so that the bytes are; products are converted to float64 before they are added, so that no
// processor fuses the two.

// splinePole is the pole of the cubic spline's filter, sqrt(3)-2.
const splinePole = -0.267949192431122706472553658494127633

// splineGain makes up for what the filter's two passes lose along an axis.
var splineGain = float64((1 - float64(splinePole)) * (1 - 1/float64(splinePole)))

// spline fills s.coef with the coefficients of img (h,w,3), in its order.
func (s *Scratch) spline(img []uint8, h, w int) []float64 {
	if cap(s.coef) < len(img) {
		s.coef = make([]float64, len(img))
	}
	coef := s.coef[:len(img)]
	for i, v := range img {
		coef[i] = float64(v)
	}
	if h > 1 {
		filterLines(coef, h, w*3)
	}
	if w > 1 {
		for ; len(img) > 0; img = img[w*3:] {
			filterLines(coef[len(coef)-len(img):][:w*3], w, 3)
		}
	}
	return coef
}

// filterLines turns values c (n,width) into coefficients along the first axis, n > 1.
func filterLines(c []float64, n, width int) {
	for i := range c {
		c[i] *= splineGain
	}
	const z = float64(splinePole)
	line := func(i int) []float64 { return c[i*width : (i+1)*width] }
	first, last := line(0), line(n-1)

	// The first coefficient of the forward pass sums the mirrored line to both sides.
	far := math.Pow(z, float64(n-1))
	for k := range first {
		first[k] += float64(far * last[k])
	}
	zi := z
	for i := 1; i < n-1; i++ {
		near, back := line(i)[:width], line(n - 1 - i)[:width]
		for k := range first {
			first[k] += float64(zi * (near[k] + float64(far*back[k])))
		}
		zi = float64(zi * z)
	}
	for k := range first {
		first[k] /= 1 - float64(far*far)
	}
	for i := width; i < len(c); i++ {
		c[i] += float64(z * c[i-width])
	}

	before := line(n - 2)
	for k := range last {
		last[k] = float64((float64(z*before[k])+last[k])*z) / (float64(z*z) - 1)
	}
	for i := len(c) - width - 1; i >= 0; i-- {
		c[i] = float64(z * (c[i+width] - c[i]))
	}
}

// splineWeights returns the weights of the four coefficients around a place that lies x
// behind the second of them, 0 <= x < 1.
func splineWeights(x float64) (v [4]float64) {
	z := 1 - x
	v[0] = float64(float64(z*z)*z) / 6
	v[1] = (float64(float64(float64(x*x)*(x-2))*3) + 4) / 6
	v[2] = (float64(float64(float64(z*z)*(z-2))*3) + 4) / 6
	v[3] = 1 - v[0] - v[1] - v[2]
	return v
}

// mirrored returns the line of 0..n-1 that stands for line i of an image that is mirrored
// again and again at its first and last line.
func mirrored(i, n int) int {
	if n == 1 {
		return 0
	}
	period := 2 * (n - 1)
	i = ((i % period) + period) % period
	return min(i, period-i)
}

// rowMap is a map from output to input coordinates: output pixel (row r, column c) shows the
// input at row rr*r + rc*c + r0 and column cr*r + cc*c + c0, from pixel centre to pixel centre.
type rowMap struct{ rr, rc, cr, cc, r0, c0 float64 }

// aboutMiddle makes the map work about what LaNet takes for the middle of an image (h,w,3):
// half a pixel behind, and so a whole one from where pixel centres would have it.
func (m rowMap) aboutMiddle(h, w int) rowMap {
	y, x := float64(float64(h)/2)+0.5, float64(float64(w)/2)+0.5
	m.r0 = float64(m.rr*-y) + float64(m.rc*-x) + (m.r0 + y)
	m.c0 = float64(m.cr*-y) + float64(m.cc*-x) + (m.c0 + x)
	return m
}

// apply resamples img (h,w,3) on the cubic spline. What lies outside the outer pixels'
// centres is black.
func (m rowMap) apply(img []uint8, h, w int, s *Scratch) {
	coef := s.spline(img, h, w)
	lastRow, lastCol := float64(h-1), float64(w-1)
	for r := range h {
		row := img[r*w*3 : (r+1)*w*3]
		for c := range w {
			out := row[c*3 : c*3+3]
			y := float64(float64(r)*m.rr) + float64(float64(c)*m.rc) + m.r0
			x := float64(float64(r)*m.cr) + float64(float64(c)*m.cc) + m.c0
			if !(y >= 0 && y <= lastRow && x >= 0 && x <= lastCol) {
				clear(out)
				continue
			}
			splineAt(out, coef, h, w, y, x)
		}
	}
}

// splineAt writes the spline's values at (y,x), which lies inside the image, to out (3),
// rounded and clipped to bytes.
func splineAt(out []uint8, coef []float64, h, w int, y, x float64) {
	y0, x0 := int(y), int(x)
	wy, wx := splineWeights(y-float64(y0)), splineWeights(x-float64(x0))
	var at [4]int // of the four columns, in a row of coef
	inside := x0 >= 1 && x0+2 < w
	for j := range at {
		at[j] = (x0 - 1 + j) * 3
		if !inside {
			at[j] = mirrored(x0-1+j, w) * 3
		}
	}
	var red, green, blue float64
	for i, wi := range wy {
		r := y0 - 1 + i
		if uint(r) >= uint(h) {
			r = mirrored(r, h)
		}
		line := coef[r*w*3 : (r+1)*w*3]
		for j, wj := range wx {
			p := line[at[j] : at[j]+3]
			red += float64(float64(p[0]*wi) * wj)
			green += float64(float64(p[1]*wi) * wj)
			blue += float64(float64(p[2]*wi) * wj)
		}
	}
	out[0], out[1], out[2] = rounded(red), rounded(green), rounded(blue)
}

// rounded returns v as a byte, rounded half up and clipped.
func rounded(v float64) uint8 { return uint8(min(max(v, 0)+0.5, 255)) }

// cubicTurn turns img about LaNet's middle, clockwise, by angle in degrees.
func cubicTurn(img []uint8, h, w int, angle float64, s *Scratch) {
	sin, cos := math.Sincos(angle * (math.Pi / 180))
	rowMap{rr: cos, rc: -sin, cr: sin, cc: cos}.aboutMiddle(h, w).apply(img, h, w, s)
}
