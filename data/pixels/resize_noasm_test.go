//go:build !amd64 || noasm

package pixels

import "testing"

// forEachISA runs a test with each instruction set there is: here, plain Go.
func forEachISA(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	t.Run("noasm", test)
}
