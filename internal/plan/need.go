package plan

import (
	"runtime"

	"oneshot/data/decode"
	"oneshot/internal/config"
	"oneshot/internal/machine"
	"oneshot/supernet"
	"oneshot/supernet/space"
)

// What a process has resident beside what a stage allocates; TestEstimates measures them.
const (
	// ProgramBytes is what of the program's file is in memory, and 2 MB outside the heap that Go
	// keeps. The system would drop the file's pages where memory is short, but they count as the
	// process'.
	ProgramBytes = 32_000_000
	// baseHeap is the heap of any stage: the command line, the configuration, a graph in the making.
	baseHeap = 4_000_000
	// decoderBytes is what libturbojpeg and the C library have in memory, their tables and rows
	// included.
	decoderBytes = 3_000_000
)

// Program is what the process has resident that is neither heap nor arena, in bytes.
func (p *Plan) Program() int64 {
	if p.Data.Decoder == decode.Turbo {
		return ProgramBytes + decoderBytes
	}
	return ProgramBytes
}

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

// Need is about the most that the process has resident during a stage: train, search or
// retrain, or while rank scores; in bytes. arch is as for Memory.
func (p *Plan) Need(stage string, arch space.Arch) (int64, error) {
	var m supernet.Memory
	var err error
	switch stage {
	case "search":
		m, err = p.ScoreMemory()
	case "rank":
		m, err = p.RankMemory()
	case "train":
		m, err = p.Memory(stage, nil)
		m.Arena += m.Arena * 8 / 100 // what a path can exceed supernet.Widest by
	default:
		m, err = p.Memory(stage, arch)
	}
	return max(p.opening(), p.resident(p.lasting(m), p.readers(stage))+m.Arena), err
}

// ScoreMemory is about what scoring subnetworks needs.
func (p *Plan) ScoreMemory() (supernet.Memory, error) {
	return supernet.EstimateScore(p.Supernet(), p.Scoring(false), p.Config.Run.ThreadCount())
}

// RankMemory is likewise what scoring many of them needs.
func (p *Plan) RankMemory() (supernet.Memory, error) {
	return supernet.EstimateScoreAll(p.Supernet(), p.Scoring(false), p.Config.Run.ThreadCount())
}

// Heap is what the garbage collector sees of a stage with that memory.
func (p *Plan) Heap(stage string, m supernet.Memory) int64 { return p.lasting(m) + p.readers(stage) }

// lasting is the heap without what reads images.
func (p *Plan) lasting(m supernet.Memory) int64 { return baseHeap + m.Heap() + p.ImageBytes() }

// readers is what those keep that decode the images of a stage.
func (p *Plan) readers(stage string) int64 {
	switch {
	case p.Data.Train.Resident():
		return 0
	case stage == "search", stage == "rank":
		return p.everyReader()
	}
	return int64(max(1, p.Config.Run.Workers)) * p.Data.ReaderBytes()
}

// everyReader is readers where each processor decodes some, see data.Search.Batches.
func (p *Plan) everyReader() int64 { return int64(runtime.GOMAXPROCS(0)) * p.Data.ReaderBytes() }

// opening is what the process takes while the images are opened, when every processor decodes
// some: more than a stage where these are large and the network is small.
func (p *Plan) opening() int64 { return p.resident(baseHeap, p.everyReader()) + p.ImageBytes() }

// resident is what a process takes with that heap and those readers. They keep the memory of
// large images for the next one, so they leave no garbage.
func (p *Plan) resident(lasting, readers int64) int64 {
	return p.Program() + lasting + machine.Garbage(lasting) + readers
}

// EvaluationNeed is about the most that a process has resident that classifies images with a network: m is what
// that takes, images what of them is in memory and readers what those keep that decode.
func EvaluationNeed(m supernet.Memory, images, readers int64) int64 {
	lasting := baseHeap + m.Heap() + images
	return ProgramBytes + decoderBytes + lasting + machine.Garbage(lasting) + readers + m.Arena
}

// ImageBytes is what the data set takes.
func (p *Plan) ImageBytes() int64 { return p.Data.Bytes() }

// StageNeed is about what a stage takes of the device's own memory, in bytes. Err says
// why that is not known: the stage would fail with it.
type StageNeed struct {
	Stage string
	Bytes int64
	Err   error
}

// DeviceNeeds are those of stages that run one after the other in a process, in this
// order: what one leaves on the device counts for those after it. arch is as for Memory.
func (p *Plan) DeviceNeeds(rt *supernet.Runtime, stages []string, arch space.Arch) []StageNeed {
	var needs []StageNeed
	var m supernet.DeviceMemory
	for _, s := range stages {
		need, err := p.deviceNeed(rt, s, arch)
		m = need.After(m)
		needs = append(needs, StageNeed{s, m.Total(), err})
	}
	return needs
}

// deviceNeed is that of a stage on a device that has done nothing before.
func (p *Plan) deviceNeed(rt *supernet.Runtime, stage string, arch space.Arch) (supernet.DeviceMemory, error) {
	switch stage {
	case "search":
		return p.scoreNeed(rt)
	case "train":
		return rt.TrainMemory(p.Supernet(), nil, p.Images(stage), p.Training(stage))
	}
	if arch == nil {
		var err error
		if arch, err = supernet.Widest(p.Final(true)); err != nil {
			return supernet.DeviceMemory{}, err
		}
	}
	return rt.TrainMemory(p.Final(true), arch, p.Images(stage), p.Training(stage))
}

// LessDevice says with which settings a stage takes less of a GPU's memory.
func LessDevice(stage string, c config.Run) string {
	less := "a smaller " + stage + ".micro_batch"
	if stage == "search" { // classifies as many images at a time as is fast
		less = "a smaller net.channels or net.layers"
	}
	if !c.Half() {
		less += " or --amp bf16"
	}
	return less + " needs less"
}

// scoreNeed is that of the first scores or, if they take more, of the second ones.
func (p *Plan) scoreNeed(rt *supernet.Runtime) (supernet.DeviceMemory, error) {
	all := p.Data.Search.Len()
	some := all
	if n := p.Config.Score.Images; n > 0 {
		some = n
	}
	first, err := rt.ScoreMemory(p.Supernet(), p.Scoring(false), p.Data.Train.Len(), some)
	if err != nil {
		return first, err
	}
	again, err := rt.ScoreMemory(p.Supernet(), p.Scoring(true), p.Data.Train.Len(), all)
	if again = again.After(first); again.Total() > first.Total() {
		return again, err
	}
	return first, err
}
