package pipeline

import (
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"os"
	"strings"
	"syscall"

	"oneshot/internal/atomicfile"
	"oneshot/internal/config"
	"oneshot/internal/fault"
	"oneshot/internal/plan"
	"oneshot/internal/report"
	"oneshot/internal/report/curves"
	"oneshot/internal/report/diagram"
	"oneshot/internal/rundir"
	"oneshot/internal/ui"
	"oneshot/supernet"
	"oneshot/supernet/net"
	"oneshot/supernet/space"
)

// ReportFiles are what WriteReport writes: the page of a whole run, its curves as a table, and for TensorBoard.
var ReportFiles = []string{"report.html", "summary.csv", "events.out.tfevents.0.oneshot"}

// chartParts is how many points a curve of the page has.
const chartParts = 200

// WriteReport writes the files of a run's report into its folder, from what the folder holds, and returns
// their paths. It takes no lock and opens no images; a run that goes on meanwhile is shown as far as it
// has come.
func WriteReport(d rundir.Folder) (paths []string, err error) {
	if !d.Has("config.yaml") {
		return nil, noRun(d)
	}
	c, err := loadStored(d)
	if err != nil {
		return nil, err
	}
	points, err := d.Points()
	if err != nil {
		return nil, err
	}
	parts, err := reportParts(d, c, points)
	if err != nil {
		return nil, err
	}
	page, err := report.Run(parts).Render()
	if err != nil {
		return nil, err
	}
	var began float64
	m, err := d.ReadManifest()
	if err == nil {
		began = m.StartedAt()
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var all []curves.Point
	for _, p := range points {
		all = append(all, curves.Point{Tag: p.Name, Step: int64(p.Step), Value: p.Value})
	}
	for i, b := range [][]byte{page, curves.CSV(all), curves.Events(all, began, hyperparameters(c))} {
		path := d.File(ReportFiles[i])
		err := atomicfile.WriteFile(path, b, 0o644)
		if errors.Is(err, fs.ErrNotExist) { // a run that began at this moment has tidied its folder
			err = atomicfile.WriteFile(path, b, 0o644)
		}
		if err != nil {
			return paths, unwritable(err)
		}
		paths = append(paths, path)
	}
	return paths, nil
}

// unwritable gives an error of a place where nothing may be written the code of a wrong argument.
func unwritable(err error) error {
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS) || errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return fault.WithCode(err, fault.ExitUsage, "")
	}
	return err
}

