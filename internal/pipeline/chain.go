package pipeline

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"

	"oneshot/internal/config"
	"oneshot/internal/fault"
	"oneshot/internal/rundir"
)

// The states of a stage in a run folder.
const (
	StateNone    = "none"    // it has not begun
	StatePartial = "partial" // it goes on from where it stands
	StateFresh   = "fresh"   // it is complete, and was computed from what is there now
	StateStale   = "stale"   // it was computed from something else
)

// Link is where a stage of a run folder stands.
type Link struct {
	Stage string `json:"stage"`
	State string `json:"state"`
	Done  int    `json:"done"` // steps, or samples of a search
	// Why says what is missing or what has changed; "" where the stage is fresh.
	Why string `json:"why,omitempty"`
	// Command brings the stage up to date, after those before it.
	Command string `json:"command,omitempty"`
	// Changes are settings that were changed while a training went on.
	Changes []string `json:"changes,omitempty"`

	alone bool   // a retraining of an architecture that was given: the search has no say
	arch  string // that architecture, by the record
}

// Chain says where the stages of a run folder stand, in their order. It reads records,
// checksums and names of files; no images are opened and nothing is written.
func Chain(d rundir.Folder) ([]Link, error) {
	if !d.Has("config.yaml") {
		return nil, noRun(d)
	}
	c, err := loadStored(d)
	if err != nil {
		return nil, err
	}
	return chainOf(d, c)
}

// chainOf is Chain of a folder whose configuration was read.
func chainOf(d rundir.Folder, c config.Config) ([]Link, error) {
	m, err := d.ReadManifest() // without it the records tell of the images
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fault.WithCode(err, fault.ExitInvalid, "")
	}
	total := totalSteps(c)
	var chain []Link
	stale := map[string]bool{}
	if err := newer(d); err != nil {
		return nil, err
	}
	for _, s := range Stages {
		l, err := s.link(d, c, m.Dataset, total[s.Name])
		if err != nil {
			return nil, err
		}
		for _, in := range s.Inputs { // what is made of something stale is no better
			if stale[in] && !l.alone && (l.State == StateFresh || l.State == StatePartial) {
				l.State, l.Why = StateStale, in+" is stale"
			}
		}
		stale[s.Name] = l.State == StateStale
		if s.Name == "test" && l.State == StateStale && foreign(d) {
			l.Why = "the network that is exported is not the one that the search has found"
		}
		if l.State != StateFresh {
			l.Command = l.command(d)
		}
		chain = append(chain, l)
	}
	return chain, nil
}

// expensive says whether a stage is done again only where that is asked for.
func (s Stage) expensive() bool { return s.Name != "export" && s.Name != "test" }

// noRun is the error of a folder without a config.yaml.
func noRun(d rundir.Folder) error {
	if !hasStages(d) {
		return fault.Usage("name the folder of a run; those that were given no name are in runs", "no run in %s", cmp.Or(string(d), "(no folder given)"))
	}
	return fault.New(fault.ExitInvalid, "put config.yaml back, or repeat the command that began the run with --resume: with the same settings it goes on here",
		"%s holds stages of a run, and its config.yaml is gone", d)
}

// loadStored reads the configuration of a run folder. What is wrong with it is the file's fault,
// not the command line's.
func loadStored(d rundir.Folder) (config.Config, error) {
	c, err := config.Load(d.File("config.yaml"), config.FromPreset)
	if err != nil {
		return c, fault.Wrap(fault.ExitInvalid, err, configBack)
	}
	if err := c.Check(); err != nil {
		return c, fault.Wrap(fault.ExitInvalid, fmt.Errorf("%s: %w", d.File("config.yaml"), err), configBack)
	}
	return c, configAsWritten(d)
}

// totalSteps are the steps of the trainings. Sizes of the data are the configuration's.
func totalSteps(c config.Config) map[string]int {
	images, all := c.Data.TrainSize-c.Data.SearchSize, c.Data.TrainSize
	if !c.Retrain.AllImages {
		all = images
	}
	return map[string]int{"train": c.Train.StepsFor(images), "retrain": c.Retrain.StepsFor(all)}
}

