package rundir

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
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
	Arch     string   `json:"arch,omitempty"` // short hash; of several paths of a step that of the first
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
	}, nil)
	if err != nil {
		return nil, err
	}
	if last < done {
		warn("%s: steps %d..%d of stage %s are missing", d.File("metrics.jsonl"), last+1, done, stage)
	}
	return appendJSONL(d.File("metrics.jsonl"))
}

// AsideMetrics is the file in the folder of a stage that has its lines of metrics.jsonl, where
// its results have made room for others.
const AsideMetrics = "metrics.jsonl"

// SetMetricsAside copies the lines of a stage into a folder of the run.
func (d Folder) SetMetricsAside(stage, folder string, warn func(format string, args ...any)) error {
	var lines []byte
	err := d.rewriteMetrics(warn, func(l Metric) bool { return true }, func(l Metric, line []byte) {
		if l.Stage == stage {
			lines = append(append(lines, line...), '\n')
		}
	})
	if err != nil {
		return err
	}
	return atomicfile.WriteFile(d.File(folder, AsideMetrics), lines, 0o644)
}

// TakeMetricsBack puts the lines that SetMetricsAside copied in the place of those that the stage
// has now.
func (d Folder) TakeMetricsBack(stage, folder string, warn func(format string, args ...any)) error {
	lines, err := atomicfile.ReadAtMost(d.File(folder, AsideMetrics), maxJSONL)
	if err != nil {
		return err
	}
	if err := d.rewriteMetrics(warn, func(l Metric) bool { return l.Stage != stage }, nil); err != nil {
		return err
	}
	have, err := atomicfile.ReadAtMost(d.File("metrics.jsonl"), maxJSONL)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := atomicfile.WriteFile(d.File("metrics.jsonl"), append(have, lines...), 0o644); err != nil {
		return err
	}
	if err := d.SortMetrics(warn); err != nil {
		return err
	}
	return atomicfile.OS.Remove(d.File(folder, AsideMetrics))
}

// rewriteMetrics brings metrics.jsonl into the order of the stages, without the
// lines that keep refuses. It writes only where that changes something. see, unless it is nil, is
// shown each line that stays. Nothing is computed from the metrics, so damage in them stops
// nothing: the damaged file is kept under another name, and the lines that can be read stay.
func (d Folder) rewriteMetrics(warn func(format string, args ...any), keep func(Metric) bool, see func(Metric, []byte)) error {
	var stages [3][]byte
	path, changed, last := d.File("metrics.jsonl"), false, 0
	file, err := appendJSONL(path) // no link, and from now on there is one
	if err != nil {
		return err
	}
	file.Close()
	damaged, torn, err := d.readMetrics(func(l Metric, line []byte) {
		if !keep(l) {
			changed = true
			return
		}
		at := stageOrder[l.Stage]
		changed, last = changed || at < last, max(at, last)
		stages[at] = append(append(stages[at], line...), '\n')
		if see != nil {
			see(l, line)
		}
	})
	if err != nil {
		return fault.WithCode(err, fault.ExitInvalid, FromCopy)
	}
	switch {
	case damaged > 0:
		kept, err := d.keepMetrics()
		if err != nil {
			return err
		}
		warn("%s:%d: not a line of metrics; the file is kept as %s, and goes on with the lines that are", path, damaged, kept)
	case torn:
		warn("%s: dropped an incomplete last line", path)
	}
	if !changed && !torn && damaged == 0 {
		return nil
	}
	return atomicfile.WriteFile(path, slices.Concat(stages[0], stages[1], stages[2]), 0o644)
}

// keepMetrics gives the file of metrics another name beside its own, and returns that.
func (d Folder) keepMetrics() (string, error) {
	path, kept := d.File("metrics.jsonl"), d.File(d.FreeName("metrics.jsonl.damaged"))
	if atomicfile.OS.Link(path, kept) == nil {
		return kept, nil
	}
	return kept, atomicfile.OS.Rename(path, kept) // where there are no links, for a moment only the other name
}

// readMetrics shows see each line of metrics.jsonl; without the file there are none. damaged is the
// number of the first line before the last that is no line of metrics, 0 where there is none. torn
// says that the last line is none, or has no end, as when a process was killed.
func (d Folder) readMetrics(see func(l Metric, line []byte)) (damaged int, torn bool, err error) {
	path := d.File("metrics.jsonl")
	f, size, err := atomicfile.OpenRegular(path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, err
	}
	defer f.Close()
	if size > maxJSONL {
		return 0, false, &atomicfile.SizeError{Path: d.File("metrics.jsonl"), Limit: maxJSONL}
	}
	br := bufio.NewReaderSize(f, 64<<10)
	bad := 0
	for n := 1; ; n++ {
		line, err := readLine(br)
		end := errors.Is(err, io.EOF)
		if err != nil && !end {
			return 0, false, fmt.Errorf("%s:%d: %w", path, n, err)
		}
		if end {
			if len(line) > 0 { // a torn line, behind a bad one perhaps
				damaged = cmp.Or(damaged, bad)
			}
			return damaged, bad > 0 || len(line) > 0, nil
		}
		if damaged = cmp.Or(damaged, bad); bad > 0 {
			bad = 0
		}
		body := bytes.TrimSuffix(line, []byte("\n"))
		var l Metric
		err = json.Unmarshal(body, &l)
		if _, known := stageOrder[l.Stage]; err != nil || !known {
			bad = n
			continue
		}
		see(l, body)
	}
}

// SortMetrics brings metrics.jsonl into the order of the stages. It writes only where
// that changes something.
func (d Folder) SortMetrics(warn func(format string, args ...any)) error {
	return d.rewriteMetrics(warn, func(Metric) bool { return true }, nil)
}

// lossWindow is how many last steps the loss of a summary is the mean of.
const lossWindow = 100

// Trained is what metrics.jsonl says of a training: the mean loss of its last steps, nil where the
// file has none of it any more, and how many images were replaced.
func (d Folder) Trained(stage string) (loss *float64, replaced int, err error) {
	losses, replaced, err := d.losses(stage)
	if err != nil || len(losses) == 0 {
		return nil, 0, err
	}
	m := mean(losses[max(0, len(losses)-lossWindow):])
	return &m, replaced, nil
}

// Losses is the course of a training's loss: its mean in each of that many parts of the
// training of about the same length, or of every step where there are fewer.
func (d Folder) Losses(stage string, parts int) ([]float64, error) {
	losses, _, err := d.losses(stage)
	return MeanParts(losses, parts), err
}

// MeanParts are the means of values in that many parts of about the same length, or the values themselves where
// there are fewer.
func MeanParts(values []float64, parts int) []float64 {
	n := min(parts, len(values))
	out := make([]float64, n)
	for i := range out {
		out[i] = mean(values[i*len(values)/n : (i+1)*len(values)/n])
	}
	return out
}

// losses are those of all steps of a training, as far as the file has them, and how many images were
// replaced.
func (d Folder) losses(stage string) (losses []float64, replaced int, err error) {
	_, _, err = d.readMetrics(func(l Metric, _ []byte) {
		if l.Stage == stage && l.Loss != nil {
			losses = append(losses, *l.Loss)
			replaced += l.Replaced
		}
	})
	return losses, replaced, fault.WithCode(err, fault.ExitInvalid, FromCopy)
}

func mean(v []float64) float64 {
	sum := 0.0
	for _, x := range v {
		sum += x
	}
	return sum / float64(len(v))
}
