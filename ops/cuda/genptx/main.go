// Command genptx writes the packed images of the kernels, made by NVRTC 11.8: PTX
// for compute capability 8.0, with the sha256 of the source in its first line, and
// machine code for 9.0, which needs no translation when it is loaded.
//
// With -check it compiles the kernels and wants all of them in the result; it says
// so where there is no such NVRTC. It does not compare bytes: this NVRTC numbers
// registers differently from one time to the next. That the files were made of the
// present source, a test of package cuda checks.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"

	"oneshot/ops/cuda"
)

// maker is the version that makes the committed files.
const maker = "11.8"

func main() {
	check := flag.Bool("check", false, "only see that the kernels compile")
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
		fmt.Printf("genptx: %s not checked: NVRTC %s is not there\n", architecture, maker)
		return nil
	case err != nil:
		return err
	case version != maker:
		return fmt.Errorf("NVRTC is %s; the committed files are made by %s", version, maker)
	}
	for _, name := range cuda.Symbols() {
		if !bytes.Contains(image, []byte(name)) {
			return fmt.Errorf("%s has no kernel %s", architecture, name)
		}
	}
	if check {
		return nil
	}
	if architecture == "compute_80" {
		image = append([]byte(cuda.SourceLine()), image...)
	}
	return os.WriteFile(file, cuda.Pack(image), 0o644)
}
