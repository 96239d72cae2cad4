package decode

// RGB converts an image to RGB, (H,W,3), in dst where it has the room. Chroma is
// interpolated and converted to the bit as libjpeg does it, whose result PIL gives.
func (m *Image) RGB(dst []uint8) []uint8 {
	dst = grow(dst, m.W*m.H*3)
	switch {
	case m.Y != nil:
		// libjpeg repeats chroma where a row has no more than two samples.
		w, _ := m.chromaSize()
		m.convert(dst, w > 2, jfif)
	case m.Grey:
		for i, v := range m.Pix[:m.W*m.H] {
			dst[3*i], dst[3*i+1], dst[3*i+2] = v, v, v
		}
	default:
		copy(dst, m.Pix)
	}
	return dst
}

// toRGB converts a row of luma and of full-size chroma.
type toRGB func(dst, y, cb, cr []uint8)

// convert converts planes to RGB, row by row. Chroma is interpolated, or repeated across a
// row where it is not smooth.
func (m *Image) convert(dst []uint8, smooth bool, row toRGB) {
	w, h := m.chromaSize()
	full := make([]uint8, 2*(m.W+1)) // a pixel more, so that chroma has both of its own
	cb, cr := full[:m.W+1], full[m.W+1:]
	for y := range m.H {
		// The row of chroma that this one lies in, and the nearer one of the others.
		at := y / m.SubY
		near := at
		if m.SubY == 2 {
			near = min(max(at-1+y%2*2, 0), h-1)
		}
		for _, c := range [2]struct{ out, in []uint8 }{{cb, m.Cb}, {cr, m.Cr}} {
			own := c.in[at*m.CStride:][:w]
			other := c.in[near*m.CStride:][:w]
			switch {
			case m.SubX == 1 && m.SubY == 1:
				copy(c.out, own)
			case m.SubX == 1:
				between(c.out, own, other, int32(1+y%2))
			case !smooth:
				for i, v := range own {
					c.out[2*i], c.out[2*i+1] = v, v
				}
			case m.SubY == 1:
				spread1(c.out, own)
			default:
				spread2(c.out, own, other)
			}
		}
		row(dst[y*m.W*3:][:m.W*3], m.Y[y*m.YStride:][:m.W], cb, cr)
	}
}

// The functions below interpolate chroma. The centre of a sample lies between two pixels, so that
// a pixel takes 3/4 of its own sample and 1/4 of the nearer one beside it, in each direction.
// Rounding alternates, so as not to drift, the way of libjpeg's "fancy upsampling" (jdsample.c).

// between interpolates from two rows, both (w), to out (w).
func between(out, own, other []uint8, round int32) {
	for i, v := range own {
		out[i] = uint8((3*int32(v) + int32(other[i]) + round) >> 2)
	}
}

// spread1 interpolates within a row (w) to out (2w).
func spread1(out, own []uint8) {
	before, v := int32(own[0]), int32(own[0])
	for i, next := range own[1:] {
		after := int32(next)
		o := out[2*i : 2*i+2]
		o[0], o[1] = uint8((3*v+before+1)>>2), uint8((3*v+after+2)>>2)
		before, v = v, after
	}
	o := out[2*len(own)-2:]
	o[0], o[1] = uint8((3*v+before+1)>>2), uint8(v)
}

// spread2 interpolates from two rows, both (w), to out (2w).
func spread2(out, own, other []uint8) {
	other = other[:len(own)]
	down := func(i int) int32 { return 3*int32(own[i]) + int32(other[i]) } // four times a sample
	before, v := down(0), down(0)
	for i := 1; i < len(own); i++ {
		after := down(i)
		o := out[2*i-2 : 2*i]
		o[0], o[1] = uint8((3*v+before+8)>>4), uint8((3*v+after+7)>>4)
		before, v = v, after
	}
	o := out[2*len(own)-2:]
	o[0], o[1] = uint8((3*v+before+8)>>4), uint8((4*v+7)>>4)
}

// jfif converts JFIF's YCbCr (ITU T.871, section 7) in 16 bits of fraction, each product
// rounded where libjpeg rounds it (jdcolor.c).
func jfif(dst, y, cb, cr []uint8) {
	const half = 1 << 15
	cb, cr, dst = cb[:len(y)], cr[:len(y)], dst[:3*len(y)]
	for i, v := range y {
		l, b, r := int32(v), int32(cb[i])-128, int32(cr[i])-128
		d := dst[3*i : 3*i+3]
		d[0] = clamp(l + (91881*r+half)>>16)         // 1.402
		d[1] = clamp(l + (half-22554*b-46802*r)>>16) // 0.34414, 0.71414
		d[2] = clamp(l + (116130*b+half)>>16)        // 1.772
	}
}

// bt601 converts YCbCr of video's range, luma 16 to 235 and chroma 16 to 240 (ITU-R
// BT.601), which is what WebP stores (RFC 9649, section 1), in 14 bits of fraction.
func bt601(dst, y, cb, cr []uint8) {
	const half = 1 << 13
	cb, cr, dst = cb[:len(y)], cr[:len(y)], dst[:3*len(y)]
	for i, v := range y {
		l, b, r := 19077*(int32(v)-16)+half, int32(cb[i])-128, int32(cr[i])-128 // 255/219
		d := dst[3*i : 3*i+3]
		d[0] = clamp((l + 26149*r) >> 14)          // 1.596
		d[1] = clamp((l - 6419*b - 13320*r) >> 14) // 0.392, 0.813
		d[2] = clamp((l + 33050*b) >> 14)          // 2.017
	}
}

func clamp(v int32) uint8 {
	if uint32(v) > 255 {
		return uint8(^v >> 31) // 0 below, 255 above
	}
	return uint8(v)
}
