// Command asm writes the amd64 assembly of package cpu. One run writes one
// kernel; ops/cpu/generate.go holds the command lines.
//
// It lives in its own module below a folder the go tool ignores, so that avo is
// no dependency of oneshot.
package main

import (
	"flag"
	"fmt"
	"os"

	. "github.com/mmcloughlin/avo/build"
)

// kernels maps the value of -kernel to the function that emits its file.
var kernels = map[string]func(){
	"gemm":        gemm,
	"gemmat":      gemmAT,
	"dw":          dw,
	"dwgrad":      dwGrad,
	"add":         add,
	"maxrow":      maxRow,
	"peak":        peak,
	"dwrows":      dwRowsAVX512,
	"dwgradrows":  dwGradRowsAVX512,
	"maxpoolrow":  maxPoolRow,
	"maxpoolgrad": maxPoolGrad,
	"gemm512":     gemm512,
	"gemmat512":   gemmAT512,
	"strip":       strip,
	"strip512":    strip512,
}

func main() {
	name := flag.String("kernel", "", "kernel to emit")
	flag.Parse()
	emit, ok := kernels[*name]
	if !ok {
		fmt.Fprintf(os.Stderr, "asm: unknown kernel %q\n", *name)
		os.Exit(2)
	}
	ConstraintExpr("!noasm")
	emit()
	Generate()
}
