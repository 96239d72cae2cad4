package pipeline

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"oneshot/internal/config"
	"oneshot/internal/fault"
	"oneshot/internal/plan"
	"oneshot/internal/report"
	"oneshot/internal/rundir"
	"oneshot/internal/ui"
	"oneshot/supernet/space"
)

// storedRun is what a run folder holds of a page.
type storedRun struct {
	folder  rundir.Folder
	config  config.Config
	metrics rundir.Curves
	// manifest is that of the run, empty where it is gone
	manifest rundir.Manifest
	report.RunParts
}

// readRun reads what pages show of a run folder.
func readRun(d rundir.Folder) (r storedRun, err error) {
	if !d.Has("config.yaml") {
		return r, noRun(d)
	}
	r.folder = d
	if r.config, err = loadStored(d); err != nil {
		return r, err
	}
	if r.metrics, err = d.Curves(); err != nil {
		return r, err
	}
	return r, r.read()
}

// read fills the parts of the page.
func (r *storedRun) read() error {
	d := r.folder
	r.Run = d.Base()
	chain, err := Chain(d)
	if err != nil {
		return err
	}
	stale := map[string]bool{}
	for _, l := range chain {
		r.Stages = append(r.Stages, report.Stage{Name: l.Stage, State: l.State, Why: l.Why})
		stale[l.Stage] = l.State == StateStale
	}
	r.readTrainings(stale)
	if r.Faults, err = metricFaults(d, r.metrics, chain); err != nil {
		return err
	}
	if d.Has("search", "best.json") && !stale["search"] {
		if err := r.readSearch(); err != nil {
			return err
		}
	}
	if compares(r.config.Retrain) && !stale["retrain"] {
		if r.Top, err = topOf(d, r.config.Retrain); err != nil {
			r.Top = nil // the chain says what is wrong
		}
	}
	if r.Rank, _, err = CurrentRanking(d); err != nil {
		return err
	}
	if d.Has("result.json") && !stale["test"] {
		r.Result = &rundir.Result{}
		if err := d.ReadJSON(r.Result, "result.json"); err != nil {
			return err
		}
		if r.Seen, err = seenOf(d, d.File("export", "model.safetensors")); errors.Is(err, fs.ErrNotExist) {
			err = nil // the exported file was taken away: nothing says whose examples they are
		}
		if err != nil {
			return err
		}
	}
	if err := drawNetwork(d, r.config, &r.RunParts); err != nil {
		return err
	}
	log, err := readLog(d)
	if err != nil {
		return err
	}
	r.Spent, r.Tests = log.spent(), log.tests
	m, err := d.ReadManifest()
	if errors.Is(err, fs.ErrNotExist) {
		r.Commands = repeatCommands(r.config, r.Arch)
		return nil
	}
	if err != nil {
		return err
	}
	r.manifest, r.Images = m, m.Dataset.Source
	r.Made = made(m, r.config, log.threads)
	for _, l := range chain {
		for _, change := range l.Changes {
			r.Made = append(r.Made, [2]string{"changed on the way", l.Stage + ": " + strings.ReplaceAll(change, "\n ", "")})
		}
	}
	r.Commands = repeatCommands(r.config, r.Arch)
	return nil
}

// readTrainings sorts the figures of the trainings into curves.
func (r *storedRun) readTrainings(stale map[string]bool) {
	from := "" // where the file that says it is gone or damaged, nothing is said
	if start, err := startOf(r.folder, r.config.Retrain); err == nil {
		from = report.StartOf(start)
	}
	values, last := map[string][]float64{}, map[string]int{}
	for _, v := range r.metrics.Points {
		values[v.Name] = append(values[v.Name], v.Value)
		last[v.Name] = max(last[v.Name], v.Step)
	}
	for _, t := range []struct{ stage, title, from string }{{"train", "Supernet, " + fewWords(r.config.Train.Sampling), ""}, {"retrain", "The network retrained", from}} {
		curve := func(name string) []float64 {
			return rundir.MeanParts(values[t.stage+"/"+name], report.CurveParts)
		}
		if steps := last[t.stage+"/loss"]; steps > 0 {
			r.Trainings = append(r.Trainings, report.Training{Title: t.title, From: t.from, Stale: stale[t.stage], Steps: steps, Loss: curve("loss"), LR: curve("lr"), Top1: curve("top1")})
		}
	}
}

