package driver

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"unsafe"

	"github.com/ebitengine/purego"
)

// ErrNoCompiler says that there is no NVRTC.
var ErrNoCompiler = errors.New("cuda: no run-time compiler was found (libnvrtc.so)")

var compilers = []string{
	"libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so.11.2", "libnvrtc.so",
	"/usr/local/cuda/lib64/libnvrtc.so",
}

// NVRTC compiles CUDA C at run time. It needs no GPU.
type NVRTC struct{ fn [numCompilerCalls]uintptr }

const (
	nvrtcVersion = iota
	nvrtcCreateProgram
	nvrtcCompileProgram
	nvrtcGetPTXSize
	nvrtcGetPTX
	nvrtcGetProgramLogSize
	nvrtcGetProgramLog
	nvrtcDestroyProgram
	nvrtcGetCUBINSize
	nvrtcGetCUBIN
	numCompilerCalls
)

var compilerNames = [numCompilerCalls]string{"nvrtcVersion", "nvrtcCreateProgram", "nvrtcCompileProgram", "nvrtcGetPTXSize", "nvrtcGetPTX",
	"nvrtcGetProgramLogSize", "nvrtcGetProgramLog", "nvrtcDestroyProgram", "nvrtcGetCUBINSize", "nvrtcGetCUBIN"}

// LoadNVRTC finds the compiler, in the given libraries or the usual ones.
func LoadNVRTC(paths []string) (*NVRTC, error) {
	if len(paths) == 0 {
		paths = compilers
	}
	for _, p := range paths {
		h, err := purego.Dlopen(p, purego.RTLD_NOW|purego.RTLD_LOCAL)
		if err != nil {
			continue
		}
		n := &NVRTC{}
		for i, name := range compilerNames {
			if n.fn[i], err = purego.Dlsym(h, name); err != nil {
				return nil, fmt.Errorf("cuda: %s has no %s", p, name)
			}
		}
		return n, nil
	}
	return nil, ErrNoCompiler
}

// do makes a call; see lib.do.
//
//go:uintptrescapes
func (n *NVRTC) do(c int, args ...uintptr) error {
	if r, _, _ := purego.SyscallN(n.fn[c], args...); int32(r) != 0 {
		return fmt.Errorf("cuda: %s failed with code %d", compilerNames[c], int32(r))
	}
	return nil
}

// Version is the compiler's: 11.8.
func (n *NVRTC) Version() (string, error) {
	var major, minor int32
	err := n.do(nvrtcVersion, uintptr(unsafe.Pointer(&major)), uintptr(unsafe.Pointer(&minor)))
	return fmt.Sprintf("%d.%d", major, minor), err
}

// Compile returns PTX, or, for an architecture sm_NN, a CUBIN. The error holds the
// compiler's messages.
func (n *NVRTC) Compile(source, name string, options ...string) ([]byte, error) {
	text, file := append([]byte(source), 0), append([]byte(name), 0)
	var prog uintptr
	if err := n.do(nvrtcCreateProgram, uintptr(unsafe.Pointer(&prog)), uintptr(unsafe.Pointer(&text[0])), uintptr(unsafe.Pointer(&file[0])), 0, 0, 0); err != nil {
		return nil, err
	}
	defer n.do(nvrtcDestroyProgram, uintptr(unsafe.Pointer(&prog)))
	var pin runtime.Pinner // the options are pointers within memory the compiler reads
	defer pin.Unpin()
	opts := make([]*byte, len(options)+1)
	for i, o := range options {
		b := append([]byte(o), 0)
		pin.Pin(&b[0])
		opts[i] = &b[0]
	}
	err := n.do(nvrtcCompileProgram, prog, uintptr(len(options)), uintptr(unsafe.Pointer(&opts[0])))
	runtime.KeepAlive(text)
	runtime.KeepAlive(file)
	if err != nil {
		log, logErr := n.bytes(prog, nvrtcGetProgramLogSize, nvrtcGetProgramLog)
		if logErr != nil {
			return nil, err
		}
		return nil, fmt.Errorf("%w:\n%s", err, strings.TrimRight(string(log), "\x00\n"))
	}
	for _, o := range options {
		if strings.HasPrefix(o, "--gpu-architecture=sm_") {
			return n.bytes(prog, nvrtcGetCUBINSize, nvrtcGetCUBIN)
		}
	}
	return n.bytes(prog, nvrtcGetPTXSize, nvrtcGetPTX)
}

func (n *NVRTC) bytes(prog uintptr, size, get int) ([]byte, error) {
	var s uint64
	if err := n.do(size, prog, uintptr(unsafe.Pointer(&s))); err != nil {
		return nil, err
	}
	b := make([]byte, s+1)
	err := n.do(get, prog, uintptr(unsafe.Pointer(&b[0])))
	return b[:s], err
}
