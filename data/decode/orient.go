package decode

// plane is values of n bytes in rows that lie stride bytes apart.
type plane struct {
	v               []uint8
	w, h, n, stride int
}

// turned copies p into buf the way that orientation o shows it (TIFF 6.0, tag
// Orientation). What is read for each value shown lies in steps: dx to the right, dy down.
func (p plane) turned(buf []uint8, o int) plane {
	right, down := (p.w-1)*p.n, (p.h-1)*p.stride // of the last column and row
	var at, dx, dy int
	switch o {
	case 1:
		at, dx, dy = 0, p.n, p.stride
	case 2: // mirrored left to right
		at, dx, dy = right, -p.n, p.stride
	case 3: // turned by half a turn
		at, dx, dy = right+down, -p.n, -p.stride
	case 4: // mirrored top to bottom
		at, dx, dy = down, p.n, -p.stride
	case 5: // rows and columns swapped
		at, dx, dy = 0, p.stride, p.n
	case 6: // shown by a quarter turn clockwise
		at, dx, dy = down, -p.stride, p.n
	case 7: // swapped along the other diagonal
		at, dx, dy = right+down, -p.stride, -p.n
	case 8: // shown by a quarter turn counterclockwise
		at, dx, dy = right, p.stride, -p.n
	}
	q := plane{w: p.w, h: p.h, n: p.n}
	if o >= 5 {
		q.w, q.h = p.h, p.w
	}
	q.stride = q.w * q.n
	q.v = grow(buf, q.stride*q.h)
	to := 0
	for y := range q.h {
		from := at + y*dy
		for range q.w {
			copy(q.v[to:to+q.n], p.v[from:from+p.n])
			to += q.n
			from += dx
		}
	}
	return q
}

// orient makes the image upright.
func (d *Decoder) orient(o int) {
	if o <= 1 {
		return
	}
	m := &d.img
	mirrorX, mirrorY := o == 2 || o == 3 || o == 7 || o == 8, o == 3 || o == 4 || o == 6 || o == 7
	if m.Y != nil && (mirrorX && m.W%m.SubX != 0 || mirrorY && m.H%m.SubY != 0) {
		// The last chroma value stands for one pixel, and would become the first, which
		// stands for two.
		d.pix = m.RGB(d.pix)
		d.img = Image{W: m.W, H: m.H, Pix: d.pix}
	}
	if m.Y == nil {
		n := 3
		if m.Grey {
			n = 1
		}
		p := plane{m.Pix, m.W, m.H, n, m.W * n}.turned(d.turn[0], o)
		d.turn[0] = p.v
		m.Pix, m.W, m.H = p.v, p.w, p.h
		return
	}
	w, h := m.chromaSize()
	y := plane{m.Y, m.W, m.H, 1, m.YStride}.turned(d.turn[0], o)
	cb := plane{m.Cb, w, h, 1, m.CStride}.turned(d.turn[1], o)
	cr := plane{m.Cr, w, h, 1, m.CStride}.turned(d.turn[2], o)
	d.turn = [3][]uint8{y.v, cb.v, cr.v}
	*m = Image{W: y.w, H: y.h, Y: y.v, Cb: cb.v, Cr: cr.v, YStride: y.stride, CStride: cb.stride, SubX: m.SubX, SubY: m.SubY}
	if o >= 5 {
		m.SubX, m.SubY = m.SubY, m.SubX
	}
}
