package report

import (
	"fmt"
	"time"

	"oneshot/internal/ui"
)

// Spent is what a part of a run took, over all processes that worked on it.
type Spent struct {
	Stage     string
	Seconds   float64
	Images    float64 // that went through; 0 where it is not known
	Times     int     // processes
	Announced int64   // memory in bytes, before; 0 where nothing was said
	Peak      int64   // the most that a process had resident by the end of it; 0 where it is not known
}

// spent are times and memory of the stages.
func spent(p RunParts) *Section {
	if len(p.Spent) == 0 {
		return nil
	}
	bytes := func(n int64) string {
		if n == 0 {
			return "-"
		}
		return fmt.Sprintf("%.0f MB", float64(n)/1e6)
	}
	t := Table{Head: []string{"part", "time", "images/s", "processes", "memory announced", "memory measured"}, Left: 1,
		Note: "Times are of the log, over all processes that went on; what a process did that was killed is not in them. Measured is the most that the process had resident until the part ended, " +
			"so it is never less than in the part before; - is not known, as in runs of earlier versions."}
	total := 0.0
	for _, s := range p.Spent {
		rate := "-"
		if s.Images > 0 && s.Seconds > 0 {
			rate = ui.Count(int64(s.Images / s.Seconds))
		}
		total += s.Seconds
		t.Rows = append(t.Rows, []string{s.Stage, duration(s.Seconds), rate, fmt.Sprint(s.Times), bytes(s.Announced), bytes(s.Peak)})
	}
	t.Rows = append(t.Rows, []string{"all", duration(total), "", "", "", ""})
	return &Section{Title: "Time and memory", Tables: []Table{t}}
}

// duration is seconds in words, with three digits where they are few.
func duration(seconds float64) string {
	if seconds < 60 {
		return fmt.Sprintf("%.3g s", seconds)
	}
	return ui.Rounded(time.Duration(seconds * float64(time.Second))).String()
}
