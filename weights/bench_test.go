package weights

import (
	"bytes"
	"io"
	"path/filepath"
	"testing"
)

// benchTensors is about the size of the default retrained network with its
// momentum: 16 MiB in 256 tensors.
func benchTensors() (ts []Tensor, size int64) {
	for i := range 256 {
		data := make([]float32, 16<<10)
		for j := range data {
			data[j] = float32(i*j) / 7
		}
		ts = append(ts, Tensor{Name: checkpointName(i), Shape: []int{16, 1024}, F32: data})
		size += 4 * int64(len(data))
	}
	return ts, size
}

func BenchmarkWriteSafetensors(b *testing.B) {
	ts, size := benchTensors()
	b.SetBytes(size)
	for b.Loop() {
		if err := WriteSafetensors(io.Discard, ts, nil); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkReadSafetensors(b *testing.B) {
	ts, size := benchTensors()
	data := encode(b, ts, nil)
	b.SetBytes(size)
	for b.Loop() {
		if _, err := readSafetensors(bytes.NewReader(data), int64(len(data)), "m"); err != nil {
			b.Fatal(err)
		}
	}
}

// A save hashes, writes and waits for the disk: each step is another.
func BenchmarkSaveCheckpoint(b *testing.B) {
	ts, size := benchTensors()
	dir := filepath.Join(b.TempDir(), "c")
	b.SetBytes(size)
	for step := 0; b.Loop(); step++ {
		if err := SaveCheckpoint(dir, step, Checkpoint{step, ts, []byte("{}")}, 2); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLoadLatest(b *testing.B) {
	ts, size := benchTensors()
	dir := filepath.Join(b.TempDir(), "c")
	quickSave(b, dir, Checkpoint{1, ts, []byte("{}")}, 1)
	b.SetBytes(size)
	for b.Loop() {
		if _, _, err := LoadLatest(dir); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCheckFinite(b *testing.B) {
	ts, size := benchTensors()
	b.SetBytes(size)
	for b.Loop() {
		if err := CheckFinite(ts); err != nil {
			b.Fatal(err)
		}
	}
}
