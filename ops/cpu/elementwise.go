package cpu

// ReLU computes y = max(x, 0). A NaN stays a NaN. y may be x.
func ReLU[T Float](p *Pool, x, y []T) {
	need(y, len(x))
	s := splitBy(len(x), 1, maxChunks)
	p.Run(s.chunks(), func(chunk int) {
		lo, hi := s.bounds(chunk)
		reluRow(y[lo:hi], x[lo:hi])
	})
}

// ReLUBackward computes dx = dy where x is positive or NaN, else 0, as torch
// does. x is the input of ReLU, or its output. dx may be dy or x.
func ReLUBackward[T Float](p *Pool, x, dy, dx []T) {
	need(dy, len(x))
	need(dx, len(x))
	s := splitBy(len(x), 1, maxChunks)
	p.Run(s.chunks(), func(chunk int) {
		lo, hi := s.bounds(chunk)
		reluGradRow(dx[lo:hi], x[lo:hi], dy[lo:hi])
	})
}

// Add computes dst = a + b. dst may be a or b.
func Add[T Float](p *Pool, dst, a, b []T) {
	need(a, len(dst))
	need(b, len(dst))
	s := splitBy(len(dst), 1, maxChunks)
	p.Run(s.chunks(), func(chunk int) {
		lo, hi := s.bounds(chunk)
		addRow(dst[lo:hi], a[lo:hi], b[lo:hi])
	})
}

// AddN computes dst = srcs[0] + srcs[1] + ..., in that order; with none it is
// zero. dst may be srcs[0] or srcs[1], but overlaps no other.
func AddN[T Float](p *Pool, dst []T, srcs ...[]T) {
	for _, src := range srcs {
		need(src, len(dst))
	}
	s := splitBy(len(dst), max(len(srcs)-1, 1), maxChunks)
	p.Run(s.chunks(), func(chunk int) {
		const block = 1 << 11 // the sum stays in the first level cache
		for lo, end := s.bounds(chunk); lo < end; lo += block {
			hi := min(lo+block, end)
			switch len(srcs) {
			case 0:
				clear(dst[lo:hi])
				continue
			case 1:
				copy(dst[lo:hi], srcs[0][lo:hi])
				continue
			}
			addRow(dst[lo:hi], srcs[0][lo:hi], srcs[1][lo:hi])
			for _, src := range srcs[2:] {
				addRow(dst[lo:hi], dst[lo:hi], src[lo:hi])
			}
		}
	})
}

// ScaleRowsAdd computes y[r,:] = a[r,:]*sa[r] + b[r,:]*sb[r] for a, b and y of
// shape (rows,size): the sum of two paths of which some samples are dropped. sa
// and sb have rows elements. b and sb may both be nil for y[r,:] = a[r,:]*sa[r].
// A factor of zero does not hide a NaN or Inf. y may be a or b.
func ScaleRowsAdd[T Float](p *Pool, rows, size int, a, sa, b, sb, y []T) {
	need(a, rows, size)
	need(sa, rows)
	if b != nil || sb != nil {
		need(b, rows, size)
		need(sb, rows)
	}
	need(y, rows, size)
	s := splitBy(rows, size, maxChunks)
	p.Run(s.chunks(), func(chunk int) {
		for r, end := s.bounds(chunk); r < end; r++ {
			dst, fa := y[r*size:][:size], sa[r]
			ar := a[r*size:][:len(dst)]
			if b == nil {
				for i, v := range ar {
					dst[i] = v * fa
				}
				continue
			}
			br, fb := b[r*size:][:len(dst)], sb[r]
			for i, v := range ar {
				dst[i] = v*fa + br[i]*fb
			}
		}
	})
}

// Axpby computes y = a*x + b*y: an exponential average, a scaled gradient, or
// with a == 0 a scaled y. A factor of zero does not hide a NaN or Inf. y may be
// x.
func Axpby[T Float](p *Pool, a T, x []T, b T, y []T) {
	need(y, len(x))
	s := splitBy(len(x), 2, maxChunks)
	p.Run(s.chunks(), func(chunk int) {
		lo, hi := s.bounds(chunk)
		dst := y[lo:hi]
		for i, v := range x[lo:hi][:len(dst)] {
			dst[i] = a*v + b*dst[i]
		}
	})
}

// Scale computes x = f*x.
func Scale[T Float](p *Pool, f T, x []T) {
	s := splitBy(len(x), 1, maxChunks)
	p.Run(s.chunks(), func(chunk int) {
		lo, hi := s.bounds(chunk)
		for i, v := range x[lo:hi] {
			x[lo+i] = f * v
		}
	})
}
