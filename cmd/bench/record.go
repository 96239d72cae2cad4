package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"slices"
	"time"
)

// recordVersion is that of the format.
const recordVersion = 1

// record is bench/record.json: the figures of a commit on a machine.
type record struct {
	Version int             `json:"version"`
	Commit  string          `json:"commit"`
	Date    string          `json:"date"` // of the measurement, 2006-01-02
	Go      string          `json:"go"`   // that built the program
	Machine machine         `json:"machine"`
	Rounds  int             `json:"rounds"`
	Jobs    []job           `json:"jobs"`
	Figures []recordedValue `json:"figures"`
}

// recordedValue is a figure without its rounds.
type recordedValue struct {
	Name   string  `json:"name"`
	Unit   string  `json:"unit"`
	Median float64 `json:"median"`
	Low    float64 `json:"low"` // of the rounds
	High   float64 `json:"high"`
}

func newRecord(commit, goVersion string, day time.Time, b bench, m machine, fs []figure) record {
	r := record{Version: recordVersion, Commit: commit, Date: day.Format(time.DateOnly), Go: goVersion, Machine: m, Rounds: b.rounds, Jobs: b.jobs}
	for _, f := range fs {
		r.Figures = append(r.Figures, recordedValue{f.name, f.unit, rounded(median(f.values)), rounded(slices.Min(f.values)), rounded(slices.Max(f.values))})
	}
	return r
}

// rounded is x to hundredths: no figure is known better.
func rounded(x float64) float64 { return math.Round(100*x) / 100 }

func (r record) write(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

var commitHash = regexp.MustCompile(`^[0-9a-f]{40}$`)

// readRecord reads what write wrote; fields that it does not know are errors.
func readRecord(b []byte) (record, error) {
	var r record
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil {
		return r, fmt.Errorf("%s: %w", recordPath, err)
	}
	return r, r.check()
}

// check reports the first field that no record has.
func (r record) check() error {
	wrong := func(field string, v any) error { return fmt.Errorf("%s: %s is %v", recordPath, field, v) }
	switch {
	case r.Version != recordVersion:
		return wrong("version", r.Version)
	case !commitHash.MatchString(r.Commit):
		return wrong("commit", r.Commit)
	case r.Machine.Threads < 1:
		return wrong("machine.threads", r.Machine.Threads)
	case r.Rounds < 1:
		return wrong("rounds", r.Rounds)
	case len(r.Figures) == 0:
		return errors.New(recordPath + ": there are no figures")
	}
	if _, err := time.Parse(time.DateOnly, r.Date); err != nil {
		return wrong("date", r.Date)
	}
	for _, f := range r.Figures {
		if f.Name == "" || f.Unit == "" || !(f.Median >= f.Low && f.High >= f.Median && f.Low >= 0) {
			return wrong("figure "+f.Name, f)
		}
	}
	return nil
}

// of is the recorded value of a figure; false where there is none, or where other jobs
// were measured.
func (r record) of(f figure, jobs []job) (recordedValue, bool) {
	if !slices.Equal(r.Jobs, jobs) {
		return recordedValue{}, false
	}
	for _, v := range r.Figures {
		if v.Name == f.name && v.Unit == f.unit {
			return v, true
		}
	}
	return recordedValue{}, false
}
