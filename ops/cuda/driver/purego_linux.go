//go:build !gorgonia_cu

package driver

import (
	"fmt"
	"runtime"
	"unsafe"

	"github.com/ebitengine/purego"
)

// places are where drivers install their library beyond the loader's own search.
// None is relative: nothing is loaded from the working directory.
var places = []string{
	"libcuda.so.1",
	"/usr/lib/x86_64-linux-gnu/libcuda.so.1",
	"/usr/lib/aarch64-linux-gnu/libcuda.so.1",
	"/usr/lib64/libcuda.so.1",
	"/usr/local/nvidia/lib64/libcuda.so.1",
	"/usr/local/cuda/compat/libcuda.so.1",
	"/usr/lib/wsl/lib/libcuda.so.1",
}

// lib is the driver's library. Entry points are raw addresses: SyscallN costs
// about 0.2 us, and what is allocated for a call is the caller's.
type lib struct {
	fn [numCalls]uintptr

	// Arguments of cuLaunchKernel, kept so that a launch allocates nothing.
	table  uint64
	params [2]unsafe.Pointer // addresses of the kernel's parameters
	args   [11]uintptr
	node   kernelNode
}

// kernelNode is CUDA_KERNEL_NODE_PARAMS.
type kernelNode struct {
	f      Function
	grid   [3]uint32
	block  [3]uint32
	shared uint32
	params unsafe.Pointer
	extra  uintptr
}

type call int

const (
	cuInit call = iota
	cuDriverGetVersion
	cuDeviceGetCount
	cuDeviceGet
	cuDeviceGetName
	cuDeviceGetAttribute
	cuDeviceTotalMem
	cuDevicePrimaryCtxRetain
	cuDevicePrimaryCtxRelease
	cuCtxSetCurrent
	cuMemAlloc
	cuMemFree
	cuMemHostAlloc
	cuMemFreeHost
	cuMemGetInfo
	cuStreamCreate
	cuStreamSynchronize
	cuMemsetD8Async
	cuMemcpyHtoDAsync
	cuMemcpyDtoHAsync
	cuMemcpyDtoDAsync
	cuEventCreate
	cuEventDestroy
	cuEventRecord
	cuEventSynchronize
	cuEventElapsedTime
	cuModuleLoadData
	cuModuleGetFunction
	cuLaunchKernel
	cuGraphCreate
	cuGraphAddKernelNode
	cuGraphInstantiate
	cuGraphLaunch
	cuGraphDestroy
	cuGraphExecDestroy
	cuGetErrorName
	numCalls
)

var names = [numCalls]string{
	"cuInit", "cuDriverGetVersion", "cuDeviceGetCount", "cuDeviceGet", "cuDeviceGetName", "cuDeviceGetAttribute", "cuDeviceTotalMem_v2",
	"cuDevicePrimaryCtxRetain", "cuDevicePrimaryCtxRelease_v2", "cuCtxSetCurrent", "cuMemAlloc_v2", "cuMemFree_v2", "cuMemHostAlloc",
	"cuMemFreeHost", "cuMemGetInfo_v2", "cuStreamCreate", "cuStreamSynchronize", "cuMemsetD8Async", "cuMemcpyHtoDAsync_v2",
	"cuMemcpyDtoHAsync_v2", "cuMemcpyDtoDAsync_v2", "cuEventCreate", "cuEventDestroy_v2", "cuEventRecord", "cuEventSynchronize",
	"cuEventElapsedTime", "cuModuleLoadData", "cuModuleGetFunction", "cuLaunchKernel", "cuGraphCreate", "cuGraphAddKernelNode",
	"cuGraphInstantiateWithFlags", "cuGraphLaunch", "cuGraphDestroy", "cuGraphExecDestroy", "cuGetErrorName",
}

// Load finds the driver: in the given libraries if there are any, else where
// drivers are usually installed. ErrNoDriver says that none was found.
func Load(paths []string) (Driver, error) {
	if len(paths) == 0 {
		paths = places
	}
	runtime.LockOSThread() // the loader keeps its last error for the thread
	defer runtime.UnlockOSThread()
	var first error
	for _, p := range paths {
		h, err := purego.Dlopen(p, purego.RTLD_NOW|purego.RTLD_LOCAL)
		if err != nil {
			if first == nil {
				first = err
			}
			continue
		}
		return open(h, p)
	}
	return nil, fmt.Errorf("%w: %v", ErrNoDriver, first)
}

func open(h uintptr, path string) (Driver, error) {
	l := &lib{}
	for c, name := range names {
		f, err := purego.Dlsym(h, name)
		if err != nil {
			return nil, fmt.Errorf("cuda: %s has no %s: the driver is too old", path, name)
		}
		l.fn[c] = f
	}
	if err := l.do(cuInit, 0); err != nil {
		return nil, err
	}
	return l, nil
}

