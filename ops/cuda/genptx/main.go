// Command genptx writes kernels/kernels.ptx.gz: the kernels compiled by NVRTC 11.8
// for compute capability 8.0, with the sha256 of their source in the first line.
// With -check it compares instead, and says so where there is no such NVRTC.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"

	"oneshot/ops/cuda"
)

func main() {
	check := flag.Bool("check", false, "compare the file with what the compiler makes")
	flag.Parse()
	if err := run(*check); err != nil {
		fmt.Fprintln(os.Stderr, "genptx:", err)
		os.Exit(1)
	}
}

const file = "kernels/kernels.ptx.gz"

func run(check bool) error {
	ptx, version, err := cuda.CompilePTX(cuda.Source(), "kernels.cu")
	if err != nil {
		if check && version == "" {
			fmt.Println("genptx: skipped,", err)
			return nil
		}
		return err
	}
	if version != "11.8" {
		if check {
			fmt.Printf("genptx: skipped, NVRTC %s is not the one that made the file (11.8)\n", version)
			return nil
		}
		return fmt.Errorf("NVRTC is %s; the committed file is made by 11.8, so that it is the same everywhere", version)
	}
	ptx = cuda.PackPTX(append([]byte(cuda.SourceLine()), ptx...))
	if !check {
		return os.WriteFile(file, ptx, 0o644)
	}
	have, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if !bytes.Equal(have, ptx) {
		return fmt.Errorf("%s is not what the compiler makes of the kernels: make generate-ptx", file)
	}
	return nil
}
