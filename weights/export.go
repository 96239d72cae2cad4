package weights

import (
	"fmt"
	"io"
	"math"
	"slices"

	"oneshot/internal/atomicfile"
)

// ExportModel writes the tensors to a safetensors file at path, atomically, and reads it back to prove that the file holds
// them bit for bit. NaN and Inf are refused. meta is as for WriteSafetensors. check, if not nil, reads the file too, by the
// name that it has until it takes its place; its error leaves what was there before.
func ExportModel(path string, ts []Tensor, meta map[string]string, check func(temp string) error) error {
	if err := CheckFinite(ts); err != nil {
		return err
	}
	write := func(w io.Writer) error { return WriteSafetensors(w, ts, meta) }
	err := atomicfile.WriteChecked(path, fileMode, write, func(temp string) error {
		if err := checkExport(temp, path, ts); err != nil {
			return fmt.Errorf("self-check of %s: %w", path, err)
		}
		if check == nil {
			return nil
		}
		return check(temp)
	})
	if err != nil {
		return fmt.Errorf("weights: export: %w", err)
	}
	return nil
}

// checkExport reads temp back, which will be path, and compares it with what was to be written.
func checkExport(temp, path string, ts []Tensor) error {
	file, size, err := openRegular(temp)
	if err != nil {
		return atomicfile.Cause(err)
	}
	defer file.Close()
	f, err := readSafetensors(file, size, path)
	if err != nil {
		return err
	}
	want, err := sortedByName(ts)
	if err != nil {
		return err
	}
	if err := sameTensors(f.Tensors, want); err != nil {
		return fmt.Errorf("%w: %w", ErrCorrupt, err)
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
