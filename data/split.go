package data

import (
	"cmp"
	"iter"
	"slices"

	"oneshot/internal/rng"
)

// Batch is N images and their labels.
type Batch struct {
	X []float32 // (N,H,W,3), normalised
	Y []int32   // (N)
	N int
}

// split is a view: some images of a collection, in a fixed order.
type split struct {
	img  *images
	idx  []int32 // into img, ascending
	norm *normTable
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
	for c, q := range quotas(byClass, len(all.idx), n) {
		pick = append(pick, byClass[c][:q]...)
	}
	slices.Sort(pick)
	return &Search{search: split{img: all.img, idx: pick, norm: all.norm}}
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
	return &Train{train: split{img: t.train.img, idx: all, norm: t.train.norm}}
}

// batches yields the images of idx in the order of idx.
func (s *split) batches(idx []int32, size int) iter.Seq[*Batch] {
	if size < 1 {
		panic("data: batch size < 1")
	}
	return func(yield func(*Batch) bool) {
		var b *Batch
		for len(idx) > 0 {
			n := min(size, len(idx))
			if b == nil {
				b = s.newBatch(n)
			}
			b.resize(n, s.img.side)
			for k, i := range idx[:n] {
				s.put(b, k, i, placement{})
			}
			idx = idx[n:]
			if !yield(b) {
				return
			}
		}
	}
}

// newBatch allocates a batch for up to n images.
func (s *split) newBatch(n int) *Batch {
	return &Batch{X: make([]float32, n*s.img.side*s.img.side*3), Y: make([]int32, n), N: n}
}

// resize sets the number of images, which must fit the batch's capacity.
func (b *Batch) resize(n, side int) {
	b.N, b.X, b.Y = n, b.X[:n*side*side*3], b.Y[:n]
}

// put writes image i (an index into the collection) to place k of b.
func (s *split) put(b *Batch, k int, i int32, p placement) {
	size := s.img.side * s.img.side * 3
	render(b.X[k*size:(k+1)*size], s.img.at(int(i)), s.img.side, s.norm, p)
	b.Y[k] = s.img.y[i]
}

// divide carves n of the images out by seed, class by class in proportion, and
// returns the rest and the carved, both ascending.
func divide(y []int32, classes, n int, seed uint64) (rest, carved []int32) {
	byClass := make([][]int32, classes)
	for i, c := range y {
		byClass[c] = append(byClass[c], int32(i))
	}
	quota := quotas(byClass, len(y), n)
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
// parts first, then one more for the largest remainders (Hamilton's method), ties
// to the lower class. A quota never exceeds its class while n <= total.
func quotas(byClass [][]int32, total, n int) []int {
	quota, order := make([]int, len(byClass)), make([]int, len(byClass))
	left := n
	for c, m := range byClass {
		quota[c], order[c] = len(m)*n/total, c
		left -= quota[c]
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Compare(len(byClass[b])*n%total, len(byClass[a])*n%total)
	})
	for _, c := range order[:left] {
		quota[c]++
	}
	return quota
}

// build assembles a Dataset from decoded images. mean and std of zero are
// computed from the Train split.
func build(c Config, classes []string, train, test *images, mean, std [3]float32) *Dataset {
	rest, carved := divide(train.y, len(classes), c.SearchSize, c.Seed)
	if mean == ([3]float32{}) {
		mean, std = statistics(train, rest)
	}
	norm := newNormTable(mean, std)
	all := make([]int32, test.len())
	for i := range all {
		all[i] = int32(i)
	}
	return &Dataset{
		Name: c.Name, Classes: slices.Clone(classes), Image: train.side, Mean: mean, Std: std,
		Train:  &Train{train: split{train, rest, norm}, search: carved},
		Search: &Search{search: split{train, carved, norm}},
		Test:   &Test{test: split{test, all, norm}},
	}
}
