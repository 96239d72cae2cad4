package pipeline

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"oneshot/internal/atomicfile"
	"oneshot/internal/plan"
	"oneshot/internal/rundir"
)

// replacedFolder keeps what a stage is done anew instead of, until its new results are complete.
const replacedFolder = "replaced"

// copyName is what a copy is called there until it is whole.
const copyName = ".copy"

// gone begins the names there of what is being removed, so that nobody takes back what is left of it.
const gone = ".gone-"

// replaced are the paths of what was kept under the name of an output.
func replaced(run rundir.Folder, out string) (paths []string) {
	entries, _ := os.ReadDir(run.File(replacedFolder)) // none where there is no such folder
	for _, e := range entries {
		if _, ok := suffixOf(e.Name(), out); ok {
			paths = append(paths, run.File(replacedFolder, e.Name()))
		}
	}
	return paths
}

// suffixOf is what freeSuffix has put behind the name of an output; not ok is another name.
func suffixOf(name, out string) (suffix string, ok bool) {
	suffix, ok = strings.CutPrefix(name, out)
	number, numbered := strings.CutPrefix(suffix, "-")
	return suffix, ok && (suffix == "" || numbered && number != "" && strings.Trim(number, "0123456789") == "")
}

// freeSuffix is what is put behind the names of the stage's outputs there, so that none is taken.
func (s Stage) freeSuffix(run rundir.Folder) (suffix string) {
	for i := 2; slices.ContainsFunc(s.Outputs, func(out string) bool { return run.Has(replacedFolder, out+suffix) }); i++ {
		suffix = fmt.Sprintf("-%d", i)
	}
	return suffix
}

// setAside moves the results of a stage there.
func (r *Run) setAside(s Stage, d rundir.Folder) error {
	if filepath.Dir(string(d)) == r.Folder.File(topFolder) {
		return r.homeAside(d)
	}
	if err := r.Folder.MakeDir(replacedFolder); err != nil {
		return err
	}
	if main := path.Dir(s.Record); d.Has(main) {
		if err := d.SetMetricsAside(s.Name, main, r.process.UI.Warnf); err != nil {
			return err
		}
	}
	suffix := s.freeSuffix(r.Folder)
	for _, out := range slices.Backward(s.Outputs) { // the folder with the record last, see settleMoves
		if !d.Has(out) {
			continue
		}
		to := path.Join(replacedFolder, out+suffix)
		r.process.UI.Infof("replaced %s is kept as %s until the new %s is complete", d.File(out), r.Folder.File(to), s.Name)
		if err := atomicfile.OS.Rename(d.File(out), r.Folder.File(to)); err != nil {
			return err
		}
	}
	if err := atomicfile.OS.SyncDir(r.Folder.File(replacedFolder)); err != nil {
		return err
	}
	return atomicfile.OS.SyncDir(string(d))
}

// keepCopy keeps what a training that was complete has left, where it goes on from there.
func (r *Run) keepCopy(s Stage, d rundir.Folder) error {
	main := path.Dir(s.Record)
	to := r.Folder.File(replacedFolder, main+s.freeSuffix(r.Folder))
	if err := d.SetMetricsAside(s.Name, main, r.process.UI.Warnf); err != nil {
		return err
	}
	if err := r.Folder.MakeDir(replacedFolder); err != nil {
		return err
	}
	r.process.UI.Infof("replaced %s is copied to %s until the new %s is complete", d.File(main), to, s.Name)
	temp := r.Folder.File(replacedFolder, copyName)
	err := atomicfile.RemoveTree(atomicfile.OS, temp)
	if err == nil { // durable, before a checkpoint makes the originals go
		err = atomicfile.CopyTree(atomicfile.OS, d.File(main), temp)
	}
	if err == nil {
		err = atomicfile.OS.Rename(temp, to)
	}
	if err == nil {
		err = atomicfile.OS.SyncDir(r.Folder.File(replacedFolder))
	}
	if err != nil {
		return err
	}
	return atomicfile.OS.Remove(d.File(main, rundir.AsideMetrics))
}

// settleMetrics puts back the metrics that were set aside with a stage and are with it again.
func (r *Run) settleMetrics(s Stage, d rundir.Folder) error {
	main := path.Dir(s.Record)
	if !d.Has(main, rundir.AsideMetrics) {
		return nil
	}
	return d.TakeMetricsBack(s.Name, main, r.process.UI.Warnf)
}

// keptOf looks whether what was replaced in a run folder has results of the stage that were computed
// from these very inputs, as where somebody changes their mind twice: the path of their folder, or "".
func (s Stage) keptOf(run rundir.Folder, of map[string]string, p *plan.Plan) string {
	for _, k := range replaced(run, path.Dir(s.Record)) {
		rec, err := rundir.Folder(k).ReadRecord(path.Base(s.Record))
		if err == nil && rec != nil && rec.Stage == s.Name && !s.beyond(k, p) && s.damaged(rundir.Folder(filepath.Dir(k))) == nil {
			if changed, _ := s.differences(*rec, of); len(changed) == 0 {
				return k
			}
		}
	}
	return ""
}

