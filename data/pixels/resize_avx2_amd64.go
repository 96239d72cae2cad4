//go:build !noasm

package pixels

import "golang.org/x/sys/cpu"

//go:generate go run -C _asm . -pkg pixels -out ../rows_avx2_amd64.s -stubs ../rows_avx2_stub_amd64.go

// useAVX2 says whether the loops are assembly, which takes FMA too. Only tests change it.
var useAVX2 = cpu.X86.HasAVX2 && cpu.X86.HasFMA

// loops are the inner loops of one pass, and the memory that they need.
type loops struct {
	spare []uint8 // a row, for the last of a plane: a load must not end behind it
	coef  []int16 // (pairs,2,2) the filter of one row down, as verticalAVX2 reads it
}

// horizontal works like horizontalRef, and may write up to a multiple of 32 bytes. src is all
// that the plane has from the first pixel of the row on.
func (l *loops) horizontal(dst, src []uint8, f *across) {
	g := &f.gather
	if !g.near && !g.far {
		horizontalRef(dst, src, &f.axis, f.channels)
		return
	}
	if len(src) < g.reach {
		l.spare = grow(l.spare, g.reach)
		clear(l.spare[copy(l.spare, src):])
		src = l.spare
	}
	_ = src[:g.reach]
	if g.far {
		_ = dst[:g.groups*f.channels]
		farAVX2(g.groups, &dst[0], &src[0], &f.first[0], f.channels, g.pairs, g.step, &farMasks[f.channels][0], &g.table[0])
		return
	}
	_ = dst[:g.groups*32]
	horizontalAVX2(g.groups, &dst[0], &src[0], g.pairs, g.step, &g.table[0])
}

// vertical works like verticalRef, and may read a row more, whose values do not matter.
func (l *loops) vertical(dst, rows []uint8, stride int, coef []int32) {
	n := len(dst)
	if !useAVX2 || n < 32 {
		verticalRef(dst, rows, stride, coef)
		return
	}
	l.coef = l.coef[:0]
	for j := 0; j < len(coef); j += 2 {
		a, b := coef[j], int32(0)
		if j+1 < len(coef) {
			b = coef[j+1]
		}
		l.coef = append(l.coef, int16(a>>8), int16(b>>8), int16(a&0xff), int16(b&0xff))
	}
	pairs := len(l.coef) / 4
	_ = rows[:(2*pairs-1)*stride+n]
	verticalAVX2(n/32, &dst[0], &rows[0], stride, pairs, &l.coef[0])
	if n%32 > 0 { // the last 32 columns, some of which are done already
		verticalAVX2(1, &dst[n-32], &rows[n-32], stride, pairs, &l.coef[0])
	}
}

// color works like colorRef.
func color(dst, y, cb, cr []uint8) {
	n := len(y)
	if !useAVX2 || n < 16 {
		colorRef(dst, y, cb, cr)
		return
	}
	_, _, _ = dst[:3*n], cb[:n], cr[:n]
	colorAVX2(n/16, &dst[0], &y[0], &cb[0], &cr[0])
	if n%16 > 0 {
		colorAVX2(1, &dst[3*n-48], &y[n-16], &cb[n-16], &cr[n-16])
	}
}

// spread works like spreadRef.
func spread(dst, grey []uint8) {
	n := len(grey)
	if !useAVX2 || n < 16 {
		spreadRef(dst, grey)
		return
	}
	_ = dst[:3*n]
	spreadAVX2(n/16, &dst[0], &grey[0])
	if n%16 > 0 {
		spreadAVX2(1, &dst[3*n-48], &grey[n-16])
	}
}
