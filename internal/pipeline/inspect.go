package pipeline

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"oneshot/internal/config"
	"oneshot/internal/fault"
	"oneshot/internal/rundir"
)

// Progress is how far one stage of a run folder has come.
type Progress struct {
	Stage string `json:"stage"`
	Done  int    `json:"done"`  // steps, or samples of a search
	State string `json:"state"` // none, started or done
}

// Inspection is what a run folder holds.
type Inspection struct {
	Kind   string     `json:"kind"`
	Run    string     `json:"run"`
	Preset string     `json:"preset"`
	Seed   uint64     `json:"seed"`
	Data   string     `json:"dataset"`
	Stages []Progress `json:"stages"`
	// Search is the end of the search, null before it.
	Search *rundir.SearchSummary `json:"search"`
	Result *rundir.Result        `json:"result"`
}

// Inspect says what a run folder holds. It needs no lock and opens no images, so sizes
// of the data are the configuration's.
func Inspect(d rundir.Folder) (Inspection, error) {
	c, err := config.Load(d.File("config.yaml"), config.FromPreset)
	if err != nil {
		return Inspection{}, fault.WithCode(err, fault.ExitInvalid, "")
	}
	if err := c.Check(); err != nil {
		return Inspection{}, fault.WithCode(err, fault.ExitInvalid, "")
	}
	out := Inspection{Kind: "run", Run: d.Base(), Preset: c.Preset, Seed: c.Seed, Data: c.Data.Name}
	images, all := c.Data.TrainSize-c.Data.SearchSize, c.Data.TrainSize
	if !c.Retrain.AllImages {
		all = images
	}
	steps := map[string]int{"train": c.Train.StepsFor(images), "retrain": c.Retrain.StepsFor(all)}
	for _, s := range Stages {
		out.Stages = append(out.Stages, s.progress(d, steps[s.Name]))
	}
	if d.Has("search", "best.json") {
		out.Search = new(rundir.SearchSummary)
		if err := d.ReadJSON(out.Search, "search", "best.json"); err != nil {
			return out, err
		}
	}
	if d.Has("result.json") {
		out.Result = new(rundir.Result)
		if err := d.ReadJSON(out.Result, "result.json"); err != nil {
			return out, err
		}
	}
	return out, nil
}

// progress of a stage; one that trains has that many steps.
func (s Stage) progress(d rundir.Folder, steps int) Progress {
	if s.Done == "" {
		step, any := lastCheckpoint(d.File(s.Begun))
		return Progress{s.Name, step, state(any, step >= steps)}
	}
	b, _ := os.ReadFile(d.File(s.Begun))
	n := 0
	if strings.HasSuffix(s.Begun, ".jsonl") {
		n = strings.Count(string(b), "\n")
	}
	return Progress{s.Name, n, state(len(b) > 0, d.Has(s.Done))}
}

func state(started, done bool) string {
	switch {
	case done:
		return "done"
	case started:
		return "started"
	}
	return "none"
}

// lastCheckpoint reads only the names of checkpoints, which hold their step.
func lastCheckpoint(dir string) (step int, any bool) {
	names, _ := filepath.Glob(filepath.Join(dir, "ckpt-*", "DONE"))
	for _, n := range names {
		var v int
		if _, err := fmt.Sscanf(filepath.Base(filepath.Dir(n)), "ckpt-%d", &v); err == nil {
			step = max(step, v)
		}
	}
	return step, len(names) > 0
}
