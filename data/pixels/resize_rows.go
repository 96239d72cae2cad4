package pixels

// The inner loops, in plain Go. They define what a row is; assembly computes the same bytes.

// horizontalRef resamples a row: dst (outputs,channels), src (inputs,channels). There are 1
// or 3 channels.
func horizontalRef(dst, src []uint8, a *axis, channels int) {
	if channels == 1 {
		for i := range a.first {
			first, coef := a.filter(i)
			in := src[first:][:len(coef)]
			sum := int32(half)
			for j, c := range coef {
				sum += int32(in[j]) * c
			}
			dst[i] = clip(sum)
		}
		return
	}
	for i := range a.first {
		first, coef := a.filter(i)
		in := src[3*first:][:3*len(coef)]
		r, g, b := int32(half), int32(half), int32(half)
		for len(coef) > 0 && len(in) >= 3 {
			r += int32(in[0]) * coef[0]
			g += int32(in[1]) * coef[0]
			b += int32(in[2]) * coef[0]
			in, coef = in[3:], coef[1:]
		}
		out := dst[3*i:][:3]
		out[0], out[1], out[2] = clip(r), clip(g), clip(b)
	}
}

// verticalRef makes one row of len(coef) rows that lie stride bytes apart in rows.
func verticalRef(dst, rows []uint8, stride int, coef []int32) {
	var sums [64]int32 // a few columns, and two rows at a time, so that sums stay close by
	for from := 0; from < len(dst); from += len(sums) {
		out := dst[from:min(from+len(sums), len(dst))]
		s := sums[:len(out)]
		for i := range s {
			s[i] = half
		}
		at, c := from, coef
		for ; len(c) >= 2; c = c[2:] {
			a, b := rows[at:][:len(s)], rows[at+stride:][:len(s)]
			for i := range s {
				s[i] += int32(a[i])*c[0] + int32(b[i])*c[1]
			}
			at += 2 * stride
		}
		if len(c) > 0 {
			for i, v := range rows[at:][:len(s)] {
				s[i] += int32(v) * c[0]
			}
		}
		for i, sum := range s {
			out[i] = clip(sum)
		}
	}
}

// clip cuts off a sum's binary places. Coefficients are rounded one by one, so that they may
// sum to a little more than one.
func clip(sum int32) uint8 { return uint8(min(sum>>coefBits, 255)) }

// The conversion of JFIF (version 1.02, page 3), in 16 bits with colorBits binary places:
//
//	R = Y + 1.402 (Cr-128)
//	G = Y - 0.344136 (Cb-128) - 0.714136 (Cr-128)
//	B = Y + 1.772 (Cb-128)
//
// Factors are in units of 2^-15. Those of R and B are what is left of 1 and 2.
const (
	colorBits = 5
	redCr     = 13173  // 0.402
	greenCb   = -11277 // -0.344136
	greenCr   = -23401 // -0.714136
	blueCb    = -7471  // -0.228
)

// colorRef converts a row: dst (n,3), the others (n).
func colorRef(dst, y, cb, cr []uint8) {
	cb, cr = cb[:len(y)], cr[:len(y)]
	for i, v := range y {
		l := int32(v)<<colorBits + 1<<(colorBits-1)
		u, v := (int32(cb[i])-128)<<colorBits, (int32(cr[i])-128)<<colorBits
		q := dst[3*i : 3*i+3]
		q[0] = clipColor(l + v + scale15(v, redCr))
		q[1] = clipColor(l + scale15(u, greenCb) + scale15(v, greenCr))
		q[2] = clipColor(l + 2*u + scale15(u, blueCb))
	}
}

// scale15 is x*factor/2^15, rounded: the instruction PMULHRSW.
func scale15(x, factor int32) int32 { return (x*factor + 1<<14) >> 15 }

func clipColor(x int32) uint8 { return uint8(min(max(x>>colorBits, 0), 255)) }

// spreadRef makes grey RGB: dst (n,3), grey (n).
func spreadRef(dst, grey []uint8) {
	for i, v := range grey {
		q := dst[3*i : 3*i+3]
		q[0], q[1], q[2] = v, v, v
	}
}
