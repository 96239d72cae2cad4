package pipeline

import (
	"fmt"
	"strconv"

	"oneshot/internal/rundir"
	"oneshot/internal/ui"
)

// metricFaults says what is wrong with metrics.jsonl, whose curves a page shows: nothing is computed from them, so
// damage there stops no verb.
func metricFaults(d rundir.Folder, metrics rundir.Curves, chain []Link) (faults []string, err error) {
	say := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	if metrics.Damaged > 0 {
		say("line %d of metrics.jsonl is no line of metrics: it is left out, and perhaps others.", metrics.Damaged)
	}
	if metrics.Torn {
		say("The last line of metrics.jsonl is incomplete, as it is while a run goes on or when it was killed: it is left out.")
	}
	for _, l := range chain {
		s := stageOf(l.Stage)
		if !s.trains() || l.Done == 0 || l.State == StateStale {
			continue
		}
		h := metrics.Stages[s.Name]
		missing, first := h.Missing(l.Done)
		if missing > 0 {
			say("metrics.jsonl lacks %d of the %s of stage %s, the first of them step %d: curves are drawn of what is there, closer together than they were.", missing, ui.Plural(l.Done, "step", "steps"), s.Name, first)
		}
		if h == nil {
			continue
		}
		if h.Twice > 0 {
			say("metrics.jsonl has %s of stage %s twice.", ui.Plural(h.Twice, "step", "steps"), s.Name)
		}
		if l.State == StateFresh && h.Last > l.Done {
			say("metrics.jsonl has steps of stage %s up to %d, and its last checkpoint is of step %d.", s.Name, h.Last, l.Done)
		}
		if missing+h.Twice > 0 || h.Last > l.Done {
			continue
		}
		rec, err := d.ReadRecord(s.Record)
		if err != nil {
			return nil, err
		}
		if rec == nil || rec.Metrics[strconv.Itoa(l.Done)] == "" {
			continue
		}
		if h.SHA256() != rec.Metrics[strconv.Itoa(l.Done)] {
			say("The lines of stage %s in metrics.jsonl are not those that the run wrote, by their checksum in %s: its curves show what stands there now.", s.Name, s.Record)
		}
	}
	return faults, nil
}
