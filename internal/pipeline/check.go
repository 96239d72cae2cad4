package pipeline

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"oneshot/internal/atomicfile"
	"oneshot/internal/config"
	"oneshot/internal/fault"
	"oneshot/internal/plan"
	"oneshot/internal/rundir"
	"oneshot/lanas"
	"oneshot/supernet"
	"oneshot/supernet/space"
)

// check finds what would stop a later stage before the first one starts, and what a
// search draws from.
func (o *opening) check(p *plan.Plan, arch space.Arch, d rundir.Folder) (within lanas.Space, err error) {
	if err := p.Check(); err != nil {
		return nil, err
	}
	if p.Config.Retrain.Init == config.Inherited && arch != nil && p.Space.Encode(arch) == nil {
		return nil, fault.Usage("leave out --init, or name a path of the supernet", "%s is no path of a supernet, whose weights it could inherit", p.Space.Format(arch))
	}
	if err := o.sameArch(p.Space, arch); err != nil {
		return nil, err
	}
	if err := o.keepsArch(p.Space, arch, d); err != nil {
		return nil, err
	}
	if o.Request.Arch == "best" {
		if err := p.CheckCeilings(arch); err != nil {
			return nil, fault.WithCode(err, fault.ExitUsage, "the search kept to that limit with another size of the retrained network")
		}
	}
	if within, err = p.SearchSpace(); err != nil {
		return nil, err
	}
	if len(o.overridden) > 0 {
		err = o.checkBegun(p, d)
	}
	return within, err
}

// keepsArch refuses to retrain another architecture than the folder has begun with, and a
// run whose search could only find another one.
func (o *opening) keepsArch(s space.Space, arch space.Arch, d rundir.Folder) error {
	runs := !o.Retrains && slices.Contains(o.Sizes, "retrain")
	begun, err := begunArch(s, d)
	switch {
	case err != nil || begun == nil:
		return err
	case !o.Retrains && !runs:
		return nil
	case runs && d.Has("search", "best.json"):
		best, err := plan.BestOf(d)
		if err != nil {
			return err
		}
		if arch, err = s.Parse(best.Arch); err != nil {
			return fault.WithCode(err, fault.ExitInvalid, "")
		}
	case runs && !stageOf("search").begun(d):
		return fault.Usage("use another --out for a run; `oneshot retrain --out "+string(d)+"` goes on here",
			"%s retrains an architecture that no search in it has found:\n  %s", d, s.Format(begun))
	case runs:
		return nil // the search that goes on has found it before
	}
	return sameAs(s, begun, arch)
}

// sameAs is the error where a folder has begun to retrain one architecture, and another is meant.
func sameAs(s space.Space, begun, arch space.Arch) error {
	if was, want := s.Format(begun), s.Format(arch); was != want {
		return fault.Usage("use another --out for another architecture", "this folder retrains another architecture:\n  %s -> %s", was, want)
	}
	return nil
}

// begunArch is the architecture that a folder has begun to retrain, nil where it has not.
func begunArch(s space.Space, d rundir.Folder) (space.Arch, error) {
	path := d.File("retrain", "arch.json")
	b, err := atomicfile.ReadAtMost(path, plan.MaxArchBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	arch, err := plan.StoredArch(s, b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return arch, nil
}

// checkBegun refuses settings with which a training that has begun could not go on:
// before anything is written, so that the folder stays as it is.
func (o *opening) checkBegun(p *plan.Plan, d rundir.Folder) error {
	if err := o.continues("train", p.Training("train"), d); err != nil {
		return err
	}
	for _, of := range repeats(d, p.Config.Retrain, p.Config.Seed) {
		c := p.Training("retrain")
		c.Seed = of.seed
		if err := o.continues("retrain", c, of.folder); err != nil {
			return err
		}
	}
	return nil
}

// continues says whether a stage's training can go on from what is in a folder.
func (o *opening) continues(stage string, c supernet.TrainConfig, d rundir.Folder) error {
	from, err := newestCheckpoint(d.File(stageOf(stage).Begun), o.UI)
	if err != nil || from == nil {
		return err
	}
	if from.Step == c.Steps {
		return o.undone(stage, d)
	}
	if err := c.Continues(*from); err != nil {
		return fault.Usage("repeat the stored values, or use another --out", "%s in %s cannot go on: %w", stage, d, err)
	}
	return nil
}

// undone refuses changes that decide a stage whose training is over: it would not be done
// again, and the folder would say what its network was not trained with.
func (o *opening) undone(stage string, d rundir.Folder) error {
	if i := slices.IndexFunc(o.overridden, stageOf(stage).decides); i >= 0 {
		return fault.Usage("repeat the stored value, or use another --out", "%s in %s is done: %s would change nothing in it", stage, d, o.overridden[i])
	}
	return nil
}
