package pixels

import "math"

// hueShift returns the steps of a circle of 256 that hue values move by. They are cut down
// to whole ones, although a whole turn of Pillow's hue has 255; both as torchvision does.
func hueShift(m float64) uint8 { return uint8(int(m * 255)) }

// turnHue adds shift to the hue of each pixel of img (H,W,3). Hue, saturation and value are
// bytes in between, so that even a shift of 0 changes pixels.
func turnHue(img []uint8, shift uint8) {
	for ; len(img) >= 3; img = img[3:] {
		h, s, v := toHSV(img[0], img[1], img[2])
		img[0], img[1], img[2] = fromHSV(h+shift, s, v)
	}
}

// toHSV computes like Python's colorsys (Smith 1978, "Color gamut transform pairs"), with
// Pillow's roundings: to float32 where it stores a value, else float64. Of the distances of
// the three channels from the largest, in units of the span, one is 0 and one is 1.
func toHSV(r, g, b uint8) (h, s, v uint8) {
	v = max(r, g, b)
	low := min(r, g, b)
	if low == v {
		return 0, 0, v
	}
	span := float32(v - low)
	distance := func(c uint8) float32 { return float32(v-c) / span }
	var turn float32 // in sixths of the circle
	switch {
	case r == v && b == low:
		turn = 1 - distance(g)
	case r == v:
		turn = distance(b) - 1
	case g == v && b == low:
		turn = 1 + distance(r)
	case g == v:
		turn = 3 - distance(b)
	case r == low:
		turn = 3 + distance(g)
	default:
		turn = 5 - distance(r)
	}
	part := float64(turn)/6 + 1
	if part >= 1 {
		part--
	}
	return uint8(int32(float64(float32(part)) * 255)), uint8(int32(float64(span/float32(v)) * 255)), v
}

// fromHSV is the way back, with the same roundings.
func fromHSV(h, s, v uint8) (r, g, b uint8) {
	if s == 0 {
		return v, v, v
	}
	sixth := &sixths[h]
	f, fs, value := sixth.f, fraction255[s], float64(v)
	p := toByte(value * (1 - float64(fs)))
	q := toByte(value * (1 - float64(fs*f)))
	t := toByte(value * (1 - float64(float64(fs)*(1-float64(f)))))
	switch sixth.number {
	case 0:
		return v, t, p
	case 1:
		return q, v, p
	case 2:
		return p, v, t
	case 3:
		return p, q, v
	case 4:
		return t, p, v
	default:
		return v, p, q
	}
}

// toByte rounds v, which lies in 0..255, half up.
func toByte(v float64) uint8 { return uint8(int32(float64(v) + 0.5)) }

// sixths says in which sixth of the circle a hue lies, and how far in.
var sixths = func() (table [256]struct {
	number uint8
	f      float32
}) {
	for h := range table {
		v := float64(h) * 6 / 255
		whole := math.Floor(v)
		table[h].number, table[h].f = uint8(whole)%6, float32(v-whole)
	}
	return table
}()

// fraction255 holds i/255.
var fraction255 = func() (table [256]float32) {
	for i := range table {
		table[i] = float32(float64(i) / 255)
	}
	return table
}()
