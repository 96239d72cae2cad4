package pixels

// Operations that map each value by itself, through a table of 256.

// point maps every value of img by table.
func point(img []uint8, table *[256]uint8) {
	for i, v := range img {
		img[i] = table[v]
	}
}

// pointChannels maps the values of channel c of img (H,W,3) by tables[c].
func pointChannels(img []uint8, tables *[3][256]uint8) {
	for ; len(img) >= 3; img = img[3:] {
		img[0], img[1], img[2] = tables[0][img[0]], tables[1][img[1]], tables[2][img[2]]
	}
}

// blend returns from + factor*(to-from), cut down to a whole number and clipped to a byte.
// It rounds as Pillow's blend does: the product and the sum each once, to float32.
func blend(from, to int32, factor float32) uint8 {
	v := int32(float32(from) + float32(factor*float32(to-from)))
	return uint8(min(max(v, 0), 255))
}

// blendWith blends every value of img with grey; see blend.
func blendWith(img []uint8, grey uint8, factor float64, s *Scratch) {
	f := float32(factor)
	if f == 1 {
		return
	}
	table := &s.lut[0]
	for i := range table {
		table[i] = blend(int32(grey), int32(i), f)
	}
	point(img, table)
}

// luma returns the grey value of a pixel (ITU-R BT.601, section 2.5.1), rounded.
func luma(r, g, b uint8) uint8 {
	return uint8((uint32(r)*19595 + uint32(g)*38470 + uint32(b)*7471 + 1<<15) >> 16)
}

// meanGrey returns the mean of the grey values of img (H,W,3), which is not empty, rounded.
func meanGrey(img []uint8) uint8 {
	sum, n := 0, len(img)/3
	for ; len(img) >= 3; img = img[3:] {
		sum += int(luma(img[0], img[1], img[2]))
	}
	return uint8(float64(sum)/float64(n) + 0.5)
}

func posterize(img []uint8, bits int) {
	mask := ^uint8(0) << (8 - min(max(bits, 0), 8))
	for i := range img {
		img[i] &= mask
	}
}

func solarize(img []uint8, threshold float64, s *Scratch) {
	table := &s.lut[0]
	for i := range table {
		table[i] = uint8(i)
		if !(float64(i) < threshold) {
			table[i] = uint8(255 - i)
		}
	}
	point(img, table)
}

func invert(img []uint8) {
	for i := range img {
		img[i] ^= 255
	}
}

// autoContrast leaves a channel of one value alone.
func autoContrast(img []uint8, s *Scratch) {
	lo, hi := [3]uint8{255, 255, 255}, [3]uint8{}
	for p := img; len(p) >= 3; p = p[3:] {
		lo[0], hi[0] = min(lo[0], p[0]), max(hi[0], p[0])
		lo[1], hi[1] = min(lo[1], p[1]), max(hi[1], p[1])
		lo[2], hi[2] = min(lo[2], p[2]), max(hi[2], p[2])
	}
	for c := range s.lut {
		table := &s.lut[c]
		if lo[c] >= hi[c] {
			unchanged(table)
			continue
		}
		scale := 255 / float64(hi[c]-lo[c])
		offset := float64(-float64(lo[c]) * scale)
		for i := int(lo[c]); i <= int(hi[c]); i++ {
			table[i] = uint8(min(max(int(float64(float64(i)*scale)+offset), 0), 255))
		}
	}
	pointChannels(img, &s.lut)
}

func unchanged(table *[256]uint8) {
	for i := range table {
		table[i] = uint8(i)
	}
}

// equalize maps a value to the number of smaller ones in its channel, counted in steps of
// which 255 make up all but the largest value. It leaves a channel alone that has fewer
// pixels than make one step.
func equalize(img []uint8, s *Scratch) {
	clear(s.hist[:])
	for p := img; len(p) >= 3; p = p[3:] {
		s.hist[0][p[0]]++
		s.hist[1][p[1]]++
		s.hist[2][p[2]]++
	}
	for c := range s.lut {
		table, hist := &s.lut[c], &s.hist[c]
		last := 255
		for hist[last] == 0 {
			last--
		}
		step := (uint32(len(img)/3) - hist[last]) / 255
		if step == 0 {
			unchanged(table)
			continue
		}
		n := step / 2
		for i := range table {
			table[i] = uint8(min(n/step, 255))
			n += hist[i]
		}
	}
	pointChannels(img, &s.lut)
}
