package pipeline

import (
	"fmt"
	"slices"

	"oneshot/internal/atomicfile"
	"oneshot/internal/config"
	"oneshot/internal/fault"
	"oneshot/internal/plan"
	"oneshot/internal/rundir"
	"oneshot/supernet/space"
)

// oldResult is a result that a folder has.
type oldResult struct {
	rundir.Result
	current bool // it was made of what is there now
	tested  bool // its figures are of the network that is exported now
	// regrouped says that all is as it was, but for how many trainings are asked for.
	regrouped bool
}

// orNone is the result; that of nil is none.
func (o *oldResult) orNone() rundir.Result {
	if o == nil {
		return rundir.Result{}
	}
	return o.Result
}

// result reads result.json and compares what it was made of with what there is now. nil is
// no result.
func (r *Run) result() (*oldResult, error) {
	if !r.Folder.Has("result.json") {
		return nil, nil
	}
	var o oldResult
	err := r.Folder.ReadJSON(&o.Result, "result.json")
	if err == nil && (o.Arch.Hash == "" || o.TestCount == 0) {
		err = fmt.Errorf("%s: no result in it", r.Folder.File("result.json"))
	}
	if err != nil {
		kept := r.Folder.FreeName("result.json.damaged")
		r.process.UI.Warnf("%v; it is kept as %s, and made again", err, kept)
		return nil, atomicfile.OS.Rename(r.Folder.File("result.json"), r.Folder.File(kept))
	}
	rec, now, err := r.resultRecord()
	if err != nil {
		return nil, err
	}
	if rec == nil { // an earlier version made it
		o.current, o.tested = true, true
		return &o, r.Folder.KeepRecord(stageOf("test").Record, now)
	}
	changed := rundir.Differences(rec.Inputs, now.Inputs)
	say := func(format string, args ...any) { // once, although several stages look
		if !r.toldResult {
			r.process.UI.Infof(format, args...)
		}
		r.toldResult = true
	}
	other := func(name string) bool { return rec.Outputs[name] != "" && rec.Outputs[name] != now.Outputs[name] }
	switch same := rec.Outputs["result.json"] == now.Outputs["result.json"] && !other(rundir.SeenFile); {
	case len(changed) > 0:
		say("result   %s is made again, as what it was made of has changed:%s", r.Folder.File("result.json"), changes(*rec, now.Inputs, changed))
		o.tested = same && rec.Inputs[inExport] == now.Inputs[inExport]
		o.regrouped = same && !slices.ContainsFunc(changed, func(name string) bool { return !slices.Contains(groups, name) })
	case other(rundir.SeenFile):
		say("result   %s is made again, as %s is gone or not the one that its record names", r.Folder.File("result.json"), r.Folder.File(rundir.SeenFile))
	case !same: // changed by hand, or by a run that was killed before the record
		say("result   %s is made again, as it is not the one that its record names", r.Folder.File("result.json"))
	default:
		o.current, o.tested = true, true
	}
	return &o, nil
}

// NeedsResult wants a folder in which a search has found the network that is exported, and in
// which nothing was computed from something else than is there now.
func NeedsResult(p *plan.Plan, d rundir.Folder) error {
	test := "`oneshot eval --weights " + fault.ShellWord(d.File("export", "model.safetensors"))
	if p.Config.Data.Dir != "" {
		test += " --data-dir " + fault.ShellWord(p.Config.Data.Dir)
	}
	test += "` tests it"
	chain, err := Chain(d)
	if err != nil {
		return err
	}
	given := slices.ContainsFunc(chain, func(l Link) bool { return l.alone })
	switch exported, found := d.Has("export", "model.safetensors"), d.Has("search", "best.json"); {
	case exported && !found && given:
		return fault.Usage(test, "no search in %s has found the network that it has", d)
	case exported && foreign(d):
		return fault.Usage(test+"; `oneshot retrain --arch best --override --out "+d.Arg()+"` trains what the search has found",
			"the network in %s is not the one that its search has found", d)
	case !found:
		_, err := plan.BestOf(d)
		return err
	case !exported:
		return fault.Usage(stageOf("export").remedy(d), "nothing is exported in %s", d)
	}
	for _, l := range chain {
		if s := stageOf(l.Stage); l.State == StateStale && s.Name != "test" {
			return s.stale(d, d, l.Why)
		}
	}
	return nil
}

// NeedsPath wants an architecture, which may be "best", to be a path of the supernet. q gives the
// rules of an architecture whose form does not say them.
func NeedsPath(text string, q config.Request) func(p *plan.Plan, d rundir.Folder) error {
	return func(p *plan.Plan, d rundir.Folder) error {
		_, err := pathOf(p, text, d, q)
		return err
	}
}

// pathOf reads it.
func pathOf(p *plan.Plan, text string, d rundir.Folder, q config.Request) (space.Arch, error) {
	arch, err := plan.WantedArch(text, p.Config.Net, p.Space, d, q)
	if err != nil {
		return nil, err
	}
	if p.Space.Encode(arch) == nil {
		return nil, fault.Usage("`oneshot retrain --arch` trains it by itself, in another folder with --out", "%s is no path of a supernet: its outputs or pairs are its own", p.Space.Format(arch))
	}
	return arch, nil
}

// resultRecord is the record of the result, nil without one, and what it would be now.
func (r *Run) resultRecord() (rec *rundir.Record, now rundir.Record, err error) {
	s := stageOf("test")
	if rec, err = r.Folder.ReadRecord(s.Record); err != nil {
		return nil, now, err
	}
	now.Stage = s.Name
	if now.Inputs, err = inputs(s.Name, r.Config, r.described, r.Folder); err == nil {
		now.Outputs, err = s.results(r.Folder)
	}
	return rec, now, err
}

// writeResult writes the result, and then what it was made of: where a record of another result was
// there before, a run that is killed in between makes the result again.
func (r *Run) writeResult(res rundir.Result) error {
	if err := r.Folder.WriteJSON(res, "result.json"); err != nil {
		return err
	}
	_, now, err := r.resultRecord()
	if err != nil {
		return err
	}
	if now.Outputs["result.json"] == "" {
		return fmt.Errorf("%s is gone", r.Folder.File("result.json"))
	}
	return r.Folder.KeepRecord(stageOf("test").Record, now)
}

// keepSeen writes what a test saw; nil where the network was not tested now, or by an earlier version.
func (r *Run) keepSeen(s *rundir.Seen) error {
	if s == nil {
		return nil
	}
	return r.Folder.WriteJSON(s, rundir.SeenFile)
}

// seenOf is what the test of an exported file saw, as the run folder has it; nil where that was not kept.
func seenOf(d rundir.Folder, export string) (*rundir.Seen, error) {
	if !d.Has(rundir.SeenFile) {
		return nil, nil
	}
	var s rundir.Seen
	if err := d.ReadJSON(&s, "test", "examples.json"); err != nil {
		return nil, err
	}
	if err := s.Check(); err != nil {
		return nil, fault.New(fault.ExitInvalid, d.Remedy("test", "examples.json"), "%s: %w", d.File(rundir.SeenFile), err)
	}
	sum, _, err := rundir.HashFile(export)
	if err != nil || sum != s.Export {
		return nil, err
	}
	return &s, nil
}

// testedOf are the figures of the test of a result.
func testedOf(res rundir.Result) rundir.Tested {
	return rundir.Tested{SearchTop1: res.Retrain.SearchTop1, TestTop1: res.TestTop1, TestTop5: res.TestTop5,
		TestImages: res.TestCount, TestBad: res.BadSamples, Classes: res.Classes}
}
