package cuda

import (
	"bytes"
	"os"
	"testing"
)

// TestArgsSourceIsFresh: kernels/args.cu is what args.go says.
func TestArgsSourceIsFresh(t *testing.T) {
	got, err := os.ReadFile("kernels/args.cu")
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != ArgsSource() {
		t.Error("kernels/args.cu differs from args.go: go generate ./ops/cuda")
	}
}

// TestPTXIsOfThisSource: the embedded PTX was made of the present kernels, and has
// every one of them.
func TestPTXIsOfThisSource(t *testing.T) {
	ptx := PTX()
	if !bytes.HasPrefix(ptx, []byte(SourceLine())) {
		t.Error(PTXFile + " was made of other kernels: make generate-ptx")
	}
	for _, s := range Symbols() {
		if !bytes.Contains(ptx, []byte(".entry "+s+"(")) {
			t.Errorf("the PTX has no kernel %s", s)
		}
	}
}
