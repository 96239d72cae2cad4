package pipeline

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

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

	alone bool // a retraining of an architecture that was given: the search has no say
}

// Chain says where the stages of a run folder stand, in their order. It reads records,
// checksums and names of files; no images are opened and nothing is written.
func Chain(d rundir.Folder) ([]Link, error) {
	c, err := loadStored(d)
	if err != nil {
		return nil, err
	}
	return chainOf(d, c)
}

// chainOf is Chain of a folder whose configuration was read.
func chainOf(d rundir.Folder, c config.Config) ([]Link, error) {
	m, err := d.ReadManifest()
	if err != nil {
		return nil, fault.WithCode(err, fault.ExitInvalid, "`oneshot run --resume --out "+string(d)+"` writes it again")
	}
	total := totalSteps(c)
	var chain []Link
	stale := map[string]bool{}
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
		if l.State != StateFresh && !(s.Name == "test" && !d.Has("search", "best.json")) { // it says what the search found too
			l.Command = s.command(d, l.State == StateStale && s.expensive())
		}
		chain = append(chain, l)
	}
	return chain, nil
}

// Next is the command that goes on in the folder of a chain: of the first stage that is partial,
// stale, or missing before others that are there, else of the one behind the last that is complete.
// "" is none.
func Next(chain []Link) string {
	at := func(name string) Link {
		return chain[slices.IndexFunc(chain, func(l Link) bool { return l.Stage == name })]
	}
	last := -1
	for i, l := range chain {
		switch l.State {
		case StatePartial, StateStale:
			return l.Command
		case StateFresh:
			last = i
			continue
		}
		in := stageOf(l.Stage).Inputs
		later := slices.ContainsFunc(chain[i:], func(l Link) bool { return l.State != StateNone })
		if later && len(in) > 0 && !slices.ContainsFunc(in, func(name string) bool { return at(name).State != StateFresh }) {
			return l.Command
		}
	}
	if last+1 < len(chain) {
		return chain[last+1].Command
	}
	return ""
}

// expensive says whether a stage is done again only where that is asked for.
func (s Stage) expensive() bool { return s.Name != "export" && s.Name != "test" }

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
	return c, nil
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
	if p.State == "none" {
		if l.State, l.Why = StateNone, "it has not begun"; rec != nil {
			l.State, l.Why = StatePartial, "it was stopped before it had a result"
		}
		return l, nil
	}
	done, why := p.State == "done", ""
	switch {
	case s.trains() && !done:
		why = fmt.Sprintf("%d of %d steps are taken", p.Done, steps)
	case s.Name == "retrain" && c.Retrain.Seeds > 1 && (!allTrained(d, c.Retrain) || !allExported(d)):
		done, why = false, "not all of retrain.seeds are trained and exported"
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
	}
	changed, err := s.changed(d, c, now, rec, names, done)
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
	if rec != nil {
		l.Changes = rec.Changes
		l.alone = s.Name == "retrain" && !rec.Chosen
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
// its record has it; "" is nothing, and all that can be said of a stage without a record.
func (s Stage) changed(d rundir.Folder, c config.Config, now map[string]string, rec *rundir.Record, names []string, done bool) (string, error) {
	if rec == nil {
		return "", nil
	}
	if s.trains() && !done { // it goes on with settings that were accepted
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
	for name, sum := range rec.Outputs {
		if have[name] != sum {
			return strings.TrimSuffix(name, "/") + " is not the one that the stage left", nil
		}
	}
	return "", nil
}
