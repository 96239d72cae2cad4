package data

import (
	"math"
	"math/rand/v2"

	"oneshot/data/pixels"
	"oneshot/internal/rng"
)

// mix is a drawn mixing of an image with a partner. The zero value is none.
type mix struct {
	// keep and rest are the shares of the image and of its partner, in the labels and, in
	// mixup, in the pixels. They add up to 1 but for their rounding.
	keep, rest float32
	// cut tells that the partner covers box rather than being added. In an empty box there
	// is nothing of it.
	cut bool
	box pixels.Rect
}

// on tells whether anything is mixed.
func (m mix) on() bool { return m.keep != 0 || m.rest != 0 }

// mix makes the draw of one mixing for images of the given side.
func (a *Augment) mix(r *rand.Rand, side int) mix {
	if !(r.Float64() < a.MixProb) {
		return mix{}
	}
	cut := a.CutMix > 0
	if cut && a.Mixup > 0 {
		cut = r.IntN(2) == 0
	}
	if !cut {
		return added(beta(r, a.Mixup))
	}
	part := beta(r, a.CutMix)
	return pasted(part, r.IntN(side), r.IntN(side), side)
}

// added is mixup: the image's values and label are weighed by share, its partner's by the rest.
func added(share float64) mix { return mix{keep: float32(share), rest: float32(1 - share)} }

// pasted is CutMix as its authors' code has it: a square about (y,x) with 1-share of the
// image's area, half its side rounded down to whole pixels. The part within the image counts.
func pasted(share float64, y, x, side int) mix {
	half := int(float64(side)*math.Sqrt(1-share)) / 2
	box := pixels.Rect{Y0: max(y-half, 0), X0: max(x-half, 0), Y1: min(y+half, side), X1: min(x+half, side)}
	m := added(1 - float64((box.Y1-box.Y0)*(box.X1-box.X0))/float64(side*side))
	m.cut, m.box = true, box
	return m
}

// images mixes partner into dst, both (side,side,3). The products are rounded before they are
// added, on every processor.
func (m mix) images(dst, partner []float32, side int) {
	if m.cut {
		for y := m.box.Y0; y < m.box.Y1; y++ {
			from, to := (y*side+m.box.X0)*3, (y*side+m.box.X1)*3
			copy(dst[from:to], partner[from:to])
		}
		return
	}
	partner = partner[:len(dst)]
	for i, v := range dst {
		dst[i] = float32(m.keep*v) + float32(m.rest*partner[i])
	}
}

// labels mixes the label y of a partner into t (classes).
func (m mix) labels(t []float32, y int32) {
	for c := range t {
		t[c] *= m.keep
	}
	t[y] += m.rest
}

// mixer mixes the images of a loader's batches. It has the buffers of one goroutine.
type mixer struct {
	image   []float32 // (side,side,3)
	partner []int     // of each image of a batch, -1 once it is done
}

// oneHot makes T say what Y says.
func (b *Batch) oneHot(classes int) {
	if cap(b.T) < b.N*classes {
		b.T = make([]float32, b.N*classes, max(b.N, cap(b.Y))*classes)
	}
	b.T = b.T[:b.N*classes]
	clear(b.T)
	for k, y := range b.Y {
		b.T[k*classes+int(y)] = 1
	}
}

// largest makes Y the classes with the largest shares, the lower ones of equal shares.
func (b *Batch) largest(classes int) {
	for k := range b.Y {
		t := b.T[k*classes : (k+1)*classes]
		best := 0
		for c, share := range t {
			if share > t[best] {
				best = c
			}
		}
		b.Y[k] = int32(best)
	}
}

// mix mixes the images of b, which are finished, as the draws of their job say.
func (l *Loader) mix(r *reader, x *mixer, b *Batch, j *job) error {
	a, s := &l.config.Augment, &l.split
	if !a.Mixes() {
		b.T = nil // of the loader that b was of before
		return nil
	}
	b.oneHot(s.classes)
	if len(x.image) == 0 {
		x.image = make([]float32, s.img.size())
	}
	if a.MixAny {
		for k, i := range j.idx {
			for time := range a.MixTimes {
				if err := l.mixAny(r, x, b, k, [3]uint64{j.epoch, uint64(i), uint64(time)}); err != nil {
					return err
				}
			}
		}
	} else {
		rnd := rng.New(l.config.Seed, "mix", j.step)
		if m := a.mix(rnd, s.img.side); m.on() {
			x.permute(rnd, b.N)
			x.batch(b, m, s.img.side, s.classes)
		}
	}
	b.largest(s.classes)
	return nil
}

// permute draws the partners of n images: the same images in another order, as in the code
// of both papers. An image may be its own partner.
func (x *mixer) permute(rnd *rand.Rand, n int) {
	if cap(x.partner) < n {
		x.partner = make([]int, n)
	}
	x.partner = x.partner[:n]
	for k := range x.partner {
		x.partner[k] = k
	}
	rnd.Shuffle(n, func(i, j int) { x.partner[i], x.partner[j] = x.partner[j], x.partner[i] })
}

// batch mixes each image with its partner, in place. A permutation consists of cycles. Along
// a cycle each image is changed before its partner is, so only the first image has to be
// kept, for the cycle's end.
func (x *mixer) batch(b *Batch, m mix, side, classes int) {
	for k, p := range x.partner {
		m.labels(b.T[k*classes:(k+1)*classes], b.Y[p])
	}
	size := len(x.image)
	image := func(k int) []float32 { return b.X[k*size : (k+1)*size] }
	for first := range x.partner {
		if x.partner[first] < 0 {
			continue
		}
		copy(x.image, image(first))
		for k := first; ; {
			next := x.partner[k]
			x.partner[k] = -1
			if next == first {
				m.images(image(k), x.image, side)
				break
			}
			m.images(image(k), image(next), side)
			k = next
		}
	}
}

// mixAny mixes image k of b with any image of the split that is augmented by draws of its
// own, as LaNet was trained. id is the epoch, the image that was asked for, and which time it is.
func (l *Loader) mixAny(r *reader, x *mixer, b *Batch, k int, id [3]uint64) error {
	s := &l.split
	rnd := rng.New(l.config.Seed, "mix", id[:]...)
	m := l.config.Augment.mix(rnd, s.img.side)
	if !m.on() {
		return nil
	}
	i := s.idx[rnd.IntN(len(s.idx))]
	shown, err := l.augmented(r, x.image, i, func(i int32) *rand.Rand {
		return rng.New(l.config.Seed, "partner", id[0], id[1], id[2], uint64(i))
	})
	if err != nil {
		return err
	}
	if shown != i {
		b.Replaced++
	}
	size := len(x.image)
	m.images(b.X[k*size:(k+1)*size], x.image, s.img.side)
	m.labels(b.T[k*s.classes:(k+1)*s.classes], s.img.y[shown])
	return nil
}
