package main

import (
	"fmt"
	"os"
	"runtime/debug"
	"strings"

	"oneshot/internal/config"
	"oneshot/internal/fault"
	"oneshot/supernet"
)

const (
	// programBytes is what `oneshot version` takes.
	programBytes = 13_000_000
	// garbageBytes is how much a training may leave for the garbage collector:
	// the graphs of four steps of the reference job and of thirteen of preset
	// tiny, so that it has little to do.
	garbageBytes = 16 << 20
)

// megabytes rounds up, as what is too little is no help.
func megabytes(n int64) int64 { return (n + 999_999) / 1_000_000 }

// sgd is the section of a stage that trains.
func (j *job) sgd(stage string) *config.SGD {
	if stage == "train" {
		return &j.cfg.Train.SGD
	}
	return &j.cfg.Retrain.SGD
}

// memory is about what the training of a stage needs.
func (j *job) memory(stage string) (supernet.Memory, error) {
	if stage == "train" {
		return supernet.Estimate(j.netConfig(), nil, j.sgdConfig(j.cfg.Train.SGD, j.data.Train.Len()), threads(j.cfg.Run))
	}
	arch := j.arch
	if arch == nil { // the most that may be found
		var err error
		if arch, err = supernet.Widest(j.finalConfig(true)); err != nil {
			return supernet.Memory{}, err
		}
	}
	return supernet.Estimate(j.finalConfig(true), arch, j.retrainConfig(j.retrainImages().Len()), threads(j.cfg.Run))
}

// need is about what the process takes while it trains a stage, in bytes.
func (j *job) need(stage string) (int64, error) {
	m, err := j.memory(stage)
	if stage == "train" {
		m.Arena += m.Arena * 8 / 100 // what a path can exceed supernet.Widest by
	}
	return programBytes + garbageBytes + m.Total() + j.imageBytes(), err
}

// needToScore is about what the process takes while it scores subnetworks.
func (j *job) needToScore() (int64, error) {
	m, err := supernet.EstimateScore(j.netConfig(), j.scoreConfig(false), threads(j.cfg.Run))
	return programBytes + garbageBytes + m.Total() + j.imageBytes(), err
}

// imageBytes is what the data set takes.
func (j *job) imageBytes() int64 {
	images := j.data.Train.Len() + j.data.Search.Len() + j.data.Test.Len()
	return int64(images) * int64(j.data.Image*j.data.Image*3)
}

// lessGarbage has the garbage of a training collected before it is more than
// garbageBytes beside a heap of that size, where the default is as much again.
// What was left before goes first. The user's GOGC counts more.
func lessGarbage(heap int64) (restore func()) {
	debug.FreeOSMemory()
	if os.Getenv("GOGC") != "" {
		return func() {}
	}
	old := debug.SetGCPercent(int(min(100, max(1, 100*garbageBytes/max(heap, 1)))))
	return func() { debug.SetGCPercent(old) }
}

// begun says whether a stage has a checkpoint to go on from, finished whether
// what comes after it has begun.
func (j *job) begun(stage string) bool { return j.dir.has(stageDir[stage]) }

func (j *job) finished(stage string) bool {
	switch stage {
	case "train":
		return j.dir.has("search")
	case "search":
		return j.dir.has("retrain")
	}
	return j.dir.has("export", "model.safetensors")
}

// fit chooses for each stage the largest micro-batch that keeps it within limit
// bytes, where the whole batch does not. 0 is no limit.
func (j *job) fit(limit int64) error {
	if limit == 0 {
		return nil
	}
	for _, stage := range j.trains {
		whole, err := j.need(stage)
		if err != nil {
			return err
		}
		if whole <= limit || j.finished(stage) {
			continue
		}
		s := j.sgd(stage)
		if j.begun(stage) {
			return fault.New(fault.ExitSpace, "raise --memory-limit, or train anew in another folder with --out",
				"stage %s has begun with %d images at a time and needs about %d MB, the limit is %d MB", stage, s.AtOnce(), megabytes(whole), megabytes(limit))
		}
		from, need := s.AtOnce(), whole
		for m := from - 1; m >= 2 && need > limit; m-- {
			if s.Batch%m != 0 {
				continue
			}
			s.MicroBatch = m
			if need, err = j.need(stage); err != nil {
				return err
			}
		}
		if need > limit {
			return fault.New(fault.ExitSpace, "raise --memory-limit, or choose a smaller network, fewer --workers or a batch with small divisors",
				"stage %s needs about %d MB even with %d images at a time, the limit is %d MB", stage, megabytes(need), s.AtOnce(), megabytes(limit))
		}
		j.fitted = append(j.fitted, fmt.Sprintf("memory   %s.micro_batch = %d keeps to the limit of %d MB; %d images at a time need about %d MB",
			stage, s.MicroBatch, megabytes(limit), from, megabytes(whole)))
	}
	if !j.scores || j.finished("search") {
		return nil
	}
	need, err := j.needToScore()
	if err != nil {
		return err
	}
	if need > limit {
		return fault.New(fault.ExitSpace, "raise --memory-limit, or lower score.recal_batch",
			"scoring subnetworks needs about %d MB, the limit is %d MB", megabytes(need), megabytes(limit))
	}
	return nil
}

// announceMemory says what the stages that are not finished need, and warns
// where the machine has less.
func (j *job) announceMemory() {
	for _, line := range j.fitted {
		j.ui.infof("%s", line)
	}
	var most int64
	var parts []string
	for _, stage := range j.trains {
		need, err := j.need(stage)
		if err != nil || j.finished(stage) {
			continue // the stage itself says what is wrong
		}
		most = max(most, need)
		parts = append(parts, fmt.Sprintf("%s %d", stage, megabytes(need)))
		j.ui.log.Info("memory", "stage", stage, "needs_bytes", need, "micro_batch", j.sgd(stage).AtOnce())
	}
	if j.scores && !j.finished("search") {
		if need, err := j.needToScore(); err == nil {
			most = max(most, need)
			parts = append(parts, fmt.Sprintf("search %d", megabytes(need)))
			j.ui.log.Info("memory", "stage", "search", "needs_bytes", need)
		}
	}
	if len(parts) == 0 {
		return
	}
	detail := ""
	if len(parts) > 1 {
		detail = " (" + strings.Join(parts, ", ") + ")"
	}
	j.ui.infof("memory   needs about %d MB%s", megabytes(most), detail)
	if free := availableMemory(); free > 0 && most > free {
		j.ui.warnf("needs about %d MB of memory, but only %d MB are available; --memory-limit %dMB trains with fewer images at a time",
			megabytes(most), free/1_000_000, free/1_000_000)
	}
}
