package weights

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"testing"
)

// PyTorch sees the names, types, shapes and bits that were written.
func TestTorchReadsSafetensors(t *testing.T) {
	const python = "/usr/bin/python3"
	if out, err := exec.Command(python, "-c", "import torch").CombinedOutput(); err != nil {
		t.Skipf("needs %s with torch (apt-get install python3-torch): %v %s", python, err, bytes.TrimSpace(out))
	}
	ts := sample(1)
	path := filepath.Join(t.TempDir(), "model.safetensors")
	if err := ExportModel(path, ts, map[string]string{"arch": "lanas5"}, nil); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(python, "testdata/read_safetensors.py", path).Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	want, err := sortedByName(ts)
	if err != nil {
		t.Fatal(err)
	}
	dec := json.NewDecoder(bytes.NewReader(out))
	for _, w := range want {
		var got struct {
			Name, DType, SHA256 string
			Shape               []int
		}
		if err := dec.Decode(&got); err != nil {
			t.Fatalf("%s: %v", w.Name, err)
		}
		var data bytes.Buffer
		if err := writeAll(&data, nil, []Tensor{w}); err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(data.Bytes())
		dtype := map[string]string{"F32": "torch.float32", "I64": "torch.int64"}[w.dtype()]
		if got.Name != w.Name || got.DType != dtype || fmt.Sprint(got.Shape) != fmt.Sprint(w.Shape) || got.SHA256 != hex.EncodeToString(sum[:]) {
			t.Errorf("torch reads %+v, written was %s %s %v", got, w.Name, dtype, w.Shape)
		}
	}
	if dec.More() {
		t.Error("torch reads more tensors than were written")
	}
}
