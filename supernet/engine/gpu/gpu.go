// Package gpu is the engine of an NVIDIA GPU: plans of package cuda for the steps
// and measurements that package engine describes.
package gpu

import (
	"fmt"
	"sync"
	"unsafe"

	"oneshot/data"
	"oneshot/ops/cuda"
)

// Engine is a GPU and what it keeps of data sets.
type Engine struct {
	cuda    *cuda.Engine
	half    bool
	threads int
	mu      sync.Mutex
	pixels  map[*uint8]*pixels // by the first byte of the images
}

// New computes on a device, which Close closes. half chooses bfloat16 for
// activations and their gradients; parameters, statistics and sums are float32.
// The graphs of coming steps are compiled on that many threads.
func New(e *cuda.Engine, half bool, threads int) *Engine {
	return &Engine{cuda: e, half: half, threads: threads, pixels: map[*uint8]*pixels{}}
}

// Device implements engine.Engine.
func (e *Engine) Device() string { return "cuda" }

// Arithmetic implements engine.Engine. The order of sums follows from how many multiprocessors
// there are.
func (e *Engine) Arithmetic() string {
	format, info := "float32", e.cuda.Info()
	if e.half {
		format = "bf16"
	}
	return fmt.Sprintf("cuda %s sm_%d%d %d", format, info.Major, info.Minor, info.SMs)
}

// Close gives the device back.
func (e *Engine) Close() { e.cuda.Close() }

// pixels is a collection of images on the device.
type pixels struct{ pix, labels, table cuda.Addr }

// resident returns the images p, which stay on the device.
func (e *Engine) resident(p data.Pixels) (*pixels, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	key := &p.Pix[0]
	if px := e.pixels[key]; px != nil {
		return px, nil
	}
	px := &pixels{}
	to := [...]*cuda.Addr{&px.pix, &px.labels, &px.table}
	for i, src := range pixelBytes(p) {
		at, err := e.cuda.Alloc(len(src))
		if err != nil {
			return nil, err
		}
		if err := e.cuda.Write(at, src); err != nil {
			return nil, err
		}
		*to[i] = at
	}
	e.pixels[key] = px
	return px, nil
}

// pixelBytes is what goes to the device: the pixels, labels and table of a collection.
func pixelBytes(p data.Pixels) [3][]byte {
	return [3][]byte{p.Pix, bytesOf(p.Labels), bytesOf(p.Table)}
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
