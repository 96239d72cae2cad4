package config

import (
	"strings"

	"oneshot/ops"
)

// StepsFor is the length of a training over images; the last, smaller batch of an
// epoch is left out, as batch statistics of a few images are poor.
func (s SGD) StepsFor(images int) int {
	if s.Steps > 0 {
		return s.Steps
	}
	return s.Epochs * max(1, images/s.Batch)
}

// EpochsFor is the length of a training in passes over the images.
func (s SGD) EpochsFor(images int) float64 {
	if s.Steps > 0 {
		return float64(s.Steps) / float64(max(1, images/s.Batch))
	}
	return float64(s.Epochs)
}

// optimizerNames are the values of Optimizer.
var optimizerNames = []string{"sgd", "adamw"}

// Rule is the one of that name with its settings; nil if there is none.
func (s SGD) Rule() ops.Optimizer {
	switch s.Optimizer {
	case "sgd":
		return ops.SGD{Momentum: s.Momentum, Nesterov: s.Nesterov}
	case "adamw":
		return ops.AdamW{Beta1: s.Beta1, Beta2: s.Beta2, Eps: s.Eps}
	}
	return nil
}

// AtOnce is how many images go through the network at a time.
func (s SGD) AtOnce() int {
	if s.MicroBatch > 0 {
		return s.MicroBatch
	}
	return s.Batch
}

// BaselineNames are the names of the list.
func (s Search) BaselineNames() []string {
	var names []string
	for name := range strings.SplitSeq(s.Baselines, ",") {
		if name = strings.TrimSpace(name); name != "" {
			names = append(names, name)
		}
	}
	return names
}
