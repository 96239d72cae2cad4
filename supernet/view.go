package supernet

// view makes the images (N,from,from,3) of a student those that its teacher was trained on,
// (N,to,to,3): otherwise normalised, and resized bilinearly where the sides differ. Pixels
// are squares whose values stand at their centres, and what is made smaller is not smoothed
// before: torch's interpolate(mode="bilinear", align_corners=False).
type view struct {
	from, to     int
	scale, shift [3]float32 // from one normalisation to the other, by channel
	taps         []tap      // of an output row or column; empty where the sides are the same
	row          []float32  // (from,3)
}

// tap says what an output is: 1-w of the pixel lo and w of the pixel hi.
type tap struct {
	lo, hi int
	w      float32
}

// view is how the teacher of c sees the images of n; nil where it sees them as they are.
func (c TrainConfig) view(n *Net) *view {
	t := c.Teacher
	if t.Mean == c.Mean && t.Std == c.Std && t.Net.cfg.Image == n.cfg.Image {
		return nil
	}
	v := newView(n.cfg.Image, t.Net.cfg.Image)
	for i := range 3 {
		v.scale[i] = c.Std[i] / t.Std[i]
		v.shift[i] = (c.Mean[i] - t.Mean[i]) / t.Std[i]
	}
	return v
}

// newView resizes, and leaves the normalisation as it is.
func newView(from, to int) *view {
	v := &view{from: from, to: to, scale: [3]float32{1, 1, 1}}
	if from == to {
		return v
	}
	v.row = make([]float32, 3*from)
	for i := range to {
		at := max(0, (float64(i)+0.5)*float64(from)/float64(to)-0.5)
		lo := min(int(at), from-1)
		v.taps = append(v.taps, tap{lo, min(lo+1, from-1), float32(at - float64(lo))})
	}
	return v
}

// put writes the images src (N,from,from,3) to dst (N,to,to,3).
func (v *view) put(dst, src []float32) {
	if len(v.taps) == 0 {
		v.normalise(dst, src)
		return
	}
	in, out := 3*v.from*v.from, 3*v.to*v.to
	for ; len(src) >= in; src, dst = src[in:], dst[out:] {
		for y, t := range v.taps {
			a, b := src[3*v.from*t.lo:][:len(v.row)], src[3*v.from*t.hi:][:len(v.row)]
			for i, x := range a {
				v.row[i] = (1-t.w)*x + t.w*b[i]
			}
			v.widen(dst[3*v.to*y:][:3*v.to])
		}
	}
}

// widen writes the row to an output row (to,3).
func (v *view) widen(dst []float32) {
	for _, t := range v.taps {
		a, b := v.row[3*t.lo:][:3], v.row[3*t.hi:][:3]
		for c := range 3 {
			dst[c] = ((1-t.w)*a[c]+t.w*b[c])*v.scale[c] + v.shift[c]
		}
		dst = dst[3:]
	}
}

func (v *view) normalise(dst, src []float32) {
	for ; len(src) >= 3; src, dst = src[3:], dst[3:] {
		for c := range 3 {
			dst[c] = src[c]*v.scale[c] + v.shift[c]
		}
	}
}
