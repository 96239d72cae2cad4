package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"oneshot/internal/atomicfile"
	"oneshot/internal/fault"
	"oneshot/internal/machine"
	"oneshot/internal/plan"
	"oneshot/internal/rundir"
	"oneshot/internal/search"
	"oneshot/ops/cuda"
	"oneshot/supernet"
	"oneshot/supernet/space"
)

// Train brings the supernet to its last step, from wherever it stands, and
// returns it.
func (r *Run) Train(ctx context.Context) (*supernet.Net, error) {
	n, err := supernet.New(r.Supernet(), r.Config.Seed, r.rt)
	if err != nil {
		return nil, err
	}
	c := r.Training("train")
	r.process.UI.Debugf("supernet: %d parameters, %d training images, %d steps of %d", n.Params(), r.Images("train").Len(), c.Steps, c.Batch)
	return n, r.advance(ctx, "train", n)
}

// TrainSummary is the supernet's part of result.json.
func (r *Run) TrainSummary() (rundir.TrainSummary, error) {
	loss, replaced, err := r.Folder.Trained("train")
	return rundir.TrainSummary{Steps: r.Training("train").Steps, Loss: loss, Replaced: replaced}, err
}

// Find trains and searches the supernet as far as that is not done, and returns what
// the search found.
func (r *Run) Find(ctx context.Context) (rundir.SearchSummary, space.Arch, error) {
	n, err := r.Train(ctx)
	if err != nil {
		return rundir.SearchSummary{}, nil, err
	}
	best, err := r.Search(ctx, n)
	if err != nil {
		return best, nil, err
	}
	arch, err := r.Space.Parse(best.Arch)
	return best, arch, err
}

// Search scores subnetworks of n until the budget is used, scores the best of
// them again, and compares with the baselines, as far as that is not done.
func (r *Run) Search(ctx context.Context, n *supernet.Net) (rundir.SearchSummary, error) {
	s := search.New(r.Plan, r.Folder, r.process.UI, r.within, func(again bool) (search.Scorer, error) {
		images := r.Data.Search
		if !again {
			images = images.Part(r.Config.Score.Images)
		}
		return supernet.NewScorer(n, r.Data.Train, images, r.Scoring(again))
	})
	sum, err := s.Run(ctx)
	r.Searched = s.Wrote() > 0
	return sum, err
}

// Retrain trains arch from scratch to its last step, from wherever it stands,
// and returns the network to evaluate: with averaged weights if there are any.
func (r *Run) Retrain(ctx context.Context, arch space.Arch) (*supernet.Net, error) {
	if err := r.fixArch(arch); err != nil {
		return nil, err
	}
	n, err := supernet.NewArch(r.Final(true), arch, r.Config.Seed, r.rt)
	if err != nil {
		return nil, err
	}
	c := r.Training("retrain")
	r.process.UI.Debugf("retrain: %d parameters, %d images, %d steps of %d", n.Params(), r.Images("retrain").Len(), c.Steps, c.Batch)
	return n, r.advance(ctx, "retrain", n)
}

// fixArch records in retrain/arch.json what is retrained, and refuses to go on
// with another architecture in the same folder.
func (r *Run) fixArch(arch space.Arch) error {
	path := r.Folder.File("retrain", "arch.json")
	b, err := atomicfile.ReadAtMost(path, plan.MaxArchBytes)
	if err == nil {
		old, err := plan.StoredArch(r.Space, b)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		if was, want := r.Space.Format(old), r.Space.Format(arch); was != want {
			return fault.Usage("use another --out for another architecture",
				"this folder retrains another architecture:\n  %s -> %s", was, want)
		}
		return nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if b, err = r.ArchJSON(arch); err != nil {
		return err
	}
	if err := os.MkdirAll(r.Folder.File("retrain"), 0o755); err != nil {
		return err
	}
	return atomicfile.WriteFile(path, b, 0o644)
}

// RetrainedArch is what the folder retrains: the one recorded when that began,
// else the best of the search.
func (r *Run) RetrainedArch() (space.Arch, error) {
	b, err := atomicfile.ReadAtMost(r.Folder.File("retrain", "arch.json"), plan.MaxArchBytes)
	if err != nil {
		return plan.WantedArch("best", r.Config.Net, r.Space, r.Folder)
	}
	return plan.StoredArch(r.Space, b)
}

// advance runs the training of a stage to its last step. Where a device is out of
// memory before the first checkpoint, and the request has a limit of memory, fewer
// images at a time go through the network.
func (r *Run) advance(ctx context.Context, name string, n *supernet.Net) error {
	stage := stageOf(name)
	for {
		t := training{
			stage: stage, folder: r.Folder, ui: r.process.UI, net: n, images: r.Images(name), config: r.Training(name),
			every: r.Config.Run.CheckpointSteps, keep: r.Config.Run.CheckpointKeep, saveAsked: r.process.SaveAsked,
			hash:    func(a space.Arch) string { return space.Hash(r.Space, a) },
			prepare: func() (func(), error) { return r.lessGarbage(name) },
		}
		err := t.run(ctx)
		var memory *cuda.MemoryError
		if !errors.As(err, &memory) || !r.shrinks || stage.begun(r.Folder) {
			return err
		}
		s := r.Settings(name)
		m := s.AtOnce() - 1
		for m >= 2 && s.Batch%m != 0 {
			m--
		}
		if m < 2 {
			return err
		}
		r.process.UI.Warnf("%v; %s goes on with %d images at a time instead of %d", memory, name, m, s.AtOnce())
		s.MicroBatch = m
		if err := r.rewriteConfig(); err != nil {
			return err
		}
	}
}

// lessGarbage sets the garbage collector for the training of a stage. Beside a GPU the
// processor has memory to spare.
func (r *Run) lessGarbage(stage string) (restore func(), err error) {
	m, err := r.Memory(stage, r.Arch)
	if err != nil || r.rt.Device() != "cpu" {
		return func() {}, err
	}
	return machine.LessGarbage(m.Heap()+r.ImageBytes(), r.process.KeepGC), nil
}

// rewriteConfig writes a configuration that changed in the course of the run.
func (r *Run) rewriteConfig() error {
	m, err := r.Folder.ReadManifest()
	if err != nil {
		return err
	}
	return r.writeConfig(m)
}

// All runs every stage from where the folder stands. searched is called when the
// search of this process is done, before the winner is retrained.
func (r *Run) All(ctx context.Context, searched func(rundir.SearchSummary)) (rundir.Result, error) {
	var res rundir.Result
	if r.Folder.Has("result.json") {
		r.process.UI.Infof("%s is finished; this is its result", r.Folder)
		if err := r.Folder.ReadJSON(&res, "result.json"); err != nil {
			return res, err
		}
		if res.Arch.Hash == "" || res.TestCount == 0 {
			return res, fault.New(fault.ExitInvalid, "delete the file to make it again with --resume", "%s: no result in it", r.Folder.File("result.json"))
		}
		return res, nil
	}
	r.Announce()
	best, arch, err := r.Find(ctx)
	if err != nil {
		return res, err
	}
	if r.Searched {
		searched(best)
	}
	final, err := r.Retrain(ctx, arch)
	if err != nil {
		return res, err
	}
	if err := r.Export(final, arch); err != nil {
		return res, err
	}
	return r.Test(ctx, best)
}
