package cpu

import (
	"fmt"
	"os"
)

// The values of the environment variable ONESHOT_ISA and the names ISA returns.
const (
	isaNone = "noasm" // plain Go
	isaAVX2 = "avx2"  // amd64 with AVX2 and FMA
)

var (
	isaName string
	isaErr  error
)

func init() {
	isaName, isaErr = chooseISA(os.Getenv("ONESHOT_ISA"), hasAVX2())
	if isaName == isaAVX2 {
		useAVX2()
	}
}

// ISA returns the instruction set that the kernels use, "avx2" or "noasm": the
// best that the processor and the build have. The environment variable
// ONESHOT_ISA, read once at the start of the program, asks for one of them, to
// compare results or speed. If it asks for an unknown one, or for one that is
// not there, the error says so, and the name is what is used all the same.
//
// Results of different instruction sets differ in the last bits: only AVX2 fuses
// multiplication and addition.
func ISA() (name string, err error) { return isaName, isaErr }

// chooseISA decides on the value of ONESHOT_ISA.
func chooseISA(request string, avx2 bool) (string, error) {
	best := isaNone
	if avx2 {
		best = isaAVX2
	}
	switch {
	case request == "" || request == best:
		return best, nil
	case request == isaNone:
		return isaNone, nil
	case request == isaAVX2:
		return best, fmt.Errorf("cpu: ONESHOT_ISA=%s: this processor or build does not have it; using %s", request, best)
	default:
		return best, fmt.Errorf("cpu: ONESHOT_ISA=%q: unknown; want %s or %s; using %s", request, isaAVX2, isaNone, best)
	}
}
