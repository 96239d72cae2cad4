package search

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"

	"oneshot/internal/fault"
	"oneshot/internal/rundir"
	"oneshot/lanas"
	"oneshot/supernet/space"
)

// trail is one search with the file of its samples.
type trail struct {
	search *searcher
	lines  []rundir.Sample
	file   *rundir.SummedLines

	// The run's own search has more to keep than a baseline.
	metrics *rundir.JSONL // or nil
	watch   *stopwatch    // or nil
}

// openTrail reads a file of samples and tells them to a search of algo.
func (s *Stage) openTrail(algo, name string) (*trail, error) {
	search, err := s.searcher(algo)
	if err != nil {
		return nil, err
	}
	t := &trail{search: search}
	var told []lanas.Sample
	moved := false
	path := s.folder.File("search", name)
	file, torn, err := rundir.OpenSummed(path, s.ui.Warnf, func(b []byte) (bool, error) {
		l, arch, err := s.parseSample(b, len(t.lines))
		if err != nil {
			return false, err
		}
		r, err := s.plan.DescribeArch(arch)
		if err != nil {
			return false, err
		}
		moved = moved || r.Params != l.Params || r.MAdds != l.MAdds
		l.Params, l.MAdds = r.Params, r.MAdds
		t.lines = append(t.lines, l)
		code := s.plan.Space.Encode(arch)
		if code == nil {
			return false, fmt.Errorf("no search proposes %s", l.Arch)
		}
		told = append(told, lanas.Sample{Code: code, Score: l.Score})
		return true, nil
	})
	if err != nil {
		return nil, fault.WithCode(err, fault.ExitInvalid, rundir.FromCopy)
	}
	t.file = file
	if torn {
		s.ui.Warnf("%s: dropped an incomplete last line", path)
	}
	if moved {
		s.ui.Warnf("%s: its params and madds are not those of the retrained network, whose size was changed since", path)
	}
	if err := search.Replay(told); err != nil {
		file.Close()
		return nil, fault.WithCode(fmt.Errorf("%s: %w", path, err), fault.ExitInvalid, rundir.FromCopy)
	}
	for _, l := range t.lines {
		s.known[l.Hash] = firstScore(l)
	}
	return t, nil
}

// parseSample reads one line strictly: the samples of another run, or edited
// ones, must not steer this search.
func (s *Stage) parseSample(b []byte, index int) (rundir.Sample, space.Arch, error) {
	var l rundir.Sample
	if err := json.Unmarshal(b, &l); err != nil {
		return l, nil, err
	}
	arch, err := s.checkLine(index, l.Index, l.Seed, firstScore(l), l.Arch, l.Hash)
	switch {
	case err != nil:
	case l.Params < 1 || l.MAdds < 1:
		err = errors.New("no params and madds: written by an earlier version")
	case l.Images < 1:
		err = fmt.Errorf("images %d, want 1 or more", l.Images)
	default:
		if err = s.plan.CheckCeilings(arch); err != nil {
			err = fault.Wrap(fault.ExitInvalid, err, "the search began with another limit: `oneshot search --override --out "+s.folder.Arg()+"` with that one (--max-params, --max-madds) goes on")
		}
	}
	return l, arch, err
}

// checkLine checks what all lines with a score have.
func (s *Stage) checkLine(want, index int, seed uint64, r scored, text, hash string) (space.Arch, error) {
	if index != want {
		return nil, fmt.Errorf("index %d, want %d", index, want)
	}
	if seed != s.plan.Config.Seed {
		return nil, fmt.Errorf("sample of seed %d, want %d", seed, s.plan.Config.Seed)
	}
	if err := r.check(); err != nil {
		return nil, err
	}
	arch, err := s.plan.Space.Parse(text)
	if err != nil { // not wrapped: a space.FieldError is a mistake on the command line
		return arch, fmt.Errorf("arch: %v", err)
	}
	if h := space.Hash(s.plan.Space, arch); h != hash {
		return arch, fmt.Errorf("hash %s does not belong to the architecture (%s)", hash, h)
	}
	return arch, nil
}

// record writes the metrics before the sample: a sample counts as done once it
// is in its file, and metrics beyond the last sample are cut on resume.
func (t *trail) record(l rundir.Sample, best float64) error {
	if t.metrics != nil {
		m := rundir.Metric{Stage: "search", Step: l.Index + 1, Loss: &l.Loss, Top1: cmp.Or(l.Top1, &l.Score), Best: &best, Arch: l.Hash}
		if l.Failed != "" {
			m.Loss = nil
		}
		if err := t.metrics.Append(m); err != nil {
			return err
		}
		if err := t.metrics.Sync(); err != nil {
			return err
		}
	}
	if err := t.file.Append(l); err != nil {
		return err
	}
	t.lines = append(t.lines, l)
	if t.watch != nil {
		return t.watch.lap(l.Index)
	}
	return nil
}

// bestScore is the highest score so far; 0 without samples.
func (t *trail) bestScore() (best float64) {
	for _, l := range t.lines {
		best = max(best, l.Score)
	}
	return best
}

func (t *trail) close() {
	t.file.Close()
	if t.metrics != nil {
		t.metrics.Close()
	}
	if t.watch != nil {
		t.watch.file.Close()
	}
}
