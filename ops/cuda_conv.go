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
	w := convWidth(int(a.Cout))
	a.Blocks = a.RowBlocks * int32(ceilDiv(int(a.Cout), w))
	cuda.Add(l.b, fmt.Sprint("conv_fwd", w), l.half, &a, parts...)
}

// convBackward adds the gradients of a product: those of the parts, and dw.
func (l *lowering) convBackward(a cuda.ConvArgs, dw cuda.Addr, parts []cuda.Part) {
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
	splits := max(1, min(l.rowBlocks(int(a.P)), most/size, ceilDiv(2*l.b.SMs, tiles)))
	a.RowBlocks, a.Blocks = int32(splits), int32(splits*tiles)
	a.Partial = l.b.Temp(splits * size)
	cuda.Add(l.b, fmt.Sprint("conv_dw", w), l.half, &a, inputsOf(parts)...)
	l.reduce(dw, a.Partial, int(a.Cin)*int(a.Cout), splits)
}

// inputsOf are the parts without their gradients.
func inputsOf(parts []cuda.Part) []cuda.Part {
	out := make([]cuda.Part, len(parts))
	for i, p := range parts {
		out[i] = cuda.Part{X: p.X, Scale: p.Scale, Shift: p.Shift}
	}
	return out
}

func b32(v bool) int32 {
	if v {
		return 1
	}
	return 0
}

func (l *lowering) convArgs(o ConvBN, c *Call) cuda.ConvArgs {
	x := c.InShape[0]
	ch := o.Cin / o.Parts
	a := dense(o.Parts, ch, ch, x[0]*x[1]*x[2], o.Cin, o.Cout)
	if o.Flatten > 0 {
		a = dense(1, o.Cin, x[3], x[0], o.Cin, o.Cout)
	}
	a.ReLU, a.W, a.Z = b32(o.ReLU), l.f32(c.In[o.Parts]), l.act(c.Out)
	return a
}

func (l *lowering) conv(o ConvBN, c *Call) {
	l.convForward(c, l.convArgs(o, c), l.norm(c, 0, o.Affine, o.Parts+1, l.f32(c.OutNorm), 0), l.parts(c, o.Parts))
}

func (l *lowering) convGrad(o ConvBN, c *Call) {
	a := l.convArgs(o, c)
	a.Dz = l.normGrad(c, 0, o.Affine, o.Parts+1, l.f32(c.OutNorm), l.act(c.DOut), a.Z, int(a.P))
	l.convBackward(a, l.f32(c.DIn[o.Parts]), l.parts(c, o.Parts))
}

// reduceArgs is the product of half i of the output channels.
func (l *lowering) reduceArgs(o FactorizedReduce, c *Call, i int) cuda.ConvArgs {
	x, y := c.InShape[0], c.OutShape
	ch := o.Cin / o.Parts
	a := dense(o.Parts, ch, ch, y[0]*y[1]*y[2], o.Cin, o.Cout/2)
	a.Ldz, a.ReLU, a.Stride, a.Off = int32(o.Cout), 1, 2, int32(i)
	a.H, a.W2, a.OH, a.OW = int32(x[1]), int32(x[2]), int32(y[1]), int32(y[2])
	a.W = l.f32(c.In[o.Parts+i])
	a.Z = l.act(c.Out) + cuda.Addr(i*o.Cout/2*l.actSize())
	return a
}

func (l *lowering) factorizedReduce(o FactorizedReduce, c *Call) {
	l.b.Together(func() {
		for i := range 2 {
			l.convForward(c, l.reduceArgs(o, c, i), l.norm(c, 0, o.Affine, o.Parts+2, l.f32(c.OutNorm), i*o.Cout/2), l.parts(c, o.Parts))
		}
	})
}

func (l *lowering) factorizedReduceGrad(o FactorizedReduce, c *Call) {
	y := c.OutShape
	d := l.normGrad(c, 0, o.Affine, o.Parts+2, l.f32(c.OutNorm), l.act(c.DOut), l.act(c.Out), y[0]*y[1]*y[2])
	// The two products reach one pixel in four each; the others get what is to be
	// added, or nothing.
	for i := range o.Parts {
		switch dx, add := c.DIn[i], c.DAdd[i]; {
		case dx.Len == 0 || add == dx:
		case add.Len > 0:
			l.sum(dx, []Mem{add}, true)
		default:
			l.fill(dx, 0, true)
		}
	}
	parts := l.parts(c, o.Parts)
	for i := range parts {
		parts[i].Add = parts[i].DX
	}
	row := cuda.Addr(4 * o.Cout / 2)
	for i := range 2 {
		a := l.reduceArgs(o, c, i)
		col := cuda.Addr(i * o.Cout / 2 * l.actSize())
		n := cuda.Addr(i) * row
		a.Dz = cuda.Dz{DY: d.DY + col, Z: d.Z + col, A: d.A + n, B: d.B + n, D: d.D + n, Mean: d.Mean + n}
		l.convBackward(a, l.f32(c.DIn[o.Parts+i]), parts)
	}
}

// stemRow is the length of a row of the matrix of 3x3 neighbourhoods.
func stemRow(o Stem) int { return ceilDiv(9*o.Cin, 8) * 8 }

// stemSaved is the size of that matrix in bytes.
func (l *lowering) stemArgs(o Stem, c *Call) cuda.ConvArgs {
	x := c.InShape[0]
	ld := stemRow(o)
	a := dense(1, ld, ld, x[0]*x[1]*x[2], 9*o.Cin, o.Cout)
	a.W, a.Z = l.f32(c.In[1]), l.act(c.Out)
	return a
}

func (l *lowering) stem(o Stem, c *Call) {
	x := c.InShape[0]
	a := l.stemArgs(o, c)
	m := l.f32(c.Saved)
	cuda.Add(l.b, "im2col", l.half, &cuda.Im2colArgs{X: l.f32(c.In[0]), Out: m, Blocks: l.share(int(a.P)*stemRow(o), 8*1024),
		N: int32(x[0]), H: int32(x[1]), W2: int32(x[2]), C: int32(x[3]), Ld: int32(stemRow(o))})
	l.convForward(c, a, l.norm(c, 0, o.Affine, 2, l.f32(c.OutNorm), 0), []cuda.Part{{X: m}})
}

func (l *lowering) stemGrad(o Stem, c *Call) {
	a := l.stemArgs(o, c)
	a.Dz = l.normGrad(c, 0, o.Affine, 2, l.f32(c.OutNorm), l.act(c.DOut), a.Z, int(a.P))
	l.convBackward(a, l.f32(c.DIn[1]), []cuda.Part{{X: l.f32(c.Saved)}})
}
