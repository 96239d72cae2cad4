//go:build linux && !gorgonia_cu

package driver

// For the tests.
var (
	Places    = places
	Compilers = compilers
)