// readSearch reads the search with its baselines and its tree.
func (r *storedRun) readSearch() error {
	d := r.folder
	best, err := plan.BestOf(d)
	if err != nil {
		return err
	}
	r.Search = &best
	if r.Samples, err = d.Samples("search/samples.jsonl"); err != nil {
		return err
	}
	for _, b := range best.Baselines {
		lines, err := d.Samples("search/baseline-" + b.Algo + ".jsonl")
		if err != nil {
			return err
		}
		r.Others = append(r.Others, lines)
	}
	var tree rundir.Tree
	if err := d.ReadJSON(&tree, "search", "tree.json"); err == nil {
		r.Tree = report.StoredTree(tree)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	s, err := plan.OpenSpace(r.config)
	if err != nil {
		return err
	}
	r.Operations, err = operationShares(s, best.Arch, r.Samples)
	if err != nil {
		err = fault.New(fault.ExitInvalid, rundir.FromCopy, "%s: %w", d.File("search", "samples.jsonl"), err)
	}
	return err
}

// operationShares counts the operations of samples, of the best of them and of the network found, as shares of all that
// each uses.
func operationShares(s space.Space, found string, lines []rundir.Sample) ([]report.OpShare, error) {
	best := map[int]bool{}
	for _, i := range report.BestDecile(lines) {
		best[i] = true
	}
	var names []string
	counts, sums := map[string]*[3]float64{}, [3]float64{}
	add := func(text string, which int) error {
		a, err := s.Parse(text)
		if err != nil {
			return err
		}
		for _, u := range s.Uses(a) {
			if counts[u.Op] == nil {
				counts[u.Op] = new([3]float64)
				names = append(names, u.Op)
			}
			counts[u.Op][which] += float64(u.N)
			sums[which] += float64(u.N)
		}
		return nil
	}
	for i, l := range lines {
		if err := add(l.Arch, 0); err != nil {
			return nil, fmt.Errorf("sample %d: %w", i, err)
		}
		if best[i] {
			if err := add(l.Arch, 1); err != nil {
				return nil, fmt.Errorf("sample %d: %w", i, err)
			}
		}
	}
	if err := add(found, 2); err != nil {
		return nil, err
	}
	share := func(op string, which int) float64 { return 100 * counts[op][which] / max(1, sums[which]) }
	var out []report.OpShare
	for _, op := range names {
		if counts[op][0] > 0 {
			out = append(out, report.OpShare{Op: op, All: share(op, 0), Best: share(op, 1), Found: share(op, 2)})
		}
	}
	return out, nil
}

// repeatCommands are those that make a run, and use its network, again.
func repeatCommands(c config.Config, arch *rundir.Arch) []string {
	images := ""
	if c.Data.Dir != "" {
		images = " --data-dir FOLDER"
	}
	out := []string{"oneshot run -c config.yaml" + images + " --out NEW"}
	if arch != nil {
		alone := ""
		if compares(c.Retrain) { // the search that it took the others from is not in the new folder
			alone = " --top 1"
		}
		out = append(out, "oneshot retrain -c config.yaml"+images+" --arch "+fault.ShellWord(arch.Text)+alone+" --out NEW",
			"oneshot eval --weights export/model.safetensors"+images)
	}
	return out
}

// made says how the run was made, on so many threads; 0 is not known.
func made(m rundir.Manifest, c config.Config, threads int) [][2]string {
	rows := [][2]string{
		{"program", fmt.Sprintf("oneshot %s, revision %s, %s, %s", m.Version, m.Revision, m.Go, m.Platform)},
		{"processor", m.CPU},
		{"images", fmt.Sprintf("%s, %s: %d to train, %d to search, %d to test (sha256 %.12s)", m.Dataset.Name, m.Dataset.Source, m.Dataset.Train, m.Dataset.Search, m.Dataset.Test, m.Dataset.SHA256)},
		{"seed", fmt.Sprint(m.Seed)},
		{"settings", PresetOr(c.Preset)},
		{"begun", m.Started},
	}
	if s := samplingOf(c); s != nil {
		rows = append(rows, s.Lines()...)
	}
	if threads > 0 {
		rows = append(rows, [2]string{"threads", fmt.Sprint(threads)})
	}
	if n := len(m.Resumed); n > 0 {
		rows = append(rows, [2]string{"continued", fmt.Sprintf("%s, last at %s", ui.Plural(n, "time", "times"), m.Resumed[n-1])})
	}
	return rows
}
