package data

import (
	"slices"
	"sync/atomic"

	"oneshot/data/source"
)

// images is a collection of labelled images. Small collections are resident: decoded,
// resized and kept as bytes, so that 60,000 CIFAR images take 184 MB rather than the
// 737 MB of float32. Large ones are decoded each time from where they lie.
type images struct {
	side int     // H = W
	pix  []uint8 // (n,H,W,3), or nil
	y    []int32 // (n)

	from  *origin // nil for drawn images
	refs  []ref   // (n), where they lie in from
	views *views  // of images that are not resident
}

// ref is a record of a source.
type ref struct{ split, record int32 }

// origin is where the images of collections lie, and how they become squares.
type origin struct {
	src     source.Source
	decoder string  // of decode
	crop    float64 // Config.CropPct
	stretch bool
	bad     *badSamples
}

// newImages allocates n black images of label 0.
func newImages(n, side int) *images {
	return &images{side: side, pix: make([]uint8, n*side*side*3), y: make([]int32, n)}
}

func (m *images) len() int { return len(m.y) }

// resident tells whether all images are decoded.
func (m *images) resident() bool { return m.pix != nil }

// isBad tells whether image i was found bad.
func (m *images) isBad(i int32) bool { return m.from != nil && m.from.bad.has(m.refs[i]) }

// good returns those of idx that were not found bad.
func (m *images) good(idx []int32) []int32 {
	if !slices.ContainsFunc(idx, m.isBad) {
		return idx
	}
	return slices.DeleteFunc(slices.Clone(idx), m.isBad)
}

// size is how many bytes an image has, (H,W,3).
func (m *images) size() int { return m.side * m.side * 3 }

// at returns image i, (H,W,3), of a resident collection.
func (m *images) at(i int) []uint8 {
	size := m.size()
	return m.pix[i*size : (i+1)*size : (i+1)*size]
}

// bytes is about what the collection takes, with the views that it may keep.
func (m *images) bytes() int64 {
	n := int64(len(m.pix)) + 4*int64(len(m.y)) + 8*int64(len(m.refs))
	if !m.resident() && m.views != nil {
		n += min(viewBytes, int64(len(m.views.of))*int64(m.size())) + 8*int64(len(m.views.of))
	}
	return n
}

// viewBytes is how many bytes of views a collection keeps. Those of the images that score
// subnetworks are asked for again and again; 256 MiB are 21,000 images of 64 pixels.
// Tests set less.
var viewBytes int64 = 256 << 20

// views keeps the first images that were looked at without augmentation, as long as there
// is room. What it holds never changes a result.
type views struct {
	of   []atomic.Pointer[[]uint8] // (n)
	left atomic.Int64
}

func newViews(n int) *views {
	v := &views{of: make([]atomic.Pointer[[]uint8], n)}
	v.left.Store(viewBytes)
	return v
}

// get returns the view of image i, or nil.
func (v *views) get(i int32) []uint8 {
	if len(v.of) == 0 {
		return nil
	}
	if p := v.of[i].Load(); p != nil {
		return *p
	}
	return nil
}

// put keeps a copy of the view of image i, if there is room.
func (v *views) put(i int32, view []uint8) {
	if v.left.Add(-int64(len(view))) < 0 {
		v.left.Add(int64(len(view)))
		return
	}
	kept := append([]uint8(nil), view...)
	if !v.of[i].CompareAndSwap(nil, &kept) {
		v.left.Add(int64(len(view))) // another reader was first
	}
}
