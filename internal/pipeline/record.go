package pipeline

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"oneshot/internal/config"
	"oneshot/internal/fault"
	"oneshot/internal/rundir"
	"oneshot/weights"
)

// Names of inputs in a record beside the keys of the configuration. Each has the SHA-256 of
// what it names, but for arch.
const (
	inImages   = "images"
	inClasses  = "classes"
	inSupernet = "supernet" // the tensors of its newest checkpoint
	inArch     = "arch"     // an architecture's text
	inRetrain  = "retrain"  // the tensors of the retrained network's newest checkpoint
	inExport   = "export"   // export/model.safetensors
	inSearch   = "search"   // search/best.json
)

// archFile has the architecture that a folder retrains: a result of the stage, whose text is an input too.
const archFile = "retrain/arch.json"

// unrecorded are keys that say where something is, which is known by its checksum, what happens to
// images that cannot be decoded, and how many architectures and trainings there are, each of which has its own record.
var unrecorded = []string{"data.dir", "data.on_bad_sample", "retrain.init", "retrain.teacher", "retrain.seeds", "retrain.top"}

// groups are the keys of how many trainings a result speaks of.
var groups = []string{"retrain.seeds", "retrain.top"}

// settings are the inputs of a stage that the configuration and the images decide.
func (s Stage) settings(c config.Config, d rundir.Dataset) map[string]string {
	of := c.Values(func(key string) bool {
		return !slices.Contains(unrecorded, key) && (key == "seed" || strings.HasPrefix(key, "data.") || s.decides(key) || slices.Contains(s.Grows, key))
	})
	for name, sum := range map[string]string{inImages: d.SHA256, inClasses: d.Classes} {
		if sum != "" { // the manifest, which has them, may be gone
			of[name] = sum
		}
	}
	if s.Name == "retrain" {
		of["retrain.init"] = c.Retrain.Init
		if startsFromFile(c.Retrain) {
			of["retrain.init"] = "file" // known by its checksum
		}
	}
	return of
}

// differences are the inputs of the stage that have another value than its record says; grown are
// those with which it only goes further.
func (s Stage) differences(rec rundir.Record, now map[string]string) (changed, grown []string) {
	for _, name := range rundir.Differences(rec.Inputs, now) {
		if slices.Contains(s.Grows, name) {
			grown = append(grown, name)
		} else {
			changed = append(changed, name)
		}
	}
	return changed, grown
}

// trained is the checksum of the newest checkpoint that a stage has in a folder; "" is none.
func trained(stage string, d rundir.Folder) string {
	s, _ := weights.Newest(d.File(stageOf(stage).Begun))
	return s.SHA256
}

// leaves is the checksum of what a training ends with in a folder: that of its newest checkpoint or,
// where its last one was lost and it goes on to the same, of that one.
func leaves(stage string, c config.Config, images rundir.Dataset, d rundir.Folder) (string, error) {
	s := stageOf(stage)
	rec, err := d.ReadRecord(s.Record)
	if err != nil || rec == nil || !s.cutBack(d, *rec) {
		return trained(stage, d), err
	}
	of, err := inputs(stage, c, images, d)
	if err != nil {
		return "", err
	}
	if changed, _ := s.differences(*rec, of); len(changed) > 0 {
		return trained(stage, d), nil
	}
	return rec.Outputs[map[string]string{"train": inSupernet, "retrain": inRetrain}[stage]], nil
}

// inputs are what a stage is computed from in the run folder, as things stand there.
func inputs(stage string, c config.Config, images rundir.Dataset, d rundir.Folder) (of map[string]string, err error) {
	s := stageOf(stage)
	of = map[string]string{}
	switch stage {
	case "train", "search", "retrain":
		of = s.settings(c, images)
		if stage == "search" || stage == "retrain" && c.Retrain.Init == config.Inherited {
			of[inSupernet], err = leaves("train", c, images, d)
		}
	case "export":
		of[inRetrain], err = leaves("retrain", c, images, d)
	case "test":
		for name, file := range map[string]string{inExport: "export/model.safetensors", inSearch: "search/best.json"} {
			sums, err := d.Hashes(file)
			if err != nil {
				return nil, err
			}
			of[name] = sums[file]
		}
		for i, n := range []int{c.Retrain.Seeds, c.Retrain.Top} {
			of[groups[i]] = strconv.Itoa(n)
		}
		of[inSupernet], err = leaves("train", c, images, d)
	}
	return of, err
}

