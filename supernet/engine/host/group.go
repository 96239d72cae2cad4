package host

import (
	"context"

	"oneshot/ops"
	"oneshot/supernet/engine"
)

// Paths are scored in groups. What a group gives is told when it ends, so a stop loses one at most. It has at most
// GroupPaths paths, so many multiply-adds, which are some ten seconds of two cores, and GroupValues values of statistics and
// outputs, but at least one path.
const (
	GroupPaths  = 128
	GroupValues = 1 << 22
	groupWork   = 1_000_000_000_000
)

// A group has more than one path where that spares at least one multiply-add of so many. It is made smaller until all that
// it keeps in the arena at a time is at most GroupRoom times what its largest path takes by itself.
const (
	sparedOf  = 8
	GroupRoom = 2
)

// group are paths that are computed together.
type group struct {
	paths  []engine.Path
	size   int // images of a lane
	bySize map[int]*engine.Shared
}

// pass is the program of a group for a number of images.
func (g *group) pass(back ops.Backend, size int) (*engine.Shared, error) {
	if s := g.bySize[size]; s != nil {
		return s, nil
	}
	var gs []*engine.Graph
	for _, p := range g.paths {
		x, err := apart(p, back, size)
		if err != nil {
			return nil, err
		}
		gs = append(gs, x)
	}
	g.bySize[size] = engine.Share(gs)
	return g.bySize[size], nil
}

// apart compiles a path for Share.
func apart(p engine.Path, back ops.Backend, size int) (*engine.Graph, error) {
	return p.Compile(engine.Apart{Backend: back}, engine.Spec{Batch: size})
}

// Scores implements engine.Measurer: paths that begin alike are computed together where that pays.
func (e *measurer) Scores(ctx context.Context, ps []engine.Path, recal, search *engine.Images, each engine.Told) error {
	q := queue{back: e.back, size: LaneImages(e.m.Widest), left: ps, images: int64(search.Len), kept: search.Batch * e.m.Classes}
	if recal != nil {
		q.images += int64(recal.Len)
		q.kept += recal.Batch * e.m.Classes
	}
	done := 0
	for len(q.left) > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		g, err := q.next()
		if err != nil {
			return err
		}
		told := func(i int, t engine.Tally, more bool) error { return each(done+i, t, more) }
		if err := e.together(ctx, g, recal, search, told); err != nil {
			return err
		}
		done += len(g.paths)
	}
	return nil
}

// queue are the paths that wait for their scores.
type queue struct {
	back   ops.Backend
	size   int   // images of a lane
	images int64 // that each is computed on
	kept   int   // values that each keeps beside its statistics
	left   []engine.Path
	ready  []waiting // the first that are left
	alone  int       // how many of them are groups of their own
}

// waiting is a path whose cost is known.
type waiting struct {
	graph      *engine.Graph // for a lane
	work, rest int64         // multiply-adds of an image, and those behind what it has in common with the path before
	values     int           // statistics behind that
	arena      int           // what it takes by itself
}

// next takes the next group.
func (q *queue) next() (*group, error) {
	if q.alone == 0 {
		n, pays, err := q.look()
		if err != nil {
			return nil, err
		}
		if pays {
			if s := q.share(n); s != nil {
				return q.take(s), nil
			}
		}
		q.alone = n
	}
	q.alone--
	return q.take(engine.Share([]*engine.Graph{q.ready[0].graph})), nil
}

// take takes the first paths, whose program is s.
func (q *queue) take(s *engine.Shared) *group {
	n := len(s.Paths)
	g := &group{paths: q.left[:n], size: q.size, bySize: map[int]*engine.Shared{q.size: s}}
	q.left, q.ready = q.left[n:], q.ready[n:]
	return g
}

// look is how many paths the next group has at most, and whether it pays to compute these together.
func (q *queue) look() (n int, pays bool, err error) {
	var work, rest int64
	values := 0
	for ; n < min(len(q.left), GroupPaths); n++ {
		if n == len(q.ready) {
			if err := q.compile(); err != nil {
				return 0, false, err
			}
		}
		p := q.ready[n]
		if n == 0 {
			p.rest = p.work
		}
		if n > 0 && ((rest+p.rest)*max(1, q.images) > groupWork || values+p.values+q.kept > GroupValues) {
			break
		}
		work, rest, values = work+p.work, rest+p.rest, values+p.values+q.kept
	}
	return n, (work-rest)*sparedOf >= work, nil
}

// compile makes one more path ready.
func (q *queue) compile() error {
	n := len(q.ready)
	g, err := apart(q.left[n], q.back, q.size)
	if err != nil {
		return err
	}
	common := 0
	if n > 0 {
		common = engine.Common(q.ready[n-1].graph, g)
	}
	alone := engine.Share([]*engine.Graph{g})
	p := waiting{graph: g, arena: alone.Prog.Arena - alone.Kept}
	p.work, _ = g.Tail(0)
	p.rest, p.values = g.Tail(common)
	q.ready = append(q.ready, p)
	return nil
}

// share puts the first n paths together, or as many of them as keep to GroupRoom; nil is fewer than two.
func (q *queue) share(n int) *engine.Shared {
	for ; n > 1; n /= 2 {
		var gs []*engine.Graph
		largest := 0
		for _, p := range q.ready[:n] {
			gs = append(gs, p.graph)
			largest = max(largest, p.arena)
		}
		if s := engine.Share(gs); s.Prog.Arena-s.Kept <= GroupRoom*largest {
			return s
		}
	}
	return nil
}
