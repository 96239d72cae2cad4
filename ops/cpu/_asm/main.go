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
	"gemm_avx2":             gemm,
	"gemm_at_avx2":          gemmAT,
	"depthwise_avx2":        dw,
	"depthwise_grad_avx2":   dwGrad,
	"add_avx2":              add,
	"maxpool_avx2":          maxRow,
	"depthwise_avx512":      dwRowsAVX512,
	"depthwise_grad_avx512": dwGradRowsAVX512,
	"maxpool_avx512":        maxPoolRow,
	"maxpool_values_avx512": maxPoolValues,
	"maxpool_grad":          maxPoolGrad,
	"gemm_avx512":           gemm512,
	"gemm_at_avx512":        gemmAT512,
	"norm_relu_avx2":        strip,
	"norm_relu_avx512":      strip512,
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
