package pipeline

import (
	"context"
	"errors"
	"slices"
	"strconv"

	"oneshot/internal/atomicfile"
	"oneshot/internal/config"
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
	record := func() error {
		of, err := inputs("train", r.Config, r.described, r.Folder)
		if err != nil {
			return err
		}
		return r.recordInputs("train", r.Folder, of, false)
	}
	if err := r.advance(ctx, "train", n, repeat{r.Folder, r.Config.Seed}, record); err != nil {
		return nil, err
	}
	r.notePeak("train")
	if err := r.completes("train", r.Folder); err != nil {
		return nil, err
	}
	return n, r.discard("train")
}

// TrainSummary is the supernet's part of result.json.
func (r *Run) TrainSummary() (rundir.TrainSummary, error) {
	loss, replaced, err := LossOf("train", r.Folder)
	return rundir.TrainSummary{Steps: r.Training("train").Steps, Loss: loss, Replaced: replaced}, err
}

// Find trains and searches the supernet as far as that is not done, and returns what
// the search found. Of a folder that is only read it is what stands there.
func (r *Run) Find(ctx context.Context) (best rundir.SearchSummary, arch space.Arch, err error) {
	if r.readOnly {
		best, err = plan.BestOf(r.Folder)
	} else {
		var n *supernet.Net
		if n, err = r.Train(ctx); err == nil {
			best, err = r.Search(ctx, n)
		}
	}
	if err != nil {
		return best, nil, err
	}
	arch, err = r.Space.Parse(best.Arch)
	return best, arch, err
}

// Search scores subnetworks of n until the budget is used, scores the best of
// them again, and compares with the baselines, as far as that is not done.
func (r *Run) Search(ctx context.Context, n *supernet.Net) (rundir.SearchSummary, error) {
	of, err := inputs("search", r.Config, r.described, r.Folder)
	if err != nil {
		return rundir.SearchSummary{}, err
	}
	if err := r.recordInputs("search", r.Folder, of, false); err != nil {
		return rundir.SearchSummary{}, err
	}
	s := search.New(r.Plan, r.Folder, r.process.UI, r.within, func(again bool) (search.Scorer, error) {
		if err := r.sameArithmetic("search"); err != nil {
			return nil, err
		}
		images := r.Data.Search
		if !again {
			images = images.Part(r.Config.Score.Images)
		}
		return supernet.NewScorer(n, r.Data.Train, images, r.Scoring(again))
	})
	restore, err := r.lessGarbage("search")
	if err != nil {
		return rundir.SearchSummary{}, err
	}
	defer restore()
	sum, err := s.Run(ctx)
	r.Searched = s.Wrote() > 0
	r.notePeak("search")
	if err != nil {
		return sum, err
	}
	if err := r.completes("search", r.Folder); err != nil {
		return sum, err
	}
	return sum, r.discard("search")
}

// Retrain trains arch to its last step, from wherever it stands, and returns the network to
// evaluate: with averaged weights if there are any. It starts from random weights, or from
// those that retrain.init names.
func (r *Run) Retrain(ctx context.Context, arch space.Arch) (*supernet.Net, error) {
	return r.retrain(ctx, arch, repeat{r.Folder, r.Config.Seed})
}

// retrain is Retrain of one of several trainings, in its folder.
func (r *Run) retrain(ctx context.Context, arch space.Arch, of repeat) (*supernet.Net, error) {
	takeUp := func() error { return r.takeUp(arch, of) }
	if err := takeUp(); err != nil {
		return nil, err
	}
	n, err := supernet.NewArch(r.Final(true), arch, of.seed, r.rt)
	if err != nil {
		return nil, err
	}
	if err := r.loadStart(ctx, n, arch, of); err != nil {
		return nil, err
	}
	c := r.Training("retrain")
	r.process.UI.Debugf("retrain: %d parameters, %d images, %d steps of %d", n.Params(), r.Images("retrain").Len(), c.Steps, c.Batch)
	if err := r.advance(ctx, "retrain", n, of, takeUp); err != nil {
		return nil, err
	}
	r.notePeak("retrain")
	return n, r.completes("retrain", of.folder)
}

// takeUp records in the folder of a training which architecture it trains, and from what.
func (r *Run) takeUp(arch space.Arch, of repeat) error {
	from, err := inputs("retrain", r.Config, r.described, r.Folder)
	if err != nil {
		return err
	}
	text := r.Space.Format(arch)
	from[inArch], from["retrain.seed"] = text, strconv.FormatUint(of.seed, 10)
	chosen, err := found(r.Folder, text)
	if err != nil {
		return err
	}
	if err := r.recordInputs("retrain", of.folder, from, chosen); err != nil {
		return err
	}
	return r.fixArch(arch, of.folder)
}