// do makes a call and turns its result into an error. What the arguments point to
// is on the heap and stays until it returns.
//
//go:uintptrescapes
func (l *lib) do(c call, args ...uintptr) error {
	r, _, _ := purego.SyscallN(l.fn[c], args...)
	if code := int32(r); code != 0 {
		return l.fail(c, code)
	}
	return nil
}

func (l *lib) fail(c call, code int32) error {
	var name *byte
	purego.SyscallN(l.fn[cuGetErrorName], uintptr(code), uintptr(unsafe.Pointer(&name)))
	e := &Error{Call: names[c], Name: text(name), Code: int(code)}
	if code == codeNoDevice || code == codeBadDevice {
		return fmt.Errorf("%w: %w", ErrNoDevice, e)
	}
	return e
}

// text copies a C string.
func text(p *byte) string {
	if p == nil {
		return "unknown error"
	}
	n := 0
	for *(*byte)(unsafe.Add(unsafe.Pointer(p), n)) != 0 {
		n++
	}
	return string(unsafe.Slice(p, n))
}

func (l *lib) Device(n int) (Device, error) {
	var count, d int32
	if err := l.do(cuDeviceGetCount, uintptr(unsafe.Pointer(&count))); err != nil {
		return 0, err
	}
	if n < 0 || n >= int(count) {
		return 0, fmt.Errorf("%w number %d, there are %d", ErrNoDevice, n, count)
	}
	err := l.do(cuDeviceGet, uintptr(unsafe.Pointer(&d)), uintptr(n))
	return Device(d), err
}

func (l *lib) Info(d Device) (Info, error) {
	var i Info
	name := make([]byte, 128)
	if err := l.do(cuDeviceGetName, uintptr(unsafe.Pointer(&name[0])), 128, uintptr(d)); err != nil {
		return i, err
	}
	i.Name = text(&name[0])
	for _, a := range []struct {
		to   *int
		attr uintptr
	}{{&i.Major, 75}, {&i.Minor, 76}, {&i.SMs, 16}} {
		var v int32
		if err := l.do(cuDeviceGetAttribute, uintptr(unsafe.Pointer(&v)), a.attr, uintptr(d)); err != nil {
			return i, err
		}
		*a.to = int(v)
	}
	var total uint64
	if err := l.do(cuDeviceTotalMem, uintptr(unsafe.Pointer(&total)), uintptr(d)); err != nil {
		return i, err
	}
	i.Memory = int(total)
	var v int32
	err := l.do(cuDriverGetVersion, uintptr(unsafe.Pointer(&v)))
	i.Driver = int(v)
	return i, err
}

func (l *lib) Retain(d Device) (Context, error) {
	var c Context
	err := l.do(cuDevicePrimaryCtxRetain, uintptr(unsafe.Pointer(&c)), uintptr(d))
	return c, err
}

func (l *lib) Release(d Device) error     { return l.do(cuDevicePrimaryCtxRelease, uintptr(d)) }
func (l *lib) SetCurrent(c Context) error { return l.do(cuCtxSetCurrent, uintptr(c)) }

func (l *lib) Alloc(n int) (uint64, error) {
	var p uint64
	err := l.do(cuMemAlloc, uintptr(unsafe.Pointer(&p)), uintptr(n))
	return p, err
}

func (l *lib) Free(p uint64) error { return l.do(cuMemFree, uintptr(p)) }

func (l *lib) AllocHost(n int) ([]byte, error) {
	var p unsafe.Pointer
	if err := l.do(cuMemHostAlloc, uintptr(unsafe.Pointer(&p)), uintptr(n), 0); err != nil {
		return nil, err
	}
	return unsafe.Slice((*byte)(p), n), nil
}

func (l *lib) FreeHost(p []byte) error {
	if len(p) == 0 {
		return nil
	}
	return l.do(cuMemFreeHost, uintptr(unsafe.Pointer(&p[0])))
}

func (l *lib) MemInfo() (free, total int, err error) {
	var f, t uint64
	err = l.do(cuMemGetInfo, uintptr(unsafe.Pointer(&f)), uintptr(unsafe.Pointer(&t)))
	return int(f), int(t), err
}

func (l *lib) NewStream() (Stream, error) {
	var s Stream
	const nonBlocking = 1
	err := l.do(cuStreamCreate, uintptr(unsafe.Pointer(&s)), nonBlocking)
	return s, err
}

func (l *lib) Synchronize(s Stream) error { return l.do(cuStreamSynchronize, uintptr(s)) }

func (l *lib) Memset(p uint64, v byte, n int, s Stream) error {
	return l.do(cuMemsetD8Async, uintptr(p), uintptr(v), uintptr(n), uintptr(s))
}

