//go:build gorgonia_cu

package driver

// #include <cuda.h>
import "C"

import (
	"fmt"
	"reflect"
	"runtime"
	"unsafe"

	"gorgonia.org/cu"
)

// linked is the driver through gorgonia.org/cu, which needs cgo, CUDA's headers and
// libcuda.so.1 when the program is built, and that library and a GPU when it starts:
// package cu ends a program for which the driver does not initialise.
type linked struct{}

// Load returns the driver that the program is linked with; the paths are not looked
// at, the loader finds libcuda.so.1.
func Load([]string) (Driver, error) { return linked{}, nil }

// failed turns an error of package cu, a number of an unexported type, into ours.
func failed(call string, err error) error {
	if err == nil {
		return nil
	}
	v := reflect.ValueOf(err)
	if !v.CanInt() {
		return fmt.Errorf("cuda: %s: %w", call, err)
	}
	code := int(v.Int())
	e := &Error{Call: call, Name: "unknown error", Code: code}
	var name *C.char
	if C.cuGetErrorName(C.CUresult(code), &name) == C.CUDA_SUCCESS && name != nil {
		e.Name = C.GoString(name)
	}
	if code == codeNoDevice || code == codeBadDevice {
		return fmt.Errorf("%w: %w", ErrNoDevice, e)
	}
	return e
}

// Handles of package cu are structs of one pointer of the driver's.
func stream(s Stream) cu.Stream       { return *(*cu.Stream)(unsafe.Pointer(&s)) }
func event(e Event) cu.Event          { return *(*cu.Event)(unsafe.Pointer(&e)) }
func module(m Module) cu.Module       { return *(*cu.Module)(unsafe.Pointer(&m)) }
func function(f Function) cu.Function { return *(*cu.Function)(unsafe.Pointer(&f)) }

func (linked) Device(n int) (Device, error) {
	count, err := cu.NumDevices()
	if err != nil {
		return 0, failed("cuDeviceGetCount", err)
	}
	if n < 0 || n >= count {
		return 0, fmt.Errorf("%w number %d, there are %d", ErrNoDevice, n, count)
	}
	d, err := cu.GetDevice(n)
	return Device(d), failed("cuDeviceGet", err)
}

func (linked) Info(d Device) (Info, error) {
	dev := cu.Device(d)
	name, err := dev.Name()
	if err != nil {
		return Info{}, failed("cuDeviceGetName", err)
	}
	i := Info{Name: name}
	for _, a := range []struct {
		to   *int
		attr cu.DeviceAttribute
	}{{&i.Major, cu.ComputeCapabilityMajor}, {&i.Minor, cu.ComputeCapabilityMinor}, {&i.SMs, cu.MultiprocessorCount}} {
		if *a.to, err = dev.Attribute(a.attr); err != nil {
			return i, failed("cuDeviceGetAttribute", err)
		}
	}
	total, err := dev.TotalMem()
	if err != nil {
		return i, failed("cuDeviceTotalMem_v2", err)
	}
	i.Memory = int(total)
	var version C.int // cu.Version does not say what failed
	err = called("cuDriverGetVersion", C.cuDriverGetVersion(&version))
	i.Driver = int(version)
	return i, err
}

func (linked) Retain(d Device) (Context, error) {
	c, err := cu.Device(d).RetainPrimaryCtx()
	return *(*Context)(unsafe.Pointer(&c)), failed("cuDevicePrimaryCtxRetain", err)
}

func (linked) Release(d Device) error {
	return failed("cuDevicePrimaryCtxRelease_v2", cu.Device(d).ReleasePrimaryCtx())
}

func (linked) SetCurrent(c Context) error {
	return failed("cuCtxSetCurrent", cu.SetCurrentContext(*(*cu.CUContext)(unsafe.Pointer(&c))))
}

func (linked) Alloc(n int) (uint64, error) {
	p, err := cu.MemAlloc(int64(n))
	return uint64(p), failed("cuMemAlloc_v2", err)
}

func (linked) Free(p uint64) error { return failed("cuMemFree_v2", cu.MemFree(cu.DevicePtr(p))) }

// AllocHost calls the driver itself: package cu has no pinned memory.
func (linked) AllocHost(n int) ([]byte, error) {
	var p unsafe.Pointer
	if err := called("cuMemHostAlloc", C.cuMemHostAlloc(&p, C.size_t(n), 0)); err != nil {
		return nil, err
	}
	return unsafe.Slice((*byte)(p), n), nil
}

// result is an error like package cu's.
type result int

func (r result) Error() string { return fmt.Sprintf("code %d", int(r)) }

func (linked) FreeHost(p []byte) error {
	if len(p) == 0 {
		return nil
	}
	return failed("cuMemFreeHost", cu.MemFreeHost(unsafe.Pointer(&p[0])))
}

func (linked) MemInfo() (free, total int, err error) {
	f, t, err := cu.MemInfo()
	return int(f), int(t), failed("cuMemGetInfo_v2", err)
}

func (linked) NewStream() (Stream, error) {
	s, err := cu.MakeStream(cu.NonBlocking)
	return *(*Stream)(unsafe.Pointer(&s)), failed("cuStreamCreate", err)
}

func (linked) Synchronize(s Stream) error {
	return failed("cuStreamSynchronize", stream(s).Synchronize())
}

func (linked) Memset(p uint64, v byte, n int, s Stream) error {
	return failed("cuMemsetD8Async", cu.MemsetD8Async(cu.DevicePtr(p), v, int64(n), stream(s)))
}

