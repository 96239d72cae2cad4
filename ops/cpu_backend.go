package ops

import (
	"reflect"

	"oneshot/ops/cpu"
)

// CPU is the Backend of the processor: kernels of ops/cpu on Go slices.
// float32 is for training, float64 for checking gradients.
type CPU[T cpu.Float] struct {
	pool  *cpu.Pool
	eng   *cpu.Engine[T]
	mem   [numRegions][]T
	arena *cpu.Memory[T]
	tmp   []T // see scratch

	// Arguments of the kernels, kept so that a call allocates nothing.
	args   map[reflect.Type]any // see args
	parts  []cpu.Act[T]
	dparts []cpu.Out[T]
	sums   [][]T
	params []cpu.Param[T]
}

// NewCPU returns a backend whose kernels run on pool, with empty regions.
// Several backends may share a pool, also at the same time: then all but one run
// on their caller's thread. Close gives a large arena back, which is outside the
// heap and otherwise stays.
func NewCPU[T cpu.Float](pool *cpu.Pool) *CPU[T] {
	return &CPU[T]{pool: pool, eng: cpu.NewEngine[T](pool), args: map[reflect.Type]any{}}
}

// scratch returns n elements of any content, valid until the next call.
func (b *CPU[T]) scratch(n int) []T {
	if len(b.tmp) < n {
		b.tmp = make([]T, n)
	}
	return b.tmp[:n]
}

// args returns the backend's own A, of any content: a kernel's arguments.
func args[A any, T cpu.Float](b *CPU[T]) *A {
	t := reflect.TypeFor[A]()
	a, ok := b.args[t]
	if !ok {
		a = new(A)
		b.args[t] = a
	}
	return a.(*A)
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

// Saved implements Backend.
func (b *CPU[T]) Saved(op Op, in []Shape, out Shape) int {
	k := hostOf[T](op)
	if k == nil {
		return 0 // running it is the error
	}
	return k.Saved(op, in, out)
}

// Forward implements Backend.
func (b *CPU[T]) Forward(op Op, c *Call) error {
	k := hostOf[T](op)
	if k == nil {
		return unknownOp(b.Name(), op)
	}
	return k.Forward(b, op, c)
}

// Backward implements Backend.
func (b *CPU[T]) Backward(op Op, c *Call) error {
	k := hostOf[T](op)
	if k == nil {
		return unknownOp(b.Name(), op)
	}
	return k.Backward(b, op, c)
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
