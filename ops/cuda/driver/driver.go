// Package driver is the part of the CUDA driver API that oneshot uses.
//
// What. A small interface, Driver, and two implementations of it: Load finds
// libcuda.so.1 at run time without cgo or headers, and a build with the tag
// gorgonia_cu goes through gorgonia.org/cu instead.
//
// Contract. A context belongs to the threads that made it current, so all calls
// after SetCurrent must come from one locked thread. Calls that take a stream
// return before the work is done; host memory they name must stay as it is until
// then. Every error is an *Error that names the call.
//
// Example asks for the driver on a machine that has none.
package driver

import (
	"errors"
	"fmt"
	"slices"
	"unsafe"
)

type (
	Device   int32   // a GPU of the machine
	Context  uintptr // its primary context
	Stream   uintptr
	Event    uintptr
	Module   uintptr
	Function uintptr
	Graph    uintptr // launches and what they come after
	Node     uintptr // one of them
	Exec     uintptr // a graph that can be launched
)

// Info describes a device.
type Info struct {
	Name         string
	Major, Minor int // compute capability
	SMs          int // multiprocessors
	Memory       int // bytes
	Driver       int // CUDA version of the driver, 13000 for 13.0
}

// Driver is the API. Addresses are of device memory, sizes in bytes.
type Driver interface {
	// Device returns the n-th GPU; ErrNoDevice where there is none.
	Device(n int) (Device, error)
	Info(d Device) (Info, error)
	// Retain returns the primary context of d, Release gives it back.
	Retain(d Device) (Context, error)
	Release(d Device) error
	// SetCurrent makes c the context of the calling thread.
	SetCurrent(c Context) error

	Alloc(n int) (uint64, error)
	Free(p uint64) error
	// AllocHost returns pinned memory of the host.
	AllocHost(n int) ([]byte, error)
	FreeHost(p []byte) error
	MemInfo() (free, total int, err error)

	NewStream() (Stream, error)
	Synchronize(s Stream) error
	Memset(p uint64, v byte, n int, s Stream) error
	CopyToDevice(dst uint64, src unsafe.Pointer, n int, s Stream) error
	CopyToHost(dst unsafe.Pointer, src uint64, n int, s Stream) error
	CopyOnDevice(dst, src uint64, n int, s Stream) error

	NewEvent() (Event, error)
	FreeEvent(e Event) error
	Record(e Event, s Stream) error
	// WaitEvent waits until the device has come to e.
	WaitEvent(e Event) error
	// Elapsed is the time between two recorded events in milliseconds.
	Elapsed(from, to Event) (float64, error)

	// LoadModule loads PTX, which ends in a zero byte, or a CUBIN.
	LoadModule(image []byte) (Module, error)
	Function(m Module, name string) (Function, error)
	// Launch starts a grid of blocks x tasks blocks of 256 threads of a kernel with
	// the parameters (table, *run), the second by value.
	Launch(f Function, blocks, tasks int, table uint64, run unsafe.Pointer, s Stream) error

	// NewGraph returns an empty graph; AddLaunch adds to it what Launch would start,
	// after the nodes in after. Instantiate makes it executable, and FreeGraph gives
	// the graph itself back.
	NewGraph() (Graph, error)
	AddLaunch(g Graph, after []Node, f Function, blocks, tasks int, table uint64, run unsafe.Pointer) (Node, error)
	Instantiate(g Graph) (Exec, error)
	LaunchGraph(x Exec, s Stream) error
	FreeGraph(g Graph) error
	FreeExec(x Exec) error
}

// Threads is the size of every block.
const Threads = 256

// Error is a call that the driver refused.
type Error struct {
	Call string // cuMemAlloc_v2
	Name string // CUDA_ERROR_OUT_OF_MEMORY
	Code int
}

func (e *Error) Error() string { return fmt.Sprintf("cuda: %s: %s (%d)", e.Call, e.Name, e.Code) }

// Errors of a machine without a usable GPU.
var (
	ErrNoDriver = errors.New("cuda: no NVIDIA driver was found (libcuda.so.1)")
	ErrNoDevice = errors.New("cuda: there is no GPU")
)

const (
	codeOutOfMemory = 2
	codeNoDevice    = 100
	codeBadDevice   = 101
)

// sticky are the codes after which a context is of no more use.
var sticky = []int{
	4,   // DEINITIALIZED
	46,  // DEVICE_UNAVAILABLE
	201, // INVALID_CONTEXT
	214, // ECC_UNCORRECTABLE
	220, // NVLINK_UNCORRECTABLE
	226, // CONTAINED
	700, // ILLEGAL_ADDRESS
	702, // LAUNCH_TIMEOUT
	709, // CONTEXT_IS_DESTROYED
	710, // ASSERT
	714, // HARDWARE_STACK_ERROR
	715, // ILLEGAL_INSTRUCTION
	716, // MISALIGNED_ADDRESS
	717, // INVALID_ADDRESS_SPACE
	718, // INVALID_PC
	719, // LAUNCH_FAILED
	721, // TENSOR_MEMORY_LEAK
	999, // UNKNOWN
}

// Lost says whether err ends the use of its context: the device is gone, or a
// kernel went wrong.
func Lost(err error) bool {
	var e *Error
	return errors.As(err, &e) && slices.Contains(sticky, e.Code)
}

// OutOfMemory says whether err is a lack of memory of the device.
func OutOfMemory(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Code == codeOutOfMemory
}