// takeBack puts what keptOf has found into its place, and returns its record; "" is nothing.
func (r *Run) takeBack(s Stage, d rundir.Folder, kept string) (*rundir.Record, error) {
	if kept == "" {
		return nil, nil
	}
	main := path.Dir(s.Record)
	suffix := strings.TrimPrefix(filepath.Base(kept), main)
	r.process.UI.Infof("replaced %s has what is asked for: it is taken back as %s", kept, d.File(main))
	for _, out := range s.Outputs { // the folder with the record first, see settleMoves
		if from := path.Join(replacedFolder, out+suffix); r.Folder.Has(from) {
			if err := atomicfile.OS.Rename(r.Folder.File(from), d.File(out)); err != nil {
				return nil, err
			}
		}
	}
	for _, changed := range []string{string(d), r.Folder.File(replacedFolder)} { // where they are now, and where they were
		if err := atomicfile.OS.SyncDir(changed); err != nil {
			return nil, err
		}
	}
	if err := r.settleMetrics(s, d); err != nil {
		return nil, err
	}
	return d.ReadRecord(s.Record)
}

// beyond says whether what was kept of the stage goes further than is asked for.
func (s Stage) beyond(kept string, p *plan.Plan) bool {
	if s.trains() {
		step, _ := lastCheckpoint(kept)
		return step > p.Training(s.Name).Steps
	}
	return lines(filepath.Join(kept, path.Base(s.Begun))) > p.Config.Search.Samples
}

// discard removes what a stage that is complete now has replaced.
func (r *Run) discard(stage string) error {
	s := stageOf(stage)
	for _, o := range replaced(r.Folder, s.Outputs[0]) {
		if err := atomicfile.OS.Rename(o, r.Folder.File(replacedFolder, gone+filepath.Base(o))); err != nil {
			return err
		}
	}
	if err := r.endRemovals(); err != nil {
		return err
	}
	for _, out := range s.Outputs {
		for _, o := range replaced(r.Folder, out) {
			if err := atomicfile.RemoveTree(atomicfile.OS, o); err != nil {
				return err
			}
		}
	}
	kept := r.Folder.File(replacedFolder)
	if err := atomicfile.RemoveTree(atomicfile.OS, filepath.Join(kept, copyName)); err != nil { // of a process that was killed
		return err
	}
	if entries, err := os.ReadDir(kept); err != nil || len(entries) > 0 {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	}
	return atomicfile.OS.Remove(kept)
}

// endRemovals removes what discard has given another name, and first what was kept with it.
func (r *Run) endRemovals() error {
	kept := r.Folder.File(replacedFolder)
	entries, _ := os.ReadDir(kept) // none where there is no such folder
	for _, e := range entries {
		name, ok := strings.CutPrefix(e.Name(), gone)
		if !ok {
			continue
		}
		if err := atomicfile.OS.SyncDir(kept); err != nil { // before anything in it goes
			return err
		}
		for _, s := range Stages {
			suffix, ok := suffixOf(name, s.Outputs[0])
			for _, out := range s.Outputs[1:] {
				if !ok {
					break
				}
				if err := atomicfile.RemoveTree(atomicfile.OS, filepath.Join(kept, out+suffix)); err != nil {
					return err
				}
			}
		}
		if err := atomicfile.RemoveTree(atomicfile.OS, filepath.Join(kept, e.Name())); err != nil {
			return err
		}
	}
	return nil
}

// settleMoves ends a move of several outputs of a stage at which a process was killed. The one with the
// record leaves last and comes back first: what is kept without it belongs to the one that is in its place.
func (r *Run) settleMoves() error {
	if err := r.endRemovals(); err != nil {
		return err
	}
	for _, s := range Stages {
		for _, out := range s.Outputs[1:] {
			for _, o := range replaced(r.Folder, out) {
				suffix, _ := suffixOf(filepath.Base(o), out)
				if r.Folder.Has(replacedFolder, s.Outputs[0]+suffix) || r.Folder.Has(out) {
					continue
				}
				if err := moveFolder(o, r.Folder.File(out)); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// tidy ends what a process was killed at when a stage was complete already, whatever verb comes next:
// its metrics come back with it, and what it has replaced goes. What cannot be read is left to whoever
// needs it.
func (r *Run) tidy() error {
	if err := r.settleMoves(); err != nil {
		return err
	}
	chain, err := Chain(r.Folder)
	if err != nil {
		return nil
	}
	for _, l := range chain {
		if s := stageOf(l.Stage); l.State == StateFresh && !(s.Name == "export" || s.Name == "test") {
			if err := r.settleMetrics(s, r.Folder); err != nil {
				return err
			}
			if err := r.discard(s.Name); err != nil {
				return err
			}
		}
	}
	return nil
}
