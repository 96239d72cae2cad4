package rundir

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"slices"

	"oneshot/internal/atomicfile"
	"oneshot/internal/fault"
)

// stageOrder is the order in which stages write metrics.jsonl.
var stageOrder = map[string]int{"train": 0, "search": 1, "retrain": 2}

// Metric is a line of metrics.jsonl. It has no times: after a resume the file
// equals that of a run never stopped.
type Metric struct {
	Stage    string   `json:"stage"`
	Step     int      `json:"step"` // counted from 1; in stage search the samples
	Loss     *float64 `json:"loss,omitempty"`
	LR       *float64 `json:"lr,omitempty"`
	GradNorm *float64 `json:"grad_norm,omitempty"`
	Top1     *float64 `json:"top1,omitempty"`
	Best     *float64 `json:"best,omitempty"`
	Arch     string   `json:"arch,omitempty"` // short hash
	// Replaced counts the images of the batch that stand for others, which cannot be decoded.
	Replaced int `json:"replaced,omitempty"`
}

// OpenMetrics opens metrics.jsonl for a stage that continues after step done.
// The stage's later lines go, as they will be written again; those of other
// stages stay, whatever order the stages are repeated in.
func (d Folder) OpenMetrics(stage string, done int, warn func(format string, args ...any)) (*JSONL, error) {
	last := 0
	err := d.rewriteMetrics(warn, func(l Metric) bool {
		if l.Stage == stage && l.Step <= done {
			last = l.Step
		}
		return l.Stage != stage || l.Step <= done
	})
	if err != nil {
		return nil, err
	}
	if last < done {
		warn("metrics.jsonl: steps %d..%d of stage %s are missing", last+1, done, stage)
	}
	return appendJSONL(d.File("metrics.jsonl"))
}

// rewriteMetrics brings metrics.jsonl into the order of the stages, without the
// lines that keep refuses. It writes only where that changes something.
func (d Folder) rewriteMetrics(warn func(format string, args ...any), keep func(Metric) bool) error {
	var stages [3][]byte
	m, torn, err := OpenJSONL(d.File("metrics.jsonl"), func(line []byte) (bool, error) {
		var l Metric
		if err := json.Unmarshal(line, &l); err != nil {
			return false, err
		}
		at, known := stageOrder[l.Stage]
		if !known {
			return false, fmt.Errorf("unknown stage %q", l.Stage)
		}
		if keep(l) {
			stages[at] = append(append(stages[at], line...), '\n')
		}
		return true, nil
	})
	if err != nil {
		return fault.WithCode(err, fault.ExitInvalid, "")
	}
	if torn {
		warn("%s: dropped an incomplete last line", m.Path())
	}
	if err := m.Close(); err != nil {
		return err
	}
	want := slices.Concat(stages[0], stages[1], stages[2])
	have, err := os.ReadFile(m.Path())
	if err != nil || bytes.Equal(have, want) {
		return err
	}
	return atomicfile.WriteFile(m.Path(), want, 0o644)
}

// SortMetrics brings metrics.jsonl into the order of the stages. It writes only where
// that changes something.
func (d Folder) SortMetrics(warn func(format string, args ...any)) error {
	return d.rewriteMetrics(warn, func(Metric) bool { return true })
}

// lossWindow is how many last steps the loss of a summary is the mean of.
const lossWindow = 100

// Trained is what metrics.jsonl says of a training: the mean loss of its last steps and
// how many images were replaced.
func (d Folder) Trained(stage string) (loss float64, replaced int, err error) {
	losses, replaced, err := d.losses(stage)
	if err != nil {
		return 0, 0, err
	}
	return mean(losses[max(0, len(losses)-lossWindow):]), replaced, nil
}

// Losses is the course of a training's loss: its mean in each of that many parts of the
// training of about the same length, or of every step where there are fewer.
func (d Folder) Losses(stage string, parts int) ([]float64, error) {
	losses, _, err := d.losses(stage)
	n := min(parts, len(losses))
	out := make([]float64, n)
	for i := range out {
		out[i] = mean(losses[i*len(losses)/n : (i+1)*len(losses)/n])
	}
	return out, err
}

// losses are those of all steps of a training, at least one, and how many images were replaced.
func (d Folder) losses(stage string) (losses []float64, replaced int, err error) {
	path := d.File("metrics.jsonl")
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	defer f.Close()
	_, _, err = ScanJSONL(f, path, func(line []byte) (bool, error) {
		var l Metric
		if err := json.Unmarshal(line, &l); err != nil {
			return false, err
		}
		if l.Stage == stage && l.Loss != nil {
			losses = append(losses, *l.Loss)
			replaced += l.Replaced
		}
		return true, nil
	})
	if err == nil && len(losses) == 0 {
		err = fault.New(fault.ExitInvalid, "move the folder of the stage away to train it again", "%s: no loss of stage %s in it", path, stage)
	}
	return losses, replaced, err
}

func mean(v []float64) float64 {
	sum := 0.0
	for _, x := range v {
		sum += x
	}
	return sum / float64(len(v))
}