// recordInputs records what a stage is computed from in a folder, where it has nothing yet. Where it
// has something, that must have been computed from the same: else it is refused or, where the
// request allows it, moved away to be done anew. chosen says that an architecture among the inputs
// is the one that the search has found.
func (r *Run) recordInputs(stage string, d rundir.Folder, of map[string]string, chosen bool) error {
	s := stageOf(stage)
	if err := r.settleMetrics(s, d); err != nil { // of a process that was killed meanwhile
		return err
	}
	rec, err := d.ReadRecord(s.Record)
	if err != nil && d != r.Folder && r.override && slices.Contains(r.redoes, stage) && !rundir.IsNewer(err) {
		r.process.UI.Warnf("%s is done anew: %v", s.Name, err) // that of the run folder is refused before
		if err = r.setAside(s, d); err == nil {
			rec, err = d.ReadRecord(s.Record)
		}
	}
	if err != nil {
		return err
	}
	next := rundir.Record{Stage: stage, Inputs: of, Chosen: chosen, Arithmetic: []string{r.rt.Arithmetic()}}
	c, begun, may := course{}, rec != nil && s.begun(d), r.override && slices.Contains(r.redoes, stage)
	if begun {
		if c = s.course(d, *rec, of, r.Plan); c.anew && !may {
			return s.stale(r.Folder, d, c.why)
		}
		if may && !c.anew {
			err := s.damaged(d)
			if c.anew = err != nil || r.elsewhere(s, *rec, of); err != nil {
				r.process.UI.Warnf("%s is done anew: %v", s.Name, err)
			}
		}
	}
	back := ""
	if may && (c.anew || c.goesOn || !begun) && !r.beside(d) {
		back = s.keptOf(r.Folder, of, r.Plan)
	}
	if begun && rec.Chosen && rec.Inputs[inArch] == of[inArch] {
		next.Chosen = true // whatever the search is doing meanwhile
	}
	switch {
	case c.anew || back != "":
		if err = r.setAside(s, d); err == nil {
			rec, err = r.takeBack(s, d, back)
		}
	case c.goesOn && len(rec.Outputs) > 0:
		err = r.keepCopy(s, d)
	}
	if err != nil {
		return err
	}
	if rec != nil && (begun || back != "") {
		next = r.continued(s, d, *rec, of)
	}
	if s.trains() {
		next.Steps = r.Training(stage).Steps
	}
	return d.KeepRecord(s.Record, next)
}

// damaged is an error where a training has checkpoints, and none from which it could go on, or where a
// search has a line that is not the one that was written.
func (s Stage) damaged(d rundir.Folder) error {
	if s.Name == "search" { // what cannot be read at all is no damage
		if _, err := proveSearch(d); fault.Classify(err).Code == fault.ExitInvalid {
			return err
		}
		return nil
	}
	if !s.trains() {
		return nil
	}
	if _, _, err := weights.LoadLatest(d.File(s.Begun)); errors.Is(err, weights.ErrCorrupt) {
		return err
	}
	return nil
}

// elsewhere says whether a search is not complete and has begun with another arithmetic than
// that of this process.
func (r *Run) elsewhere(s Stage, rec rundir.Record, of map[string]string) bool {
	_, grown := s.differences(rec, of)
	if s.Name != "search" || len(rec.Arithmetic) == 0 || rec.Arithmetic[0] == r.rt.Arithmetic() || len(rec.Outputs) > 0 && len(grown) == 0 && s.lost(r.Folder, rec) == "" {
		return false
	}
	r.process.UI.Warnf("%s is done anew: it has begun with %q, and this process computes with %q", s.Name, rec.Arithmetic[0], r.rt.Arithmetic())
	return true
}

// continued is the record of a stage that goes on, a training perhaps with other settings or
// another arithmetic.
func (r *Run) continued(s Stage, d rundir.Folder, rec rundir.Record, of map[string]string) rundir.Record {
	if changed, grown := s.differences(rec, of); len(changed)+len(grown) > 0 {
		if step, any := lastCheckpoint(d.File(s.Begun)); any && len(changed) > 0 {
			rec.Changes = append(slices.Clone(rec.Changes), fmt.Sprintf("from step %d:%s", step, changes(rec, of, changed)))
		}
		rec.Inputs, rec.Outputs = maps.Clone(rec.Inputs), nil
		maps.Copy(rec.Inputs, of)
	}
	if s.Name == "search" && lines(d.File(s.Begun)) < r.Config.Search.Samples {
		rec.Outputs = nil // more samples follow, unless there are no more or no time for them
	}
	if a := r.rt.Arithmetic(); s.trains() && (len(rec.Outputs) == 0 || s.cutBack(d, rec)) && len(rec.Arithmetic) > 0 && !slices.Contains(rec.Arithmetic, a) {
		rec.Arithmetic = append(slices.Clone(rec.Arithmetic), a)
	}
	return rec
}

