package pipeline

import (
	"fmt"
	"slices"

	"oneshot/internal/fault"
	"oneshot/internal/rundir"
)

// StageNames are the names of the stages, in order.
func StageNames() (names []string) {
	for _, s := range Stages {
		names = append(names, s.Name)
	}
	return names
}

// onlyReads refuses a request that would write to a folder that cannot be written to.
func (o *opening) onlyReads(dir *rundir.Dir) error {
	if !o.stored || len(o.Reads) == 0 {
		return dir.Unwritable
	}
	chain, err := Chain(dir.Folder)
	if err != nil {
		return err
	}
	for _, l := range chain {
		rec, err := dir.ReadRecord(stageOf(l.Stage).Record)
		if err != nil {
			return err
		}
		if slices.Contains(o.Reads, l.Stage) && (l.State != StateFresh || rec == nil) {
			hint := "choose a writable folder with --out, such as a copy of this one"
			if file := rundir.Folder(dir.File("export", "model.safetensors")); dir.Has("export", "model.safetensors") {
				hint += "; `oneshot eval --weights " + file.Arg() + "` classifies images and writes nothing"
			}
			return fault.Wrap(fault.Classify(dir.Unwritable).Code, fmt.Errorf("%w, and the stage %s would write there", dir.Unwritable, l.Stage), hint)
		}
	}
	return nil
}
