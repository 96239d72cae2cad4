package ops

import (
	"fmt"

	"oneshot/ops/cpu"
)

// CPU is the Backend of the processor: kernels of ops/cpu on Go slices.
// float32 is for training, float64 for checking gradients.
type CPU[T cpu.Float] struct {
	pool   *cpu.Pool
	eng    *cpu.Engine[T]
	mem    [numRegions][]T
	arena  *cpu.Memory[T]
	labels []int32
	tmp    []T // see scratch

	// Arguments of the kernels, kept so that a call allocates nothing.
	parts        []cpu.Act[T]
	dparts       []cpu.Out[T]
	sums         [][]T
	params       []cpu.Param[T]
	convArgs     cpu.Conv[T]
	reduceArgs   cpu.Reduce[T]
	stemArgs     cpu.Stem[T]
	sepArgs      [2]cpu.SepStage[T]
	poolArgs     cpu.Pool3[T]
	meanArgs     cpu.Mean[T]
	nodeArgs     cpu.Node[T]
	linearArgs   cpu.Linear[T]
	reluPoolArgs cpu.ReLUPool[T]
}

// NewCPU returns a backend whose kernels run on pool, with empty regions.
// Several backends may share a pool, also at the same time: then all but one run
// on their caller's thread. Close gives a large arena back, which is outside the
// heap and otherwise stays.
func NewCPU[T cpu.Float](pool *cpu.Pool) *CPU[T] {
	return &CPU[T]{pool: pool, eng: cpu.NewEngine[T](pool)}
}

// scratch returns n elements of any content, valid until the next call.
func (b *CPU[T]) scratch(n int) []T {
	if len(b.tmp) < n {
		b.tmp = make([]T, n)
	}
	return b.tmp[:n]
}

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

// Reserve implements Backend.
func (b *CPU[T]) Reserve(n int) error {
	if len(b.mem[Arena]) < n {
		b.Close()
		b.arena = cpu.NewMemory[T](n)
		b.mem[Arena] = b.arena.S
	}
	return nil
}

// Close gives the arena back; the next Reserve makes a new one. What At returned
// of the arena must not be used any more.
func (b *CPU[T]) Close() {
	if b.arena != nil {
		b.arena.Free()
		b.arena, b.mem[Arena] = nil, nil
	}
}

func unknownOp(b Backend, op Op) error {
	return fmt.Errorf("ops: backend %s has no kernel for %s", b.Name(), op.Name())
}

// Saved implements Backend.
func (b *CPU[T]) Saved(op Op, in []Shape, out Shape) int {
	switch o := op.(type) {
	case Separable:
		return separableSaved(o, out)
	case PoolBN:
		if o.Max {
			return tapLen[T](out.Size())
		}
	case SoftmaxXent:
		return in[0].Size()
	}
	return 0
}

// Forward implements Backend.
func (b *CPU[T]) Forward(op Op, c *Call) error {
	switch o := op.(type) {
	case ConvBN:
		b.eng.ConvForward(b.conv(o, c))
	case FactorizedReduce:
		b.eng.ReduceForward(b.reduce(o, c))
	case Stem:
		b.eng.StemForward(b.stem(o, c))
	case Separable:
		b.separableForward(o, c)
	case PoolBN:
		b.eng.PoolForward(b.pool3(o, c))
	case ReLUAvgPool:
		b.eng.ReLUPoolForward(b.reluPool(o, c))
	case GlobalAvgPool:
		b.eng.MeanForward(b.mean(o, c))
	case NodeSum:
		b.nodeSumForward(o, c)
	case Linear:
		b.eng.LinearForward(b.linear(o, c))
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
		b.convBackward(o, c)
	case FactorizedReduce:
		b.reduceBackward(o, c)
	case Stem:
		b.stemBackward(o, c)
	case Separable:
		b.separableBackward(o, c)
	case PoolBN:
		b.poolBackward(o, c)
	case ReLUAvgPool:
		b.reluPoolBackward(o, c)
	case GlobalAvgPool:
		b.meanBackward(o, c)
	case NodeSum:
		b.nodeSumBackward(o, c)
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
	b.sums = b.sums[:0]
	for _, m := range src {
		b.sums = append(b.sums, b.at(m))
	}
	b.eng.Sum(b.at(dst), b.sums)
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
	b.sums = b.sums[:0]
	for _, m := range ms {
		b.sums = append(b.sums, b.at(m))
	}
	return b.eng.SumSquares(b.sums), nil
}

// SGD implements Backend.
func (b *CPU[T]) SGD(ms []Mem, lr, mu, wd, scale float64) error {
	b.params = b.params[:0]
	for _, m := range ms {
		w, g, v := m, m, m
		w.Region, g.Region, v.Region = Params, Grad, Moment
		b.params = append(b.params, cpu.Param[T]{W: b.at(w), G: b.at(g), V: b.at(v)})
	}
	b.eng.SGD(b.params, lr, mu, wd, scale)
	return nil
}
