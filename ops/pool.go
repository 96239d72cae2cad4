package ops

import (
	"unsafe"

	"oneshot/ops/cpu"
	"oneshot/ops/cuda"
)

// PoolBN is a 3x3 pooling with padding 1, then batch normalisation. Average
// pooling divides by the number of pixels inside the image
// (count_include_pad=False). With NoNorm the output is the pooled value itself, as in
// NASNet-A (arXiv 1707.07012), AmoebaNet (1802.01548) and NAS-Bench-201 (2001.00326).
//
// Activation: x (N,H,W,C). Parameters: [gamma, beta (C)]. Output:
// (N,ceil(H/Stride),ceil(W/Stride),C).
type PoolBN struct {
	Max       bool
	C, Stride int
	Affine    bool // not with NoNorm
	NoNorm    bool // no batch normalisation
}

func (o PoolBN) Name() string {
	if o.Max {
		return "max_pool_3x3"
	}
	return "avg_pool_3x3"
}
func (o PoolBN) Params() []Param { return withNorm(nil, "bn", o.C, o.Affine && !o.NoNorm) }
func (o PoolBN) Norms() []Norm {
	if o.NoNorm {
		return nil
	}
	return []Norm{{"bn", o.C}}
}
func (o PoolBN) Diff(int) bool    { return true }
func (o PoolBN) KeepsInput() bool { return false }
func (o PoolBN) adds() bool       { return true }
func (o PoolBN) Shape(in []Shape) (Shape, error) {
	if o.Affine && o.NoNorm {
		return nil, shapeErr(o, "affine without a normalisation")
	}
	x, err := wantChannels(o, in, o.C)
	if err != nil {
		return nil, err
	}
	return Shape{x[0], ceilDiv(x[1], o.Stride), ceilDiv(x[2], o.Stride), o.C}, nil
}

// Cost: without normalisation no gradient depends on the output's values, so backward
// does not read the output: x is read and the output written, then the output's
// gradient is read and that of x written. Taps, a byte each, are left out either way.
func (o PoolBN) Cost(in []Shape, out Shape) Cost {
	x := sizes(in)
	if o.NoNorm {
		return Cost{Moved: 2 * int64(x+out.Size())}
	}
	return Cost{Moved: segment(x, 0, x, out.Size())}
}

func init() {
	register(poolHost[float32](), poolHost[float64](), device[PoolBN]{forward: (*lowering).pool, backward: (*lowering).poolGrad, saved: poolTaps})
}

func poolHost[T cpu.Float]() host[T, PoolBN] {
	return host[T, PoolBN]{
		forward:  (*CPU[T]).poolForward,
		backward: (*CPU[T]).poolBackward,
		saved:    poolSaved[T],
		scratch:  poolScratch[T],
	}
}

// poolTaps is the size of the tap numbers that max pooling saves, a byte each.
func poolTaps(o PoolBN, _ []Shape, out Shape, _ int) int {
	if !o.Max {
		return 0
	}
	return out.Size()
}

// poolSaved is that in elements of T.
func poolSaved[T cpu.Float](o PoolBN, in []Shape, out Shape) int {
	return ceilDiv(poolTaps(o, in, out, 0), int(unsafe.Sizeof(*new(T))))
}

func poolScratch[T cpu.Float](o PoolBN, in []Shape, _ Shape) cpu.Scratch {
	x := in[0]
	k := cpu.Pool3[T]{Max: o.Max, NoNorm: o.NoNorm, N: x[0], H: x[1], W: x[2], C: o.C, Stride: o.Stride}
	return k.Scratch()
}

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
	k := args[cpu.Pool3[T]](b)
	*k = cpu.Pool3[T]{Max: o.Max, NoNorm: o.NoNorm, Values: c.Mode == Eval, N: x[0], H: x[1], W: x[2], C: o.C, Stride: o.Stride, X: b.act(c, 0),
		Z: b.at(c.Out), Tap: taps(b.at(c.Saved), c.OutShape.Size())}
	if !o.NoNorm {
		k.Norm = b.outNorm(c, o.Affine, 1)
	}
	return k
}

func (b *CPU[T]) poolForward(o PoolBN, c *Call) error {
	b.eng.PoolForward(b.pool3(o, c))
	return nil
}

func (b *CPU[T]) poolBackward(o PoolBN, c *Call) error {
	k := b.pool3(o, c)
	k.DX = b.out(c, 0)
	b.eng.PoolBackward(k, b.at(c.DOut))
	return nil
}

func (l *lowering) poolArgs(o PoolBN, c *Call) cuda.PoolArgs {
	x, y := c.InShape[0], c.OutShape
	a := cuda.PoolArgs{X: l.act(c.In[0]), Z: l.act(c.Out), Max: b32(o.Max), N: int32(x[0]), H: int32(x[1]), Width: int32(x[2]),
		C: int32(o.C), Stride: int32(o.Stride), OH: int32(y[1]), OW: int32(y[2])}
	a.Scale, a.Shift = l.coef(c, 0)
	if o.Max {
		a.Tap = l.f32(c.Saved)
	}
	a.Blocks = l.share(y.Size(), 2*1024)
	return a
}

func (l *lowering) pool(o PoolBN, c *Call) {
	a := l.poolArgs(o, c)
	if !o.NoNorm {
		n := l.norm(c, 0, o.Affine, 1, l.f32(c.OutNorm), 0)
		l.stats(c, &n, int(a.Blocks), o.C)
		if c.Mode != Eval {
			a.Norm = n
		}
	}
	cuda.Add(l.b, "pool_fwd", l.half, &a)
}

func (l *lowering) poolGrad(o PoolBN, c *Call) {
	y := c.OutShape
	a := l.poolArgs(o, c)
	kernel := "pool_bwd"
	if o.NoNorm {
		a.Dz.DY, kernel = l.act(c.DOut), "pool_nonorm_bwd"
	} else {
		a.Dz = l.normGrad(c, 0, o.Affine, 1, l.f32(c.OutNorm), l.act(c.DOut), a.Z, y[0]*y[1]*y[2])
	}
	if c.DIn[0].Len == 0 {
		return
	}
	a.X, a.Scale, a.Shift, a.Z = 0, 0, 0, 0
	a.DX, a.Add = l.act(c.DIn[0]), l.act(c.DAdd[0])
	a.Blocks = int32(max(1, ceilDiv(c.InShape[0].Size(), 256*4)))
	cuda.Add(l.b, kernel, l.half, &a)
}
