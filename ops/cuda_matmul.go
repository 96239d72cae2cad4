package ops

import (
	"fmt"

	"oneshot/ops/cuda"
)

const (
	convRows  = 128 // rows of a tile of the matrix products
	convDepth = 64  // channels of a tile of a weight's gradient
)

// convWidth is how many columns the tiles have for n columns in all.
func convWidth(n int) int {
	switch {
	case n <= 16:
		return 16
	case n <= 32:
		return 32
	}
	return 64
}

// rowBlocks is how many blocks share the rows of a matrix product: as even as it
// can be, no more than two for every multiprocessor.
func (l *lowering) rowBlocks(rows int) int {
	tiles := ceilDiv(rows, convRows)
	return ceilDiv(tiles, ceilDiv(tiles, 2*l.b.SMs))
}

// dense is a matrix product over all pixels of its parts.
func dense(parts, cpart, cnorm, p, cin, cout int) cuda.ConvArgs {
	return cuda.ConvArgs{NParts: int32(parts), Cpart: int32(cpart), Cnorm: int32(cnorm), P: int32(p),
		Cin: int32(cin), Cout: int32(cout), Ldz: int32(cout), Stride: 1}
}

// convForward adds a product whose output is normalised.
func (l *lowering) convForward(c *Call, a cuda.ConvArgs, n cuda.Norm, parts []cuda.Part) {
	rows := l.rowBlocks(int(a.P))
	l.stats(c, &n, rows, int(a.Cout))
	if c.Mode != Eval {
		a.Norm = n
	}
	a.RowBlocks = int32(rows)
	l.product(a, parts)
}

// convPlain adds a product whose output is not normalised.
func (l *lowering) convPlain(a cuda.ConvArgs, parts []cuda.Part) {
	a.RowBlocks = int32(l.rowBlocks(int(a.P)))
	l.product(a, parts)
}

// product adds a product, in which a.RowBlocks blocks share the rows.
func (l *lowering) product(a cuda.ConvArgs, parts []cuda.Part) {
	w := convWidth(int(a.Cout))
	a.Blocks = a.RowBlocks * int32(ceilDiv(int(a.Cout), w))
	cuda.Add(l.b, fmt.Sprint("conv_fwd", w), l.half, &a, parts...)
}

// convBackward adds the gradients of a product: of its parts, and dw of its weights.
func (l *lowering) convBackward(a cuda.ConvArgs, dw cuda.Addr, parts []cuda.Part) {
	partial, splits := l.convGrads(a, parts)
	l.reduce(dw, partial, int(a.Cin)*int(a.Cout), splits)
}

// convGrads adds the gradients of the parts of a product, and partial sums of the
// gradient of its weights.
func (l *lowering) convGrads(a cuda.ConvArgs, parts []cuda.Part) (partial cuda.Addr, splits int) {
	for _, p := range parts {
		if p.DX != 0 {
			dx := a
			dx.RowBlocks = int32(l.rowBlocks(int(a.P)))
			w := convWidth(int(a.Cin))
			dx.Blocks = dx.RowBlocks * int32(ceilDiv(int(a.Cin), w))
			cuda.Add(l.b, fmt.Sprint("conv_dx", w), l.half, &dx, parts...)
			break
		}
	}
	const most = 4 << 20 // bytes of partial sums
	size := 4 * int(a.Cin) * int(a.Cout)
	w := convWidth(int(a.Cout))
	tiles := ceilDiv(int(a.Cin), convDepth) * ceilDiv(int(a.Cout), w)
	splits = max(1, min(l.rowBlocks(int(a.P)), most/size, ceilDiv(2*l.b.SMs, tiles)))
	a.RowBlocks, a.Blocks = int32(splits), int32(splits*tiles)
	a.Partial = l.b.Temp(splits * size)
	cuda.Add(l.b, fmt.Sprint("conv_dw", w), l.half, &a, inputsOf(parts)...)
	return a.Partial, splits
}

// inputsOf are the parts without their gradients.
func inputsOf(parts []cuda.Part) []cuda.Part {
	out := make([]cuda.Part, len(parts))
	for i, p := range parts {
		out[i] = cuda.Part{X: p.X, Scale: p.Scale, Shift: p.Shift}
	}
	return out
}