func (l *lib) CopyToDevice(dst uint64, src unsafe.Pointer, n int, s Stream) error {
	err := l.do(cuMemcpyHtoDAsync, uintptr(dst), uintptr(src), uintptr(n), uintptr(s))
	runtime.KeepAlive(src)
	return err
}

func (l *lib) CopyToHost(dst unsafe.Pointer, src uint64, n int, s Stream) error {
	err := l.do(cuMemcpyDtoHAsync, uintptr(dst), uintptr(src), uintptr(n), uintptr(s))
	runtime.KeepAlive(dst)
	return err
}

func (l *lib) CopyOnDevice(dst, src uint64, n int, s Stream) error {
	return l.do(cuMemcpyDtoDAsync, uintptr(dst), uintptr(src), uintptr(n), uintptr(s))
}

func (l *lib) NewEvent() (Event, error) {
	var e Event
	err := l.do(cuEventCreate, uintptr(unsafe.Pointer(&e)), 0)
	return e, err
}

func (l *lib) FreeEvent(e Event) error        { return l.do(cuEventDestroy, uintptr(e)) }
func (l *lib) Record(e Event, s Stream) error { return l.do(cuEventRecord, uintptr(e), uintptr(s)) }
func (l *lib) WaitEvent(e Event) error        { return l.do(cuEventSynchronize, uintptr(e)) }

func (l *lib) Elapsed(from, to Event) (float64, error) {
	var ms float32
	err := l.do(cuEventElapsedTime, uintptr(unsafe.Pointer(&ms)), uintptr(from), uintptr(to))
	return float64(ms), err
}

func (l *lib) LoadModule(image []byte) (Module, error) {
	var m Module
	err := l.do(cuModuleLoadData, uintptr(unsafe.Pointer(&m)), uintptr(unsafe.Pointer(&image[0])))
	runtime.KeepAlive(image)
	return m, err
}

func (l *lib) Function(m Module, name string) (Function, error) {
	var f Function
	c := append([]byte(name), 0)
	err := l.do(cuModuleGetFunction, uintptr(unsafe.Pointer(&f)), uintptr(m), uintptr(unsafe.Pointer(&c[0])))
	runtime.KeepAlive(c)
	return f, err
}

func (l *lib) Launch(f Function, blocks, tasks int, table uint64, run unsafe.Pointer, s Stream) error {
	l.table = table
	l.params = [2]unsafe.Pointer{unsafe.Pointer(&l.table), run}
	l.args = [11]uintptr{uintptr(f), uintptr(blocks), uintptr(tasks), 1, Threads, 1, 1, 0, uintptr(s), uintptr(unsafe.Pointer(&l.params[0])), 0}
	r, _, _ := purego.SyscallN(l.fn[cuLaunchKernel], l.args[:]...)
	runtime.KeepAlive(run)
	runtime.KeepAlive(l) // what args points to
	if r32 := int32(r); r32 != 0 {
		return l.fail(cuLaunchKernel, r32)
	}
	return nil
}

func (l *lib) NewGraph() (Graph, error) {
	var g Graph
	err := l.do(cuGraphCreate, uintptr(unsafe.Pointer(&g)), 0)
	return g, err
}

func (l *lib) AddLaunch(g Graph, after []Node, f Function, blocks, tasks int, table uint64, run unsafe.Pointer) (Node, error) {
	l.table = table
	l.params = [2]unsafe.Pointer{unsafe.Pointer(&l.table), run}
	l.node = kernelNode{f: f, grid: [3]uint32{uint32(blocks), uint32(tasks), 1}, block: [3]uint32{Threads, 1, 1}, params: unsafe.Pointer(&l.params[0])}
	var n Node
	var first unsafe.Pointer
	if len(after) > 0 {
		first = unsafe.Pointer(&after[0])
	}
	// The driver copies the parameters before it returns.
	err := l.do(cuGraphAddKernelNode, uintptr(unsafe.Pointer(&n)), uintptr(g), uintptr(first), uintptr(len(after)), uintptr(unsafe.Pointer(&l.node)))
	runtime.KeepAlive(run)
	runtime.KeepAlive(after)
	return n, err
}

func (l *lib) Instantiate(g Graph) (Exec, error) {
	var x Exec
	err := l.do(cuGraphInstantiate, uintptr(unsafe.Pointer(&x)), uintptr(g), 0)
	return x, err
}

func (l *lib) LaunchGraph(x Exec, s Stream) error { return l.do(cuGraphLaunch, uintptr(x), uintptr(s)) }
func (l *lib) FreeGraph(g Graph) error            { return l.do(cuGraphDestroy, uintptr(g)) }
func (l *lib) FreeExec(x Exec) error              { return l.do(cuGraphExecDestroy, uintptr(x)) }