func (linked) CopyToDevice(dst uint64, src unsafe.Pointer, n int, s Stream) error {
	return failed("cuMemcpyHtoDAsync_v2", cu.MemcpyHtoDAsync(cu.DevicePtr(dst), src, int64(n), stream(s)))
}

func (linked) CopyToHost(dst unsafe.Pointer, src uint64, n int, s Stream) error {
	return failed("cuMemcpyDtoHAsync_v2", cu.MemcpyDtoHAsync(dst, cu.DevicePtr(src), int64(n), stream(s)))
}

func (linked) CopyOnDevice(dst, src uint64, n int, s Stream) error {
	return failed("cuMemcpyDtoDAsync_v2", cu.MemcpyDtoDAsync(cu.DevicePtr(dst), cu.DevicePtr(src), int64(n), stream(s)))
}

func (linked) NewEvent() (Event, error) {
	e, err := cu.MakeEvent(cu.DefaultEvent)
	return *(*Event)(unsafe.Pointer(&e)), failed("cuEventCreate", err)
}

func (linked) FreeEvent(e Event) error {
	ev := event(e)
	return failed("cuEventDestroy_v2", cu.DestroyEvent(&ev))
}

func (linked) Record(e Event, s Stream) error {
	return failed("cuEventRecord", event(e).Record(stream(s)))
}

func (linked) WaitEvent(e Event) error { return failed("cuEventSynchronize", event(e).Synchronize()) }

func (linked) Elapsed(from, to Event) (float64, error) {
	ms, err := event(from).Elapsed(event(to))
	return ms, failed("cuEventElapsedTime", err)
}

// LoadModule hands over a string, which may hold the zero bytes of a CUBIN: package
// cu copies all of it.
func (linked) LoadModule(image []byte) (Module, error) {
	m, err := cu.LoadData(string(image))
	return *(*Module)(unsafe.Pointer(&m)), failed("cuModuleLoadData", err)
}

func (linked) Function(m Module, name string) (Function, error) {
	f, err := module(m).Function(name)
	return *(*Function)(unsafe.Pointer(&f)), failed("cuModuleGetFunction", err)
}

// Package cu builds no graphs of several kernels that can be launched: these calls
// are the driver's.

func called(call string, code C.CUresult) error {
	if code == C.CUDA_SUCCESS {
		return nil
	}
	return failed(call, result(code))
}

func (linked) NewGraph() (Graph, error) {
	var g C.CUgraph
	err := called("cuGraphCreate", C.cuGraphCreate(&g, 0))
	return *(*Graph)(unsafe.Pointer(&g)), err
}

func (linked) AddLaunch(g Graph, after []Node, f Function, blocks, tasks int, table uint64, run unsafe.Pointer) (Node, error) {
	params := [2]unsafe.Pointer{unsafe.Pointer(&table), run}
	var pin runtime.Pinner // memory that C reads through the pointers in it
	defer pin.Unpin()
	pin.Pin(&table)
	pin.Pin(run)
	pin.Pin(&params)
	p := C.CUDA_KERNEL_NODE_PARAMS{
		_func:        *(*C.CUfunction)(unsafe.Pointer(&f)),
		gridDimX:     C.uint(blocks),
		gridDimY:     C.uint(tasks),
		gridDimZ:     1,
		blockDimX:    Threads,
		blockDimY:    1,
		blockDimZ:    1,
		kernelParams: &params[0],
	}
	var n Node
	first := (*C.CUgraphNode)(unsafe.Pointer(unsafe.SliceData(after)))
	err := called("cuGraphAddKernelNode", C.cuGraphAddKernelNode((*C.CUgraphNode)(unsafe.Pointer(&n)), *(*C.CUgraph)(unsafe.Pointer(&g)), first, C.size_t(len(after)), &p))
	return n, err
}

func (linked) Instantiate(g Graph) (Exec, error) {
	var x Exec
	err := called("cuGraphInstantiateWithFlags", C.cuGraphInstantiateWithFlags((*C.CUgraphExec)(unsafe.Pointer(&x)), *(*C.CUgraph)(unsafe.Pointer(&g)), 0))
	return x, err
}

func (linked) LaunchGraph(x Exec, s Stream) error {
	return called("cuGraphLaunch", C.cuGraphLaunch(*(*C.CUgraphExec)(unsafe.Pointer(&x)), *(*C.CUstream)(unsafe.Pointer(&s))))
}

func (linked) FreeGraph(g Graph) error {
	return called("cuGraphDestroy", C.cuGraphDestroy(*(*C.CUgraph)(unsafe.Pointer(&g))))
}

func (linked) FreeExec(x Exec) error {
	return called("cuGraphExecDestroy", C.cuGraphExecDestroy(*(*C.CUgraphExec)(unsafe.Pointer(&x))))
}

// Launch hands *run over as four parameters of eight bytes. Package cu copies all
// parameters into one array and the kernel takes the second from there on, so that
// it sees the four as its struct.
func (linked) Launch(f Function, blocks, tasks int, table uint64, run unsafe.Pointer, s Stream) error {
	params := [5]unsafe.Pointer{unsafe.Pointer(&table), run, unsafe.Add(run, 8), unsafe.Add(run, 16), unsafe.Add(run, 24)}
	return failed("cuLaunchKernel", function(f).Launch(blocks, tasks, 1, Threads, 1, 1, 0, stream(s), params[:]))
}
