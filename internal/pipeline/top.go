package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"oneshot/internal/atomicfile"
	"oneshot/internal/config"
	"oneshot/internal/fault"
	"oneshot/internal/plan"
	"oneshot/internal/rundir"
	"oneshot/internal/search"
	"oneshot/internal/ui"
	"oneshot/supernet/space"
)

// topFolder has a home for each further architecture that is retrained, named by its hash.
const topFolder = "retrain-top"

// contender is one of the best architectures of a search, and the home of its trainings. That of the first, which
// is exported, is the run folder.
type contender struct {
	rundir.TopEntry
	home rundir.Folder
}

// compares says whether more than one architecture is retrained.
func compares(c config.Retrain) bool { return c.Top > 1 }

// errSearching says that a search has no best architectures yet, or other ones than its summary.
var errSearching = errors.New("the search is not complete")

// contenders are the best retrain.top architectures of the search in a folder, or as many as it has.
func contenders(d rundir.Folder, c config.Retrain) ([]contender, error) {
	if !d.Has("search", "best.json") {
		return nil, fault.New(fault.ExitUsage, "run `oneshot search --out "+d.Arg()+"` first", "%s: %w", d, errSearching)
	}
	best, err := plan.BestOf(d)
	if err != nil {
		return nil, err
	}
	if err := d.AsLeft(stageOf("search").Record, "search/samples.jsonl"); err != nil {
		return nil, err
	}
	lines, err := d.Samples("search/samples.jsonl")
	if err != nil {
		return nil, err
	}
	if len(lines) != best.Samples {
		return nil, fault.New(fault.ExitUsage, "`oneshot search --out "+d.Arg()+"` goes on with it", "%s: %w: %d samples are scored, and search/best.json is of %d", d, errSearching, len(lines), best.Samples)
	}
	var all []contender
	for i, e := range search.Best(lines, best.Top, c.Top) {
		of := contender{e, d}
		if !filepath.IsLocal(e.Hash) || filepath.Base(e.Hash) != e.Hash {
			return nil, fault.New(fault.ExitInvalid, rundir.FromCopy, "%s: sample %d: %.40q is no hash of an architecture", d.File("search", "samples.jsonl"), e.Sample, e.Hash)
		}
		if i > 0 {
			of.home = rundir.Folder(d.File(topFolder, e.Hash))
		}
		all = append(all, of)
	}
	return all, nil
}

// homes are the folders of the architectures that are retrained. Where a search is not complete, only that of the run.
func homes(d rundir.Folder, c config.Retrain) []rundir.Folder {
	out := []rundir.Folder{d}
	if !compares(c) {
		return out
	}
	all, err := contenders(d, c)
	if err != nil || len(all) == 0 { // told where the folder is opened, and by the chain
		return out
	}
	for _, of := range all[1:] {
		out = append(out, of.home)
	}
	return out
}

// everyRepeat are the trainings of all architectures.
func everyRepeat(d rundir.Folder, c config.Retrain, seed uint64) (out []repeat) {
	for _, home := range homes(d, c) {
		out = append(out, repeats(home, c, seed)...)
	}
	return out
}

// neediest is of the architectures that are retrained the one whose training needs most memory; arch is the first of
// them, or nil.
func neediest(p *plan.Plan, d rundir.Folder, arch space.Arch) space.Arch {
	if arch == nil || !compares(p.Config.Retrain) {
		return arch
	}
	all, err := contenders(d, p.Config.Retrain)
	if err != nil {
		return arch // which the stage itself says
	}
	var most int64
	for _, of := range all {
		a, err := p.Space.Parse(of.Arch)
		if err != nil {
			continue
		}
		if need, err := p.Need("retrain", a); err == nil && need > most {
			most, arch = need, a
		}
	}
	return arch
}

// trainings is how many a retraining takes in all. How many architectures there are to retrain is known once the search
// is complete.
func trainings(d rundir.Folder, c config.Config) int {
	most := c.Trainings()
	if !compares(c.Retrain) {
		return most
	}
	if best, err := plan.BestOf(d); err != nil || best.Samples < c.Search.Samples {
		return most
	}
	all, err := contenders(d, c.Retrain)
	if err != nil || len(all) == 0 {
		return most
	}
	return min(most, len(all)*max(1, c.Retrain.Seeds))
}

// trainingsLeft is how many trainings are not complete, at least one.
func trainingsLeft(d rundir.Folder, c config.Config) (left int) {
	left = trainings(d, c)
	for _, home := range homes(d, c.Retrain) {
		if s, err := readSeeds(home); err == nil {
			left -= min(len(s.Runs), max(1, c.Retrain.Seeds))
		}
	}
	return max(1, left)
}