// WriteFile writes what a command was asked to write somewhere: a new file, or in the place of a regular one.
func WriteFile(path string, b []byte) error {
	if info, err := os.Lstat(path); err == nil && !info.Mode().IsRegular() {
		return fault.Usage("", "%s is not a regular file", path)
	}
	return unwritable(atomicfile.WriteFile(path, b, 0o644))
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

// reportParts reads what the page shows; points are the figures of metrics.jsonl.
func reportParts(d rundir.Folder, c config.Config, points []rundir.Value) (p report.RunParts, err error) {
	p.Run = d.Base()
	chain, err := Chain(d)
	if err != nil {
		return p, err
	}
	stale, done := map[string]bool{}, map[string]int{}
	for _, l := range chain {
		done[l.Stage] = l.Done
		p.Stages = append(p.Stages, report.Stage{Name: l.Stage, State: string(l.State), Why: l.Why})
		stale[l.Stage] = l.State == StateStale
	}
	p.TrainSteps, p.RetrainSteps = done["train"], done["retrain"]
	losses := map[string][]float64{}
	for _, v := range points {
		losses[v.Name] = append(losses[v.Name], v.Value)
	}
	p.Train, p.Retrain = rundir.MeanParts(losses["train/loss"], chartParts), rundir.MeanParts(losses["retrain/loss"], chartParts)
	if d.Has("search", "best.json") {
		best, err := plan.BestOf(d)
		if err != nil {
			return p, err
		}
		p.Search = &best
		if p.Samples, err = d.Samples("search/samples.jsonl"); err != nil {
			return p, err
		}
		for _, b := range best.Baselines {
			lines, err := d.Samples("search/baseline-" + b.Algo + ".jsonl")
			if err != nil {
				return p, err
			}
			p.Others = append(p.Others, lines)
		}
		var tree rundir.Tree
		if err := d.ReadJSON(&tree, "search", "tree.json"); err == nil {
			p.Tree = report.StoredTree(tree)
		} else if !errors.Is(err, fs.ErrNotExist) {
			return p, err
		}
	}
	if d.Has("result.json") && !stale["test"] {
		var r rundir.Result
		if err := d.ReadJSON(&r, "result.json"); err != nil {
			return p, err
		}
		p.Result = &r
	}
	if err := drawNetwork(d, c, &p); err != nil {
		return p, err
	}
	p.Made, err = made(d, c)
	for _, l := range chain {
		for _, change := range l.Changes {
			p.Made = append(p.Made, [2]string{"changed on the way", l.Stage + ": " + strings.ReplaceAll(change, "\n ", "")})
		}
	}
	return p, err
}

// drawnNetwork is the network that a run folder has retrained or, before that, the one that was found; nil before
// either. known says that its number of classes and pixels are those of the run.
type drawnNetwork struct {
	space   space.Space
	arch    space.Arch
	size    net.Size
	known   bool
	drawing *diagram.Drawing
}

// DrawRun draws the network of a run folder.
func DrawRun(d rundir.Folder) (*diagram.Drawing, error) {
	if !d.Has("config.yaml") {
		return nil, noRun(d)
	}
	c, err := loadStored(d)
	if err != nil {
		return nil, err
	}
	n, err := networkOf(d, c)
	if err == nil && n == nil {
		err = fault.New(fault.ExitInvalid, "", "%s has no network yet: nothing was found or retrained", d)
	}
	if err != nil {
		return nil, err
	}
	return n.drawing, nil
}

// networkOf draws it.
func networkOf(d rundir.Folder, c config.Config) (*drawnNetwork, error) {
	s, err := plan.OpenSpace(c)
	if err != nil {
		return nil, err
	}
	arch, err := begunArch(s, d)
	if err == nil && arch == nil && d.Has("search", "best.json") {
		arch, err = plan.BestArch(s, d)
	}
	if err != nil || arch == nil {
		return nil, err
	}
	// Only the exported file says how many classes and pixels there are; without it the figures of the parts are left out.
	size := net.Size{Geometry: c.Retrain.Geometry, Classes: 10, Image: max(c.Data.Image, 32)}.Counted()
	out := &drawnNetwork{space: s, arch: arch}
	if d.Has("export", "model.safetensors") {
		x, err := ReadExport(d.File("export", "model.safetensors"))
		if err != nil {
			return nil, err
		}
		if out.known = s.Format(arch) == x.Arch; out.known {
			size = x.config(s).Size.Counted()
		}
	}
	out.size = size
	n, err := s.Describe(size, arch)
	if err != nil {
		return nil, err
	}
	out.drawing, err = diagram.Of(n)
	return out, err
}

// drawNetwork puts it on the page.
func drawNetwork(d rundir.Folder, c config.Config, p *report.RunParts) error {
	n, err := networkOf(d, c)
	if err != nil || n == nil {
		return err
	}
	s, arch, size, known, drawn := n.space, n.arch, n.size, n.known, n.drawing
	for _, k := range drawn.Kinds {
		p.Network = append(p.Network, report.Drawing{Title: k.Name, SVG: template.HTML(k.SVG())})
	}
	if known {
		p.Blocks = report.Table{Title: "Parts", Head: []string{"part", "output", "parameters"}, Left: 2}
		for _, b := range drawn.Blocks {
			p.Blocks.Rows = append(p.Blocks.Rows, []string{b.Name, b.Out, fmt.Sprint(b.Params)})
		}
	}
	for _, u := range s.Uses(arch) {
		if u.N > 0 {
			p.Uses = append(p.Uses, report.Use{Op: u.Op, N: u.N})
		}
	}
	if p.Result != nil {
		p.Arch = &p.Result.Arch
		return nil
	}
	a := rundir.Arch{Hash: space.Hash(s, arch), Text: s.Format(arch)}
	if known {
		if a, err = plan.DescribeArch(s, arch, supernet.NetConfig{Space: s, Size: size}.Cost); err != nil {
			return err
		}
	}
	p.Arch = &a
	return nil
}

// made says how the run was made, and how to make it again.
func made(d rundir.Folder, c config.Config) (rows [][2]string, err error) {
	m, err := d.ReadManifest()
	if errors.Is(err, fs.ErrNotExist) {
		return [][2]string{{"again", "oneshot run -c config.yaml"}}, nil
	}
	if err != nil {
		return nil, err
	}
	rows = [][2]string{
		{"again", "oneshot run -c config.yaml (the file in this folder)"},
		{"program", fmt.Sprintf("oneshot %s, revision %s, %s, %s", m.Version, m.Revision, m.Go, m.Platform)},
		{"processor", m.CPU},
		{"images", fmt.Sprintf("%s: %d to train, %d to search, %d to test (sha256 %.12s)", m.Dataset.Name, m.Dataset.Train, m.Dataset.Search, m.Dataset.Test, m.Dataset.SHA256)},
		{"seed", fmt.Sprint(m.Seed)},
		{"preset", PresetOr(c.Preset)},
		{"begun", m.Started},
	}
	if n := len(m.Resumed); n > 0 {
		rows = append(rows, [2]string{"continued", fmt.Sprintf("%s, last at %s", ui.Plural(n, "time", "times"), m.Resumed[n-1])})
	}
	return rows, nil
}
