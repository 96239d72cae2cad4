// Command genptx writes the images of the kernels, made by NVRTC 11.8: PTX for
// compute capability 8.0, with the sha256 of the source in its first line, and
// machine code for 9.0, which needs no translation when it is loaded. Both are
// stored as they are, not compressed, and the PTX in a normal form, so that git
// keeps of a new version only what differs: see bench/gpu.md.
//
// With -check it compiles the kernels and wants all of them in the result; it says so
// where there is no such NVRTC. The result is not compared with the committed files: the
// same source gives a few other instructions, and so other counts of registers, from one
// time to the next. Whether the PTX is of this source its first line says (a test of
// package cuda compares it).
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
	check := flag.Bool("check", false, "compile, write nothing")
	flag.Parse()
	for file, architecture := range map[string]string{cuda.PTXFile: "compute_80", cuda.CubinFile: "sm_90"} {
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
	if file == cuda.PTXFile {
		image = append([]byte(cuda.SourceLine()), normal(image)...)
	}
	if check {
		return nil
	}
	return os.WriteFile(file, image, 0o644)
}
