package weights_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"oneshot/weights"
)

func ExampleSaveCheckpoint() {
	root, err := os.MkdirTemp("", "example")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(root)
	dir := filepath.Join(root, "supernet")

	_, _, err = weights.LoadLatest(dir)
	fmt.Println("before:", errors.Is(err, weights.ErrNoCheckpoint))
	for step := 100; step <= 300; step += 100 {
		c := weights.Checkpoint{
			Step:    step,
			Tensors: []weights.Tensor{{Name: "classifier.bias", Shape: []int{2}, F32: []float32{0.5, float32(step)}}},
			State:   json.RawMessage(`{"epoch":1}`),
		}
		if err := weights.SaveCheckpoint(dir, step, c, 2); err != nil {
			fmt.Println(err)
			return
		}
	}
	// A damaged file: the checkpoint before takes its place.
	os.Truncate(filepath.Join(dir, "ckpt-00000300", "model.safetensors"), 50)
	c, skipped, err := weights.LoadLatest(dir)
	fmt.Println(c.Step, c.Tensors[0].F32, string(c.State), err)
	fmt.Println("skipped:", len(skipped), errors.Is(skipped[0], weights.ErrCorrupt))
	// Output:
	// before: true
	// 200 [0.5 200] {"epoch":1} <nil>
	// skipped: 1 true
}

func ExampleExportModel() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "model.safetensors")
	ts := []weights.Tensor{
		{Name: "stem.bn.num_batches_tracked", I64: []int64{500}},
		{Name: "classifier.weight", Shape: []int{2, 2}, F32: []float32{1, 2, 3, 4}},
	}
	if err := weights.ExportModel(path, ts, map[string]string{"arch": "best"}, nil); err != nil {
		fmt.Println(err)
		return
	}
	f, err := weights.ReadSafetensors(path)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, t := range f.Tensors {
		fmt.Println(t.Name, t.Shape, t.F32, t.I64)
	}
	fmt.Println(f.Meta)
	// Output:
	// classifier.weight [2 2] [1 2 3 4] []
	// stem.bn.num_batches_tracked [] [] [500]
	// map[arch:best format:pt]
}

func ExampleReadSafetensors() {
	f, err := os.CreateTemp("", "example")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.Remove(f.Name())
	f.WriteString("not weights at all")
	f.Close()
	_, err = weights.ReadSafetensors(f.Name())
	var format *weights.FormatError
	if errors.As(err, &format) {
		fmt.Println(format.Offset, format.Field, "-", format.Hint)
	}
	// Output:
	// 0 header length - is this a safetensors file?
}
