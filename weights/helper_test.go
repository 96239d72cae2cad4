package weights

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"

	"oneshot/internal/atomicfile/faultfs"
)

// sample returns tensors with every case of the format: both types, a scalar,
// an empty one, a name that JSON escapes, and bits that arithmetic would lose.
// Different versions differ in data only.
func sample(version int) []Tensor {
	return []Tensor{
		{Name: "stem.conv.weight", Shape: []int{2, 1, 1, 3}, F32: []float32{1, float32(version), float32(math.Copysign(0, -1)), math.SmallestNonzeroFloat32, math.MaxFloat32, -0.1}},
		{Name: "stem.bn.num_batches_tracked", I64: []int64{int64(version) << 40}},
		{Name: "empty", Shape: []int{0, 3}, F32: []float32{}},
		{Name: `a "quoted" <name> ü`, Shape: []int{2}, I64: []int64{math.MinInt64, math.MaxInt64}},
	}
}

func sampleCheckpoint(step, version int) Checkpoint {
	return Checkpoint{Step: step, Tensors: sample(version), State: json.RawMessage(fmt.Sprintf(`{"version": %d,"epoch":7}`, version))}
}

// sameCheckpoint compares two checkpoints, floats by their bits.
func sameCheckpoint(got, want Checkpoint) error {
	sorted, err := sortedByName(want.Tensors)
	if err != nil {
		return err
	}
	if got.Step != want.Step || string(got.State) != string(want.State) {
		return fmt.Errorf("step %d, state %s; want %d, %s", got.Step, got.State, want.Step, want.State)
	}
	return sameTensors(got.Tensors, sorted)
}

// quickSave saves without reaching the disk.
func quickSave(t testing.TB, dir string, c Checkpoint, keep int) {
	t.Helper()
	if err := (saver{&faultfs.FS{}}).save(dir, c.Step, c, keep); err != nil {
		t.Fatal(err)
	}
}

// names lists dir.
func names(t testing.TB, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var ns []string
	for _, e := range entries {
		ns = append(ns, e.Name())
	}
	return ns
}

func readFile(t testing.TB, elem ...string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(elem...))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func writeFile(t testing.TB, b []byte, elem ...string) string {
	t.Helper()
	path := filepath.Join(elem...)
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}
