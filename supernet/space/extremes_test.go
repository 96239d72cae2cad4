package space_test

import (
	"slices"
	"testing"

	"oneshot/supernet/space"
)

// TestExtremes: also behind a candidate that passes nothing on, where by itself the first choice adds nothing; of equals by
// the first figure the second decides, and of those that are equal in both the first is taken.
func TestExtremes(t *testing.T) {
	cost := func(a space.Arch) ([2]int64, error) {
		if a[0] == 0 || a[1] == 0 {
			return [2]int64{0, int64(-a[2])}, nil
		}
		return [2]int64{int64(10*a[0] + a[1]), int64(-a[2])}, nil
	}
	largest, smallest, err := space.Extremes([]int{3, 3, 2, 4}, cost)
	if err != nil || !slices.Equal(largest, space.Arch{2, 2, 0, 0}) || !slices.Equal(smallest, space.Arch{0, 0, 1, 0}) {
		t.Errorf("largest %v, smallest %v, %v", largest, smallest, err)
	}
}
