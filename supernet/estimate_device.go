package supernet

import (
	"oneshot/data"
	"oneshot/supernet/engine"
	"oneshot/supernet/space"
)

// DeviceMemory is about what a GPU needs at its peak, in bytes of its own memory; 0 where
// the processor computes.
type DeviceMemory = engine.Memory

// TrainMemory is about how much memory of the runtime's device a training on the images d
// needs. With arch nil that is one of the supernet, whose widest path counts. It allocates
// none of it.
func (r *Runtime) TrainMemory(cfg NetConfig, arch space.Arch, d *data.Train, c TrainConfig) (DeviceMemory, error) {
	if err := c.Check(); err != nil {
		return DeviceMemory{}, err
	}
	n, path, err := widest(cfg, arch)
	if err != nil {
		return DeviceMemory{}, err
	}
	course, err := n.course(c)
	if err != nil {
		return DeviceMemory{}, err
	}
	spec := n.trainSpec(d, c)
	course.spec(&spec)
	spec.Slots = make(engine.Slots, len(c.Rule().Slots()))
	if c.EMA > 0 {
		spec.Average = &engine.Values{}
	}
	m, err := r.eng.TrainMemory(n.sizes(), spec, n.path(path))
	if err != nil || c.Teacher == nil || c.Teacher.Net.rt != r {
		return m, err
	}
	// The teacher's plan shares the arena with the student's.
	t := c.Teacher.Net
	o, err := r.eng.LogitsMemory(t.sizes(), c.Batch, t.path(t.arch))
	return DeviceMemory{Weights: m.Weights + o.Weights, Input: m.Input + o.Input, Pixels: m.Pixels,
		Arena: max(m.Arena, o.Arena), Tables: m.Tables + o.Tables}, err
}

// ScoreMemory is likewise what scoring subnetworks of a supernet needs, on so many images
// to train and to search with.
func (r *Runtime) ScoreMemory(cfg NetConfig, c ScoreConfig, train, search int) (DeviceMemory, error) {
	if err := c.Check(); err != nil {
		return DeviceMemory{}, err
	}
	n, path, err := widest(cfg, nil)
	if err != nil {
		return DeviceMemory{}, err
	}
	if c.Statistics == ofBatch {
		return r.eng.ScoreMemory(n.sizes(), engine.ScoreSizes{Search: search, SearchBatch: c.Batch}, n.path(path))
	}
	return r.eng.ScoreMemory(n.sizes(), engine.ScoreSizes{
		Recal: min(c.RecalImages, train), RecalBatch: c.RecalBatch, Search: search}, n.path(path))
}

// FreeMemory is how many bytes of the device's own memory nobody uses; 0 where the
// processor computes.
func (r *Runtime) FreeMemory() (int64, error) { return r.eng.Free() }

// widest is a network without values, and arch or else the path of it that needs the most
// memory.
func widest(cfg NetConfig, arch space.Arch) (*Net, space.Arch, error) {
	n, err := plan(cfg, arch)
	if err != nil || arch != nil {
		return n, arch, err
	}
	path, err := n.full.Widest()
	return n, path, err
}

// sizes are the network's as engines see it.
func (n *Net) sizes() engine.Sizes {
	return engine.Sizes{Params: n.layout.ParamsLen, State: n.layout.StateLen, Image: n.cfg.Image * n.cfg.Image * 3, Classes: n.cfg.Classes, Widest: n.widest}
}
