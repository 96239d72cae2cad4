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

// replaced are the paths of what was kept under the name of an output.
func replaced(run rundir.Folder, out string) (paths []string) {
	entries, _ := os.ReadDir(run.File(replacedFolder)) // none where there is no such folder
	for _, e := range entries {
		suffix, ok := strings.CutPrefix(e.Name(), out)
		if number, numbered := strings.CutPrefix(suffix, "-"); ok && (suffix == "" || numbered && number != "" && strings.Trim(number, "0123456789") == "") {
			paths = append(paths, run.File(replacedFolder, e.Name()))
		}
	}
	return paths
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
	if err := os.MkdirAll(r.Folder.File(replacedFolder), 0o755); err != nil {
		return err
	}
	if main := path.Dir(s.Record); d.Has(main) {
		if err := d.SetMetricsAside(s.Name, main, r.process.UI.Warnf); err != nil {
			return err
		}
	}
	suffix := s.freeSuffix(r.Folder)
	for _, out := range slices.Backward(s.Outputs) { // the folder with the record last
		if !d.Has(out) {
			continue
		}
		to := path.Join(replacedFolder, out+suffix)
		r.process.UI.Infof("replaced %s is kept as %s until the new %s is complete", d.File(out), r.Folder.File(to), s.Name)
		if err := os.Rename(d.File(out), r.Folder.File(to)); err != nil {
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
	if err := os.MkdirAll(r.Folder.File(replacedFolder), 0o755); err != nil {
		return err
	}
	r.process.UI.Infof("replaced %s is copied to %s until the new %s is complete", d.File(main), to, s.Name)
	temp := r.Folder.File(replacedFolder, ".copy")
	err := atomicfile.RemoveTree(atomicfile.OS, temp)
	if err == nil {
		err = os.CopyFS(temp, os.DirFS(d.File(main)))
	}
	if err == nil { // before a checkpoint makes the originals go
		err = syncTree(temp)
	}
	if err == nil {
		err = os.Rename(temp, to)
	}
	if err == nil {
		err = atomicfile.OS.SyncDir(r.Folder.File(replacedFolder))
	}
	if err != nil {
		return err
	}
	return os.Remove(d.File(main, rundir.AsideMetrics))
}

// syncTree makes the files and names below a folder durable.
func syncTree(dir string) error {
	return filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if e.IsDir() {
			return atomicfile.OS.SyncDir(path)
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		return errors.Join(f.Sync(), f.Close())
	})
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
	for _, out := range slices.Backward(s.Outputs) { // likewise
		if from := path.Join(replacedFolder, out+suffix); r.Folder.Has(from) {
			if err := os.Rename(r.Folder.File(from), d.File(out)); err != nil {
				return nil, err
			}
		}
	}
	if err := atomicfile.OS.SyncDir(string(d)); err != nil {
		return nil, err
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
	for _, out := range stageOf(stage).Outputs {
		for _, o := range replaced(r.Folder, out) {
			if err := atomicfile.RemoveTree(atomicfile.OS, o); err != nil {
				return err
			}
		}
	}
	os.Remove(r.Folder.File(replacedFolder)) // where nothing else is in it
	return nil
}
