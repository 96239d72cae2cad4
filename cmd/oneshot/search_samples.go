package main

import (
	"encoding/json"
	"errors"
	"fmt"

	"oneshot/internal/fault"
	"oneshot/lanas"
	"oneshot/supernet"
	"oneshot/supernet/space"
)

// sampleLine is a line of search/samples.jsonl and of search/baseline-*.jsonl: a
// subnetwork and its score. The file is all a search remembers; the tree is a
// function of it and the seed. It has no times: see timeLine.
type sampleLine struct {
	Index  int     `json:"index"` // from 0
	Arch   string  `json:"arch"`
	Hash   string  `json:"hash"`
	Score  float64 `json:"score"` // top-1 on score.images of the search split
	Loss   float64 `json:"loss"`
	Images int     `json:"images"`
	// Params and MAdds are those of the network that would be retrained.
	Params int64  `json:"params"`
	MAdds  int64  `json:"madds"`
	Source string `json:"source"` // how it was found: warm-up, or the algorithm's word
	Seed   uint64 `json:"seed"`
}

func (l sampleLine) result() supernet.Result {
	return supernet.Result{Top1: l.Score, Loss: l.Loss, Images: l.Images}
}

// trail is one search with the file of its samples.
type trail struct {
	search *searcher
	lines  []sampleLine
	file   *jsonl

	// The run's own search has more to keep than a baseline.
	metrics *jsonl     // or nil
	watch   *stopwatch // or nil
}

// openTrail reads a file of samples and tells them to a search of algo.
func (s *searchStage) openTrail(algo, name string) (*trail, error) {
	j := s.j
	search, err := s.newSearcher(algo)
	if err != nil {
		return nil, err
	}
	t := &trail{search: search}
	var told []lanas.Sample
	moved := false
	path := j.dir.file("search", name)
	file, torn, err := openJSONL(path, func(b []byte) (bool, error) {
		l, arch, err := j.parseSample(b, len(t.lines))
		if err != nil {
			return false, err
		}
		r, err := j.archResult(arch)
		if err != nil {
			return false, err
		}
		moved = moved || r.Params != l.Params || r.MAdds != l.MAdds
		l.Params, l.MAdds = r.Params, r.MAdds
		t.lines = append(t.lines, l)
		code := j.space.Encode(arch)
		if code == nil {
			return false, fmt.Errorf("no search proposes %s", l.Arch)
		}
		told = append(told, lanas.Sample{Code: code, Score: l.Score})
		return true, nil
	})
	if err != nil {
		return nil, fault.WithCode(err, fault.ExitInvalid, "restore the file, or delete it to search again")
	}
	t.file = file
	if torn {
		j.ui.warnf("%s: dropped an incomplete last line", path)
	}
	if moved {
		j.ui.warnf("%s: its params and madds are not those of the retrained network, whose size was changed since", path)
	}
	if err := search.Replay(told); err != nil {
		file.close()
		return nil, fault.WithCode(fmt.Errorf("%s: %w", path, err), fault.ExitInvalid, "")
	}
	for _, l := range t.lines {
		s.known[l.Hash] = l.result()
	}
	return t, nil
}

// parseSample reads one line strictly: the samples of another run, or edited
// ones, must not steer this search.
func (j *job) parseSample(b []byte, index int) (sampleLine, space.Arch, error) {
	var l sampleLine
	if err := json.Unmarshal(b, &l); err != nil {
		return l, nil, err
	}
	arch, err := j.checkLine(index, l.Index, l.Seed, l.Score, l.Arch, l.Hash)
	switch {
	case err != nil:
	case l.Params < 1 || l.MAdds < 1:
		err = errors.New("no params and madds: written by an earlier version")
	case l.Images < 1:
		err = fmt.Errorf("images %d, want 1 or more", l.Images)
	default:
		err = j.checkLimit(arch)
	}
	return l, arch, err
}

// checkLine checks what all lines with a score have.
func (j *job) checkLine(want, index int, seed uint64, score float64, text, hash string) (space.Arch, error) {
	if index != want {
		return nil, fmt.Errorf("index %d, want %d", index, want)
	}
	if seed != j.cfg.Seed {
		return nil, fmt.Errorf("sample of seed %d, want %d", seed, j.cfg.Seed)
	}
	if !(score >= 0 && score <= 1) {
		return nil, fmt.Errorf("score %v is not in 0..1", score)
	}
	arch, err := j.space.Parse(text)
	if err != nil { // not wrapped: a space.FieldError is a mistake on the command line
		return arch, fmt.Errorf("arch: %v", err)
	}
	if h := space.Hash(j.space, arch); h != hash {
		return arch, fmt.Errorf("hash %s does not belong to the architecture (%s)", hash, h)
	}
	return arch, nil
}

// record writes the metrics before the sample: a sample counts as done once it
// is in its file, and metrics beyond the last sample are cut on resume.
func (t *trail) record(l sampleLine, best float64) error {
	if t.metrics != nil {
		m := metric{Stage: "search", Step: l.Index + 1, Loss: &l.Loss, Top1: &l.Score, Best: &best, Arch: l.Hash}
		if err := t.metrics.append(m); err != nil {
			return err
		}
		if err := t.metrics.sync(); err != nil {
			return err
		}
	}
	if err := t.file.append(l); err != nil {
		return err
	}
	if err := t.file.sync(); err != nil {
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
	for _, f := range []*jsonl{t.file, t.metrics} {
		if f != nil {
			f.close()
		}
	}
	if t.watch != nil {
		t.watch.file.close()
	}
}
