//go:build !linux

package driver

import "errors"

// Load finds no driver: oneshot uses GPUs on Linux only.
func Load([]string) (Driver, error) { return nil, ErrNoDriver }

// ErrNoCompiler says that there is no NVRTC.
var ErrNoCompiler = errors.New("cuda: no run-time compiler was found")

// NVRTC compiles CUDA C at run time.
type NVRTC struct{}

// LoadNVRTC finds no compiler.
func LoadNVRTC([]string) (*NVRTC, error) { return nil, ErrNoCompiler }

// Version fails.
func (*NVRTC) Version() (string, error) { return "", ErrNoCompiler }

// Compile fails.
func (*NVRTC) Compile(_, _ string, _ ...string) ([]byte, error) { return nil, ErrNoCompiler }
