//go:build !amd64 || noasm

package pixels

// A gather is a filter across as assembly reads it; there is none.
type gather struct{}

func (gather) set(*axis, int) {}

// loops are the inner loops of one pass. In plain Go they need no memory.
type loops struct{}

func (loops) horizontal(dst, src []uint8, f *across) {
	horizontalRef(dst, src, &f.axis, f.channels)
}

func (loops) vertical(dst, rows []uint8, stride int, coef []int32) {
	verticalRef(dst, rows, stride, coef)
}

func color(dst, y, cb, cr []uint8) { colorRef(dst, y, cb, cr) }

func spread(dst, grey []uint8) { spreadRef(dst, grey) }
