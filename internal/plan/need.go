package plan

import (
	"oneshot/internal/machine"
	"oneshot/supernet"
	"oneshot/supernet/space"
)

// programBytes is what `oneshot version` takes.
const programBytes = 13_000_000

// Memory is about what the training of a stage needs. arch is the architecture to
// retrain; nil is the one that needs most.
func (p *Plan) Memory(stage string, arch space.Arch) (supernet.Memory, error) {
	threads := p.Config.Run.ThreadCount()
	if stage == "train" {
		return supernet.Estimate(p.Supernet(), nil, p.Training(stage), threads)
	}
	if arch == nil {
		var err error
		if arch, err = supernet.Widest(p.Final(true)); err != nil {
			return supernet.Memory{}, err
		}
	}
	return supernet.Estimate(p.Final(true), arch, p.Training(stage), threads)
}

// Need is about what the process takes during a stage: train, search or retrain; in
// bytes. arch is as for Memory.
func (p *Plan) Need(stage string, arch space.Arch) (int64, error) {
	var m supernet.Memory
	var err error
	switch stage {
	case "search":
		m, err = supernet.EstimateScore(p.Supernet(), p.Scoring(false), p.Config.Run.ThreadCount())
	case "train":
		m, err = p.Memory(stage, nil)
		m.Arena += m.Arena * 8 / 100 // what a path can exceed supernet.Widest by
	default:
		m, err = p.Memory(stage, arch)
	}
	return programBytes + machine.GarbageBytes + m.Total() + p.ImageBytes(), err
}

// ImageBytes is what the data set takes.
func (p *Plan) ImageBytes() int64 {
	images := p.Data.Train.Len() + p.Data.Search.Len() + p.Data.Test.Len()
	return int64(images) * int64(p.Data.Image*p.Data.Image*3)
}
