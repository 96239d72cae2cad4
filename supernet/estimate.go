package supernet

import (
	"oneshot/ops"
	"oneshot/supernet/space"
)

// Memory is about what a training needs at its peak, in bytes. It is what the
// trainer allocates: not the data set, the program itself and what waits for the
// garbage collector.
type Memory struct {
	Weights    int64 // values, gradients and their sums, momentum, averages
	Checkpoint int64 // copies that are written, or at the end loaded
	Arena      int64 // activations and their gradients, of the path that needs most
	Scratch    int64 // of the kernels
	Input      int64 // images, labels and drop-path masks
	Loader     int64 // batches that are made ahead
	Graphs     int64 // the compiled path, and of a supernet the next one
}

// Total is the sum.
func (m Memory) Total() int64 {
	return m.Weights + m.Checkpoint + m.Arena + m.Scratch + m.Input + m.Loader + m.Graphs
}

// Heap is what of it the garbage collector sees: all but the arena.
func (m Memory) Heap() int64 { return m.Total() - m.Arena }

// graphBytes is what a graph keeps for an instruction of its program: measured as
// 1.2 kB for 3 to 20 cells. Building it allocates eight times as much.
const graphBytes = 5 << 8

// Estimate is about how much memory a training needs on that many threads. With
// arch nil that is one of the supernet, whose widest path counts. It allocates
// none of it.
func Estimate(cfg NetConfig, arch *space.Arch, c TrainConfig, threads int) (Memory, error) {
	if err := cfg.Check(); err != nil {
		return Memory{}, err
	}
	if err := c.Check(); err != nil {
		return Memory{}, err
	}
	l := newLayout(cfg, arch)
	n := &Net{cfg: cfg, arch: arch, layout: l}
	a, graphs := Widest(cfg.Space), 2
	if arch != nil {
		a, graphs = *arch, 1
	}
	back := ops.NewCPU[float32](nil)
	g, err := n.build(back, a, c.spec())
	if err != nil {
		return Memory{}, err
	}
	programs := []*ops.Program{g.prog}
	for i, op := range cfg.Space.Ops {
		if arch != nil || kindOf(op).kernel == 0 {
			continue // of a dilated convolution it is the padding that is wide
		}
		other, err := n.build(back, uniform(cfg.Space, i), c.spec())
		if err != nil {
			return Memory{}, err
		}
		programs = append(programs, other.prog)
	}
	live, copied := c.weightCopies(int64(l.nParam), int64(l.nState))
	return Memory{
		Weights:    4 * live,
		Checkpoint: 4 * copied,
		Arena:      4 * int64(g.prog.Arena),
		Scratch:    4 * int64(back.ScratchFor(threads, programs...)),
		Input:      4 * (int64(g.inputLen()) + int64(g.masks*c.Batch)),
		Loader:     4 * c.loaderBatches() * int64(c.Batch) * int64(g.image+1),
		Graphs:     graphBytes * int64(graphs*len(g.prog.Instrs)),
	}, nil
}

// EstimateScore is about how much memory scoring subnetworks of a supernet needs
// beside nothing else: the weights, the activations of a recalibration batch and
// those of the lanes.
func EstimateScore(cfg NetConfig, c ScoreConfig, threads int) (Memory, error) {
	if err := cfg.Check(); err != nil {
		return Memory{}, err
	}
	if err := c.Check(); err != nil {
		return Memory{}, err
	}
	l := newLayout(cfg, nil)
	n := &Net{cfg: cfg, layout: l}
	back := ops.NewCPU[float32](nil)
	recal, err := n.build(back, Widest(cfg.Space), graphSpec{batch: c.RecalBatch})
	if err != nil {
		return Memory{}, err
	}
	lane, err := n.build(back, Widest(cfg.Space), graphSpec{batch: laneImages})
	if err != nil {
		return Memory{}, err
	}
	return Memory{
		Weights: 4 * int64(l.nParam+2*l.nState),
		Arena:   4 * (int64(recal.prog.Arena) + int64(threads*lane.prog.Arena)),
		Scratch: 4 * (int64(back.ScratchFor(threads, recal.prog)) + int64(threads*back.ScratchFor(1, lane.prog))),
		Input:   4 * int64(recal.inputLen()+2*max(c.RecalBatch, c.Batch)*(recal.image+1)),
		Graphs:  graphBytes * int64(len(recal.prog.Instrs)+(1+threads)*len(lane.prog.Instrs)),
	}, nil
}

// weightCopies counts the values of a training of nParam parameters and nState
// statistics, and those of the copies made for a checkpoint and, when it is
// loaded, for checking it.
func (c TrainConfig) weightCopies(nParam, nState int64) (live, copied int64) {
	net := nParam + nState
	live, copied = net+2*nParam, net+nParam+net // gradient and momentum; momentum
	if c.micro() < c.Batch {
		live += nParam
	}
	if c.EMA > 0 {
		live, copied = live+net, copied+net
	}
	return live, copied
}

// loaderBatches is how many batches a loader of package data keeps alive: two a
// worker in its queue and the one that was taken.
func (c TrainConfig) loaderBatches() int64 { return int64(2*max(c.Workers, 1) + 1) }

// Widest picks for every node the two latest edges with the operation that has
// the most stages and the largest kernel: about the path whose training needs the
// most memory. Of some 900 sampled ones with that operation everywhere some
// needed up to 8 % more in networks of 3 cells, 0.3 % more in those of 6 to 20.
func Widest(s space.Space) space.Arch {
	best := 0
	for i, op := range s.Ops {
		k, b := kindOf(op), kindOf(s.Ops[best])
		if k.stages*100+k.kernel > b.stages*100+b.kernel {
			best = i
		}
	}
	return uniform(s, best)
}

// uniform picks the two latest edges and one operation everywhere.
func uniform(s space.Space, op int) space.Arch {
	var a space.Arch
	for i := range s.Nodes {
		n := space.Node{{Edge: i, Op: op}, {Edge: i + 1, Op: op}}
		a.Normal, a.Reduce = append(a.Normal, n), append(a.Reduce, n)
	}
	return a
}
