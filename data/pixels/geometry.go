package pixels

import "math"

// Geometry follows Pillow's affine transform with the nearest pixel: output pixel (x,y)
// shows the input at (a*(x+0.5) + b*(y+0.5) + c, d*(x+0.5) + e*(y+0.5) + f), cut down to
// whole pixels, in fixed point with 16 fractional bits, and black outside the input.
// Products are converted to float64 before they are added, so that no processor fuses the
// two and rounds otherwise.

const fraction = 16 // bits after the binary point

// affine is the map from output to input coordinates.
type affine struct{ a, b, c, d, e, f float64 }

// apply resamples img (h,w,3). It equals Pillow while coordinates stay below 32768 pixels;
// above, Pillow computes in floating point and this does not.
func (m affine) apply(img []uint8, h, w int, s *Scratch) {
	src := s.copyOf(img)
	clear(img)
	a, d := fixed(m.a), fixed(m.d)
	x0 := fixed(m.c + float64(m.a*0.5) + float64(m.b*0.5))
	y0 := fixed(m.f + float64(m.d*0.5) + float64(m.e*0.5))
	for range h {
		row := img[:w*3]
		img = img[w*3:]
		xx, yy := x0, y0
		for ; len(row) >= 3; row = row[3:] {
			x, y := xx>>fraction, yy>>fraction
			if uint64(x) < uint64(w) && uint64(y) < uint64(h) {
				p := src[(int(y)*w+int(x))*3:]
				row[0], row[1], row[2] = p[0], p[1], p[2]
			}
			xx += a
			yy += d
		}
		x0 += fixed(m.b)
		y0 += fixed(m.e)
	}
}

// fixed rounds v to fixed point.
func fixed(v float64) int64 { return int64(math.Floor(float64(v*(1<<fraction)) + 0.5)) }

// shearX shears around the upper left corner. torchvision takes m through an angle in degrees
// and back, which changes m less than fixed point can hold.
func shearX(img []uint8, h, w int, m float64, s *Scratch) {
	if m != 0 {
		affine{a: 1, b: m, e: 1}.apply(img, h, w, s)
	}
}

// shearY works like shearX, down the columns.
func shearY(img []uint8, h, w int, m float64, s *Scratch) {
	if m != 0 {
		affine{a: 1, d: m, e: 1}.apply(img, h, w, s)
	}
}

// rotate turns img around its centre, counter-clockwise, by angle in degrees.
func rotate(img []uint8, h, w int, angle float64, s *Scratch) {
	angle = math.Mod(angle, 360)
	if angle == 0 {
		return
	}
	sin, cos := math.Sincos(-angle * (math.Pi / 180))
	cx, cy := float64(w)/2, float64(h)/2
	affine{
		a: cos, b: sin, c: float64(cos*-cx) + float64(sin*-cy) + cx,
		d: -sin, e: cos, f: float64(-sin*-cx) + float64(cos*-cy) + cy,
	}.apply(img, h, w, s)
}

// translateX moves img (h,w,3) right by n pixels.
func translateX(img []uint8, h, w, n int) {
	n = min(max(n, -w), w)
	for range h {
		row := img[:w*3]
		img = img[w*3:]
		if n >= 0 {
			copy(row[n*3:], row)
			clear(row[:n*3])
		} else {
			copy(row, row[-n*3:])
			clear(row[(w+n)*3:])
		}
	}
}

// translateY moves img (h,w,3) down by n pixels, as its bytes seen as one row move right.
func translateY(img []uint8, h, w, n int) {
	n = min(max(n, -h), h)
	translateX(img, 1, h*w, n*w)
}
