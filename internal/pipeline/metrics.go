package pipeline

import (
	"encoding/hex"
	"encoding/json"
	"hash"
	"maps"
	"slices"
	"strconv"

	"oneshot/internal/rundir"
)

// The loss that a result says of a training is a mean of lines of metrics.jsonl, which have no
// checksum. So each checkpoint has one of the lines up to its step, in the record, and when the training
// is complete the record has the loss itself.

// sumsKept is of how many of the last checkpoints the checksums are kept.
const sumsKept = 8

// openMetrics opens metrics.jsonl to go on after a step, with the running checksum of the training's lines
// in it. Where these are not what the checkpoint of that step was saved beside, they are left out.
func (t *training) openMetrics(done int) (*rundir.JSONL, hash.Hash, error) {
	for again := false; ; again = true {
		m, err := t.folder.OpenMetrics(t.stage.Name, done, t.ui.Warnf)
		if err != nil {
			return nil, nil, err
		}
		sum, err := t.folder.MetricsSum(t.stage.Name)
		right := again
		if err == nil && !again {
			right, err = t.stage.provenMetrics(t.folder, done, sum)
		}
		if err == nil && right {
			return m, sum, nil
		}
		m.Close() // its lines are synced with a checkpoint, or written again
		if err == nil {
			err = t.folder.DropMetrics(t.stage.Name, t.ui.Warnf)
		}
		if err != nil {
			return nil, nil, err
		}
	}
}

// provenMetrics says whether nothing speaks against a checksum of a training's metrics up to a step.
func (s Stage) provenMetrics(d rundir.Folder, step int, sum hash.Hash) (bool, error) {
	rec, err := d.ReadRecord(s.Record)
	if err != nil || rec == nil {
		return err == nil, err
	}
	want := rec.Metrics[strconv.Itoa(step)]
	return want == "" || want == hex.EncodeToString(sum.Sum(nil)), nil
}

// noteMetrics records the checksum of the metrics up to a step, before its checkpoint is saved.
func (t *training) noteMetrics(step int, sum hash.Hash) error {
	rec, err := t.folder.ReadRecord(t.stage.Record)
	if err != nil || rec == nil {
		return err
	}
	all := maps.Clone(rec.Metrics)
	if all == nil {
		all = map[string]string{}
	}
	all[strconv.Itoa(step)] = hex.EncodeToString(sum.Sum(nil))
	steps := slices.SortedFunc(maps.Keys(all), func(a, b string) int {
		x, _ := strconv.Atoi(a)
		y, _ := strconv.Atoi(b)
		return x - y
	})
	for _, old := range steps[:max(0, len(steps)-sumsKept)] {
		delete(all, old)
	}
	rec.Metrics = all
	return t.folder.KeepRecord(t.stage.Record, *rec)
}

// append adds the metrics of a step, also to the running checksum.
func (t *training) append(m *rundir.JSONL, sum hash.Hash, l rundir.Metric) error {
	b, err := json.Marshal(l)
	if err == nil {
		err = m.Append(json.RawMessage(b))
	}
	sum.Write(b)
	sum.Write([]byte("\n"))
	return err
}

// sumUpMetrics notes in the record of a training that is complete now what its metrics say, and the checksum of
// these alone, should it go further.
func (r *Run) sumUpMetrics(s Stage, d rundir.Folder, rec *rundir.Record) error {
	step, _ := lastCheckpoint(d.File(s.Begun))
	sum, err := d.MetricsSum(s.Name)
	if err != nil {
		return err
	}
	right, err := s.provenMetrics(d, step, sum)
	if err == nil && !right {
		if err = d.DropMetrics(s.Name, r.process.UI.Warnf); err == nil {
			sum, err = d.MetricsSum(s.Name)
		}
	}
	if err != nil {
		return err
	}
	rec.Metrics = map[string]string{strconv.Itoa(step): hex.EncodeToString(sum.Sum(nil))}
	rec.Loss, rec.Replaced, err = d.Trained(s.Name)
	return err
}
