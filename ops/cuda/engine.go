package cuda

import (
	"errors"
	"fmt"
	"runtime"
	"unsafe"

	"oneshot/ops/cuda/driver"
)

// Options say which device is opened and how.
type Options struct {
	Driver  driver.Driver // nil: the machine's
	Device  int           // number of the device
	Kernels []byte        // PTX or CUBIN instead of the built-in kernels
}

// Engine runs plans on one device. All calls of the driver are made from one
// thread of its own, in the order of the calls; an Engine may be used by several
// goroutines. After a fault that the device cannot recover from (driver.Lost)
// every call fails with it.
type Engine struct {
	d      driver.Driver
	dev    driver.Device
	info   driver.Info
	ctx    driver.Context
	stream driver.Stream
	funcs  map[string]driver.Function
	work   chan func()
	done   chan struct{}
	lost   error

	arena    Addr
	arenaLen int
	arenaGen int // counts the arenas there have been
	slots    []*slot
	sizes    map[Addr]int // of what was allocated
	used     int
}

// MemoryError says that the device has too little memory.
type MemoryError struct {
	Need        int // bytes asked for
	Free, Total int // of the device
	Used        int // by this process, of that
	err         error
}

func (e *MemoryError) Error() string {
	return fmt.Sprintf("cuda: out of memory: %d MB more are needed, %d of %d MB are free, oneshot has %d MB",
		mb(e.Need), mb(e.Free), mb(e.Total), mb(e.Used))
}

func (e *MemoryError) Unwrap() error { return e.err }

// mb rounds up to megabytes.
func mb(n int) int { return (n + 999_999) / 1_000_000 }

// Open opens a device and loads the kernels.
func Open(o Options) (*Engine, error) {
	e := &Engine{d: o.Driver, work: make(chan func()), done: make(chan struct{}), sizes: map[Addr]int{}, funcs: map[string]driver.Function{}}
	if e.d == nil {
		d, err := driver.Load(nil)
		if err != nil {
			return nil, err
		}
		e.d = d
	}
	go e.serve()
	if err := e.do(func() error { return e.open(o.Device, o.Kernels) }); err != nil {
		e.Close()
		return nil, err
	}
	return e, nil
}

func (e *Engine) open(device int, image []byte) error {
	var err error
	if e.dev, err = e.d.Device(device); err != nil {
		return err
	}
	if e.info, err = e.d.Info(e.dev); err != nil {
		return err
	}
	if e.info.Major < 8 {
		return fmt.Errorf("%w of compute capability 8.0 or later: %s has %d.%d", driver.ErrNoDevice, e.info.Name, e.info.Major, e.info.Minor)
	}
	if e.ctx, err = e.d.Retain(e.dev); err != nil {
		return err
	}
	if err = e.d.SetCurrent(e.ctx); err != nil {
		return err
	}
	if e.stream, err = e.d.NewStream(); err != nil {
		return err
	}
	if image == nil {
		image = Image(e.info.Major, e.info.Minor)
	}
	m, err := e.d.LoadModule(image)
	if err != nil {
		return fmt.Errorf("cuda: load the kernels: %w", err)
	}
	for _, s := range Symbols() {
		if e.funcs[s], err = e.d.Function(m, s); err != nil {
			return fmt.Errorf("cuda: kernel %s: %w", s, err)
		}
	}
	return nil
}

// serve is the thread of the driver's calls: a context belongs to a thread.
func (e *Engine) serve() {
	runtime.LockOSThread()
	defer close(e.done)
	for f := range e.work {
		f()
	}
}

// do runs f on the engine's thread.
func (e *Engine) do(f func() error) error {
	var err error
	ready := make(chan struct{})
	e.work <- func() {
		defer close(ready)
		if e.lost != nil {
			err = e.lost
			return
		}
		if err = f(); driver.Lost(err) {
			e.lost = err
		}
	}
	<-ready
	return err
}

// Do runs f on the engine's thread with the stream, for calls that belong
// together: none of another goroutine comes between.
func (e *Engine) Do(f func(s *Stream) error) error {
	return e.do(func() error { return f(&Stream{e}) })
}

// Close gives everything on the device back. The engine must not be used any more.
func (e *Engine) Close() {
	e.do(func() error {
		if e.ctx != 0 {
			e.d.Synchronize(e.stream)
			for at := range e.sizes {
				e.d.Free(uint64(at))
			}
			for _, s := range e.slots {
				e.d.FreeHost(s.host)
			}
			return e.d.Release(e.dev)
		}
		return nil
	})
	close(e.work)
	<-e.done
}

// Info describes the device.
func (e *Engine) Info() driver.Info { return e.info }

// SMs is the number of its multiprocessors.
func (e *Engine) SMs() int { return e.info.SMs }

// Lost is the fault after which nothing works any more; nil if there was none.
func (e *Engine) Lost() error {
	err := e.do(func() error { return nil })
	return err
}

