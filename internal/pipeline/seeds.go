package pipeline

import (
	"context"
	"maps"
	"path"
	"path/filepath"
	"strconv"

	"oneshot/internal/config"
	"oneshot/internal/fault"
	"oneshot/internal/report"
	"oneshot/internal/rundir"
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
	if err := r.takeUp(arch, repeat{r.Folder, r.Config.Seed}); err != nil {
		return rundir.Seeds{}, err // before the list of those that are trained is read
	}
	s, err := readSeeds(r.Folder)
	if err != nil {
		return s, err
	}
	all := repeats(r.Folder, r.Config.Retrain, r.Config.Seed)
	s.Arch = r.Space.Format(arch)
	for i, of := range all {
		if i < len(s.Runs) {
			if s.Runs[i].Seed != of.seed {
				return s, fault.New(fault.ExitInvalid, r.Folder.Remedy("retrain", "seeds.json"), "%s: run %d has seed %d, want %d",
					r.Folder.File("retrain", "seeds.json"), i, s.Runs[i].Seed, of.seed)
			}
			if err := r.keepExport(ctx, arch, of); err != nil {
				return s, err
			}
			continue
		}
		r.process.UI.Infof("seed     %d (%d of %d)", of.seed, i+1, len(all))
		run, err := r.trainSeed(ctx, arch, of)
		if err != nil {
			return s, err
		}
		if i > 0 {
			run.Classes = nil
		}
		s.Add(run)
		if err := r.Folder.WriteSummed(s, "retrain", "seeds.json"); err != nil {
			return s, err
		}
	}
	done := r.Config.Retrain
	done.Seeds = len(s.Runs) // more than are asked for, where there were more
	losses := make([][]float64, len(s.Runs))
	for i, of := range repeats(r.Folder, done, r.Config.Seed) {
		if losses[i], err = of.folder.Losses("retrain", lossParts); err != nil {
			return s, err
		}
	}
	page, err := report.Seeds(r.Folder.Base(), s, losses).Render()
	if err != nil {
		return s, err
	}
	if _, err := r.Folder.Update(page, "retrain", "report.html"); err != nil {
		return s, err
	}
	return s, r.addSeeds(s)
}

// RetrainAll retrains and exports an architecture, with as many seeds as retrain.seeds says,
// and measures the networks: one only on the search images, several on the test images too.
func (r *Run) RetrainAll(ctx context.Context, arch space.Arch) (rundir.RetrainSummary, error) {
	if r.Config.Retrain.Seeds > 1 {
		s, err := r.Seeds(ctx, arch)
		if err != nil {
			return rundir.RetrainSummary{}, err
		}
		if err := r.discard("retrain"); err != nil {
			return rundir.RetrainSummary{}, err
		}
		out, err := r.describeRetrain()
		out.SearchTop1, out.Seeds = s.Runs[0].SearchTop1, brief(s)
		return out, err
	}
	n, err := r.Retrain(ctx, arch)
	if err != nil {
		return rundir.RetrainSummary{}, err
	}
	if err := r.export(n, arch, repeat{r.Folder, r.Config.Seed}); err != nil {
		return rundir.RetrainSummary{}, err
	}
	if err := r.discard("retrain"); err != nil {
		return rundir.RetrainSummary{}, err
	}
	out, err := r.describeRetrain()
	if err == nil {
		out.SearchTop1, err = r.searchTop1(ctx, n, arch, r.Folder)
	}
	return out, err
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
	if of.seed == r.Config.Seed && r.Folder.Has("result.json") { // tested already, by a run of one seed
		old, err := r.result()
		if err != nil {
			return out, err
		}
		if old != nil && old.tested {
			out.Tested = testedOf(old.Result)
			return out, nil
		}
	}
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
	if err := r.fixArch(arch, of.folder); err != nil {
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

// addSeeds puts the trainings into the result of a run that was finished with fewer. A result of
// something else than is there now is left for Test.
func (r *Run) addSeeds(s rundir.Seeds) error {
	old, err := r.result()
	if err != nil || old == nil || !old.current {
		return err
	}
	res := old.Result
	if got := res.Retrain.Seeds; got != nil && len(got.Runs) == len(s.Runs) {
		return nil
	}
	res.Retrain.Seeds = brief(s)
	return r.writeResult(res)
}

// brief is s without what result.json has elsewhere.
func brief(s rundir.Seeds) *rundir.Seeds {
	runs := make([]rundir.SeedRun, len(s.Runs))
	copy(runs, s.Runs)
	for i := range runs {
		runs[i].Classes = nil
	}
	s.Runs = runs
	return &s
}
