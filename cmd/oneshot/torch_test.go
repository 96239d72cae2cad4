package main

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"testing"

	"oneshot/data"
	"oneshot/internal/fault"
	"oneshot/internal/pipeline"
	"oneshot/supernet"
	"oneshot/weights"
)

// TestExportInPyTorch: a file that the program exported gives the same logits
// in PyTorch, and a changed copy of those logits is noticed; so does one with inherited weights.
func TestExportInPyTorch(t *testing.T) {
	dir := exportInPyTorch(t, "run")
	var stderr bytes.Buffer
	if code := run([]string{"export", "--weights", "inherited", "--out", dir, "--quiet"}, &bytes.Buffer{}, &stderr); code != fault.ExitOK {
		t.Fatalf("export exits with %d: %s", code, &stderr)
	}
	made, err := filepath.Glob(filepath.Join(dir, "export-inherited", "*"))
	if err != nil || len(made) != 1 {
		t.Fatalf("%q, %v", made, err)
	}
	sameInPyTorch(t, made[0])
}

// TestOutputsAndTwinsInPyTorch: likewise of a cell with an output of chosen nodes and
// two equal pairs, which is retrained.
func TestOutputsAndTwinsInPyTorch(t *testing.T) {
	exportInPyTorch(t, "retrain", "--arch", "full3:0.sep_conv_3x3+0.sep_conv_3x3,0.avg_pool_3x3+1.skip_connect,2.max_pool_3x3+2.max_pool_3x3/3.4"+
		":0.skip_connect+0.skip_connect,1.dil_conv_3x3+1.sep_conv_3x3,2.skip_connect+2.skip_connect/unread",
		"--set", "net.ops=full", "--set", "net.nodes=3")
}

const python = "/usr/bin/python3"

// exportInPyTorch runs a verb that exports, and returns the run folder.
func exportInPyTorch(t *testing.T, verb ...string) string {
	t.Helper()
	if err := exec.Command(python, "-c", "import torch").Run(); err != nil {
		t.Skipf("%s has no torch (Debian: python3-torch)", python)
	}
	dir := filepath.Join(t.TempDir(), "run")
	var stderr bytes.Buffer
	if code := run(append(verb, "--preset", "micro", "--out", dir, "--quiet"), &bytes.Buffer{}, &stderr); code != fault.ExitOK {
		t.Fatalf("run exits with %d: %s", code, &stderr)
	}
	sameInPyTorch(t, filepath.Join(dir, "export"))
	return dir
}

// sameInPyTorch compares the network of a folder of exported files.
func sameInPyTorch(t *testing.T, dir string) {
	t.Helper()
	model := filepath.Join(dir, "model.safetensors")
	rt, err := supernet.NewRuntime(1)
	if err != nil {
		t.Fatal(err)
	}
	defer rt.Close()
	file, err := pipeline.ReadExport(model)
	if err != nil {
		t.Fatal(err)
	}
	l, err := file.Network("", 0, rt)
	if err != nil {
		t.Fatal(err)
	}
	d, err := data.Open(data.Config{Name: "shapes10", Seed: 42, TrainSize: 160, SearchSize: 40, TestSize: 40})
	if err != nil {
		t.Fatal(err)
	}
	check := func(spoil float32) (string, error) {
		for b := range d.Search.Batches(8) {
			logits, err := l.Net.Logits(l.Arch, b.X)
			if err != nil {
				t.Fatal(err)
			}
			logits[3] += spoil
			input := filepath.Join(t.TempDir(), "input.safetensors")
			if err := weights.ExportModel(input, []weights.Tensor{
				{Name: "x", Shape: []int{b.N, 3, d.Image, d.Image}, F32: nchw(b.X, d.Image)},
				{Name: "logits", Shape: []int{b.N, len(d.Classes)}, F32: logits},
			}, nil, nil); err != nil {
				t.Fatal(err)
			}
			out, err := exec.Command(python, filepath.FromSlash("../../supernet/testdata/parity.py"), "check",
				model, filepath.Join(dir, "arch.json"), input).CombinedOutput()
			return string(out), err
		}
		panic("no images")
	}
	out, err := check(0)
	if err != nil {
		t.Fatalf("PyTorch disagrees: %v\n%s", err, out)
	}
	t.Log(out)
	if out, err := check(0.01); err == nil {
		t.Errorf("a changed logit is not noticed: %s", out)
	}
}

// nchw reorders images (N,side,side,3) to torch's (N,3,side,side).
func nchw(x []float32, side int) []float32 {
	hw := side * side
	out := make([]float32, len(x))
	for i, v := range x {
		out[(i/(3*hw)*3+i%3)*hw+i/3%hw] = v
	}
	return out
}
