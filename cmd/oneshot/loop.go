package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"oneshot/data"
	"oneshot/internal/atomicfile"
	"oneshot/internal/fault"
	"oneshot/ops/cuda"
	"oneshot/supernet"
	"oneshot/supernet/space"
	"oneshot/weights"
)

// stageOrder is the order in which stages write metrics.jsonl.
var stageOrder = map[string]int{"train": 0, "search": 1, "retrain": 2}

// metric is a line of metrics.jsonl. It has no times: after a resume the file
// equals that of a run never stopped.
type metric struct {
	Stage    string   `json:"stage"`
	Step     int      `json:"step"` // counted from 1; in stage search the samples
	Loss     *float64 `json:"loss,omitempty"`
	LR       *float64 `json:"lr,omitempty"`
	GradNorm *float64 `json:"grad_norm,omitempty"`
	Top1     *float64 `json:"top1,omitempty"`
	Best     *float64 `json:"best,omitempty"`
	Arch     string   `json:"arch,omitempty"` // short hash
}

// openMetrics opens metrics.jsonl for a stage that continues after step done.
// The stage's later lines go, as they will be written again; those of other
// stages stay, whatever order the stages are repeated in.
func (j *job) openMetrics(stage string, done int) (*jsonl, error) {
	last := 0
	err := j.rewriteMetrics(func(l metric) bool {
		if l.Stage == stage && l.Step <= done {
			last = l.Step
		}
		return l.Stage != stage || l.Step <= done
	})
	if err != nil {
		return nil, err
	}
	if last < done {
		j.ui.warnf("metrics.jsonl: steps %d..%d of stage %s are missing", last+1, done, stage)
	}
	path := j.dir.file("metrics.jsonl")
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return nil, err
	}
	return &jsonl{f, path}, nil
}

