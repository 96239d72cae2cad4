package search

import (
	"context"
	"errors"
	"fmt"

	"oneshot/internal/fault"
	"oneshot/internal/plan"
	"oneshot/internal/rundir"
	"oneshot/internal/ui"
	"oneshot/lanas"
	"oneshot/supernet"
	"oneshot/supernet/space"
)

// Scorer measures a subnetwork; see supernet.Scorer.
type Scorer interface {
	Score(ctx context.Context, arch space.Arch) (supernet.Result, error)
	Close()
}

// Stage is the search of one supernet. Everything it decides follows from
// three kinds of files, samples.jsonl, rechecks.jsonl and baseline-*.jsonl, in
// which every line is on disk before the next subnetwork is scored; best.json,
// tree.json and report.html only tell what they say.
type Stage struct {
	plan   *plan.Plan
	folder rundir.Folder
	ui     *ui.UI
	// searcher makes a search of an algorithm that has been told nothing yet.
	searcher func(algo string) (*searcher, error)
	// open returns a scorer of first scores or, again, of second ones.
	open   func(again bool) (Scorer, error)
	first  Scorer            // of first scores; nil until it is needed
	known  map[string]scored // first scores by hash
	wrote  int               // lines added by this process
	warned bool              // that an architecture has no score
}

// New is the search of a plan, in the folder of its run. It draws from within. open
// returns a scorer of first scores or, again, of second ones.
func New(p *plan.Plan, d rundir.Folder, u *ui.UI, within lanas.Space, open func(again bool) (Scorer, error)) *Stage {
	return &Stage{
		plan: p, folder: d, ui: u, open: open, known: map[string]scored{},
		searcher: func(algo string) (*searcher, error) { return newSearcher(p, algo, within) },
	}
}

// Wrote says how many lines this process has added.
func (s *Stage) Wrote() int { return s.wrote }

// Run scores subnetworks until the budget is used, scores the best of them again, and
// compares with the baselines, as far as that is not done.
func (s *Stage) Run(ctx context.Context) (rundir.SearchSummary, error) {
	if err := s.folder.MakeDir("search"); err != nil {
		return rundir.SearchSummary{}, err
	}
	t, err := s.openTrail(s.plan.Config.Search.Algo, "samples.jsonl")
	if err != nil {
		return rundir.SearchSummary{}, err
	}
	defer t.close()
	defer s.closeScorer()
	if t.watch, err = s.openStopwatch(len(t.lines)); err != nil {
		return rundir.SearchSummary{}, err
	}
	if t.metrics, err = s.folder.OpenMetrics("search", len(t.lines), s.ui.Warnf); err != nil {
		return rundir.SearchSummary{}, err
	}
	end, err := s.extend(ctx, t, "search", "", s.plan.Config.Search.Samples)
	if err != nil {
		return rundir.SearchSummary{}, err
	}
	if err := s.folder.SortMetrics(s.ui.Warnf); err != nil {
		return rundir.SearchSummary{}, err
	}
	if err := someScored(s.folder, t.lines); err != nil {
		return rundir.SearchSummary{}, err
	}
	again, err := s.recheck(ctx, t.lines)
	if err == nil {
		err = someRescored(s.folder, again)
	}
	if err != nil {
		return rundir.SearchSummary{}, err
	}
	sum := summarise(t.lines, again, s.plan.Config.Search)
	if by := s.plan.Config.Score.By; by == supernet.ByLoss {
		sum.ScoreBy = by
	}
	sum.Exhausted, sum.TimedOut = end == endExhausted, end == endTime
	var others [][]rundir.Sample
	for _, algo := range s.plan.Config.Search.BaselineNames() {
		b, lines, err := s.baseline(ctx, algo, t.lines)
		if err != nil {
			return rundir.SearchSummary{}, err
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
func (s *Stage) extend(ctx context.Context, t *trail, stage, label string, total int) (ending, error) {
	meter := s.ui.Meter(stage, len(t.lines), total)
	defer meter.Finish()
	if t.watch != nil && t.watch.limit > 0 {
		meter.Within(t.watch.left)
	}
	best := t.bestScore()
	for len(t.lines) < total {
		if ctx.Err() != nil {
			return 0, fault.Stopped(ctx, s.folder.Arg(), stage, len(t.lines), total)
		}
		if t.watch != nil && t.watch.up() && len(t.lines) > 0 {
			s.ui.Infof("search: stopped after %v with %d of %d subnetworks (search.time)", ui.Rounded(t.watch.spent), len(t.lines), total)
			return endTime, nil
		}
		code, source, err := t.search.propose()
		if errors.Is(err, lanas.ErrExhausted) {
			s.ui.Infof("%s: all %d subnetworks of the space are scored", stage, len(t.lines))
			return endExhausted, nil
		}
		if err != nil {
			return 0, err
		}
		arch, err := s.plan.Space.Decode(code)
		if err != nil {
			return 0, err
		}
		r, images, err := s.score(ctx, arch)
		if ctx.Err() != nil { // the sample is not recorded: it will be asked for again
			return 0, fault.Stopped(ctx, s.folder.Arg(), stage, len(t.lines), total)
		}
		if err != nil {
			return 0, fmt.Errorf("%s: score %s: %w", stage, s.plan.Space.Format(arch), err)
		}
		best = max(best, r.score)
		a, err := s.plan.DescribeArch(arch)
		if err != nil {
			return 0, err
		}
		line := rundir.Sample{
			Index: len(t.lines), Arch: a.Text, Hash: a.Hash, Score: r.score, Top1: r.top1, Loss: r.loss, Images: r.images,
			Params: a.Params, MAdds: a.MAdds, Source: source, Seed: s.plan.Config.Seed, Failed: r.failed,
		}
		if err := t.record(line, best); err != nil {
			return 0, err
		}
		s.wrote++
		if err := t.search.Tell(code, r.score); err != nil {
			return 0, err
		}
		note := fmt.Sprintf("score %.3f", r.score)
		if r.failed != "" {
			note = "no score"
			s.warn(stage, a.Hash, r.failed)
		}
		meter.Update(len(t.lines), images, fmt.Sprintf("%s%s  best %.3f", label, note, best))
	}
	return endSamples, nil
}

// score is the first score of a subnetwork, and how many images it took: none
// when it is known, as scoring again would give the same bits.
func (s *Stage) score(ctx context.Context, arch space.Arch) (scored, int, error) {
	hash := space.Hash(s.plan.Space, arch)
	if r, ok := s.known[hash]; ok {
		return r, 0, nil
	}
	if s.first == nil {
		var err error
		if s.first, err = s.open(false); err != nil {
			return scored{}, 0, err
		}
	}
	r, err := ask(ctx, s.first, s.plan.Scoring(false), arch)
	if err == nil {
		s.known[hash] = r
	}
	return r, r.images, err
}

func (s *Stage) closeScorer() {
	if s.first != nil {
		s.first.Close()
		s.first = nil
	}
}
