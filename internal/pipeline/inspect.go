package pipeline

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"oneshot/internal/atomicfile"
	"oneshot/internal/config"
	"oneshot/internal/report"
	"oneshot/internal/rundir"
	"oneshot/weights"
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
	// Sampling is how the supernet is trained and its networks are scored; absent where that is the plainest way,
	// or where the folder has only a network that was retrained.
	Sampling *Sampling `json:"sampling,omitempty"`
	// Search is the end of the search, null before it.
	Search *rundir.SearchSummary `json:"search"`
	// Retrain is how a network is retrained that has no result yet, null where none is.
	Retrain *Retraining    `json:"retrain"`
	Result  *rundir.Result `json:"result"`
	// Stale are the stages whose results are of other inputs than there are now.
	Stale []Link `json:"stale,omitempty"`
}

// Retraining is rundir.RetrainSummary as far as the folder tells it.
type Retraining struct {
	TrainedOnSearch bool            `json:"trained_on_search_images,omitempty"`
	Start           *rundir.Start   `json:"init,omitempty"`
	Teacher         *rundir.Teacher `json:"teacher,omitempty"`
	Seeds           *rundir.Seeds   `json:"seeds,omitempty"`
}

// Text writes it as retrain does.
func (r Retraining) Text(w io.Writer) {
	report.RetrainText(w, rundir.RetrainSummary{TrainedOnSearch: r.TrainedOnSearch, Start: r.Start, Teacher: r.Teacher, Seeds: r.Seeds})
}

// Inspect says what a run folder holds. It needs no lock and opens no images, so sizes
// of the data are the configuration's.
func Inspect(d rundir.Folder) (Inspection, error) {
	c, err := loadStored(d)
	if err != nil {
		return Inspection{}, err
	}
	out := Inspection{Kind: "run", Run: d.Base(), Preset: c.Preset, Seed: c.Seed, Data: c.Data.Name}
	steps := totalSteps(c)
	for _, s := range Stages {
		p := s.progress(d, steps[s.Name])
		if s.Name == "retrain" && p.State == "done" && several(c.Retrain) && !allTrained(d, c.Retrain) {
			p.State = "started" // other trainings are left
		}
		out.Stages = append(out.Stages, p)
	}
	if stageOf("train").begun(d) || !stageOf("retrain").begun(d) {
		out.Sampling = samplingOf(c)
	}
	chain, err := chainOf(d, c)
	if err != nil {
		return out, err
	}
	for _, l := range chain {
		if l.State == StateStale {
			out.Stale = append(out.Stale, l)
		}
	}
	if d.Has("search", "best.json") {
		out.Search = new(rundir.SearchSummary)
		if err := d.ReadJSON(out.Search, "search", "best.json"); err != nil {
			return out, err
		}
	}
	if d.Has("result.json") {
		out.Result = new(rundir.Result)
		err = d.ReadJSON(out.Result, "result.json")
	} else if stageOf("retrain").begun(d) {
		out.Retrain, err = inspectRetraining(d, c.Retrain)
	}
	return out, err
}

// PresetOr names a preset in messages.
func PresetOr(name string) string {
	if name == "" {
		return "no preset"
	}
	return "preset " + name
}

func inspectRetraining(d rundir.Folder, c config.Retrain) (*Retraining, error) {
	s, err := describeTraining(d, c)
	if err != nil {
		return nil, err
	}
	out := &Retraining{TrainedOnSearch: s.TrainedOnSearch, Start: s.Start, Teacher: s.Teacher}
	seeds, err := readSeeds(d)
	if len(seeds.Runs) > 0 {
		out.Seeds = brief(seeds)
	}
	return out, err
}

// progress of a stage; one that trains has that many steps.
func (s Stage) progress(d rundir.Folder, steps int) Progress {
	if s.Done == "" {
		step, any := lastCheckpoint(d.File(s.Begun))
		return Progress{s.Name, step, state(any, step >= steps)}
	}
	n := 0
	if strings.HasSuffix(s.Begun, ".jsonl") {
		n = lines(d.File(s.Begun))
	}
	info, err := os.Stat(d.File(s.Begun))
	return Progress{s.Name, n, state(err == nil && info.Size() > 0, d.Has(s.Done))}
}

// lines counts the ends of lines in a file, up to where reading fails.
func lines(path string) (n int) {
	f, _, err := atomicfile.OpenRegular(path)
	if err != nil {
		return 0
	}
	defer f.Close()
	buf := make([]byte, 64<<10)
	for {
		k, err := f.Read(buf)
		n += bytes.Count(buf[:k], []byte("\n"))
		if err != nil {
			return n
		}
	}
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

// lastCheckpoint is the step of the newest checkpoint that seems whole or, where none does, of the newest
// by its name. Tensors are not read.
func lastCheckpoint(dir string) (step int, any bool) {
	if newest, any := weights.Newest(dir); any {
		return newest.Step, true
	}
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		var v int
		if _, err := fmt.Sscanf(e.Name(), "ckpt-%d", &v); err != nil {
			continue
		}
		any = true // its DONE may have been lost since: a save makes the folder appear with it
		if _, err := os.Stat(filepath.Join(dir, e.Name(), "DONE")); err == nil {
			step = max(step, v)
		}
	}
	return step, any
}
