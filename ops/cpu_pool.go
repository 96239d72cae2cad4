package ops

import (
	"unsafe"

	"oneshot/ops/cpu"
)

// tapLen is the number of elements of T that hold n tap numbers of one byte.
func tapLen[T cpu.Float](n int) int { return ceilDiv(n, int(unsafe.Sizeof(*new(T)))) }

// taps views arena memory as bytes: the arena holds no pointers, and a byte
// has no alignment of its own.
func taps[T cpu.Float](s []T, n int) []uint8 {
	if s == nil {
		return nil
	}
	return unsafe.Slice((*uint8)(unsafe.Pointer(unsafe.SliceData(s))), n)
}

func (b *CPU[T]) pool3(o PoolBN, c *Call) *cpu.Pool3[T] {
	x := c.InShape[0]
	k := &b.poolArgs
	*k = cpu.Pool3[T]{Max: o.Max, N: x[0], H: x[1], W: x[2], C: o.C, Stride: o.Stride, X: b.act(c, 0),
		Z: b.at(c.Out), Tap: taps(b.at(c.Saved), c.OutShape.Size()), Norm: b.norm(c, 0, o.Affine, 1, b.at(c.OutNorm))}
	return k
}

func (b *CPU[T]) poolBackward(o PoolBN, c *Call) {
	k := b.pool3(o, c)
	k.DX = b.out(c, 0)
	b.eng.PoolBackward(k, b.at(c.DOut))
}

func (b *CPU[T]) reluPool(o ReLUAvgPool, c *Call) *cpu.ReLUPool[T] {
	x := c.InShape[0]
	k := &b.reluPoolArgs
	*k = cpu.ReLUPool[T]{N: x[0], H: x[1], W: x[2], C: x[3], K: o.K, Stride: o.Stride,
		Parts: b.acts(c, o.Parts), Y: b.at(c.Out)}
	return k
}

func (b *CPU[T]) reluPoolBackward(o ReLUAvgPool, c *Call) {
	k := b.reluPool(o, c)
	k.DParts = b.outs(c, o.Parts)
	b.eng.ReLUPoolBackward(k, b.at(c.DOut))
}

func (b *CPU[T]) mean(o GlobalAvgPool, c *Call) *cpu.Mean[T] {
	x := c.InShape[0]
	k := &b.meanArgs
	*k = cpu.Mean[T]{N: x[0], Px: x[1] * x[2], C: x[3], Parts: b.acts(c, o.Parts), Y: b.at(c.Out)}
	return k
}

func (b *CPU[T]) meanBackward(o GlobalAvgPool, c *Call) {
	k := b.mean(o, c)
	k.DParts = b.outs(c, o.Parts)
	b.eng.MeanBackward(k, b.at(c.DOut))
}