// topDone is how many of the best architectures are trained with all seeds, of how many.
func topDone(d rundir.Folder, c config.Retrain) (done, of int) {
	all := homes(d, c)
	for _, home := range all {
		if s, err := readSeeds(home); err == nil && len(s.Runs) >= max(1, c.Seeds) {
			done++
		}
	}
	return done, len(all)
}

// topOf sums up the trainings of the best architectures; nil is that not all are done.
func topOf(d rundir.Folder, c config.Retrain) (*rundir.Top, error) {
	all, err := contenders(d, c)
	if err != nil {
		return nil, err
	}
	seeds := max(1, c.Seeds)
	out := &rundir.Top{Seeds: seeds, Score: rundir.SecondScore, Archs: []rundir.TopArch{}}
	if slices.ContainsFunc(all, func(of contender) bool { return of.RecheckScore == nil }) {
		out.Score = rundir.FirstScore // only scores of the same images have an order
	}
	for _, of := range all {
		s, err := readSeeds(of.home)
		if err != nil {
			return nil, err
		}
		if s.Arch != of.Arch || len(s.Runs) < seeds {
			return nil, nil
		}
		s = s.First(seeds)
		a := rundir.TopArch{Arch: rundir.Arch{Hash: of.Hash, Text: of.Arch, Params: of.Params, MAdds: of.MAdds},
			Score: of.Score, Test: s.Test, Search: s.Search, Weights: s.Runs[0].Weights}
		if out.Score == rundir.SecondScore {
			a.Score = *of.RecheckScore
		}
		out.Archs = append(out.Archs, a)
	}
	out.Compare()
	return out, nil
}

// leftOf says what of several trainings is left.
func leftOf(d rundir.Folder, c config.Retrain) string {
	if !compares(c) {
		return "not all of retrain.seeds are trained and exported"
	}
	done, of := topDone(d, c)
	if done == of {
		return "not all of the architectures of retrain.top are exported"
	}
	return fmt.Sprintf("%d of %d architectures are trained and tested (retrain.top)", done, of)
}

// summedUp says whether retrain/top.json is of the trainings and scores that are there.
func summedUp(d rundir.Folder, c config.Retrain) bool {
	top, err := topOf(d, c)
	return err == nil && top != nil && d.HoldsJSON(top, "retrain", "top.json")
}

// otherContender names a home whose trainings are not of what is there now, with what has changed; "" is none. now are
// the inputs of the retraining.
func otherContender(d rundir.Folder, c config.Retrain, now map[string]string) (string, error) {
	s := stageOf("retrain")
	for _, home := range homes(d, c)[1:] {
		rec, err := home.ReadRecord(s.Record)
		if err != nil {
			return "", err
		}
		if rec == nil {
			continue
		}
		if changed, _ := s.differences(*rec, now); len(changed) > 0 {
			return string(home) + " was computed from other inputs:" + changes(*rec, now, changed), nil
		}
	}
	return "", nil
}

// Top retrains the best architectures of the search, of which arch is the first, with each of retrain.seeds seeds, from
// wherever they stand. Each network is exported, and tested once, after its last step. Which architecture the run
// has found does not depend on what comes out.
func (r *Run) Top(ctx context.Context, arch space.Arch) (*rundir.Top, error) {
	c := r.Config.Retrain
	all, err := contenders(r.Folder, c)
	if err != nil {
		return nil, err
	}
	if len(all) == 0 || all[0].Arch != r.Space.Format(arch) {
		return nil, fault.New(fault.ExitUsage, "leave out --top for another architecture", "%s is not the architecture that the search in %s has found", r.Space.Format(arch), r.Folder)
	}
	if len(all) < c.Top {
		r.process.UI.Warnf("retrain.top is %d: the search has %s with a score, and all of them are retrained", c.Top, ui.Plural(len(all), "architecture", "architectures"))
	}
	for i, of := range all {
		r.process.UI.Infof("top      %s (%d of %d)", of.Hash, i+1, len(all))
		a, err := r.Space.Parse(of.Arch)
		if err != nil {
			return nil, fault.WithCode(fmt.Errorf("%s: arch: %v", r.Folder.File("search", "samples.jsonl"), err), fault.ExitInvalid, rundir.FromCopy)
		}
		if want := space.Hash(r.Space, a); want != of.Hash {
			return nil, fault.New(fault.ExitInvalid, rundir.FromCopy, "%s: hash %s does not belong to the architecture (%s)", r.Folder.File("search", "samples.jsonl"), of.Hash, want)
		}
		if err := r.reuse(of); err != nil {
			return nil, err
		}
		s, err := r.trainSeeds(ctx, a, of.home)
		if err != nil {
			return nil, err
		}
		if i == 0 && c.Seeds > 1 {
			if err := r.drawSeeds(s); err != nil {
				return nil, err
			}
		}
	}
	top, err := topOf(r.Folder, c)
	if err != nil {
		return nil, err
	}
	if top == nil {
		return nil, fmt.Errorf("%s: a list of trainings is not of what was trained", r.Folder.File(topFolder))
	}
	b, err := rundir.Indented(top)
	if err != nil {
		return nil, err
	}
	if _, err := r.Folder.Update(b, "retrain", "top.json"); err != nil {
		return nil, err
	}
	if kept := r.kept(all); len(kept) > 0 {
		r.process.UI.Infof("kept     %s in %s that retrain.top = %d does not ask for: %s", ui.Plural(len(kept), "architecture", "architectures"), r.Folder.File(topFolder), c.Top, strings.Join(kept, ", "))
	}
	return top, nil
}

