package cuda

import (
	"fmt"
	"unsafe"

	"oneshot/ops/cuda/driver"
)

// Stream is the engine within Do. What it is asked for happens in order, later.
type Stream struct{ e *Engine }

// Load is Engine.Load.
func (s *Stream) Load(p *Plan) (*Loaded, error) { return s.e.load(p) }

// Release is Loaded.Release.
func (s *Stream) Release(l *Loaded) error { return l.release() }

// Launch starts the launches of a section of a plan.
func (s *Stream) Launch(l *Loaded, section int, r Run) error {
	if err := l.bind(); err != nil {
		return err
	}
	if x, ok := l.exec[section]; ok {
		return s.e.d.LaunchGraph(x, s.e.stream)
	}
	lo, hi := l.plan.span(section)
	for i := lo; i < hi; i++ {
		if err := s.launch(l, i, &r); err != nil {
			return err
		}
	}
	return nil
}

// Graph makes a graph of a section, whose launches then run as soon as what they
// need is there, side by side where they can. It has r for good: what later calls
// of Launch pass for the section means nothing.
func (s *Stream) Graph(l *Loaded, section int, r Run) error {
	if err := l.bind(); err != nil {
		return err
	}
	d := s.e.d
	g, err := d.NewGraph()
	if err != nil {
		return err
	}
	defer d.FreeGraph(g)
	lo, hi := l.plan.span(section)
	nodes := make([]driver.Node, hi-lo)
	var after []driver.Node
	edges := l.plan.edges()
	for i := lo; i < hi; i++ {
		x := &l.plan.Launches[i]
		after = after[:0]
		for _, k := range edges[i] {
			after = append(after, nodes[k-lo])
		}
		at := uint64(l.slot.dev) + uint64(x.Table)
		if x.Tasks > maxTasks {
			return nil // too many for one launch; without a graph then
		}
		if nodes[i-lo], err = d.AddLaunch(g, after, l.fns[i], x.Blocks, x.Tasks, at, unsafe.Pointer(&r)); err != nil {
			return fmt.Errorf("cuda: graph: launch %s: %w", x.Symbol, err)
		}
	}
	x, err := d.Instantiate(g)
	if err != nil {
		return err
	}
	if l.exec == nil {
		l.exec = map[int]driver.Exec{}
	}
	l.exec[section] = x
	return nil
}

func (s *Stream) launch(l *Loaded, i int, r *Run) error {
	x := &l.plan.Launches[i]
	for first := 0; first < x.Tasks; first += maxTasks {
		at := uint64(l.slot.dev) + uint64(x.Table+first*x.size)
		if err := s.e.d.Launch(l.fns[i], x.Blocks, min(maxTasks, x.Tasks-first), at, unsafe.Pointer(r), s.e.stream); err != nil {
			return fmt.Errorf("cuda: launch %s: %w", x.Symbol, err)
		}
	}
	return nil
}

// maxTasks is how many tasks a launch takes: the second dimension of a grid.
const maxTasks = 65535

// ToDevice copies pinned memory to the device; it must not change until then.
func (s *Stream) ToDevice(dst Addr, src []byte) error {
	if len(src) == 0 {
		return nil
	}
	return s.e.d.CopyToDevice(uint64(dst), unsafe.Pointer(&src[0]), len(src), s.e.stream)
}

// ToHost copies from the device to pinned memory.
func (s *Stream) ToHost(dst []byte, src Addr) error {
	if len(dst) == 0 {
		return nil
	}
	return s.e.d.CopyToHost(unsafe.Pointer(&dst[0]), uint64(src), len(dst), s.e.stream)
}

// Copy copies n bytes on the device.
func (s *Stream) Copy(dst, src Addr, n int) error {
	return s.e.d.CopyOnDevice(uint64(dst), uint64(src), n, s.e.stream)
}

// Zero sets n bytes to 0.
func (s *Stream) Zero(a Addr, n int) error { return s.e.d.Memset(uint64(a), 0, n, s.e.stream) }

// Record marks the present end of the stream.
func (s *Stream) Record(ev Event) error { return s.e.d.Record(ev.ev, s.e.stream) }
