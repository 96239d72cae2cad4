package data

import "oneshot/internal/rng"

// Pixels is a collection as a device keeps it: it makes the batches there.
type Pixels struct {
	Side   int
	Pix    []uint8   // (n,Side,Side,3)
	Labels []int32   // (n)
	Table  []float32 // (3,256): what a byte of a channel is, normalised
}

// Placed says which image of a collection goes into a batch, and how it is
// placed: output (y,x) shows input (y+DY, x+DX), black outside, is then mirrored
// where Flip is 1, and is 0 where Y0 <= y < Y1 and X0 <= x < X1.
type Placed struct {
	Image          int32
	DY, DX         int32
	Flip           int32
	Y0, Y1, X0, X1 int32
}

// Resident tells whether there are Pixels: all images are decoded and in memory.
func (t *Train) Resident() bool { return t.train.img.resident() }

// Side is the height and width in pixels of the images.
func (t *Train) Side() int { return t.train.img.side }

// Pixels returns the images t is a part of, which must be Resident. They must not be changed.
func (t *Train) Pixels() Pixels {
	m := t.train.img
	p := Pixels{Side: m.side, Pix: m.pix, Labels: m.y}
	for _, c := range t.train.norm.Table() {
		p.Table = append(p.Table, c[:]...)
	}
	return p
}

// Recipes are the batches of a Loader without their pixels: a device that has the
// Pixels makes exactly those batches.
type Recipes struct {
	l     Loader // without goroutines
	epoch uint64
	order []int32
}

// Recipes works like Loader with DropLast; StartStep and Workers mean nothing. The
// augmentation must be Plain.
func (t *Train) Recipes(c LoaderConfig) (*Recipes, error) {
	c.DropLast = true
	steps, err := t.stepsPerEpoch(c)
	if err != nil {
		return nil, err
	}
	return &Recipes{l: Loader{split: t.train, config: c, steps: steps}}, nil
}

// Step writes the recipes of batch step (from 0) to dst, which has the length of a batch.
// It returns how many images stand for others, see Batch.Replaced.
// One goroutine at a time may call it, in any order of steps; that of a Loader is fastest.
func (r *Recipes) Step(step int, dst []Placed) (replaced int) {
	c := r.l.config
	epoch := uint64(step / r.l.steps)
	if r.order == nil || r.epoch != epoch {
		r.epoch, r.order = epoch, r.l.order(epoch)
	}
	s := step % r.l.steps
	for k, i := range r.order[s*c.Batch : (s+1)*c.Batch] {
		if s := &r.l.split; s.img.isBad(i) {
			replaced++
			for range s.idx { // Open has seen to it that there are good ones
				if i = s.after(i); !s.img.isBad(i) {
					break
				}
			}
		}
		p := c.Augment.draw(rng.New(c.Seed, "augment", epoch, uint64(i)), r.l.split.img.side)
		dst[k] = Placed{Image: i, DY: int32(p.dy), DX: int32(p.dx), Y0: int32(p.y0), Y1: int32(p.y1), X0: int32(p.x0), X1: int32(p.x1)}
		if p.flip {
			dst[k].Flip = 1
		}
	}
	return replaced
}
