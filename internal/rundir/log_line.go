package rundir

import (
	"encoding/json"
	"time"
)

// LogLine is a line of log.jsonl, as far as anything reads it: it is for people, and no result is computed from it.
type LogLine struct {
	Time       time.Time `json:"time"`
	Level      string    `json:"level"`
	Msg        string    `json:"msg"`
	Stage      string    `json:"stage"`
	Done       int       `json:"done"`
	Total      int       `json:"total"`
	Seconds    float64   `json:"seconds"`
	Left       float64   `json:"seconds_left"`
	ImagesPerS float64   `json:"images_per_s"`
	NeedsBytes int64     `json:"needs_bytes"`
	PeakBytes  int64     `json:"peak_bytes"`
	Threads    int       `json:"threads"`
	Note       string    `json:"note"`
	Exit       *int      `json:"exit"` // only in the last line of a process: what it ended with
}

// Lines of the log that are told by their text.
const (
	LogEnded   = "ended"         // the last line of a process that has done what it was asked to
	LogStopped = "asked to stop" // a request to stop (StopFile) is taken
)

// ParseLogLine reads a line; one that is damaged, or says nothing, is none.
func ParseLogLine(line []byte) (l LogLine, ok bool) {
	err := json.Unmarshal(line, &l)
	return l, err == nil && l.Msg != ""
}
