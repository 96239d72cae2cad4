package pipeline

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"oneshot/data"
	"oneshot/internal/config"
	"oneshot/internal/device"
	"oneshot/internal/fault"
	"oneshot/internal/plan"
	"oneshot/internal/rundir"
	"oneshot/supernet"
)

// Preview is what a request would do, in a run folder or a new one.
type Preview struct {
	Config    config.Config // resolved, with what follows from architecture and files
	Lines     []string      // what the images are, and what was chosen
	Ahead     []Ahead       // what will be done, in order
	Forecasts []Forecast
	// Unseen says why there are no forecasts; nil where there are.
	Unseen error
}

// Look previews a request; it writes nothing. Images are opened only where measure has the
// stages that train be forecast, or the request depends on them. The error is that of a request
// that would be refused whatever the images are.
func Look(ctx context.Context, p Process, q Request, measure bool) (Preview, error) {
	o := opening{Process: p, Request: q, now: p.UI.Now(), peeks: true}
	var v Preview
	d, err := o.lookInto(rundir.Folder(q.Folder))
	if err != nil {
		return v, err
	}
	v.Config = o.config
	if !measure && q.FitMAdds == 0 && !o.stored && !o.lost {
		return v, nil
	}
	if !data.Drawn(o.config.Data.Name) {
		_, err := os.Stat(o.config.Data.Dir)
		if o.config.Data.Dir == "" {
			err = errors.New("no folder is named, --data-dir names one")
		}
		if err != nil {
			v.Unseen = fmt.Errorf("the images were not looked at: %w", err)
			if q.FitMAdds > 0 {
				return v, fault.Usage("", "--fit-madds depends on the size of the images and the number of classes: %w", v.Unseen)
			}
			return v, nil
		}
	}
	pl, arch, err := o.plan(ctx, d)
	if o.unseen != nil {
		if v.Unseen = o.unseen; o.FitMAdds > 0 {
			return v, o.unseen // the width depends on them
		}
		return v, nil
	}
	if err != nil {
		return v, err
	}
	defer pl.Data.Close()
	if o.lost {
		if err := o.restore(d); err != nil {
			return v, err
		}
	}
	v.Config.Retrain.Channels = o.config.Retrain.Channels
	if err = pl.Check(); o.stored && err == nil {
		_, err = o.check(pl, arch, d)
	}
	if err != nil {
		v.Lines = append(plan.DescribeData(pl.Data), o.settled...)
		return v, err // as the request itself would be
	}
	searches := o.stored && stageOf("search").begun(d) && slices.Contains(q.Redoes, "search")
	var rt *supernet.Runtime
	if measure || searches {
		if rt, err = device.Open(pl.Config.Run, p.Device, p.UI); err == nil {
			defer rt.Close()
			err = o.arithmetic(pl, rt, d)
		} else {
			v.Unseen, err = err, nil
		}
	}
	v.Lines = append(plan.DescribeData(pl.Data), o.settled...)
	if slices.Contains(q.Sizes, "train") {
		v.Lines = append(v.Lines, samplingLines(pl.Config)...)
	}
	if err == nil {
		v.Ahead, err = o.ahead(pl, d)
	}
	if err != nil {
		return v, err
	}
	v.Lines = append(v.Lines, aheadLine(v.Ahead))
	widest := neediest(pl, d, arch)
	needs, err := o.space(pl, d, v.Ahead, widest)
	if err != nil {
		return v, err
	}
	if line := spaceLine(needs, freeDisk(rundir.Folder(q.Folder))); line != "" {
		v.Lines = append(v.Lines, line)
	}
	if line := short(needs, rundir.Folder(q.Folder), freeDisk(rundir.Folder(q.Folder))); line != "" {
		p.UI.Warnf("%s", line)
	}
	if !measure || rt == nil {
		return v, nil
	}
	if pl.Teacher, err = o.teach(rt); err != nil {
		return v, err
	}
	stages := slices.DeleteFunc(slices.Clone(q.Sizes), func(s string) bool {
		return s == "search" || o.stored && over(pl, s, d) && !slices.Contains(o.redone, s)
	})
	v.Forecasts = Forecasts(ctx, pl, rt, stages, widest, p.UI.Now)
	for i := range v.Forecasts {
		f := &v.Forecasts[i]
		if !o.stored || f.Stage != "retrain" {
			continue
		}
		if slices.Contains(o.redone, f.Stage) {
			f.leave(trainings(d, pl.Config))
		} else {
			f.leave(trainingsLeft(d, pl.Config))
		}
	}
	return v, nil
}

// lookInto resolves the configuration as it would be in folder d: that of the run in it, or,
// where the request would begin one, a folder that has nothing, which is returned then.
func (o *opening) lookInto(d rundir.Folder) (rundir.Folder, error) {
	if o.stored = d != "" && o.Resume && d.Has("config.yaml"); o.stored {
		return d, o.adopt(d)
	}
	nowhere := rundir.Folder(os.DevNull)
	var err error
	if o.config, err = o.Config.Resolve(nil, o.Preset); err != nil {
		return nowhere, err
	}
	if d != "" && o.Resume && hasStages(d) {
		if err := o.derive(d); err != nil {
			return d, err
		}
		o.lost = true
		return d, nil
	}
	if o.config.Retrain.Init == config.Inherited {
		o.Retrains = false // the supernet is that of a folder
	}
	if err := o.derive(nowhere); err != nil {
		return nowhere, err
	}
	if o.Retrains = false; o.Request.Arch == "best" {
		o.Request.Arch = "" // of a folder too
	}
	return nowhere, nil
}

// over says whether nothing is left of a stage that trains.
func over(p *plan.Plan, stage string, d rundir.Folder) bool {
	if stage == "retrain" && several(p.Config.Retrain) {
		return allTrained(d, p.Config.Retrain)
	}
	step, _ := lastCheckpoint(d.File(stageOf(stage).Begun))
	return step >= p.Training(stage).Steps
}
