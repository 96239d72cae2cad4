package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"oneshot/lanas"
	"oneshot/supernet"
	"oneshot/supernet/space"
)

// scorer measures a subnetwork; see supernet.Scorer.
type scorer interface {
	Score(ctx context.Context, arch space.Arch) (supernet.Result, error)
	Close()
}

// searchStage is the search of one supernet. Everything it decides follows from
// three kinds of files, samples.jsonl, rechecks.jsonl and baseline-*.jsonl, in
// which every line is on disk before the next subnetwork is scored; best.json,
// tree.json and report.html only tell what they say.
type searchStage struct {
	j           *job
	newSearcher func(algo string) (*searcher, error)
	// open returns a scorer of first scores or, again, of second ones.
	open  func(again bool) (scorer, error)
	first scorer                     // of first scores; nil until it is needed
	known map[string]supernet.Result // first scores by hash
	wrote int                        // lines added by this process
}

func (j *job) newSearchStage(open func(again bool) (scorer, error)) *searchStage {
	return &searchStage{j: j, newSearcher: j.newSearcher, open: open, known: map[string]supernet.Result{}}
}

// search scores subnetworks of n until the budget is used, scores the best of
// them again, and compares with the baselines, as far as that is not done.
func (j *job) search(ctx context.Context, n *supernet.Net) (searchSummary, error) {
	s := j.newSearchStage(func(again bool) (scorer, error) {
		images := j.data.Search
		if !again {
			images = images.Part(j.cfg.Score.Images)
		}
		return supernet.NewScorer(n, j.data.Train, images, j.scoreConfig(again))
	})
	defer s.closeScorer()
	return s.run(ctx)
}

func (s *searchStage) run(ctx context.Context) (searchSummary, error) {
	j := s.j
	if err := os.MkdirAll(j.dir.file("search"), 0o755); err != nil {
		return searchSummary{}, err
	}
	t, err := s.openTrail(j.cfg.Search.Algo, "samples.jsonl")
	if err != nil {
		return searchSummary{}, err
	}
	defer t.close()
	if t.watch, err = j.openStopwatch(len(t.lines)); err != nil {
		return searchSummary{}, err
	}
	if t.metrics, err = j.openMetrics("search", len(t.lines)); err != nil {
		return searchSummary{}, err
	}
	end, err := s.extend(ctx, t, "search", "", j.cfg.Search.Samples)
	if err != nil {
		return searchSummary{}, err
	}
	if err := j.rewriteMetrics(inOrder); err != nil {
		return searchSummary{}, err
	}
	again, err := s.recheck(ctx, t.lines)
	if err != nil {
		return searchSummary{}, err
	}
	sum := summarise(t.lines, again, j.cfg.Search)
	sum.Exhausted, sum.TimedOut = end == endExhausted, end == endTime
	var others [][]sampleLine
	for _, algo := range j.cfg.Search.BaselineNames() {
		b, lines, err := s.baseline(ctx, algo, t.lines)
		if err != nil {
			return searchSummary{}, err
		}
		sum.Baselines, others = append(sum.Baselines, b), append(others, lines)
	}
	return s.conclude(sum, t, others)
}

// ending says why a search has no more samples.
type ending int

const (
	endSamples   ending = iota // the budget is used
	endTime                    // search.time is
	endExhausted               // the space is
)

// extend runs the ask-score-tell loop until the trail has total samples. A
// sample is on disk before it is told.
func (s *searchStage) extend(ctx context.Context, t *trail, stage, label string, total int) (ending, error) {
	j := s.j
	meter := j.ui.meter(stage, len(t.lines), total)
	defer meter.finish()
	best := t.bestScore()
	for len(t.lines) < total {
		if ctx.Err() != nil {
			return 0, j.stopped(ctx, stage, len(t.lines), total)
		}
		if t.watch != nil && t.watch.up() && len(t.lines) > 0 {
			j.ui.infof("search: stopped after %v with %d of %d subnetworks (search.time)", rounded(t.watch.spent), len(t.lines), total)
			return endTime, nil
		}
		code, source, err := t.search.propose()
		if errors.Is(err, lanas.ErrExhausted) {
			j.ui.infof("%s: all %d subnetworks of the space are scored", stage, len(t.lines))
			return endExhausted, nil
		}
		if err != nil {
			return 0, err
		}
		arch, err := j.space.Decode(code)
		if err != nil {
			return 0, err
		}
		r, images, err := s.score(ctx, arch)
		if ctx.Err() != nil { // the sample is not recorded: it will be asked for again
			return 0, j.stopped(ctx, stage, len(t.lines), total)
		}
		if err != nil {
			return 0, fmt.Errorf("%s: score %s: %w", stage, j.space.Format(arch), err)
		}
		best = max(best, r.Top1)
		a, err := j.archResult(arch)
		if err != nil {
			return 0, err
		}
		line := sampleLine{len(t.lines), a.Text, a.Hash, r.Top1, r.Loss, r.Images, a.Params, a.MAdds, source, j.cfg.Seed}
		if err := t.record(line, best); err != nil {
			return 0, err
		}
		s.wrote++
		if err := t.search.Tell(code, r.Top1); err != nil {
			return 0, err
		}
		meter.update(len(t.lines), images, fmt.Sprintf("%sscore %.3f  best %.3f", label, r.Top1, best))
	}
	return endSamples, nil
}

// score is the first score of a subnetwork, and how many images it took: none
// when it is known, as scoring again would give the same bits.
func (s *searchStage) score(ctx context.Context, arch space.Arch) (supernet.Result, int, error) {
	hash := space.Hash(s.j.space, arch)
	if r, ok := s.known[hash]; ok {
		return r, 0, nil
	}
	if s.first == nil {
		var err error
		if s.first, err = s.open(false); err != nil {
			return supernet.Result{}, 0, err
		}
	}
	r, err := s.first.Score(ctx, arch)
	if err == nil {
		s.known[hash] = r
	}
	return r, r.Images, err
}

func (s *searchStage) closeScorer() {
	if s.first != nil {
		s.first.Close()
		s.first = nil
	}
}
