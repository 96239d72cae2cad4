package pipeline

import (
	"fmt"
	"slices"

	"oneshot/internal/rundir"
)

// command is the command line that brings the stage up to date in a run folder or, with
// anew, does it again.
func (s Stage) command(run rundir.Folder, anew bool) string {
	text := "oneshot " + map[string]string{"train": "train --resume", "search": "search", "retrain": "retrain", "export": "export", "test": "eval"}[s.Name] +
		" --out " + run.Arg()
	if anew {
		text += " --override"
	}
	return text
}

// command is that of a stage as it stands in a run folder; "" is none: a result says what the search
// found too.
func (l Link) command(d rundir.Folder) string {
	s := stageOf(l.Stage)
	if s.Name == "test" && (!d.Has("search", "best.json") || foreign(d)) {
		return ""
	}
	text := s.command(d, l.State == StateStale && s.expensive())
	if file := rundir.Folder(d.File("retrain", "arch.json")); l.alone && d.Has("retrain", "arch.json") {
		text += " --arch " + file.Arg() // not what the search has found
	} else if l.alone && l.arch != "" {
		text += " --arch " + l.arch
	}
	return text
}

// foreign says whether the network that a folder retrains was given to it, and is not the one that its
// search has found.
func foreign(d rundir.Folder) bool {
	var best rundir.SearchSummary
	rec, err := d.ReadRecord(stageOf("retrain").Record)
	if err != nil || rec == nil || rec.Chosen || rec.Inputs[inArch] == "" || !d.Has("search", "best.json") {
		return false
	}
	return d.ReadJSON(&best, "search", "best.json") == nil && best.Arch != rec.Inputs[inArch]
}

// Next is the command that goes on in the folder of a chain: of the first stage that is partial,
// stale, or missing before others that were made of it, else of the one behind the last that is
// complete. "" is none.
func Next(chain []Link) string {
	if l := next(chain); l != nil {
		return l.Command
	}
	return ""
}

// next is the stage that Next goes on with; nil is none.
func next(chain []Link) *Link {
	last := -1
	for i, l := range chain {
		switch {
		case l.State == StateFresh:
			last = i
		case l.State != StateNone, slices.ContainsFunc(chain[i:], func(later Link) bool { return later.State != StateNone && later.reads(l.Stage) }):
			return &chain[i]
		}
	}
	if last+1 < len(chain) {
		return &chain[last+1]
	}
	return nil
}

// reads says whether the stage was made of another one, as it stands.
func (l Link) reads(stage string) bool {
	return !l.alone && slices.Contains(stageOf(l.Stage).Inputs, stage)
}

// does says what the command of a link does.
func (l Link) does() string {
	switch s := stageOf(l.Stage); {
	case l.State == StateNone:
		return "does the stage " + s.Name
	case !s.expensive():
		return "writes it again"
	case l.State == StatePartial:
		return fmt.Sprintf("goes on with the stage %s", s.Name)
	}
	return "does it anew and keeps what there is until that is complete"
}

// first is the stage before this one that has to go on first in a run folder; nil is none.
func (s Stage) first(run rundir.Folder) *Link {
	chain, err := Chain(run)
	if err != nil {
		return nil // which is told where the folder is opened
	}
	index := func(stage string) int { return slices.IndexFunc(Stages, func(s Stage) bool { return s.Name == stage }) }
	if l := next(chain); l != nil && l.Command != "" && index(l.Stage) < index(s.Name) {
		return l
	}
	return nil
}

// remedy is what to do where the results of the stage in a run folder are not of what there is.
func (s Stage) remedy(run rundir.Folder) string {
	if l := s.first(run); l != nil {
		return fmt.Sprintf("`%s` %s, which comes first; `oneshot status %s` says what follows", l.Command, l.does(), run.Arg())
	}
	at := Link{Stage: s.Name, State: StateStale}
	if chain, err := Chain(run); err == nil {
		at = chain[slices.IndexFunc(chain, func(l Link) bool { return l.Stage == s.Name })]
	}
	if at.State == StateFresh || at.Command == "" {
		at.State = StateStale
		at.Command = at.command(run)
	}
	return fmt.Sprintf("`%s` %s", at.Command, at.does())
}
