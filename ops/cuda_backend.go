package ops

import (
	"fmt"
	"unsafe"

	"oneshot/ops/cuda"
)

// CUDA is the Backend of an NVIDIA GPU: kernels of ops/cuda on memory of the
// device. Activations and their gradients are float32 or bfloat16; everything
// else, the parameters too, is float32.
//
// Programs run as plans: Lower turns one into tasks, which ops/cuda schedules. As
// a Backend, an op at a time, it is for tests.
type CUDA struct {
	eng  *cuda.Engine
	half bool
	dry  bool // the memory does not exist
	mem  [numRegions]region
}

// region is device memory of a number of 4-byte elements.
type region struct {
	at cuda.Addr
	n  int
}

// NewCUDA returns a backend on a device, with empty regions. half chooses bfloat16
// for the activations.
func NewCUDA(e *cuda.Engine, half bool) *CUDA { return &CUDA{eng: e, half: half} }

// NewDryCUDA is NewCUDA with regions that take no memory. Programs are compiled and
// lowered for it to see what they would need; they cannot run.
func NewDryCUDA(e *cuda.Engine, half bool) *CUDA { return &CUDA{eng: e, half: half, dry: true} }

// Name implements Backend.
func (b *CUDA) Name() string { return "cuda" }

// Half says that activations are bfloat16.
func (b *CUDA) Half() bool { return b.half }

// Schedules says that the backend runs instructions in an order of its own and lays
// the values out by that: in the program no two may share memory.
func (b *CUDA) Schedules() bool { return true }

// Saved implements Backend.
func (b *CUDA) Saved(op Op, in []Shape, out Shape) int {
	k := deviceOf(op)
	if k == nil {
		return 0 // running it is the error
	}
	return ceilDiv(k.Saved(op, in, out, actSize(b.half)), 4)
}

// Resize gives region r n elements, all 0.
func (b *CUDA) Resize(r Region, n int) error {
	m := &b.mem[r]
	if b.dry {
		*m = region{cuda.Addr(r+1) << 40, n} // lowering tells regions apart by their addresses
		return nil
	}
	if m.at != 0 {
		if err := b.eng.Free(m.at); err != nil {
			return err
		}
		*m = region{}
	}
	if n == 0 {
		return nil
	}
	at, err := b.eng.Alloc(4 * n)
	if err != nil {
		return err
	}
	*m = region{at, n}
	return b.eng.Zero(at, 4*n)
}

// Close gives the memory of all regions back.
func (b *CUDA) Close() error {
	var first error
	for r := range b.mem {
		if err := b.Resize(Region(r), 0); err != nil && first == nil {
			first = err
		}
	}
	return first
}

// Reserve implements Backend. Plans do not use this arena.
func (b *CUDA) Reserve(n int) error {
	if b.mem[Arena].n >= n {
		return nil
	}
	return b.Resize(Arena, n)
}

// Addr is the address of memory outside the arena.
func (b *CUDA) Addr(m Mem) cuda.Addr {
	if m.Len == 0 {
		return 0
	}
	if r := b.mem[m.Region]; m.Off+m.Len > r.n {
		panic("ops: memory beyond its region")
	}
	return b.mem[m.Region].at + cuda.Addr(4*m.Off)
}

// Write copies float32 values to memory outside the arena.
func (b *CUDA) Write(m Mem, v []float32) error {
	if len(v) != m.Len {
		return fmt.Errorf("ops: %d values for memory of %d", len(v), m.Len)
	}
	return b.eng.Write(b.Addr(m), floatBytes(v))
}

// Read copies float32 values from memory outside the arena.
func (b *CUDA) Read(m Mem, v []float32) error {
	if len(v) != m.Len {
		return fmt.Errorf("ops: %d values from memory of %d", len(v), m.Len)
	}
	return b.eng.Read(floatBytes(v), b.Addr(m))
}

// floatBytes views floats as bytes, in the machine's order, which is the device's.
func floatBytes(v []float32) []byte {
	if len(v) == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(&v[0])), 4*len(v))
}

// now runs the tasks that add adds, and waits for them.
func (b *CUDA) now(run cuda.Run, add func(l *lowering) error) error {
	bld := cuda.NewBuilder(b.eng.SMs())
	l := &lowering{b: bld, half: b.half, train: true}
	for r := range b.mem {
		l.base[r] = b.mem[r].at
	}
	l.arena = func(m Mem, _ bool) cuda.Addr { return b.mem[Arena].at + cuda.Addr(4*m.Off) }
	if err := add(l); err != nil {
		return err
	}
	loaded, err := b.eng.Load(bld.Plan())
	if err != nil {
		return err
	}
	defer loaded.Release()
	if err := loaded.Launch(0, run); err != nil {
		return err
	}
	return b.eng.Wait()
}

// Forward implements Backend.
func (b *CUDA) Forward(op Op, c *Call) error {
	call := *c
	call.DIn, call.DAdd = nil, nil
	return b.now(cuda.Run{Momentum: float32(c.Momentum)}, func(l *lowering) error { return l.add(op, &call, false) })
}

// Backward implements Backend.
func (b *CUDA) Backward(op Op, c *Call) error {
	return b.now(cuda.Run{Momentum: float32(c.Momentum)}, func(l *lowering) error { return l.add(op, c, true) })
}

// Sum implements Backend, for float32.
func (b *CUDA) Sum(dst Mem, src []Mem) error {
	return b.now(cuda.Run{}, func(l *lowering) error { l.sum(dst, src, false); return nil })
}

// Fill implements Backend, for float32.
func (b *CUDA) Fill(m Mem, v float64) error {
	return b.now(cuda.Run{}, func(l *lowering) error { l.fill(m, v, false); return nil })
}

// SumSquares implements Backend.
func (b *CUDA) SumSquares(ms []Mem) (float64, error) {
	n := 0
	for _, m := range ms {
		n += int(squareBlocks(m.Len))
	}
	at, err := b.eng.Alloc(8 * max(n, 1))
	if err != nil {
		return 0, err
	}
	defer b.eng.Free(at)
	err = b.now(cuda.Run{}, func(l *lowering) error { l.squares(ms, at); return nil })
	if err != nil {
		return 0, err
	}
	part := make([]float64, n)
	if n > 0 {
		err = b.eng.Read(unsafe.Slice((*byte)(unsafe.Pointer(&part[0])), 8*n), at)
	}
	var s float64
	for _, v := range part {
		s += v
	}
	return s, err
}