func (e *Engine) alloc(n int) (Addr, error) {
	n = aligned(max(n, 1))
	p, err := e.d.Alloc(n)
	if driver.OutOfMemory(err) {
		free, total, _ := e.d.MemInfo()
		return 0, &MemoryError{Need: n, Free: free, Total: total, Used: e.used, err: err}
	}
	if err != nil {
		return 0, err
	}
	e.sizes[Addr(p)] = n
	e.used += n
	return Addr(p), nil
}

func (e *Engine) free(a Addr) error {
	if a == 0 {
		return nil
	}
	if err := e.d.Synchronize(e.stream); err != nil {
		return err
	}
	e.used -= e.sizes[a]
	delete(e.sizes, a)
	return e.d.Free(uint64(a))
}

// Alloc reserves n bytes of any content. The error is a *MemoryError where there
// are not as many.
func (e *Engine) Alloc(n int) (at Addr, err error) {
	err = e.do(func() error { at, err = e.alloc(n); return err })
	return at, err
}

// Free gives back what Alloc reserved, once the device is done with all that was
// asked of it.
func (e *Engine) Free(a Addr) error { return e.do(func() error { return e.free(a) }) }

// FreeMemory is how many bytes of the device nobody uses.
func (e *Engine) FreeMemory() (free int, err error) {
	err = e.do(func() error { free, _, err = e.d.MemInfo(); return err })
	return free, err
}

// Zero sets n bytes to 0.
func (e *Engine) Zero(a Addr, n int) error {
	return e.do(func() error { return e.d.Memset(uint64(a), 0, n, e.stream) })
}

// Write copies bytes to the device and waits until they are there.
func (e *Engine) Write(dst Addr, src []byte) error {
	if len(src) == 0 {
		return nil
	}
	return e.do(func() error {
		if err := e.d.CopyToDevice(uint64(dst), unsafe.Pointer(&src[0]), len(src), e.stream); err != nil {
			return err
		}
		return e.d.Synchronize(e.stream)
	})
}

// Read copies bytes from the device once it is done with all that was asked of it.
func (e *Engine) Read(dst []byte, src Addr) error {
	if len(dst) == 0 {
		return nil
	}
	return e.do(func() error {
		if err := e.d.CopyToHost(unsafe.Pointer(&dst[0]), uint64(src), len(dst), e.stream); err != nil {
			return err
		}
		return e.d.Synchronize(e.stream)
	})
}

// Wait waits until the device is done with all that was asked of it.
func (e *Engine) Wait() error { return e.do(func() error { return e.d.Synchronize(e.stream) }) }

// reserve makes the arena at least n bytes long.
func (e *Engine) reserve(n int) error {
	if n <= e.arenaLen {
		return nil
	}
	if err := e.free(e.arena); err != nil {
		return err
	}
	e.arena, e.arenaLen = 0, 0
	e.arenaGen++
	n = arenaSize(n)
	a, err := e.alloc(n)
	if err != nil {
		return err
	}
	e.arena, e.arenaLen = a, n
	return nil
}

// slot finds or makes room for a table of n bytes.
func (e *Engine) slot(n int) (*slot, error) {
	for _, s := range e.slots {
		if !s.busy && len(s.host) >= n {
			if err := e.d.WaitEvent(s.free); err != nil {
				return nil, err
			}
			for _, x := range s.old {
				if err := e.d.FreeExec(x); err != nil {
					return nil, err
				}
			}
			s.old = nil
			return s, nil
		}
	}
	s := &slot{}
	size := tableSize(n)
	var err error
	if s.free, err = e.d.NewEvent(); err != nil {
		return nil, err
	}
	if s.dev, err = e.alloc(size); err != nil {
		return nil, err
	}
	if s.host, err = e.d.AllocHost(size); err != nil {
		return nil, err
	}
	e.slots = append(e.slots, s)
	return s, nil
}

// Event is a mark in the stream.
type Event struct{ ev driver.Event }

// NewEvent returns an event.
func (e *Engine) NewEvent() (ev Event, err error) {
	err = e.do(func() error { ev.ev, err = e.d.NewEvent(); return err })
	return ev, err
}

// Took waits until the device has come to a recorded event and returns the time
// since an earlier one, in milliseconds.
func (e *Engine) Took(from, to Event) (ms float64, err error) {
	err = e.do(func() error {
		if err := e.d.WaitEvent(to.ev); err != nil {
			return err
		}
		ms, err = e.d.Elapsed(from.ev, to.ev)
		return err
	})
	return ms, err
}

// Pinned reserves n bytes of the host that the device copies from and to at full
// speed, beside the work of both.
func (e *Engine) Pinned(n int) (p []byte, err error) {
	err = e.do(func() error { p, err = e.d.AllocHost(max(n, 1)); return err })
	return p, err
}

// FreePinned gives them back.
func (e *Engine) FreePinned(p []byte) error {
	return e.do(func() error {
		if err := e.d.Synchronize(e.stream); err != nil {
			return err
		}
		return e.d.FreeHost(p)
	})
}

// IsLost says whether err is a fault of the device that ends its use.
func IsLost(err error) bool { return driver.Lost(err) }

// IsAbsent says whether err means that there is no driver or no device.
func IsAbsent(err error) bool {
	return errors.Is(err, driver.ErrNoDriver) || errors.Is(err, driver.ErrNoDevice)
}