// results are the checksums of what a stage has left in a folder, by their paths there or, of a
// training, by what its newest checkpoint is the input for.
func (s Stage) results(d rundir.Folder) (map[string]string, error) {
	switch s.Name {
	case "train":
		return map[string]string{inSupernet: trained(s.Name, d)}, nil
	case "search":
		return d.Hashes("search/samples.jsonl", "search/rechecks.jsonl", "search/best.json")
	case "retrain":
		of, err := d.Hashes(archFile)
		if err == nil {
			of[inRetrain] = trained(s.Name, d)
		}
		return of, err
	case "export":
		files := slices.Clone(exportFiles)
		for _, form := range formFiles { // where they were asked for
			files = append(files, "export/"+form)
		}
		return d.Hashes(files...)
	}
	return d.Hashes(s.Done, rundir.SeenFile)
}

// completes records the results of a stage in a folder.
func (r *Run) completes(stage string, d rundir.Folder) error {
	s := stageOf(stage)
	results, err := s.results(d)
	if err != nil {
		return err
	}
	rec, err := d.ReadRecord(s.Record)
	switch {
	case err != nil:
		return err
	case rec == nil:
		return fmt.Errorf("%s is gone", d.File(s.Record))
	}
	if s.trains() && len(rec.Outputs) == 0 {
		if err := r.sumUpMetrics(s, d, rec); err != nil {
			return err
		}
	}
	rec.Outputs = results
	return d.KeepRecord(s.Record, *rec)
}

// LossOf is what rundir.Folder.Trained says of a training that is complete: what its record has of it, whatever
// has become of metrics.jsonl, or what that says where an earlier version wrote the record.
func LossOf(stage string, d rundir.Folder) (loss *float64, replaced int, err error) {
	rec, err := d.ReadRecord(stageOf(stage).Record)
	if err != nil {
		return nil, 0, err
	}
	if rec != nil && len(rec.Outputs) > 0 && rec.Loss != nil {
		return rec.Loss, rec.Replaced, nil
	}
	return d.Trained(stage)
}

// sameArithmetic refuses to add to the results of a stage what another arithmetic would compute.
func (r *Run) sameArithmetic(stage string) error {
	rec, err := r.Folder.ReadRecord(stageOf(stage).Record)
	now := r.rt.Arithmetic()
	if err != nil || rec == nil || len(rec.Arithmetic) == 0 || rec.Arithmetic[0] == now {
		return err
	}
	return mixed(r.Folder, rec.Arithmetic[0], now)
}

// mixed is the error where scores of two arithmetics would be ranked together.
func mixed(d rundir.Folder, was, now string) error {
	return fault.New(fault.ExitInvalid, "--device, --amp and the variable ONESHOT_ISA choose among what a machine has; `"+stageOf("search").command(d, true)+"` does all of it with this one, and keeps what there is until that is complete",
		"the scores in %s were computed with %q and this process computes with %q: they cannot be ranked together", d, was, now)
}

// stale is the error where results were computed from other inputs than there are now.
func (s Stage) stale(run, d rundir.Folder, why string) error {
	return fault.New(fault.ExitInvalid, s.remedy(run),
		"%s in %s is not of what there is now: %s", s.Name, d, why)
}

// changes lists inputs with their two values.
func changes(rec rundir.Record, of map[string]string, names []string) string {
	var b strings.Builder
	for _, name := range names {
		fmt.Fprintf(&b, "\n  %s: %s -> %s", name, brieflyHash(rec.Inputs[name]), brieflyHash(of[name]))
	}
	return b.String()
}

// brieflyHash shortens a checksum.
func brieflyHash(v string) string {
	if v == "" {
		return "none"
	}
	if len(v) == 64 && strings.Trim(v, "0123456789abcdef") == "" {
		return v[:12]
	}
	return v
}
