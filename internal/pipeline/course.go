package pipeline

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"oneshot/internal/config"
	"oneshot/internal/fault"
	"oneshot/internal/plan"
	"oneshot/internal/rundir"
	"oneshot/supernet"
	"oneshot/supernet/space"
	"oneshot/weights"
)

// course is what becomes of what a folder has of a stage. Neither is that it stays.
type course struct {
	anew    bool     // it is done again, and what there is makes room
	goesOn  bool     // a training goes on with other settings
	changed []string // inputs that have another value
	why     string
}

// course compares what the stage has in a folder, which was computed from rec, with what a plan
// would compute from of.
func (s Stage) course(d rundir.Folder, rec rundir.Record, of map[string]string, p *plan.Plan) course {
	var c course
	var grown []string
	c.changed, grown = s.differences(rec, of)
	done := s.progress(d, 0).Done
	c.why = "its inputs have changed:" + changes(rec, of, c.changed)
	if s.Name == "search" && p.Limited() { // its samples are within limits of the retrained network
		for _, key := range grown {
			if strings.HasPrefix(key, "retrain.") {
				c.changed = append(c.changed, key)
			}
		}
		c.why = "its inputs have changed:" + changes(rec, of, c.changed)
	}
	if len(c.changed) == 0 {
		if other := s.other(d, rec); other != "" {
			c.anew, c.why = true, other+" is not the one that it has left"
			return c
		}
	}
	if !s.trains() {
		if samples := p.Config.Search.Samples; s.Name == "search" && len(c.changed) == 0 && done > samples {
			c.anew, c.why = true, fmt.Sprintf("%d samples are scored, and search.samples is %d", done, samples)
		}
		c.anew = c.anew || len(c.changed) > 0
		return c
	}
	total := p.Training(s.Name).Steps
	_, any := lastCheckpoint(d.File(s.Begun))
	reshaped := slices.IndexFunc(c.changed, reshapes)
	switch {
	case len(c.changed) == 0:
	case !any:
		c.goesOn = true // from its first step
	case reshaped >= 0:
		c.anew = true
	case done > total:
		c.anew, c.why = true, fmt.Sprintf("%d steps are taken, and a schedule of %d has no place for them", done, total)
	case done == total:
		c.anew, c.why = true, "all its steps are taken with other settings:"+changes(rec, of, c.changed)
	case s.Name == "retrain" && d.Has("retrain", "seeds.json"):
		c.anew, c.why = true, "its networks are tested, with other settings:"+changes(rec, of, c.changed)
	default:
		c.goesOn = true
	}
	return c
}

// other names a result of a stage that is complete which is not the one that it has left; "" is
// none. What only sums up the others is written again wherever it is wrong, and what is gone where
// the stage goes on to the same.
func (s Stage) other(d rundir.Folder, rec rundir.Record) string {
	if len(rec.Outputs) == 0 || s.cutBack(d, rec) {
		return ""
	}
	if s.Name == "search" {
		if lost, err := proveSearch(d); err == nil && lost != "" {
			return "" // the lines that are there are those that were written: the others are scored again
		}
	}
	have, err := s.results(d)
	if err != nil {
		return err.Error()
	}
	for _, name := range slices.Sorted(maps.Keys(rec.Outputs)) {
		if name != s.Done && name != archFile && have[name] != rec.Outputs[name] && !(have[name] == "" && s.regains(name)) {
			return s.resultName(d, name)
		}
	}
	return ""
}

// cutBack says whether a training that was complete has lost its last checkpoint: it goes on from the
// one before, to the same bytes.
func (s Stage) cutBack(d rundir.Folder, rec rundir.Record) bool {
	if !s.trains() || len(rec.Outputs) == 0 {
		return false
	}
	newest, any := weights.Newest(d.File(s.Begun))
	return any && newest.Step < rec.Steps
}

// regains says whether the stage makes a result that is gone from its other results, or from its record.
func (s Stage) regains(result string) bool {
	return s.Name == "search" && result != s.Begun || result == archFile
}

// lost is a result that is gone and that the stage makes again from its others; "" is none.
func (s Stage) lost(d rundir.Folder, rec rundir.Record) string {
	for _, name := range slices.Sorted(maps.Keys(rec.Outputs)) {
		if s.regains(name) && !d.Has(name) {
			return name
		}
	}
	return ""
}

// reshapes says whether no training goes on from a checkpoint when this input has another value:
// images, the network's form or what a checkpoint holds would be others.
func reshapes(name string) bool {
	if strings.HasPrefix(name, "train.") || strings.HasPrefix(name, "retrain.") {
		switch _, key, _ := strings.Cut(name, "."); key {
		case "optimizer", "layers", "channels", "stem_multiplier", "imagenet", "aux", "ema", "init", "init_sha256", "seed", "all_images":
			return true
		}
		return false
	}
	return true
}

