// Command genptx writes the packed images of the kernels, made by NVRTC 11.8: PTX
// for compute capability 8.0, with the sha256 of the source in its first line, and
// machine code for 9.0, which needs no translation when it is loaded. With -check it
// compares instead, and says so where there is no such NVRTC.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"

	"oneshot/ops/cuda"
)

// maker is the version that makes the committed files, so that they are the same
// everywhere.
const maker = "11.8"

func main() {
	check := flag.Bool("check", false, "compare the files with what the compiler makes")
	flag.Parse()
	for file, architecture := range map[string]string{"kernels/kernels.ptx.gz": "compute_80", "kernels/kernels.sm_90.cubin.gz": "sm_90"} {
		if err := run(file, architecture, *check); err != nil {
			fmt.Fprintln(os.Stderr, "genptx:", err)
			os.Exit(1)
		}
	}
}

func run(file, architecture string, check bool) error {
	image, version, err := cuda.Compile(cuda.Source(), "kernels.cu", architecture)
	switch {
	case check && version != maker:
		fmt.Printf("genptx: %s not checked: NVRTC %s is not there\n", file, maker)
		return nil
	case err != nil:
		return err
	case version != maker:
		return fmt.Errorf("NVRTC is %s; the committed files are made by %s", version, maker)
	}
	if architecture == "compute_80" {
		image = append([]byte(cuda.SourceLine()), image...)
	}
	packed := cuda.Pack(image)
	if !check {
		return os.WriteFile(file, packed, 0o644)
	}
	have, err := os.ReadFile(file)
	if err == nil && !bytes.Equal(have, packed) {
		err = fmt.Errorf("%s is not what the compiler makes of the kernels: make generate-ptx", file)
	}
	return err
}
