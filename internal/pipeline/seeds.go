package pipeline

import (
	"context"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strconv"

	"oneshot/internal/atomicfile"
	"oneshot/internal/config"
	"oneshot/internal/fault"
	"oneshot/internal/report"
	"oneshot/internal/rundir"
	"oneshot/internal/ui"
	"oneshot/supernet"
	"oneshot/supernet/space"
)

// repeat is one of the trainings of an architecture: its seed and the folder that has its
// retrain, export and metrics. That of the first is the run folder.
type repeat struct {
	folder rundir.Folder
	seed   uint64
}

// seedsFolder has a folder for each further training, named by its seed.
const seedsFolder = "retrain-seeds"

// repeats are the trainings of an architecture in a run folder, by ascending seed.
func repeats(d rundir.Folder, c config.Retrain, seed uint64) []repeat {
	out := []repeat{{d, seed}}
	for range max(1, c.Seeds) - 1 {
		seed++
		out = append(out, repeat{rundir.Folder(d.File(seedsFolder, strconv.FormatUint(seed, 10))), seed})
	}
	return out
}

// lossParts is how many points the curve of a training's loss has at most.
const lossParts = 200

// readSeeds reads retrain/seeds.json; none is no trainings yet.
func readSeeds(d rundir.Folder) (s rundir.Seeds, err error) {
	if d.Has("retrain", "seeds.json") {
		err = d.ReadSummed(&s, "retrain", "seeds.json")
	}
	return s, err
}

// Seeds trains an architecture with each of retrain.seeds seeds, from wherever they stand,
// and exports and tests each network once, after its last step. Weights, order, augmentation and
// masks follow the seed; the images are divided as the run's seed says.
func (r *Run) Seeds(ctx context.Context, arch space.Arch) (rundir.Seeds, error) {
	s, err := r.trainSeeds(ctx, arch, r.Folder)
	if err != nil {
		return s, err
	}
	return s, r.drawSeeds(s)
}

// trainSeeds is the training, export and test of each seed in a home, the folder that has the first of them.
// The list of them is retrain/seeds.json of the home.
func (r *Run) trainSeeds(ctx context.Context, arch space.Arch, home rundir.Folder) (rundir.Seeds, error) {
	all := repeats(home, r.Config.Retrain, r.Config.Seed)
	if err := r.takeUp(arch, all[0]); err != nil {
		return rundir.Seeds{}, err // before the list of those that are trained is read
	}
	s, err := readSeeds(home)
	if fault.Classify(err).Code == fault.ExitInvalid {
		if err = fault.Wrap(fault.ExitInvalid, err, r.Folder.Remedy("retrain", "seeds.json")); r.override && slices.Contains(r.redoes, "retrain") {
			s, err = r.seedsAside(home, err)
		}
	}
	if err != nil {
		return s, err
	}
	s.Arch = r.Space.Format(arch)
	for i, of := range all {
		if i < len(s.Runs) {
			if s.Runs[i].Seed != of.seed {
				return s, fault.New(fault.ExitInvalid, r.Folder.Remedy("retrain", "seeds.json"), "%s: run %d has seed %d, want %d",
					home.File("retrain", "seeds.json"), i, s.Runs[i].Seed, of.seed)
			}
			if err := r.keepExport(ctx, arch, of); err != nil {
				return s, err
			}
			continue
		}
		if len(all) > 1 {
			r.process.UI.Infof("seed     %d (%d of %d)", of.seed, i+1, len(all))
		}
		run, err := r.trainSeed(ctx, arch, of)
		if err != nil {
			return s, err
		}
		if i > 0 {
			run.Classes, run.Seen = nil, nil
		}
		s.Add(run)
		if err := home.WriteSummed(s, "retrain", "seeds.json"); err != nil {
			return s, err
		}
	}
	return s, nil
}

// seedsAside gives another name to a list of trainings that is damaged, and returns an empty one.
func (r *Run) seedsAside(home rundir.Folder, damage error) (s rundir.Seeds, err error) {
	kept := home.FreeName("retrain/seeds.json.damaged")
	r.process.UI.Warnf("%v; it is kept as %s, and the networks are tested again", damage, home.File(kept))
	return s, atomicfile.OS.Rename(home.File("retrain", "seeds.json"), home.File(kept))
}

// drawSeeds writes the page of the seeds of the run folder: of all that were trained, which may be more than
// are asked for.
func (r *Run) drawSeeds(s rundir.Seeds) (err error) {
	done := r.Config.Retrain
	done.Seeds = len(s.Runs)
	losses := make([][]float64, len(s.Runs))
	for i, of := range repeats(r.Folder, done, r.Config.Seed) {
		if losses[i], err = of.folder.Losses("retrain", lossParts); err != nil {
			return err
		}
	}
	page, err := report.Seeds(r.Folder.Base(), s, losses).Render()
	if err != nil {
		return err
	}
	_, err = r.Folder.Update(page, "retrain", "report.html")
	return err
}

// RetrainAll retrains and exports an architecture, with as many seeds as retrain.seeds says,
// and measures the networks: one only on the search images, several on the test images too.
func (r *Run) RetrainAll(ctx context.Context, arch space.Arch) (rundir.RetrainSummary, error) {
	n, err := r.train(ctx, arch)
	if err != nil {
		return rundir.RetrainSummary{}, err
	}
	out, err := r.describeRetrain()
	if err != nil {
		return out, err
	}
	if n == nil {
		_, err = r.sayTrainings(&out)
	} else {
		out.SearchTop1, err = r.searchTop1(ctx, n, arch, r.Folder)
	}
	if err != nil {
		return out, err
	}
	return out, r.renewResult()
}

