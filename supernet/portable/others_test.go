package portable_test

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"oneshot/supernet/portable"
	"oneshot/weights"
)

const python = "/usr/bin/python3"

// TestModuleInPyTorch: the written modules load the safetensors files and give our logits in PyTorch, and they train.
func TestModuleInPyTorch(t *testing.T) {
	if err := exec.Command(python, "-c", "import torch").Run(); err != nil {
		t.Skipf("%s has no torch (Debian: python3-torch)", python)
	}
	others(t, python, []string{"testdata/check_torch.py"}, func(dir string, s sample) error {
		text, err := portable.Python(s.model)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, "model.py"), text, 0o644); err != nil {
			return err
		}
		if err := weights.ExportModel(filepath.Join(dir, "model.safetensors"), s.model.Tensors, nil, nil); err != nil {
			return err
		}
		side := s.model.Net.Image
		return weights.ExportModel(filepath.Join(dir, "case.safetensors"), []weights.Tensor{
			{Name: "x", Shape: []int{s.n, 3, side, side}, F32: s.nchw(false)},
			{Name: "logits", Shape: []int{s.n, len(s.model.Classes)}, F32: s.logits},
		}, nil, nil)
	})
}

// modulesEnv names the node_modules folder with onnxruntime-node; `make test-export` installs one.
const modulesEnv = "ONNXRUNTIME_MODULES"

// TestONNXInRuntime: onnxruntime gives our logits, whichever way the network is written.
func TestONNXInRuntime(t *testing.T) {
	modules := os.Getenv(modulesEnv)
	if modules == "" {
		t.Skipf("%s names no node_modules with onnxruntime-node; make test-export installs it", modulesEnv)
	}
	others(t, "node", []string{"testdata/check_runtime.mjs", modules}, func(dir string, s sample) error {
		made := map[string]any{"image": s.model.Net.Image, "classes": len(s.model.Classes), "logits": base64Floats(s.logits)}
		inputs := map[string]string{}
		for _, o := range s.options {
			b, err := portable.ONNX(s.model, o)
			if err != nil {
				return err
			}
			name := fmt.Sprintf("model-plain=%v-pixels=%v.onnx", o.PlainNorm, o.Pixels)
			inputs[name] = base64Floats(s.nchw(o.Pixels))
			if err := os.WriteFile(filepath.Join(dir, name), b, 0o644); err != nil {
				return err
			}
		}
		made["inputs"] = inputs
		b, err := json.Marshal(made)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(dir, "case.json"), b, 0o644)
	})
}

// TestONNXFullCheck: ONNX's checker accepts the files.
func TestONNXFullCheck(t *testing.T) {
	if err := exec.Command(python, "-c", "import onnx").Run(); err != nil {
		t.Skipf("%s has no onnx (Debian: python3-onnx)", python)
	}
	var files []string
	dir := t.TempDir()
	for i, s := range parity(t) {
		for k, o := range s.options {
			b, err := portable.ONNX(s.model, o)
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, filepath.Join(dir, fmt.Sprintf("%d-%d.onnx", i, k)))
			if err := os.WriteFile(files[len(files)-1], b, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	out, err := exec.Command(python, append([]string{"testdata/check_onnx.py"}, files...)...).CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Error(err)
	}
}

// others runs a program on a folder for each sample, which write fills.
func others(t *testing.T, program string, args []string, write func(dir string, s sample) error) {
	t.Helper()
	for _, s := range parity(t) {
		dir := filepath.Join(t.TempDir(), s.name)
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := write(dir, s); err != nil {
			t.Fatal(err)
		}
		args = append(args, dir)
	}
	out, err := exec.Command(program, args...).CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Error(err)
	}
}

func base64Floats(v []float32) string {
	var b []byte
	for _, x := range v {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
	}
	return base64.StdEncoding.EncodeToString(b)
}
