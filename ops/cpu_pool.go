package ops

import (
	"unsafe"

	"gorgonia.org/tensor"

	"oneshot/ops/cpu"
)

func poolGeometry(o PoolBN, x tensor.Shape) cpu.Pool2D {
	return cpu.Pool2D{N: x[0], H: x[1], W: x[2], C: o.C, K: 3, Stride: o.Stride, Pad: 1}
}

// tapLen is the number of elements of T that hold n tap numbers of one byte.
func tapLen[T cpu.Float](n int) int { return ceilDiv(n, int(unsafe.Sizeof(*new(T)))) }

// taps views arena memory as bytes: the arena holds no pointers, and a byte
// has no alignment of its own.
func taps[T cpu.Float](s []T, n int) []uint8 {
	return unsafe.Slice((*uint8)(unsafe.Pointer(unsafe.SliceData(s))), n)
}

// Saved: pooled values z, BN statistics, and for max pooling which tap won.
func poolWorkspace[T cpu.Float](o PoolBN, in []tensor.Shape, out tensor.Shape) Workspace {
	n := out.TotalSize()
	bn := cpu.BNScratch(n/o.C, o.C)
	w := Workspace{Saved: n + 2*o.C, Forward: bn, Backward: n + bn}
	if o.Max {
		w.Saved += tapLen[T](n)
	}
	return w
}

func (b *CPU[T]) poolForward(o PoolBN, c *Call) {
	g := poolGeometry(o, c.InShape[0])
	n := c.OutShape.TotalSize()
	saved := pieces[T](b.at(c.Saved))
	z, stats := saved.take(n), saved.take(2*o.C)
	if o.Max {
		cpu.MaxPoolForward(b.pool, g, b.at(c.In[0]), z, taps(saved, n))
	} else {
		cpu.AvgPoolForward(b.pool, g, b.at(c.In[0]), z)
	}
	gamma, beta := b.affine(o.Affine, c.In, 1)
	b.bnForward(c, c.State[0], n/o.C, o.C, z, gamma, beta, b.at(c.Out), stats, b.at(c.Scratch))
}

func (b *CPU[T]) poolBackward(o PoolBN, c *Call) {
	g := poolGeometry(o, c.InShape[0])
	n := c.OutShape.TotalSize()
	saved, scr := pieces[T](b.at(c.Saved)), pieces[T](b.at(c.Scratch))
	z, stats := saved.take(n), saved.take(2*o.C)
	dz := scr.take(n)
	gamma, _ := b.affine(o.Affine, c.In, 1)
	dgamma, dbeta := b.affine(o.Affine, c.DIn, 1)
	b.bnBackward(n/o.C, o.C, z, b.at(c.DOut), gamma, stats, dz, dgamma, dbeta, scr)
	if o.Max {
		cpu.MaxPoolBackward(b.pool, g, dz, taps(saved, n), b.at(c.DIn[0]))
	} else {
		cpu.AvgPoolBackward(b.pool, g, dz, b.at(c.DIn[0]))
	}
}

func reluPoolGeometry(o ReLUAvgPool, x tensor.Shape) cpu.Pool2D {
	return cpu.Pool2D{N: x[0], H: x[1], W: x[2], C: x[3], K: o.K, Stride: o.Stride}
}

func (b *CPU[T]) avgPoolForward(o ReLUAvgPool, c *Call) {
	scr := pieces[T](b.at(c.Scratch))
	x := b.relu(true, b.at(c.In[0]), &scr)
	cpu.AvgPoolForward(b.pool, reluPoolGeometry(o, c.InShape[0]), x, b.at(c.Out))
}

func (b *CPU[T]) avgPoolBackward(o ReLUAvgPool, c *Call) {
	dx := b.at(c.DIn[0])
	cpu.AvgPoolBackward(b.pool, reluPoolGeometry(o, c.InShape[0]), b.at(c.DOut), dx)
	cpu.ReLUBackward(b.pool, b.at(c.In[0]), dx, dx)
}

func (b *CPU[T]) globalPoolForward(c *Call) {
	s := c.InShape[0]
	cpu.GlobalAvgPool(b.pool, s[0], s[1]*s[2], s[3], b.at(c.In[0]), b.at(c.Out))
}

func (b *CPU[T]) globalPoolBackward(c *Call) {
	s := c.InShape[0]
	cpu.GlobalAvgPoolBackward(b.pool, s[0], s[1]*s[2], s[3], b.at(c.DOut), b.at(c.DIn[0]))
}