// fixArch records in retrain/arch.json of a folder what is retrained there, and refuses to go
// on with another architecture.
func (r *Run) fixArch(arch space.Arch, d rundir.Folder) error {
	_, any := lastCheckpoint(d.File("retrain"))
	if any {
		begun, err := begunArch(r.Space, d)
		if err != nil && r.override && slices.Contains(r.redoes, "retrain") {
			begun, err = r.archAside(d)
		}
		if err == nil && begun != nil {
			err = sameAs(r.Space, begun, arch, d)
		}
		if err != nil {
			return err
		}
	}
	b, err := r.ArchJSON(arch)
	if err != nil {
		return err
	}
	if err := d.MakeDir("retrain"); err != nil {
		return err
	}
	changed, err := d.Update(b, "retrain", "arch.json")
	if err == nil && changed && any {
		r.process.UI.Warnf("%s was gone, or said something else of its architecture: written again", d.File("retrain", "arch.json"))
	}
	return err
}

// archAside gives another name to an arch.json that is not of the training that has begun, and returns the
// architecture by the record.
func (r *Run) archAside(d rundir.Folder) (space.Arch, error) {
	kept := d.FreeName("retrain/arch.json.damaged")
	if err := atomicfile.OS.Rename(d.File("retrain", "arch.json"), d.File(kept)); err != nil {
		return nil, err
	}
	r.process.UI.Warnf("%s is not of the network that is retrained: it is kept as %s", d.File("retrain", "arch.json"), d.File(kept))
	return begunArch(r.Space, d)
}

// RetrainedArch is what the folder retrains: the one recorded when that began,
// else the best of the search.
func (r *Run) RetrainedArch() (space.Arch, error) { return retrainedArch(r.Plan, r.Folder) }

func retrainedArch(p *plan.Plan, d rundir.Folder) (space.Arch, error) {
	begun, err := begunArch(p.Space, d)
	if err != nil || begun != nil {
		return begun, err
	}
	return plan.WantedArch("best", p.Config.Net, p.Space, d, config.Request{})
}

// advance runs the training of a stage to its last step, in a folder and with a seed. Where
// a device is out of memory before the first checkpoint, and the request has a limit of
// memory, fewer images at a time go through the network. record records what the training is
// computed from.
func (r *Run) advance(ctx context.Context, name string, n *supernet.Net, of repeat, record func() error) error {
	stage := stageOf(name)
	for {
		if err := record(); err != nil {
			return err
		}
		c := r.Training(name)
		c.Seed = of.seed
		t := training{
			stage: stage, of: r.Folder, folder: of.folder, ui: r.process.UI, net: n, images: r.Images(name), config: c,
			every: r.Config.Run.CheckpointSteps, keep: r.Config.Run.CheckpointKeep, saveAsked: r.process.SaveAsked,
			hash:    func(a space.Arch) string { return space.Hash(r.Space, a) },
			prepare: func() (func(), error) { return r.lessGarbage(name) },
		}
		err := t.run(ctx)
		var memory *cuda.MemoryError
		if !errors.As(err, &memory) || r.limit == 0 || trained(name, of.folder) != "" {
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

// memory is about what a stage needs.
func (r *Run) memory(stage string) (supernet.Memory, error) {
	switch stage {
	case "search":
		return r.ScoreMemory()
	case rankFolder:
		return r.RankMemory()
	}
	return r.Memory(stage, r.widest)
}

// lessGarbage sets the garbage collector for a stage. Beside a GPU the
// processor has memory to spare.
func (r *Run) lessGarbage(stage string) (restore func(), err error) {
	m, err := r.memory(stage)
	if err != nil || r.rt.Device() != "cpu" {
		return func() {}, err
	}
	more := machine.LessGarbage(r.Heap(stage, m), r.process.KeepGC)
	if r.limit == 0 {
		return more, nil
	}
	wider := machine.LimitHeap(r.limit - r.Program() - m.Arena) // which is no part of the heap
	return func() { wider(); more() }, nil
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
	r.toldResult = true // what it is not of any more is told when it is made again
	old, err := r.result()
	r.toldResult = false
	if err != nil {
		return res, err
	}
	chain, err := Chain(r.Folder)
	if err != nil {
		return res, err
	}
	if old != nil && old.current && !slices.ContainsFunc(chain, func(l Link) bool { return l.State != StateFresh }) {
		r.process.UI.Infof("%s is finished; this is its result", r.Folder)
		return old.Result, nil
	}
	r.Announce()
	best, arch, err := r.Find(ctx)
	if err != nil {
		return res, err
	}
	if r.Searched {
		searched(best)
	}
	if _, err := r.train(ctx, arch); err != nil {
		return res, err
	}
	return r.Test(ctx, best)
}
