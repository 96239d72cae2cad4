package ops

import "slices"

// Shape is the size of a tensor along each dimension; that of a scalar is empty.
type Shape []int

// Size is the number of elements: 1 for a scalar.
func (s Shape) Size() int {
	n := 1
	for _, d := range s {
		n *= d
	}
	return n
}

// Eq says whether both have the same dimensions.
func (s Shape) Eq(o Shape) bool { return slices.Equal(s, o) }

// Clone returns a copy.
func (s Shape) Clone() Shape { return slices.Clone(s) }
