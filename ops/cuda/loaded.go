package cuda

import (
	"unsafe"

	"oneshot/ops/cuda/driver"
)

// Loaded is a plan with its table on the device.
type Loaded struct {
	e    *Engine
	plan *Plan
	slot *slot
	gen  int
	fns  []driver.Function
	exec map[int]driver.Exec // of sections that are graphs
}

// Load binds a plan to memory and sends its table. Plans share the arena: what
// one leaves there, its kept values too, lasts until another is launched.
func (e *Engine) Load(p *Plan) (l *Loaded, err error) {
	err = e.do(func() error { l, err = e.load(p); return err })
	return l, err
}

func (e *Engine) load(p *Plan) (*Loaded, error) {
	s, err := e.slot(p.Table())
	if err != nil {
		return nil, err
	}
	l := &Loaded{e: e, plan: p, slot: s, gen: -1}
	for _, x := range p.Launches {
		l.fns = append(l.fns, e.funcs[x.Symbol])
	}
	s.busy = true
	if err := l.bind(); err != nil {
		s.busy = false
		return nil, err
	}
	return l, nil
}

// slot is room for a table: in pinned memory of the host and on the device.
type slot struct {
	host []byte
	dev  Addr
	free driver.Event // recorded after the last launch that reads it
	busy bool
	old  []driver.Exec // graphs that may run until then
}

// bind writes the table for the arena as it is now.
func (l *Loaded) bind() error {
	e := l.e
	if err := e.reserve(l.plan.Arena); err != nil {
		return err
	}
	if l.gen == e.arenaGen {
		return nil
	}
	if l.gen >= 0 { // the table may still be on its way
		if err := e.d.Synchronize(e.stream); err != nil {
			return err
		}
	}
	l.dropGraphs() // their launches name the table of before
	l.gen = e.arenaGen
	l.plan.Bind(l.slot.host, l.slot.dev, e.arena)
	return e.d.CopyToDevice(uint64(l.slot.dev), unsafe.Pointer(&l.slot.host[0]), l.plan.Table(), e.stream)
}

// dropGraphs gives the graphs to the slot, which frees them when they cannot run
// any more.
func (l *Loaded) dropGraphs() {
	for _, x := range l.exec {
		l.slot.old = append(l.slot.old, x)
	}
	l.exec = nil
}

// At is the real address of a virtual one, until another plan is loaded.
func (l *Loaded) At(a Addr) Addr { return l.plan.Resolve(a, l.slot.dev, l.e.arena) }

// Launch starts the launches of a section.
func (l *Loaded) Launch(section int, r Run) error {
	return l.e.Do(func(s *Stream) error { return s.Launch(l, section, r) })
}

// Release makes room for other tables. The plan may still be running.
func (l *Loaded) Release() {
	l.e.do(func() error { return l.release() })
}

func (l *Loaded) release() error {
	l.dropGraphs()
	l.slot.busy = false
	return l.e.d.Record(l.slot.free, l.e.stream)
}
