package ops

import (
	"fmt"

	"gorgonia.org/tensor"

	"oneshot/ops/cpu"
)

// CPU is the Backend of the processor: kernels of ops/cpu on Go slices.
// float32 is for training, float64 for checking gradients.
type CPU[T cpu.Float] struct {
	pool   *cpu.Pool
	mem    [numRegions][]T
	labels []int32
}

// NewCPU returns a backend whose kernels run on pool, with empty regions.
// Several backends may share a pool if they run one after the other.
func NewCPU[T cpu.Float](pool *cpu.Pool) *CPU[T] { return &CPU[T]{pool: pool} }

// Bind makes data the memory of region r. The arena needs no binding.
func (b *CPU[T]) Bind(r Region, data []T) { b.mem[r] = data }

// At is the memory m names; nil when m is absent. It stays valid until the
// region is bound anew or, for the arena, until the next run.
func (b *CPU[T]) At(m Mem) []T { return b.at(m) }

func (b *CPU[T]) at(m Mem) []T {
	if m.Len == 0 {
		return nil
	}
	return b.mem[m.Region][m.Off : m.Off+m.Len : m.Off+m.Len]
}

// Name implements Backend.
func (b *CPU[T]) Name() string { return "cpu" }

// DType implements Backend.
func (b *CPU[T]) DType() tensor.Dtype {
	if _, ok := any(*new(T)).(float64); ok {
		return tensor.Float64
	}
	return tensor.Float32
}

// Reserve implements Backend.
func (b *CPU[T]) Reserve(n int) error {
	if len(b.mem[Arena]) < n {
		b.mem[Arena] = make([]T, n)
	}
	return nil
}

func unknownOp(b Backend, op Op) error {
	return fmt.Errorf("ops: backend %s has no kernel for %s", b.Name(), op.Name())
}

// Workspace implements Backend.
func (b *CPU[T]) Workspace(op Op, in []tensor.Shape, out tensor.Shape) Workspace {
	switch o := op.(type) {
	case ConvBN:
		return convBNWorkspace(o, in, out)
	case FactorizedReduce:
		return reduceWorkspace(o, in, out)
	case Stem:
		return stemWorkspace(o, in, out)
	case Separable:
		return separableWorkspace(o, in, out)
	case PoolBN:
		return poolWorkspace[T](o, in, out)
	case ReLUAvgPool:
		return Workspace{Forward: in[0].TotalSize()}
	case Linear:
		return linearWorkspace(o, in)
	case SoftmaxXent:
		return Workspace{Saved: in[0].TotalSize()}
	}
	return Workspace{}
}

// Forward implements Backend.
func (b *CPU[T]) Forward(op Op, c *Call) error {
	switch o := op.(type) {
	case ConvBN:
		b.convBNForward(o, c)
	case FactorizedReduce:
		b.reduceForward(o, c)
	case Stem:
		b.stemForward(o, c)
	case Separable:
		b.separableForward(o, c)
	case PoolBN:
		b.poolForward(o, c)
	case ReLUAvgPool:
		b.avgPoolForward(o, c)
	case GlobalAvgPool:
		b.globalPoolForward(c)
	case NodeSum:
		b.nodeSumForward(o, c)
	case Concat:
		b.concatForward(c)
	case Linear:
		b.linearForward(o, c)
	case SoftmaxXent:
		return b.xentForward(o, c)
	case AddScaled:
		b.at(c.Out)[0] = b.at(c.In[0])[0] + T(o.Scale)*b.at(c.In[1])[0]
	default:
		return unknownOp(b, op)
	}
	return nil
}

// Backward implements Backend.
func (b *CPU[T]) Backward(op Op, c *Call) error {
	switch o := op.(type) {
	case ConvBN:
		b.convBNBackward(o, c)
	case FactorizedReduce:
		b.reduceBackward(o, c)
	case Stem:
		b.stemBackward(o, c)
	case Separable:
		b.separableBackward(o, c)
	case PoolBN:
		b.poolBackward(o, c)
	case ReLUAvgPool:
		b.avgPoolBackward(o, c)
	case GlobalAvgPool:
		b.globalPoolBackward(c)
	case NodeSum:
		b.nodeSumBackward(o, c)
	case Concat:
		b.concatBackward(c)
	case Linear:
		b.linearBackward(o, c)
	case SoftmaxXent:
		b.xentBackward(c)
	case AddScaled:
		d := b.at(c.DOut)[0]
		b.at(c.DIn[0])[0], b.at(c.DIn[1])[0] = d, T(o.Scale)*d
	default:
		return unknownOp(b, op)
	}
	return nil
}

// Sum implements Backend.
func (b *CPU[T]) Sum(dst Mem, src []Mem) error {
	xs := make([][]T, len(src))
	for i, m := range src {
		xs[i] = b.at(m)
	}
	cpu.AddN(b.pool, b.at(dst), xs...)
	return nil
}

// Fill implements Backend.
func (b *CPU[T]) Fill(m Mem, v float64) error {
	d := b.at(m)
	for i := range d {
		d[i] = T(v)
	}
	return nil
}

// SumSquares implements Backend.
func (b *CPU[T]) SumSquares(ms []Mem) (float64, error) {
	var s float64
	for _, m := range ms {
		s += cpu.SumSquares(b.pool, b.at(m))
	}
	return s, nil
}

// SGD implements Backend.
func (b *CPU[T]) SGD(ms []Mem, lr, mu, wd, scale float64) error {
	for _, m := range ms {
		w, g, v := m, m, m
		w.Region, g.Region, v.Region = Param, Grad, Moment
		if scale != 1 {
			cpu.Scale(b.pool, T(scale), b.at(g))
		}
		cpu.SGD(b.pool, b.at(w), b.at(g), b.at(v), lr, mu, wd)
	}
	return nil
}

// pieces cuts scratch memory into consecutive slices.
type pieces[T cpu.Float] []T

func (p *pieces[T]) take(n int) []T {
	s := (*p)[:n:n]
	*p = (*p)[n:]
	return s
}
