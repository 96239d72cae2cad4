package rundir

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io/fs"
	"path/filepath"
	"time"

	"oneshot/internal/atomicfile"
	"oneshot/internal/fault"
)

// Value is one figure of metrics.jsonl.
type Value struct {
	Name  string // stage/figure, such as train/loss
	Step  int
	Value float64
}

// Curves is metrics.jsonl, read once.
type Curves struct {
	Points  []Value // in the order of the file; what is damaged is left out
	Damaged int     // the first line before the last that is none of metrics, from 1; 0 is none
	Torn    bool    // the last line is none, or has no end
	Stages  map[string]*Steps
}

// Steps are the lines of a stage in metrics.jsonl.
type Steps struct {
	Last  int // step
	Twice int // lines of a step that has one already

	upto   int // all steps from 1 up to this one have a line
	beyond map[int]bool
	sum    hash.Hash
}

// add takes in a line.
func (s *Steps) add(step int, line []byte) {
	s.sum.Write(line)
	s.sum.Write([]byte("\n"))
	s.Last = max(s.Last, step)
	switch {
	case step <= s.upto || s.beyond[step]:
		s.Twice++
	case step == s.upto+1:
		for s.upto++; s.beyond[s.upto+1]; s.upto++ {
			delete(s.beyond, s.upto+1)
		}
	default:
		s.beyond[step] = true
	}
}

// Missing is how many of the steps from 1 to last have no line, and the first of them.
func (s *Steps) Missing(last int) (n, first int) {
	if s == nil {
		return last, 1
	}
	if s.upto >= last {
		return 0, 0
	}
	n = last - s.upto
	for step := range s.beyond {
		if step <= last {
			n--
		}
	}
	return n, s.upto + 1
}

// SHA256 is the checksum of the lines, as a record has it.
func (s *Steps) SHA256() string { return hex.EncodeToString(s.sum.Sum(nil)) }

// Curves reads metrics.jsonl.
func (d Folder) Curves() (c Curves, err error) {
	c.Stages = map[string]*Steps{}
	c.Damaged, c.Torn, err = d.readMetrics(func(l Metric, line []byte) {
		s := c.Stages[l.Stage]
		if s == nil {
			s = &Steps{beyond: map[int]bool{}, sum: sha256.New()}
			c.Stages[l.Stage] = s
		}
		s.add(l.Step, line)
		for _, f := range []struct {
			name string
			v    *float64
		}{{"loss", l.Loss}, {"lr", l.LR}, {"grad_norm", l.GradNorm}, {"top1", l.Top1}, {"best", l.Best}} {
			if f.v != nil {
				c.Points = append(c.Points, Value{l.Stage + "/" + f.name, l.Step, *f.v})
			}
		}
	})
	return c, fault.WithCode(err, fault.ExitInvalid, FromCopy)
}

// Samples reads a file of samples, such as search/samples.jsonl, without changing it; a torn last line is left out.
func (d Folder) Samples(path string) (lines []Sample, err error) {
	name := d.File(filepath.FromSlash(path))
	f, _, err := atomicfile.OpenRegular(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	_, _, err = ScanJSONL(f, name, func(line []byte) (bool, error) {
		var s Sample
		if err := json.Unmarshal(line, &s); err != nil {
			return false, fmt.Errorf("not a sample: %w", err)
		}
		lines = append(lines, s)
		return true, nil
	})
	return lines, fault.WithCode(err, fault.ExitInvalid, FromCopy)
}

// StartedAt is when the run began, in seconds since 1970; 0 where the manifest does not say it.
func (m Manifest) StartedAt() float64 {
	t, err := time.Parse(time.RFC3339, m.Started)
	if err != nil {
		return 0
	}
	return float64(t.Unix())
}