// courses decides what becomes of each stage that has begun, and refuses what the request does not
// allow, before anything is written. arch is the architecture that is asked for, if any.
func (o *opening) courses(p *plan.Plan, arch space.Arch, d rundir.Folder) error {
	if !o.stored {
		return nil
	}
	if err := newer(d); err != nil {
		return err
	}
	images, dirty, supernet := describeImages(p.Data), "", ""
	for _, s := range Stages {
		if s.Name == "export" {
			break // it and what follows are made again wherever they are not right
		}
		if !s.begun(d) {
			continue
		}
		rec, err := o.recordOf(s, p.Space, images, d)
		if err != nil {
			return err
		}
		of, err := inputs(s.Name, p.Config, images, d)
		if err != nil {
			return err
		}
		if s.Name == "retrain" && o.Retrains && arch != nil {
			of[inArch] = p.Space.Format(arch)
		}
		if s.Name == "retrain" {
			of["retrain.seed"] = of["seed"]
		}
		if of[inSupernet] != "" && supernet != "" {
			of[inSupernet] = supernet
		}
		c := s.course(d, *rec, of, p)
		if may := o.Override && slices.Contains(o.Redoes, s.Name); !c.anew && may {
			if err := s.damaged(d); err != nil {
				c.anew, c.why = true, err.Error()
			}
		} else if _, any := lastCheckpoint(d.File(s.Begun)); s.trains() && any && !may && trained(s.Name, d) == "" && o.comesTo(s) {
			return fault.New(fault.ExitInvalid, "put one back from a copy of the folder; `"+s.command(d, true)+"` trains anew and keeps what there is until that is complete",
				"no checkpoint in %s is whole", d.File(s.Begun))
		}
		follows := dirty != "" && (s.Name == "search" || p.Config.Retrain.Init == config.Inherited)
		if follows && !c.anew {
			c.anew, c.why = true, dirty+" changes"
		}
		if !c.anew && !c.goesOn {
			continue
		}
		back := s.keptOf(d, of, p)
		if err := o.accept(s, c, back, d, p); err != nil {
			return err
		}
		if supernet = takenBack(s, back, p); supernet == "" {
			dirty = s.Name
		}
		if slices.Contains(o.Redoes, s.Name) {
			o.redone = append(o.redone, s.Name)
			if c.anew && back == "" {
				o.anew = append(o.anew, s.Name)
			} else if back != "" {
				o.back = append(o.back, s.Name)
			}
		}
	}
	if slices.Contains(o.redone, "retrain") { // it needs again what it starts from and learns from
		if err := o.files(d); err != nil {
			return err
		}
		p.Config.Retrain = o.config.Retrain
		if err := o.checkGiven(p.Data); err != nil {
			return err
		}
		return o.sameNetwork(p.Space, arch)
	}
	return nil
}

// comesTo says whether the request goes as far as a stage. What is wrong with a later one does not stop it: it may
// make that one stale anyway.
func (o *opening) comesTo(s Stage) bool {
	return len(o.Redoes) == 0 || slices.Contains(o.does(o.config), s.Name)
}

// takenBack is the checksum of a supernet that comes back complete from what was replaced; "" is none.
func takenBack(s Stage, back string, p *plan.Plan) string {
	if s.Name != "train" || back == "" {
		return ""
	}
	if newest, any := weights.Newest(back); any && newest.Step == p.Training(s.Name).Steps {
		return newest.SHA256
	}
	return ""
}

// accept refuses a course of a stage that the request does not allow, and announces the others. back
// is where something that was replaced has what is asked for, or "".
func (o *opening) accept(s Stage, c course, back string, d rundir.Folder, p *plan.Plan) error {
	mine := slices.Contains(o.Redoes, s.Name)
	key := slices.IndexFunc(c.changed, func(k string) bool { return o.wanted(k) && s.owns(k, d) })
	switch {
	case !mine && key >= 0:
		return fault.Usage(fmt.Sprintf("`%s` with the new value does it anew and keeps what there is until that is complete", s.command(d, true)),
			"%s decides the stage %s, which has begun in %s", c.changed[key], s.Name, d)
	case mine && c.anew && !o.Override && len(o.Redoes) > 1:
		hint := s.remedy(d)
		if s.first(d) == nil {
			hint += "; `oneshot run --resume --out " + d.Arg() + " --override` does that and what follows from it"
		}
		return fault.Wrap(fault.ExitInvalid, s.stale(d, d, c.why), hint)
	case mine && c.anew && !o.Override:
		return s.stale(d, d, c.why)
	case !mine:
		o.settled = append(o.settled, fmt.Sprintf("stale    %s: %s; `%s` does it anew", s.Name, c.why, s.command(d, true)))
	case c.anew && back == "":
		o.settled = append(o.settled, fmt.Sprintf("anew     %s: %s\n         what there is is kept in %s until the new one is complete", s.Name, c.why, d.File(replacedFolder)))
	case back != "":
		o.settled = append(o.settled, fmt.Sprintf("back     %s: %s has what is asked for, and is taken back", s.Name, back))
	default:
		if _, any := lastCheckpoint(d.File(s.Begun)); any { // else it begins with them
			o.settled = append(o.settled, o.goingOn(s, c, d, p))
		}
	}
	return nil
}

