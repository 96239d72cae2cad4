package pixels

// Operations that blend a pixel with a value of its own: its grey or its surroundings.

// saturate blends img (H,W,3) with its grey values; see blend.
func saturate(img []uint8, factor float64) {
	f := float32(factor)
	if f == 1 {
		return
	}
	for ; len(img) >= 3; img = img[3:] {
		r, g, b := img[0], img[1], img[2]
		grey := int32(luma(r, g, b))
		img[0] = blend(grey, int32(r), f)
		img[1] = blend(grey, int32(g), f)
		img[2] = blend(grey, int32(b), f)
	}
}

// sharpen blends img (h,w,3) with its blurred values; see blend. A value is blurred to the
// mean of the nine around it with the middle one counted five times, rounded to a whole
// number. Pixels at the border have no such nine and stay.
func sharpen(img []uint8, h, w int, factor float64, s *Scratch) {
	f := float32(factor)
	if f == 1 || h < 3 || w < 3 {
		return
	}
	n := w * 3
	src := s.copyOf(img)
	if cap(s.sums) < n {
		s.sums = make([]uint16, n)
	}
	sums := s.sums[:n]
	for y := 1; y < h-1; y++ {
		above, here, below := src[(y-1)*n:y*n], src[y*n:(y+1)*n], src[(y+1)*n:(y+2)*n]
		above, here, below = above[:len(sums)], here[:len(sums)], below[:len(sums)]
		for i := range sums {
			sums[i] = uint16(above[i]) + uint16(here[i]) + uint16(below[i])
		}
		left, middle, right := sums[:n-6], sums[3:n-3], sums[6:]
		in, out := here[3:n-3], img[y*n+3:(y+1)*n-3]
		left, middle, right, in = left[:len(out)], middle[:len(out)], right[:len(out)], in[:len(out)]
		for i := range out {
			v := int32(in[i])
			sum := int32(left[i]) + int32(middle[i]) + int32(right[i]) + 4*v
			// 13 is odd, so that no sum lies half way between two means.
			out[i] = blend((2*sum+13)/26, v, f)
		}
	}
}
