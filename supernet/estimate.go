package supernet

import (
	"oneshot/ops"
	"oneshot/supernet/engine"
	"oneshot/supernet/engine/host"
	"oneshot/supernet/space"
)

// Memory is about what a training needs at its peak, in bytes. It is what the
// trainer allocates: not the data set, the program itself and what waits for the
// garbage collector.
type Memory struct {
	Weights    int64 // values, gradients and their sums, optimizer, averages
	Checkpoint int64 // copies that are written, or at the end loaded
	Arena      int64 // activations and their gradients, of the path that needs most
	Scratch    int64 // of the kernels
	Input      int64 // images, labels, distributions and drop-path masks
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
// 1.2 kB for 3 to 20 cells.
const graphBytes = 5 << 8

// Estimate is about how much memory a training needs on that many threads. With
// arch nil that is one of the supernet, whose widest path counts. It allocates
// none of it.
func Estimate(cfg NetConfig, arch space.Arch, c TrainConfig, threads int) (Memory, error) {
	if err := c.Check(); err != nil {
		return Memory{}, err
	}
	n, path, err := widest(cfg, arch)
	if err != nil {
		return Memory{}, err
	}
	course, err := n.course(c)
	if err != nil {
		return Memory{}, err
	}
	graphs := 1
	if arch == nil {
		graphs = 2 * course.number
	}
	back := ops.NewCPU[float32](nil)
	g, err := n.build(back, path, c.spec())
	if err != nil {
		return Memory{}, err
	}
	// Of the kernels' scratch memory it is another path's that is the most: the padding
	// of a dilated convolution is wide.
	all, err := n.full.Forward(c.AtOnce())
	if err != nil {
		return Memory{}, err
	}
	made := g.Image + 1 // values of an image of the loader
	if c.Mixes() {
		made += g.Classes
	}
	live, copied := c.weightCopies(int64(n.layout.ParamsLen), int64(n.layout.StateLen), course.number)
	m := Memory{
		Weights:    4 * live,
		Checkpoint: 4 * copied,
		Arena:      4 * int64(g.Prog.Arena),
		Scratch:    4 * int64(back.ScratchFor(threads, g.Prog, all)),
		Input:      4 * (int64(g.InputLen()) + int64(g.Masks*c.Batch)),
		Loader:     4 * c.loaderBatches() * int64(c.Batch) * int64(made),
		Graphs:     graphBytes * int64(graphs*len(g.Prog.Instrs)),
	}
	if c.Distill { // the outputs of the largest path, and its images' room for them
		m.Input += 4 * int64(c.Batch*g.Classes)
		if g.Distributions == 0 {
			m.Input += 4 * int64(c.AtOnce()*g.Classes)
		}
	}
	if c.Teacher == nil {
		return m, nil
	}
	t, err := c.Teacher.memory(n, c, threads)
	return m.and(t), err
}

// and is the memory of two that live side by side.
func (m Memory) and(o Memory) Memory {
	return Memory{m.Weights + o.Weights, m.Checkpoint + o.Checkpoint, m.Arena + o.Arena, m.Scratch + o.Scratch,
		m.Input + o.Input, m.Loader + o.Loader, m.Graphs + o.Graphs}
}

// EstimateScore is about how much memory scoring subnetworks of a supernet needs
// beside nothing else: the weights, the activations of a recalibration batch and
// those of the lanes.
func EstimateScore(cfg NetConfig, c ScoreConfig, threads int) (Memory, error) {
	if err := c.Check(); err != nil {
		return Memory{}, err
	}
	n, path, err := widest(cfg, nil)
	if err != nil {
		return Memory{}, err
	}
	back := ops.NewCPU[float32](nil)
	batch := c.RecalBatch
	if c.Statistics == ofBatch {
		batch = c.Batch + 1 // a last image by itself goes with the batch before
	}
	recal, err := n.build(back, path, engine.Spec{Batch: batch})
	if err != nil {
		return Memory{}, err
	}
	lane, scratch, err := n.lane(path, threads)
	if err != nil {
		return Memory{}, err
	}
	return Memory{
		Weights: 4 * int64(n.layout.ParamsLen+2*n.layout.StateLen),
		Arena:   4 * (int64(recal.Prog.Arena) + int64(threads*lane.Prog.Arena)),
		Scratch: 4 * (int64(back.ScratchFor(threads, recal.Prog)) + int64(scratch)),
		Input:   4 * int64(recal.InputLen()+2*max(batch, c.Batch)*(recal.Image+1)),
		Graphs:  graphBytes * int64(len(recal.Prog.Instrs)+(1+threads)*len(lane.Prog.Instrs)),
	}, nil
}

// EstimateScoreAll is likewise what Scorer.ScoreAll needs at most: what it keeps of a group of subnetworks comes to that.
func EstimateScoreAll(cfg NetConfig, c ScoreConfig, threads int) (Memory, error) {
	m, err := EstimateScore(cfg, c, threads)
	if err != nil {
		return Memory{}, err
	}
	n, err := plan(cfg, nil)
	if err != nil {
		return Memory{}, err
	}
	of := n.layout.StateLen + (c.RecalBatch+c.Batch)*cfg.Classes
	m.Arena *= host.GroupRoom
	m.Weights += 4 * int64(min(host.GroupValues, host.GroupPaths*of))
	m.Graphs *= host.GroupPaths
	return m, nil
}

// EstimateEvaluation is about how much memory classifying images in batches needs, with a network that was read from a
// file: its values, as often as reading them copies them, two batches, of which one is made, and the lanes.
func EstimateEvaluation(cfg NetConfig, arch space.Arch, batch, threads int) (Memory, error) {
	n, path, err := widest(cfg, arch)
	if err != nil {
		return Memory{}, err
	}
	most := host.LaneImages(n.widest)
	threads = min(threads, (batch+most-1)/most)
	lane, scratch, err := n.lane(path, threads)
	if err != nil {
		return Memory{}, err
	}
	return Memory{
		Weights: 4 * 3 * int64(n.layout.ParamsLen+n.layout.StateLen),
		Arena:   4 * int64(threads*lane.Prog.Arena),
		Scratch: 4 * int64(scratch),
		Input:   4 * int64(2*batch*(lane.Image+1)+batch*cfg.Classes),
		Graphs:  graphBytes * int64((1+threads)*len(lane.Prog.Instrs)),
	}, nil
}

// lane is what a thread computes of a path when it is measured, and the scratch memory of
// all threads.
func (n *Net) lane(path space.Arch, threads int) (g *engine.Graph, scratch int, err error) {
	back := ops.NewCPU[float32](nil)
	if g, err = n.build(back, path, engine.Spec{Batch: host.LaneImages(n.widest)}); err != nil {
		return nil, 0, err
	}
	return g, threads * back.ScratchFor(1, g.Prog), nil
}

// Widest is about the architecture whose training needs the most memory, see
// net.Network.Widest.
func Widest(cfg NetConfig) (space.Arch, error) {
	n, err := cfg.Space.Describe(cfg.Size, nil)
	if err != nil {
		return nil, err
	}
	return n.Widest()
}

// weightCopies counts the values of a training of nParam parameters and nState
// statistics, and those of the copies made for a checkpoint and, when it is
// loaded, for checking it.
func (c TrainConfig) weightCopies(nParam, nState int64, paths int) (live, copied int64) {
	net := nParam + nState
	slots := int64(len(c.Rule().Slots()))
	live, copied = net+(1+slots)*nParam, net+slots*nParam+net // gradient and slots; slots
	if c.AtOnce() < c.Batch || paths > 1 {
		live += nParam
	}
	if c.RankWeight > 0 {
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
