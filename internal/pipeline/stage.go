package pipeline

import (
	"slices"
	"strings"

	"oneshot/internal/rundir"
)

// Stage is a step of a run. Its result is a function of its inputs: the images, the
// seed, the results of the stages that it names, and its keys of the configuration.
type Stage struct {
	Name    string
	Inputs  []string // stages whose outputs it reads
	Keys    []string // beginnings of the keys that decide its result
	Grows   []string // keys of these with which it only goes further: what it has stays right
	Outputs []string // files and folders it leaves in the run folder
	Begun   string   // the one that exists as soon as the stage has begun
	Done    string   // the one that is written last; "" where its checkpoints tell
	Passed  string   // what exists as soon as another stage has begun to read its outputs
	Record  string   // what it was computed from, see rundir.Record
}

// finalSize are the keys that decide how large the retrained network is: a search says what its
// architectures would cost then.
var finalSize = []string{"retrain.layers", "retrain.channels", "retrain.stem_multiplier", "retrain.imagenet"}

// Stages are the steps of a run, in order.
var Stages = []Stage{
	{Name: "train", Keys: []string{"seed", "data.", "net.", "train."},
		Outputs: []string{"supernet"}, Begun: "supernet", Passed: "search", Record: "supernet/record.json"},
	{Name: "search", Inputs: []string{"train"}, Keys: []string{"score.", "search."},
		Grows:   append([]string{"search.samples", "search.top", "search.time", "search.baselines"}, finalSize...),
		Outputs: []string{"search"}, Begun: "search/samples.jsonl", Done: "search/best.json", Passed: "retrain", Record: "search/record.json"},
	{Name: "retrain", Inputs: []string{"search"}, Keys: []string{"retrain."},
		Outputs: []string{"retrain", seedsFolder, topFolder}, Begun: "retrain", Passed: "export/model.safetensors", Record: "retrain/record.json"},
	{Name: "export", Inputs: []string{"retrain"},
		Outputs: []string{"export"}, Begun: "export/model.safetensors", Done: "export/arch.json", Record: "export/record.json"},
	{Name: "test", Inputs: []string{"train", "search", "export"},
		Outputs: []string{"test", "result.json", "result.record.json"}, Begun: "result.json", Done: "result.json", Record: "result.record.json"},
}

// stageOf is the stage of that name.
func stageOf(name string) Stage {
	return Stages[slices.IndexFunc(Stages, func(s Stage) bool { return s.Name == name })]
}

// trains says whether the stage is a training, whose checkpoints tell how far it is.
func (s Stage) trains() bool { return s.Done == "" }

// begun says whether the folder has something of the stage to go on from.
func (s Stage) begun(d rundir.Folder) bool {
	switch s.Name { // the folder of a training has its record before anything else
	case "train":
		_, any := lastCheckpoint(d.File(s.Begun))
		return any
	case "retrain":
		_, any := lastCheckpoint(d.File(s.Begun))
		return any || d.Has(s.Begun, "arch.json")
	}
	return d.Has(s.Begun)
}

// passed says whether another stage has begun to read this one's outputs.
func (s Stage) passed(d rundir.Folder) bool { return s.Passed != "" && d.Has(s.Passed) }

// decides says whether a configuration key is one of the stage's.
func (s Stage) decides(key string) bool {
	return slices.ContainsFunc(s.Keys, func(k string) bool {
		return key == k || strings.HasSuffix(k, ".") && strings.HasPrefix(key, k)
	})
}

// isFree says whether a key may still change: it is one of the given stages', and that
// stage has not begun. Which baselines a search is compared with may change at any
// time where the search is among the stages. So may what becomes of bad samples: a run
// that has come so far without one is the same as if it had tolerated them from the start.
func isFree(d rundir.Folder, key string, stages []string) bool {
	if key == "data.on_bad_sample" {
		return true
	}
	for _, name := range stages {
		s := stageOf(name)
		if s.decides(key) && !s.begun(d) || name == "search" && key == "search.baselines" {
			return true
		}
	}
	return false
}
