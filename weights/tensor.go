package weights

import (
	"fmt"
	"math"
	"math/bits"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Tensor is a named array in row-major order. Exactly one of F32 and I64 is
// non-nil and holds as many elements as Shape says; an empty Shape is a scalar.
type Tensor struct {
	Name  string
	Shape []int
	F32   []float32
	I64   []int64
}

// dtype returns the safetensors name of the element type.
func (t Tensor) dtype() string {
	if t.I64 != nil {
		return "I64"
	}
	return "F32"
}

// size returns the bytes of the data; check has passed.
func (t Tensor) size() int64 { return 4*int64(len(t.F32)) + 8*int64(len(t.I64)) }

func (t Tensor) check() error {
	switch {
	case t.Name == "" || t.Name == metadataKey:
		return fmt.Errorf("weights: %q cannot name a tensor", t.Name)
	case !utf8.ValidString(t.Name):
		return fmt.Errorf("weights: tensor name %q is not UTF-8", t.Name)
	case (t.F32 == nil) == (t.I64 == nil):
		return fmt.Errorf("weights: tensor %q needs exactly one of F32 and I64", t.Name)
	}
	n, ok := elements(t.Shape)
	if !ok {
		return fmt.Errorf("weights: tensor %q: shape %v is negative or too large", t.Name, t.Shape)
	}
	if got := len(t.F32) + len(t.I64); int64(got) != n {
		return fmt.Errorf("weights: tensor %q: shape %v holds %d elements, data has %d", t.Name, t.Shape, n, got)
	}
	return nil
}

// elements multiplies the dimensions; ok is false where one is negative or the
// product, even one that a later zero would undo, leaves the int64 range.
func elements(shape []int) (n int64, ok bool) {
	n = 1
	for _, d := range shape {
		if n, ok = mul(n, int64(d)); !ok {
			return 0, false
		}
	}
	return n, true
}

// mul multiplies two counts and reports whether the product is one.
func mul(a, b int64) (int64, bool) {
	if a < 0 || b < 0 {
		return 0, false
	}
	hi, lo := bits.Mul64(uint64(a), uint64(b))
	return int64(lo), hi == 0 && lo <= math.MaxInt64
}

// sortedByName returns the tensors in name order, each valid and no name twice.
func sortedByName(ts []Tensor) ([]Tensor, error) {
	sorted := slices.Clone(ts)
	slices.SortStableFunc(sorted, func(a, b Tensor) int { return strings.Compare(a.Name, b.Name) })
	for i, t := range sorted {
		if err := t.check(); err != nil {
			return nil, err
		}
		if i > 0 && t.Name == sorted[i-1].Name {
			return nil, fmt.Errorf("weights: two tensors are named %q", t.Name)
		}
	}
	return sorted, nil
}

// A NonFiniteError names the first NaN or Inf of a list of tensors.
type NonFiniteError struct {
	Tensor string
	Index  int // in row-major order
	Value  float32
}

func (e *NonFiniteError) Error() string {
	return "weights: tensor " + strconv.Quote(e.Tensor) + " holds " +
		strconv.FormatFloat(float64(e.Value), 'g', -1, 32) + " at index " + strconv.Itoa(e.Index)
}

// CheckFinite returns a *NonFiniteError for the first element, in the order
// given, that is NaN or infinite.
func CheckFinite(ts []Tensor) error {
	for _, t := range ts {
		for i, v := range t.F32 {
			// All exponent bits set: NaN or Inf. Subtracting and comparing
			// would miss nothing either, but this is one test.
			if math.Float32bits(v)&0x7f800000 == 0x7f800000 {
				return &NonFiniteError{t.Name, i, v}
			}
		}
	}
	return nil
}
