package supernet

import (
	"fmt"
	"sync"
	"unsafe"

	"oneshot/data"
	"oneshot/ops/cpu"
	"oneshot/ops/cuda"
)

// Runtime is what networks run on: a processor, or a GPU with the processor
// beside it.
type Runtime struct {
	pool *cpu.Pool
	dev  *device // nil: the processor
}

// device is a GPU and what it keeps of data sets.
type device struct {
	eng    *cuda.Engine
	half   bool
	mu     sync.Mutex
	pixels map[*uint8]*devicePixels // by the first byte of the images
}

// NewRuntime starts the workers of a processor, with that many threads.
func NewRuntime(threads int) (*Runtime, error) {
	if threads < 1 {
		return nil, fmt.Errorf("supernet: %d threads, want at least 1", threads)
	}
	return &Runtime{pool: cpu.NewPool(threads)}, nil
}

// NewCUDARuntime computes on a GPU, which Close closes. half
// chooses bfloat16 for activations and their gradients; parameters, statistics
// and sums are float32. That many goroutines build the programs of coming steps.
func NewCUDARuntime(e *cuda.Engine, half bool, threads int) (*Runtime, error) {
	rt, err := NewRuntime(threads)
	if err == nil {
		rt.dev = &device{eng: e, half: half, pixels: map[*uint8]*devicePixels{}}
	}
	return rt, err
}

// Threads is the number of threads of the processor.
func (r *Runtime) Threads() int { return r.pool.Threads() }

// Device is "cpu" or "cuda".
func (r *Runtime) Device() string {
	if r.dev != nil {
		return "cuda"
	}
	return "cpu"
}

// Close ends the workers and gives the device back.
func (r *Runtime) Close() {
	r.pool.Close()
	if r.dev != nil {
		r.dev.eng.Close()
	}
}

// devicePixels is a collection of images on a device.
type devicePixels struct{ pix, labels, table cuda.Addr }

// resident returns the images p, which stay on the device.
func (d *device) resident(p data.Pixels) (*devicePixels, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	key := &p.Pix[0]
	if px := d.pixels[key]; px != nil {
		return px, nil
	}
	px := &devicePixels{}
	for _, x := range []struct {
		to  *cuda.Addr
		src []byte
	}{{&px.pix, p.Pix}, {&px.labels, bytesOf(p.Labels)}, {&px.table, bytesOf(p.Table)}} {
		at, err := d.eng.Alloc(len(x.src))
		if err != nil {
			return nil, err
		}
		if err := d.eng.Write(at, x.src); err != nil {
			return nil, err
		}
		*x.to = at
	}
	d.pixels[key] = px
	return px, nil
}

// bytesOf views numbers as bytes, in the order of the machine, which is that of
// the device.
func bytesOf[T any](v []T) []byte {
	if len(v) == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(&v[0])), len(v)*int(unsafe.Sizeof(v[0])))
}

// viewOf views bytes as numbers.
func viewOf[T any](b []byte) []T {
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(b))), len(b)/int(unsafe.Sizeof(*new(T))))
}
