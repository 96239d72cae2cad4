package cpu

const (
	badBlock  = "cpu: column block lies outside the row"
	badOffset = "cpu: subsample offset is neither 0 nor 1"
)

// ConcatC copies x (rows,c) into the columns at <= j < at+c of y (rows,width).
func ConcatC[T Float](p *Pool, rows, c, width, at int, x, y []T) {
	checkColumns(rows, c, width, at, x, y)
	s := splitBy(rows, c, maxChunks)
	p.Run(s.chunks(), func(chunk int) {
		for r, end := s.bounds(chunk); r < end; r++ {
			copy(y[r*width+at:][:c], x[r*c:])
		}
	})
}

// SplitC copies the columns at <= j < at+c of y (rows,width) to x (rows,c), or
// adds them to x if acc is set.
func SplitC[T Float](p *Pool, rows, c, width, at int, y, x []T, acc bool) {
	checkColumns(rows, c, width, at, x, y)
	s := splitBy(rows, c, maxChunks)
	p.Run(s.chunks(), func(chunk int) {
		for r, end := s.bounds(chunk); r < end; r++ {
			dst, src := x[r*c:][:c], y[r*width+at:][:c]
			if acc {
				addRow(dst, dst, src)
			} else {
				copy(dst, src)
			}
		}
	})
}

func checkColumns[T Float](rows, c, width, at int, x, y []T) {
	need(x, rows, c)
	need(y, rows, width)
	if at < 0 || at > width-c {
		panic(badBlock)
	}
}

// SubsampleOut returns the height and width of x[:, oy::2, ox::2, :] for x of
// height h and width w; oy and ox are 0 or 1.
func SubsampleOut(h, w, oy, ox int) (P, Q int) {
	if uint(oy) > 1 || uint(ox) > 1 {
		panic(badOffset)
	}
	return (h - oy + 1) / 2, (w - ox + 1) / 2
}

// Subsample computes y = x[:, oy::2, ox::2, :] for x (n,h,w,c) and y (n,P,Q,c)
// with P, Q of SubsampleOut. y must not overlap x.
func Subsample[T Float](p *Pool, n, h, w, c, oy, ox int, x, y []T) {
	P, Q := SubsampleOut(h, w, oy, ox)
	need(x, n, h, w, c)
	need(y, n, P, Q, c)
	s := splitBy(n*P, Q*c, maxChunks)
	p.Run(s.chunks(), func(chunk int) {
		for r, end := s.bounds(chunk); r < end; r++ {
			src := x[((r/P*h+r%P*2+oy)*w+ox)*c:]
			dst := y[r*Q*c:][:Q*c]
			for q := 0; q < Q; q++ {
				copy(dst[q*c:][:c], src[2*q*c:])
			}
		}
	})
}

// SubsampleBackward adds dy (n,P,Q,c) to dx[:, oy::2, ox::2, :] for dx
// (n,h,w,c). dx must not overlap dy.
func SubsampleBackward[T Float](p *Pool, n, h, w, c, oy, ox int, dy, dx []T) {
	P, Q := SubsampleOut(h, w, oy, ox)
	need(dy, n, P, Q, c)
	need(dx, n, h, w, c)
	s := splitBy(n*P, Q*c, maxChunks)
	p.Run(s.chunks(), func(chunk int) {
		for r, end := s.bounds(chunk); r < end; r++ {
			src := dy[r*Q*c:][:Q*c]
			if len(src) == 0 {
				continue
			}
			row := dx[((r/P*h+r%P*2+oy)*w+ox)*c:]
			for q := 0; q < Q; q++ {
				dst := row[2*q*c:][:c]
				addRow(dst, dst, src[q*c:][:c])
			}
		}
	})
}
