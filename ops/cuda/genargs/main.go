// Command genargs writes kernels/args.cu: the argument structs of args.go as the
// kernels see them.
package main

import (
	"fmt"
	"os"

	"oneshot/ops/cuda"
)

func main() {
	if err := os.WriteFile("kernels/args.cu", []byte(cuda.ArgsSource()), 0o644); err != nil {
		fmt.Fprintln(os.Stderr, "genargs:", err)
		os.Exit(1)
	}
}