// train brings all trainings that the configuration asks for to their last steps, and exports. The network is nil
// where there are several, which are tested too.
func (r *Run) train(ctx context.Context, arch space.Arch) (n *supernet.Net, err error) {
	c := r.Config.Retrain
	switch {
	case compares(c):
		_, err = r.Top(ctx, arch)
	case c.Seeds > 1:
		_, err = r.Seeds(ctx, arch)
	default:
		if n, err = r.Retrain(ctx, arch); err == nil {
			err = r.export(n, arch, repeat{r.Folder, r.Config.Seed})
		}
	}
	if err != nil {
		return nil, err
	}
	s, err := readSeeds(r.Folder)
	if more := len(s.Runs) - max(1, c.Seeds); err == nil && more > 0 {
		r.process.UI.Infof("kept     %s that retrain.seeds = %d does not ask for: --seeds %d shows them", ui.Plural(more, "training", "trainings"), c.Seeds, len(s.Runs))
	}
	return n, r.discard("retrain")
}

// sayTrainings puts into a summary what the configuration asks for of several trainings, and returns the test of
// the network that is exported; nil where it was tested with no others.
func (r *Run) sayTrainings(out *rundir.RetrainSummary) (*rundir.Tested, error) {
	c := r.Config.Retrain
	s, err := readSeeds(r.Folder)
	if err != nil || len(s.Runs) == 0 {
		return nil, err
	}
	out.SearchTop1 = s.Runs[0].SearchTop1
	if out.Seeds = nil; c.Seeds > 1 && len(s.Runs) >= c.Seeds {
		out.Seeds = brief(s.First(c.Seeds))
	}
	if out.Top = nil; compares(c) {
		out.Top, err = topOf(r.Folder, c)
	}
	return &s.Runs[0].Tested, err
}

// trainSeed trains, exports and tests one of them.
func (r *Run) trainSeed(ctx context.Context, arch space.Arch, of repeat) (rundir.SeedRun, error) {
	out := rundir.SeedRun{Seed: of.seed}
	n, err := r.retrain(ctx, arch, of)
	if err != nil {
		return out, err
	}
	if err := r.export(n, arch, of); err != nil {
		return out, err
	}
	file := of.folder.File("export", "model.safetensors")
	rel, err := filepath.Rel(string(r.Folder), file)
	if err != nil {
		return out, err
	}
	out.Weights = path.Clean(filepath.ToSlash(rel))
	if out.Loss, _, err = LossOf("retrain", of.folder); err != nil {
		return out, err
	}
	if of.folder == r.Folder && r.Folder.Has("result.json") { // tested already, by a run of one seed
		old, err := r.result()
		if err != nil {
			return out, err
		}
		if old != nil && old.tested {
			out.Tested = testedOf(old.Result)
			out.Seen, err = seenOf(r.Folder, file)
			return out, err
		}
	}
	restore, err := r.lessGarbage("retrain") // the training's and the export's go, for the next training's sake too
	if err != nil {
		return out, err
	}
	defer restore()
	x, err := openExport(file, r.rt)
	if err != nil {
		return out, err
	}
	out.Tested, err = r.test(ctx, x, of.folder)
	return out, err
}

// keepExport exports again the network of a training that is done and tested, where the file is not of
// it: it was lost, or exported of a training that was given up since. A training that has lost its last
// checkpoint takes its last steps again first.
func (r *Run) keepExport(ctx context.Context, arch space.Arch, of repeat) error {
	if err := r.takeUp(arch, of); err != nil {
		return err
	}
	if _, err := startOf(of.folder, r.Config.Retrain); err != nil {
		return err
	}
	s := stageOf("export")
	rec, err := of.folder.ReadRecord(s.Record)
	if err != nil {
		return err
	}
	files, err := s.results(of.folder)
	if err != nil {
		return err
	}
	done, err := of.folder.ReadRecord(stageOf("retrain").Record)
	if err != nil {
		return err
	}
	now := trained("retrain", of.folder)
	lost := done != nil && len(done.Outputs) > 0 && done.Outputs[inRetrain] != now // its last checkpoint is taken again
	exported := files[exportFiles[0]] != "" && files[exportFiles[1]] != "" && (rec == nil || rec.Inputs[inRetrain] == now && maps.Equal(rec.Outputs, files))
	if exported && !lost {
		return nil
	}
	n, err := r.retrain(ctx, arch, of)
	if err != nil {
		return err
	}
	return r.export(n, arch, of)
}

// renewResult has the result of a run that is finished say of several trainings what is asked for now, and nothing
// else. A result of something else than is there now is left for Test.
func (r *Run) renewResult() error {
	old, err := r.result()
	if err != nil || old == nil || !(old.current || old.regrouped) {
		return err
	}
	res := old.Result
	res.Retrain.Seeds, res.Retrain.Top = nil, nil
	if _, err := r.sayTrainings(&res.Retrain); err != nil {
		return err
	}
	res.Retrain.SearchTop1 = old.Retrain.SearchTop1
	if r.Folder.HoldsJSON(res, "result.json") && old.current {
		return nil
	}
	return r.writeResult(res)
}

// brief is s without what result.json has elsewhere.
func brief(s rundir.Seeds) *rundir.Seeds {
	runs := make([]rundir.SeedRun, len(s.Runs))
	copy(runs, s.Runs)
	for i := range runs {
		runs[i].Classes, runs[i].Seen = nil, nil
	}
	s.Runs = runs
	return &s
}
