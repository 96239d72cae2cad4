package search

import (
	"encoding/json"
	"fmt"
	"time"

	"oneshot/internal/fault"
	"oneshot/internal/rundir"
)

// stopwatch adds up the wall time of a search, over all processes that worked
// on it. What a process spent on a sample it did not finish is lost.
type stopwatch struct {
	limit time.Duration // 0 = none
	spent time.Duration
	last  time.Time // when the sample in progress began
	now   func() time.Time
	file  *rundir.JSONL
}

// openStopwatch reads the times of the first samples and forgets later ones.
func (s *Stage) openStopwatch(samples int) (*stopwatch, error) {
	w := &stopwatch{limit: time.Duration(s.plan.Config.Search.Time), now: s.ui.Now, last: s.ui.Now()}
	next := 0
	path := s.folder.File("search", "times.jsonl")
	file, _, err := rundir.OpenJSONL(path, func(b []byte) (bool, error) {
		l, err := parseTime(b, next, w.spent)
		if err != nil || l.Sample >= samples {
			return false, err
		}
		next = l.Sample + 1
		w.spent += time.Duration(l.Seconds * float64(time.Second))
		return true, nil
	})
	if err != nil {
		return nil, fault.WithCode(err, fault.ExitInvalid, "put the file back as it was; renamed to times.jsonl.damaged it is kept, and the time counts from now")
	}
	w.file = file
	return w, nil
}

// maxSpent is the longest search: 30 years.
const maxSpent = 1e9 * time.Second

// parseTime reads the time of sample next or a later one, before which some was spent.
func parseTime(b []byte, next int, spent time.Duration) (rundir.Time, error) {
	var l rundir.Time
	if err := json.Unmarshal(b, &l); err != nil {
		return l, err
	}
	if l.Sample < next {
		return l, fmt.Errorf("sample %d, want %d or later", l.Sample, next)
	}
	if !(l.Seconds >= 0 && l.Seconds < (maxSpent-spent).Seconds()) {
		return l, fmt.Errorf("%v seconds", l.Seconds)
	}
	return l, nil
}

// lap ends a sample. The line need not survive a power cut: then the search may
// take that much longer.
func (w *stopwatch) lap(sample int) error {
	now := w.now()
	took := max(0, min(now.Sub(w.last), maxSpent-time.Second-w.spent)) // whatever was done to the clock, parseTime reads it
	w.last, w.spent = now, w.spent+took
	return w.file.Append(rundir.Time{Sample: sample, Seconds: took.Seconds()})
}

// left is how much of the limit is left now.
func (w *stopwatch) left() time.Duration { return w.limit - w.spent - max(0, w.now().Sub(w.last)) }

// up says that the time is used up.
func (w *stopwatch) up() bool { return w.limit > 0 && w.spent >= w.limit }
