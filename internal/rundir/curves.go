package rundir

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"oneshot/internal/atomicfile"
	"oneshot/internal/fault"
)

// Value is one figure of metrics.jsonl.
type Value struct {
	Name  string // stage/figure, such as train/loss
	Step  int
	Value float64
}

// Points are all figures of metrics.jsonl, in its order; what is damaged is left out.
func (d Folder) Points() (points []Value, err error) {
	_, _, err = d.readMetrics(func(l Metric, _ []byte) {
		for _, f := range []struct {
			name string
			v    *float64
		}{{"loss", l.Loss}, {"lr", l.LR}, {"grad_norm", l.GradNorm}, {"top1", l.Top1}, {"best", l.Best}} {
			if f.v != nil {
				points = append(points, Value{l.Stage + "/" + f.name, l.Step, *f.v})
			}
		}
	})
	return points, fault.WithCode(err, fault.ExitInvalid, FromCopy)
}

// Samples reads a file of samples, such as search/samples.jsonl, without changing it; a torn last line is left out.
func (d Folder) Samples(path string) (lines []Sample, err error) {
	name := d.File(filepath.FromSlash(path))
	f, _, err := atomicfile.OpenRegular(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	_, _, err = ScanJSONL(f, name, func(line []byte) (bool, error) {
		var s Sample
		if err := json.Unmarshal(line, &s); err != nil {
			return false, fmt.Errorf("not a sample: %w", err)
		}
		lines = append(lines, s)
		return true, nil
	})
	return lines, fault.WithCode(err, fault.ExitInvalid, FromCopy)
}

// StartedAt is when the run began, in seconds since 1970; 0 where the manifest does not say it.
func (m Manifest) StartedAt() float64 {
	t, err := time.Parse(time.RFC3339, m.Started)
	if err != nil {
		return 0
	}
	return float64(t.Unix())
}