// owns says whether a key decides the stage first, of those that have begun.
func (s Stage) owns(key string, d rundir.Folder) bool {
	for _, before := range Stages {
		if before.Name == s.Name {
			return true
		}
		if before.decides(key) && before.begun(d) {
			return false
		}
	}
	return false
}

// goingOn says with what a training goes on, and what that does to its learning rate.
func (o *opening) goingOn(s Stage, c course, d rundir.Folder, p *plan.Plan) string {
	step, _ := lastCheckpoint(d.File(s.Begun))
	now := p.Training(s.Name)
	line := fmt.Sprintf("goes on  %s: at step %d of %d with other settings; the learning rate of the next step is %.4g", s.Name, step, now.Steps, now.Rate(step))
	was := *p
	if was.Config = *o.old; step < was.Training(s.Name).Steps {
		line += fmt.Sprintf(", it would have been %.4g", was.Training(s.Name).Rate(step))
	} else if step > 0 {
		line += fmt.Sprintf(", it was %.4g at the end", was.Training(s.Name).Rate(step-1))
	}
	return line
}

// recordOf is the record of a stage that has begun. For a stage without one, which an earlier
// version has begun, it is what the stored configuration says.
func (o *opening) recordOf(s Stage, in space.Space, images rundir.Dataset, d rundir.Folder) (*rundir.Record, error) {
	rec, err := d.ReadRecord(s.Record)
	if err != nil || rec != nil {
		return rec, err
	}
	rec = &rundir.Record{Stage: s.Name}
	if rec.Inputs, err = inputs(s.Name, *o.old, images, d); err != nil || s.Name != "retrain" {
		return rec, err
	}
	arch, err := begunArch(in, d)
	if err != nil || arch == nil {
		return rec, err
	}
	rec.Inputs[inArch] = in.Format(arch)
	rec.Chosen, err = found(d, rec.Inputs[inArch])
	return rec, err
}

// adoptRecords writes the records of stages that an earlier version has begun.
func (o *opening) adoptRecords(r *Run) error {
	if !o.stored {
		return nil
	}
	for _, s := range Stages {
		if !s.begun(r.Folder) || r.Folder.Has(s.Record) {
			continue
		}
		rec, err := o.recordOf(s, r.Space, r.described, r.Folder)
		if err != nil {
			return err
		}
		steps := 0
		if s.trains() {
			steps = r.Training(s.Name).Steps
			rec.Steps = steps
		}
		if s.progress(r.Folder, steps).State == "done" {
			if rec.Outputs, err = s.results(r.Folder); err != nil {
				return err
			}
		}
		if err := r.Folder.WriteRecord(s.Record, *rec); err != nil {
			return err
		}
	}
	return nil
}

// found says whether an architecture's text is what the search of a folder has found.
func found(d rundir.Folder, arch string) (bool, error) {
	if !d.Has("search", "best.json") {
		return false, nil
	}
	best, err := plan.BestOf(d)
	return err == nil && best.Arch == arch, err
}

// arithmetic refuses to go on with a search that has begun with another arithmetic, where the
// request would have it score more. Where the request may do it anew, that is announced.
func (o *opening) arithmetic(p *plan.Plan, rt *supernet.Runtime, d rundir.Folder) error {
	s := stageOf("search")
	if !o.stored || !slices.Contains(o.Redoes, s.Name) || !s.begun(d) || slices.Contains(o.anew, s.Name) {
		return nil
	}
	rec, err := d.ReadRecord(s.Record)
	if err != nil || rec == nil || len(rec.Arithmetic) == 0 || rec.Arithmetic[0] == rt.Arithmetic() {
		return err
	}
	of, err := inputs(s.Name, p.Config, describeImages(p.Data), d)
	if err != nil {
		return err
	}
	_, grown := s.differences(*rec, of)
	if done, _, _ := searched(d, p.Config); done && len(rec.Outputs) > 0 && len(grown) == 0 && s.lost(d, *rec) == "" {
		return nil // it has nothing left to score
	}
	if !o.Override {
		return mixed(d, rec.Arithmetic[0], rt.Arithmetic())
	}
	o.settled = append(o.settled, fmt.Sprintf("anew     %s: it has begun with %q, and this process computes with %q\n         what there is is kept in %s until the new one is complete",
		s.Name, rec.Arithmetic[0], rt.Arithmetic(), d.File(replacedFolder)))
	o.redone, o.anew = append(o.redone, s.Name), append(o.anew, s.Name)
	return nil
}
