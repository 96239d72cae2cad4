package pipeline

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"oneshot/internal/atomicfile"
	"oneshot/internal/config"
	"oneshot/internal/fault"
	"oneshot/internal/report"
	"oneshot/internal/report/curves"
	"oneshot/internal/rundir"
)

// ReportFiles are what WriteReport writes: the page of a whole run, its curves as a table, and for TensorBoard.
var ReportFiles = []string{"report.html", "summary.csv", "events.out.tfevents.0.oneshot"}

// WriteReport writes the files of a run's report into its folder, from what the folder holds, and returns
// their paths. It takes no lock and opens no images; a run that goes on meanwhile is shown as far as it
// has come.
func WriteReport(d rundir.Folder) (paths []string, err error) {
	r, err := readRun(d)
	if err != nil {
		return nil, err
	}
	page, err := report.Run(r.RunParts).Render()
	if err != nil {
		return nil, err
	}
	var all []curves.Point
	for _, p := range r.metrics.Points {
		all = append(all, curves.Point{Tag: p.Name, Step: int64(p.Step), Value: p.Value})
	}
	for i, b := range [][]byte{page, curves.CSV(all), curves.Events(all, r.manifest.StartedAt(), hyperparameters(r.config))} {
		path := d.File(ReportFiles[i])
		err := atomicfile.WriteFile(path, b, 0o644)
		if errors.Is(err, fs.ErrNotExist) { // a run that began at this moment has tidied its folder
			err = atomicfile.WriteFile(path, b, 0o644)
		}
		if err != nil {
			return paths, unwritable(err, "-o FILE.html writes the page elsewhere")
		}
		paths = append(paths, path)
	}
	return paths, nil
}

// unwritable gives an error of a place where nothing may be written the code of a wrong argument, and a hint.
func unwritable(err error, hint string) error {
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS) || errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) ||
		errors.Is(err, syscall.ENAMETOOLONG) || errors.Is(err, syscall.ELOOP) {
		return fault.WithCode(err, fault.ExitUsage, hint)
	}
	return err
}

// elsewhere is the hint of a path that cannot be written.
const elsewhere = "choose a folder that is there and can be written to"

// WriteFile writes what a command was asked to write somewhere: a new file, or in the place of a regular one.
func WriteFile(path string, b []byte) error {
	if err := CheckOutput(path); err != nil {
		return err
	}
	return unwritable(atomicfile.WriteFile(path, b, 0o644), elsewhere)
}

// CheckOutput refuses a path that a command was asked to write to where that is no place for a file, or a file that a run
// folder has for itself.
func CheckOutput(path string) error {
	if info, err := os.Lstat(path); err == nil && !info.Mode().IsRegular() {
		return fault.Usage("choose another name", "%s is not a regular file", path)
	}
	abs, err := atomicfile.RealPath(path)
	if err != nil {
		return unwritable(err, elsewhere)
	}
	below := filepath.Base(abs) // the run folder, if that is one
	for at := filepath.Dir(abs); ; at = filepath.Dir(at) {
		if first, _, _ := strings.Cut(below, string(filepath.Separator)); rundir.Folder(at).IsRun() && ownName(first) {
			return fault.Usage("choose another name", "%s is a file that the run in %s has for itself", path, at)
		}
		if at == filepath.Dir(at) {
			return nil
		}
		below = filepath.Join(filepath.Base(at), below)
	}
}

// ownName says whether a run writes a file or folder of that name into its folder.
func ownName(name string) bool {
	own := append([]string{"config.yaml", "manifest.json", "log.jsonl", "metrics.jsonl", "LOCK", rundir.StopFile, "cache", replacedFolder, inheritedFolder, rawFolder, rankFolder}, ReportFiles...)
	for _, s := range Stages {
		own = append(own, s.Outputs...)
	}
	return slices.Contains(own, name)
}

// hyperparameters are what TensorBoard lists of a run.
func hyperparameters(c config.Config) map[string]any {
	return map[string]any{
		"preset": c.Preset, "seed": float64(c.Seed), "search.algo": c.Search.Algo, "search.samples": float64(c.Search.Samples),
		"train.lr": c.Train.LR, "train.batch": float64(c.Train.Batch), "retrain.lr": c.Retrain.LR, "retrain.batch": float64(c.Retrain.Batch),
		"retrain.channels": float64(c.Retrain.Channels), "retrain.layers": float64(c.Retrain.Layers), "retrain.optimizer": c.Retrain.Optimizer,
		"retrain.weight_decay": c.Retrain.WeightDecay,
	}
}
