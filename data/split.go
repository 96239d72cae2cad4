package data

import (
	"cmp"
	"iter"
	"math/rand/v2"
	"slices"

	"oneshot/data/pixels"
	"oneshot/internal/rng"
)

// split is a view: some images of a collection, in a fixed order.
type split struct {
	img  *images
	idx  []int32 // into img, ascending
	norm *pixels.Normaliser
	keep bool // its images are looked at again and again
	// classes is how many classes the data set has; a split may lack some.
	classes int
}

// The three splits wrap the same thing under different field names: two Go
// struct types with identical fields could be converted into each other.

// Train holds the images that train weights and recalibrate batch norm.
type Train struct {
	train  split
	search []int32 // the images WithSearch puts back
}

// Search holds the images that score subnetworks. No gradient sees them until
// WithSearch hands them to the final training.
type Search struct{ search split }

// Test holds the test images. Read them once, for the figure that is reported.
type Test struct{ test split }

// Len returns the number of images.
func (t *Train) Len() int { return len(t.train.idx) }

// Len returns the number of images.
func (s *Search) Len() int { return len(s.search.idx) }

// Len returns the number of images.
func (t *Test) Len() int { return len(t.test.idx) }

// Part returns n of the images, class by class in proportion, the first ones of
// each: the same images at every call. With n = 0, or as many as there are, it
// is s itself. It panics when n is negative.
func (s *Search) Part(n int) *Search {
	if n < 0 {
		panic("data: a part of fewer than no images")
	}
	all := &s.search
	if n == 0 || n >= len(all.idx) {
		return s
	}
	var byClass [][]int32
	for _, i := range all.idx {
		y := int(all.img.y[i])
		for len(byClass) <= y {
			byClass = append(byClass, nil)
		}
		byClass[y] = append(byClass[y], i)
	}
	var pick []int32
	for c, q := range quotas(byClass, len(all.idx), n, nil) {
		pick = append(pick, byClass[c][:q]...)
	}
	slices.Sort(pick)
	return &Search{search: split{img: all.img, idx: pick, norm: all.norm, keep: all.keep, classes: all.classes}}
}

// Batches yields all images in a fixed order without augmentation, size at a
// time, the last batch as short as it comes. The batch is overwritten by the
// next round: copy what must outlive it. Iterations are independent of each
// other and may run concurrently. It panics when size < 1.
func (s *Search) Batches(size int) iter.Seq[*Batch] { return s.search.batches(s.search.idx, size) }

// Batches works like Search.Batches.
func (t *Test) Batches(size int) iter.Seq[*Batch] { return t.test.batches(t.test.idx, size) }

// Calib yields n training images (all of them when n is larger), chosen without
// replacement by seed, without augmentation, batch at a time: the input of
// batch-norm recalibration. The batch is overwritten by the next round; only the
// last may be short. It panics when n or batch < 1.
func (t *Train) Calib(seed uint64, n, batch int) iter.Seq[*Batch] {
	if n < 1 {
		panic("data: calibration on no images")
	}
	s := &t.train
	pick := make([]int32, min(n, len(s.idx)))
	for k, j := range rng.New(seed, "calib").Perm(len(s.idx))[:len(pick)] {
		pick[k] = s.idx[j]
	}
	return s.batches(pick, batch)
}

// WithSearch returns the union of Train and Search, for the final training of
// the architecture that the search has settled on: from then on Search is no
// longer held out. Normalisation stays as it is. It returns an equal split when
// called on its own result.
func (t *Train) WithSearch() *Train {
	all := slices.Concat(t.train.idx, t.search)
	slices.Sort(all)
	return &Train{train: split{img: t.train.img, idx: all, norm: t.train.norm, keep: t.train.keep, classes: t.train.classes}}
}

// divide carves n of the images out by seed, class by class in proportion, and
// returns the rest and the carved, both ascending. Every class keeps an image, so fewer
// are carved where some have only one.
func divide(y []int32, classes, n int, seed uint64) (rest, carved []int32) {
	byClass := make([][]int32, classes)
	for i, c := range y {
		byClass[c] = append(byClass[c], int32(i))
	}
	quota := quotas(byClass, len(y), n, rng.New(seed, "split ties"))
	leaveOne(quota, byClass)
	for c, members := range byClass {
		r := rng.New(seed, "split", uint64(c))
		r.Shuffle(len(members), func(a, b int) { members[a], members[b] = members[b], members[a] })
		carved = append(carved, members[:quota[c]]...)
		rest = append(rest, members[quota[c]:]...)
	}
	slices.Sort(rest)
	slices.Sort(carved)
	return rest, carved
}

// quotas shares n of total among the classes in proportion to their sizes: whole
// parts first, then one more for the largest remainders (Hamilton's method). r orders
// classes of equal remainder, so that no end of the list is preferred; with nil the lower
// class comes first. A quota never exceeds its class while n <= total.
func quotas(byClass [][]int32, total, n int, r *rand.Rand) []int {
	quota, order := make([]int, len(byClass)), make([]int, len(byClass))
	if n == 0 {
		return quota
	}
	left := n
	for c, m := range byClass {
		quota[c], order[c] = len(m)*n/total, c
		left -= quota[c]
	}
	if r != nil {
		r.Shuffle(len(order), func(a, b int) { order[a], order[b] = order[b], order[a] })
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Compare(len(byClass[b])*n%total, len(byClass[a])*n%total)
	})
	for _, c := range order[:left] {
		quota[c]++
	}
	return quota
}

// leaveOne lowers quotas so that every class keeps an image.
func leaveOne(quota []int, byClass [][]int32) {
	for c, members := range byClass {
		quota[c] = max(0, min(quota[c], len(members)-1))
	}
}

// atLeastOne gives every class that has images a quota of one, which the largest quotas
// give up. They add up to at least the number of classes.
func atLeastOne(quota []int, byClass [][]int32) {
	for c, members := range byClass {
		if quota[c] == 0 && len(members) > 0 {
			quota[slices.Index(quota, slices.Max(quota))]--
			quota[c] = 1
		}
	}
}

// split sets the three splits. Collection img has the images train and search; where search
// images have a split of their own, they stand behind the training images. Collection test
// has the images tested.
func (d *Dataset) split(img *images, train, search []int32, test *images, tested []int32, as *Preprocess) {
	if as != nil {
		d.Mean, d.Std = as.Mean, as.Std
	}
	norm, n := pixels.NewNormaliser(d.Mean, d.Std), len(d.Classes)
	d.Train = &Train{train: split{img, train, norm, true, n}, search: search}
	d.Search = &Search{search: split{img, search, norm, true, n}}
	d.Test = &Test{test: split{test, tested, norm, false, n}}
}