// rewriteMetrics brings metrics.jsonl into the order of the stages, without the
// lines that keep refuses. It writes only where that changes something.
func (j *job) rewriteMetrics(keep func(metric) bool) error {
	var stages [3][]byte
	m, torn, err := openJSONL(j.dir.file("metrics.jsonl"), func(line []byte) (bool, error) {
		var l metric
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
		j.ui.warnf("%s: dropped an incomplete last line", m.path)
	}
	if err := m.close(); err != nil {
		return err
	}
	want := slices.Concat(stages[0], stages[1], stages[2])
	have, err := os.ReadFile(m.path)
	if err != nil || bytes.Equal(have, want) {
		return err
	}
	return atomicfile.WriteFile(m.path, want, 0o644)
}

// inOrder accepts every line.
func inOrder(metric) bool { return true }

// advance trains n to the last step of a stage, from its newest checkpoint if
// it has one, and leaves in n the weights to use: the averaged ones where there
// are any. Where a device is out of memory before the first checkpoint, and
// --memory-limit allows it, fewer images at a time go through the network.
func (j *job) advance(ctx context.Context, stage string, n *supernet.Net, images *data.Train, c supernet.TrainConfig) error {
	for {
		err := j.attempt(ctx, stage, n, images, c)
		var memory *cuda.MemoryError
		if !errors.As(err, &memory) || !j.shrinks || j.begun(stage) {
			return err
		}
		s := j.sgd(stage)
		m := s.AtOnce() - 1
		for m >= 2 && s.Batch%m != 0 {
			m--
		}
		if m < 2 {
			return err
		}
		j.ui.warnf("%v; %s goes on with %d images at a time instead of %d", memory, stage, m, s.AtOnce())
		s.MicroBatch, c.MicroBatch = m, m
		if err := j.writeConfig(); err != nil {
			return err
		}
	}
}

// attempt is advance with the images at a time that the configuration has.
func (j *job) attempt(ctx context.Context, stage string, n *supernet.Net, images *data.Train, c supernet.TrainConfig) error {
	from, err := j.newest(j.dir.file(stageDir[stage]))
	if err != nil {
		return err
	}
	if from != nil && from.Step == c.Steps {
		j.ui.debugf("%s: all %d steps were done", stage, c.Steps)
		return fault.WithCode(n.LoadNet(*from, true), fault.ExitInvalid, "")
	}
	m, err := j.memory(stage)
	if err != nil {
		return err
	}
	if j.rt.Device() == "cpu" { // beside a GPU the processor has memory to spare
		defer lessGarbage(m.Heap() + j.imageBytes())()
	}
	t, err := supernet.NewTrainer(n, images, c)
	if err != nil {
		return fault.WithCode(err, fault.ExitUsage, "")
	}
	defer t.Close()
	if from != nil {
		if err := t.Restore(*from); err != nil {
			return fault.WithCode(err, fault.ExitInvalid, "")
		}
		j.ui.infof("%s continues at step %d", stage, t.StepNumber())
	}
	if err := j.trainLoop(ctx, stage, t, c.Steps); err != nil {
		return err
	}
	end, err := t.Checkpoint()
	if err != nil {
		return err
	}
	return n.LoadNet(end, true)
}

// newest reads the newest intact checkpoint in dir; nil if there never was one.
// Damaged ones only is an error: starting over must be the user's decision.
func (j *job) newest(dir string) (*weights.Checkpoint, error) {
	if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	c, skipped, err := weights.LoadLatest(dir)
	for _, e := range skipped {
		j.ui.warnf("skipped a damaged checkpoint: %v", e)
	}
	if errors.Is(err, weights.ErrNoCheckpoint) {
		return nil, nil
	}
	if err != nil {
		return nil, fault.Wrap(fault.ExitInvalid, err, "move "+dir+" away to train this stage again")
	}
	return &c, nil
}

// trainLoop steps t to its end. It saves every run.checkpoint_steps steps, when
// asked to (SIGUSR1), when stopped, and after the last step; a save follows the
// sync of metrics.jsonl, so the metrics never end before a checkpoint does.
func (j *job) trainLoop(ctx context.Context, stage string, t *supernet.Trainer, total int) error {
	dir := j.dir.file(stageDir[stage])
	metrics, err := j.openMetrics(stage, t.StepNumber())
	if err != nil {
		return err
	}
	defer metrics.close()
	meter := j.ui.meter(stage, t.StepNumber(), total)
	defer meter.finish()
	step := func() error {
		// A step is never cut short: its state would be neither before nor after.
		s, err := t.Step(context.WithoutCancel(ctx))
		if err != nil {
			return fmt.Errorf("%s: %w", stage, err)
		}
		meter.update(t.StepNumber(), s.Images, fmt.Sprintf("loss %.4g", s.Loss))
		return metrics.append(j.stepMetric(stage, s))
	}
	saved := t.StepNumber()
	save := func() error {
		t.Hold(true)
		defer t.Hold(false)
		for t.Ahead() > 0 {
			if err := step(); err != nil {
				return err
			}
		}
		if saved == t.StepNumber() {
			return nil
		}
		if err := metrics.sync(); err != nil {
			return err
		}
		saved = t.StepNumber()
		j.ui.debugf("checkpoint %s at step %d", stage, saved)
		c, err := t.Checkpoint()
		if err != nil {
			return err
		}
		return weights.SaveCheckpoint(dir, saved, c, j.cfg.Run.CheckpointKeep)
	}
	for t.StepNumber() < total {
		if ctx.Err() != nil {
			if err := save(); err != nil {
				return err
			}
			return j.stopped(ctx, stage, t.StepNumber(), total)
		}
		// A device that holds before a checkpoint has no step more to finish.
		t.Hold((t.StepNumber()+1)%j.cfg.Run.CheckpointSteps == 0)
		if err := step(); err != nil {
			return err
		}
		if t.StepNumber()%j.cfg.Run.CheckpointSteps == 0 || j.sig.wantSave() {
			if err := save(); err != nil {
				return err
			}
		}
	}
	if err := save(); err != nil {
		return err
	}
	return j.rewriteMetrics(inOrder)
}

func (j *job) stepMetric(stage string, s supernet.StepStats) metric {
	return metric{
		Stage: stage, Step: s.Step, Loss: &s.Loss, LR: &s.LR, GradNorm: &s.GradNorm, Top1: &s.Top1,
		Arch: space.Hash(j.space, s.Arch),
	}
}

// stageDir is the folder of a stage's checkpoints.
var stageDir = map[string]string{"train": "supernet", "retrain": "retrain"}

// lossWindow is how many last steps the loss of a summary is the mean of.
const lossWindow = 100

// finalLoss is the mean training loss of the last steps of a stage, read from
// metrics.jsonl.
func (j *job) finalLoss(stage string) (float64, error) {
	var last []float64
	path := j.dir.file("metrics.jsonl")
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	_, _, err = scanJSONL(f, path, func(line []byte) (bool, error) {
		var l metric
		if err := json.Unmarshal(line, &l); err != nil {
			return false, err
		}
		if l.Stage == stage && l.Loss != nil {
			last = append(last, *l.Loss)
		}
		return true, nil
	})
	if err != nil {
		return 0, err
	}
	if len(last) == 0 {
		return 0, fault.New(fault.ExitInvalid, "move the folder of the stage away to train it again", "%s: no loss of stage %s in it", path, stage)
	}
	last = last[max(0, len(last)-lossWindow):]
	sum := 0.0
	for _, v := range last {
		sum += v
	}
	return sum / float64(len(last)), nil
}

// base is the name of the folder, as results give it.
func (d *runDir) base() string {
	abs, err := filepath.Abs(d.path)
	if err != nil {
		return filepath.Base(d.path)
	}
	return filepath.Base(abs)
}
