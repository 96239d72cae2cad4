package serve

import (
	"fmt"
	"time"

	"oneshot/internal/fault"
	"oneshot/internal/pipeline"
	"oneshot/internal/ui"
)

// quiet is how long nothing of a run may change before the page says so. A run that goes on says something every few
// seconds (run.log_seconds), but for a score or a checkpoint that takes longer.
const quiet = time.Minute

// The states of a run as the page says them, with a class for its colour.
type state struct{ Class, Text string }

// state is how a run stands. Nothing tells for certain whether a process works on a folder without taking its lock; so
// it is what the run has said last, and when.
func (x *run) state() state {
	if x.gone {
		return state{"bad", "the folder is gone; the page goes on when there is one of this name again"}
	}
	if x.lost != nil {
		return state{"bad", x.lost.Error()}
	}
	switch e := x.end; {
	case e == nil || *e.Exit == fault.ExitOK:
	case *e.Exit == fault.ExitStopped:
		return state{"wait", "stopped on request; the command that began it goes on with --resume"}
	default:
		return state{"bad", fmt.Sprintf("ended with exit code %d: %s", *e.Exit, e.Msg)}
	}
	fresh := len(x.results.chain) > 0
	for _, l := range x.results.chain {
		fresh = fresh && l.State == pipeline.StateFresh
	}
	if fresh {
		return state{"good", "complete"}
	}
	if x.end != nil {
		return state{"good", "ended: what was asked for is done; the stages below say what there is"}
	}
	if x.changed.IsZero() {
		return state{"wait", "nothing has been computed yet"}
	}
	if !x.working() {
		return state{"wait", fmt.Sprintf("nothing new for %v: it waits, computes something long, or was ended from outside; `oneshot status %s` says where it stands and which command goes on",
			ui.Rounded(x.now().Sub(x.changed).Truncate(time.Minute)), x.dir())}
	}
	return state{"good", "goes on"}
}

// working says whether the run has said something lately, and not that it has ended.
func (x *run) working() bool {
	return !x.gone && x.lost == nil && x.end == nil && !x.changed.IsZero() && x.now().Sub(x.changed) <= quiet
}

// told is what the page says by the clock: it becomes another although no file changes.
type told struct{ state, left, doing string }

func (x *run) tells() told { return told{x.state().Text, x.left(x.stage), x.doing()} }

// stage is how far a stage is.
type stageRow struct {
	Name, State, Why string
	Done, Total      int // 0 is not known
	Left             string
}

// stages are those of the run, as its records and its last lines say.
func (x *run) stages() (rows []stageRow) {
	chain := x.results.chain
	if chain == nil {
		for _, s := range pipeline.Stages {
			chain = append(chain, pipeline.Link{Stage: s.Name, State: pipeline.StateNone})
		}
	}
	for _, l := range chain {
		r := stageRow{Name: l.Stage, State: l.State, Why: l.Why, Done: l.Done, Total: x.total(l.Stage)}
		if m, ok := x.latest[l.Stage]; ok && l.State != pipeline.StateStale {
			r.Done = max(r.Done, m.Step)
		}
		if r.Total > 0 && r.Done < r.Total && l.Stage == x.stage && l.State != pipeline.StateFresh && x.working() {
			r.State, r.Why = "goes on", ""
			r.Left = x.left(l.Stage)
		}
		if l.Stage == "export" || l.Stage == "test" { // over in a moment
			r.Done, r.Total = 0, 0
		}
		rows = append(rows, r)
	}
	return rows
}

// total is how many steps or samples a stage has; 0 is not known.
func (x *run) total(stage string) int {
	if n := x.results.steps[stage]; n > 0 {
		return n
	}
	if stage == "search" && x.config != nil {
		return x.config.Search.Samples
	}
	for i := len(x.entries) - 1; i >= 0; i-- {
		if e := x.entries[i]; e.stage == stage && e.total > 0 {
			return e.total
		}
	}
	return 0
}

// left is the time that a stage still takes, by its last progress; "" is not known.
func (x *run) left(stage string) string {
	if !x.working() {
		return ""
	}
	for i := len(x.entries) - 1; i >= 0; i-- {
		e := x.entries[i]
		if e.stage != stage || e.msg != "progress" || e.left <= 0 {
			continue
		}
		left := time.Duration(e.left*float64(time.Second)) - x.now().Sub(e.Time)
		if left <= 0 || left > time.Duration(e.left*float64(time.Second)) {
			return ""
		}
		if left >= time.Minute { // so it is drawn again every ten seconds only
			left = left.Round(10 * time.Second)
		}
		return "about " + ui.Rounded(left).String() + " left"
	}
	return ""
}

// doing is what goes on now that is no stage of its own, such as the second scores; "" is nothing.
func (x *run) doing() string {
	if n := len(x.entries); n > 0 && x.working() {
		if e := x.entries[n-1]; e.msg == "progress" && x.latest[e.stage].Stage == "" {
			return fmt.Sprintf("%s %d of %d", e.stage, e.done, e.total)
		}
	}
	return ""
}