// link is where the stage stands; a training has that many steps, as far as its record does not
// know better.
func (s Stage) link(d rundir.Folder, c config.Config, images rundir.Dataset, steps int) (Link, error) {
	rec, err := d.ReadRecord(s.Record)
	if err != nil {
		return Link{}, err
	}
	now, err := inputs(s.Name, c, images, d)
	if err != nil {
		return Link{}, err
	}
	var names, grown []string
	if rec != nil {
		if names, grown = s.differences(*rec, now); rec.Steps > 0 && len(names) == 0 {
			steps = rec.Steps // by the images themselves
		}
	}
	p := s.progress(d, steps)
	l := Link{Stage: s.Name, Done: p.Done}
	if rec != nil && s.Name == "retrain" {
		l.alone, l.arch = !rec.Chosen, rec.Inputs[inArch]
	}
	if p.State == "none" {
		if l.State, l.Why = StateNone, "it has not begun"; rec != nil {
			l.State, l.Why = StatePartial, "it was stopped before it had a result"
		}
		return l, nil
	}
	done, why := p.State == "done", ""
	if s.trains() && trained(s.Name, d) == "" && s.damaged(d) != nil {
		l.State, l.Why = StateStale, "no checkpoint in "+d.File(s.Begun)+" is whole"
		return l, nil
	}
	var seedsErr error
	if s.Name == "retrain" && several(c.Retrain) {
		for _, home := range homes(d, c.Retrain) {
			if _, err := readSeeds(home); err != nil {
				seedsErr = err
				break
			}
		}
	}
	if s.Name == "search" {
		lost, err := proveSearch(d)
		if err != nil {
			l.State, l.Why = StateStale, err.Error()
			return l, nil
		}
		if lost != "" && len(names) == 0 {
			l.State, l.Why = StatePartial, lost
			return l, nil
		}
	}
	switch {
	case seedsErr != nil:
		l.State, l.Why = StateStale, seedsErr.Error()
		return l, nil
	case s.trains() && !done:
		why = fmt.Sprintf("%d of %d steps are taken", p.Done, steps)
	case s.Name == "retrain" && several(c.Retrain) && (!allTrained(d, c.Retrain) || !allExported(d, c.Retrain)):
		done, why = false, leftOf(d, c.Retrain)
	case s.Name == "retrain" && compares(c.Retrain) && !summedUp(d, c.Retrain):
		done, why = false, "retrain/top.json is not of what is there now"
	case s.Name == "search" && done:
		if done, why, err = searched(d, c); err != nil {
			l.State, l.Why = StateStale, err.Error()
			return l, nil
		}
	case !done:
		why = "it was stopped"
	}
	switch {
	case done && len(grown) > 0:
		done, why = false, "something else is asked for:"+changes(*rec, now, grown)
	case done && rec != nil && len(rec.Outputs) == 0:
		done, why = false, "it was stopped"
	case done && rec != nil:
		if gone := s.lost(d, *rec); gone != "" {
			done, why = false, gone+" is gone"
		}
	}
	changed, err := s.changed(d, c, now, rec, names, p.State == "done", done)
	switch {
	case err != nil:
		return l, err
	case changed != "":
		l.State, l.Why = StateStale, changed
	case !done:
		l.State, l.Why = StatePartial, why
	default:
		l.State = StateFresh
	}
	if s.Name == "retrain" || s.Name == "export" {
		other, err := s.otherTrainings(d, c)
		if err != nil {
			return l, err
		}
		if other != "" {
			l.State, l.Why = StateStale, other
		}
	}
	if s.Name == "retrain" && l.State != StateStale {
		other, err := otherContender(d, c.Retrain, now)
		if err != nil {
			return l, err
		}
		if other != "" {
			l.State, l.Why = StateStale, other
		}
	}
	if rec != nil {
		l.Changes = rec.Changes
	} else if search := stageOf("search"); s.Name == "retrain" { // without a record: where nothing was searched
		l.alone = !search.begun(d) && !d.Has(search.Done) && !d.Has(search.Record)
	}
	return l, nil
}

// searched says whether a finished search has what the configuration asks for now.
func searched(d rundir.Folder, c config.Config) (done bool, why string, err error) {
	var sum rundir.SearchSummary
	if err := d.ReadJSON(&sum, "search", "best.json"); err != nil {
		return false, "", err
	}
	if sum.Samples < c.Search.Samples && !sum.Exhausted && !sum.TimedOut {
		return false, fmt.Sprintf("%d of %d samples are scored", sum.Samples, c.Search.Samples), nil
	}
	return true, "", nil
}

// changed says what of a stage's inputs, of which names have changed, and of its results is not as
// its record has it; "" is nothing, and all that can be said of a stage without a record. taken says that
// a training has all its steps, and done that nothing else is left of the stage either.
func (s Stage) changed(d rundir.Folder, c config.Config, now map[string]string, rec *rundir.Record, names []string, taken, done bool) (string, error) {
	if rec == nil {
		return "", nil
	}
	if s.trains() && !taken { // it goes on with settings that were accepted
		names = slices.DeleteFunc(names, func(n string) bool { return !reshapes(n) })
	}
	if samples := lines(d.File(s.Begun)); s.Name == "search" && samples > c.Search.Samples {
		return fmt.Sprintf("%d samples are scored, and search.samples is %d", samples, c.Search.Samples), nil
	}
	if len(names) > 0 {
		return "computed from other inputs:" + changes(*rec, now, names), nil
	}
	if arch := rec.Inputs[inArch]; arch != "" && rec.Chosen {
		var sum rundir.SearchSummary
		err := d.ReadJSON(&sum, "search", "best.json")
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return "it trains " + arch + ", and the search is done anew", nil
		case err != nil:
			return err.Error(), nil
		case sum.Arch != arch:
			return "it trains " + arch + ", and the search has found " + sum.Arch, nil
		}
	}
	if !done {
		return "", nil
	}
	have, err := s.results(d)
	if err != nil {
		return "", err
	}
	for _, name := range slices.Sorted(maps.Keys(rec.Outputs)) {
		switch have[name] {
		case rec.Outputs[name]:
		case "":
			return name + " is gone", nil
		default:
			return s.resultName(d, name) + " is not the one that the stage left", nil
		}
	}
	return "", nil
}
