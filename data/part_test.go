package data

import (
	"slices"
	"testing"
)

// TestPartIsFixedAndBalanced: a part holds the first images of every class, in
// proportion, the same ones each time; asking for all of them is the split itself.
func TestPartIsFixedAndBalanced(t *testing.T) {
	s := small(t).Search // 4 images of each of 10 classes
	p := s.Part(25)
	if p.Len() != 25 || !slices.Equal(p.search.idx, s.Part(25).search.idx) || !slices.IsSorted(p.search.idx) {
		t.Fatalf("%d images, want the same 25, ascending", p.Len())
	}
	var count [10]int
	for _, i := range p.search.idx {
		if !slices.Contains(s.search.idx, i) {
			t.Errorf("image %d is not a search image", i)
		}
		count[s.search.img.y[i]]++
	}
	for c, n := range count {
		if n != 2 && n != 3 { // 2.5 each
			t.Errorf("class %d has %d images", c, n)
		}
		first := slices.IndexFunc(s.search.idx, func(i int32) bool { return int(s.search.img.y[i]) == c })
		if !slices.Contains(p.search.idx, s.search.idx[first]) {
			t.Errorf("class %d lacks its first image", c)
		}
	}
	for _, n := range []int{0, 40, 41} {
		if s.Part(n) != s {
			t.Errorf("Part(%d) is not the split itself", n)
		}
	}
	images := 0
	for b := range s.Part(7).Batches(3) {
		images += b.N
	}
	if images != 7 {
		t.Errorf("batches of a part of 7 have %d images", images)
	}
}
