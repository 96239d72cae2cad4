package cpu

import (
	"fmt"
	"os"
	"slices"
	"strings"
)

// The values of the environment variable ONESHOT_ISA and the names ISA returns.
const (
	isaNone   = "noasm"  // plain Go
	isaAVX2   = "avx2"   // amd64 with AVX2 and FMA
	isaAVX512 = "avx512" // amd64 with AVX-512 F, BW, DQ and VL as well
)

// isas lists the instruction sets from the plainest to the best; each needs
// what the one before it needs.
var isas = []string{isaNone, isaAVX2, isaAVX512}

var (
	isaName string
	isaErr  error
)

func init() {
	isaName, isaErr = chooseISA(os.Getenv("ONESHOT_ISA"), bestISA())
	use(isaName)
}

// ISA returns the instruction set that the kernels use, "avx512", "avx2" or
// "noasm": the best that the processor and the build have. The environment
// variable ONESHOT_ISA, read once at the start of the program, asks for one of
// them, to compare results or speed. If it asks for an unknown one, or for one
// that is not there, the error says so, and the name is what is used all the
// same.
//
// Results of different instruction sets differ in the last bits: they sum in
// another order, and only the vector ones fuse multiplication and addition.
func ISA() (name string, err error) { return isaName, isaErr }

// ISAs lists the instruction sets that the processor and the build have, from the
// plainest to the best.
func ISAs() []string { return isas[:slices.Index(isas, bestISA())+1] }

// chooseISA decides on the value of ONESHOT_ISA, given the best there is.
func chooseISA(request, best string) (string, error) {
	if request == "" {
		return best, nil
	}
	at := slices.Index(isas, request)
	switch {
	case at < 0:
		return best, fmt.Errorf("cpu: ONESHOT_ISA=%q: unknown; want one of %s; using %s", request, strings.Join(isas, ", "), best)
	case at > slices.Index(isas, best):
		return best, fmt.Errorf("cpu: ONESHOT_ISA=%s: this processor or build does not have it; using %s", request, best)
	}
	return request, nil
}
