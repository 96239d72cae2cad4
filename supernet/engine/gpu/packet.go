package gpu

import (
	"unsafe"

	"oneshot/data"
	"oneshot/ops/cuda"
)

// packet is what a step sends to the device and gets back, in pinned memory.
type packet struct {
	mem     []byte
	stats   *cuda.Stats
	recipes []data.Placed
	masks   []float32 // (micro-batch, mask, image)
	batch   []float32 // images, then labels, of uploaded batches
	began   cuda.Event
	lost    int // images that were replaced, see data.Batch
	done    cuda.Event
}

// recipeBytes is the size of a batch's recipes.
func (t *Trainer) recipeBytes() int { return t.c.Batch * int(unsafe.Sizeof(data.Placed{})) }

// statsBytes is the size of what comes back, controlBytes that of what the launches of a
// step or a measurement share.
const (
	statsBytes   = int(unsafe.Sizeof(cuda.Stats{}))
	controlBytes = int(unsafe.Sizeof(cuda.Control{}))
)

func (t *Trainer) openPacket(p *packet) error {
	recipes, masks, batch := t.recipeBytes(), 4*t.c.Masks*t.c.Batch, 0
	if t.px == nil {
		batch = 4 * t.c.Batch * (t.m.Image() + 1)
	}
	e := t.dev.cuda
	var err error
	if p.mem, err = e.Pinned(statsBytes + recipes + masks + batch); err != nil {
		return err
	}
	m := p.mem
	p.stats, m = &viewOf[cuda.Stats](m[:statsBytes])[0], m[statsBytes:]
	p.recipes, m = viewOf[data.Placed](m[:recipes]), m[recipes:]
	p.masks, m = viewOf[float32](m[:masks]), m[masks:]
	p.batch = viewOf[float32](m[:batch])
	if p.began, err = e.NewEvent(); err != nil {
		return err
	}
	p.done, err = e.NewEvent()
	return err
}
