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
	"oneshot/supernet/space"
)

// check finds what would stop a later stage before the first one starts, and what a
// search draws from.
func (o *opening) check(p *plan.Plan, arch space.Arch, d rundir.Folder) (within lanas.Space, err error) {
	if err := p.Check(); err != nil {
		return nil, err
	}
	if p.Config.Retrain.Init == config.Inherited && arch != nil && p.Space.Encode(arch) == nil {
		return nil, fault.Usage("leave out --init, or name a path of the supernet with --arch", "%s is no path of a supernet, whose weights it could inherit", p.Space.Format(arch))
	}
	if err := o.sameArch(p.Space, arch); err != nil {
		return nil, err
	}
	if err := o.keepsArch(p.Space, arch, d); err != nil {
		return nil, err
	}
	if o.Request.Arch == "best" {
		if err := p.CheckCeilings(arch); err != nil {
			return nil, fault.WithCode(err, fault.ExitUsage,
				"the search kept to that limit with another size of the retrained network: give it that size (retrain.layers, retrain.channels), or name the architecture with --arch")
		}
	}
	if within, err = p.SearchSpace(); err != nil {
		return nil, err
	}
	if err := o.courses(p, arch, d); err != nil {
		return nil, err
	}
	if o.Needs != nil {
		err = o.Needs(p, d)
	}
	return within, err
}

// keepsArch refuses to retrain another architecture than the folder has begun with, and a
// run whose search could only find another one.
func (o *opening) keepsArch(s space.Space, arch space.Arch, d rundir.Folder) error {
	runs := !o.Retrains && slices.Contains(o.Sizes, "retrain")
	if !o.Retrains && !runs {
		return nil // whatever it is, this request does not train it
	}
	begun, err := begunArch(s, d)
	if err != nil && o.Override && len(o.Redoes) > 0 {
		return nil // perhaps it is of another space, which was changed
	}
	if _, any := lastCheckpoint(d.File("retrain")); begun != nil && err == nil && !any && !d.Has("retrain", "seeds.json") {
		return nil // no step of it is kept: another one replaces nothing
	}
	rec, errRecord := d.ReadRecord(stageOf("retrain").Record)
	switch {
	case err != nil || begun == nil:
		return err
	case errRecord != nil:
		return errRecord
	case o.Override && slices.Contains(o.Redoes, "retrain") && (!runs || stageOf("search").begun(d)):
		return nil // the other one is trained anew
	case runs && d.Has("search", "best.json"):
		if arch, err = plan.BestArch(s, d); err != nil {
			return err
		}
	case runs && !stageOf("search").begun(d) && rec != nil && rec.Chosen:
		return nil // its search is gone, and finds it again
	case runs && !stageOf("search").begun(d):
		return fault.Usage("use another --out for a run; `oneshot retrain --out "+d.Arg()+"` goes on here",
			"%s retrains an architecture that no search in it has found:\n  %s", d, s.Format(begun))
	case runs:
		return nil // the search that goes on has found it before
	}
	return sameAs(s, begun, arch, d)
}

// sameAs is the error where a folder has begun to retrain one architecture, and another is meant.
func sameAs(s space.Space, begun, arch space.Arch, d rundir.Folder) error {
	if was, want := s.Format(begun), s.Format(arch); was != want {
		return fault.Usage("use another --out for another architecture; the same command with --override trains it here, and keeps what there is in "+d.File(replacedFolder)+" until it is done",
			"%s retrains another architecture:\n  %s -> %s", d, was, want)
	}
	return nil
}

// begunArch is the architecture that a folder has begun to retrain, nil where it has not.
func begunArch(s space.Space, d rundir.Folder) (space.Arch, error) {
	path := d.File("retrain", "arch.json")
	b, err := atomicfile.ReadAtMost(path, plan.MaxArchBytes)
	if errors.Is(err, fs.ErrNotExist) { // the record of a training that has begun tells it too
		rec, err := d.ReadRecord(stageOf("retrain").Record)
		if _, any := lastCheckpoint(d.File("retrain")); err != nil || !any || rec == nil || rec.Inputs[inArch] == "" {
			return nil, err
		}
		return s.Parse(rec.Inputs[inArch])
	}
	if err != nil {
		return nil, err
	}
	arch, err := plan.StoredArch(s, b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	rec, err := d.ReadRecord(stageOf("retrain").Record)
	if err != nil {
		return nil, err
	}
	if _, any := lastCheckpoint(d.File("retrain")); any && rec != nil && rec.Inputs[inArch] != "" && rec.Inputs[inArch] != s.Format(arch) {
		return nil, fault.New(fault.ExitInvalid, "put the file back as it was; renamed to arch.json.damaged it is kept, and `oneshot retrain --out "+d.Arg()+" --arch "+rec.Inputs[inArch]+"` writes it again",
			"%s: not the architecture that is retrained, which is %s", path, rec.Inputs[inArch])
	}
	return arch, nil
}
