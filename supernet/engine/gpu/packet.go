package gpu

import (
	"unsafe"

	"oneshot/data"
	"oneshot/ops/cuda"
	"oneshot/supernet/engine"
)

// packet is what a step sends to the device and gets back, in pinned memory.
type packet struct {
	mem     []byte
	stats   *cuda.Stats
	recipes []data.Placed
	masks   []float32 // (micro-batch, mask, image)
	uploaded
	began cuda.Event
	lost  int // images that were replaced, see data.Batch
	path  int // see engine.Outcome
	done  cuda.Event
}

// uploaded is a batch that is made beside the device; empty where the device makes it.
type uploaded struct {
	images, labels   []float32
	targets, teacher []float32 // (Batch,classes), where a loss takes such
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
	recipes, masks := t.recipeBytes(), 4*t.c.Masks*t.c.Batch
	image, distributions := t.m.Image(), t.c.Distributions()
	batch := 0
	if t.c.InPlace {
		batch = 4 * t.c.Batch * t.m.Classes
	}
	if t.px == nil {
		batch = 4 * t.c.Batch * engine.ImageInput(image, t.m.Classes, distributions)
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
	if t.px == nil {
		n, v := t.c.Batch, viewOf[float32](m[:batch])
		p.images, v = v[:n*image], v[n*image:]
		p.labels, v = v[:n], v[n:]
		p.targets = v[:min(distributions, 1)*n*t.m.Classes]
		p.teacher = v[len(p.targets):]
	}
	if t.px != nil {
		p.targets = viewOf[float32](m[:batch])
	}
	if p.began, err = e.NewEvent(); err != nil {
		return err
	}
	p.done, err = e.NewEvent()
	return err
}