// beside says whether a folder is the home of an architecture beside that of the run, or in one. What they have replaced
// is taken back by reuse, a home at a time.
func (r *Run) beside(d rundir.Folder) bool {
	rel, err := filepath.Rel(r.Folder.File(topFolder), string(d))
	return err == nil && filepath.IsLocal(rel)
}

// homeAside moves a home to what was replaced.
func (r *Run) homeAside(home rundir.Folder) error {
	hash, among := filepath.Base(string(home)), topFolder
	for i := 2; r.Folder.Has(replacedFolder, among, hash); i++ {
		among = fmt.Sprintf("%s-%d", topFolder, i)
	}
	if err := r.Folder.MakeDir(replacedFolder, among); err != nil {
		return err
	}
	to := r.Folder.File(replacedFolder, among, hash)
	r.process.UI.Infof("replaced %s is kept as %s until the new trainings are complete", home, to)
	return moveFolder(string(home), to)
}

// moveFolder moves a file or folder to another folder, and both keep it so: first where it is now, and then where it was.
func moveFolder(from, to string) error {
	if err := atomicfile.OS.Rename(from, to); err != nil {
		return err
	}
	if err := atomicfile.OS.SyncDir(filepath.Dir(to)); err != nil {
		return err
	}
	return atomicfile.OS.SyncDir(filepath.Dir(from))
}

// reuse takes back what a home had before the search found another architecture, or before other settings: what was
// set aside is of what is asked for now.
func (r *Run) reuse(of contender) error {
	if r.Folder == of.home || r.Folder.Has(topFolder, of.Hash) {
		return nil
	}
	s := stageOf("retrain")
	want, err := inputs(s.Name, r.Config, r.described, r.Folder)
	if err != nil {
		return err
	}
	want[inArch] = of.Arch
	for _, kept := range replaced(r.Folder, topFolder) {
		from := rundir.Folder(filepath.Join(kept, of.Hash))
		rec, err := from.ReadRecord(s.Record)
		if err != nil || rec == nil {
			continue
		}
		if changed, _ := s.differences(*rec, want); len(changed) > 0 || s.damaged(from) != nil {
			continue
		}
		r.process.UI.Infof("replaced %s has what is asked for: it is taken back as %s", from, of.home)
		if err := r.Folder.MakeDir(topFolder); err != nil {
			return err
		}
		return moveFolder(string(from), string(of.home))
	}
	return nil
}

// kept names the architectures that have homes and are not among those that are asked for.
func (r *Run) kept(all []contender) (names []string) {
	entries, err := os.ReadDir(r.Folder.File(topFolder))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, e := range entries {
		if !slices.ContainsFunc(all, func(of contender) bool { return filepath.Base(string(of.home)) == e.Name() }) {
			names = append(names, e.Name())
		}
	}
	return names
}

// wantsTop refuses a request for several architectures that it cannot come to.
func (o *opening) wantsTop(d rundir.Folder) error {
	c, given := o.config.Retrain, o.Config.Gives("retrain.top")
	if !compares(c) || !slices.Contains(o.Redoes, "retrain") {
		return nil
	}
	alone := "leave out one of them"
	if !given {
		alone = "--top 1 retrains one architecture"
	}
	switch {
	case c.Init != "":
		return fault.Usage(alone, "retrain.top = %d retrains architectures from scratch, and retrain.init = %s gives weights", c.Top, c.Init)
	case o.Retrains && o.Request.Arch != "" && o.Request.Arch != "best":
		return fault.Usage(alone, "retrain.top = %d retrains the best of the search, and --arch names one architecture", c.Top)
	case o.FitMAdds > 0:
		return fault.Usage(alone, "--fit-madds finds the width of one architecture, and retrain.top is %d", c.Top)
	case given && o.stored && o.Retrains:
		all, err := contenders(d, c)
		if err == nil && len(all) < c.Top {
			err = fault.Usage(fmt.Sprintf("--top %d retrains all of them; `oneshot search --out %s --samples N --override` scores more", len(all), d.Arg()),
				"retrain.top is %d, and the search in %s has %s with a score", c.Top, d, ui.Plural(len(all), "architecture", "architectures"))
		}
		return err
	}
	return nil
}
