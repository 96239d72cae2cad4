package pipeline

import (
	"context"
	"errors"
	"fmt"
	"os"

	"oneshot/data"
	"oneshot/data/source"
	"oneshot/internal/fault"
	"oneshot/internal/rundir"
	"oneshot/internal/ui"
	"oneshot/supernet"
	"oneshot/supernet/space"
	"oneshot/weights"
)

// Training is a stage that trains a network to its last step. Its checkpoints lie in
// a folder of the run, its steps in metrics.jsonl.
type training struct {
	stage  Stage
	of     rundir.Folder // that of the run
	folder rundir.Folder // where this training's checkpoints and metrics are
	ui     *ui.UI
	net    *supernet.Net
	images *data.Train
	config supernet.TrainConfig

	every, keep int         // steps between checkpoints, checkpoints that stay
	saveAsked   func() bool // whether somebody asked for a checkpoint since the last call
	hash        func(space.Arch) string
	prepare     func() (restore func(), err error) // runs before the first step
}

// run trains from the newest checkpoint, if there is one, and leaves in the network
// the weights to use: the averaged ones where there are any.
func (t *training) run(ctx context.Context) error {
	from, err := newestCheckpoint(t.checkpoints(), t.ui)
	if errors.Is(err, weights.ErrCorrupt) {
		return fault.Wrap(fault.ExitInvalid, err, "put a checkpoint back from a copy of the folder; `"+t.stage.command(t.of, true)+"` trains anew and keeps these until that is complete")
	}
	if err != nil {
		return err
	}
	if from != nil && from.Step == t.config.Steps {
		t.ui.Debugf("%s: all %d steps were done", t.stage.Name, t.config.Steps)
		if err := weights.Tidy(t.checkpoints(), from.Step, t.keep); err != nil {
			return err
		}
		return t.unfit(t.net.LoadNet(*from, true), from.Step)
	}
	restore, err := t.prepare()
	if err != nil {
		return err
	}
	defer restore()
	trainer, err := supernet.NewTrainer(t.net, t.images, t.config)
	if err != nil {
		return fault.WithCode(err, fault.ExitUsage, "")
	}
	defer trainer.Close()
	if from != nil {
		if err := trainer.Restore(*from); err != nil {
			return t.unfit(err, from.Step)
		}
		t.ui.Infof("%s continues at step %d", t.stage.Name, trainer.StepNumber())
	}
	if err := t.steps(ctx, trainer); err != nil {
		return err
	}
	end, err := trainer.Checkpoint()
	if err != nil {
		return err
	}
	return t.net.LoadNet(end, true)
}

// checkpoints is their folder.
func (t *training) checkpoints() string { return t.folder.File(t.stage.Begun) }

// unfit is the error of an intact checkpoint from which the training cannot go on, nil where
// err is.
func (t *training) unfit(err error, step int) error {
	if err == nil {
		return nil
	}
	return fault.WithCode(fmt.Errorf("%s: checkpoint of step %d: %w", t.checkpoints(), step, err), fault.ExitInvalid,
		"put the checkpoint back that the run wrote, or go on in another folder with --out")
}

// newestCheckpoint reads the newest intact checkpoint in dir; nil if there never was
// one. Damaged ones only is an error: starting over must be the user's decision.
func newestCheckpoint(dir string, u *ui.UI) (*weights.Checkpoint, error) {
	if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	c, skipped, err := weights.LoadLatest(dir)
	for _, e := range skipped {
		u.Warnf("skipped a damaged checkpoint: %v", e)
	}
	if errors.Is(err, weights.ErrNoCheckpoint) {
		return nil, nil
	}
	if errors.Is(err, weights.ErrCorrupt) {
		return nil, fault.Wrap(fault.ExitInvalid, err, "put a checkpoint back from a copy of the folder")
	}
	if err != nil {
		return nil, fault.WithCode(err, fault.ExitInvalid, "")
	}
	return &c, nil
}

// steps takes the trainer to the last step. It saves every so many steps, when asked
// to, when stopped, and after the last step; a save follows the sync of metrics.jsonl,
// so the metrics never end before a checkpoint does.
func (t *training) steps(ctx context.Context, trainer *supernet.Trainer) error {
	stage, total := t.stage.Name, t.config.Steps
	metrics, sum, err := t.openMetrics(trainer.StepNumber())
	if err != nil {
		return err
	}
	defer metrics.Close()
	meter := t.ui.Meter(stage, trainer.StepNumber(), total)
	defer meter.Finish()
	step := func() error {
		// A step is never cut short: its state would be neither before nor after.
		s, err := trainer.Step(context.WithoutCancel(ctx))
		if err != nil {
			return fault.Training(stage, fmt.Errorf("%s: %w", stage, err))
		}
		meter.Update(trainer.StepNumber(), s.Images, fmt.Sprintf("loss %.4g", s.Loss))
		return t.append(metrics, sum, t.metric(s))
	}
	saved := trainer.StepNumber()
	save := func() error {
		trainer.Hold(true)
		defer trainer.Hold(false)
		for trainer.Ahead() > 0 {
			if err := step(); err != nil {
				return err
			}
		}
		if saved == trainer.StepNumber() {
			return nil
		}
		if err := metrics.Sync(); err != nil {
			return err
		}
		saved = trainer.StepNumber()
		t.ui.Debugf("checkpoint %s at step %d", stage, saved)
		if err := t.noteMetrics(saved, sum); err != nil {
			return err
		}
		c, err := trainer.Checkpoint()
		if err != nil {
			return err
		}
		if err := weights.SaveCheckpoint(t.checkpoints(), saved, c, t.keep); err != nil {
			return fmt.Errorf("%s: checkpoint at step %d: %w", stage, saved, err)
		}
		return nil
	}
	for trainer.StepNumber() < total {
		if ctx.Err() != nil {
			if err := save(); err != nil {
				return err
			}
			return fault.Stopped(ctx, t.of.Arg(), stage, trainer.StepNumber(), total)
		}
		// A device that holds before a checkpoint has no step more to finish.
		trainer.Hold((trainer.StepNumber()+1)%t.every == 0)
		if err := step(); err != nil {
			var bad *source.Fault
			if errors.As(err, &bad) {
				// The steps before it stand: they need not be taken again when the image is mended.
				if err := save(); err != nil {
					t.ui.Warnf("no checkpoint of stage %s could be written at step %d: %v", stage, trainer.StepNumber(), err)
				}
			}
			return err
		}
		if trainer.StepNumber()%t.every == 0 || t.saveAsked() {
			if err := save(); err != nil {
				return err
			}
		}
	}
	if err := save(); err != nil {
		return err
	}
	return t.folder.SortMetrics(t.ui.Warnf)
}

func (t *training) metric(s supernet.StepStats) rundir.Metric {
	return rundir.Metric{
		Stage: t.stage.Name, Step: s.Step, Loss: &s.Loss, LR: &s.LR, GradNorm: &s.GradNorm, Top1: &s.Top1,
		Arch: t.hash(s.Arch), Replaced: s.Replaced,
	}
}
