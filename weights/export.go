package weights

import (
	"fmt"
	"io"
	"math"
	"slices"

	"oneshot/internal/atomicfile"
)

// ExportModel writes the tensors to a safetensors file at path, atomically, and
// reads it back to prove that the file holds them bit for bit. NaN and Inf are
// refused. meta is as for WriteSafetensors.
func ExportModel(path string, ts []Tensor, meta map[string]string) error {
	if err := CheckFinite(ts); err != nil {
		return err
	}
	err := atomicfile.Write(path, fileMode, func(w io.Writer) error { return WriteSafetensors(w, ts, meta) })
	if err != nil {
		return fmt.Errorf("weights: export: %w", err)
	}
	return checkExport(path, ts)
}

// checkExport reads path back and compares it with what was to be written.
func checkExport(path string, ts []Tensor) error {
	f, err := ReadSafetensors(path)
	if err != nil {
		return fmt.Errorf("weights: export: self-check: %w", err)
	}
	want, err := sortedByName(ts)
	if err != nil {
		return err
	}
	if err := sameTensors(f.Tensors, want); err != nil {
		return fmt.Errorf("weights: export: self-check of %s: %w: %w", path, ErrCorrupt, err)
	}
	return nil
}

// sameTensors compares two lists in name order, floats by their bits.
func sameTensors(got, want []Tensor) error {
	if len(got) != len(want) {
		return fmt.Errorf("%d tensors read, %d written", len(got), len(want))
	}
	for i, w := range want {
		g := got[i]
		sameBits := func(a, b float32) bool { return math.Float32bits(a) == math.Float32bits(b) }
		if g.Name != w.Name || !slices.Equal(g.Shape, w.Shape) || g.dtype() != w.dtype() ||
			!slices.EqualFunc(g.F32, w.F32, sameBits) || !slices.Equal(g.I64, w.I64) {
			return fmt.Errorf("tensor %q reads back as another", w.Name)
		}
	}
	return nil
}
